"""Which fits a report needs: the headline of every endpoint and subset, and what stands beside it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from analysis.cases.case import priors_of
from analysis.cases.selection import candidates, is_early, refuse_shared_patients, subset_names
from analysis.cases.settings import ALL, BESIDE, EXACT, HEADLINE, INDEPENDENT, QUICK, Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Endpoint
from analysis.results.comparison import BESIDE_TIERS, compared_questions
from analysis.system.errors import UsageError
from models import all_models, models_of


def plan(evidence: Evidence, base: Job, *, quick: bool = False, compared_only: bool = False) -> list[Job]:
    """All fits of a report, each once.

    Parameters
    ----------
    evidence : Evidence
    base : Job
        Carries tiers, set, horizon, priors, seed and level; its endpoint and subset are replaced.
    quick : bool
        Short chains everywhere.
    compared_only : bool
        Only what a comparison with published numbers needs.

    Raises
    ------
    SharedPatients
        With one line for each pair of studies that some fit of the base's tiers would count twice.
    """
    reported = compared_questions(evidence)
    jobs: dict[Job, None] = {}
    for endpoint in evidence.endpoints:
        tables = (evidence.responses, evidence.survival, evidence.patients)
        if not any(row.endpoint == endpoint.endpoint for table in tables for row in table):
            continue
        for subset in subset_names(evidence):
            question = replace(base.question, endpoint=endpoint.endpoint, subset=subset)
            asked = (endpoint.endpoint, subset) in reported
            if asked or not compared_only:
                jobs |= dict.fromkeys(_of_question(evidence, endpoint, base, question, sampled=asked or subset == ALL,
                                                   others=subset == ALL and not compared_only))
    headlines = dict.fromkeys(job.question for job in jobs if job.question.tiers == base.question.tiers)
    refuse_shared_patients(evidence, (candidates(evidence, question) for question in headlines))
    checked = set() if compared_only else _checked(evidence, jobs)
    return [_with_own_priors(_engine(job, base, sampled=job in checked, quick=quick)) for job in jobs]


def _checked(evidence: Evidence, jobs: Iterable[Job]) -> set[Job]:
    """Of the fits that quadrature makes, those that are sampled as a check.

    The largest and the smallest of each model that is sampled anyway: another one would be compiled for them alone.
    """
    jobs = tuple(jobs)
    compiled = {job.model for job in jobs if job.engine != EXACT}
    sizes: dict[str, list[tuple[int, Job]]] = {}
    for job in jobs:
        studies = len(candidates(evidence, job.question).study_ids)
        if job.engine == EXACT and job.model in compiled and studies:
            sizes.setdefault(job.model, []).append((studies, job))
    return {choose(fits, key=lambda fit: fit[0])[1] for fits in sizes.values() for choose in (min, max)}


def _engine(job: Job, base: Job, *, sampled: bool, quick: bool) -> Job:
    """Quadrature is exact and fast; what the answer and the comparison rest on is sampled as well."""
    if base.engine == EXACT or (job.engine == EXACT and not sampled):
        return replace(job, engine=EXACT, fallback=base.engine != EXACT, sampler=INDEPENDENT)
    return replace(job, engine=base.engine, sampler=QUICK if quick else job.sampler)


def bundles(evidence: Evidence, jobs: Sequence[Job]) -> list[tuple[Job, ...]]:
    """Jobs that one fit answers together, because subset, tiers or set make no difference to the rows.

    The job with the longest chains comes first in each, so that it sets the pace.
    """
    alike: dict[tuple, list[Job]] = {}
    for job in jobs:
        rows = candidates(evidence, job.question).rows
        question, content = job.question, rows or job.question  # without rows there is no fit to share
        alike.setdefault((question.endpoint, job.model, job.priors, job.level, question.horizon, job.engine, content),
                         []).append(job)
    return [tuple(sorted(bundle, key=lambda job: -job.sampler.draws)) for bundle in alike.values()]


def _of_question(evidence: Evidence, endpoint: Endpoint, base: Job, question: Question, *, sampled: bool,
                 others: bool) -> Iterator[Job]:
    """The headline of a question and what stands beside it, the latter by quadrature."""
    headline, *alternatives = (model for model in models_of(endpoint.kind) if model.takes is None)
    job = replace(base, question=question, model=headline.name,
                  sampler=HEADLINE if question.subset == ALL else BESIDE)
    beside = replace(job, engine=EXACT, sampler=BESIDE)
    yield job if sampled else beside
    rows = (row for row in (*evidence.responses, *evidence.survival) if row.endpoint == endpoint.endpoint)
    if sampled and any(row.tier for row in rows):
        for letters in BESIDE_TIERS:
            if letters != question.tiers:
                yield replace(beside, question=replace(question, tiers=letters))
    if others:
        for model in alternatives:
            # Without a density there is no quadrature.
            yield replace(beside if model.marginal else replace(job, sampler=BESIDE), model=model.name)
        selection = candidates(evidence, question)
        if any(is_early(row, selection.horizon) for row in selection.rows):
            yield replace(beside, question=replace(question, early_landmarks=False))


def _with_own_priors(job: Job) -> Job:
    """A report's --prior goes to the models that have the parameter."""
    parameters = all_models()[job.model].priors
    return replace(job, priors=tuple((name, text) for name, text in job.priors if name in parameters))


def check_priors(base: Job) -> None:
    """Raise UsageError where a prior of the command line fits no model."""
    models = [model for kind in ("rate", "survival") for model in models_of(kind)]
    for name, text in base.priors:
        owners = [model for model in models if name in model.priors]
        if not owners:
            parameters = sorted({parameter for model in models for parameter in model.priors})
            raise UsageError(f"no model has a parameter {name!r}; there are {', '.join(parameters)}")
        for model in owners:
            priors_of(model, replace(base, priors=((name, text),)))
