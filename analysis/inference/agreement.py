"""Holds the two engines against each other: sampled estimates must agree with exact ones within Monte-Carlo error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.inference.diagnostics import Diagnostics
from analysis.inference.estimands import Quantity
from analysis.inference.pooled import ExactQuantity

LIMIT = 4.5
"""Monte-Carlo standard errors beyond which the engines disagree: one in 150,000 by chance."""

_ACCURACY = 2e-4  # of a posterior standard deviation: quantiles of the exact engine


@dataclass(frozen=True)
class Agreement:
    """One number from both engines.

    Parameters
    ----------
    statistic : {"mean", "median", "lower", "upper"}
    sampled, exact : float
    mcse : float
        Monte-Carlo standard error of the sampled one.
    accuracy : float
        What the exact one is right to; it counts where the estimand saturates and the chain has no error at all.
    """

    estimand: str
    time_months: float | None
    statistic: str
    sampled: float
    exact: float
    mcse: float
    accuracy: float

    @property
    def z(self) -> float:
        """The difference in standard errors."""
        return (self.sampled - self.exact) / float(np.hypot(self.mcse, self.accuracy))

    @property
    def agrees(self) -> bool:
        """Whether the difference is within `LIMIT` standard errors."""
        return bool(abs(self.z) <= LIMIT)

    def describe(self) -> str:
        """In words, for a failed fit."""
        return (f"{self.statistic} of {self.estimand} {self.sampled:.6g} by sampling, {self.exact:.6g} by quadrature: "
                f"{abs(self.z):.1f} Monte-Carlo standard errors")


def agreements(sampled: Sequence[Quantity], exact: Sequence[ExactQuantity], *, chains: int,
               level: float) -> tuple[Agreement, ...]:
    """Mean, median and interval ends of every pooled estimand that both engines give.

    Parameters
    ----------
    sampled : sequence of Quantity
        Draws, chain after chain.
    exact : sequence of ExactQuantity
    """
    by_name: Mapping[str, Quantity] = {quantity.name: quantity for quantity in sampled}
    return tuple(row for found in exact if found.name in by_name
                 for row in _of_quantity(by_name[found.name], found, chains, level))


def with_agreement(diagnostics: Diagnostics, found: Sequence[Agreement], quadrature_error: float) -> Diagnostics:
    """The diagnostics of a sampled fit with the comparison; a converged one fails where the engines disagree."""
    apart = tuple(row.describe() for row in found if not row.agrees) if diagnostics.converged else ()
    return replace(diagnostics, failures=diagnostics.failures + apart, quadrature_error=quadrature_error,
                   max_engine_z=max((abs(row.z) for row in found), default=math.nan))


def _of_quantity(sampled: Quantity, exact: ExactQuantity, chains: int, level: float) -> list[Agreement]:
    from arviz_stats.base import array_stats

    draws = sampled.draws.reshape(chains, -1)
    if np.ptp(draws) == 0.0:
        return []
    shape = {"chain_axis": 0, "draw_axis": 1}
    rows = []
    if exact.quantity.moments:
        error = array_stats.mcse(draws, method="mean", **shape)
        rows.append(("mean", float(draws.mean()), exact.distribution.mean, float(error)))
    for name, p in (("median", 0.5), ("lower", (1.0 - level) / 2.0), ("upper", (1.0 + level) / 2.0)):
        error = array_stats.mcse(draws, method="quantile", prob=p, **shape)
        rows.append((name, float(np.quantile(draws, p)), float(exact.distribution.quantile(p)), float(error)))
    unit = exact.distribution.sd if exact.quantity.moments else float(np.std(np.log(draws))) * rows[0][2]
    return [Agreement(sampled.estimand, sampled.time_months, *row, accuracy=_ACCURACY * unit) for row in rows]
