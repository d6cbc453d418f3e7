"""Beta-binomial posteriors as a user gets them, against quadrature that shares no code with the model."""

from pathlib import Path

import numpy as np
import pytest

from analysis.cases.settings import Sampler
from analysis.inference.nuts import flat, sample
from models import all_models
from models.studies import RateStudies
from tests import quadrature

from .rate_cases import CASES
from .sampled import assert_agrees, assert_clean, draws_of, fit_rates

# A study rate near 0 or 1 makes the SD of its logit unbounded: 1/(1 - mu) has no mean where nobody fails.
_TAU_WITHOUT_MOMENTS = (
    "all_successes",
    "no_events",
    "one_study",
    "one_patient_each",
    "two_studies",
    "millions",
    "very_unequal",
)


@pytest.mark.parametrize("case", CASES)
def test_posterior_is_that_of_quadrature(case: str, tmp_path: Path) -> None:
    events, evaluable = (np.array(values) for values in CASES[case])
    fit = fit_rates(tmp_path, events, evaluable, model="beta_binomial")
    assert_clean(fit)
    expected = quadrature.beta_binomial_estimands(
        quadrature.beta_binomial(events, evaluable), events, evaluable
    )
    without = ("tau",) if case in _TAU_WITHOUT_MOMENTS else ()
    assert_agrees(draws_of(fit), expected, quantiles_only=without)


def test_ten_thousand_studies(tmp_path: Path) -> None:
    model, rng = all_models()["beta_binomial"], np.random.default_rng(11)
    evaluable = rng.integers(10, 40, 10_000)
    events = rng.binomial(evaluable, rng.beta(0.7 * 9.0, 0.3 * 9.0, 10_000))
    studies = RateStudies([f"s{i}" for i in range(10_000)], events, evaluable)
    posterior, stats = sample(model, studies, model.priors, sampler=Sampler(draws=2000), seed=3)
    assert int(stats["diverging"].sum()) == 0
    grid = quadrature.beta_binomial(events, evaluable)
    expected = {
        "mean_rate": quadrature.of_function(1.0 / (1.0 + np.exp(-grid.u)), grid),
        "rho": quadrature.of_function(np.exp(grid.v), grid),
    }
    draws = {name: values.reshape(4, -1) for name, values in model.marginal.summaries(flat(posterior)).items()}
    assert_agrees(draws, expected)
    # The planted values: mean 0.7 and rho = 1/(9 + 1); 5 posterior SDs, 1 in 1.7 million.
    assert abs(expected["mean_rate"].mean - 0.7) < 5.0 * expected["mean_rate"].sd
    assert abs(expected["rho"].mean - 0.1) < 5.0 * expected["rho"].sd


def test_another_prior_moves_the_posterior_as_quadrature_says(tmp_path: Path) -> None:
    events, evaluable = (np.array(values) for values in CASES["as_rbest"])
    fit = fit_rates(
        tmp_path,
        events,
        evaluable,
        model="beta_binomial",
        priors=(("mu", "Beta(3, 2)"), ("rho", "Beta(2, 6)")),
    )
    grid = quadrature.beta_binomial(events, evaluable, mu=(3.0, 2.0), rho=(2.0, 6.0))
    assert_clean(fit)
    assert_agrees(draws_of(fit), quadrature.beta_binomial_estimands(grid, events, evaluable))
