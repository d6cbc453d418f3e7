"""Rates as a user gets them, by both engines, against a quadrature that shares no code with the models."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from analysis.cases.settings import Sampler
from analysis.inference.nuts import flat, sample
from models import all_models
from models.studies import RateStudies
from tests import quadrature
from tests.exact.rate_cases import CASES, expected
from tests.exact.sampled import assert_agrees, assert_clean, draws_of, fitted_case
from tests.exact.solved import assert_same, rates, solved
from tests.references import peers, recorded

# A study rate near 0 or 1 makes the SD of its logit unbounded: 1/(1 - mu) has no mean where nobody fails.
_TAU_WITHOUT_MOMENTS = ("all_successes", "no_events", "one_study", "one_patient_each", "two_studies", "millions",
                        "very_unequal")
# What is not monotone in the location; and a median rate saturates at 0 and 1 where an outcome never occurs.
_NOT_COMPARED = {"beta_binomial": ("tau", "median_rate"), "logit_normal": ("rho",)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", _NOT_COMPARED)
def test_both_engines_give_the_posterior(model: str, case: str) -> None:
    fit, (grid, reference) = fitted_case(model, case), expected(model, case)
    assert_clean(fit)
    assert_agrees(draws_of(fit), reference, quantiles_only=(
        ("tau",) if model == "beta_binomial" and case in _TAU_WITHOUT_MOMENTS else ()))
    # The other quadrature cuts off the last 1e-5 of the mass on each side.
    assert fit.exact.log_evidence == pytest.approx(grid.log_evidence, abs=1e-4)
    assert_same(fit.exact.grid, reference, without=_NOT_COMPARED[model])


def test_another_prior_moves_the_posterior_as_quadrature_says() -> None:
    """That the sampler follows a prior that is given is for the log hazards, since each one is compiled anew."""
    events, evaluable = (np.array(values) for values in CASES["as_rbest"])
    grid = quadrature.beta_binomial(events, evaluable, mu=(3.0, 2.0), rho=(2.0, 6.0))
    assert_same(solved("beta_binomial", rates(events, evaluable), mu="Beta(3, 2)", rho="Beta(2, 6)"),
                quadrature.beta_binomial_estimands(grid, events, evaluable), without=_NOT_COMPARED["beta_binomial"])


def test_ten_thousand_studies() -> None:
    model, rng = all_models()["beta_binomial"], np.random.default_rng(11)
    evaluable = rng.integers(10, 40, 10_000)
    events = rng.binomial(evaluable, rng.beta(0.7 * 9.0, 0.3 * 9.0, 10_000))
    studies = RateStudies([f"s{i}" for i in range(10_000)], events, evaluable)
    posterior, stats = sample(model, studies, model.priors, sampler=Sampler(draws=2000), seed=3)
    assert int(stats["diverging"].sum()) == 0
    grid = quadrature.beta_binomial(events, evaluable)
    reference = {"mean_rate": quadrature.of_function(1.0 / (1.0 + np.exp(-grid.u)), grid),
                 "rho": quadrature.of_function(np.exp(grid.v), grid)}
    draws = {name: values.reshape(4, -1) for name, values in model.marginal.summaries(flat(posterior)).items()}
    assert_agrees(draws, reference)
    # The planted values: mean 0.7 and rho = 1/(9 + 1); 5 posterior SDs, 1 in 1.7 million.
    assert abs(reference["mean_rate"].mean - 0.7) < 5.0 * reference["mean_rate"].sd
    assert abs(reference["rho"].mean - 0.1) < 5.0 * reference["rho"].sd


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_quadrature_and_sampling_meet_recorded_values(case: str) -> None:
    grid, reference = expected("logit_normal", case)
    draws, known = draws_of(fitted_case("logit_normal", case)), dict(recorded()[case])
    evidence = known.pop("log_evidence", None)
    assert evidence is None or grid.log_evidence == pytest.approx(evidence, abs=1e-4)
    for name, row in known.items():
        ours = reference[name]
        for got, wanted in zip((ours.mean, ours.sd, ours.lower, ours.median, ours.upper), row, strict=True):
            # Four printed digits, and quantiles between grid points to 0.005 SD.
            assert wanted is None or got == pytest.approx(wanted, abs=1e-4 + 0.005 * ours.sd), name
        if row[0] is not None:
            error = float(array_stats.mcse(draws[name], chain_axis=0, draw_axis=1, method="mean"))
            assert draws[name].mean() == pytest.approx(row[0], abs=4.0 * error + 1e-4), name


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_gmap_of_rbest_agrees(case: str) -> None:
    # gMAP's own draws: 40,000 for AS, the default 4,000 for the other, thinned to be nearly independent. Its mean
    # then has a Monte-Carlo error of 0.005 or 0.016 SD and its 2.5 % quantile one of 0.013 or 0.042 SD; four of them.
    _, reference = expected("logit_normal", case)
    share = 0.02 if case == "as_rbest" else 0.064
    for name, theirs in (("tau", "tau"), ("m", "beta")):
        row, ours = peers()[case]["rbest_gMAP"][theirs], reference[name]
        assert row["mean"] == pytest.approx(ours.mean, abs=share * ours.sd)
        for printed, value in (("2.5%", ours.lower), ("50%", ours.median), ("97.5%", ours.upper)):
            assert row[printed] == pytest.approx(value, abs=2.7 * share * ours.sd)


def test_median_and_mean_rate_are_different_estimands() -> None:
    means = {row.estimand: row.mean for row in fitted_case("logit_normal", "pritz_1997").estimates}
    assert means["median_rate"] - means["mean_rate"] == pytest.approx(0.0307, abs=0.002)
