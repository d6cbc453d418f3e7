"""Prediction limits of a further study's observed result as a function of its size, from a posterior grid.

Counts are discrete. The limits are those of the mid-distribution function F(y - 1) + P(y)/2, made continuous by
straight lines: a count lies outside them just where its mid-p is below one or above the other probability.
"""

from collections.abc import Sequence

import numpy as np
from scipy import special

from analysis.inference.grid import Grid
from analysis.inference.leave_one_out import predictive_counts

_NEGLIGIBLE = 1e-8
_BISECTIONS = 45


def rate_limits(grid: Grid, sizes: Sequence[int], probabilities: Sequence[float]) -> np.ndarray:
    """Predictive quantiles of the observed rate of one further study, shape (sizes, probabilities).

    Parameters
    ----------
    sizes : sequence of int
        Patients, at least 1.
    """
    return np.array([_mid_quantile(predictive_counts(grid, n), probabilities) / n for n in sizes])


def _mid_quantile(probability: np.ndarray, at: Sequence[float]) -> np.ndarray:
    mid = np.cumsum(probability) - 0.5 * probability
    # Counts of no probability would leave the function flat.
    rising = np.concatenate([[True], np.diff(mid) > 0.0])
    return np.interp(at, mid[rising], np.arange(len(mid))[rising])


def hazard_limits(grid: Grid, errors: Sequence[float], probabilities: Sequence[float]) -> np.ndarray:
    """Predictive quantiles of the estimated log hazard of one further study, shape (errors, probabilities).

    Parameters
    ----------
    errors : sequence of float
        Its standard error; the estimate is Normal(eta, sqrt(tau^2 + error^2)) given the hyperparameters.
    """
    weights = grid.weights[::2, ::2]
    kept = weights > _NEGLIGIBLE * weights.max()
    values = grid.density.natural(grid.location[::2, ::2][kept], grid.heterogeneity[::2, ::2][kept])
    eta, tau = (values[name] for name in grid.density.names)
    weights = weights[kept] / weights[kept].sum()
    return np.array([[_normal_quantile(eta, np.hypot(tau, error), weights, p) for p in probabilities]
                     for error in errors])


def _normal_quantile(centre: np.ndarray, spread: np.ndarray, weights: np.ndarray, p: float) -> float:
    """A quantile of a mixture of normal distributions, between the smallest and the largest of theirs."""
    each = centre + spread * special.ndtri(p)
    low, high = float(each.min()), float(each.max())
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        below = float(weights @ special.ndtr((middle - centre) / spread))
        low, high = (middle, high) if below < p else (low, middle)
    return 0.5 * (low + high)
