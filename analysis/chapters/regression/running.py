"""Every regression of one endpoint as plain rows, and of all endpoints: what crosses process borders."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.cases.covariates import Column, amount, column_of, covariates_of, taken
from analysis.cases.selection import select
from analysis.cases.settings import IMPORTANCE, QUICK_REGRESSION, REGRESSION, Job
from analysis.chapters.regression import rows
from analysis.chapters.regression.conflict import conflict_text
from analysis.evidence import Covariate, Evidence
from analysis.evidence.sentinels import FAR_OUT
from analysis.inference.conflict import check
from analysis.inference.fitting import typed_studies
from analysis.inference.grid import Grid
from analysis.inference.imputation import draw_missing
from analysis.inference.pooled import hyperparameters
from analysis.inference.regression import (
    COMPLETE,
    ONE,
    fit,
    regression_of,
    regression_priors,
    tasks,
    without_covariates,
)
from analysis.results import tables
from analysis.results.regressed import Regressed, Rows
from analysis.system.errors import UsageError
from models.priors import Prior
from models.regression import Regression
from models.studies import Studies

_FAR_STEP = 20.0
_SAYS = {"small": "allows any slope", "large": "allows hardly any difference between the studies"}


def regress(evidence: Evidence, job: Job, names: Sequence[str] = (), *, cores: int = 1) -> Regressed:
    """Regress one endpoint on each covariate, on those with missing cells without these studies, and on all together.

    Parameters
    ----------
    evidence : Evidence
    job : Job
        Its sampler should be `analysis.cases.settings.REGRESSION`.
    names : sequence of str
        Covariates; none takes all.

    Raises
    ------
    UsageError
        When endpoint, subset, covariate or prior do not exist, or a model is asked for that has no regression.
    """
    covariates = covariates_of(evidence, names)
    selection = select(evidence, job.question)
    regression = regression_of(selection.endpoint.kind)
    if job.model not in (None, regression.name):
        raise UsageError(f"{job.model} has no regression; for {job.question.endpoint} it is {regression.name}")
    priors = regression_priors(regression, job)
    horizon = selection.horizon if regression.kind == "survival" else None
    studies, conversions = typed_studies(selection)
    columns = [column_of(evidence, covariate, studies.study_ids) for covariate in covariates]
    found = _run(evidence, job, regression, studies, columns, priors, horizon, cores)
    conflicts = found.pop("conflicts")
    reported = tables.study_rows(evidence, selection, conversions, level=job.level)
    return Regressed(job=job, model=regression.name, ratio=regression.ratio, horizon=horizon, n_studies=len(studies),
                     n_patients=studies.patients, priors={name: str(prior) for name, prior in priors.items()},
                     warnings=(*selection.warnings, *conflicts,
                               *_warnings(evidence, columns, studies, found["slopes"])),
                     collinearity=tuple(rows.collinearity_rows(columns, job)),
                     left_out=tuple(tables.left_out_rows(selection)),
                     studies=_with_values(evidence, reported, columns), **found)


def _run(evidence: Evidence, job: Job, regression: Regression, studies: Studies, columns: Sequence[Column],
         priors: dict[str, Prior], horizon: float | None, cores: int) -> dict[str, Any]:
    """Rows of every table, and the conflicts of the priors that the regression shares with the model without slopes."""
    complete = [_complete(evidence, column.covariate, studies, column) for column in columns if column.missing.any()]
    slopes, predictions, imputed = [], [], []
    grids: dict[tuple[str, ...], Grid | None] = {}
    for task, reason in tasks(regression, studies, columns, endpoint=job.question.endpoint, complete=complete):
        if reason:
            slopes += [rows.refused_row(task, at, reason, job) for at in range(len(task.columns))]
            continue
        key = task.studies.study_ids
        if key not in grids:
            grids[key] = without_covariates(task, priors)
        made = fit(task, job, grid=grids[key], cores=cores)
        without = _median(grids[key], regression.heterogeneity)
        for at, used in enumerate(task.used):
            slopes.append(rows.slope_row(made, at, job, without=without) if used else rows.refused_row(
                task, at, task.columns[at].refusal(job.question.endpoint), job))
        if task.analysis == ONE and made.diagnostics.converged:
            predictions += rows.prediction_rows(made, job, horizon=horizon)
            imputed += rows.imputed_rows(evidence, made, draw_missing(made, seed=made.seed), job)
    whole = grids.get(studies.study_ids)
    checked = check(whole, studies, horizon=horizon or 0.0, level=job.level).warnings if whole else ()
    return {"slopes": tuple(slopes), "predictions": tuple(predictions), "imputed": tuple(imputed),
            "conflicts": tuple(f"without covariates: {text}" for text in checked)}


def _complete(evidence: Evidence, covariate: Covariate, studies: Studies, column: Column) -> tuple[Studies, Column]:
    """Studies that have the covariate, and the covariate centred over them, which is where it was."""
    rest = taken(studies, ~column.missing)
    return rest, column_of(evidence, covariate, rest.study_ids)


def _median(grid: Grid | None, heterogeneity: str) -> float | None:
    """Posterior median of the heterogeneity without covariates; None where the quadrature did not settle."""
    return float(hyperparameters(grid)[heterogeneity].quantile(np.array([0.5]))[0]) if grid else None


def _warnings(evidence: Evidence, columns: Sequence[Column], studies: Studies,
              slopes: Sequence[dict[str, Any]]) -> Iterator[str]:
    rows_used = {evidence.study(study).row for study in studies.study_ids}
    for column in columns:
        codes = [str(note) for note in evidence.notes if note.file == "studies.csv" and note.row in rows_used
                 and note.column == column.covariate.column and note.rule.startswith(FAR_OUT)]
        yield from codes
        if not codes and not 1.0 / _FAR_STEP <= column.prior_step <= _FAR_STEP:
            size = "small" if column.prior_step < 1.0 else "large"
            yield (f"{column.name}: a step of {column.step.words} is {column.prior_step:.2g} standard deviations of "
                   f"the column, so {size} that the prior of the slope, which is per step, {_SAYS[size]}; give a "
                   f"unit_size near {amount(column.sd)}, or leave unit and unit_size empty")
    for row in slopes:
        if row["lone_study"] and row["analysis"] == ONE and not row["refused"]:
            yield f"{row['covariate']}: one study differs from all others, so the slope is that study against the rest"
        # The crude slope of the complete cases is the same one again.
        if row.get("prior_conflict") and row["analysis"] != COMPLETE:
            yield conflict_text(row)


def _with_values(evidence: Evidence, reported: Sequence[dict[str, Any]], columns: Sequence[Column]) -> Rows:
    def value(column: Column, study: str) -> float | None:
        cell = evidence.study(study).columns.get(column.covariate.column, "")
        return float(cell) if cell else None

    return tuple({**row, "values": {column.name: value(column, row["study_id"]) for column in columns}}
                 for row in reported)


def regression_jobs(evidence: Evidence, base: Job, *, quick: bool = False) -> tuple[Job, ...]:
    """One job per endpoint that has a row, those of one kind side by side."""
    sampler = QUICK_REGRESSION if quick else REGRESSION
    ordered = sorted(evidence.endpoints, key=lambda endpoint: endpoint.kind)
    jobs = (replace(base, question=replace(base.question, endpoint=endpoint.endpoint), model=None, sampler=sampler,
                    priors=_own(base.priors, regression_of(endpoint.kind)), engine=IMPORTANCE)
            for endpoint in ordered)
    return tuple(job for job in jobs if evidence.covariates and select(evidence, job.question).rows)


def regress_all(evidence: Evidence, base: Job, *, quick: bool = False, cores: int = 1) -> tuple[Regressed, ...]:
    """The regressions of every endpoint on every covariate; empty where the evidence has no covariates.

    To share the work, call `regress` for the jobs of `regression_jobs` in several processes instead.
    """
    return tuple(regress(evidence, job, cores=cores) for job in regression_jobs(evidence, base, quick=quick))


def regression_rows(found: Sequence[Regressed], *, stamp: str = "") -> list[dict[str, Any]]:
    """Rows of regression.csv with the columns `REGRESSION_COLUMNS`."""
    return [{**row, "stamp": stamp} for one in found for row in one.slopes]


def _own(priors: tuple[tuple[str, str], ...], regression: Regression) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in priors if name in regression.priors)
