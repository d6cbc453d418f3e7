"""Cases and fits for tests: from typed studies without any evidence, and from a job in one call."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from analysis.cases.case import Case, case_of
from analysis.cases.selection import Selection
from analysis.cases.settings import Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Endpoint
from analysis.inference import fitting
from analysis.results.table import Layout, Row
from models.model import Model
from models.studies import Studies


def bare_case(model: Model, studies: Studies, priors=None, *, horizon: float = 12.0) -> Case:
    """The case of these studies, which stand in no table."""
    question = Question("outcome", horizon=horizon)
    endpoint = Endpoint(2, "outcome", "Outcome", model.kind, "benefit", "", "", None, False)
    return Case(Job(question, model=model.name), Selection(question, endpoint, (), (), ()), model,
                priors or model.priors, studies)


def run(evidence: Evidence, job: Job) -> fitting.Fit:
    """The fit of a job."""
    return fitting.run(case_of(evidence, job))


def rows_of(function: Callable[..., Mapping[str, Iterable[Row]]], layout: Layout, evidence: Evidence,
            job: Job, endpoint: str = "") -> tuple[dict[str, Any], ...]:
    """The rows of one table that a chapter's work makes for an endpoint, the job's by default, with every column."""
    return layout.table(function(evidence, job, endpoint or job.question.endpoint).get(layout.file, ())).rows


def cells(row: Row, names: str) -> tuple[Any, ...]:
    """Some cells of a row, by the names of their columns in one text."""
    return tuple(row[name] for name in names.split())
