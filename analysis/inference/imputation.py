"""Draws of missing covariate cells from their exact conditional distribution, given the draws of a regression."""

import numpy as np

from analysis.inference.regression import RegressionFit
from analysis.inference.weighted import resampled
from models.regression import PER_COVARIATE

_DRAWS = 1000
_CELLS = 60
_REACH = 8.0  # standard deviations of the prior of a cell; the outcome of one study moves a cell by a few at most
_FARTHEST = 36.0  # of a linear predictor: beyond it a rate is 0 or 1 to the last digit, and has no logarithm


def draw_missing(fit: RegressionFit, *, seed: int) -> dict[str, np.ndarray]:
    """Missing cells of a regression on one covariate by study id, in SDs from its centre; shape (s,) each.

    The density of x is Normal(x; m, s) times the likelihood of the study's outcome at a + beta x. It is evaluated on
    a grid for each of 1000 draws, resampled by their weights, and inverted, with a uniform place within a cell.

    Parameters
    ----------
    fit : RegressionFit
        With one covariate.
    seed : int
    """
    regression, (column,), rng = fit.case.regression, fit.case.columns, np.random.default_rng([seed, 3])
    chosen = resampled(fit.weights, _DRAWS)
    draws = {name: values[chosen, 0] if name in PER_COVARIATE else values[chosen]
             for name, values in fit.draws.items()}
    mean, sd, beta = draws["covariate_mean"], draws["covariate_sd"], draws["beta"] / column.prior_step
    step = 2.0 * _REACH / _CELLS
    z = (np.arange(_CELLS) + 0.5) * step - _REACH
    x = mean[:, None] + sd[:, None] * z
    linear = np.clip(regression.intercept(draws)[:, None] + beta[:, None] * x, -_FARTHEST, _FARTHEST)
    studies, cells = np.arange(len(column.values)), {}
    for at in np.flatnonzero(column.missing):
        alone = fit.case.studies.take(studies == at)
        log_density = regression.study_likelihood(alone)(draws, linear) - 0.5 * z**2
        mass = np.exp(log_density - log_density.max(axis=1, keepdims=True)).cumsum(axis=1)
        cell = (mass < rng.random((len(x), 1)) * mass[:, -1:]).sum(axis=1)
        place = z[np.minimum(cell, _CELLS - 1)] + step * (rng.random(len(x)) - 0.5)
        cells[alone.study_ids[0]] = mean + sd * place
    return cells
