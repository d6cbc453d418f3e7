"""A posterior of two hyperparameters on a grid, location u against log heterogeneity v, and summaries of it.

The range of v is found by zooming to where the density is within e^-20 of its peak. For each v the range of u is its
own, since with large homogeneous studies the conditional width of u changes a thousandfold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import interpolate, optimize, special

_DEPTH = 20.0
_PROBABILITIES = (0.025, 0.5, 0.975)
_FINE = 10  # steps into which one between two points is divided for quantiles

Density = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Grid:
    """Points of a posterior with their probabilities, and the log evidence of the data.

    Parameters
    ----------
    u, weight : array, shape (b, a)
        Values of u of each row increase.
    v : array, shape (b, 1)
    """

    u: np.ndarray
    v: np.ndarray
    weight: np.ndarray
    log_evidence: float

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """u, v and weight of the points that carry all but 1e-5 of the mass, flat."""
        kept = self.weight > 1e-8 * self.weight.max()
        weight = self.weight[kept]
        return self.u[kept], np.broadcast_to(self.v, self.u.shape)[kept], weight / weight.sum()


@dataclass(frozen=True)
class Reference:
    """Mean, standard deviation and 2.5, 50 and 97.5 % quantiles of one quantity."""

    mean: float
    sd: float
    lower: float
    median: float
    upper: float


def integrate(density: Density, *, u_range: tuple[float, float], v_range: tuple[float, float],
              sizes: tuple[int, int] = (101, 161)) -> Grid:
    """The posterior on a grid.

    Parameters
    ----------
    density : callable
        Log of the joint density of u and v (Jacobians included) for u of shape (a, b) and v of shape (a, 1).
    u_range, v_range : tuple of float
        Hold all of the mass.
    sizes : tuple of int
        Points of u for each v, and of v, on the final grid.
    """
    low, high = v_range
    for _ in range(3):
        v = np.linspace(low, high, 25)
        u, values = _along_u(density, v, u_range, 31)
        marginal = special.logsumexp(values, axis=1) + np.log(u[:, 1] - u[:, 0])
        near = np.flatnonzero(marginal > marginal.max() - _DEPTH)
        low, high = v[max(near[0] - 1, 0)], v[min(near[-1] + 1, len(v) - 1)]
    v = np.linspace(low, high, sizes[1])
    u, values = _along_u(density, v, u_range, sizes[0])
    mass = values + np.log(u[:, 1] - u[:, 0])[:, None] + np.log(v[1] - v[0])
    total = float(special.logsumexp(mass))
    return Grid(u, v[:, None], np.exp(mass - total), total)


def _along_u(density: Density, v: np.ndarray, u_range: tuple[float, float], size: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full((len(v), 1), u_range[0]), np.full((len(v), 1), u_range[1])
    share = np.linspace(0.0, 1.0, 41)
    for _ in range(8):
        u = low + (high - low) * share
        values = density(u, v[:, None])
        before = high - low
        near = values > values.max(axis=1, keepdims=True) - _DEPTH
        first, last = near.argmax(axis=1), near.shape[1] - 1 - near[:, ::-1].argmax(axis=1)
        low = np.take_along_axis(u, np.maximum(first - 1, 0)[:, None], 1)
        high = np.take_along_axis(u, np.minimum(last + 1, near.shape[1] - 1)[:, None], 1)
        if np.all(high - low > 0.5 * before):
            break
    u = low + (high - low) * np.linspace(0.0, 1.0, size)
    return u, density(u, v[:, None])


def of_function(values: np.ndarray, grid: Grid) -> Reference:
    """Summary of a function of the hyperparameters from its values at the points or rows of a grid."""
    whole = np.broadcast_to(values, grid.u.shape)
    mean = float(np.sum(grid.weight * whole))
    spread = float(np.sqrt(np.sum(grid.weight * (whole - mean) ** 2)))
    of_v = np.all(whole == whole[:, :1])
    return Reference(mean, spread, *(_quantiles(whole[:, :1].T, grid.weight.sum(axis=1)[None]) if of_v
                                     else _quantiles(whole, grid.weight)))


def _quantiles(values: np.ndarray, weight: np.ndarray) -> list[float]:
    """Quantiles of a quantity whose values and weights are smooth along each row."""
    steps, places = np.arange(values.shape[1]), np.arange(_FINE * (values.shape[1] - 1) + 1) / _FINE
    fine = interpolate.CubicSpline(steps, values, axis=1)(places)
    below = interpolate.CubicSpline(steps, weight, axis=1).antiderivative()(places)
    if np.any(np.diff(values, axis=1) < 0.0) and np.any(np.diff(values, axis=1) > 0.0):
        # Rows overlap at random here, so that a step is a small part of a row.
        middle, mass = 0.5 * (fine[:, 1:] + fine[:, :-1]), np.diff(below, axis=1)
        order = np.argsort(middle, axis=None)
        mass = mass.ravel()[order]
        return np.interp(_PROBABILITIES, (np.cumsum(mass) - 0.5 * mass) / mass.sum(), middle.ravel()[order]).tolist()
    if values[0, -1] < values[0, 0]:
        fine, below = fine[:, ::-1], below[:, -1:] - below[:, ::-1]
    fine, total = np.maximum.accumulate(fine, axis=1), below[:, -1].sum()
    return [optimize.brentq(lambda x, p=p: sum(map(partial(np.interp, x), fine, below)) - p * total,
                            fine.min(), fine.max(), xtol=1e-9, rtol=1e-7) for p in _PROBABILITIES]


def of_mixture(mean: np.ndarray, square: np.ndarray, below: Callable[[float], np.ndarray], weight: np.ndarray,
               bracket: tuple[float, float]) -> Reference:
    """Summary of a quantity with a distribution at each point: mean, mean square, distribution function."""
    first = float(weight @ mean)
    quantiles = [optimize.brentq(lambda x, p=p: float(weight @ below(x)) - p, *bracket, xtol=1e-10, rtol=1e-10)
                 for p in _PROBABILITIES]
    return Reference(first, float(np.sqrt(weight @ square - first**2)), *quantiles)
