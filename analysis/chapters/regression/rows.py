"""Tables of the regressions: slopes, predictions, imputed cells, and correlations among covariates."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from arviz_stats.base import array_stats
from scipy import special

from analysis.cases.case import Case
from analysis.cases.covariates import Column as Covariate
from analysis.cases.regressions import RegressionCase
from analysis.cases.settings import NUTS
from analysis.chapters.regression.conflict import conflict_cells
from analysis.evidence.directory import Evidence
from analysis.inference.regression import RegressionFit
from analysis.inference.weighted import mcse_mean, mean_and_sd, quantiles
from analysis.results import tables
from analysis.results.table import Column, Layout, Row, columns
from models.model import Draws
from models.priors import Prior

CAVEAT = ("Associations between studies, not effects in patients: studies differ in more than one covariate, and a "
          "slope over studies need not hold within any of them.")
STRONG_CORRELATION = 0.5
"""Least correlation of two covariates that a reader is told of."""

_COVARIATE = Column("covariate", "key of the covariate in covariates.csv", "text", "Covariate")
_CHECKS = {column.name: column for column in tables.DIAGNOSTICS.columns}
SLOPES = Layout("regression.csv", "One slope of one regression of an endpoint on covariates of the studies.", (
    *columns("endpoint model subset tiers study_set early_landmarks"), _COVARIATE,
    Column("label", "name of the covariate as readers see it", "text", "Covariate, unit"),
    Column("unit", "one step of the covariate, in words", "text"),
    Column("unit_size", "size of the step that beta and ratio are per, on the transformed scale of the column"),
    Column("prior_size", "size of the step that the prior of the slope is per"),
    Column("analysis", "one covariate at a time, complete cases of it, or all together", "text", "Analysis"),
    Column("n_studies", "number of studies", "count", "Studies (imputed)"), *columns("n_patients"),
    Column("n_missing", "studies that do not report the covariate", "count"),
    Column("centre", "value of the covariate at which the intercept is read"),
    *(Column(f"beta_{name}", f"{meaning} of the slope, in log odds or log hazard per step") for name, meaning in (
        ("mean", "posterior mean"), ("sd", "posterior standard deviation"), ("median", "posterior median"),
        ("lower", "lower limit"), ("upper", "upper limit"), ("mcse", "Monte-Carlo standard error of the mean"))),
    Column("ratio_scale", "odds ratio or hazard ratio", "text"),
    Column("ratio_median", "posterior median of the ratio per step", "ratio", "Ratio [{level} credible]"),
    Column("ratio_lower", "its lower limit"), Column("ratio_upper", "its upper limit"), *columns("level interval"),
    Column("probability_above_one", "posterior probability of a ratio above 1", "percent", "P(ratio > 1)"),
    Column("prior", "prior of the slope per step of its own", "text"),
    Column("prior_sd", "prior standard deviation of beta, per step; empty where the prior has none",
           "error prior_sd_per_sd", "Prior SD per unit (per SD)"),
    Column("prior_sd_per_sd", "the same per standard deviation of the covariate over these studies"),
    Column("sd_ratio", "posterior over prior standard deviation of the slope; empty where the prior has none",
           heading="SD / prior SD"),
    Column("chance_excluded", "probability that the interval of the ratio excludes 1 where there is no association"),
    Column("crude_beta", "slope per step without a prior, from the studies' own estimates"),
    Column("crude_se", "its standard error"),
    Column("prior_tail", "two-sided prior predictive probability of a crude slope as far out"),
    Column("prior_conflict", "whether that is below 0.05", "flag"),
    Column("heterogeneity", "parameter that tells how much studies differ: rho or tau",
           "named heterogeneity_without heterogeneity_with", "Heterogeneity without, with"),
    Column("heterogeneity_without", "its posterior median without covariates"),
    Column("heterogeneity_with", "its posterior median with them"),
    Column("heterogeneity_explained", "the first minus the second"),
    Column("lone_study", "whether one study differs from all others in the covariate", "flag"),
    Column("engine", "what made the draws: importance or nuts", "text"), *columns("status"),
    Column("pareto_k", "shape of the tail of importance weights; empty for chains"),
    *(_CHECKS[name] for name in (
        "max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "min_bfmi", "max_mcse_mean", "max_mcse_limit",
        "max_mcse_limit_heterogeneity", "failures", "chains", "draws", "target_accept", "seed")),
    Column("refused", "why there are too few studies for a slope", "text"), *columns("stamp")))
PREDICTIONS = Layout("regression_predictions.csv", "One point of a posterior curve over one covariate.", (
    *columns("endpoint"), _COVARIATE, Column("value", "value of the covariate, as in studies.csv"),
    *columns("estimand time_months median lower upper level interval stamp")))
IMPUTED = Layout("regression_imputed.csv", "One cell of a covariate that a study does not report.", (
    *columns("endpoint"), _COVARIATE, *columns("study_id label n median lower upper level"),
    Column("probability_outside", "posterior probability beyond the bounds of covariates.csv", "chance"),
    *columns("stamp")))
COLLINEARITY = Layout("regression_collinearity.csv", "One pair of covariates over the studies of one endpoint.", (
    *columns("endpoint"), _COVARIATE, Column("other", "key of the other covariate", "text", "Other"),
    Column("n_studies", "studies that report both", "count", "Studies"),
    Column("correlation", "Pearson correlation; empty where one does not vary", heading="Correlation"),
    *columns("stamp")))
LAYOUTS = (SLOPES, PREDICTIONS, IMPUTED, COLLINEARITY)
_POINTS = 41
_SD_DRAWS = 100_000
_LARGEST_LOG = 700.0


def slope_row(case: RegressionCase, at: int, fit: RegressionFit | None, *, without: float | None) -> dict[str, Any]:
    """One slope; only its diagnostics where the fit did not converge, only the reason where it is refused.

    Parameters
    ----------
    at : int
        Which covariate of the case.
    without : float or None
        Posterior median of the heterogeneity of the same studies without any covariate.
    """
    covariate, refusal = case.columns[at], case.refusals[at]
    row = {**tables.question_cells(case.without.question, case.without.model.name), "covariate": covariate.name,
           "label": covariate.covariate.label, "unit": covariate.unit, "unit_size": covariate.unit_size,
           "prior_size": covariate.prior_size, "analysis": case.analysis, "n_studies": len(case.studies),
           "n_patients": case.studies.patients, "n_missing": int(covariate.missing.sum()),
           "centre": float(covariate.natural(np.zeros(1))[0]), "lone_study": covariate.lone_study, "refused": refusal}
    if refusal:
        return {**row, "status": "refused"}
    chains = fit.sampler.chains if fit.engine == NUTS else None
    row |= {**SLOPES.pick(tables.diagnostic_row(fit.diagnostics)), "engine": fit.engine, "chains": chains,
            "draws": fit.sampler.draws, "target_accept": fit.sampler.target_accept if chains else None,
            "seed": case.seed}
    return {**row, **_estimate_cells(fit, at, without)} if fit.diagnostics.converged else row


def _estimate_cells(fit: RegressionFit, at: int, without: float | None) -> dict[str, Any]:
    case, weights, per_step = fit.case, fit.weights, fit.case.columns[at].units_per_prior_step
    prior, heterogeneity = case.priors["shrinkage" if case.together else "beta"], case.regression.heterogeneity
    beta = fit.draws["beta"][:, at] / per_step
    mean, sd = mean_and_sd(beta, weights)
    limits = dict(zip(("lower", "median", "upper"), quantiles(beta, weights, _limits(case.without)).tolist(),
                      strict=True))
    remaining, wide = float(quantiles(fit.draws[heterogeneity], weights, [0.5])[0]), prior_sd(prior)
    sd_ratio = sd * per_step / wide if wide else None
    mcse = float(array_stats.mcse(beta.reshape(fit.sampler.chains, -1), method="mean", chain_axis=0, draw_axis=1)) \
        if fit.engine == NUTS else mcse_mean(beta, weights)
    per_unit, per_sd = (wide / step if wide else None for step in (per_step, case.columns[at].prior_step))
    return {"beta_mean": mean, "beta_sd": sd, **{f"beta_{name}": limit for name, limit in limits.items()},
            "beta_mcse": mcse, "ratio_scale": case.regression.ratio,
            # A flat prior on separated studies goes beyond what has an exponential.
            **{f"ratio_{name}": math.exp(min(limit, _LARGEST_LOG)) for name, limit in limits.items()},
            "level": case.without.level, "interval": "credible",
            "probability_above_one": float(weights @ (beta > 0.0)),
            "prior": f"Normal(0, shrinkage), shrinkage ~ {prior}" if case.together else str(prior),
            "prior_sd": per_unit, "prior_sd_per_sd": per_sd, "sd_ratio": sd_ratio,
            "chance_excluded": chance_excluded(sd_ratio, case.without.level),
            **conflict_cells(case, at, prior),
            "heterogeneity": heterogeneity, "heterogeneity_without": without, "heterogeneity_with": remaining,
            "heterogeneity_explained": None if without is None else without - remaining}


def chance_excluded(sd_ratio: float | None, level: float) -> float:
    """Probability that the interval of a slope excludes zero where the true slope is zero.

    The posterior mean is the unshrunken estimate times 1 - r^2, r the posterior over the prior standard deviation: the
    estimate must lie z / sqrt(1 - r^2) of its standard errors from zero. A slope without a prior is not shrunken.
    """
    kept = 1.0 - (sd_ratio or 0.0) ** 2
    return float(2.0 * special.ndtr(special.ndtri((1.0 - level) / 2.0) / math.sqrt(kept))) if kept > 0.0 else 0.0


def prior_sd(prior: Prior) -> float | None:
    """Standard deviation of a slope, whose prior it is or that of its scale; None where it is infinite."""
    if "Cauchy" in prior.family or (prior.family.endswith("StudentT") and prior.arguments[0] <= 2.0):
        return None
    if prior.family in ("Normal", "HalfNormal"):
        return prior.arguments[-1]
    import pymc as pm

    draws = pm.draw(prior.distribution(), draws=_SD_DRAWS, random_seed=1)
    return float(np.sqrt(np.mean(draws**2)) if prior.support == "positive" else draws.std())


def prediction_rows(fit: RegressionFit) -> list[dict[str, Any]]:
    """The mean rate, or the typical study's survival, over the observed range of the one covariate of a fit."""
    regression, (covariate,), case = fit.case.regression, fit.case.columns, fit.case.without
    x = np.linspace(np.nanmin(covariate.values), np.nanmax(covariate.values), _POINTS)
    linear = regression.intercept(fit.draws)[:, None] + fit.draws["beta"] / covariate.prior_step * x
    limits = quantiles(regression.outcome(linear, case.horizon), fit.weights, _limits(case))
    return [{"endpoint": case.question.endpoint, "covariate": covariate.name, "value": float(f"{value:.12g}"),
             "estimand": "mean_rate" if case.horizon is None else "survival", "time_months": case.horizon,
             "median": float(median), "lower": float(lower), "upper": float(upper), "level": case.level,
             "interval": "credible"} for value, lower, median, upper in zip(covariate.natural(x), *limits, strict=True)]


def imputed_rows(evidence: Evidence, fit: RegressionFit, cells: Draws) -> list[dict[str, Any]]:
    """One row per missing cell, on the scale of the column, with the probability that it lies beyond the bounds.

    Parameters
    ----------
    cells : mapping of study id to array, shape (s,)
        As `analysis.inference.regression.draw_missing` returns them.
    """
    (covariate,), case = fit.case.columns, fit.case.without
    bounds = covariate.covariate.lowest, covariate.covariate.highest
    sizes, rows = dict(zip(case.studies.study_ids, map(int, case.studies.sizes), strict=True)), []
    for study_id, values in cells.items():
        natural = covariate.natural(values)
        lower, median, upper = map(float, np.quantile(natural, _limits(case)))
        outside = natural != np.clip(natural, *bounds)
        rows.append({"endpoint": case.question.endpoint, "covariate": covariate.name, "study_id": study_id,
                     "label": evidence.study(study_id).label, "n": sizes[study_id], "median": median, "lower": lower,
                     "upper": upper, "level": case.level, "probability_outside": float(outside.mean())})
    return rows


def collinearity_rows(covariates: Sequence[Covariate], endpoint: str) -> list[dict[str, Any]]:
    """Pearson correlation of each pair of covariates over the studies that have both; None where one is constant."""
    rows = []
    for covariate, other in combinations(covariates, 2):
        both = ~covariate.missing & ~other.missing
        x, y = covariate.values[both], other.values[both]
        varied = len(x) >= 3 and np.ptp(x) > 0.0 and np.ptp(y) > 0.0
        rows.append({"endpoint": endpoint, "covariate": covariate.name, "other": other.name,
                     "n_studies": int(both.sum()), "correlation": float(np.corrcoef(x, y)[0, 1]) if varied else None})
    return rows


def strong(pairs: Sequence[Row]) -> list[Row]:
    """Pairs of covariates whose correlation a reader is told of."""
    return [pair for pair in pairs if abs(pair["correlation"] or 0.0) >= STRONG_CORRELATION]


def _limits(case: Case) -> list[float]:
    return [(1.0 - case.level) / 2.0, 0.5, (1.0 + case.level) / 2.0]
