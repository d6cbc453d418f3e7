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

from dataclasses import dataclass

import numpy as np

from analysis.inference.density import Density

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


def solve(density: Density, *, tolerance: float = TOLERANCE) -> Grid:
    """The posterior on a grid fine enough that halving the step changes nothing beyond `tolerance`.

    Raises
    ------
    QuadratureFailed
        When the density is nowhere finite, or the sums do not settle.
    """
    centre, scale = _place(density)
    step, a, b = FIRST_STEP, *_box(density, centre, scale)
    coarse = _summaries(a, b, _evaluate(density, centre, scale, a, b)[2], step)
    for _ in range(_LEVELS):
        step, a, b = step / 2.0, _halved(a), _halved(b)
        location, heterogeneity, log_weights = _evaluate(density, centre, scale, a, b)
        fine = _summaries(a, b, log_weights, step)
        # The error of the finer rule is about the square of the change; the power of 3/2 is on the safe side.
        error = _change(coarse, fine) ** 1.5
        if error <= tolerance:
            weights = np.exp(log_weights - log_weights.max())
            return Grid(density, centre, scale, a, b, step, location, heterogeneity, weights / weights.sum(),
                        float(fine[0]), float(error))
        coarse = fine
    raise QuadratureFailed(f"{density.model.name}: the quadrature did not settle, its error is about {error:.2g}")


def _place(density: Density) -> tuple[float, float]:
    """Mean and standard deviation of the unconstrained heterogeneity, from ever narrower scans."""
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
    weight = np.exp(marginal - top)
    centre = float(v @ weight / weight.sum())
    return centre, float(np.sqrt((v - centre) ** 2 @ weight / weight.sum()))


def _scanned(density: Density, v: np.ndarray) -> np.ndarray:
    """Roughly the log marginal density of each heterogeneity."""
    centre, spread = density.placed(v)
    location = centre[:, None] + spread[:, None] * _SCAN_Z
    values = density(location.ravel(), np.repeat(v, len(_SCAN_Z))).reshape(location.shape)
    values += np.log(spread)[:, None] + 0.5 * np.log1p(_SCAN_Z**2)
    top = values.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    return np.where(np.isfinite(top), safe + np.log(np.exp(values - safe[:, None]).sum(axis=1)), -np.inf)


def _box(density: Density, centre: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced coordinates that hold all but a negligible part of the mass."""
    width = 4.0
    while True:
        size = int(round(width / FIRST_STEP))
        a = b = FIRST_STEP * np.arange(-size, size + 1)
        log_weights = _evaluate(density, centre, scale, a, b)[2]
        high = log_weights > log_weights.max() - _NEGLIGIBLE
        rows, columns = np.flatnonzero(high.any(axis=1)), np.flatnonzero(high.any(axis=0))
        touches = rows[0] == 0 or columns[0] == 0 or rows[-1] == len(a) - 1 or columns[-1] == len(b) - 1
        if not touches or width >= _WIDEST:
            return (a[max(rows[0] - 1, 0):rows[-1] + 2], b[max(columns[0] - 1, 0):columns[-1] + 2])
        width *= 1.25


def _halved(points: np.ndarray) -> np.ndarray:
    return np.linspace(points[0], points[-1], 2 * len(points) - 1)


def _evaluate(density: Density, centre: float, scale: float, a: np.ndarray,
              b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unconstrained values and the log density in the stretched coordinates, shape (V, U) each."""
    v = centre + scale * np.sinh(a)
    middle, spread = density.placed(v)
    location = middle[:, None] + spread[:, None] * np.sinh(b)
    heterogeneity = np.broadcast_to(v[:, None], location.shape)
    log_weights = density(location.ravel(), heterogeneity.ravel()).reshape(location.shape)
    log_weights = log_weights + np.log(scale * np.cosh(a) * spread)[:, None] + np.log(np.cosh(b))
    return location, heterogeneity, log_weights


def _summaries(a: np.ndarray, b: np.ndarray, log_weights: np.ndarray, step: float) -> np.ndarray:
    """Log evidence, then mean and standard deviation of both stretched coordinates, which always exist."""
    top = log_weights.max()
    weights = np.exp(log_weights - top)
    total = weights.sum()
    found = [top + np.log(total) + 2.0 * np.log(step)]
    for points, mass in ((a, weights.sum(axis=1)), (b, weights.sum(axis=0))):
        mean = points @ mass / total
        found += [mean, np.sqrt((points - mean) ** 2 @ mass / total)]
    return np.array(found)


def _change(coarse: np.ndarray, fine: np.ndarray) -> float:
    unit = np.array([1.0, fine[2], fine[2], fine[4], fine[4]])
    return float(np.max(np.abs(fine - coarse) / unit))
