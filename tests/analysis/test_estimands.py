"""Estimands against closed forms and integrals, with the names and scales that other programs rely on."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from analysis.inference.estimands import (
    LABELS,
    Quantity,
    rate_quantities,
    restricted_mean,
    summarise,
    survival_quantities,
)
from models import all_models
from models.log_hazard import CONSTANT_HAZARD

ETA, TAU = np.array([-3.0, -2.0, -4.0]), np.array([0.3, 1.0, 1e-9])


def _survival(horizon: float = 12.0, **changed: np.ndarray) -> dict[str, Quantity]:
    draws = {"eta": ETA, "tau": TAU, "effects": np.stack([ETA, ETA + 1.0], axis=1), "new": ETA} | changed
    found = survival_quantities({"eta": draws["eta"], "tau": draws["tau"]}, draws["effects"], draws["new"],
                                horizon=horizon)
    return {quantity.name: quantity for quantity in found}


def test_restricted_mean_is_the_area_under_the_curve() -> None:
    found = _survival()
    for months in (12.0, 24.0):
        for at, eta in enumerate(ETA):
            area = integrate.quad(lambda t, log_hazard=eta: np.exp(-np.exp(log_hazard) * t), 0.0, months)[0]
            assert found[f"rmst_{months:g}m"].draws[at] == pytest.approx(area, rel=1e-10)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("eta", "wanted"), [(-800.0, 12.0), (-60.0, 12.0), (800.0, 0.0)])
def test_restricted_mean_at_hardly_any_hazard_is_the_horizon(eta: float, wanted: float) -> None:
    """And at a hazard that is no number any more it is nothing."""
    mean = restricted_mean(CONSTANT_HAZARD, {}, np.array([eta]), 12.0)
    assert mean[0] == pytest.approx(wanted, rel=1e-12, abs=1e-300)


def test_median_months_halve_the_typical_study() -> None:
    median = _survival()["median_months"].draws
    np.testing.assert_allclose(np.exp(-np.exp(ETA) * median), 0.5, rtol=1e-12)


@pytest.mark.parametrize(("eta", "tau"), [(-3.0, 0.3), (-2.0, 1.0), (-4.0, 1e-9), (-3.0, 3.0)])
def test_mean_survival_is_the_mean_over_studies(eta: float, tau: float) -> None:
    found = _survival(eta=np.array([eta]), tau=np.array([tau]), effects=np.zeros((1, 1)), new=np.zeros(1))
    mean = found["mean_survival_12m"].draws[0]
    exact = integrate.quad(lambda z: np.exp(-12.0 * np.exp(eta + tau * z)) * stats.norm.pdf(z), -12.0, 12.0,
                           epsabs=1e-12, limit=400)[0]
    # An integral to 1e-12 and an evenly spaced sum that leaves out 2e-17 in its tails.
    assert mean == pytest.approx(exact, abs=1e-9)
    draws = np.exp(-12.0 * np.exp(np.random.default_rng(1).normal(eta, tau, 200_000)))
    # Four standard errors.
    assert mean == pytest.approx(draws.mean(), abs=4.0 * draws.std() / np.sqrt(200_000) + 1e-9)


def test_survival_of_typical_new_and_own_study() -> None:
    found = _survival(6.0)
    np.testing.assert_allclose(found["survival_6m"].draws, np.exp(-6.0 * np.exp(ETA)), rtol=1e-14)
    np.testing.assert_allclose(found["new_study_survival_6m"].draws, np.exp(-6.0 * np.exp(ETA)), rtol=1e-14)
    np.testing.assert_allclose(found["study_survival_6m"].draws[:, 1], np.exp(-6.0 * np.exp(ETA + 1.0)), rtol=1e-14)


def test_names_scales_and_kinds_of_interval() -> None:
    survival = _survival()
    assert list(survival) == ["survival_12m", "mean_survival_12m", "new_study_survival_12m",
                              "median_months", "rmst_12m", "rmst_24m", "tau", "hazard",
                              "mean_hazard", "new_study_hazard", "study_survival_12m", "study_hazard"]
    rates = {quantity.name: quantity
             for quantity in rate_quantities({name: np.zeros(3)
                                              for name in ("mean_rate", "median_rate", "rho", "tau")},
                                             np.zeros((3, 2)), np.zeros(3))}
    assert set(rates) == {"mean_rate", "median_rate", "new_study_rate", "study_rate", "rho", "tau"}
    assert {quantity.estimand for quantity in (*rates.values(), *survival.values())} == set(LABELS) - {
        "shape", "cured"}  # of models of curves
    predicted = {name for name, quantity in (rates | survival).items() if quantity.interval == "prediction"}
    assert predicted == {"new_study_rate", "new_study_survival_12m", "new_study_hazard"}
    assert {name for name, quantity in survival.items() if quantity.time_months is None} == {
        "median_months",
        "tau",
        "hazard",
        "mean_hazard",
        "new_study_hazard",
        "study_hazard",
    }
    assert {quantity.scale for quantity in rates.values()} == {"probability", "correlation", "logit"}
    assert {quantity.scale for quantity in survival.values()} == {"probability", "time", "log hazard", "hazard"}


def test_rate_models_give_every_population_summary() -> None:
    draws = {"mu": np.array([0.3]), "rho": np.array([0.1]), "m": np.array([0.5]), "tau": np.array([0.4])}
    for name in ("beta_binomial", "logit_normal"):
        assert set(all_models()[name].marginal.summaries(draws)) == {"mean_rate", "median_rate", "rho", "tau"}


@pytest.mark.parametrize(("mu", "rho"), [(0.8, 0.1), (0.05, 0.02), (0.5, 0.6)])
def test_beta_binomial_summaries(mu: float, rho: float) -> None:
    kappa = 1.0 / rho - 1.0
    found = all_models()["beta_binomial"].marginal.summaries({"mu": np.array([mu]), "rho": np.array([rho])})
    law = stats.beta(mu * kappa, (1.0 - mu) * kappa)
    assert found["median_rate"][0] == pytest.approx(law.median(), rel=1e-9)
    assert law.var() / (mu * (1.0 - mu)) == pytest.approx(found["rho"][0], rel=1e-9)
    # A logit of a beta draw is the log of a ratio of two gammas, which does not underflow; excess kurtosis
    # below 3.
    rng = np.random.default_rng(2)
    logits = np.log(rng.gamma(mu * kappa, size=400_000)) - np.log(rng.gamma((1.0 - mu) * kappa, size=400_000))
    assert found["tau"][0] == pytest.approx(logits.std(), rel=4.0 * np.sqrt(5.0 / 4.0 / 400_000))


def test_logit_normal_rho_is_that_of_simulated_studies() -> None:
    found = all_models()["logit_normal"].marginal.summaries({"m": np.array([1.4]), "tau": np.array([0.9])})
    rates = special.expit(np.random.default_rng(3).normal(1.4, 0.9, 400_000))
    mean = rates.mean()
    # Four standard errors of a mean, and of a variance with kurtosis below 9.
    assert found["mean_rate"][0] == pytest.approx(mean, abs=4.0 * rates.std() / np.sqrt(400_000))
    assert found["rho"][0] == pytest.approx(rates.var() / (mean * (1.0 - mean)), rel=4.0 * np.sqrt(8.0 / 400_000))


def test_summaries_are_equal_tailed_and_per_study() -> None:
    draws = np.random.default_rng(4).gamma(2.0, size=(4000, 2))
    rows = summarise(Quantity("study_rate", draws, "probability", "proportion"), ("a", "b"), chains=4, level=0.9)
    assert [row.study_id for row in rows] == ["a", "b"]
    for at, row in enumerate(rows):
        assert (row.lower, row.median, row.upper) == pytest.approx(np.quantile(draws[:, at], [0.05, 0.5, 0.95]))
        assert (row.mean, row.sd, row.level) == pytest.approx((draws[:, at].mean(), draws[:, at].std(ddof=1), 0.9))
        # Independent draws: the SD over the root of their number, to the precision of an effective sample
        # size.
        assert row.mcse == pytest.approx(row.sd / np.sqrt(4000), rel=0.15)
    (pooled,) = summarise(Quantity("rho", draws[:, 0], "correlation", "1"), ("a", "b"), chains=4, level=0.95)
    assert pooled.study_id is None


def test_hazards_are_per_100_person_years() -> None:
    """12 months of 100 persons: 1200 person-months; the mean of a log-normal has half the variance more."""
    found = _survival()
    hazard = np.exp(ETA)
    np.testing.assert_allclose(found["hazard"].draws, 1200.0 * hazard, rtol=1e-14)
    np.testing.assert_allclose(found["hazard"].draws * found["median_months"].draws, 1200.0 * np.log(2.0), rtol=1e-14)
    np.testing.assert_allclose(found["study_survival_12m"].draws, np.exp(-found["study_hazard"].draws / 100.0))
    assert {found[name].unit for name in ("hazard", "mean_hazard", "new_study_hazard",
                                          "study_hazard")} == {"events per 100 person-years"}
    spread = _survival(tau=np.full_like(ETA, 2.0))
    np.testing.assert_allclose(spread["mean_hazard"].draws, 1200.0 * hazard * np.exp(2.0), rtol=1e-14)
