"""Integrates a normally distributed study effect out of a study's likelihood, and draws it given the hyperparameters.

With theta = centre + tau z and z ~ Normal(0, 1) the marginal likelihood of a study is

    integral of exp(l(centre + tau z)) phi(z) dz,

where l is the study's log likelihood, concave in theta. The points of an adaptive Gauss-Hermite rule are placed about
the mode of the integrand with its curvature there, so that a study of 5 and one of 100,000 patients are integrated
equally well.

References
----------
Pinheiro JC, Bates DM. J Comput Graph Stat 1995;4:12, doi 10.1080/10618600.1995.10474663.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.backend import NUMBERS, Array, Backend

NORMAL_NODES = np.linspace(-8.5, 8.5, 171)
NORMAL_WEIGHTS = np.exp(-(NORMAL_NODES**2) / 2.0) / np.exp(-(NORMAL_NODES**2) / 2.0).sum()
"""An evenly spaced rule for means over the standard normal distribution."""

POINTS = 25
_NEWTON_STEPS = 5
_STEP_LIMIT = 3.0
_CELLS = 48
_REACH = 7.0  # standard deviations of the approximation at the mode; skewed by tau = 5 and no event, 1e-3 lies beyond
_BATCH = 4_000_000


@dataclass(frozen=True)
class Concave:
    """A log-concave likelihood of theta, one per study, written with backend operations.

    `value`, `slope` and `curvature` (minus the second derivative) take theta of shape (..., k); `guess` and
    `guess_variance`, shape (k,) or (..., k), say roughly where and how wide it is, to start the search for the mode.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]
    guess: Array
    guess_variance: Array


def unit_rule(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the Gauss-Legendre rule for integrals from 0 to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return (nodes + 1.0) / 2.0, weights / 2.0


@cache
def _rule(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and log weights of the Gauss-Hermite rule for plain integrals."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return nodes, np.log(weights) + nodes**2 / 2.0 - np.log(2.0 * np.pi) / 2.0


def log_marginal(likelihood: Concave, centre: Array, tau: Array, *, on: Backend, points: int = POINTS) -> Array:
    """Log of the marginal likelihood of each study, shape (..., k).

    Parameters
    ----------
    likelihood : Concave
        Of k studies.
    centre, tau : array, broadcastable with (..., k)
        Mean and standard deviation of theta over studies.
    points : int
        Of the rule; fewer do for likelihoods that are nearly normal.
    """
    mode, spread = _mode_and_spread(likelihood, centre, tau, on=on)
    # The placement of the points is no part of the value: with it fixed the gradient is that of the integral.
    mode, spread = on.fixed(mode), on.fixed(spread)
    nodes, log_weights = (values.reshape(-1, *(1,) * mode.ndim) for values in _rule(points))
    z = mode + spread * nodes
    inner = likelihood.value(centre + tau * z) - 0.5 * z**2 + log_weights
    top = on.fixed(on.max(inner, axis=0))
    return top + on.log(on.sum(on.exp(inner - top), axis=0)) + on.log(spread)


def draw_effects(likelihood: Concave, centre: np.ndarray, tau: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One draw of theta per study and draw of the hyperparameters, theta ~ Normal(centre, tau) given the data; (s, k).

    The log density of z = (theta - centre)/tau is evaluated on a grid about its mode and joined by lines, and this
    density is inverted. Its quantiles are those of the true one to 3e-3 of a standard deviation.

    Parameters
    ----------
    likelihood : Concave
        Of k studies, the same for all draws; one that differs from draw to draw is given `draws_at_once` of them.
    centre, tau : array, shape (s,)
    rng : numpy.random.Generator
    """
    chosen = rng.random((len(centre), np.shape(likelihood.guess)[-1]))
    batch = draws_at_once(chosen.shape[1])
    parts = [_invert(likelihood, centre[part, None], tau[part, None], chosen[part])
             for part in (slice(at, at + batch) for at in range(0, len(centre), batch))]
    return np.concatenate(parts)


def draws_at_once(studies: int) -> int:
    """Draws whose effects are drawn at once: no array has more than a fixed number of cells."""
    return max(1, _BATCH // ((_CELLS + 1) * max(studies, 1)))


def _mode_and_spread(likelihood: Concave, centre: Array, tau: Array, *, on: Backend) -> tuple[Array, Array]:
    """Mode of the integrand in z, and the standard deviation of the normal with its curvature; shape (..., k)."""
    precision = tau / (tau**2 + likelihood.guess_variance)
    mode = precision * (likelihood.guess - centre)
    for _ in range(_NEWTON_STEPS):
        theta = centre + tau * mode
        slope = tau * likelihood.slope(theta) - mode
        step = slope / (1.0 + tau**2 * likelihood.curvature(theta))
        mode = mode + on.clip(step, -_STEP_LIMIT, _STEP_LIMIT)
    return mode, 1.0 / on.sqrt(1.0 + tau**2 * likelihood.curvature(centre + tau * mode))


def _invert(likelihood: Concave, centre: np.ndarray, tau: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    mode, spread = _mode_and_spread(likelihood, centre, tau, on=NUMBERS)
    offsets = np.linspace(-_REACH, _REACH, _CELLS + 1)[:, None, None]
    z = mode + spread * offsets
    log_density = likelihood.value(centre + tau * z) - 0.5 * z**2
    left, right = log_density[:-1], log_density[1:]
    mass = np.exp(np.maximum(left, right) - log_density.max(axis=0)) * _mean_fall(np.abs(right - left))
    total = np.cumsum(mass, axis=0)
    target = chosen * total[-1]
    cell = np.minimum((total < target).sum(axis=0), _CELLS - 1)[None]
    of_cell = np.maximum(np.take_along_axis(mass, cell, 0)[0], np.finfo(float).tiny)
    share = np.clip((target - (np.take_along_axis(total, cell, 0)[0] - of_cell)) / of_cell, 0.0, 1.0)
    rise = np.take_along_axis(right - left, cell, 0)[0]
    offset = offsets[cell[0], 0, 0] + _fraction(share, rise) * (2.0 * _REACH / _CELLS)
    return centre + tau * (mode + spread * offset)


def _mean_fall(fall: np.ndarray) -> np.ndarray:
    """Mean of exp(-fall x) for x from 0 to 1."""
    return np.where(fall > 1e-8, -np.expm1(-fall) / np.maximum(fall, 1e-8), 1.0)


def _fraction(share: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """Where the integral of exp(rise x) from 0 reaches this share of the one to 1, reckoned from the higher end."""
    fall = np.maximum(np.abs(rise), 1e-8)
    from_top = np.where(rise > 0.0, 1.0 - share, share)
    place = -np.log1p(from_top * np.expm1(-fall)) / fall
    return np.where(rise > 0.0, 1.0 - place, place)
