"""Small-study effects in the model's own terms: a funnel of predictions, and a regression on 1/sqrt(n).

Near 0 or 1 the funnel of honest studies is asymmetric, so that its asymmetry is no evidence of anything. Each study
is therefore held against what the others predict for a study of its size, and the regression is on the size, not on
a standard error that is made of the estimate. A small-study effect is not publication bias: small trials may treat
other patients, with other products, in earlier years.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.frequentist.estimates import log_hazards
from analysis.frequentist.regression import NoRegression, egger_two_sided, slope_on_size
from analysis.inference.distribution import quantiles
from analysis.inference.leave_one_out import leave_one_out
from analysis.inference.posterior import NO_POSTERIOR, Posterior, posterior_of, too_large
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import case_cells
from models.studies import RateStudies

REGRESSION, STUDY, LIMIT = "regression", "study", "limit"
SMALL, LARGE = 10, 40
"""Patients of the two studies whose odds or hazards are compared."""

_SIZES = 18  # of a funnel

SMALL_STUDIES = Layout(
    "small_studies.csv",
    "A row of one of three parts: the regression of an endpoint, one of its studies, or one size of its funnel.",
    columns(
        "endpoint tiers study_set model", Column("part", "regression, study or limit", "text"),
        Column("k_studies", "number of studies", "count", "Studies"),
        "estimand time_months level interval status reason study_id label n",
        Column("precision", "place in the funnel: patients of a rate; 1/s^2 of a log hazard, about its events"),
        Column("observed", "rate, or survival at the horizon, of the study", "estimate", "Observed{unit}"),
        Column("pit", "mid-p of the study under the prediction of the others; for survival of its hazard", "chance",
               "Predictive mid-p"),
        Column("two_sided", "its two-sided probability"), Column("z", "normal quantile of the mid-p", "signed", "z"),
        Column("predicted", "predictive median of the observed value of a further study of this precision, between "
               "possible rates where none has half of the probability"),
        Column("predicted_lower", "lower prediction limit"), Column("predicted_upper", "upper prediction limit"),
        Column("slope", "per unit of 1/sqrt(n), on the logit or log-hazard scale", heading="Slope per 1/√n"),
        Column("slope_se", "its standard error", heading="SE"),
        Column("slope_lower", "its lower Wald confidence limit"),
        Column("slope_upper", "its upper Wald confidence limit"),
        Column("slope_two_sided", "p-value by the normal distribution", "chance", "p, normal"),
        Column("slope_two_sided_t", "p-value by the t distribution with k - 2 degrees of freedom", "chance", "p, t"),
        Column("ratio", "odds, or hazard, in a study of 10 patients over that in a study of 40", "ratio",
               f"Ratio, {SMALL} against {LARGE} patients"),
        Column("ratio_lower", "its lower limit"), Column("ratio_upper", "its upper limit"),
        Column("detectable_ratio", "the ratio above 1 that would be found at 0.05 with a probability of 0.8",
               "ratio", "Ratio found 4 times in 5"),
        Column("egger_two_sided", "p-value of Egger's test, which does not hold its level for proportions", "chance",
               "p, Egger (not level)"), "stamp"))


def small_study_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """The regression of an endpoint, then its studies, then its funnel; none where there is no study."""
    case = headline_case(evidence, base, endpoint)
    if not len(case.studies):
        return {}
    shared = {**case_cells(case, SMALL_STUDIES), "status": COMPUTED}
    rows = [{**shared, "part": REGRESSION, "interval": "confidence", **_regression(case)}]
    try:
        if not too_large(case.studies):
            # Lists: a posterior that does not settle leaves neither studies nor funnel.
            rows += [*[{**shared, "part": STUDY, "interval": "", **study} for study in _studies(evidence, case)],
                     *[{**shared, "part": LIMIT, "interval": "prediction", **size} for size in _funnel(case)]]
    except NO_POSTERIOR:
        pass  # the regression needs no posterior
    return {SMALL_STUDIES.file: rows}


def _regression(case: Case) -> dict[str, Any]:
    try:
        slope = slope_on_size(case.studies)
    except NoRegression as error:
        return {"status": NOT_COMPUTED, "reason": str(error)}
    limits, egger = slope.limits(level=case.level), egger_two_sided(case.studies)
    step = 1.0 / math.sqrt(SMALL) - 1.0 / math.sqrt(LARGE)
    ratio, lower, upper, detectable = (math.exp(min(step * value, 700.0))
                                       for value in (slope.value, *limits, slope.detectable))
    return {"slope": slope.value, "slope_se": slope.se, "slope_lower": limits[0], "slope_upper": limits[1],
            "slope_two_sided": slope.two_sided, "slope_two_sided_t": slope.two_sided_t, "ratio": ratio,
            "ratio_lower": lower, "ratio_upper": upper, "detectable_ratio": detectable,
            "egger_two_sided": None if math.isnan(egger) else egger}


def _studies(evidence: Evidence, case: Case) -> Iterator[dict[str, Any]]:
    """Each study under the prediction of the others."""
    precision, observed, studies = _precision(case), _observed(case), case.studies
    for left in leave_one_out(case):
        study_id, at = studies.study_ids[left.index], left.index
        mid_p = left.pit if case.model.kind == "rate" else 1.0 - left.pit  # of the hazard, on whose scale z is
        yield {"study_id": study_id, "label": evidence.study(study_id).label, "n": int(studies.sizes[at]),
               "precision": float(precision[at]), "observed": float(observed[at]), "pit": mid_p,
               "two_sided": left.tail, "z": float(special.ndtri(np.clip(mid_p, 1e-12, 1.0 - 1e-12)))}


def _precision(case: Case) -> np.ndarray:
    """Patients of each study; 1/s^2 of its log hazard."""
    studies = case.studies
    return studies.evaluable.astype(float) if isinstance(studies, RateStudies) else 1.0 / log_hazards(studies).variances


def _observed(case: Case) -> np.ndarray:
    """Rate of each study; its survival at the horizon."""
    studies = case.studies
    if isinstance(studies, RateStudies):
        return studies.events / np.maximum(studies.evaluable, 1)
    return np.exp(-case.horizon * np.exp(log_hazards(studies).values))


def _funnel(case: Case) -> Iterator[dict[str, Any]]:
    """Prediction limits at sizes from a little below the smallest to a little above the largest study."""
    at = ((1.0 - case.level) / 2.0, 0.5, (1.0 + case.level) / 2.0)
    rates, posterior, precision = isinstance(case.studies, RateStudies), posterior_of(case), _precision(case)
    low, high = max(0.6 * precision.min(), 1.0), max(1.25 * precision.max(), 2.0)
    sizes = np.linspace(math.sqrt(low), math.sqrt(high), _SIZES) ** 2
    if rates:
        sizes = np.unique(np.round(sizes).astype(int))
        limits = rate_limits(posterior, sizes.tolist(), at)
    else:
        limits = np.exp(-case.horizon * np.exp(hazard_limits(posterior, 1.0 / np.sqrt(sizes), at[::-1])))
    for size, (lower, middle, upper) in zip(sizes, limits, strict=True):
        yield {"precision": float(size), "predicted": float(middle), "predicted_lower": float(lower),
               "predicted_upper": float(upper), "n": int(size) if rates else None}


def rate_limits(posterior: Posterior, sizes: Sequence[int], probabilities: Sequence[float]) -> np.ndarray:
    """Predictive quantiles of the observed rate of one further study, shape (sizes, probabilities).

    They are those of the mid-distribution function F(y - 1) + P(y)/2, made continuous by straight lines: a count lies
    outside them just where its mid-p is below one or above the other probability.

    Parameters
    ----------
    sizes : sequence of int
        Patients, at least 1.
    """
    limits = []
    for n in sizes:
        mid = posterior.predict(n).pits
        # Counts of no probability would leave the function flat.
        rising = np.concatenate([[True], np.diff(mid) > 0.0])
        limits.append(np.interp(probabilities, mid[rising], np.arange(n + 1)[rising]) / n)
    return np.array(limits)


def hazard_limits(posterior: Posterior, errors: Sequence[float], probabilities: Sequence[float]) -> np.ndarray:
    """Predictive quantiles of the estimated log hazard of one further study, shape (errors, probabilities).

    Parameters
    ----------
    errors : sequence of float
        Its standard error; the estimate is Normal(eta, sqrt(tau^2 + error^2)) given the hyperparameters.
    """
    values, weights = posterior.points
    eta, tau = (values[name] for name in posterior.case.model.priors)

    def cdf(x: np.ndarray, error: np.ndarray) -> np.ndarray:
        return special.ndtr((x[..., None] - eta) / np.hypot(tau, error[..., None])) @ weights

    # A quantile of a mixture lies between the smallest and the largest of those that are mixed.
    p, errors = np.array(probabilities), np.array(errors)[:, None]
    each = eta + np.hypot(tau, errors[..., None]) * special.ndtri(p)[:, None]
    return quantiles(cdf, p, each.min(axis=-1), each.max(axis=-1), errors)
