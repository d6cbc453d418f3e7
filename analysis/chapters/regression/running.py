"""Every regression of one endpoint as plain rows: what crosses process borders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.cases.case import typed_studies
from analysis.cases.covariates import Column, amount, cell_of, column_of, covariates_of, taken
from analysis.cases.regressions import (
    COMPLETE,
    ONE,
    TOGETHER,
    RegressionCase,
    regression_of,
    regression_priors,
)
from analysis.cases.selection import select
from analysis.cases.settings import IMPORTANCE, QUICK_REGRESSION, REGRESSION, Job
from analysis.chapters.regression import rows
from analysis.chapters.regression.conflict import conflict_text
from analysis.evidence import Evidence
from analysis.evidence.notes import FAR_OUT
from analysis.inference.conflict import check
from analysis.inference.grid import Grid
from analysis.inference.imputation import draw_missing
from analysis.inference.pooled import hyperparameters
from analysis.inference.regression import fit, without_covariates
from analysis.results import tables
from analysis.results.regressed import Regressed
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
    if job.model not in (None, regression.base.name):
        raise UsageError(f"{job.model} has no regression; for {job.question.endpoint} it is {regression.base.name}")
    priors = regression_priors(regression, job)
    horizon = selection.horizon if selection.endpoint.kind == "survival" else None
    studies, conversions = typed_studies(selection)
    columns = [column_of(evidence, covariate, studies.study_ids) for covariate in covariates]
    slopes, predictions, imputed, conflicts, grids = [], [], [], (), {}
    for case in _cases(evidence, regression, priors, studies, columns):
        refused, key = _refused(case, job), case.studies.study_ids
        if not refused and key not in grids:
            grids[key] = without_covariates(case)
        regressed = None if refused else fit(case, job, grid=grids[key], cores=cores)
        without = None if refused else _median(grids[key], regression.heterogeneity)
        slopes += [rows.slope_row(case, at, job, fit=regressed, without=without) for at in range(len(case.columns))]
        if case.analysis == ONE and regressed and regressed.diagnostics.converged:
            predictions += rows.prediction_rows(regressed, job, horizon=horizon)
            imputed += rows.imputed_rows(evidence, regressed, draw_missing(regressed, seed=regressed.seed), job)
    if whole := grids.get(studies.study_ids):
        conflicts = check(whole, studies, horizon=horizon or 0.0, level=job.level).warnings
    reported = tables.study_rows(evidence, selection, conversions, level=job.level)
    return Regressed(
        job=job, model=regression.base.name, ratio=regression.ratio, horizon=horizon, n_studies=len(studies),
        n_patients=studies.patients, priors={name: str(prior) for name, prior in priors.items()},
        warnings=(*selection.warnings, *(f"without covariates: {text}" for text in conflicts),
                  *_warnings(evidence, columns, studies, slopes)),
        slopes=tuple(slopes), predictions=tuple(predictions), imputed=tuple(imputed),
        collinearity=tuple(rows.collinearity_rows(columns, job)), left_out=tuple(tables.left_out_rows(selection)),
        studies=tuple({**row, "values": {covariate.covariate: cell_of(evidence, covariate, row["study_id"])
                                         for covariate in covariates}} for row in reported))


def _cases(evidence: Evidence, regression: Regression, priors: Mapping[str, Prior], studies: Studies,
           columns: Sequence[Column]) -> Iterator[RegressionCase]:
    """What is to be fitted; a column without its missing cells is centred anew, over the studies that are left."""
    for column in columns:
        yield RegressionCase(ONE, regression, priors, studies, (column,))
    for column in columns:
        if column.missing.any():
            rest = taken(studies, ~column.missing)
            column = column_of(evidence, column.covariate, rest.study_ids)
            yield RegressionCase(COMPLETE, regression, priors, rest, (column,))
    if len(columns) > 1:
        used = tuple(not column.refusal("") for column in columns)
        yield RegressionCase(TOGETHER, regression, priors, studies, tuple(columns), used)


def _refused(case: RegressionCase, job: Job) -> bool:
    return all(case.refusal(job.question.endpoint, at) for at in range(len(case.columns)))


def _median(grid: Grid | None, heterogeneity: str) -> float | None:
    """Posterior median of the heterogeneity without covariates; None where the quadrature did not settle."""
    return float(hyperparameters(grid)[heterogeneity].quantile(0.5)) if grid else None


def _warnings(evidence: Evidence, columns: Sequence[Column], studies: Studies,
              slopes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
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
    for slope in slopes:
        if slope["lone_study"] and slope["analysis"] == ONE and not slope["refused"]:
            yield (f"{slope['covariate']}: one study differs from all others, so the slope is that study against the "
                   "rest")
        # The crude slope of the complete cases is the same one again.
        if slope.get("prior_conflict") and slope["analysis"] != COMPLETE:
            yield conflict_text(slope)


def regression_jobs(evidence: Evidence, base: Job, *, quick: bool = False) -> tuple[Job, ...]:
    """One job per endpoint that has a row, those of one kind side by side; none where there are no covariates."""
    sampler, jobs = QUICK_REGRESSION if quick else REGRESSION, []
    for endpoint in sorted(evidence.endpoints if evidence.covariates else (), key=lambda endpoint: endpoint.kind):
        known = regression_of(endpoint.kind).priors
        jobs.append(replace(base, question=replace(base.question, endpoint=endpoint.endpoint), model=None,
                            sampler=sampler, engine=IMPORTANCE,
                            priors=tuple((name, text) for name, text in base.priors if name in known)))
    return tuple(job for job in jobs if select(evidence, job.question).rows)
