"""Small-study effects in the model's own terms: a funnel of predictions, and a regression on 1/sqrt(n).

Near 0 or 1 the funnel of honest studies is asymmetric, so that its asymmetry is no evidence of anything. Each study
is therefore held against what the others predict for a study of its size, and the regression is on the size, not on
a standard error that is made of the estimate. A small-study effect is not publication bias: small trials may treat
other patients, with other products, in earlier years.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.selection import ALL
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.frequentist.estimates import log_hazards
from analysis.frequentist.regression import NoRegression, egger_two_sided, slope_on_size
from analysis.inference.density import density_of
from analysis.inference.grid import Grid, QuadratureFailed, solve
from analysis.inference.headline import Asked, asked, sizes, too_large
from analysis.inference.leave_one_out import leave_one_out
from analysis.inference.limits import hazard_limits, rate_limits
from models.studies import RateStudies

FILE = "small_studies.csv"
COMPUTED, NOT_COMPUTED = "computed", "not computed"
REGRESSION, STUDY, LIMIT = "regression", "study", "limit"
SMALL, LARGE = 10, 40
"""Patients of the two studies whose odds or hazards are compared."""

_POINTS = 18
_MOST_PATIENTS = 500


@dataclass(frozen=True)
class SmallStudy:
    """A row of one of three parts: the regression of an endpoint, one of its studies, or one size of the funnel.

    Parameters
    ----------
    part : {"regression", "study", "limit"}
    precision : float or None
        What the funnel is drawn against: patients of a rate; 1/s^2, about the number of events, of a log hazard.
    observed : float or None
        Rate, or survival at the horizon, of the study.
    pit, two_sided, z : float or None
        Mid-p of the study under the prediction of the others, its two-sided probability, and the normal quantile of
        the mid-p. For survival it is the mid-p of the hazard: above one half means a shorter survival.
    predicted, predicted_lower, predicted_upper : float or None
        Median and prediction limits of the observed value of a further study of this precision, from all studies.
    slope, slope_se, slope_lower, slope_upper : float or None
        Per unit of 1/sqrt(n), on the logit or log-hazard scale, with Wald confidence limits.
    slope_two_sided, slope_two_sided_t : float or None
        P-values by the normal and, on the safe side, by the t distribution with k - 2 degrees of freedom.
    ratio, ratio_lower, ratio_upper : float or None
        Odds (or hazard) in a study of 10 patients over that in a study of 40.
    detectable_ratio : float or None
        The ratio above 1 that would be found at the level 0.05 with a probability of 0.8.
    egger_two_sided : float or None
        P-value of Egger's test, for comparison: it does not hold its level for proportions.
    """

    endpoint: str
    tiers: str
    study_set: str
    model: str
    part: str
    k_studies: int
    estimand: str
    time_months: float | None
    level: float
    interval: str
    status: str
    reason: str = ""
    study_id: str = ""
    label: str = ""
    n: int | None = None
    precision: float | None = None
    observed: float | None = None
    pit: float | None = None
    two_sided: float | None = None
    z: float | None = None
    predicted: float | None = None
    predicted_lower: float | None = None
    predicted_upper: float | None = None
    slope: float | None = None
    slope_se: float | None = None
    slope_lower: float | None = None
    slope_upper: float | None = None
    slope_two_sided: float | None = None
    slope_two_sided_t: float | None = None
    ratio: float | None = None
    ratio_lower: float | None = None
    ratio_upper: float | None = None
    detectable_ratio: float | None = None
    egger_two_sided: float | None = None


SMALL_STUDY_COLUMNS = tuple(field.name for field in fields(SmallStudy))


def small_study_rows(evidence: Evidence, job: Job) -> tuple[dict[str, Any], ...]:
    """The regression of an endpoint, then its studies, then its funnel; none where there is no study.

    Parameters
    ----------
    job : Job
        Of the headline; its subset is always all.

    Raises
    ------
    UsageError
        When endpoint, model or prior do not exist or do not go together.
    """
    question = asked(evidence, replace(job, question=replace(job.question, subset=ALL)))
    if not len(question.studies):
        return ()
    rows = [_regression(question)]
    if not too_large(question.studies):
        try:
            whole = solve(density_of(question.model, question.studies, question.priors))
            rows += [*_studies(evidence, question), *_limits(question, whole)]
        except QuadratureFailed:
            # The regression needs no posterior.
            rows = rows[:1]
    return tuple({name: getattr(row, name) for name in SMALL_STUDY_COLUMNS} for row in rows)


def _shared(question: Asked, part: str) -> dict[str, Any]:
    interval = {REGRESSION: "confidence", STUDY: "", LIMIT: "prediction"}[part]
    return {**question.cells, "interval": interval, "part": part, "k_studies": len(question.studies)}


def _regression(question: Asked) -> SmallStudy:
    shared = _shared(question, REGRESSION)
    try:
        found = slope_on_size(question.studies)
    except NoRegression as error:
        return SmallStudy(**shared, status=NOT_COMPUTED, reason=str(error))
    lower, upper = found.limits(level=question.job.level)
    egger = egger_two_sided(question.studies)
    step = 1.0 / math.sqrt(SMALL) - 1.0 / math.sqrt(LARGE)
    ratio, ratio_lower, ratio_upper, detectable = (
        math.exp(min(step * value, 700.0)) for value in (found.value, lower, upper, found.detectable))
    return SmallStudy(**shared, status=COMPUTED, slope=found.value, slope_se=found.se, slope_lower=lower,
                      slope_upper=upper, slope_two_sided=found.two_sided, slope_two_sided_t=found.two_sided_t,
                      ratio=ratio, ratio_lower=ratio_lower, ratio_upper=ratio_upper, detectable_ratio=detectable,
                      egger_two_sided=None if math.isnan(egger) else egger)


def _studies(evidence: Evidence, question: Asked) -> list[SmallStudy]:
    precision, observed = _precision(question), _observed(question)
    found = []
    for left in leave_one_out(question.model, question.studies, question.priors):
        study_id = question.studies.study_ids[left.index]
        pit = float(np.clip(left.pit, 1e-12, 1.0 - 1e-12))
        found.append(SmallStudy(**_shared(question, STUDY), status=COMPUTED, study_id=study_id,
                                label=evidence.study(study_id).label, n=int(sizes(question.studies)[left.index]),
                                precision=float(precision[left.index]), observed=float(observed[left.index]),
                                pit=left.pit, two_sided=left.tail, z=float(special.ndtri(pit))))
    return found


def _precision(question: Asked) -> np.ndarray:
    """Patients of each study; 1/s^2 of its log hazard."""
    studies = question.studies
    return studies.evaluable.astype(float) if isinstance(studies, RateStudies) else 1.0 / log_hazards(studies).variances


def _observed(question: Asked) -> np.ndarray:
    """Rate of each study; its survival at the horizon."""
    studies = question.studies
    if isinstance(studies, RateStudies):
        return studies.events / np.maximum(studies.evaluable, 1)
    return np.exp(-question.horizon * np.exp(log_hazards(studies).values))


def _limits(question: Asked, whole: Grid) -> list[SmallStudy]:
    """The funnel at sizes from half the smallest to a little above the largest study."""
    level = question.job.level
    at = ((1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0)
    precision = _precision(question)
    low, high = max(0.6 * precision.min(), 1.0), min(max(1.25 * precision.max(), 2.0), float(_MOST_PATIENTS))
    steps = np.linspace(math.sqrt(low), math.sqrt(high), _POINTS) ** 2
    if isinstance(question.studies, RateStudies):
        steps = np.unique(np.round(steps).astype(int))
        values = rate_limits(whole, steps.tolist(), at)
    else:
        quantiles = hazard_limits(whole, 1.0 / np.sqrt(steps), at[::-1])
        values = np.exp(-question.horizon * np.exp(quantiles))
    return [SmallStudy(**_shared(question, LIMIT), status=COMPUTED, precision=float(one), predicted_lower=float(lower),
                       predicted=float(middle), predicted_upper=float(upper),
                       n=int(one) if isinstance(question.studies, RateStudies) else None)
            for one, (lower, middle, upper) in zip(steps, values, strict=True)]
