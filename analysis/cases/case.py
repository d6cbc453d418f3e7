"""A question, ready for a model: which rows answer it, what they say about each study, and under which priors."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from analysis.cases.curves import curve_studies
from analysis.cases.hazards import NO_INTERVAL_FACTOR, Conversion, as_studies, convert
from analysis.cases.selection import Selection, of_curves, select
from analysis.cases.settings import ALL, Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Response, Survival
from analysis.system.errors import UsageError
from models import all_models, models_of
from models.model import Model
from models.priors import Prior, parse_prior
from models.studies import CurveStudies, RateStudies, Studies

Row = Response | Survival


class NoStudies(UsageError):
    """No row answers the question; the message says what was looked for."""


@dataclass(frozen=True, eq=False)
class Case:
    """One question with everything that its posterior depends on.

    Parameters
    ----------
    job : Job
        How it is to be fitted: question, sampler, seed, level and engine.
    selection : Selection
    model : Model
    priors : mapping of str to Prior
    studies : RateStudies or HazardStudies
    conversions : tuple of Conversion
        How each study's log hazard came about; empty for rates.
    """

    job: Job
    selection: Selection
    model: Model
    priors: Mapping[str, Prior]
    studies: Studies
    conversions: tuple[Conversion, ...] = ()

    @property
    def question(self) -> Question:
        """What is asked."""
        return self.job.question

    @property
    def horizon(self) -> float | None:
        """Months at which survival is read; None for a rate."""
        return self.selection.horizon if self.model.kind == "survival" else None

    @property
    def level(self) -> float:
        """Probability of the intervals."""
        return self.job.level

    @property
    def key(self) -> tuple[object, ...]:
        """What the posterior of the hyperparameters depends on, to be compared with that of another case."""
        priors = tuple((name, prior.exact()) for name, prior in self.priors.items())
        return self.model.name, priors, self.studies.content

    def but(self, *, rows: Sequence[Row] | None = None, studies: Studies | None = None, model: Model | None = None,
            priors: Mapping[str, Prior] | None = None, question: Question | None = None,
            factor: float = NO_INTERVAL_FACTOR) -> Self:
        """The same case with what is given in its place.

        Parameters
        ----------
        rows : sequence of Response or Survival
            Become studies as those of the case did.
        model : Model
            With the priors that this case's job gives it, unless `priors` are given.
        factor : float
            Multiplies the standard errors of `rows` without an interval.
        """
        job = replace(self.job, question=question or self.question, model=(model or self.model).name)
        selection = self.selection if rows is None else replace(self.selection, rows=tuple(rows))
        if rows is not None or (studies is None and model is not None and model.takes is not self.model.takes):
            studies, conversions = typed_studies(selection, takes=(model or self.model).takes, factor=factor)
        else:
            studies, conversions = (self.studies, self.conversions) if studies is None else (studies, ())
        if priors is None:
            priors = self.priors if model is None else own_priors(model, job)
        return replace(self, job=job, selection=selection, model=model or self.model, priors=priors, studies=studies,
                       conversions=conversions)

    def adding(self, row: Row) -> Self:
        """The case with one more study, of which this row is all that is known."""
        curves = (*self.selection.curves, row) if isinstance(row, Survival) else ()
        selection = replace(self.selection, rows=(*self.selection.rows, row), curves=curves)
        studies, conversions = typed_studies(selection, takes=self.model.takes)
        return replace(self, selection=selection, studies=studies, conversions=conversions)

    def take(self, study_ids: Iterable[str]) -> Self:
        """The case with only these of its studies."""
        kept = set(study_ids)
        rows, curves, conversions = (tuple(row for row in rows if row.study_id in kept) for rows in (
            self.selection.rows, self.selection.curves, self.conversions))
        studies = self.studies.take(np.array([name in kept for name in self.studies.study_ids], dtype=bool))
        return replace(self, selection=replace(self.selection, rows=rows, curves=curves), studies=studies,
                       conversions=conversions)


def case_of(evidence: Evidence, job: Job, *, shared_priors: bool = False) -> Case:
    """The case of a job; one without studies is a case, too.

    Parameters
    ----------
    shared_priors : bool
        Whether the job's priors are those of a whole run, of which each model takes its own; otherwise a prior of
        another model's parameter is refused.

    Raises
    ------
    UsageError
        When endpoint, subset, model or prior do not exist or do not go together, or studies share patients.
    """
    selection = select(evidence, job.question)
    model = model_for(selection.endpoint.kind, job.model)
    selection = of_curves(selection) if model.takes is CurveStudies else selection
    priors = own_priors(model, job) if shared_priors else priors_of(model, job)
    return Case(replace(job, model=model.name), selection, model, priors,
                *typed_studies(selection, takes=model.takes))


def headline_case(evidence: Evidence, base: Job, endpoint: str, subset: str = ALL) -> Case:
    """The headline of an endpoint over all studies, or those of a subset.

    Parameters
    ----------
    base : Job
        Carries tiers, set, horizon, priors and level of a run; its endpoint and subset are replaced.
    """
    question = replace(base.question, endpoint=endpoint, subset=subset)
    return case_of(evidence, replace(base, question=question), shared_priors=True)


def model_for(kind: str, name: str | None) -> Model:
    """The named model, or the headline one of the kind of endpoint.

    Raises
    ------
    UsageError
        When the model is unknown or made for the other kind of endpoint.
    """
    if name is None:
        return models_of(kind)[0]
    models = all_models()
    if name not in models:
        raise UsageError(f"unknown model {name!r}; there are {', '.join(models)}")
    if models[name].kind != kind:
        fitting = ", ".join(model.name for model in models_of(kind))
        raise UsageError(f"{name} is a model of {models[name].kind} endpoints; for this one take {fitting}")
    return models[name]


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


def own_priors(model: Model, job: Job) -> dict[str, Prior]:
    """The model's priors with those of the job's replacements that it has a parameter for."""
    return priors_of(model, replace(job, priors=tuple(pair for pair in job.priors if pair[0] in model.priors)))


def typed_studies(selection: Selection, *, takes: type | None = None,
                  factor: float = NO_INTERVAL_FACTOR) -> tuple[Studies, tuple[Conversion, ...]]:
    """The model's input; for survival with the conversion of each study.

    Parameters
    ----------
    takes : type or None
        CurveStudies for the points of curves.
    factor : float
        Multiplies the standard error of a survival statistic without an interval.
    """
    if selection.endpoint.kind == "survival":
        conversions = convert(selection.rows, horizon=selection.horizon, factor=factor)
        return curve_studies(selection.curves) if takes is CurveStudies else as_studies(conversions), conversions
    rows = selection.rows
    return RateStudies([row.study_id for row in rows], [row.events for row in rows], [row.n for row in rows]), ()


def no_study(question: Question, selections: Sequence[Selection], what: str = "") -> str:
    """That no row answers a question, and why the rows of its endpoint do not; `what` stands for the endpoint."""
    reasons = Counter(item.reason for selection in selections for item in selection.left_out)
    text = "; ".join(f"{count} row{"" if count == 1 else "s"}: {reason}" for reason, count in reasons.items())
    return (f"no study with {what or question.endpoint} in subset {question.subset}, set {question.study_set}, "
            f"tiers {question.tiers}" + (f" ({text})" if text else ""))
