"""Whether a fit may be reported: convergence, Monte-Carlo error, and sampled estimates held against exact ones."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.inference import weighted
from analysis.inference.estimands import Quantity
from analysis.inference.pooled import ExactQuantity

if TYPE_CHECKING:
    import xarray as xr

MAX_PARETO_K = 0.7
HETEROGENEITY = ("rho", "tau")
LIMIT = 4.5
"""Monte-Carlo standard errors beyond which the engines disagree: one in 150,000 by chance."""

_ACCURACY = 2e-4  # of a posterior standard deviation: quantiles of the exact engine
_SHAPE = {"chain_axis": 0, "draw_axis": 1}


@dataclass(frozen=True)
class _Rule:
    """A limit on one diagnostic; `precision` says that longer chains mend it."""

    name: str
    label: str
    limit: float
    lowest: bool = False
    precision: bool = False

    def holds(self, value: float) -> bool:
        # NaN breaks every rule.
        return value >= self.limit if self.lowest else value <= self.limit

    def describe(self, value: float) -> str:
        return f"{self.label} {value:.4g} {'below' if self.lowest else 'above'} {self.limit:g}"


_RULES = (
    _Rule("max_rhat", "R-hat", 1.01),
    _Rule("divergences", "divergences", 0),
    _Rule("min_bfmi", "E-BFMI", 0.3, lowest=True),
    _Rule("min_ess_bulk", "bulk effective sample size", 400.0, lowest=True, precision=True),
    _Rule("min_ess_tail", "tail effective sample size", 400.0, lowest=True, precision=True),
    _Rule("max_mcse_mean", "Monte-Carlo error of means / SD", 0.05, precision=True),
    _Rule("max_mcse_limit", "Monte-Carlo error of interval ends / SD", 0.10, precision=True),
    _Rule("max_mcse_limit_heterogeneity", "Monte-Carlo error of interval ends of rho and tau / SD", 0.15,
          precision=True),
    _Rule("pareto_k", "Pareto k of the weights", MAX_PARETO_K, precision=True),
)


@dataclass(frozen=True)
class Diagnostics:
    """The worst value of each diagnostic over all checked quantities; NaN, or None, where there is nothing to judge.

    Parameters
    ----------
    max_rhat : float
        Rank-normalised split R-hat.
    min_ess_bulk, min_ess_tail : float
        Effective sample sizes.
    divergences : int or None
    min_bfmi : float
        Energy Bayesian fraction of missing information, over chains.
    max_mcse_mean, max_mcse_limit, max_mcse_limit_heterogeneity : float
        Monte-Carlo standard error of means and of interval ends, as a fraction of the posterior SD.
    failures : tuple of str
        Each rule that is broken, in words; empty for a converged fit.
    remedy : {"", "longer", "careful"}
        What a second attempt should change, where one is worth it: longer chains for Monte-Carlo precision, shorter
        steps for divergences.
    max_engine_z : float
        Largest difference from the exact engine, in Monte-Carlo standard errors.
    quadrature_error : float
        Estimated error of the exact engine.
    pareto_k : float
        Shape of the tail of importance weights.
    """

    max_rhat: float = math.nan
    min_ess_bulk: float = math.nan
    min_ess_tail: float = math.nan
    divergences: int | None = None
    min_bfmi: float = math.nan
    max_mcse_mean: float = math.nan
    max_mcse_limit: float = math.nan
    max_mcse_limit_heterogeneity: float = math.nan
    failures: tuple[str, ...] = ()
    remedy: str = ""
    max_engine_z: float = math.nan
    quadrature_error: float = math.nan
    pareto_k: float = math.nan

    @property
    def converged(self) -> bool:
        """Whether no rule is broken."""
        return not self.failures


def diagnose(quantities: Mapping[str, np.ndarray], stats: "xr.Dataset", *, level: float,
             heterogeneity: Collection[str] = HETEROGENEITY) -> Diagnostics:
    """Check every hyperparameter and pooled estimand of a fit.

    Parameters
    ----------
    quantities : mapping of str to array, shape (chain, draw)
    stats : xarray.Dataset
        With `diverging` and `energy`.
    level : float
        Of the intervals whose ends are checked.
    heterogeneity : collection of str
        Names that are allowed a larger error of their interval ends.
    """
    from arviz_stats.base import array_stats

    names = np.array(list(quantities))
    draws = np.stack(list(quantities.values()), axis=2)
    infinite, still = ~np.isfinite(draws).all(axis=(0, 1)), np.ptp(draws, axis=(0, 1)) == 0
    for hit, what in ((infinite, "not finite"), (still, "did not move")):
        if hit.any():
            return Diagnostics(failures=(f"{', '.join(names[hit])} {what}",))
    spread = np.maximum(draws.std(axis=(0, 1)), np.finfo(float).tiny)
    limit = np.max([array_stats.mcse(draws, method="quantile", prob=(1 + side * level) / 2, **_SHAPE)
                    for side in (-1, 1)], axis=0) / spread
    loose = np.isin(names, list(heterogeneity))
    return _judged({
        "max_rhat": array_stats.rhat(draws, **_SHAPE).max(),
        "min_ess_bulk": array_stats.ess(draws, method="bulk", **_SHAPE).min(),
        "min_ess_tail": array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **_SHAPE).min(),
        "divergences": int(stats["diverging"].values.sum()),
        "min_bfmi": np.min(array_stats.bfmi(np.asarray(stats["energy"].values), **_SHAPE)),
        "max_mcse_mean": (array_stats.mcse(draws, method="mean", **_SHAPE) / spread).max(),
        "max_mcse_limit": limit[~loose].max(initial=0.0),
        "max_mcse_limit_heterogeneity": limit[loose].max(initial=0.0)})


def diagnose_weighted(quantities: Mapping[str, np.ndarray], weights: np.ndarray, pareto_k: float, *,
                      level: float) -> Diagnostics:
    """Check every quantity of independent weighted draws.

    Parameters
    ----------
    quantities : mapping of str to array, shape (s,)
        A name in `HETEROGENEITY` is allowed a larger error of its interval ends.
    weights : array, shape (s,)
        They add up to 1.
    pareto_k : float
        Of the weights.
    level : float
        Of the intervals whose ends are checked.
    """
    mean, limits = [], {False: [0.0], True: [0.0]}
    for name, values in quantities.items():
        if not np.all(np.isfinite(values[weights > 0])):
            return Diagnostics(failures=(f"{name} not finite",))
        spread = weighted.mean_and_sd(values, weights)[1]
        if spread == 0.0:
            return Diagnostics(failures=(f"{name} did not move",))
        mean.append(weighted.mcse_mean(values, weights) / spread)
        limits[name in HETEROGENEITY] += [weighted.mcse_quantile(values, weights, (1 + side * level) / 2) / spread
                                          for side in (-1, 1)]
    return _judged({"min_ess_bulk": weighted.effective_size(weights), "max_mcse_mean": max(mean),
                    "max_mcse_limit": max(limits[False]), "max_mcse_limit_heterogeneity": max(limits[True]),
                    "pareto_k": pareto_k})


def _judged(values: Mapping[str, float]) -> Diagnostics:
    values = {name: value if isinstance(value, int) else float(value) for name, value in values.items()}
    broken = [rule for rule in _RULES if rule.name in values and not rule.holds(values[rule.name])]
    longer = broken and all(rule.precision for rule in broken)
    return Diagnostics(**values, failures=tuple(rule.describe(values[rule.name]) for rule in broken),
                       remedy="careful" if any(rule.name == "divergences" for rule in broken) else
                       "longer" if longer else "")


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
    law, numbers = exact.distribution, []
    if exact.quantity.moments:
        numbers.append(("mean", draws.mean(), law.mean, array_stats.mcse(draws, method="mean", **_SHAPE)))
    for name, p in (("median", 0.5), ("lower", (1.0 - level) / 2.0), ("upper", (1.0 + level) / 2.0)):
        error = array_stats.mcse(draws, method="quantile", prob=p, **_SHAPE)
        numbers.append((name, np.quantile(draws, p), law.quantile(p), error))
    unit = law.sd if exact.quantity.moments else float(np.std(np.log(draws))) * float(numbers[0][2])
    return [Agreement(sampled.estimand, sampled.time_months, name, *map(float, values), accuracy=_ACCURACY * unit)
            for name, *values in numbers]
