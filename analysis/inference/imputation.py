"""Draws of missing covariate cells from their exact conditional distribution, given the draws of a regression."""

import numpy as np

from analysis.inference.regression import RegressionFit
from analysis.inference.weighted import resampled
from models.covariates import with_beta

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
    (column,), rng = fit.task.columns, np.random.default_rng([seed, 3])
    chosen = resampled(fit.weights, _DRAWS)
    draws = with_beta({name: values[chosen] for name, values in fit.draws.items()}, 0)
    draws["beta"] = draws["beta"] / column.prior_step
    return {fit.task.studies.study_ids[at]: _draw_one(fit, draws, int(at), rng)
            for at in np.flatnonzero(column.missing)}


def _draw_one(fit: RegressionFit, draws: dict[str, np.ndarray], index: int, rng: np.random.Generator) -> np.ndarray:
    regression, step = fit.task.regression, 2.0 * _REACH / _CELLS
    z = (np.arange(_CELLS) + 0.5) * step - _REACH
    x = draws["covariate_mean"][:, None] + draws["covariate_sd"][:, None] * z
    linear = np.clip(regression.intercept(draws)[:, None] + draws["beta"][:, None] * x, -_FARTHEST, _FARTHEST)
    log_density = regression.at_linear(draws, fit.task.studies, index, linear) - 0.5 * z**2
    mass = np.exp(log_density - log_density.max(axis=1, keepdims=True)).cumsum(axis=1)
    chosen = (mass < rng.random((len(x), 1)) * mass[:, -1:]).sum(axis=1)
    place = z[np.minimum(chosen, _CELLS - 1)] + step * (rng.random(len(x)) - 0.5)
    return draws["covariate_mean"] + draws["covariate_sd"] * place
