"""Holds the two engines against each other: sampled estimates must agree with exact ones within Monte-Carlo error."""

import math
from collections.abc import Sequence
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
    by_name = {quantity.name: quantity for quantity in sampled}
    return tuple(comparison for item in exact if item.name in by_name
                 for comparison in _of_quantity(by_name[item.name], item, chains, level))


def with_agreement(diagnostics: Diagnostics, comparisons: Sequence[Agreement], quadrature_error: float) -> Diagnostics:
    """The diagnostics of a sampled fit with the comparison; a converged one fails where the engines disagree."""
    apart = tuple(item.describe() for item in comparisons if not item.agrees) if diagnostics.converged else ()
    return replace(diagnostics, failures=diagnostics.failures + apart, quadrature_error=quadrature_error,
                   max_engine_z=max((abs(item.z) for item in comparisons), default=math.nan))


def _of_quantity(sampled: Quantity, exact: ExactQuantity, chains: int, level: float) -> list[Agreement]:
    from arviz_stats.base import array_stats

    draws = sampled.draws.reshape(chains, -1)
    if np.ptp(draws) == 0.0:
        return []
    law, shape, numbers = exact.distribution, {"chain_axis": 0, "draw_axis": 1}, []
    if exact.quantity.moments:
        numbers.append(("mean", draws.mean(), law.mean, array_stats.mcse(draws, method="mean", **shape)))
    for name, p in (("median", 0.5), ("lower", (1.0 - level) / 2.0), ("upper", (1.0 + level) / 2.0)):
        error = array_stats.mcse(draws, method="quantile", prob=p, **shape)
        numbers.append((name, np.quantile(draws, p), law.quantile(p), error))
    unit = law.sd if exact.quantity.moments else float(np.std(np.log(draws))) * float(numbers[0][2])
    return [Agreement(sampled.estimand, sampled.time_months, name, *map(float, values), accuracy=_ACCURACY * unit)
            for name, *values in numbers]
