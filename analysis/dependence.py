"""What each conclusion hangs on: choices, single studies, subsets, small studies and covariates."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from analysis.evidence import Evidence
from analysis.influence.rows import INFLUENCE_COLUMNS, influence_rows
from analysis.jobs import Job
from analysis.pipeline import Results
from analysis.processes import Submit, share_out
from analysis.records import Record
from analysis.regression import rows as regression
from analysis.regression.running import Regressed, regress, regression_jobs
from analysis.selection import ALL, select
from analysis.sensitivity.power import POWER_COLUMNS, power_rows
from analysis.sensitivity.table import SENSITIVITY_COLUMNS, sensitivity_rows
from analysis.small_studies import SMALL_STUDY_COLUMNS, small_study_rows
from analysis.subsets import SUBSET_COLUMNS, subset_rows

Row = Mapping[str, Any]
Table = tuple[tuple[str, ...], tuple[Row, ...]]
_REGRESSION = {"regression.csv": (regression.REGRESSION_COLUMNS, "slopes"),
               "regression_predictions.csv": (regression.PREDICTION_COLUMNS, "predictions"),
               "regression_imputed.csv": (regression.IMPUTED_COLUMNS, "imputed"),
               "regression_collinearity.csv": (regression.COLLINEARITY_COLUMNS, "collinearity")}


def sensitivity_ahead(evidence: Evidence, base: Job, jobs: Iterable[Job],
                      found: dict[str, Sequence[Row]]) -> Iterator[None]:
    """Fills `found` with the sensitivity of one endpoint at each step: it hangs on no fit, so may be made early."""
    for name in dict.fromkeys(job.question.endpoint for job in jobs):
        if select(evidence, replace(base.question, endpoint=name)).rows:
            found[name] = sensitivity_rows(evidence, base, name)
            yield


def with_dependence(results: Results, *, submit: Submit, quick: bool,
                    ahead: Mapping[str, Sequence[Row]] = MappingProxyType({})) -> Results:
    """The results with these tables among those beside the fits, and with the regressions.

    Parameters
    ----------
    ahead : mapping of str to rows
        What `sensitivity_ahead` has made.
    """
    evidence, base = results.evidence, results.base
    jobs = [record.job for record in _headlines(results)]
    names = [job.question.endpoint for job in jobs]
    own = {"sensitivity.csv": (SENSITIVITY_COLUMNS, [
               (_as_made, (ahead[name],)) if name in ahead else (sensitivity_rows, (evidence, base, name))
               for name in names]),
           "power_scaling.csv": (POWER_COLUMNS, [(power_rows, (evidence, base, name)) for name in names]),
           "influence.csv": (INFLUENCE_COLUMNS, [(influence_rows, (evidence, job)) for job in jobs]),
           "subset_differences.csv": (SUBSET_COLUMNS, [(subset_rows, (evidence, job)) for job in jobs]),
           "small_studies.csv": (SMALL_STUDY_COLUMNS, [(small_study_rows, (evidence, job)) for job in jobs])}
    regressions = [(regress, (evidence, job)) for job in regression_jobs(evidence, base, quick=quick)]
    # One process begins in front and one behind: each compiles one of the two regressions.
    front, behind = _halves(regressions)
    middle = [(name, task) for name, (_, tasks) in own.items() for task in tasks]
    done = share_out([*front, *(task for _, task in middle), *behind], submit=submit)
    regressed: tuple[Regressed, ...] = (*done[:len(front)], *done[len(front) + len(middle):])
    tables: dict[str, Table] = {}
    for name, (columns, _) in own.items():
        rows = tuple(row for (of, _), found in zip(middle, done[len(front):], strict=False) if of == name
                     for row in found)
        tables[name] = (columns if "stamp" in columns else (*columns, "stamp"), rows)
    for name, (columns, part) in _REGRESSION.items():
        tables[name] = (columns, tuple(row for one in regressed for row in getattr(one, part)))
    return replace(results, side={**results.side, **tables}, regressions=regressed)


def _as_made(rows: Sequence[Row]) -> Sequence[Row]:
    return rows


def _headlines(results: Results) -> list[Record]:
    """Headline fits over all studies that have a result."""
    found = (results.headline(endpoint.endpoint, ALL) for endpoint in results.evidence.endpoints)
    return [record for record in found if record and record.k_studies]


def _halves(tasks: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> tuple[list, list]:
    """Rates in front, survival behind; one kind alone stays together, so that one process compiles it."""
    evidence = tasks[0][1][0] if tasks else None
    kinds = [evidence.endpoint(job.question.endpoint).kind for _, (_, job) in tasks]
    return ([task for task, kind in zip(tasks, kinds, strict=True) if kind == "rate"],
            [task for task, kind in zip(tasks, kinds, strict=True) if kind != "rate"])
