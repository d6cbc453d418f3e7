"""Survival by each model of a curve: at two times, as medians and means, over time, and study by study.

Two choices lie between the published kind of analysis and a curve that may flatten. `log_hazard` reads the printed
interval of a median, along the time axis, and holds the hazard constant; `exponential` counts patients between points,
along the survival axis, and still holds it constant; `weibull` lets it fall. Its difference from the one before is what
the error rule moves, and what the shape moves.

References
----------
Gelfand AE, Dey DK, Chang H. Bayesian Statistics 4, 1992;147 (predictive density left out, from the whole posterior).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special
from scipy.optimize import elementwise

from analysis.cases.case import Case, headline_case
from analysis.cases.curves import points_of
from analysis.cases.settings import ALL, Job, derive_seed
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import Posterior, QuadratureFailed, posterior_of
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from models.studies import CurveStudies

ASSUMED, ERRORS, SHAPE, PLATEAU = "log_hazard", "exponential", "weibull", "mixture_cure"
MODELS = (ASSUMED, ERRORS, SHAPE, PLATEAU)
MONTHS = (12.0, 24.0)
_GRID = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 21.0, 24.0, 28.0, 32.0, 36.0)
_DRAWS = 2000
_MOVED = 0.05  # effective share of the points left by leaving a study out: with less it is solved anew
CURVES = Layout("survival_curves.csv", "One estimate of one model of the curves of one question.", columns(
    "endpoint subset tiers study_set model k_studies n_patients estimand time_months unit",
    Column("median", "posterior median", "estimate unit", "Estimate [{level} credible]"), "lower upper level interval",
    Column("probability_falling", "posterior probability that the hazard falls (shape below 1)", "chance"),
    Column("elpd_loo", "log predictive density of the points of each study given the others, summed over studies"),
    Column("elpd_difference", "difference from the constant hazard on the same points", "error elpd_difference_se"),
    Column("elpd_difference_se", "its standard error"), "status reason stamp"))
POINTS = Layout("curve_points.csv", "One point of one study's curve, as it enters; of patients who enter one by one, "
                "of their Kaplan-Meier curve.", columns(
    "endpoint study_id label", Column("stratum", "part of the study that the point is of", "text"),
    Column("months", "time of the point"), Column("survival", "survival there"),
    Column("source", "what was printed", "text"), Column("n", "patients of the study or the stratum", "count")))
BANDS = Layout("curve_bands.csv", "One time of one posterior curve: of the typical study, a new one, or one study.",
               columns("endpoint model", Column("curve", "typical study, new study, or study", "text"),
                       "study_id label", Column("months", "time"), "median lower upper level interval stamp"))


def curve_rows(evidence: Evidence, base: Job, endpoint: str, subset: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of the three tables for one question; points, bands and the plateau for all studies only."""
    first = headline_case(evidence, replace(base, model=ASSUMED), endpoint, subset)
    if not len(first.studies):
        return {}
    whole, rows, bands = subset == ALL, [], []
    fits = {}
    for name in MODELS if whole else MODELS[:3]:
        case = headline_case(evidence, replace(base, model=name), endpoint, subset)
        try:
            fits[name] = posterior_of(case)
        except QuadratureFailed as error:
            rows.append({**_question(case), "status": NOT_COMPUTED, "reason": str(error)})
    predictive = _predictive({name: fit for name, fit in fits.items() if isinstance(fit.case.studies, CurveStudies)})
    for name, fit in fits.items():
        estimates = _estimates(fit, predictive.get(name, {}))
        rows += [{**_question(fit.case), "status": COMPUTED, **row} for row in estimates]
        if whole and name in (ASSUMED, SHAPE):
            bands += list(_bands(evidence, fit))
    points = points_of(first.selection.curves) if whole else ()
    return {CURVES.file: rows, BANDS.file: bands, POINTS.file: [
        {**POINTS.pick(vars(point)), "endpoint": endpoint, "label": evidence.study(point.study_id).label,
         "n": point.patients} for point in points]}


def _question(case: Case) -> dict[str, Any]:
    return {**CURVES.pick(vars(case.question)), "model": case.model.name, "k_studies": len(case.studies),
            "n_patients": case.studies.patients}


def _estimates(fit: Posterior, predictive: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Survival at both times and the horizon, median, restricted means, and what tells how studies and times differ."""
    names = ("survival", "median_months", "rmst", "tau", "shape", "cured")
    for months in dict.fromkeys((*MONTHS, fit.case.horizon)):
        for item in fit.at(months, names if months == MONTHS[0] else names[:1]):
            estimate = item.estimate(fit.case.level)
            row = CURVES.pick(vars(estimate))
            if estimate.estimand == "shape":
                row["probability_falling"] = float(item.distribution.cdf(1.0))
            yield row | (predictive if estimate.estimand == "survival" and months == MONTHS[0] else {})


def _predictive(fits: dict[str, Posterior]) -> dict[str, dict[str, float]]:
    """Predictive densities of the points of each study given the others, against the constant hazard."""
    each = {name: _left_out(fit) for name, fit in fits.items() if len(fit.case.studies) > 2}
    against = each.get(ERRORS)
    return {name: {"elpd_loo": float(values.sum()), **(
        {} if against is None or name == ERRORS else {
            "elpd_difference": float((values - against).sum()),
            "elpd_difference_se": float(np.std(values - against, ddof=1) * np.sqrt(len(values)))})}
        for name, values in each.items()}


def _left_out(fit: Posterior) -> np.ndarray:
    """Log predictive density of the points of each study given the others, shape (k,).

    Its inverse is the posterior mean of the inverse of the study's likelihood, which the points of the quadrature give
    but where a study moves the posterior far: there it is solved without it.
    """
    case, (values, weights) = fit.case, fit.points
    log_weights = np.log(weights)[:, None]
    log_ratios = log_weights - case.model.density.log_likelihood(values, case.studies)
    log_predictive = -special.logsumexp(log_ratios, axis=0)
    effective = np.exp(-special.logsumexp(2.0 * (log_ratios + log_predictive) - log_weights, axis=0))
    for at in np.flatnonzero(effective < _MOVED):
        others = np.delete(np.array(case.studies.study_ids), at)
        log_predictive[at] = fit.log_evidence - posterior_of(case.take(others)).log_evidence
    return log_predictive


def _bands(evidence: Evidence, fit: Posterior) -> Iterator[dict[str, Any]]:
    """The curve of the typical study and, where the hazard may fall, of a new one and of each study.

    The first two are by quadrature, as in other tables; draws make those of studies, which stand nowhere else.
    """
    case, tails = fit.case, (1.0 - fit.case.level) / 2.0
    curves = {("typical study", None): [_typical(fit, months) for months in _GRID]}
    if case.model.name == SHAPE:
        curves["new study", None] = _new_study(fit, (tails, 0.5, 1.0 - tails))
        curves |= {of: np.quantile(table, (tails, 0.5, 1.0 - tails), axis=0).T.tolist() for of, table in _drawn(fit)}
    for (curve, study_id), limits in curves.items():
        for months, (lower, median, upper) in zip(_GRID, limits, strict=True):
            yield {"endpoint": case.question.endpoint, "model": case.model.name, "curve": curve, "study_id": study_id,
                   "label": evidence.study(study_id).label if study_id else "", "months": months, "median": median,
                   "lower": lower, "upper": upper, "level": case.level,
                   "interval": "prediction" if curve == "new study" else "credible"}


def _typical(fit: Posterior, months: float) -> tuple[float, float, float]:
    """Lower limit, median and upper limit of survival in the typical study."""
    if months == 0.0:
        return 1.0, 1.0, 1.0
    (item,) = fit.at(months, ("survival",))
    estimate = item.estimate(fit.case.level)
    return estimate.lower, estimate.median, estimate.upper


def _new_study(fit: Posterior, shares: tuple[float, ...]) -> list[list[float]]:
    """Survival in a new study that is undercut with these probabilities, at each time."""
    density, (values, weights) = fit.case.model.density, fit.points

    def excess(survival: np.ndarray, share: np.ndarray, months: float) -> np.ndarray:
        # Survival is less where the effect is larger.
        effects = density.curve.effect_at(values, survival[..., None], months)
        return 1.0 - density.new_study_cdf(values, effects) @ weights - share

    def limits(months: float) -> list[float]:
        ends, of_months = (1e-300, 1.0 - 1e-15), partial(excess, months=months)
        found = elementwise.find_root(of_months, ends, args=(np.array(shares),))
        # Without a root between the ends survival is nearer to 0 or to 1 than a number can tell.
        return np.where(found.success, found.x, np.where(found.f_bracket[0] > 0.0, 0.0, 1.0)).tolist()

    return [limits(months) if months else [1.0] * len(shares) for months in _GRID]


def _drawn(fit: Posterior) -> Iterator[tuple[tuple[str, str | None], np.ndarray]]:
    """Draws of survival in each study, shape (draws, times)."""
    case, model = fit.case, fit.case.model.density
    rng = np.random.default_rng(derive_seed(case.job.seed, case.question.endpoint, case.model.name, "bands"))
    draws = fit.draw(_DRAWS, rng)
    effects = model.study_effects(draws, case.studies, rng)
    for name, effect in zip(case.studies.study_ids, effects.T, strict=True):
        yield ("study", name), np.stack([model.curve.survival(draws, effect, months) for months in _GRID], axis=1)
