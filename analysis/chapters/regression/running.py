"""Every regression of one endpoint."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.cases.case import Case
from analysis.cases.covariates import Column, amount, cell_of
from analysis.cases.regressions import COMPLETE, ONE, regression_cases, regression_of
from analysis.cases.selection import select
from analysis.cases.settings import IMPORTANCE, QUICK_REGRESSION, REGRESSION, Job
from analysis.chapters.regression import rows
from analysis.chapters.regression.conflict import conflict_text
from analysis.evidence.directory import Evidence
from analysis.evidence.notes import FAR_OUT
from analysis.inference.fitting import prior_check
from analysis.inference.posterior import Posterior, QuadratureFailed, posterior_of
from analysis.inference.regression import RegressionFit, draw_missing, fit
from analysis.results import tables
from analysis.results.numbers import counted
from models.priors import Prior

_FAR_STEP = 20.0
_SAYS = {"small": "allows any slope", "large": "allows hardly any difference between the studies"}
Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Regressed:
    """What the regressions of one endpoint leave behind; every row is a plain mapping.

    Parameters
    ----------
    case : Case
        The endpoint's studies without covariates.
    ratio : str
        What exp(beta) is, in words.
    priors : mapping of str to Prior
        Of every hyperparameter.
    slopes, predictions, imputed, collinearity : tuple of rows
        With the columns of these layouts in `analysis.chapters.regression.rows`.
    studies : tuple of rows
        As in studies.csv, with `values`: the natural value of each covariate by name, None where it is missing.
    fits : tuple of RegressionFit
        Each regression with its draws, whether it converged or not.
    """

    case: Case
    ratio: str
    priors: Mapping[str, Prior]
    slopes: Rows
    predictions: Rows
    imputed: Rows
    collinearity: Rows
    studies: Rows
    warnings: tuple[str, ...]
    fits: tuple[RegressionFit, ...] = field(repr=False)

    @property
    def tables(self) -> dict[str, Rows]:
        """Rows by file."""
        parts = (self.slopes, self.predictions, self.imputed, self.collinearity)
        return {layout.file: part for layout, part in zip(rows.LAYOUTS, parts, strict=True)}

    @property
    def bubbles(self) -> dict[str, Any]:
        """The arguments of `draw_bubbles` that follow from the regressions, as plain values."""
        case = self.case
        detail = (f"{counted(len(case.studies), 'study')}, {counted(case.studies.patients, 'patient')}, "
                  f"{case.model.name.replace('_', '-')} regression")
        return {"studies": self.studies, "slopes": self.slopes, "predictions": self.predictions,
                "imputed": self.imputed, "horizon": case.horizon, "detail": detail,
                "bounds": {column.name: (column.covariate.lowest, column.covariate.highest)
                           for fitted in self.fits for column in fitted.case.columns}}

    @property
    def failed(self) -> Rows:
        """Slopes of fits that are no results."""
        return tuple(slope for slope in self.slopes if slope["status"] == "NOT CONVERGED")

    @property
    def refused(self) -> Rows:
        """Slopes for which there are too few studies."""
        return tuple(slope for slope in self.slopes if slope["refused"])


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
    cases = regression_cases(evidence, job, names)
    whole, columns = cases[0].without, [case.columns[0] for case in cases if case.analysis == ONE]
    fits, slopes, predictions, imputed = [], [], [], []
    for case in cases:
        regression = None if all(case.refusals) else fit(case, cores=cores)
        without = _heterogeneity(case.without) if regression else None
        fits += [regression] if regression else []
        slopes += [rows.slope_row(case, at, regression, without=without) for at in range(len(case.columns))]
        if regression and case.analysis == ONE and regression.diagnostics.converged:
            predictions += rows.prediction_rows(regression)
            imputed += rows.imputed_rows(evidence, regression, draw_missing(regression, seed=case.seed))
    studies = ({**study, "values": {column.name: cell_of(evidence, column.covariate, study["study_id"])
                                    for column in columns}} for study in tables.study_rows(evidence, whole))
    return Regressed(whole, cases[0].regression.ratio, cases[0].priors, tuple(slopes), tuple(predictions),
                     tuple(imputed), tuple(rows.collinearity_rows(columns, job.question.endpoint)), tuple(studies),
                     tuple(_warnings(evidence, whole, columns, slopes)), tuple(fits))


def _posterior(case: Case) -> Posterior | None:
    try:
        return posterior_of(case)
    except QuadratureFailed:
        return None


def _heterogeneity(case: Case) -> float | None:
    """Posterior median of the heterogeneity without covariates; None where the quadrature did not settle."""
    posterior = _posterior(case)
    _, name = case.model.priors
    return float(posterior.distribution(name).quantile(0.5)) if posterior else None


def _warnings(evidence: Evidence, case: Case, columns: Sequence[Column],
              slopes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from case.selection.warnings
    if any(not slope["refused"] for slope in slopes) and (posterior := _posterior(case)):
        yield from (f"without covariates: {text}" for text in prior_check(posterior).warnings)
    used = {evidence.study(study).row for study in case.studies.study_ids}
    for column in columns:
        far_out = [str(note) for note in evidence.notes if note.file == "studies.csv" and note.row in used
                   and note.column == column.covariate.column and note.rule.startswith(FAR_OUT)]
        yield from far_out
        if not far_out and not 1.0 / _FAR_STEP <= column.prior_step <= _FAR_STEP:
            size = "small" if column.prior_step < 1.0 else "large"
            yield (f"{column.name}: a step of {column.unit} is {column.prior_step:.2g} standard deviations of "
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
        priors = tuple((name, text) for name, text in base.priors if name in regression_of(endpoint.kind).priors)
        jobs.append(replace(base, question=replace(base.question, endpoint=endpoint.endpoint), model=None,
                            sampler=sampler, engine=IMPORTANCE, priors=priors))
    return tuple(job for job in jobs if select(evidence, job.question).rows)
