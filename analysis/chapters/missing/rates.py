"""The pooled rate from any counts by exact quadrature, and what it predicts for studies without a count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.chapters.missing.convolution import sum_probabilities
from analysis.inference.density import Extra, density_of
from analysis.inference.distribution import distribution
from analysis.inference.grid import Grid, solve
from models.beta_binomial import MODEL
from models.priors import Prior
from models.studies import RateStudies


@dataclass(frozen=True)
class MeanRate:
    """Posterior median and equal-tailed credible limits of the mean rate over studies, 0 to 1."""

    median: float
    lower: float
    upper: float


def posterior(studies: RateStudies, priors: Mapping[str, Prior], *, extra: Extra | None = None) -> Grid:
    """The beta-binomial posterior of mu and rho, with a further log likelihood where one is given.

    Raises
    ------
    QuadratureFailed
        When the sums do not settle.
    """
    return solve(density_of(MODEL, studies, priors, extra=extra))


def mean_rate(grid: Grid, *, level: float) -> MeanRate:
    """The summary of the mean rate mu."""
    lower, median, upper = distribution(grid, grid.values["mu"]).quantile(
        np.array([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]))
    return MeanRate(float(median), float(lower), float(upper))


def predictive(grid: Grid, sizes: Sequence[int]) -> np.ndarray:
    """Posterior predictive probability of each total of further studies of these sizes; shape (N + 1,).

    Every second point of the grid is used: `solve` stops only where this changes its sums by less than 5e-6. Points
    of negligible weight are skipped, which together hold less than 1e-8 of the mass.
    """
    shape = grid.weights.shape
    weights = grid.weights[::2, ::2].ravel()
    weights = weights / weights.sum()
    kept = weights > 1e-8 / weights.size
    draws = {name: values.reshape(shape)[::2, ::2].ravel()[kept] for name, values in grid.values.items()}
    return sum_probabilities(draws, sizes) @ (weights[kept] / weights[kept].sum())


def count_quantile(probabilities: np.ndarray, p: float) -> int:
    """The smallest count whose distribution function reaches p."""
    return int(np.searchsorted(np.cumsum(probabilities), p * probabilities.sum()))
