"""Random-effects means of estimates with known variances: three estimators of tau, three kinds of interval.

    y_i ~ Normal(m, v_i + tau^2)

Given tau^2 the mean is the weighted one with weights 1/(v_i + tau^2). The Wald interval takes its variance as
1/sum of weights; the Hartung-Knapp interval takes the weighted variance of the estimates about the mean and the t
distribution with k - 1 degrees of freedom. It is the plain form, which can be narrower than Wald's.

The exact interval inverts a test of (m, tau^2) and is projected onto m. Its statistic is

    T = (m_DL - m)^2 sum_i 1/(v_i + tau_DL^2) + c (l(m_DL, tau_DL^2) - l(m, tau^2)),

with DerSimonian and Laird's estimates and the normal log likelihood l. The law of T does not depend on m, so it is
simulated at m = 0, on a grid of tau^2; given tau^2, T is a quadratic in m and the accepted m are an interval. The
grid covers a 99.5 % confidence interval of tau^2 (from the law of the weighted sum of squares), as published: the
error this adds, at most 0.5 %, is not taken off the level.

References
----------
DerSimonian R, Laird N. Control Clin Trials 1986;7:177, doi 10.1016/0197-2456(86)90046-2.
Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377, doi 10.6028/jres.087.022.
Hartung J, Knapp G. Stat Med 2001;20:3875, doi 10.1002/sim.1009.
Viechtbauer W. J Educ Behav Stat 2005;30:261, doi 10.3102/10769986030003261 (REML).
Michael H, Thornton S, Xie M, Tian L. Biometrics 2019;75:485, doi 10.1111/biom.12998 (exact).
Viechtbauer W. Stat Med 2007;26:37, doi 10.1002/sim.2514 (the interval of tau^2).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats
from scipy.optimize import elementwise

from analysis.frequentist.estimates import Estimates
from analysis.frequentist.interval import Limits

ONE_STUDY = "one study: its own normal interval, nothing is pooled"
NO_WIDTH = "all estimates are equal, so that the interval has no width"
NARROWER = "narrower than the Wald interval"
TOO_EVEN = "the estimates vary less than sampling explains: tau = 0 only"
TAU_LEVEL = 0.995
DRAWS, GRID = 12_000, 40
_ROUNDING = 1e-12
_ELEMENTS = 4_000_000  # of one array: thousands of studies take fewer draws instead of all memory
_FEWEST_DRAWS = 1_000


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
    k : int
    """

    mean: float
    se: float
    se_knapp: float
    tau2: float
    k: int

    @property
    def tau(self) -> float:
        """Between-study standard deviation; NaN for one study, which says nothing about it."""
        return math.sqrt(self.tau2) if self.k > 1 else math.nan


def pooled(estimates: Estimates, *, tau2: float) -> Pooled:
    """The weighted mean given the between-study variance."""
    y, k, weight = estimates.values, len(estimates), 1.0 / (estimates.variances + tau2)
    mean = float(weight @ y / weight.sum())
    knapp = math.sqrt(weight @ (y - mean) ** 2 / ((k - 1) * weight.sum())) if k > 1 else math.nan
    return Pooled(mean, 1.0 / math.sqrt(weight.sum()), knapp, tau2, k)


def dersimonian_laird(y: np.ndarray, v: np.ndarray) -> np.ndarray:
    """DerSimonian and Laird's between-study variance of each data set of shape (..., k), not negative."""
    weight = 1.0 / v
    total = weight.sum()
    squares = (y - (y @ weight / total)[..., None]) ** 2 @ weight
    return np.maximum(0.0, (squares - (len(v) - 1)) / (total - (weight**2).sum() / total))


def tau2_where_squares_are(target: np.ndarray | float, estimates: Estimates) -> np.ndarray:
    """tau^2 at which the weighted sum of squares about the mean falls to each target; zero where it starts below."""
    def excess(tau2: np.ndarray, target: np.ndarray) -> np.ndarray:
        weight = 1.0 / (estimates.variances + tau2[..., None])
        mean = weight @ estimates.values / weight.sum(axis=-1)
        return (weight * (estimates.values - mean[..., None]) ** 2).sum(axis=-1) - target

    target = np.asarray(target, dtype=float)
    # Unweighted squares over tau^2 bound the weighted sum from above.
    bound = 1.01 * np.sum((estimates.values - estimates.values.mean()) ** 2) / target
    root = elementwise.find_root(excess, (np.zeros_like(target), bound), args=(target,)).x
    return np.where(excess(np.zeros_like(target), target) > 0.0, root, 0.0)


def tau2_reml(estimates: Estimates) -> float:
    """Between-study variance of restricted maximum likelihood.

    The restricted likelihood can have two maxima; it is scanned before its slope is followed to zero next to the best.
    """
    y, v = estimates.values, estimates.variances

    def slope(tau2: np.ndarray) -> np.ndarray:
        weight = 1.0 / (v + tau2[..., None])
        total, squares = weight.sum(axis=-1), weight**2
        rest = y - (weight @ y / total)[..., None]
        return (squares * rest**2).sum(axis=-1) - total + squares.sum(axis=-1) / total

    grid = np.concatenate([[0.0], np.geomspace(1e-6 * v.min(), 10.0 * (np.var(y) + v.max()), 120)])
    best = int(np.argmax(restricted_log_likelihood(grid, estimates, np.ones((len(y), 1)))))
    root = elementwise.find_root(slope, (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]))
    return float(root.x) if root.success else 0.0


def restricted_log_likelihood(tau2: np.ndarray | float, estimates: Estimates, design: np.ndarray) -> np.ndarray:
    """Restricted log likelihood of each tau^2 in a regression on a design of shape (k, p), without its constant."""
    weight = 1.0 / (estimates.variances + np.asarray(tau2)[..., None])
    information = design.T @ (weight[..., None] * design)
    coefficients = np.linalg.solve(information, design.T @ (weight * estimates.values)[..., None])
    rest = estimates.values - (design @ coefficients)[..., 0]
    return 0.5 * (np.log(weight).sum(axis=-1) - np.linalg.slogdet(information)[1] - (weight * rest**2).sum(axis=-1))


ESTIMATORS: Mapping[str, Callable[[Estimates], float]] = {
    "dl": lambda estimates: float(dersimonian_laird(estimates.values, estimates.variances)),
    "reml": tau2_reml,
    "pm": lambda estimates: float(tau2_where_squares_are(len(estimates) - 1.0, estimates))}
"""Estimators of tau^2 for two or more studies: DerSimonian-Laird, restricted maximum likelihood, Paule-Mandel."""


@lru_cache(maxsize=4)
def fit(estimates: Estimates, *, estimator: str) -> Pooled:
    """The random-effects mean with one of `ESTIMATORS`; tau^2 is zero by definition where there is one study."""
    return pooled(estimates, tau2=ESTIMATORS[estimator](estimates) if len(estimates) > 1 else 0.0)


def wald(mean: Pooled, *, level: float) -> Limits:
    """Mean plus and minus a normal quantile of standard errors."""
    half = float(stats.norm.ppf(0.5 + level / 2.0)) * mean.se
    return Limits(mean.mean, mean.mean - half, mean.mean + half, mean.tau, ONE_STUDY if mean.k == 1 else "")


def hartung_knapp(mean: Pooled, *, level: float) -> Limits:
    """Mean plus and minus a t quantile (k - 1 degrees of freedom) of Hartung and Knapp's standard errors.

    One study has no such interval: its limits are NaN.
    """
    if mean.k == 1:
        return Limits(mean.mean, math.nan, math.nan, math.nan, "one study: no Hartung-Knapp interval")
    half = float(stats.t.ppf(0.5 + level / 2.0, mean.k - 1)) * mean.se_knapp
    narrower = half < float(stats.norm.ppf(0.5 + level / 2.0)) * mean.se
    note = NO_WIDTH if half <= _ROUNDING * abs(mean.mean) else NARROWER if narrower else ""
    return Limits(mean.mean, mean.mean - half, mean.mean + half, mean.tau, note)


def exact_interval(estimates: Estimates, *, level: float, seed: int, draws: int = DRAWS, grid: int = GRID) -> Limits:
    """Mean (DerSimonian and Laird's) with its exact limits; for one study its normal interval.

    Parameters
    ----------
    estimates : Estimates
    level : float
    seed : int
        Of the simulated null law; the same seed gives the same limits.
    draws : int
        Simulated data sets for each tau^2; fewer where there are very many studies.
    grid : int
        Values of tau^2.
    """
    centre, k = fit(estimates, estimator="dl"), len(estimates)
    if k == 1:
        return wald(centre, level=level)
    low, high = tau2_range(estimates, level=TAU_LEVEL)
    count = min(draws, max(_FEWEST_DRAWS, _ELEMENTS // k))
    normal = np.random.default_rng(seed).standard_normal((count, k))
    ends = np.array([accepted(estimates, centre, tau2=tau2,
                              cut=critical_value(estimates, normal, tau2=tau2, level=level))
                     for tau2 in _grid(estimates, low, high, grid)])
    return Limits(centre.mean, min(centre.mean, float(np.nanmin(ends[:, 0], initial=math.inf))),
                  max(centre.mean, float(np.nanmax(ends[:, 1], initial=-math.inf))), centre.tau,
                  TOO_EVEN if high == 0.0 else "")


def weight_of_likelihood(k: int) -> float:
    """The constant c of the exact statistic by the number of studies, as published."""
    return 1.2 if k < 6 else 0.6 if k < 10 else 0.2 if k <= 20 else 0.0


def tau2_range(estimates: Estimates, *, level: float) -> np.ndarray:
    """Confidence limits of tau^2 from the weighted sum of squares, chi-square with k - 1 degrees of freedom.

    Both are zero where the estimates vary less than any tau^2 explains at this level.
    """
    squares = stats.chi2.ppf([0.5 + level / 2.0, 0.5 - level / 2.0], len(estimates) - 1)
    return tau2_where_squares_are(squares, estimates)


def critical_value(estimates: Estimates, normal: np.ndarray, *, tau2: float, level: float) -> float:
    """Quantile at `level` of the statistic under (0, tau^2).

    Parameters
    ----------
    normal : array, shape (s, k)
        Standard normal draws, the same for every tau^2.
    """
    v = estimates.variances
    total, c = v + tau2, weight_of_likelihood(len(v))
    y = normal * np.sqrt(total)
    weight = 1.0 / (v + dersimonian_laird(y, v)[:, None])
    sum_weight = weight.sum(axis=1)
    mean = (weight * y).sum(axis=1) / sum_weight
    statistic = mean**2 * sum_weight
    if c > 0.0:
        at_estimate = (np.log(weight) - weight * (y - mean[:, None]) ** 2).sum(axis=1)
        at_null = -np.log(total).sum() - (normal**2).sum(axis=1)
        statistic = statistic + 0.5 * c * (at_estimate - at_null)
    return float(np.quantile(statistic, level))


def accepted(estimates: Estimates, centre: Pooled, *, tau2: float, cut: float) -> tuple[float, float]:
    """Limits of the means whose statistic is at most `cut` given tau^2, from a quadratic; NaN where there are none.

    `centre` holds DerSimonian and Laird's estimates.
    """
    y, v = estimates.values, estimates.variances
    c = weight_of_likelihood(len(y))
    weight, weight_dl = 1.0 / (v + tau2), 1.0 / (v + centre.tau2)
    at_estimate = 0.5 * (np.log(weight_dl).sum() - weight_dl @ (y - centre.mean) ** 2)
    # About the mean given tau^2, -l(m, tau^2) is a constant plus half the sum of weights times a square.
    mean = pooled(estimates, tau2=tau2).mean
    at_null = 0.5 * (np.log(weight).sum() - weight @ (y - mean) ** 2)
    a, b = weight_dl.sum(), 0.5 * c * weight.sum()
    middle = (a * centre.mean + b * mean) / (a + b)
    least = a * (centre.mean - middle) ** 2 + b * (mean - middle) ** 2 + c * (at_estimate - at_null)
    if least > cut:
        return math.nan, math.nan
    half = math.sqrt((cut - least) / (a + b))
    return middle - half, middle + half


def _grid(estimates: Estimates, low: float, high: float, size: int) -> np.ndarray:
    """Values of tau^2 from low to high, dense where they are small against the variances."""
    scale = float(np.median(estimates.variances))
    return scale * np.expm1(np.linspace(math.log1p(low / scale), math.log1p(high / scale), size if high > low else 1))
