"""The tidy rows of regressions: slopes, predictions, imputed cells, and correlations among covariates."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from arviz_stats.base import array_stats

from analysis.cases.covariates import Column
from analysis.cases.regressions import RegressionCase
from analysis.cases.settings import NUTS, Job
from analysis.chapters.regression.conflict import conflict_cells
from analysis.evidence import Evidence
from analysis.inference.regression import RegressionFit
from analysis.inference.weighted import mcse_mean, mean_and_sd, quantiles
from analysis.results import tables
from models.model import Draws
from models.priors import Prior

Row = Mapping[str, Any]
CAVEAT = ("Associations between studies, not effects in patients: studies differ in more than one covariate, and a "
          "slope over studies need not hold within any of them.")

_DIAGNOSTICS = ("engine", "status", "pareto_k", "max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "min_bfmi",
                "max_mcse_mean", "max_mcse_limit", "max_mcse_limit_heterogeneity", "failures")
REGRESSION_COLUMNS = (
    "endpoint", "model", "subset", "tiers", "study_set", "early_landmarks",
    "covariate", "label", "unit", "unit_size", "prior_size", "analysis", "n_studies",
    "n_patients", "n_missing", "centre", "beta_mean", "beta_sd", "beta_median", "beta_lower", "beta_upper", "beta_mcse",
    "ratio_scale", "ratio_median", "ratio_lower", "ratio_upper", "level", "interval", "probability_above_one", "prior",
    "sd_ratio", "crude_beta", "crude_se", "prior_tail", "prior_conflict",
    "heterogeneity", "heterogeneity_without", "heterogeneity_with", "heterogeneity_explained", "lone_study",
    *_DIAGNOSTICS, "chains", "draws", "target_accept", "seed", "refused", "stamp")
PREDICTION_COLUMNS = ("endpoint", "covariate", "value", "estimand", "time_months", "median", "lower", "upper", "level",
                      "interval", "stamp")
IMPUTED_COLUMNS = ("endpoint", "covariate", "study_id", "label", "n", "median", "lower", "upper", "level",
                   "probability_outside", "stamp")
COLLINEARITY_COLUMNS = ("endpoint", "covariate", "other", "n_studies", "correlation", "stamp")
_POINTS = 41
_SD_DRAWS = 100_000
_LARGEST_LOG = 700.0


def slope_row(case: RegressionCase, at: int, job: Job, *, fit: RegressionFit | None,
              without: float | None) -> dict[str, Any]:
    """One slope; only its diagnostics where the fit did not converge, only the reason where it is refused.

    Parameters
    ----------
    at : int
        Which covariate of the case.
    without : float or None
        Posterior median of the heterogeneity of the same studies without any covariate.
    """
    column, refusal = case.columns[at], case.refusal(job.question.endpoint, at)
    row = {**tables.question_cells(job.question, case.regression.base.name), "covariate": column.name,
           "label": column.covariate.label, "unit": column.step.words, "unit_size": column.step.size,
           "prior_size": column.step.prior_size, "analysis": case.analysis, "n_studies": len(case.studies),
           "n_patients": case.studies.patients, "n_missing": int(column.missing.sum()),
           "centre": float(column.natural(np.zeros(1))[0]), "lone_study": column.lone_study, "refused": refusal}
    if refusal:
        return {**row, "status": "refused"}
    chains = fit.sampler.chains if fit.engine == NUTS else None
    row |= {**tables.diagnostic_row(fit.diagnostics), "engine": fit.engine, "chains": chains,
            "draws": fit.sampler.draws, "target_accept": fit.sampler.target_accept if chains else None,
            "seed": fit.seed}
    return {**row, **_estimate_cells(fit, at, job, without)} if fit.diagnostics.converged else row


def _estimate_cells(fit: RegressionFit, at: int, job: Job, without: float | None) -> dict[str, Any]:
    case, weights, per_step = fit.case, fit.weights, fit.case.columns[at].step.per_prior_step
    prior, heterogeneity = case.priors["shrinkage" if case.together else "beta"], case.regression.heterogeneity
    beta = fit.draws["beta"][:, at] / per_step
    mean, sd = mean_and_sd(beta, weights)
    limits = dict(zip(("lower", "median", "upper"), map(float, quantiles(beta, weights, _limits(job))), strict=True))
    remaining, wide = float(quantiles(fit.draws[heterogeneity], weights, [0.5])[0]), prior_sd(prior)
    return {"beta_mean": mean, "beta_sd": sd, **{f"beta_{name}": limit for name, limit in limits.items()},
            "beta_mcse": _mcse(beta, fit.sampler.chains) if fit.engine == NUTS else mcse_mean(beta, weights),
            "ratio_scale": case.regression.ratio,
            # A flat prior on separated studies goes beyond what has an exponential.
            **{f"ratio_{name}": math.exp(min(limit, _LARGEST_LOG)) for name, limit in limits.items()},
            "level": job.level, "interval": "credible", "probability_above_one": float(weights @ (beta > 0.0)),
            "prior": f"Normal(0, shrinkage), shrinkage ~ {prior}" if case.together else str(prior),
            "sd_ratio": sd * per_step / wide if wide else None, **conflict_cells(case, at, prior),
            "heterogeneity": heterogeneity, "heterogeneity_without": without, "heterogeneity_with": remaining,
            "heterogeneity_explained": None if without is None else without - remaining}


def prior_sd(prior: Prior) -> float | None:
    """Prior standard deviation of a slope: of the prior itself, or of a normal whose scale has the prior.

    None where it is infinite.
    """
    if "Cauchy" in prior.family or (prior.family.endswith("StudentT") and prior.arguments[0] <= 2.0):
        return None
    if prior.family == "Normal":
        return prior.arguments[1]
    if prior.family == "HalfNormal":
        return prior.arguments[0]
    import pymc as pm

    draws = pm.draw(prior.distribution(), draws=_SD_DRAWS, random_seed=1)
    return float(np.sqrt(np.mean(draws**2)) if prior.support == "positive" else draws.std())


def prediction_rows(fit: RegressionFit, job: Job, *, horizon: float | None) -> list[dict[str, Any]]:
    """The mean rate, or the typical study's survival, over the observed range of the one covariate of a fit."""
    regression, (column,) = fit.case.regression, fit.case.columns
    x = np.linspace(np.nanmin(column.values), np.nanmax(column.values), _POINTS)
    linear = regression.intercept(fit.draws)[:, None] + fit.draws["beta"] / column.prior_step * x
    limits = quantiles(regression.outcome(linear, horizon), fit.weights, _limits(job))
    return [{"endpoint": job.question.endpoint, "covariate": column.name, "value": float(value),
             "estimand": "mean_rate" if horizon is None else "survival", "time_months": horizon,
             "median": float(median), "lower": float(lower), "upper": float(upper), "level": job.level,
             "interval": "credible"} for value, lower, median, upper in zip(column.natural(x), *limits, strict=True)]


def imputed_rows(evidence: Evidence, fit: RegressionFit, cells: Draws, job: Job) -> list[dict[str, Any]]:
    """One row per missing cell, on the scale of the column, with the probability that it lies beyond the bounds."""
    (column,) = fit.case.columns
    low, high = column.covariate.lowest, column.covariate.highest
    sizes, rows = patients_each(fit.case.studies), []
    for study_id, values in cells.items():
        natural = column.natural(values)
        lower, median, upper = map(float, np.quantile(natural, _limits(job)))
        outside = (natural < (-np.inf if low is None else low)) | (natural > (np.inf if high is None else high))
        rows.append({"endpoint": job.question.endpoint, "covariate": column.name, "study_id": study_id,
                     "label": evidence.study(study_id).label, "n": sizes[study_id], "median": median,
                     "lower": lower, "upper": upper, "level": job.level,
                     "probability_outside": float(outside.mean())})
    return rows


def collinearity_rows(columns: Sequence[Column], job: Job) -> list[dict[str, Any]]:
    """Pearson correlation of each pair of covariates over the studies that have both; None where one is constant."""
    rows = []
    for at, column in enumerate(columns):
        for other in columns[at + 1:]:
            both = ~column.missing & ~other.missing
            rows.append({"endpoint": job.question.endpoint, "covariate": column.name, "other": other.name,
                         "n_studies": int(both.sum()),
                         "correlation": _correlation(column.values[both], other.values[both])})
    return rows


def patients_each(studies: Any) -> dict[str, int]:
    """Patients by study id."""
    sizes = studies.evaluable if hasattr(studies, "evaluable") else studies.patients_each
    return dict(zip(studies.study_ids, map(int, sizes), strict=True))


def _correlation(x: np.ndarray, y: np.ndarray) -> float | None:
    if len(x) < 3 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _limits(job: Job) -> list[float]:
    return [(1.0 - job.level) / 2.0, 0.5, (1.0 + job.level) / 2.0]


def _mcse(draws: np.ndarray, chains: int) -> float:
    return float(array_stats.mcse(draws.reshape(chains, -1), method="mean", chain_axis=0, draw_axis=1))
