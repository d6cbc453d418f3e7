"""Distributions of estimands over a posterior grid: moments as sums, quantiles by inverting a distribution function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import elementwise

from analysis.inference.grid import FINER, Grid, Slices, refined
from analysis.inference.weighted import mean_and_sd

POINTS = 4096
WORST_ERROR = 0.5 / POINTS
"""Bound of the error of a probability of a difference; of smooth posteriors it is thousands of times smaller."""

_FINER_MIXTURE = 16
_FINER_SLICE = 4  # many slices lie between one another
_FINER_SHARED = 256  # a jump lies within one cell
_SMALLEST = 1e-13
_NARROWEST = 1e-12
_NARROWEST_OF_ZEROS = 1e-280  # where all values are 0, as logs of rates that round to 1 are; its inverse is a number
_ROOT_ERROR = 1e-8  # of a probability
_EDGES = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])  # standard deviations from the mean, between which a root is sought


@dataclass(frozen=True)
class Distribution:
    """A posterior distribution of one number.

    Parameters
    ----------
    mean, sd : float
    cdf : callable
        Probability of at most x, for x of any shape.
    quantile : callable
        Of a probability, for any shape.
    """

    mean: float
    sd: float
    cdf: Callable[[np.ndarray | float], np.ndarray]
    quantile: Callable[[np.ndarray | float], np.ndarray]


@dataclass(frozen=True)
class Difference:
    """X - Y: mean and standard deviation, quantiles, and the probability that it is positive."""

    mean: float
    sd: float
    quantiles: np.ndarray
    positive: float


def distribution(grid: Grid | Slices, values: np.ndarray) -> Distribution:
    """The posterior distribution of a function of the hyperparameters.

    Along the axis on which the function varies most the weights are interpolated by quintic splines and the values by
    monotone cubic ones; within a fine cell the mass is spread evenly between the values at its ends. The distribution
    function is then piecewise linear and known exactly.

    Parameters
    ----------
    grid : Grid
    values : array, shape (V, U) or (V * U,)
        The function at the points of the grid; of slices one after the other.
    """
    weights = grid.weights
    values = _finite(np.asarray(values, dtype=float).reshape(weights.shape), weights)
    mean, sd = mean_and_sd(values.ravel(), weights.ravel())
    # Quantiles pass through any increasing function, and heavy tails span many powers of ten.
    to, back = (_log, np.exp) if values.min() > 0.0 else (np.asarray, np.asarray)
    parts = np.split(to(values).ravel(), np.cumsum([part.weights.size for part in grid.grids])[:-1])
    if len(parts) > 1 and all(np.ptp(part) == 0.0 for part in parts):  # what all studies share has one value in each
        cells, shares = [_cells(grid.shares[:, None], np.array([[part[0]] for part in parts]))], np.ones(1)
    else:
        finer = FINER if len(parts) == 1 else _FINER_SLICE
        cells = [_cells(part.weights, table.reshape(part.weights.shape), finer)
                 for part, table in zip(grid.grids, parts, strict=True)]
        shares = grid.shares
    left, right = (np.concatenate([cell[end] for cell in cells]) for end in (0, 1))
    mass = np.concatenate([share * cell[2] / cell[2].sum() for cell, share in zip(cells, shares, strict=True)])
    x, f = _piecewise_linear(np.minimum(left, right), np.maximum(left, right), mass)

    def cdf(at: np.ndarray | float) -> np.ndarray:
        return np.interp(to(at), x, f, left=0.0, right=1.0)

    lowest, highest = values.min(), values.max()
    return Distribution(mean, sd, cdf, lambda p: np.clip(back(np.interp(p, f, x)), lowest, highest))


def shared_cells(grid: Slices, name: str) -> tuple[tuple[Grid, ...], np.ndarray, np.ndarray]:
    """The slices that matter; values of what all studies share in fine cells between them, and the mass of each.

    The log of a density is smoother than the density, and keeps its tails.
    """
    kept = [at for at, share in enumerate(grid.shares) if share > _SMALLEST]
    parts = tuple(grid.grids[at] for at in kept)
    values = _between(np.array([part.values[name].ravel()[0] for part in parts]))
    mass = np.exp(_between(np.log(grid.shares[kept])))
    return parts, values, mass / mass.sum()


def between_slices(laws: Sequence[Distribution], at: np.ndarray) -> np.ndarray:
    """Probability of at most each of these values, shape (c,), one for each of the cells of `shared_cells`.

    Between two slices both distributions count, moved and stretched to where the mean and the standard deviation are.
    """
    place = (np.arange(len(at)) + 0.5) / _FINER_SHARED
    mean, sd = (_between(np.array([getattr(law, name) for law in laws])) for name in ("mean", "sd"))
    below = np.zeros(len(at))
    for number, law in enumerate(laws):
        near = np.abs(place - number) < 1.0
        share = 1.0 - np.abs(place[near] - number)
        below[near] += share * law.cdf(law.mean + law.sd * (at[near] - mean[near]) / sd[near])
    return below


def _between(values: np.ndarray) -> np.ndarray:
    """A function of the slices in the fine cells between them."""
    fine = refined(values[:, None], 0, _FINER_SHARED).ravel()
    return (fine[1:] + fine[:-1]) / 2.0


def _cells(weights: np.ndarray, values: np.ndarray, finer: int = FINER) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values at both ends of fine cells and their mass, along the axis on which the values vary most where mass is."""
    change = [np.abs(np.diff(values, axis=axis)) * (np.delete(weights, 0, axis) + np.delete(weights, -1, axis))
              for axis in (0, 1)]
    axis = int(np.sum(change[1]) > np.sum(change[0]))
    fine = _refined_values(values, axis, finer)
    left, right = (np.delete(fine, at, axis).ravel() for at in (-1, 0))
    return left, right, np.maximum(np.diff(refined(weights, axis, finer, integrated=True), axis=axis).ravel(), 0.0)


def mixture(grid: Grid | Slices, cdf: Callable[[dict[str, np.ndarray], float], np.ndarray], spread: np.ndarray, *,
            mean: float, sd: float, low: float, high: float) -> Distribution:
    """The distribution of an effect whose distribution function is known at each value of the hyperparameters.

    Parameters
    ----------
    cdf : callable
        (hyperparameters of shape (g,), x) -> probability of at most x, shape (g,).
    spread : array, shape (V * U,)
        About the standard deviation of the effect at each point, on the unconstrained scale of the location. Where it
        is less than the distance of the points, the location is interpolated.
    mean, sd : float
        Of the effect, found by other means.
    low, high : float
        Bounds of x, between which the quantiles are sought.
    """
    values, weights = mixture_points(grid, spread, every=2 if len(grid.grids) == 1 else 1, finer=_FINER_MIXTURE)
    start = float(np.clip(mean, low, high)) if np.isfinite(mean) else 0.5 * (low + high)
    unit = sd if np.isfinite(sd) and sd > 0 else 0.1 * (high - low)
    edges = np.array([low, *np.clip(start + unit * _EDGES, low, high), high])

    @cache
    def probability_at(x: float) -> float:
        return float(weights @ cdf(values, x))

    def probability(x: np.ndarray | float) -> np.ndarray:
        return np.reshape([probability_at(value) for value in np.ravel(x).tolist()], np.shape(x))

    def quantile(p: np.ndarray | float) -> np.ndarray:
        place = np.searchsorted(np.maximum.accumulate(probability(edges[1:-1])), p)
        return quantiles(probability, p, edges[place], edges[place + 1], error=_ROOT_ERROR)

    return Distribution(mean, sd, probability, quantile)


def difference(first: Distribution, second: Distribution, *, at: np.ndarray) -> Difference:
    """The difference of two independent quantities, X - Y, from their exact distributions.

        P(X - Y <= d) = integral over u in (0, 1) of F_X(d + Q_Y(u))

    by the midpoint rule in u. The integrand is increasing and between 0 and 1, so that the rule is never off by more
    than 1/(2 m) with m points, and by a multiple of 1/m^2 where it is smooth.

    Parameters
    ----------
    first, second : Distribution
        Of X and Y.
    at : array, shape (q,)
        Probabilities of the wanted quantiles.
    """
    u = (np.arange(POINTS) + 0.5) / POINTS
    x, y = np.asarray(first.quantile(u)), np.asarray(second.quantile(u))

    def cdf(d: np.ndarray) -> np.ndarray:
        return np.mean(first.cdf(d[..., None] + y), axis=-1)

    return Difference(first.mean - second.mean, float(np.hypot(first.sd, second.sd)),
                      quantiles(cdf, at, x[0] - y[-1], x[-1] - y[0]), 1.0 - float(cdf(np.zeros(()))))


def quantiles(cdf: Callable[..., np.ndarray], p: np.ndarray | float, low: np.ndarray | float, high: np.ndarray | float,
              *arguments: np.ndarray, error: float = 1e-14) -> np.ndarray:
    """Where a distribution function reaches each probability between two bounds; the nearer bound where it does not.

    Parameters
    ----------
    cdf : callable
        (x, *arguments) -> probability of at most x, element by element.
    p, low, high, arguments : array, broadcastable
    error : float
        Of the probability, at which the search ends.
    """
    p, low, high, *arguments = np.broadcast_arrays(p, low, high, *arguments)
    root = elementwise.find_root(lambda x, p, *rest: cdf(x, *rest) - p, (low, high), args=(p, *arguments),
                                 tolerances={"fatol": error, "xatol": 1e-13, "xrtol": 1e-14})
    return np.where(root.success, root.x, np.where(root.f_bracket[0] > 0.0, low, high))


def _log(values: np.ndarray | float) -> np.ndarray:
    """Logarithm; minus infinity for all that is not positive."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(values, 0.0))


def _finite(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The values, kept within their range over the points that matter."""
    inside = values[(weights > _SMALLEST) & np.isfinite(values)]
    return np.clip(np.nan_to_num(values, nan=inside[0]), inside.min(), inside.max())


def _refined_values(table: np.ndarray, axis: int, finer: int) -> np.ndarray:
    size = table.shape[axis]
    # Between values that hardly differ the reciprocal of a slope overflows, and the slope there is 0 as it should be.
    with np.errstate(over="ignore"):
        curve = PchipInterpolator(np.arange(size), table, axis=axis)
    return curve(np.linspace(0.0, size - 1.0, finer * (size - 1) + 1))


def _piecewise_linear(low: np.ndarray, high: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distribution function of a mixture of uniform distributions, as its corners."""
    kept = mass > _SMALLEST
    low, high, mass = low[kept], high[kept], mass[kept]
    least = max(_NARROWEST * float(np.abs(high).max()), _NARROWEST_OF_ZEROS)
    high = np.maximum(high, low + least)
    x = np.concatenate([low, high])
    slope = mass / (high - low)
    order = np.argsort(x, kind="stable")
    x, change = x[order], np.concatenate([slope, -slope])[order]
    f = np.concatenate([[0.0], np.cumsum(np.cumsum(change)[:-1] * np.diff(x))])
    return x, np.maximum.accumulate(f / f[-1])


def mixture_points(grid: Grid | Slices, spread: np.ndarray, *, every: int,
                   finer: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Hyperparameters and their weights, shape (g,) each, over which a study's effect may be averaged.

    Parameters
    ----------
    spread : array, shape (V * U,)
        About the standard deviation of the effect at each point, on the unconstrained scale of the location.
    every : int
        Of so many points of each axis one is taken.
    finer : int
        Locations for each of those that are left, where they are farther apart than the effect is wide.
    """
    parts = np.split(np.ravel(spread), np.cumsum([part.weights.size for part in grid.grids])[:-1])
    points = [_points_for_mixture(part, table.reshape(part.weights.shape), every, finer)
              for part, table in zip(grid.grids, parts, strict=True)]
    values = {name: np.concatenate([of[name] for of, _ in points]) for name in points[0][0]}
    return values, np.concatenate([share * mass for (_, mass), share in zip(points, grid.shares, strict=True)])


def _points_for_mixture(grid: Grid, spread: np.ndarray, every: int,
                        finer: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Points and weights: as they are where the effect is wide, with interpolated locations where it is narrow.

    Of a single grid every other point is enough: when it was last halved, nothing moved by more than `error` to the
    power 2/3. Slices are coarser.
    """
    tables = (grid.location, grid.heterogeneity, grid.weights)
    location, heterogeneity, weights = (table[::every, ::every] for table in tables)
    gaps = np.gradient(location, axis=1)
    row_mass = weights.sum(axis=1)
    # A sum of smooth bumps no narrower than their distance is smooth to exp(-2 pi^2).
    wide = ((spread[::every, ::every] >= gaps) | (weights < 1e-9 * row_mass[:, None])).all(axis=1)
    parts = [(location[wide], heterogeneity[wide], weights[wide])]
    if not wide.all():
        narrow = location[~wide], heterogeneity[~wide], weights[~wide]
        location, heterogeneity, weights = (refined(table, 1, finer) for table in narrow)
        parts.append((location, heterogeneity, np.maximum(weights, 0.0) / finer))
    location, heterogeneity, weights = (np.concatenate([part[at].ravel() for part in parts]) for at in range(3))
    kept = weights > 1e-10 * weights.max()
    weights = weights[kept]
    return grid.density.natural(location[kept], heterogeneity[kept]), weights / weights.sum()
