"""Are values uniform? Their empirical distribution function against simultaneous bands, without simulation.

At each of the points z_j = j/K the number of n uniform values up to z_j is binomial. The test statistic is the
smallest two-sided binomial tail over all points, and the bands are the pointwise binomial intervals of the level at
which all points together are inside with the wanted probability. That probability is exact: given their number,
uniform values are the points of a Poisson process, whose counts make a Markov chain with the same step everywhere.

References
----------
Säilynoja T, Bürkner PC, Vehtari A. Stat Comput 2022;32:32, doi 10.1007/s11222-022-10090-6 (bands and statistic).
Moscovich A, Nadler B. Stat Probab Lett 2017;123:177, doi 10.1016/j.spl.2016.11.027 (the Poisson process).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special, stats
from scipy.optimize import elementwise

_MOST_POINTS = 1000
_SAME = 1e-9  # tail probabilities that differ by less are one
_STEP_ERROR = 3e-8
_FARTHEST = 12.0  # standard deviations of a Poisson step; what is beyond has a probability below 1e-20


@dataclass(frozen=True)
class Bands:
    """Simultaneous bands of the empirical distribution function, shape (m,) each."""

    points: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def points_for(size: int) -> np.ndarray:
    """Where the distribution function of `size` values is looked at: j/K, with K at most 1000."""
    count = min(size, _MOST_POINTS)
    return np.arange(1, count) / count


def ecdf(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Share of values up to each point."""
    return np.searchsorted(np.sort(values), points, side="right") / len(values)


def uniformity(values: np.ndarray) -> tuple[float, float]:
    """Test whether independent values between 0 and 1, shape (n,) with n at least 2, are uniform.

    Returns
    -------
    p_value : float
        Probability that the most extreme point of uniform values is at least as extreme; exact to 1e-12.
    max_deviation : float
        Largest distance of the empirical distribution function from the uniform one, at the points.
    """
    size, points = len(values), points_for(len(values))
    share = ecdf(values, points)
    counts = np.rint(share * size)
    tails = np.minimum(stats.binom.cdf(counts, size, points), stats.binom.sf(counts - 1, size, points))
    inside = inside_probability(size, *_limits(size, float(tails.min())))
    return max(0.0, 1.0 - inside), float(np.abs(share - points).max())


@lru_cache(maxsize=16)
def bands(size: int, level: float) -> Bands:
    """The narrowest bands of this kind that hold all of the function with at least the probability `level`."""
    def excess(log_tail: np.ndarray) -> np.ndarray:
        return np.array([inside_probability(size, *_limits(size, tail)) for tail in np.exp(log_tail)]) - level

    # The probability falls in steps; below one it is still high enough.
    step = elementwise.find_root(excess, (np.log([1e-15]), np.log([0.5])), tolerances={"xatol": _STEP_ERROR})
    lower, upper = _limits(size, float(np.exp(step.bracket[0][0])))
    return Bands(points_for(size), lower / size, upper / size)


def inside_probability(size: int, lower: np.ndarray, upper: np.ndarray) -> float:
    """Probability that the counts of `size` uniform values are within the limits at every point.

    Parameters
    ----------
    size : int
    lower, upper : int array, shape (K - 1,)
        Least and greatest count at each point j/K.
    """
    steps = len(lower) + 1
    rate = size / steps
    jumps = np.arange(int(rate + _FARTHEST * np.sqrt(rate) + 30.0) + 1)
    kernel = stats.poisson.pmf(jumps, rate)
    state, start, log_scale = np.ones(1), 0, 0.0
    for low, high in zip(lower, upper, strict=True):
        moved = np.convolve(state, kernel)
        first = max(start, int(low))
        state, start = moved[first - start:int(high) - start + 1], first
        total = state.sum()
        if total <= 0.0:
            return 0.0
        state, log_scale = state / total, log_scale + np.log(total)
    last = state @ stats.poisson.pmf(size - start - np.arange(len(state)), rate)
    log_total = size * np.log(size) - size - special.gammaln(size + 1.0)
    return float(last * np.exp(log_scale - log_total))


def _limits(size: int, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest count whose one-sided probability is greater than `tail`, at each point."""
    points = points_for(size)
    lower = stats.binom.ppf(tail, size, points)
    lower += stats.binom.cdf(lower, size, points) <= tail * (1.0 + _SAME)
    upper = stats.binom.isf(tail, size, points)
    upper -= stats.binom.sf(upper - 1, size, points) <= tail * (1.0 + _SAME)
    return lower.astype(int), upper.astype(int)
