"""Places a grid where the posterior of the two hyperparameters is, and refines it until its sums no longer move.

Both coordinates are free of bounds (logit, log or itself) and stretched by a hyperbolic sine: with v the
heterogeneity and u the location,

    v = v0 + s sinh(a),    u = centre(v) + spread(v) sinh(b),

where centre and spread are the ones in whose units the location is sampled. In a and b the density of any of these
models falls at least doubly exponentially, so that the plain trapezoid rule converges exponentially: each halving of
the step about doubles the number of correct digits. No heterogeneity, all successes and heavy-tailed priors are no
special cases: they are exponential tails in v or u.

References
----------
Trefethen LN, Weideman JAC. SIAM Rev 2014;56:385, doi 10.1137/130932132 (the trapezoid rule).
Takahasi H, Mori M. Publ RIMS 1974;9:721, doi 10.2977/prims/1195192451 (double exponential formulas).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import make_interp_spline

from analysis.inference.density import Density, natural, place_of
from analysis.inference.weighted import mean_and_sd

FINER = 16
"""Cells into which a step of the grid is cut, by splines: quantiles are then right to 1e-4 of a standard deviation."""

FIRST_STEP = 0.5
TOLERANCE = 1e-8
_LEVELS = 5
_WIDEST = 38.0  # a tail like that of a Cauchy distribution is negligible at sinh(38)
_NEGLIGIBLE = 36.0  # exp(-36) of the highest density is below rounding
_NEGLIGIBLE_WEIGHT = 1e-8
_SCAN = np.linspace(-25.0, 12.0, 75)
_SCAN_Z = np.sinh(np.linspace(-2.6, 2.6, 11))
_SCAN_LEVEL = 12.0
_ZOOMS = 6
_SHARED_SCAN = np.linspace(-3.5, 3.5, 9)  # widths of the prior of the third hyperparameter
_SHARED_STEPS = (0.2125, 0.10625)  # of its stretched coordinate
_MOST_SLICES, _NEGLIGIBLE_SLICE = 40, 13.0
_SLICE, _WORST_SHARED = 5e-5, 1e-4
_FINER_DRAW = 4
_NEGLIGIBLE_IN_SLICE = 25.0  # exp(-25): far below the error that a slice may have


class QuadratureFailed(RuntimeError):
    """The sums did not settle; no result exists."""


@dataclass(frozen=True)
class Grid:
    """A posterior on a grid of V heterogeneities by U locations.

    Parameters
    ----------
    centre, scale : float
        v0 and s of the unconstrained heterogeneity.
    a, b : array, shape (V,) and (U,)
        Stretched coordinates, evenly spaced by `step`.
    location, heterogeneity : array, shape (V, U)
        Unconstrained values.
    weights : array, shape (V, U)
        Posterior probabilities of the points; they add up to 1.
    log_evidence : float
        Log of the marginal likelihood of the data.
    error : float
        Estimated error of the log evidence, and of means and standard deviations of the stretched coordinates in
        their standard deviations, from the change when the step was last halved.
    """

    density: Density
    centre: float
    scale: float
    a: np.ndarray
    b: np.ndarray
    step: float
    location: np.ndarray
    heterogeneity: np.ndarray
    weights: np.ndarray
    log_evidence: float
    error: float

    @property
    def grids(self) -> tuple["Grid"]:
        """Itself, as the only one of `Slices`."""
        return (self,)

    @property
    def shares(self) -> np.ndarray:
        """One."""
        return np.ones(1)

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Natural values of both hyperparameters, shape (V * U,)."""
        return self.density.natural(self.location.ravel(), self.heterogeneity.ravel())

    def sparse(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Natural values and weights at every second point of each axis, without negligible ones; shape (g,) each.

        The rule of twice the step is right to the square root of the error of the final one.
        """
        weights = self.weights[::2, ::2]
        kept = weights > _NEGLIGIBLE_WEIGHT * weights.max()
        values = self.density.natural(self.location[::2, ::2][kept], self.heterogeneity[::2, ::2][kept])
        return values, weights[kept] / weights[kept].sum()


@dataclass(frozen=True)
class Slices:
    """A posterior of three hyperparameters: a grid of two for each of several values of the third.

    Parameters
    ----------
    grids : tuple of Grid
    shares : array, shape (q,)
        Posterior probability of each; they add up to 1.
    log_evidence, error : float
        As of a Grid.
    """

    grids: tuple[Grid, ...]
    shares: np.ndarray
    log_evidence: float
    error: float

    @property
    def density(self) -> Density:
        """The density at the first value; model, priors and inputs are those of all."""
        return self.grids[0].density

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Natural values of all hyperparameters, slice after slice; shape (g,)."""
        return _joined([grid.values for grid in self.grids])

    @property
    def weights(self) -> np.ndarray:
        """Posterior probabilities of the points, shape (g,)."""
        return np.concatenate([share * grid.weights.ravel()
                               for grid, share in zip(self.grids, self.shares, strict=True)])

    def sparse(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Natural values and weights as of `Grid.sparse`, of the slices that matter."""
        kept = [(grid.sparse(), share) for grid, share in zip(self.grids, self.shares, strict=True)
                if share > _NEGLIGIBLE_WEIGHT]
        return (_joined([values for (values, _), _ in kept]),
                np.concatenate([share * weights for (_, weights), share in kept]))


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def solve(density: Density, *, tolerance: float = TOLERANCE) -> Grid | Slices:
    """The posterior on a grid fine enough that halving the step changes nothing beyond `tolerance`.

    Raises
    ------
    QuadratureFailed
        When the density is nowhere finite, or the sums do not settle.
    """
    if density.shared:
        return _sliced(density, tolerance)
    centre, scale, _ = _place(density)
    return _refined(density, centre, scale, tolerance, _NEGLIGIBLE)


def _refined(density: Density, centre: float, scale: float, tolerance: float, negligible: float) -> Grid:
    """The grid about a place, its step halved until that changes nothing."""
    step, (a, b, log_weights) = FIRST_STEP, _box(density, centre, scale, negligible)
    coarse = _summaries(a, b, log_weights, step)
    for _ in range(_LEVELS):
        step, a, b = step / 2.0, _halved(a), _halved(b)
        location, heterogeneity, log_weights = _evaluate(density, centre, scale, a, b, coarse=log_weights)
        fine = _summaries(a, b, log_weights, step)
        # The error of the finer rule is about the square of the change; the power of 3/2 is on the safe side.
        error = _change(coarse, fine) ** 1.5
        if error <= tolerance:
            weights = np.exp(log_weights - log_weights.max())
            return Grid(density, centre, scale, a, b, step, location, heterogeneity, weights / weights.sum(),
                        float(fine[0]), float(error))
        coarse = fine
    raise QuadratureFailed(f"{density.model.name}: the quadrature did not settle, its error is about {error:.2g}")


def _sliced(density: Density, tolerance: float) -> Slices:
    """Slices at values of the third hyperparameter, evenly spaced in a stretched coordinate like the other two.

    From the middle outwards, until one is negligible on either side. The error is the square of what the sum over
    every second slice is off by, and the step is halved where that is too much.
    """
    name = density.shared
    prior = density.priors[name]

    def at_value(place: float) -> Density:
        return replace(density, fixed={name: float(natural(np.array(place), prior.support))})

    middle, width = place_of(prior)
    scan = middle + width * _SHARED_SCAN
    placed = [_place(at_value(place)) for place in scan]
    log_masses = np.array([log_mass for *_, log_mass in placed]) + prior.log_density(scan)
    centre, spread = centre_and_spread(scan, log_masses)
    spread = max(spread, 0.5 * width)

    def slice_at(at: float) -> tuple[float, Grid]:
        place = centre + spread * np.sinh(at)
        near = placed[int(np.argmin(np.abs(scan - place)))]
        grid = _refined(at_value(place), *near[:2], max(tolerance, _SLICE), _NEGLIGIBLE_IN_SLICE)
        return grid.log_evidence + float(prior.log_density(np.array(place))) + np.log(spread * np.cosh(at)), grid

    slices: dict[float, tuple[float, Grid]] = {}
    for step in _SHARED_STEPS:
        for side in (1.0, -1.0):
            for count in range(_MOST_SLICES):
                at = side * count * step
                if at not in slices:
                    slices[at] = slice_at(at)
                if slices[at][0] < max(value for value, _ in slices.values()) - _NEGLIGIBLE_SLICE:
                    break
        places = np.array(sorted(slices))
        log_masses = np.array([slices[at][0] for at in places])
        top = log_masses.max()
        mass = np.exp(log_masses - top)
        even = np.round(places / step).astype(int) % 2 == 0
        error = (2.0 * mass[even].sum() / mass.sum() - 1.0) ** 2
        error += mass @ [slices[at][1].error for at in places] / mass.sum()
        if error <= max(_WORST_SHARED, 2.0 * tolerance):
            return Slices(tuple(slices[at][1] for at in places), mass / mass.sum(),
                          float(top + np.log(mass.sum() * step)), float(error))
    raise QuadratureFailed(f"{density.model.name}: the quadrature over {name} did not settle, its error is about "
                           f"{error:.2g}")


def _place(density: Density) -> tuple[float, float, float]:
    """Mean and SD of the unconstrained heterogeneity from ever narrower scans; log evidence but for a constant."""
    v = _SCAN
    for _ in range(_ZOOMS):
        marginal = _scanned(density, v)
        top = marginal.max()
        if not np.isfinite(top):
            raise QuadratureFailed(f"{density.model.name}: the posterior density is nowhere finite")
        inside = np.flatnonzero(marginal > top - _SCAN_LEVEL)
        if len(inside) >= 12:
            break
        low, high = max(inside[0] - 1, 0), min(inside[-1] + 1, len(v) - 1)
        v = np.linspace(v[low], v[high], 41)
    return *centre_and_spread(v, marginal), float(top + np.log(np.exp(marginal - top).sum() * (v[1] - v[0])))


def centre_and_spread(places: np.ndarray, log_mass: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation over places of such log masses, which need not add up to anything."""
    mass = np.exp(log_mass - log_mass.max())
    return mean_and_sd(places, mass / mass.sum())


def _scanned(density: Density, v: np.ndarray) -> np.ndarray:
    """Roughly the log marginal density of each heterogeneity."""
    centre, spread = density.placed(v)
    location = centre[:, None] + spread[:, None] * _SCAN_Z
    values = density(location.ravel(), np.repeat(v, len(_SCAN_Z))).reshape(location.shape)
    values += np.log(spread)[:, None] + 0.5 * np.log1p(_SCAN_Z**2)
    top = values.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    return np.where(np.isfinite(top), safe + np.log(np.exp(values - safe[:, None]).sum(axis=1)), -np.inf)


def _box(density: Density, centre: float, scale: float,
         negligible: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evenly spaced coordinates that hold all but a negligible part of the mass, and the log density there."""
    width = 4.0
    while True:
        size = int(round(width / FIRST_STEP))
        a = b = FIRST_STEP * np.arange(-size, size + 1)
        log_weights = _evaluate(density, centre, scale, a, b)[2]
        high = log_weights > log_weights.max() - negligible
        rows, columns = np.flatnonzero(high.any(axis=1)), np.flatnonzero(high.any(axis=0))
        touches = rows[0] == 0 or columns[0] == 0 or rows[-1] == len(a) - 1 or columns[-1] == len(b) - 1
        if not touches or width >= _WIDEST:
            inside = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
            return a[inside[0]], b[inside[1]], log_weights[inside]
        width *= 1.25


def _halved(points: np.ndarray) -> np.ndarray:
    return np.linspace(points[0], points[-1], 2 * len(points) - 1)


def _evaluate(density: Density, centre: float, scale: float, a: np.ndarray, b: np.ndarray,
              coarse: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unconstrained values and the log density in the stretched coordinates, shape (V, U) each.

    Parameters
    ----------
    coarse : array or None
        The log density at every second point of each axis, where it was found before.
    """
    v = centre + scale * np.sinh(a)
    middle, spread = density.placed(v)
    location = middle[:, None] + spread[:, None] * np.sinh(b)
    heterogeneity = np.broadcast_to(v[:, None], location.shape)
    is_new = np.ones(location.shape, dtype=bool)
    if coarse is not None:
        is_new[::2, ::2] = False
    log_weights = np.log(scale * np.cosh(a) * spread)[:, None] + np.log(np.cosh(b))
    log_weights[is_new] += density(location[is_new], heterogeneity[is_new])
    if coarse is not None:
        log_weights[::2, ::2] = coarse
    return location, heterogeneity, log_weights


def _summaries(a: np.ndarray, b: np.ndarray, log_weights: np.ndarray, step: float) -> np.ndarray:
    """Log evidence, then mean and standard deviation of both stretched coordinates, which always exist."""
    top = log_weights.max()
    weights = np.exp(log_weights - top)
    total = weights.sum()
    summaries = [top + np.log(total) + 2.0 * np.log(step)]
    for points, mass in ((a, weights.sum(axis=1)), (b, weights.sum(axis=0))):
        mean = points @ mass / total
        summaries += [mean, np.sqrt((points - mean) ** 2 @ mass / total)]
    return np.array(summaries)


def _change(coarse: np.ndarray, fine: np.ndarray) -> float:
    unit = np.array([1.0, fine[2], fine[2], fine[4], fine[4]])
    return float(np.max(np.abs(fine - coarse) / unit))


def refined(table: np.ndarray, axis: int, finer: int = FINER, *, integrated: bool = False) -> np.ndarray:
    """A table, or its integral from the first point, by quintic splines along an axis with `finer` cells for a step."""
    size = table.shape[axis]
    spline = make_interp_spline(np.arange(size), table, k=min(5, size - 1), axis=axis)
    return (spline.antiderivative() if integrated else spline)(np.linspace(0.0, size - 1.0, finer * (size - 1) + 1))


def draw(grid: Grid | Slices, size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Independent draws of the hyperparameters on their natural scale, shape (size,) each, in random order.

    The density is interpolated to a quarter of the grid's step and linearly in between, which adds less than 0.02 % to
    a variance. Cells are chosen by systematic sampling, so that means vary less than those of a random sample.
    """
    if len(grid.grids) > 1:
        sizes = rng.multinomial(size, grid.shares)
        parts = [draw(part, count, rng) for part, count in zip(grid.grids, sizes, strict=True) if count]
        order = rng.permutation(size)
        return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
    (grid,) = grid.grids
    weights = refined(refined(grid.weights, 0, _FINER_DRAW), 1, _FINER_DRAW)
    shape = weights.shape
    total = np.cumsum(np.maximum(weights, 0.0).ravel())
    chosen = np.searchsorted(total, (np.arange(size) + rng.random()) / size * total[-1])
    rows, columns = np.unravel_index(np.minimum(chosen, len(total) - 1), shape)
    step = grid.step / _FINER_DRAW
    # The sum of two uniform numbers has the density of a hat, and hats at the corners add up to linear interpolation.
    a = grid.a[0] + step * (rows + rng.random(size) - rng.random(size))
    b = grid.b[0] + step * (columns + rng.random(size) - rng.random(size))
    heterogeneity = grid.centre + grid.scale * np.sinh(a)
    centre, spread = grid.density.placed(heterogeneity)
    order = rng.permutation(size)
    return grid.density.natural((centre + spread * np.sinh(b))[order], heterogeneity[order])
