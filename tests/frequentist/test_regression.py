"""Coefficients and standard errors with and without covariates, against R packages and logistic regression."""

import math

import numpy as np
import pytest
from scipy import special

from analysis.frequentist.likelihood import beta_binomial_likelihood, logit_normal_likelihood
from analysis.frequentist.regression import regress
from tests.references import peers

from .cases import ALL_EVENTS, HOMOGENEOUS, MIXED, of_peer, studies

BOTH = [beta_binomial_likelihood, logit_normal_likelihood]


def _design() -> np.ndarray:
    covariate = np.array(peers()["debruin_2009"]["covariate"])
    return np.stack([np.ones_like(covariate), covariate], axis=1)


def test_slope_of_the_logit_normal_is_that_of_metafor() -> None:
    wanted = peers()["debruin_2009"]["glmm"]
    found = regress(logit_normal_likelihood(of_peer("debruin_2009"), design=_design()))
    assert found.coefficients == pytest.approx(wanted["beta"], rel=1e-4)
    assert found.standard_errors == pytest.approx(wanted["se"], rel=1e-4)
    assert found.spread**2 == pytest.approx(wanted["tau2"], rel=1e-4)


def test_slope_of_the_beta_binomial_is_that_of_vgam() -> None:
    wanted = peers()["debruin_2009"]["betabinomial_ml"]
    found = regress(beta_binomial_likelihood(of_peer("debruin_2009"), design=_design()))
    assert found.coefficients == pytest.approx([wanted["coef"][0], wanted["coef"][2]], rel=1e-4)
    assert found.log_likelihood == pytest.approx(wanted["loglik"], abs=1e-6)
    assert found.spread / (1.0 + found.spread) == pytest.approx(wanted["rho"], rel=1e-4)
    # VGAM inverts the expected information, we the observed one: they differ by 1 % here.
    assert found.standard_errors == pytest.approx([wanted["se"][0], wanted["se"][2]], rel=0.02)


@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_values_of_metafor_without_a_covariate(name: str) -> None:
    wanted, found = peers()[name]["glmm_ml"], regress(logit_normal_likelihood(of_peer(name)))
    got = float(found.coefficients[0]), float(found.standard_errors[0]), found.spread**2
    assert got == pytest.approx((wanted["mu_logit"], wanted["se"], wanted["tau2"]), rel=5e-5)


@pytest.mark.parametrize("likelihood", BOTH)
def test_no_heterogeneity_is_logistic_regression(likelihood) -> None:
    found = regress(likelihood(HOMOGENEOUS))
    assert found.spread == 0.0
    assert found.coefficients == pytest.approx([special.logit(0.25)], abs=1e-6)
    # 1/sqrt(n p q); central differences of 1e-3 leave 1e-6.
    assert found.standard_errors == pytest.approx([1.0 / math.sqrt(480 * 0.25 * 0.75)], rel=1e-5)


@pytest.mark.parametrize("likelihood", BOTH)
def test_two_homogeneous_arms_have_their_log_odds_ratio(likelihood) -> None:
    data = studies([15, 15, 30, 30], [60, 60, 60, 60])
    design = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    found = regress(likelihood(data, design=design))
    assert found.coefficients == pytest.approx([-math.log(3.0), math.log(3.0)], abs=1e-5)
    assert found.standard_errors[1] == pytest.approx(math.sqrt(1 / 30 + 1 / 90 + 1 / 60 + 1 / 60), rel=1e-4)


@pytest.mark.parametrize("likelihood", BOTH)
def test_units_of_a_covariate_scale_its_slope_only(likelihood) -> None:
    x = np.array([1.0, 4.0, 2.0, 7.0, 3.0, 5.0])
    plain = regress(likelihood(MIXED, design=np.stack([np.ones(6), x], axis=1)))
    scaled = regress(likelihood(MIXED, design=np.stack([np.ones(6), 1000.0 * x + 50.0], axis=1)))
    assert 1000.0 * scaled.coefficients[1] == pytest.approx(plain.coefficients[1], rel=1e-4)
    assert 1000.0 * scaled.standard_errors[1] == pytest.approx(plain.standard_errors[1], rel=1e-4)
    assert scaled.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-7)


@pytest.mark.parametrize("likelihood", BOTH)
def test_what_has_no_maximum_is_refused(likelihood) -> None:
    with pytest.raises(ValueError, match="collinear"):
        regress(likelihood(MIXED, design=np.ones((6, 2))))
    with pytest.raises(ValueError, match="72 of 72"):
        regress(likelihood(ALL_EVENTS))
    with pytest.raises(ValueError, match=r"shape \(5, 1\)"):
        likelihood(MIXED, design=np.ones((5, 1)))
