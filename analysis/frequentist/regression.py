"""Maximum likelihood of the rate models with covariates on the logit scale, with standard errors.

Standard errors come from the inverse of the observed information in the coefficients and the logarithm of the spread;
where the spread is zero, on the boundary, from that in the coefficients alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from analysis.frequentist.likelihoods import RateLikelihood
from analysis.frequentist.profile import best_spread

_STEP = 1e-3  # of a standardised coefficient: a fourth-order error of 1e-6 and rounding of 1e-8
_NO_SPREAD = 1e-6


@dataclass(frozen=True)
class RegressionFit:
    """Coefficients on the logit scale with the heterogeneity that is left.

    Parameters
    ----------
    coefficients, standard_errors : array, shape (p,)
    spread : float
        tau, or theta = rho/(1 - rho); zero on the boundary.
    log_likelihood : float
    """

    coefficients: np.ndarray
    standard_errors: np.ndarray
    spread: float
    log_likelihood: float

    def wald(self, *, level: float) -> np.ndarray:
        """Limits of each coefficient, shape (p, 2)."""
        half = float(stats.norm.ppf(0.5 + level / 2.0)) * self.standard_errors
        return np.stack([self.coefficients - half, self.coefficients + half], axis=1)


def regress(likelihood: RateLikelihood) -> RegressionFit:
    """Maximum-likelihood coefficients of the design in the likelihood.

    Raises
    ------
    ValueError
        When the design is collinear, or all patients have (or lack) the event, so that no maximum exists.
    """
    design = likelihood.design
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("the columns of the design are collinear: no coefficient is determined")
    events, patients = likelihood.events.sum(), likelihood.patients.sum()
    if events in (0, patients):
        raise ValueError(f"{events:.0f} of {patients:.0f} patients have the event: the likelihood has no maximum")
    # Orthogonal columns of unit spread make one step width fit all coefficients.
    basis, triangle = np.linalg.qr(design)
    scale = math.sqrt(len(design))
    basis, triangle = basis * scale, triangle / scale
    start = _start(basis, likelihood)
    found, spread = _maximum(likelihood, basis, start)
    information = _information(likelihood, basis, found, spread)
    size = design.shape[1]
    back = np.linalg.inv(triangle)
    variance = back @ np.linalg.inv(information)[:size, :size] @ back.T
    return RegressionFit(back @ found, np.sqrt(np.diag(variance)), spread,
                         float(likelihood.value(basis @ found, np.array(spread))))


def _start(basis: np.ndarray, likelihood: RateLikelihood) -> np.ndarray:
    observed = special.logit((likelihood.events + 0.5) / (likelihood.patients + 1.0))
    root = np.sqrt(likelihood.patients)
    return np.linalg.lstsq(basis * root[:, None], observed * root, rcond=None)[0]


def _maximum(likelihood: RateLikelihood, basis: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients of the basis and the spread: by turns between both until nothing moves, then jointly."""
    def fixed(spread: float, beta: np.ndarray) -> np.ndarray:
        return _minimum(lambda moved: -float(likelihood.value(basis @ moved, np.array(spread))), beta)

    beta, spread = start, 0.0
    for _ in range(3):
        spread = best_spread(lambda _, grid, at=beta: likelihood.value(np.tile(basis @ at, (len(grid), 1)), grid),
                             0.0, likelihood.spreads)[0]
        beta = fixed(spread, beta)
    if spread <= _NO_SPREAD:
        return fixed(0.0, beta), 0.0
    joint = _minimum(lambda point: -_at(likelihood, basis, point), np.append(beta, math.log(spread)))
    return joint[:-1], math.exp(joint[-1])


def _minimum(function: Callable[[np.ndarray], float], start: np.ndarray) -> np.ndarray:
    rough = optimize.minimize(function, start, method="BFGS", options={"gtol": 1e-6}).x
    simplex = optimize.minimize(function, rough, method="Nelder-Mead",
                                options={"xatol": 1e-8, "fatol": 1e-11, "maxiter": 4000,
                                         "initial_simplex": _simplex(rough)})
    return simplex.x


def _simplex(centre: np.ndarray) -> np.ndarray:
    return np.concatenate([centre[None], centre + 1e-3 * np.eye(len(centre))])


def _at(likelihood: RateLikelihood, basis: np.ndarray, point: np.ndarray) -> float:
    return float(likelihood.value(basis @ point[:-1], np.array(math.exp(min(point[-1], 50.0)))))


def _information(likelihood: RateLikelihood, basis: np.ndarray, beta: np.ndarray, spread: float) -> np.ndarray:
    """Minus the second derivatives by central differences, in the coefficients and log spread (if not zero)."""
    if spread > 0.0:
        point = np.append(beta, math.log(spread))

        def value(at: np.ndarray) -> float:
            return _at(likelihood, basis, at)
    else:
        point = beta

        def value(at: np.ndarray) -> float:
            return float(likelihood.value(basis @ at, np.array(0.0)))

    steps = _STEP * np.eye(len(point))
    return np.array([[-(value(point + a + b) - value(point + a - b) - value(point - a + b) + value(point - a - b))
                      / (4.0 * _STEP**2) for b in steps] for a in steps])
