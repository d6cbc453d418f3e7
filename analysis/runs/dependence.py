"""What each conclusion hangs on: choices, single studies, subsets, small studies and covariates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from analysis.cases.selection import ALL, select
from analysis.cases.settings import Job
from analysis.chapters.influence.rows import INFLUENCE_COLUMNS, influence_rows
from analysis.chapters.regression import rows as regression
from analysis.chapters.regression.running import regress, regression_jobs
from analysis.chapters.sensitivity.power import POWER_COLUMNS, power_rows
from analysis.chapters.sensitivity.table import SENSITIVITY_COLUMNS, sensitivity_rows
from analysis.chapters.small_studies.rows import SMALL_STUDY_COLUMNS, small_study_rows
from analysis.chapters.subsets.rows import SUBSET_COLUMNS, subset_rows
from analysis.evidence import Evidence
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.runs.workers import share_out
from analysis.system.failures import attempt, without_failures

Row = Mapping[str, Any]
Table = tuple[tuple[str, ...], tuple[Row, ...]]
Task = tuple[Callable[..., Any], tuple[Any, ...]]
Ahead = tuple[str, str]
_REGRESSION = {"regression.csv": (regression.REGRESSION_COLUMNS, "slopes"),
               "regression_predictions.csv": (regression.PREDICTION_COLUMNS, "predictions"),
               "regression_imputed.csv": (regression.IMPUTED_COLUMNS, "imputed"),
               "regression_collinearity.csv": (regression.COLLINEARITY_COLUMNS, "collinearity")}


def work_ahead(evidence: Evidence, base: Job, found: dict[Ahead, Any], *, quick: bool) -> Iterator[None]:
    """Fills `found` with one result at each step, of what hangs on no fit: sensitivity and regressions."""
    for endpoint in evidence.endpoints:
        if select(evidence, replace(base.question, endpoint=endpoint.endpoint)).rows:
            found["sensitivity", endpoint.endpoint] = attempt(
                "sensitivity", endpoint.endpoint, sensitivity_rows, evidence, base, endpoint.endpoint)
            yield
    for job in regression_jobs(evidence, base, quick=quick):
        name = job.question.endpoint
        found["regression", name] = attempt("regression", name, regress, evidence, job)
        yield


def with_dependence(results: Results, *, executor: Executor, quick: bool,
                    ahead: Mapping[Ahead, Any] = MappingProxyType({})) -> Results:
    """The results with these tables among those beside the fits, and with the regressions.

    Parameters
    ----------
    ahead : mapping of (kind, endpoint) to result
        What `work_ahead` has made.
    """
    evidence, base = results.evidence, results.base
    jobs = [record.job for record in _headlines(results)]
    names = [job.question.endpoint for job in jobs]
    own = {"sensitivity.csv": (SENSITIVITY_COLUMNS, [
               _task(ahead, ("sensitivity", name), sensitivity_rows, evidence, base, name) for name in names]),
           "power_scaling.csv": (POWER_COLUMNS, [
               _task(ahead, ("power scaling", name), power_rows, evidence, base, name) for name in names]),
           "influence.csv": (INFLUENCE_COLUMNS, _tasks("influence", influence_rows, evidence, jobs)),
           "subset_differences.csv": (SUBSET_COLUMNS, _tasks("subsets", subset_rows, evidence, jobs)),
           "small_studies.csv": (SMALL_STUDY_COLUMNS, _tasks("small studies", small_study_rows, evidence, jobs))}
    regressions = [_task(ahead, ("regression", job.question.endpoint), regress, evidence, job)
                   for job in regression_jobs(evidence, base, quick=quick)]
    done = iter(share_out([*regressions, *(task for _, tasks in own.values() for task in tasks)], executor=executor))
    regressed, failures = without_failures(next(done) for _ in regressions)
    tables: dict[str, Table] = {}
    for name, (columns, tasks) in own.items():
        made, failed = without_failures(next(done) for _ in tasks)
        failures += failed
        tables[name] = (columns if "stamp" in columns else (*columns, "stamp"),
                        tuple(row for rows in made for row in rows))
    for name, (columns, part) in _REGRESSION.items():
        tables[name] = (columns, tuple(row for one in regressed for row in getattr(one, part)))
    return replace(results, side={**results.side, **tables}, regressions=tuple(regressed),
                   failures=(*results.failures, *failures))


def _task(ahead: Mapping[Ahead, Any], key: Ahead, function: Callable[..., Any], *arguments: Any) -> Task:
    """The attempt of a call, or a call that returns what was made of it ahead."""
    return (_as_made, (ahead[key],)) if key in ahead else (attempt, (*key, function, *arguments))


def _tasks(part: str, function: Callable[..., Any], evidence: Evidence, jobs: Sequence[Job]) -> list[Task]:
    return [_task({}, (part, job.question.endpoint), function, evidence, job) for job in jobs]


def _as_made(found: Any) -> Any:
    return found


def _headlines(results: Results) -> list[Record]:
    """Headline fits over all studies that have a result."""
    found = (results.headline(endpoint.endpoint, ALL) for endpoint in results.evidence.endpoints)
    return [record for record in found if record and record.k_studies]

