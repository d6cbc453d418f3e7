"""Tables of the covariates: slopes by sums, their curves, imputed cells and correlations."""

import math

import numpy as np
import pytest
from scipy import special, stats

from tests.seen.checking import Table, between, chosen, limits, one_of, single, value
from tests.seen.facts import ENDPOINTS, LEVEL, STUDIES, named, studies_of, study_of, table
from tests.seen.headline import HEADLINE, MAIN, SPREAD, headline, main_limits, months
from tests.seen.posterior import DEFAULTS, U, V, arguments, data_of, log_likelihood, log_prior

COVARIATES = {row["covariate"]: row for row in table("covariates.csv")}


def cells(covariate: str, studies) -> np.ndarray:
    """The covariate of these studies as it stands in studies.csv, NaN where it is empty."""
    column = COVARIATES[covariate]["column"]
    return np.array([float(STUDIES[study.study_id][column] or "nan") for study in studies])


def _observed(covariate: str, endpoint: str):
    studies = studies_of(endpoint)
    return [study for study, x in zip(studies, cells(covariate, studies), strict=True) if not math.isnan(x)]


def test_regression(seen):
    rows = Table(seen, "regression.csv")
    for row in rows.rows:
        endpoint, analysis, covariate = row["endpoint"], row["analysis"], row["covariate"]
        studies = _observed(covariate, endpoint) if analysis == "complete_case" else studies_of(endpoint)
        x, about = cells(covariate, studies), COVARIATES[covariate]
        rows.known(row, "model endpoint covariate analysis")
        rows.check(row, label=about["label"], unit=about["unit"], n_studies=len(studies), lone_study=False,
                   n_patients=sum(study.n for study in studies), n_missing=int(np.isnan(x).sum()))
        rows.check(row, within=1e-4 * np.nanmean(x), centre=float(np.nanmean(x)))
        _slope(rows, row, studies, x)
    _all_analyses(rows.rows)
    rows.complete(subset="all", tiers="AB", study_set="review", early_landmarks=True, level=LEVEL,
                  interval="credible", status="converged", failures=None, refused=None, stamp=None)


def _all_analyses(rows) -> None:
    for endpoint in ENDPOINTS:
        made = [(row["analysis"], row["covariate"]) for row in chosen(rows, endpoint=endpoint)]
        missing = [name for name in COVARIATES if len(_observed(name, endpoint)) < len(studies_of(endpoint))]
        wanted = [(analysis, name) for analysis in ("one_at_a_time", "together") for name in COVARIATES]
        assert sorted(made) == sorted(wanted + [("complete_case", name) for name in missing]), endpoint


def _slope(rows, row, studies, x) -> None:
    found, endpoint, beta = rows.numbers(row), row["endpoint"], limits(row, "beta_")
    rows.limits(row, beta, prefix="beta_", within=0.0)
    rows.limits(row, np.exp(beta), prefix="ratio_", within=5e-5)
    rows.known(row, "beta_mean beta_sd")
    together = row["analysis"] == "together"
    rows.check(row, ratio_scale="hazard ratio" if endpoint == "os" else "odds ratio",
               engine=one_of("importance", "nuts"), heterogeneity=SPREAD[endpoint], seed=between(0, 2**31),
               beta_mcse=between(0, 0.1 * found["beta_sd"]),
               prior=lambda text: text.startswith("Normal(0, shrinkage)") == together and text.startswith("Normal(0, "))
    # A normal slope has no skew worth the name here: mean and median, SD and interval say the same.
    assert abs(found["beta_mean"] - found["beta_median"]) < 0.25 * found["beta_sd"]
    wide = (found["beta_upper"] - found["beta_lower"]) / 3.92
    assert 0.7 * found["beta_sd"] < wide < 1.15 * found["beta_sd"]
    # Slopes that share a scale have a spike at zero, which a normal law does not.
    chance = stats.norm.cdf(found["beta_median"] / found["beta_sd"])
    assert (found["probability_above_one"] > 0.5) == (found["beta_median"] > 0)
    rows.check(row, within=0.15 if together else 0.06, probability_above_one=chance)
    scale = arguments(row["prior"].rpartition("~ ")[2] if together else row["prior"])[-1]
    # The prior speaks of a step of its own, `prior_size` of the column, in units of `unit_size`.
    size = found["prior_size"] / found["unit_size"]
    scale /= size
    rows.check(row, within=1e-4, sd_ratio=found["beta_sd"] / scale, prior_sd=scale,
               prior_sd_per_sd=scale * np.nanstd(x, ddof=1) / found["unit_size"])
    kept = max(1 - found["sd_ratio"] ** 2, 1e-9)
    rows.check(row, within=1e-5, chance_excluded=2 * stats.norm.sf(stats.norm.ppf(0.975) / math.sqrt(kept)))
    rows.check(row, unit_size=float(COVARIATES[row["covariate"]]["unit_size"]),
               prior_size=between(0.2 * np.nanstd(x), 5 * np.nanstd(x)), crude_beta=lambda slope: True,
               crude_se=lambda error: error is None or error > 0,
               prior_tail=lambda tail: tail is None or 0 <= tail <= 1, prior_conflict=lambda told: not told)
    without = headline(endpoint, studies).quantile(SPREAD[endpoint], 0.5)
    rows.check(row, within=2e-3, heterogeneity_without=without)
    rows.check(row, within=2e-5, heterogeneity_with=found["heterogeneity_with"],
               heterogeneity_explained=found["heterogeneity_without"] - found["heterogeneity_with"])
    _engine(rows, row)
    if not together and not np.isnan(x).any():
        _by_sums(rows, row, studies, (x - x.mean()) / float(COVARIATES[row["covariate"]]["unit_size"]), scale)


def _engine(rows, row) -> None:
    weighed = row["engine"] == "importance"
    for name in ("max_rhat", "min_ess_tail", "divergences", "min_bfmi", "chains", "target_accept"):
        rows.check(row, **{name: (lambda x, weighed=weighed: (x is None) == weighed)})
    rows.check(row, pareto_k=(lambda x: (x is not None and x < 0.7) == weighed), draws=between(500, 1e6),
               min_ess_bulk=between(400, 1e6), max_mcse_mean=between(0, 0.05),
               max_mcse_limit=between(0, 0.1), max_mcse_limit_heterogeneity=between(0, 0.15))


def _by_sums(rows, row, studies, x, scale) -> None:
    """The slope's posterior by sums over intercept, heterogeneity and slope; draws leave an error of 5 % SD."""
    model = HEADLINE[row["endpoint"]]
    given = list(DEFAULTS[model].values())
    slopes = np.linspace(-4 * scale, 4 * scale, 61)
    logs = np.array([_evidence_at(model, studies, given, b * x) for b in slopes]) + stats.norm.logpdf(slopes, 0, scale)
    weight = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
    mean = float(weight @ slopes)
    sd = math.sqrt(weight @ (slopes - mean) ** 2)
    rows.check(row, within=0.1 * sd, beta_mean=mean,
               beta_median=float(np.interp(0.5, np.cumsum(weight) - weight / 2, slopes)))
    rows.check(row, within=0.08 * sd, beta_sd=sd)
    rows.check(row, within=0.03,
               probability_above_one=float(np.interp(0.0, slopes, 1 - np.cumsum(weight) + weight / 2)))


def _evidence_at(model, studies, given, shifts) -> float:
    u, v = U[model][::4][None, :], V[model][::4][:, None]
    return float(special.logsumexp(log_prior(model, given, u, v) + sum(
        log_likelihood(model, data_of(study), u + shift, v, every=4)
        for study, shift in zip(studies, shifts, strict=True))))


def test_regression_predictions(seen):
    """A curve over the observed range, with its band; at the centre it is near the estimate without a covariate."""
    rows = Table(seen, "regression_predictions.csv")
    for endpoint in ENDPOINTS:
        for covariate in COVARIATES:
            own = chosen(rows.rows, endpoint=endpoint, covariate=covariate)
            x = cells(covariate, studies_of(endpoint))
            steps = np.linspace(np.nanmin(x), np.nanmax(x), 41)
            assert len(own) == len(steps)
            slope = single(seen.tables["regression.csv"], endpoint=endpoint, covariate=covariate,
                           analysis="one_at_a_time")
            sign = value(slope["beta_median"]) * (-1 if endpoint == "os" else 1)
            for row, step in zip(own, steps, strict=True):
                rows.check(row, within=1e-5 * abs(step), value=step)
                rows.check(row, estimand=MAIN[endpoint], time_months=months(endpoint))
                rows.known(row, "endpoint covariate")
                rows.limits(row, limits(row), within=0.0)
            _curve(own, slope, sign, headline(endpoint), endpoint)
    rows.complete(level=LEVEL, interval="credible", stamp=None)


def _curve(own, slope, sign, plane, endpoint) -> None:
    """On the link scale the median's rise per unit is the slope, but for the interplay of draws: a tenth of its SD."""
    first, last = own[0], own[-1]
    to = (lambda s: math.log(-math.log(s) / 12)) if endpoint == "os" else special.logit
    unit = float(COVARIATES[first["covariate"]]["unit_size"])
    rise = ((to(value(last["median"])) - to(value(first["median"]))) / (value(last["value"]) - value(first["value"]))
            * unit)
    assert rise == pytest.approx(value(slope["beta_median"]), abs=0.15 * value(slope["beta_sd"]))
    middle = own[len(own) // 2]
    sd = plane.sd(MAIN[endpoint], months(endpoint))
    assert value(middle["median"]) == pytest.approx(main_limits(plane, endpoint)[0], abs=sd)


def test_regression_imputed(seen):
    """Missing cells: near a normal law of the observed ones, with the share of it beyond the bounds of the column."""
    rows = Table(seen, "regression_imputed.csv")
    wanted = [(endpoint, covariate, study.study_id) for endpoint in ENDPOINTS for covariate in COVARIATES
              for study in studies_of(endpoint) if not STUDIES[study.study_id][COVARIATES[covariate]["column"]]]
    assert sorted((row["endpoint"], row["covariate"], row["study_id"]) for row in rows.rows) == sorted(wanted)
    for row in rows.rows:
        studies = studies_of(row["endpoint"])
        x, found = cells(row["covariate"], studies), rows.numbers(row)
        mean, sd = np.nanmean(x), np.nanstd(x, ddof=1)
        rows.known(row, "endpoint covariate")
        rows.check(row, **named(study_of(row, studies)))
        rows.limits(row, (between(mean - sd, mean + sd), between(mean - 5 * sd, mean - 1.2 * sd),
                          between(mean + 1.2 * sd, mean + 5 * sd)), within=0.0)
        low, high = (float(COVARIATES[row["covariate"]][name] or edge)
                     for name, edge in (("lowest", "-inf"), ("highest", "inf")))
        spread = (found["upper"] - found["lower"]) / 3.92
        outside = stats.norm.cdf(low, found["median"], spread) + stats.norm.sf(high, found["median"], spread)
        rows.check(row, within=0.04, probability_outside=outside)
    rows.complete(level=LEVEL, stamp=None)


def test_regression_collinearity(seen):
    rows = Table(seen, "regression_collinearity.csv")
    names = list(COVARIATES)
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    assert sorted((row["endpoint"], row["covariate"], row["other"]) for row in rows.rows) == sorted(
        (endpoint, *pair) for endpoint in ENDPOINTS for pair in pairs)
    for row in rows.rows:
        studies = studies_of(row["endpoint"])
        x, y = cells(row["covariate"], studies), cells(row["other"], studies)
        both = ~np.isnan(x) & ~np.isnan(y)
        r = stats.pearsonr(x[both], y[both]).statistic if both.sum() >= 3 else None
        rows.check(row, within=1e-5, n_studies=int(both.sum()), correlation=r)
        rows.known(row, "endpoint covariate other")
    rows.complete(stamp=None)
