"""One refit as a value: what it changes, and the case that follows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.cases.case import Case, Row, headline_case
from analysis.cases.hazards import NO_INTERVAL_FACTOR
from analysis.cases.selection import Selection
from analysis.cases.settings import Job
from analysis.chapters.sensitivity.names import HEADLINE
from analysis.evidence import Endpoint, Evidence


@dataclass(frozen=True)
class Variant:
    """One refit.

    Parameters
    ----------
    dimension : str
        The kind of choice that is changed; "headline" for the headline itself.
    label : str
        What is chosen instead.
    factor : float or None
        Multiplies the standard error of a survival statistic without an interval; None for rates.
    refused : str
        Why these rows are not pooled; the studies are the headline's then.
    """

    dimension: str
    label: str
    case: Case
    factor: float | None = None
    refused: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """Everything the posterior depends on, to be compared with that of another variant."""
        return *self.case.key, self.refused


@dataclass(frozen=True)
class Headline:
    """An endpoint's headline, from which variants depart."""

    evidence: Evidence
    case: Case
    factor: float | None

    @property
    def job(self) -> Job:
        """The headline's job, about all studies."""
        return self.case.job

    @property
    def selection(self) -> Selection:
        """The headline's rows, and those that it leaves out."""
        return self.case.selection

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

    def variant(self, dimension: str, label: str, *, rows: Sequence[Row] | None = None, tiers: str | None = None,
                study_set: str | None = None, factor: float | None = None, **changed: Any) -> Variant:
        """The headline with what is given in its place; other names are those of `Case.but`."""
        factor = self.factor if factor is None else factor
        question = replace(self.case.question, tiers=tiers or self.case.question.tiers,
                           study_set=study_set or self.case.question.study_set)
        changed |= {} if rows is None else {"rows": rows, "factor": factor or NO_INTERVAL_FACTOR}
        return Variant(dimension, label, self.case.but(question=question, **changed), factor)

    def itself(self) -> Variant:
        """The headline as the first variant."""
        return Variant(HEADLINE, HEADLINE, self.case, self.factor)


def headline_of(evidence: Evidence, base_job: Job, endpoint: str) -> Headline | None:
    """The endpoint's headline over all studies, None where no study has a row.

    Parameters
    ----------
    base_job : Job
        Carries tiers, set, horizon, priors and level; its endpoint, subset and model are replaced.
    """
    case = headline_case(evidence, base_job, endpoint)
    if not len(case.studies):
        return None
    return Headline(evidence, case, NO_INTERVAL_FACTOR if case.model.kind == "survival" else None)
