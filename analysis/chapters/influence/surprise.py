"""How much each study says: its surprise to the others, what is learned from it, and how often chance is as odd.

Counts are discrete, so that a study of few patients is named by chance less often than one in twenty: `chance_named`
of `analysis.inference.leave_one_out` is the predictive probability, under the others, of a report that would be named.

References
----------
Kullback S, Leibler RA. Ann Math Stat 1951;22:79, doi 10.1214/aoms/1177729694.
Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J. J Mach Learn Res 2024;25(72) (Pareto k).
"""

import math

import numpy as np
from arviz_stats.base import array_stats

from analysis.inference.draws import draw
from analysis.inference.grid import Grid
from models.studies import Studies

PARETO_DRAWS = 4000
LEAST_TAIL = 1e-6
"""Smallest two-sided probability that is told apart: predictions skip grid points of less weight."""

_FEWEST_FOR_PARETO = 2


def surprise(two_sided: float) -> float:
    """Surprise in bits, -log2 of the two-sided predictive probability; 20 bits where it is one in a million or less."""
    return -math.log2(max(two_sided, LEAST_TAIL)) + 0.0


def information(whole: Grid, studies: Studies, log_predictive: np.ndarray) -> np.ndarray:
    """Bits learned about the hyperparameters from each study when it comes last, shape (k,).

    The Kullback-Leibler divergence of the posterior with the study from the one without it is
    E[log p(y_i | hyperparameters)] - log p(y_i | others), the mean taken over the posterior with all studies.

    Parameters
    ----------
    whole : Grid
        With all studies.
    log_predictive : array, shape (k,)
    """
    weights = whole.weights.ravel()
    kept = weights > 0.0
    values = {name: value[kept] for name, value in whole.values.items()}
    each = whole.density.model.marginal.log_likelihood(values, studies)
    # Where a weight is just above zero the likelihood may be minus infinity; it adds nothing.
    mean = weights[kept] @ np.where(np.isfinite(each), each, 0.0)
    return np.maximum(mean - log_predictive, 0.0) / math.log(2.0)


def pareto_k(whole: Grid, studies: Studies, *, seed: int) -> np.ndarray:
    """Pareto k of importance sampling for each study left out, from the marginal likelihood; shape (k,).

    The study's own effect is integrated out. On the conditional likelihood k exceeds 0.7 as a rule, and answers
    whether a study with a known effect can be left out. NaN for a study alone, whose posterior is all its own.
    """
    if len(studies) < _FEWEST_FOR_PARETO:
        return np.full(len(studies), np.nan)
    draws = draw(whole, PARETO_DRAWS, np.random.default_rng(seed))
    each = whole.density.model.marginal.log_likelihood(draws, studies)
    return np.array([float(array_stats.psislw(column)[1]) for column in each.T])
