"""Exact interval for the mean of a normal-normal random-effects model, valid for any number of studies above one.

    y_i ~ Normal(m, v_i + tau^2)

A test of (m, tau^2) is inverted and projected onto m. Its statistic is

    T = (m_DL - m)^2 sum_i 1/(v_i + tau_DL^2) + c (l(m_DL, tau_DL^2) - l(m, tau^2)),

with DerSimonian and Laird's estimates and the normal log likelihood l. The law of T does not depend on m, so it is
simulated at m = 0, on a grid of tau^2; given tau^2, T is a quadratic in m and the accepted m are an interval. The
grid covers a 99.5 % confidence interval of tau^2 (from the law of the weighted sum of squares), as published: the
error this adds, at most 0.5 %, is not taken off the level.

References
----------
Michael H, Thornton S, Xie M, Tian L. Biometrics 2019;75:485, doi 10.1111/biom.12998.
Viechtbauer W. Stat Med 2007;26:37, doi 10.1002/sim.2514 (the interval of tau^2).
"""

import math

import numpy as np
from scipy import optimize, stats

from analysis.frequentist.estimates import Estimates
from analysis.frequentist.interval import Limits
from analysis.frequentist.normal_normal import Pooled, fit, pooled, wald

TAU_LEVEL = 0.995
DRAWS = 12_000
GRID = 40
_ELEMENTS = 4_000_000  # of one array: thousands of studies take fewer draws instead of all memory
_FEWEST_DRAWS = 1_000
TOO_EVEN = "the estimates vary less than sampling explains: tau = 0 only"


def exact_interval(estimates: Estimates, *, level: float, seed: int, draws: int = DRAWS) -> Limits:
    """Mean (DerSimonian and Laird's) with its exact limits; for one study its normal interval.

    Parameters
    ----------
    estimates : Estimates
    level : float
    seed : int
        Of the simulated null law; the same seed gives the same limits.
    draws : int
        Simulated data sets for each tau^2; fewer where there are very many studies.
    """
    found = fit(estimates, estimator="dl")
    if len(estimates) == 1:
        return wald(found, level=level)
    low, high = tau2_range(estimates, level=TAU_LEVEL)
    count = min(draws, max(_FEWEST_DRAWS, _ELEMENTS // len(estimates)))
    normal = np.random.default_rng(seed).standard_normal((count, len(estimates)))
    ends = np.array([accepted(estimates, found, tau2=tau2,
                              cut=critical_value(estimates, normal, tau2=tau2, level=level))
                     for tau2 in _grid(estimates, low, high)])
    return Limits(found.mean, min(found.mean, float(np.nanmin(ends[:, 0], initial=math.inf))),
                  max(found.mean, float(np.nanmax(ends[:, 1], initial=-math.inf))), math.sqrt(found.tau2),
                  TOO_EVEN if high == 0.0 else "")


def weight_of_likelihood(k: int) -> float:
    """The constant c of the statistic by the number of studies, as published."""
    return 1.2 if k < 6 else 0.6 if k < 10 else 0.2 if k <= 20 else 0.0


def tau2_range(estimates: Estimates, *, level: float) -> tuple[float, float]:
    """Confidence interval of tau^2 from the weighted sum of squares, chi-square with k - 1 degrees of freedom.

    Both ends are zero where the estimates vary less than any tau^2 explains at this level.
    """
    df = len(estimates) - 1
    return tuple(_root_of_squares(estimates, float(stats.chi2.ppf(probability, df)))
                 for probability in (0.5 + level / 2.0, 0.5 - level / 2.0))


def critical_value(estimates: Estimates, normal: np.ndarray, *, tau2: float, level: float) -> float:
    """Quantile at `level` of the statistic under (0, tau^2).

    Parameters
    ----------
    normal : array, shape (s, k)
        Standard normal draws, the same for every tau^2.
    """
    v = estimates.variances
    total = v + tau2
    y = normal * np.sqrt(total)
    mean, tau2_dl = _dersimonian_laird(y, v)
    weight = 1.0 / (v + tau2_dl[:, None])
    sum_weight = weight.sum(axis=1)
    mean = (weight * y).sum(axis=1) / sum_weight
    statistic = mean**2 * sum_weight
    c = weight_of_likelihood(len(v))
    if c > 0.0:
        at_estimate = (np.log(weight) - weight * (y - mean[:, None]) ** 2).sum(axis=1)
        at_null = -np.log(total).sum() - (normal**2).sum(axis=1)
        statistic = statistic + 0.5 * c * (at_estimate - at_null)
    return float(np.quantile(statistic, level))


def accepted(estimates: Estimates, found: Pooled, *, tau2: float, cut: float) -> tuple[float, float]:
    """Limits of the means whose statistic is at most `cut` given tau^2, from a quadratic; NaN where there are none.

    `found` holds DerSimonian and Laird's estimates.
    """
    y, v = estimates.values, estimates.variances
    c = weight_of_likelihood(len(y))
    weight, weight_dl = 1.0 / (v + tau2), 1.0 / (v + found.tau2)
    at_estimate = 0.5 * (np.log(weight_dl).sum() - weight_dl @ (y - found.mean) ** 2)
    # About the mean given tau^2, -l(m, tau^2) is a constant plus half the sum of weights times a square.
    here = pooled(estimates, tau2=tau2)
    at_null = 0.5 * (np.log(weight).sum() - weight @ (y - here.mean) ** 2)
    a, b = weight_dl.sum(), 0.5 * c * weight.sum()
    centre = (a * found.mean + b * here.mean) / (a + b)
    least = a * (found.mean - centre) ** 2 + b * (here.mean - centre) ** 2 + c * (at_estimate - at_null)
    if least > cut:
        return math.nan, math.nan
    half = math.sqrt((cut - least) / (a + b))
    return centre - half, centre + half


def _dersimonian_laird(y: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Common-effect mean and DerSimonian-Laird tau^2 of each simulated data set, shape (s,) each."""
    weight = 1.0 / v
    total = weight.sum()
    mean = y @ weight / total
    squares = (y - mean[:, None]) ** 2 @ weight
    return mean, np.maximum(0.0, (squares - (len(v) - 1)) / (total - (weight**2).sum() / total))


def _grid(estimates: Estimates, low: float, high: float) -> np.ndarray:
    """Values of tau^2 from low to high, dense where they are small against the variances."""
    scale = float(np.median(estimates.variances))
    return scale * np.expm1(np.linspace(math.log1p(low / scale), math.log1p(high / scale), GRID if high > low else 1))


def _root_of_squares(estimates: Estimates, target: float) -> float:
    """tau^2 at which the weighted sum of squares falls to `target`; zero where it starts below."""
    def excess(tau2: float) -> float:
        weight = 1.0 / (estimates.variances + tau2)
        return float(weight @ (estimates.values - weight @ estimates.values / weight.sum()) ** 2) - target

    if excess(0.0) <= 0.0:
        return 0.0
    # Unweighted squares over tau^2 bound the weighted sum from above.
    bound = float(np.sum((estimates.values - estimates.values.mean()) ** 2)) / target
    return float(optimize.brentq(excess, 0.0, 1.01 * bound, rtol=1e-10))
