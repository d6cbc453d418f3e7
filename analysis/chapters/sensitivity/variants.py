"""One refit as a value: what it changes, and the model, priors and studies that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.cases.hazards import NO_INTERVAL_FACTOR, as_studies, convert
from analysis.cases.selection import ALL, Selection, select
from analysis.cases.settings import Job
from analysis.chapters.sensitivity.names import HEADLINE
from analysis.evidence import Endpoint, Evidence, Response, Survival
from analysis.inference.fitting import model_for, priors_of
from models.model import Model
from models.priors import Prior
from models.studies import RateStudies, Studies

Row = Response | Survival


@dataclass(frozen=True)
class Variant:
    """One refit.

    Parameters
    ----------
    dimension : str
        The kind of choice that is changed; "headline" for the headline itself.
    label : str
        What is chosen instead.
    tiers, study_set : str
        Which rows of the evidence may count.
    factor : float or None
        Multiplies the standard error of a survival statistic without an interval; None for rates.
    refused : str
        Why these rows are not pooled; the studies are the headline's then.
    """

    dimension: str
    label: str
    model: Model
    priors: Mapping[str, Prior]
    studies: Studies
    tiers: str
    study_set: str
    factor: float | None = None
    refused: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """Everything the posterior depends on, to be compared with that of another variant."""
        columns = (np.asarray(getattr(self.studies, name)).tolist() for name in self.studies.__dataclass_fields__)
        return self.model.name, tuple(map(str, self.priors.values())), repr(list(columns)), self.refused


@dataclass(frozen=True)
class Case:
    """An endpoint with its headline, from which variants depart.

    Parameters
    ----------
    job : Job
        The headline's: its question is about this endpoint and all studies.
    selection : Selection
        The headline's rows.
    """

    evidence: Evidence
    job: Job
    selection: Selection
    headline: Variant

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint."""
        return self.selection.endpoint

    @property
    def is_rate(self) -> bool:
        """Whether the endpoint is a rate rather than a survival probability."""
        return self.endpoint.kind == "rate"

    @property
    def rows(self) -> tuple[Row, ...]:
        """The headline's rows of the evidence."""
        return self.selection.rows

    def variant(self, dimension: str, label: str, *, rows: Sequence[Row] | None = None, studies: Studies | None = None,
                model: Model | None = None, priors: Mapping[str, Prior] | None = None, tiers: str | None = None,
                study_set: str | None = None, factor: float | None = None) -> Variant:
        """The headline with what is given in its place; `rows` become studies as those of the headline do."""
        factor = self.headline.factor if factor is None else factor
        if rows is not None:
            studies = typed(rows, horizon=self.selection.horizon, factor=factor)
        changed = {"model": model, "priors": priors, "studies": studies, "tiers": tiers, "study_set": study_set}
        return replace(self.headline, dimension=dimension, label=label, factor=factor,
                       **{name: value for name, value in changed.items() if value is not None})


def case_of(evidence: Evidence, base_job: Job, endpoint: str) -> Case | None:
    """The endpoint's headline over all studies, None where no study has a row.

    Parameters
    ----------
    base_job : Job
        Carries tiers, set, horizon, priors and level; its endpoint, subset and model are replaced.
    """
    question = replace(base_job.question, endpoint=endpoint, subset=ALL)
    selection = select(evidence, question)
    if not selection.rows:
        return None
    model = model_for(selection.endpoint.kind, None)
    job = replace(base_job, question=question, model=model.name)
    priors = own_priors(model, job)
    factor = NO_INTERVAL_FACTOR if model.kind == "survival" else None
    studies = typed(selection.rows, horizon=selection.horizon, factor=factor)
    headline = Variant(HEADLINE, HEADLINE, model, priors, studies, question.tiers, question.study_set, factor)
    return Case(evidence, job, selection, headline)


def own_priors(model: Model, job: Job) -> dict[str, Prior]:
    """A model's priors with those replacements of the run that it has a parameter for."""
    return priors_of(model, replace(job, priors=tuple(pair for pair in job.priors if pair[0] in model.priors)))


def typed(rows: Sequence[Row], *, horizon: float, factor: float | None = None) -> Studies:
    """The model's input from rows of one table; `horizon` and `factor` are for survival."""
    if isinstance(rows[0], Survival):
        return as_studies(convert(rows, horizon=horizon, factor=NO_INTERVAL_FACTOR if factor is None else factor))
    return RateStudies([row.study_id for row in rows], [row.events for row in rows], [row.n for row in rows])
