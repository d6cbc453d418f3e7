"""From one regression to draws with diagnostics: weighted draws, or chains where weights cannot be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.cases.regressions import RegressionCase
from analysis.cases.settings import IMPORTANCE, NUTS, Sampler, more_careful
from analysis.inference.diagnostics import Diagnostics, diagnose, diagnose_weighted
from analysis.inference.grid import QuadratureFailed
from analysis.inference.importance import importance_draws
from analysis.inference.nuts import SamplingFailed, sample_graph
from analysis.inference.posterior import posterior_of
from analysis.inference.weighted import resampled
from models.model import Draws
from models.regression import PER_COVARIATE, marginal_model

_DRAWS = 4000
_CELLS = 60
_REACH = 8.0  # standard deviations of the prior of a cell; the outcome of one study moves a cell by a few at most
_FARTHEST = 36.0  # of a linear predictor: beyond it a rate is 0 or 1 to the last digit, and has no logarithm
POINTS, POINTS_TOGETHER = 4096, 16_384
"""Weighted draws of one slope, and of slopes that share a scale, whose tails are longer; powers of 2."""

# Slopes that share an unknown scale have long tails, whose ends need more draws, and a neck, which needs short steps.
_LONGER_TOGETHER, _STEPS_TOGETHER = 2, 0.95


@dataclass(frozen=True)
class RegressionFit:
    """Draws of one regression; no result unless the diagnostics hold.

    Parameters
    ----------
    engine : {"importance", "nuts"}
        What made the draws.
    sampler : Sampler
        What was used: the job's, or the more careful one of a second attempt; for weighted draws only their number.
    draws : mapping of str to array
        The two hyperparameters, shape (s,); beta, covariate_mean and covariate_sd, shape (s, p). Empty where the
        sampler could not start.
    weights : array, shape (s,)
        Of the draws; they add up to 1.
    """

    case: RegressionCase
    engine: str
    sampler: Sampler
    diagnostics: Diagnostics
    draws: Draws = field(repr=False)
    weights: np.ndarray = field(repr=False)


def fit(case: RegressionCase, *, cores: int = 1, careful: bool = True) -> RegressionFit:
    """Make one regression; once more, longer or with shorter steps, where the diagnostics ask for it.

    Weighted draws whose weights cannot be trusted, or that have no place to start from, give way to chains.

    Parameters
    ----------
    careful : bool
        False makes no second attempt, for simulations in which every data set must count the same.
    """
    if case.without.job.engine == IMPORTANCE:
        weighted = _weighted(case, careful=careful)
        if weighted and (weighted.diagnostics.converged or not careful):
            return weighted
    sampler = case.without.job.sampler
    if case.together:
        sampler = replace(sampler, draws=_LONGER_TOGETHER * sampler.draws, target_accept=_STEPS_TOGETHER)
    sampled = _sampled(case, sampler, cores)
    if careful and sampled.diagnostics.remedy:
        sampled = _sampled(case, more_careful(sampler, sampled.diagnostics.remedy), cores)
    return sampled


def draw_missing(fit: RegressionFit, *, seed: int) -> dict[str, np.ndarray]:
    """Missing cells of a regression on one covariate by study id, in SDs from its centre; shape (s,) each.

    The density of x is Normal(x; m, s) times the likelihood of the study's outcome at a + beta x. It is evaluated on
    a grid for each of 4,000 draws, resampled by their weights, and inverted, with a uniform place within a cell.

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
    cells = {}
    for at in np.flatnonzero(column.missing):
        alone = fit.case.studies.take([at])
        log_density = regression.study_likelihood(alone)(draws, linear) - 0.5 * z**2
        mass = np.exp(log_density - log_density.max(axis=1, keepdims=True)).cumsum(axis=1)
        cell = (mass < rng.random((len(x), 1)) * mass[:, -1:]).sum(axis=1)
        place = z[np.minimum(cell, _CELLS - 1)] + step * (rng.random(len(x)) - 0.5)
        cells[alone.study_ids[0]] = mean + sd * place
    return cells


def _weighted(case: RegressionCase, *, careful: bool) -> RegressionFit | None:
    """Independent weighted draws, four times as many where the first are not enough; None without a place to start."""
    size = POINTS_TOGETHER if case.together else POINTS
    try:
        weighted = _weighted_draws(case, size)
        return _weighted_draws(case, 4 * size) if careful and weighted.diagnostics.remedy else weighted
    except (np.linalg.LinAlgError, QuadratureFailed):
        return None


def _weighted_draws(case: RegressionCase, size: int) -> RegressionFit:
    weighted = importance_draws(case, posterior_of(case.without).grid.density, size=size)
    draws = dict(weighted.draws)
    for name in PER_COVARIATE:
        # Columns that are not used have no draws.
        draws[name] = np.full((len(weighted.weights), len(case.columns)), np.nan)
        draws[name][:, np.array(case.used)] = weighted.draws[name]
    with np.errstate(divide="ignore"):
        checked = _checked(case, draws)
    diagnostics = diagnose_weighted(checked, weighted.weights, weighted.pareto_k, level=case.without.level)
    sampler = replace(case.without.job.sampler, chains=1, tune=0, draws=size)
    return RegressionFit(case, IMPORTANCE, sampler, diagnostics, draws, weighted.weights)


def _sampled(case: RegressionCase, sampler: Sampler, cores: int) -> RegressionFit:
    regression, covariates = case.regression, case.padded_covariates
    try:
        posterior, stats = sample_graph(
            lambda: marginal_model(regression, case.studies, covariates, case.priors, together=case.together),
            regression.data(case.studies, covariates),
            key=(f"{regression.base.name} regression", case.together, len(case.columns),
                 frozenset(case.priors.items())),
            keep=(regression.location, regression.heterogeneity, *PER_COVARIATE), sampler=sampler,
            seed=case.seed, cores=cores)
    except SamplingFailed as error:
        return RegressionFit(case, NUTS, sampler, Diagnostics(failures=(str(error),)), {}, np.empty(0))
    chains = {str(name): values.values for name, values in posterior.items()}
    draws = {name: values.reshape(-1, *values.shape[2:]) for name, values in chains.items()}
    size = len(draws["beta"])
    return RegressionFit(case, NUTS, sampler, diagnose(_checked(case, chains), stats, level=case.without.level), draws,
                         np.full(size, 1.0 / size))


def _checked(case: RegressionCase, draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What must have converged: all that is reported, and the cells' distribution where it counts.

    Shape (chain, draw), or (draw,) for weighted draws.
    The scale of the slopes is judged by the slopes. The intercept is judged on the scale of the linear predictor, and
    mean and standard deviation of cells as their quotient and logarithm: a few cells leave them long tails, whose ends
    no result rests on.
    """
    heterogeneity = case.regression.heterogeneity
    checked = {"intercept": case.regression.intercept(draws), heterogeneity: draws[heterogeneity]}
    for at in np.flatnonzero(case.used):
        name, sd = case.columns[at].name, draws["covariate_sd"][..., at]
        checked[f"beta {name}"] = draws["beta"][..., at]
        if case.columns[at].missing.any():
            checked[f"covariate_mean {name}"] = draws["covariate_mean"][..., at] / sd
            checked[f"covariate_sd {name}"] = np.log(sd)
    return checked
