"""One regression: typed studies and columns to draws with diagnostics."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.cases.covariates import Column, as_covariates
from analysis.cases.settings import IMPORTANCE, NUTS, Job, Sampler, derive_seed, more_careful
from analysis.inference.density import Density, density_of
from analysis.inference.diagnostics import Diagnostics, diagnose, diagnose_weighted, without_chains
from analysis.inference.grid import Grid, QuadratureFailed, solve
from analysis.inference.importance import importance_draws
from analysis.inference.laplace import Target
from analysis.inference.nuts import SamplingFailed, sample_graph, told
from analysis.system.errors import UsageError
from models import beta_binomial_regression, log_hazard_regression
from models.model import Draws
from models.priors import Prior, parse_prior
from models.regression import PER_COVARIATE, Regression, marginal_model
from models.studies import Studies

ONE, TOGETHER, COMPLETE = "one_at_a_time", "together", "complete_case"
_REGRESSIONS = {module.REGRESSION.base.kind: module.REGRESSION
                for module in (beta_binomial_regression, log_hazard_regression)}
POINTS, POINTS_TOGETHER = 4096, 16_384
"""Weighted draws of one slope, and of slopes that share a scale, whose tails are longer; powers of 2."""

# Slopes that share an unknown scale have long tails, whose ends need more draws, and a neck, which needs short steps.
_LONGER_TOGETHER, _STEPS_TOGETHER = 2, 0.95


@dataclass(frozen=True)
class Task:
    """One regression to be made.

    Parameters
    ----------
    analysis : {"one_at_a_time", "together", "complete_case"}
    columns : tuple of Column
        One, or all that share a scale.
    used : tuple of bool
        Which columns enter; the others are there so that the compiled model keeps its shape.
    """

    analysis: str
    regression: Regression
    studies: Studies
    columns: tuple[Column, ...]
    used: tuple[bool, ...] = (True,)

    @property
    def together(self) -> bool:
        """Whether the slopes share a scale."""
        return self.analysis == TOGETHER

    def refusal(self, endpoint: str, at: int) -> str:
        """Why there are too few studies for the slope of a column; empty for enough."""
        if self.together and sum(self.used) < 2:
            return (f"{endpoint} on all covariates: {sum(self.used)} covariates with enough studies, at least 2 are "
                    "needed")
        return self.columns[at].refusal(endpoint, complete=self.analysis == COMPLETE)

    def target(self, priors: Mapping[str, Prior], density: Density) -> Target:
        """What weighted draws are sought of: the columns that enter.

        Parameters
        ----------
        density : Density
            Of the same studies without covariates.
        """
        columns = tuple(column for column, used in zip(self.columns, self.used, strict=True) if used)
        covariates = as_covariates(columns, (True,) * len(columns))
        return Target(self.regression, self.studies, covariates, priors, self.together, density)

    def seed(self, job: Job) -> int:
        """Of the draws: the same numbers have the same one, whatever question they answer."""
        studies = [np.asarray(getattr(self.studies, name)).tolist() for name in self.studies.__dataclass_fields__]
        # Rounded, so that the same column in another unit has the same draws.
        columns = [(column.name, [f"{value:.6g}" for value in (column.prior_step, *column.values)])
                   for column in self.columns]
        return derive_seed(job.seed, job.question.endpoint, self.regression.base.name, self.analysis,
                           repr([studies, columns, self.used]))


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

    task: Task
    priors: Mapping[str, Prior]
    seed: int
    engine: str
    sampler: Sampler
    diagnostics: Diagnostics
    draws: Draws = field(repr=False)
    weights: np.ndarray = field(repr=False)


def regression_of(kind: str) -> Regression:
    """The regression model of a kind of endpoint."""
    return _REGRESSIONS[kind]


def regression_priors(regression: Regression, job: Job) -> dict[str, Prior]:
    """The model's priors with the job's replacements.

    Raises
    ------
    UsageError
        When an expression is no prior, or the parameter does not exist or has another support.
    """
    try:
        return regression.with_priors({name: parse_prior(text) for name, text in job.priors})
    except ValueError as error:
        raise UsageError(str(error)) from None


def fit(task: Task, job: Job, *, grid: Grid | None = None, cores: int = 1, careful: bool = True) -> RegressionFit:
    """Make one regression; once more, longer or with shorter steps, where the diagnostics ask for it.

    Weighted draws whose weights cannot be trusted, or that have no place to start from, give way to chains.

    Parameters
    ----------
    grid : Grid or None
        Posterior of the same studies without covariates, as `without_covariates` finds it; None finds it here.
    careful : bool
        False makes no second attempt, for simulations in which every data set must count the same.
    """
    priors = regression_priors(task.regression, job)
    if job.engine == IMPORTANCE:
        weighted = _weighted(task, job, priors, grid or without_covariates(task, priors), careful=careful)
        if weighted and (weighted.diagnostics.converged or not careful):
            return weighted
    sampler = job.sampler
    if task.together:
        sampler = replace(sampler, draws=_LONGER_TOGETHER * sampler.draws, target_accept=_STEPS_TOGETHER)
    sampled = _sampled(task, job, priors, sampler, cores)
    if careful and sampled.diagnostics.remedy:
        sampled = _sampled(task, job, priors, more_careful(sampler, sampled.diagnostics.remedy), cores)
    return sampled


def without_covariates(task: Task, priors: Mapping[str, Prior]) -> Grid | None:
    """Posterior of the same studies without covariates, by quadrature; None where it does not settle."""
    model = task.regression.base
    try:
        return solve(density_of(model, task.studies, {name: priors[name] for name in model.priors}))
    except QuadratureFailed:
        return None


def _weighted(task: Task, job: Job, priors: Mapping[str, Prior], grid: Grid | None, *,
              careful: bool) -> RegressionFit | None:
    """Independent weighted draws, four times as many where the first are not enough; None without a place to start."""
    if grid is None:
        return None
    target = task.target(priors, grid.density)
    size = POINTS_TOGETHER if task.together else POINTS
    try:
        fitted = _weighted_draws(task, job, target, size)
        return _weighted_draws(task, job, target, 4 * size) if careful and fitted.diagnostics.remedy else fitted
    except (np.linalg.LinAlgError, QuadratureFailed):
        return None


def _weighted_draws(task: Task, job: Job, target: Target, size: int) -> RegressionFit:
    seed = task.seed(job)
    weighted = importance_draws(target, size=size, seed=seed)
    draws = dict(weighted.draws)
    for name in PER_COVARIATE:
        # Columns that are not used have no draws.
        draws[name] = np.full((len(weighted.weights), len(task.columns)), np.nan)
        draws[name][:, np.array(task.used)] = weighted.draws[name]
    with np.errstate(divide="ignore"):
        checked = _checked(task, draws)
    diagnostics = diagnose_weighted(checked, weighted.weights, weighted.pareto_k, level=job.level)
    return RegressionFit(task, target.priors, seed, IMPORTANCE, replace(job.sampler, chains=1, tune=0, draws=size),
                         diagnostics, draws, weighted.weights)


def _sampled(task: Task, job: Job, priors: Mapping[str, Prior], sampler: Sampler, cores: int) -> RegressionFit:
    regression, seed = task.regression, task.seed(job)
    covariates = as_covariates(task.columns, task.used)
    try:
        posterior, stats = sample_graph(
            lambda: marginal_model(regression, task.studies, covariates, priors, together=task.together),
            regression.data(task.studies, covariates),
            key=(f"{regression.base.name} regression", task.together, len(task.columns), *told(priors)),
            keep=(regression.location, regression.heterogeneity, *PER_COVARIATE), sampler=sampler, seed=seed,
            cores=cores)
    except SamplingFailed as error:
        return RegressionFit(task, priors, seed, NUTS, sampler, without_chains(failures=(str(error),)), {}, np.empty(0))
    chains = {str(name): values.values for name, values in posterior.items()}
    draws = {name: values.reshape(-1, *values.shape[2:]) for name, values in chains.items()}
    size = len(draws["beta"])
    return RegressionFit(task, priors, seed, NUTS, sampler, diagnose(_checked(task, chains), stats, level=job.level),
                         draws, np.full(size, 1.0 / size))


def _checked(task: Task, draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What must have converged: all that is reported, and the cells' distribution where it counts.

    Shape (chain, draw), or (draw,) for weighted draws.
    The scale of the slopes is judged by the slopes. The intercept is judged on the scale of the linear predictor, and
    mean and standard deviation of cells as their quotient and logarithm: a few cells leave them long tails, whose ends
    no result rests on.
    """
    heterogeneity = task.regression.heterogeneity
    checked = {"intercept": task.regression.intercept(draws), heterogeneity: draws[heterogeneity]}
    for at in np.flatnonzero(task.used):
        name, sd = task.columns[at].name, draws["covariate_sd"][..., at]
        checked[f"beta {name}"] = draws["beta"][..., at]
        if task.columns[at].missing.any():
            checked[f"covariate_mean {name}"] = draws["covariate_mean"][..., at] / sd
            checked[f"covariate_sd {name}"] = np.log(sd)
    return checked
