"""Integrates a normally distributed study effect out of a study's likelihood, by adaptive Gauss-Hermite quadrature.

With theta = centre + tau z and z ~ Normal(0, 1) the marginal likelihood of a study is

    integral of exp(l(centre + tau z)) phi(z) dz,

where l is the study's log likelihood, concave in theta. The points are placed about the mode of the integrand with its
curvature there, so that a study of 5 and one of 100,000 patients are integrated equally well.

References
----------
Pinheiro JC, Bates DM. J Comput Graph Stat 1995;4:12, doi 10.1080/10618600.1995.10474663.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.backend import Array, Backend

POINTS = 25
_NEWTON_STEPS = 5
_STEP_LIMIT = 3.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(POINTS)
_LOG_WEIGHTS = np.log(_WEIGHTS) + _NODES**2 / 2.0 - np.log(2.0 * np.pi) / 2.0


@dataclass(frozen=True)
class Concave:
    """A log-concave likelihood of theta, one per study, written with backend operations.

    `value`, `slope` and `curvature` (minus the second derivative) take theta of shape (..., k); `guess` and
    `guess_variance`, shape (k,), say roughly where and how wide it is, to start the search for the mode.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]
    guess: Array
    guess_variance: Array


def log_marginal(likelihood: Concave, centre: Array, tau: Array, *, on: Backend) -> Array:
    """Log of the marginal likelihood of each study.

    Parameters
    ----------
    likelihood : Concave
        Of k studies.
    centre, tau : array, broadcastable with (..., k)
        Mean and standard deviation of theta over studies.

    Returns
    -------
    array, shape (..., k)
    """
    mode, spread = mode_and_spread(likelihood, centre, tau, on=on)
    # The placement of the points is no part of the value: with it fixed the gradient is that of the integral.
    mode, spread = on.fixed(mode)[..., None], on.fixed(spread)[..., None]
    z = mode + spread * _NODES
    inner = _expanded(likelihood.value, centre, tau, z) - 0.5 * z**2 + _LOG_WEIGHTS
    top = on.fixed(on.max(inner, axis=-1))
    return top + on.log(on.sum(on.exp(inner - top[..., None]), axis=-1)) + on.log(spread[..., 0])


def mode_and_spread(likelihood: Concave, centre: Array, tau: Array, *, on: Backend) -> tuple[Array, Array]:
    """Mode of the integrand in z, and the standard deviation of the normal with its curvature; shape (..., k)."""
    precision = tau / (tau**2 + likelihood.guess_variance)
    mode = precision * (likelihood.guess - centre)
    for _ in range(_NEWTON_STEPS):
        theta = centre + tau * mode
        slope = tau * likelihood.slope(theta) - mode
        step = slope / (1.0 + tau**2 * likelihood.curvature(theta))
        mode = mode + on.clip(step, -_STEP_LIMIT, _STEP_LIMIT)
    return mode, 1.0 / on.sqrt(1.0 + tau**2 * likelihood.curvature(centre + tau * mode))


def _expanded(value: Callable[[Array], Array], centre: Array, tau: Array, z: Array) -> Array:
    """The log likelihood at z of shape (..., k, points), evaluated with the studies on the last axis."""
    swapped = z.swapaxes(-1, -2)
    theta = _spaced(centre) + _spaced(tau) * swapped
    return value(theta).swapaxes(-1, -2)


def _spaced(hyperparameter: Array) -> Array:
    """A hyperparameter that broadcasts with (..., k), made to broadcast with (..., points, k)."""
    return hyperparameter[..., None, :] if hyperparameter.ndim else hyperparameter
