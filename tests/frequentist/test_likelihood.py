"""Profile-likelihood intervals against R packages, binomial closed forms and a plain grid of the likelihood."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from analysis.frequentist.likelihood import (
    ALL_EVENTS,
    LARGEST,
    LARGEST_TAU,
    NO_EVENTS,
    ONE_STUDY,
    beta_binomial_likelihood,
    beta_binomial_mean,
    location_of_mean,
    logit_normal_likelihood,
    logit_normal_mean,
    logit_normal_median,
    profile,
)
from models.studies import RateStudies
from tests.references import peers

from .cases import ALL_EVENTS as ALL
from .cases import HOMOGENEOUS, LARGE, MIRRORED, MIXED, ONE, TWO, of_peer, studies
from .cases import NO_EVENTS as NONE

METHODS = [beta_binomial_mean, logit_normal_median, logit_normal_mean]
CUT = stats.chi2.ppf(0.95, 1) / 2.0


def _binomial_limits(events: int, patients: int) -> tuple[float, float]:
    """Where the binomial log likelihood has fallen by the cut."""
    top = stats.binom.logpmf(events, patients, events / patients)

    def excess(rate: float) -> float:
        return stats.binom.logpmf(events, patients, rate) - top + CUT

    return (optimize.brentq(excess, 1e-12, events / patients, xtol=1e-14),
            optimize.brentq(excess, events / patients, 1.0 - 1e-12, xtol=1e-14))


@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_maxima_of_metafor_and_vgam(name: str) -> None:
    data, by_counts = peers()[name], beta_binomial_mean(of_peer(name), level=0.95)
    by_logits = logit_normal_median(of_peer(name), level=0.95)
    assert by_counts.estimate == pytest.approx(data["betabinomial_ml"]["mu"], rel=1e-5)
    # The likelihood is flat in rho: its argument is found to the root of the precision of its value.
    assert by_counts.heterogeneity == pytest.approx(data["betabinomial_ml"]["rho"], rel=1e-4)
    assert by_logits.estimate == pytest.approx(data["glmm_ml"]["median_rate"], rel=5e-5)
    assert by_logits.heterogeneity**2 == pytest.approx(data["glmm_ml"]["tau2"], rel=5e-4)


@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_largest_likelihood_of_vgam(name: str) -> None:
    found, likelihood = beta_binomial_mean(of_peer(name), level=0.95), beta_binomial_likelihood(of_peer(name))
    theta = found.heterogeneity / (1.0 - found.heterogeneity)
    value = likelihood.value(np.array([special.logit(found.estimate)]), np.array(theta))
    # VGAM prints eight decimals.
    assert float(value) == pytest.approx(peers()[name]["betabinomial_ml"]["loglik"], abs=1e-7)


@pytest.mark.parametrize("data", [MIXED, TWO], ids=["six", "two"])
def test_limits_are_where_a_grid_of_the_beta_binomial_falls_by_the_cut(data: RateStudies) -> None:
    rho = np.concatenate([[1e-9], np.linspace(1e-4, 0.999, 4_000)])

    def profile(mu: float) -> float:
        kappa = 1.0 / rho[:, None] - 1.0
        return stats.betabinom.logpmf(data.events, data.evaluable, mu * kappa, (1.0 - mu) * kappa).sum(axis=1).max()

    found = beta_binomial_mean(data, level=0.95)
    for limit in (found.lower, found.upper):
        # A grid of rho with steps of 2.5e-4 misses the maximum by the square of that.
        assert profile(found.estimate) - profile(limit) == pytest.approx(CUT, abs=1e-4)


def test_limits_are_where_a_grid_of_the_logit_normal_falls_by_the_cut() -> None:
    data, z = MIXED, np.linspace(-9.0, 9.0, 801)
    weight = stats.norm.pdf(z) * (z[1] - z[0])
    taus = np.linspace(1e-3, 4.0, 400)

    def profile(m: float) -> float:
        rate = special.expit(m + taus[:, None, None] * z)
        terms = stats.binom.pmf(data.events[:, None], data.evaluable[:, None], rate) @ weight
        return np.log(terms).sum(axis=1).max()

    found = logit_normal_median(data, level=0.95)
    top, *fallen = (profile(special.logit(rate)) for rate in (found.estimate, found.lower, found.upper))
    # Steps of 0.01 in tau about a maximum with curvature below 20.
    assert [top - value for value in fallen] == pytest.approx([CUT, CUT], abs=5e-4)


@pytest.mark.parametrize("method", METHODS)
def test_homogeneous_studies_are_one_binomial(method) -> None:
    found = method(HOMOGENEOUS, level=0.95)
    assert found.estimate == pytest.approx(0.25, abs=1e-7)
    # rho or tau is zero at the maximum and, as every study lies within one standard error, at the limits.
    assert (found.lower, found.upper) == pytest.approx(_binomial_limits(120, 480), abs=1e-6)
    assert found.heterogeneity == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_one_study_is_its_binomial(method) -> None:
    found = method(ONE, level=0.95)
    assert (found.estimate, found.lower, found.upper) == pytest.approx((0.8, *_binomial_limits(8, 10)), abs=1e-7)
    assert found.note == ONE_STUDY and math.isnan(found.heterogeneity)


@pytest.mark.parametrize("method", METHODS)
def test_one_study_where_every_patient_has_the_event(method) -> None:
    found = method(studies([10], [10]), level=0.95)
    # mu^10 = exp(-1.92).
    assert found.lower == pytest.approx(math.exp(-CUT / 10.0), abs=1e-7)
    assert (found.estimate, found.upper) == (1.0, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_boundaries_are_estimates_and_limits(method) -> None:
    high, low = method(ALL, level=0.95), method(NONE, level=0.95)
    assert (high.estimate, high.upper, low.estimate, low.lower) == (1.0, 1.0, 0.0, 0.0)
    assert ALL_EVENTS in high.note and NO_EVENTS in low.note
    assert high.lower == pytest.approx(1.0 - low.upper, abs=1e-6) and 0.0 < low.upper < 1.0


def test_beta_binomial_limit_of_successes_only_is_that_of_studies_with_one_outcome_each() -> None:
    # rho = 1 makes k studies k coins, mu^4 = exp(-1.92), the least that successes only can say.
    assert beta_binomial_mean(ALL, level=0.95).lower == pytest.approx(math.exp(-CUT / 4.0), abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_counting_the_other_outcome_mirrors_the_interval(method) -> None:
    found, mirrored = method(MIXED, level=0.95), method(MIRRORED, level=0.95)
    assert (found.lower, found.upper) == pytest.approx((1.0 - mirrored.upper, 1.0 - mirrored.lower), abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_higher_level_is_wider_and_empty_studies_change_nothing(method) -> None:
    wide, narrow = method(MIXED, level=0.99), method(MIXED, level=0.8)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    padded = studies([*MIXED.events, 0], [*MIXED.evaluable, 0])
    assert method(padded, level=0.8).upper == pytest.approx(narrow.upper, abs=1e-8)


def test_a_tau_at_the_end_of_its_range_is_said() -> None:
    """All or none of the patients of each study: the likelihood rises with tau for ever."""
    for method in (logit_normal_median, logit_normal_mean):
        found = method(studies([0, 10, 0, 10], [10] * 4), level=0.95)
        assert (found.heterogeneity, found.note) == (LARGEST_TAU, LARGEST)
        assert LARGEST not in method(MIXED, level=0.95).note


@pytest.mark.parametrize("method", METHODS)
def test_studies_of_a_hundred_thousand(method) -> None:
    found = method(LARGE, level=0.95)
    # Logits spread with SD 0.25 about 2.08, far more than sampling: three studies fix the mean to 0.05 at best.
    assert found.lower < 0.87 < found.estimate < 0.90 < found.upper
    assert found.upper - found.lower < 0.15


@pytest.mark.parametrize("likelihood", [beta_binomial_likelihood, logit_normal_likelihood])
def test_the_profile_is_the_largest_likelihood_over_the_spread(likelihood) -> None:
    """Against a golden-section search of the same function, over locations on both sides of the maximum."""
    of_data = likelihood(MIXED)

    def surface(location: np.ndarray, spread: np.ndarray) -> np.ndarray:
        return of_data.value(location[..., None], spread)

    for location in np.linspace(-2.0, 4.0, 13):
        def value(log_spread: float, location: float = location) -> float:
            return float(surface(np.array([location]), np.array([np.exp(log_spread)]))[0])

        coarse = max(np.linspace(-12.0, 2.0, 57), key=value)
        found = optimize.minimize_scalar(lambda at: -value(at), bracket=(coarse - 0.3, coarse + 0.3), tol=1e-10)
        none = float(surface(np.array([location]), np.zeros(1))[0])
        for rounds in (4, 7):
            value_there = profile(surface, location, of_data.spreads, rounds=rounds)[1]
            assert float(value_there) == pytest.approx(max(-found.fun, none), abs=1e-6)


def mean_rate(m: float, tau: float) -> float:
    """Integral of expit over Normal(m, tau)."""
    return integrate.quad(lambda z: special.expit(m + tau * z) * stats.norm.pdf(z), -9.0, 9.0, limit=200)[0]


def test_mean_and_location_invert_each_other() -> None:
    tau = np.array([0.0, 0.1, 1.0, 4.0, LARGEST_TAU])
    for logit in (-9.0, -1.3, 0.0, 0.2, 6.0):
        m = location_of_mean(np.full(5, logit), tau)
        assert special.logit(list(map(mean_rate, m, tau))) == pytest.approx(np.full(5, logit), abs=1e-6)


def test_mean_rate_lies_between_the_median_rate_and_one_half() -> None:
    for data in (MIXED, MIRRORED):
        median, mean = logit_normal_median(data, level=0.95), logit_normal_mean(data, level=0.95)
        assert abs(mean.estimate - 0.5) < abs(median.estimate - 0.5)
        expected = mean_rate(special.logit(median.estimate), median.heterogeneity)
        assert mean.estimate == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("likelihood", [beta_binomial_likelihood, logit_normal_likelihood])
def test_likelihood_without_spread_is_binomial(likelihood) -> None:
    got = likelihood(MIXED).value(np.array([0.4]), np.array(0.0))
    wanted = stats.binom.logpmf(MIXED.events, MIXED.evaluable, special.expit(0.4)).sum()
    assert float(got) == pytest.approx(wanted, abs=1e-9)
