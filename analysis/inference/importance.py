"""Independent weighted draws from the posterior of a regression, without a chain.

Points of a scrambled Sobol sequence become draws of the nested approximation (`analysis.inference.proposal`), with
tails of a t distribution, and of the distribution of observed cells. Each is weighed with the density that nutpie
samples, evaluated by numpy. The weights are Pareto-smoothed; the shape of their tail (k) says whether the weighted
draws may be trusted at all, and their Monte-Carlo errors are those of independent draws, which a Sobol sequence does
not exceed in practice.

References
----------
Vehtari A et al. J Mach Learn Res 2024;25:72, doi 10.48550/arXiv.1507.02646 (Pareto-smoothed importance sampling).
Owen AB. Monte Carlo theory, methods and examples. 2013, chapters 9 and 17 (importance sampling; scrambled nets).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from scipy import special, stats

from analysis.cases.covariates import Column, as_covariates
from analysis.inference.density import Density
from analysis.inference.mixture import Part, inverted, normalised
from analysis.inference.proposal import proposals
from models.backend import NUMBERS
from models.covariates import Covariates, cell_table
from models.model import Draws
from models.priors import Prior
from models.regression import Regression
from models.studies import Studies

_EVERY = 3  # one draw in so many comes from the studies without a missing cell
_HEATED = 0.6  # power of the masses of a covariate's standard deviation: what studies report may favour a large one
_CELL_STEPS = 600
_NEGLIGIBLE = 1e-12
_AT_ONCE = 150_000  # draws times numbers of the largest input: what is made of them stays near the processor


@dataclass(frozen=True)
class Weighted:
    """Draws with weights; those of negligible weight are left out.

    Parameters
    ----------
    draws : mapping of str to array
        As a regression's density takes them. The cells of a column without a missing one have mean 0 and standard
        deviation 1, on which nothing hangs.
    weights : array, shape (s,)
        They add up to 1.
    pareto_k : float
        Shape of the weights' tail; NaN where no point has a density.
    """

    draws: Draws
    weights: np.ndarray
    pareto_k: float


def importance_draws(regression: Regression, studies: Studies, columns: tuple[Column, ...], density: Density,
                     priors: Mapping[str, Prior], *, together: bool, size: int, seed: int) -> Weighted:
    """Weighted draws of one regression.

    Parameters
    ----------
    columns : tuple of Column
        All of them enter.
    density : Density
        Of the same studies without covariates.
    size : int
        Number of draws, a power of 2.
    """
    covariates = as_covariates(columns, (True,) * len(columns))
    absent = np.flatnonzero(covariates.missing.any(axis=0))
    parts = [Part(found) for found in proposals(regression, studies, covariates, density, priors,
                                                together=together)]
    dimension = 1 + len(columns)
    points = stats.qmc.Sobol(3 + dimension + 2 * len(absent), rng=np.random.default_rng([seed, 5])).random(size)
    points = np.clip(points, 1e-12, 1.0 - 1e-12)
    a, log_scale, coefficients, log_proposal = _mixed(parts, points[:, :3 + dimension])
    mean, sd, log_cells = _cells(covariates, absent, priors["covariate_sd"], points[:, 3 + dimension:])
    v, slopes = parts[0].heterogeneity(a), coefficients[:, 1:] * covariates.steps
    # Columns without a missing cell: the density has no term of them, whatever the numbers.
    draws = {**density.natural(coefficients[:, 0], v), "beta": np.exp(log_scale)[:, None] * slopes,
             "covariate_mean": mean, "covariate_sd": sd}
    log_prior = density.log_prior(coefficients[:, 0], v) + np.log(np.cosh(a))
    if together:
        log_prior += priors["shrinkage"].log_density(log_scale) + stats.norm.logpdf(slopes).sum(axis=1)
    else:
        log_prior += priors["beta"].log_density(slopes).sum(axis=1)
    log_prior += priors["covariate_mean"].log_density(mean[:, absent]).sum(axis=1)
    log_prior += priors["covariate_sd"].log_density(np.log(sd[:, absent])).sum(axis=1)
    log_target = log_prior + _log_likelihood(regression, draws, regression.data(studies, covariates))
    log_weights = np.where(np.isfinite(log_target), log_target - log_proposal - log_cells, -np.inf)
    return _smoothed(draws, log_weights)


def _log_likelihood(regression: Regression, draws: Draws, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    size = max(1, _AT_ONCE // max(table.size for table in inputs.values()))
    total = len(draws["beta"])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.concatenate([
            regression.log_density({name: values[at:at + size] for name, values in draws.items()}, inputs, on=NUMBERS)
            for at in range(0, total, size)])


def _smoothed(draws: Draws, log_weights: np.ndarray) -> Weighted:
    top = log_weights.max()
    if not np.isfinite(top):
        return Weighted(draws, np.full(len(log_weights), 1.0 / len(log_weights)), np.nan)
    # psislw takes the negative: log likelihoods, whose inverse weighs a study left out.
    smooth, k = array_stats.psislw(np.minimum(top - log_weights, 700.0))
    weights = np.where(np.isfinite(log_weights), np.exp(smooth - smooth.max()), 0.0)
    # Far out a rate is 0 or 1 to the last digit and has no logit; such draws weigh nothing.
    kept = weights > _NEGLIGIBLE
    return Weighted({name: values[kept] for name, values in draws.items()}, weights[kept] / weights[kept].sum(),
                    float(k))


def _mixed(parts: Sequence[Part], points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Heterogeneity, scale and coefficients drawn from the parts in turn, and the log density of their mixture."""
    # The points of a Sobol sequence come in pairs; an odd stride leaves each part a well-spread share.
    second = np.arange(len(points)) % _EVERY == _EVERY - 1 if len(parts) > 1 else np.zeros(len(points), dtype=bool)
    drawn = [part.draw(points) for part in parts]
    a, log_scale, coefficients = (np.where(second.reshape(-1, *(1,) * (first.ndim - 1)), last, first)
                                  for first, last in zip(drawn[0], drawn[-1], strict=True))
    each = [part.log_density(a, log_scale, coefficients) for part in parts]
    if len(parts) == 1:
        return a, log_scale, coefficients, each[0]
    share = 1.0 / _EVERY
    return a, log_scale, coefficients, np.logaddexp(np.log1p(-share) + each[0], np.log(share) + each[1])


def _cells(covariates: Covariates, absent: np.ndarray, prior: Prior,
           points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column from its observed cells, shape (s, p) each, and their log density.

    The mean is drawn as under a flat prior, which is wider than any posterior; the weights carry the prior.
    """
    table, size = cell_table(covariates), len(points)
    mean, sd = np.zeros((size, len(covariates.names))), np.ones((size, len(covariates.names)))
    total = np.zeros(size)
    for place, at in enumerate(absent):
        count, centre, squares = table[:, at]
        guess = 0.5 * np.log(squares / count)
        edges = np.linspace(min(guess, 0.0) - 6.0, max(guess, 0.0) + 4.0, _CELL_STEPS + 1)
        log_sd = (edges[1:] + edges[:-1]) / 2.0
        log_mass = prior.log_density(log_sd) - (count - 1.0) * log_sd - 0.5 * squares * np.exp(-2.0 * log_sd)
        mass = normalised(np.exp(_HEATED * (log_mass - log_mass.max())))
        cell, within = inverted(mass[None, :], np.zeros(size, dtype=int), points[:, 2 * place])
        step = edges[1] - edges[0]
        sd[:, at] = np.exp(edges[cell] + step * within)
        spread = sd[:, at] / np.sqrt(count)
        mean[:, at] = centre + spread * special.ndtri(points[:, 2 * place + 1])
        total += np.log(mass[cell] / step) + stats.norm.logpdf(mean[:, at], centre, spread)
    return mean, sd, total
