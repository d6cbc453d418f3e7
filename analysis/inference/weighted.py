"""Moments, quantiles and Monte-Carlo errors of draws with weights; equal weights give what plain draws give."""

from collections.abc import Sequence

import numpy as np


def mean_and_sd(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of values of shape (s,); the weights add up to 1."""
    mean = float(weights @ values)
    return mean, float(np.sqrt(weights @ (values - mean) ** 2))


def equal_tails(level: float) -> np.ndarray:
    """Probabilities below the lower limit, the median and the upper limit of an equal-tailed interval."""
    return np.array([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0])


def quantiles(values: np.ndarray, weights: np.ndarray, probabilities: Sequence[float]) -> np.ndarray:
    """Quantiles along the first axis of values of shape (s, ...); shape (probabilities, ...).

    The distribution function is linear between the values and reaches each in the middle of its step.
    """
    columns = values.reshape(len(values), -1)
    values_at = np.empty((len(probabilities), columns.shape[1]))
    for at, column in enumerate(columns.T):
        order = np.argsort(column)
        mass = weights[order]
        values_at[:, at] = np.interp(probabilities, np.cumsum(mass) - mass / 2.0, column[order])
    return values_at.reshape(len(probabilities), *values.shape[1:])


def effective_size(weights: np.ndarray) -> float:
    """Number of draws of equal weight that are worth as much, by Kish's formula."""
    return float(1.0 / np.sum(weights**2))


def mcse_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Monte-Carlo standard error of the mean of independent draws."""
    return float(np.sqrt(np.sum((weights * (values - weights @ values)) ** 2)))


def mcse_quantile(values: np.ndarray, weights: np.ndarray, probability: float) -> float:
    """Monte-Carlo standard error of a quantile of independent draws: half the step to the quantiles one error away."""
    middle = quantiles(values, weights, [probability])[0]
    error = np.sqrt(np.sum((weights * ((values <= middle) - probability)) ** 2))
    low, high = quantiles(values, weights, np.clip([probability - error, probability + error], 0.0, 1.0))
    return float(high - low) / 2.0


def resampled(weights: np.ndarray, size: int) -> np.ndarray:
    """Indices of so many draws of equal weight, by systematic resampling in the order of the draws."""
    total = np.cumsum(weights)
    return np.minimum(np.searchsorted(total / total[-1], (np.arange(size) + 0.5) / size), len(weights) - 1)
