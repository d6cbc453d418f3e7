"""Whether a fit may be reported: convergence and Monte-Carlo error of every quantity that is a result."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.inference import weighted

if TYPE_CHECKING:
    import xarray as xr

MAX_RHAT = 1.01
MIN_ESS = 400.0
MIN_BFMI = 0.3
MAX_MCSE_MEAN = 0.05
MAX_MCSE_LIMIT = 0.10
MAX_MCSE_LIMIT_HETEROGENEITY = 0.15
MAX_PARETO_K = 0.7
HETEROGENEITY = ("rho", "tau")
_SHAPE = {"chain_axis": 0, "draw_axis": 1}
_NO_CHAINS = {"max_rhat": math.nan, "min_ess_bulk": math.nan, "min_ess_tail": math.nan, "divergences": None,
              "min_bfmi": math.nan, "max_mcse_mean": math.nan, "max_mcse_limit": math.nan,
              "max_mcse_limit_heterogeneity": math.nan}


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
    _Rule("max_rhat", "R-hat", MAX_RHAT),
    _Rule("divergences", "divergences", 0),
    _Rule("min_bfmi", "E-BFMI", MIN_BFMI, lowest=True),
    _Rule("min_ess_bulk", "bulk effective sample size", MIN_ESS, lowest=True, precision=True),
    _Rule("min_ess_tail", "tail effective sample size", MIN_ESS, lowest=True, precision=True),
    _Rule("max_mcse_mean", "Monte-Carlo error of means / SD", MAX_MCSE_MEAN, precision=True),
    _Rule("max_mcse_limit", "Monte-Carlo error of interval ends / SD", MAX_MCSE_LIMIT, precision=True),
    _Rule("max_mcse_limit_heterogeneity", "Monte-Carlo error of interval ends of rho and tau / SD",
          MAX_MCSE_LIMIT_HETEROGENEITY, precision=True),
    _Rule("pareto_k", "Pareto k of the weights", MAX_PARETO_K, precision=True),
)


@dataclass(frozen=True)
class Diagnostics:
    """The worst value of each diagnostic over all checked quantities.

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
    max_engine_z : float
        Largest difference from the exact engine, in Monte-Carlo standard errors; NaN where it was not compared.
    quadrature_error : float
        Estimated error of the exact engine; NaN where it did not settle.
    pareto_k : float
        Shape of the tail of importance weights; NaN for chains.
    remedy : {"", "longer", "careful"}
        What a second attempt should change, where one is worth it: longer chains for Monte-Carlo precision, shorter
        steps for divergences.
    """

    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    divergences: int | None
    min_bfmi: float
    max_mcse_mean: float
    max_mcse_limit: float
    max_mcse_limit_heterogeneity: float
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

    names = list(quantities)
    draws = np.stack([quantities[name] for name in names], axis=2)
    spread = np.maximum(draws.std(axis=(0, 1)), np.finfo(float).tiny)
    constant = np.ptp(draws, axis=(0, 1)) == 0
    if not np.all(np.isfinite(draws)):
        return _failed(f"{', '.join(_where(names, ~np.isfinite(draws).all(axis=(0, 1))))} not finite")
    if constant.any():
        return _failed(f"{', '.join(_where(names, constant))} did not move")
    rhat = array_stats.rhat(draws, **_SHAPE)
    bulk = array_stats.ess(draws, method="bulk", **_SHAPE)
    tail = array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **_SHAPE)
    mean = array_stats.mcse(draws, method="mean", **_SHAPE) / spread
    limit = np.max([array_stats.mcse(draws, method="quantile", prob=(1 + side * level) / 2, **_SHAPE)
                    for side in (-1, 1)], axis=0) / spread
    loose = np.isin(names, list(heterogeneity))
    energy = array_stats.bfmi(np.asarray(stats["energy"].values), **_SHAPE)
    values = {"max_rhat": float(rhat.max()), "min_ess_bulk": float(bulk.min()), "min_ess_tail": float(tail.min()),
              "divergences": int(stats["diverging"].values.sum()), "min_bfmi": float(np.min(energy)),
              "max_mcse_mean": float(mean.max()), "max_mcse_limit": float(limit[~loose].max(initial=0.0)),
              "max_mcse_limit_heterogeneity": float(limit[loose].max(initial=0.0))}
    return Diagnostics(**values, **_judged(values))


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
    mean, limit = {}, {}
    for name, values in quantities.items():
        if not np.all(np.isfinite(values[weights > 0])):
            return _failed(f"{name} not finite")
        spread = weighted.mean_and_sd(values, weights)[1]
        if spread == 0.0:
            return _failed(f"{name} did not move")
        mean[name] = weighted.mcse_mean(values, weights) / spread
        limit[name] = max(weighted.mcse_quantile(values, weights, (1 + side * level) / 2) for side in (-1, 1)) / spread
    own = {name: value for name, value in limit.items() if name not in HETEROGENEITY}
    values = {"min_ess_bulk": weighted.effective_size(weights), "max_mcse_mean": max(mean.values()),
              "max_mcse_limit": max(own.values(), default=0.0), "pareto_k": pareto_k,
              "max_mcse_limit_heterogeneity": max((limit[name] for name in limit if name not in own), default=0.0)}
    return Diagnostics(**{**_NO_CHAINS, **values}, **_judged(values))


def _judged(values: Mapping[str, float]) -> dict:
    broken = [rule for rule in _RULES if rule.name in values and not rule.holds(values[rule.name])]
    return {"failures": tuple(rule.describe(values[rule.name]) for rule in broken), "remedy": _remedy(broken)}


def _remedy(broken: list[_Rule]) -> str:
    if any(rule.name == "divergences" for rule in broken):
        return "careful"
    return "longer" if broken and all(rule.precision for rule in broken) else ""


def _where(names: list[str], mask: np.ndarray) -> list[str]:
    return [name for name, hit in zip(names, mask, strict=True) if hit]


def _failed(reason: str) -> Diagnostics:
    return without_chains(failures=(reason,))


def without_chains(*, failures: tuple[str, ...] = (), quadrature_error: float = math.nan) -> Diagnostics:
    """Diagnostics of a fit that has no chains to judge."""
    return Diagnostics(**_NO_CHAINS, failures=failures, quadrature_error=quadrature_error)
