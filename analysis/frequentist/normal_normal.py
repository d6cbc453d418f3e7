"""Random-effects means of estimates with known variances: three estimators of tau, two kinds of interval.

    y_i ~ Normal(m, v_i + tau^2)

Given tau^2 the mean is the weighted one with weights 1/(v_i + tau^2). The Wald interval takes its variance as
1/sum of weights; the Hartung-Knapp interval takes the weighted variance of the estimates about the mean and the t
distribution with k - 1 degrees of freedom. It is the plain form, which can be narrower than Wald's.

References
----------
DerSimonian R, Laird N. Control Clin Trials 1986;7:177, doi 10.1016/0197-2456(86)90046-2.
Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377, doi 10.6028/jres.087.022.
Hartung J, Knapp G. Stat Med 2001;20:3875, doi 10.1002/sim.1009.
Viechtbauer W. J Educ Behav Stat 2005;30:261, doi 10.3102/10769986030003261 (REML).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from analysis.frequentist.estimates import Estimates
from analysis.frequentist.interval import Limits

ONE_STUDY = "one study: its own normal interval, nothing is pooled"
NO_WIDTH = "all estimates are equal, so that the interval has no width"
_ROUNDING = 1e-12
NARROWER = "narrower than the Wald interval"


@dataclass(frozen=True)
class Pooled:
    """A weighted mean with what its intervals need.

    Parameters
    ----------
    mean : float
        m, on the scale of the estimates.
    se, se_knapp : float
        Standard error from the weights, and that of Hartung and Knapp; the latter is NaN for one study.
    tau2 : float
        Between-study variance, >= 0.
    i2 : float
        Percentage of the total variance that is between studies, with Higgins and Thompson's typical variance.
    k : int
    """

    mean: float
    se: float
    se_knapp: float
    tau2: float
    i2: float
    k: int


def pooled(estimates: Estimates, *, tau2: float) -> Pooled:
    """The weighted mean given the between-study variance."""
    y, v, k = estimates.values, estimates.variances, len(estimates)
    weight = 1.0 / (v + tau2)
    mean = float(weight @ y / weight.sum())
    knapp = math.sqrt(weight @ (y - mean) ** 2 / ((k - 1) * weight.sum())) if k > 1 else math.nan
    i2 = 100.0 * tau2 / (tau2 + _typical_variance(v)) if k > 1 else math.nan
    return Pooled(mean, 1.0 / math.sqrt(weight.sum()), knapp, tau2, i2, k)


def tau2_dersimonian_laird(estimates: Estimates) -> float:
    """DerSimonian and Laird's between-study variance.

    The library leaves it negative where the estimates vary less than sampling explains, and would weight by it.
    """
    return max(0.0, float(_library(estimates, "dl")))


def tau2_paule_mandel(estimates: Estimates) -> float:
    """Paule and Mandel's between-study variance, at which the weighted sum of squares is k - 1."""
    return max(0.0, float(_library(estimates, "pm")))


def tau2_reml(estimates: Estimates) -> float:
    """Between-study variance of restricted maximum likelihood.

    The restricted likelihood can have two maxima; it is scanned before the best neighbourhood is refined.
    """
    y, v = estimates.values, estimates.variances
    top = 10.0 * float(np.var(y) + v.max())
    grid = np.concatenate([[0.0], np.geomspace(1e-6 * float(v.min()), top, 120)])
    best = int(np.argmin([_minus_restricted(tau2, y, v) for tau2 in grid]))
    ends = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(_minus_restricted, bounds=ends, args=(y, v), method="bounded",
                                     options={"xatol": 1e-9 * ends[1]})
    return float(found.x) if found.fun < _minus_restricted(0.0, y, v) else 0.0


ESTIMATORS: Mapping[str, Callable[[Estimates], float]] = {
    "dl": tau2_dersimonian_laird, "reml": tau2_reml, "pm": tau2_paule_mandel}
"""Estimators of tau^2 for two or more studies."""


def fit(estimates: Estimates, *, estimator: str) -> Pooled:
    """The random-effects mean with one of `ESTIMATORS`; tau^2 is zero by definition where there is one study."""
    return pooled(estimates, tau2=ESTIMATORS[estimator](estimates) if len(estimates) > 1 else 0.0)


def wald(found: Pooled, *, level: float) -> Limits:
    """Mean plus and minus a normal quantile of standard errors."""
    half = float(stats.norm.ppf(0.5 + level / 2.0)) * found.se
    return Limits(found.mean, found.mean - half, found.mean + half, _tau(found),
                  ONE_STUDY if found.k == 1 else "")


def hartung_knapp(found: Pooled, *, level: float) -> Limits:
    """Mean plus and minus a t quantile (k - 1 degrees of freedom) of Hartung and Knapp's standard errors.

    One study has no such interval: its limits are NaN.
    """
    if found.k == 1:
        return Limits(found.mean, math.nan, math.nan, math.nan, "one study: no Hartung-Knapp interval")
    half = float(stats.t.ppf(0.5 + level / 2.0, found.k - 1)) * found.se_knapp
    shorter = half < float(stats.norm.ppf(0.5 + level / 2.0)) * found.se
    note = NO_WIDTH if half <= _ROUNDING * abs(found.mean) else NARROWER if shorter else ""
    return Limits(found.mean, found.mean - half, found.mean + half, _tau(found), note)


def prediction(mean: float, *, se: float, tau2: float, level: float) -> tuple[float, float]:
    """Limits for the effect of a new study: mean plus and minus z sqrt(se^2 + tau^2), on the scale of the mean."""
    half = float(stats.norm.ppf(0.5 + level / 2.0)) * math.sqrt(se**2 + tau2)
    return mean - half, mean + half


def _tau(found: Pooled) -> float:
    return math.sqrt(found.tau2) if found.k > 1 else math.nan


def _typical_variance(v: np.ndarray) -> float:
    weight = 1.0 / v
    return float((len(v) - 1) * weight.sum() / (weight.sum() ** 2 - (weight**2).sum()))


def _minus_restricted(tau2: float, y: np.ndarray, v: np.ndarray) -> float:
    """Minus the restricted log likelihood, without constants."""
    weight = 1.0 / (v + tau2)
    mean = weight @ y / weight.sum()
    return 0.5 * float(np.log(v + tau2).sum() + np.log(weight.sum()) + weight @ (y - mean) ** 2)


def _library(estimates: Estimates, method: str) -> float:
    # Imported here: it costs a quarter of a second, and most commands never pool by weights.
    from statsmodels.stats.meta_analysis import combine_effects
    # Equal estimates make it divide by zero in a measure of heterogeneity that is not used.
    with np.errstate(divide="ignore", invalid="ignore"):
        return combine_effects(estimates.values, estimates.variances, method_re=method).tau2
