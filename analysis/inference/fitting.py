"""From a question to a fit: rows, typed studies, posterior, diagnostics and estimates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.cases.hazards import Conversion, as_studies, convert
from analysis.cases.selection import Question, Selection, select
from analysis.cases.settings import Job, Sampler, derive_seed, more_careful
from analysis.evidence import Evidence
from analysis.inference import estimands
from analysis.inference.agreement import Agreement, agreements, with_agreement
from analysis.inference.conflict import Check, check
from analysis.inference.density import density_of
from analysis.inference.diagnostics import Diagnostics, diagnose, without_chains
from analysis.inference.draws import draw
from analysis.inference.estimands import SPREADS, Estimate, Quantity
from analysis.inference.grid import QuadratureFailed, solve
from analysis.inference.many_studies import estimates_of_many, is_many, warnings_of
from analysis.inference.nuts import flat, sample
from analysis.inference.pooled import ExactQuantity, pooled
from analysis.system.errors import UsageError
from models import all_models, models_of
from models.model import Model
from models.priors import Prior, parse_prior
from models.studies import RateStudies, Studies


class NoStudies(UsageError):
    """No row answers the question; the message says what was looked for."""


@dataclass(frozen=True)
class Fit:
    """A posterior with all that is needed to judge it; `estimates` is empty where the diagnostics fail.

    `sampler` is what was used: the job's, or the more careful one of a second attempt. `estimates` are the engine's
    own. `exact` holds the exact distributions of the pooled estimands, and is empty where the quadrature did not
    settle; `log_evidence` is None then, and the priors are not checked. `agreement` sets both engines side by side
    where one of them sampled.
    """

    job: Job
    sampler: Sampler
    model: str
    selection: Selection
    studies: Studies
    conversions: tuple[Conversion, ...]
    priors: Mapping[str, Prior]
    seed: int
    diagnostics: Diagnostics
    estimates: tuple[Estimate, ...]
    posterior: xr.Dataset = field(repr=False)
    sample_stats: xr.Dataset = field(repr=False)
    quantities: tuple[Quantity, ...] = field(repr=False)
    exact: tuple[ExactQuantity, ...] = field(default=(), repr=False)
    agreement: tuple[Agreement, ...] = ()
    log_evidence: float | None = None
    prior_check: Check = Check()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know about the rows and the priors."""
        return (*self.selection.warnings, *warnings_of(self.studies), *self.prior_check.warnings)

    @property
    def printed(self) -> tuple[Estimate, ...]:
        """The estimates as readers get them: pooled ones by quadrature, so that no Monte-Carlo error moves a digit.

        What hangs on them is computed by quadrature, too, and so repeats the same numbers. Estimates of single
        studies, and all where the quadrature did not settle, are the engine's own. `mcse` stays that of the draws,
        which are what is saved.
        """
        own = {found.name: found for found in self.exact}
        names = [row.estimand if row.time_months is None else f"{row.estimand}_{row.time_months:g}m"
                 for row in self.estimates]
        return tuple(replace(own[name].estimate(self.job.level), mcse=row.mcse)
                     if row.study_id is None and name in own else row
                     for name, row in zip(names, self.estimates, strict=True))


def model_for(selection_kind: str, name: str | None) -> Model:
    """The named model, or the headline one of the kind.

    Raises
    ------
    UsageError
        When the model is unknown or made for the other kind of endpoint.
    """
    if name is None:
        return models_of(selection_kind)[0]
    known = all_models()
    if name not in known:
        raise UsageError(f"unknown model {name!r}; there are {', '.join(known)}")
    if known[name].kind != selection_kind:
        fitting = ", ".join(model.name for model in models_of(selection_kind))
        raise UsageError(f"{name} is a model of {known[name].kind} endpoints; for this one take {fitting}")
    return known[name]


def priors_of(model: Model, job: Job) -> dict[str, Prior]:
    """The model's priors with the job's replacements.

    Raises
    ------
    UsageError
        When an expression is no prior, or the parameter does not exist or has another support.
    """
    try:
        return model.with_priors({name: parse_prior(text) for name, text in job.priors})
    except ValueError as error:
        raise UsageError(str(error)) from None


def typed_studies(selection: Selection) -> tuple[Studies, tuple[Conversion, ...]]:
    """The model's input; for survival with the conversion of each study."""
    if selection.endpoint.kind == "survival":
        conversions = convert(selection.rows, horizon=selection.horizon)
        return as_studies(conversions), conversions
    rows = selection.rows
    return RateStudies([row.study_id for row in rows], [row.events for row in rows], [row.n for row in rows]), ()


def run(evidence: Evidence, job: Job, *, cores: int = 2) -> Fit:
    """Make one fit.

    Raises
    ------
    UsageError
        When endpoint, subset, model or prior do not exist or do not go together.
    NoStudies
        When no row answers the question.
    """
    selection = select(evidence, job.question)
    model = model_for(selection.endpoint.kind, job.model)
    priors_of(model, job)
    if not selection.rows:
        raise NoStudies(no_study(job.question, (selection,)))
    seed = derive_seed(job.seed, job.question.endpoint, model.name, _content(typed_studies(selection)[0]))
    fit = _fit(job, model, selection, seed, cores)
    if fit.diagnostics.remedy:
        again = replace(job, sampler=more_careful(job.sampler, fit.diagnostics.remedy))
        fit = replace(_fit(again, model, selection, seed, cores), job=job)
    return fit


def no_study(question: Question, found: Sequence[Selection], what: str = "") -> str:
    """That no row answers a question, and why the rows of its endpoint do not; `what` stands for the endpoint."""
    reasons = Counter(item.reason for selection in found for item in selection.left_out)
    text = "; ".join(f"{count} row{"" if count == 1 else "s"}: {reason}" for reason, count in reasons.items())
    return (f"no study with {what or question.endpoint} in subset {question.subset}, set {question.study_set}, "
            f"tiers {question.tiers}" + (f" ({text})" if text else ""))


def _content(studies: Studies) -> str:
    """The numbers of the studies as text: the same for any question that they answer."""
    columns = {name: np.asarray(getattr(studies, name)) for name in studies.__dataclass_fields__}
    # Seeds of evidence without counts at a landmark do not depend on whether the model knows such counts.
    return repr([column.tolist() for name, column in columns.items() if name != "landmark_months" or column.any()])


def _fit(job: Job, model: Model, selection: Selection, seed: int, cores: int) -> Fit:
    priors = priors_of(model, job)
    studies, conversions = typed_studies(selection)
    engine = _exact if job.engine == "exact" else _sampled
    made = engine(job, model, studies, priors, selection, seed, cores)
    estimates = made.pop("estimates")
    if is_many(studies) and made["diagnostics"].converged:
        rng = np.random.default_rng([seed, 3])
        estimates += estimates_of_many(lambda draws, part: _quantities(model, draws, part, job, selection, rng),
                                       flat(made["posterior"]), studies, chains=job.sampler.chains, level=job.level)
    return Fit(job=job, sampler=job.sampler, model=model.name, selection=selection, studies=studies,
               conversions=conversions, priors=priors, seed=seed,
               estimates=tuple(estimates) if made["diagnostics"].converged else (), **made)


def _sampled(job: Job, model: Model, studies: Studies, priors: Mapping[str, Prior], selection: Selection, seed: int,
             cores: int) -> dict[str, Any]:
    """What the sampler contributes to a fit, held against the exact engine where that one settles."""
    posterior, stats = sample(model, studies, priors, sampler=job.sampler, seed=seed, cores=cores)
    draws = flat(posterior)
    quantities = _quantities(model, draws, studies, job, selection, np.random.default_rng([seed, 1]))
    diagnostics = _diagnose(model, draws, quantities, stats, job)
    agreement, exact, log_evidence, checked = (), (), None, Check()
    try:
        grid = solve(density_of(model, studies, priors))
    except QuadratureFailed:
        pass
    else:
        exact = pooled(grid, horizon=selection.horizon)
        agreement = agreements(quantities, exact, chains=job.sampler.chains, level=job.level)
        diagnostics = with_agreement(diagnostics, agreement, grid.error)
        log_evidence = grid.log_evidence
        checked = check(grid, studies, horizon=selection.horizon, level=job.level)
    return {"posterior": posterior, "sample_stats": stats, "quantities": tuple(quantities),
            "diagnostics": diagnostics, "agreement": agreement, "exact": exact, "log_evidence": log_evidence,
            "prior_check": checked,
            "estimates": _summaries(quantities, selection, job)}


def _exact(job: Job, model: Model, studies: Studies, priors: Mapping[str, Prior], selection: Selection, seed: int,
           cores: int) -> dict[str, Any]:
    """What quadrature contributes to a fit; study effects and the saved posterior are independent draws from it."""
    grid = solve(density_of(model, studies, priors))
    draws = draw(grid, job.sampler.chains * job.sampler.draws, np.random.default_rng([seed, 2]))
    quantities = _quantities(model, draws, studies, job, selection, np.random.default_rng([seed, 1]))
    exact = pooled(grid, horizon=selection.horizon)
    own = {found.name: [found.estimate(job.level)] for found in exact}
    estimates = [row for quantity in quantities
                 for row in own.get(quantity.name) or _summaries([quantity], selection, job, independent=True)]
    shape = (job.sampler.chains, job.sampler.draws)
    posterior = xr.Dataset({name: (("chain", "draw"), values.reshape(shape)) for name, values in draws.items()},
                           {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])})
    return {"posterior": posterior, "sample_stats": xr.Dataset(), "quantities": tuple(quantities),
            "diagnostics": without_chains(quadrature_error=grid.error), "exact": exact,
            "log_evidence": grid.log_evidence, "estimates": estimates,
            "prior_check": check(grid, studies, horizon=selection.horizon, level=job.level)}


def _summaries(quantities: Sequence[Quantity], selection: Selection, job: Job, *,
               independent: bool = False) -> list[Estimate]:
    return [row for quantity in quantities for row in estimands.summarise(
        quantity, selection.study_ids, chains=job.sampler.chains, level=job.level, independent=independent)]


def _quantities(model: Model, draws: Mapping[str, np.ndarray], studies: Studies, job: Job, selection: Selection,
                rng: np.random.Generator) -> list[Quantity]:
    population, many = model.population(draws), is_many(studies)
    effects = np.empty((draws[next(iter(draws))].size, 0)) if many else model.study_effects(draws, studies, rng)
    new = model.new_study(draws, rng)
    if model.kind == "rate":
        found = estimands.rate_quantities(population, effects, new)
    else:
        found = estimands.survival_quantities(population, effects, new, horizon=selection.horizon)
    return [replace(quantity, moments=quantity.estimand not in model.without_moments) for quantity in found
            if quantity.draws.ndim == 1 or not many]


def _diagnose(model: Model, draws: Mapping[str, np.ndarray], quantities: list[Quantity], stats: xr.Dataset,
              job: Job) -> Diagnostics:
    # Without moments there is no SD to measure an error by; the log has one, and the same quantiles.
    pooled = {quantity.name: quantity.draws if quantity.moments else np.log(quantity.draws)
              for quantity in quantities if quantity.draws.ndim == 1 and np.ptp(quantity.draws) > 0}
    checked = {name: values.reshape(job.sampler.chains, -1) for name, values in {**draws, **pooled}.items()}
    return diagnose(checked, stats, level=job.level, heterogeneity=(*SPREADS, list(model.priors)[1]))


def interval_probability(fit: Fit, estimand: str, months: float, low: float, high: float) -> float | None:
    """Posterior probability that an estimand lies in a given interval; None where the fit has it at other months."""
    wanted = (estimand, f"{estimand}_{months:g}m")
    exact = next((found.distribution for found in fit.exact if found.name in wanted), None)
    if exact:
        return float(exact.cdf(high) - exact.cdf(low))
    draws = next((quantity.draws for quantity in fit.quantities if quantity.name in wanted), None)
    return None if draws is None else float(np.mean((draws >= low) & (draws <= high)))
