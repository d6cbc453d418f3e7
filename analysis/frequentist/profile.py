"""Maximum of a likelihood with one location and one spread, and profile-likelihood limits of the location.

For every location the likelihood is maximised over the whole range of the spread, zero included; the limits are the
locations at which this profile has fallen from its maximum by half a chi-square quantile with one degree of freedom.
A likelihood that still rises at plus or minus infinity has its estimate there (every patient, or none, has the event).

References
----------
Venzon DJ, Moolgavkar SH. Appl Stat 1988;37:87, doi 10.2307/2347496.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

_ROUNDS = 7
_PROFILE_ROUNDS = 4
_POINTS = 13
_CLOSE = 1e-5
_FARTHEST = 700.0  # logit of the smallest probability that is a number
_NEAR = 0.2

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Log likelihood of locations and spreads of one shape (...,), of shape (...,)."""


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is largest, and how large it is.

    Parameters
    ----------
    location : float
        Minus or plus infinity where the likelihood rises towards it.
    spread : float
    log_likelihood : float
    """

    location: float
    spread: float
    log_likelihood: float


def best_spread(surface: Surface, location: float, spreads: np.ndarray) -> tuple[float, float]:
    """The spread that maximises the likelihood at a location, and the log likelihood there.

    The best point of the grid is refined between its neighbours until they differ by 1e-5 of themselves.
    """
    grid, values, best = _zoomed(surface, location, spreads, rounds=_ROUNDS)
    return float(grid[best]), float(values[best])


def profile(surface: Surface, location: float, spreads: np.ndarray) -> float:
    """Log likelihood at a location, maximised over the spread.

    A few refinements, and the top of the parabola through the last three points, whose error is of third order in
    their distance, at half the cost of refining on.
    """
    grid, values, best = _zoomed(surface, location, spreads, rounds=_PROFILE_ROUNDS)
    if 0 < best < len(grid) - 1:
        return _top(grid[best - 1:best + 2], values[best - 1:best + 2])
    return float(values[best])


def _zoomed(surface: Surface, location: float, spreads: np.ndarray, *,
            rounds: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The last of ever finer grids around the best spread, the log likelihoods on it, and the place of the best."""
    grid = spreads
    for remaining in reversed(range(rounds)):
        values = surface(np.full(grid.shape, location), grid)
        best = int(np.argmax(values))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        if high - low <= _CLOSE * high or not remaining:
            break
        # A grid that keeps the best point never loses likelihood. It takes the place of the nearest one: two points
        # at no distance would have no slope.
        grid, kept = np.linspace(low, high, _POINTS), grid[best]
        grid[np.argmin(np.abs(grid - kept))] = kept
    return grid, values, best


def _top(x: np.ndarray, y: np.ndarray) -> float:
    """Highest value of the parabola through three points of which the middle one is the highest."""
    left, right = x[1] - x[0], x[2] - x[1]
    rise, fall = (y[1] - y[0]) / left, (y[1] - y[2]) / right
    curvature = (rise + fall) / (left + right)
    if not curvature > 0.0:
        return float(y[1])
    slope = (rise * right - fall * left) / (left + right)
    return float(y[1] + slope**2 / (4.0 * curvature))


def maximum(surface: Surface, spreads: np.ndarray, *, start: float, edge: int = 0) -> Maximum:
    """The largest likelihood over locations and spreads.

    Parameters
    ----------
    surface : callable
    spreads : array, shape (s,)
        Grid of the whole range.
    start : float
        A location near the maximum.
    edge : {-1, 0, 1}
        Where no patient (-1) or every patient (1) has the event, the likelihood rises to 1 at that infinity.
    """
    if edge:
        return Maximum(edge * math.inf, 0.0, 0.0)
    found = optimize.minimize_scalar(lambda location: -profile(surface, location, spreads), method="brent",
                                     bracket=(start - _NEAR, start + _NEAR), options={"xtol": 1e-8})
    spread, value = best_spread(surface, float(found.x), spreads)
    return Maximum(float(found.x), spread, value)


def profile_limits(surface: Surface, spreads: np.ndarray, best: Maximum, *, start: float,
                   level: float) -> tuple[float, float]:
    """Lower and upper profile-likelihood limit of the location; infinite where the profile never falls so far."""
    target = best.log_likelihood - float(stats.chi2.ppf(level, 1)) / 2.0

    def excess(location: float) -> float:
        return profile(surface, location, spreads) - target

    inside = best.location if math.isfinite(best.location) else start
    # With all patients alike the start may lie outside the interval; it is left towards the estimate.
    while math.isinf(best.location) and excess(inside) <= 0.0:
        inside += math.copysign(1.0, best.location)
    return tuple(side * math.inf if best.location == side * math.inf else _crossing(excess, inside, side)
                 for side in (-1, 1))


def _crossing(excess: Callable[[float], float], inside: float, side: int) -> float:
    near, step = inside, _NEAR
    while abs(near) < _FARTHEST:
        far = near + side * step
        if excess(far) < 0.0:
            return float(optimize.brentq(excess, near, far, xtol=1e-8, rtol=1e-10))
        near, step = far, 2.0 * step
    return side * math.inf
