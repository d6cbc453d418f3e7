"""Random-effects means against metafor, closed forms and the optimality that defines each estimator."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.frequentist import normal_normal
from analysis.frequentist.estimates import Estimates, logits
from analysis.frequentist.normal_normal import NARROWER, NO_WIDTH, ONE_STUDY, fit, hartung_knapp, pooled, wald
from tests.references import peers

from .cases import bcg, of_peer

EQUAL = Estimates(np.full(4, -1.0), np.array([0.1, 0.2, 0.3, 0.4]))


@pytest.mark.parametrize("estimator", ["dl", "reml", "pm"])
@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_values_of_metafor(name: str, estimator: str) -> None:
    wanted = peers()[name][f"logit_{estimator.upper()}"]
    found = fit(logits(of_peer(name)), estimator=estimator)
    by_z, by_t = wald(found, level=0.95), hartung_knapp(found, level=0.95)
    got = [found.mean, found.se, found.tau2, found.i2, by_z.lower, by_z.upper, by_t.lower, by_t.upper]
    # Four significant digits; the library stops Paule-Mandel at 1e-5 of the sum of squares, 3e-5 of tau^2.
    assert got == pytest.approx([*(wanted[key] for key in ("mu", "se", "tau2", "I2")), *wanted["ci"],
                                 *wanted["hk_ci"]], rel=5e-5)


@pytest.mark.parametrize("seed", range(5))
def test_paule_mandel_solves_its_equation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = rng.gamma(2.0, 0.1, 300) + 1e-3
    y = rng.normal(0.0, np.sqrt(v + 0.3))
    found = fit(Estimates(y, v), estimator="pm")
    # The tolerance of the library's iteration.
    assert ((y - found.mean) ** 2 / (v + found.tau2)).sum() == pytest.approx(299.0, abs=1e-4)


@pytest.mark.parametrize("estimates", [bcg(13), bcg(3), logits(of_peer("pritz_1997"))], ids=["bcg", "bcg3", "pritz"])
def test_reml_is_the_highest_restricted_likelihood(estimates: Estimates) -> None:
    y, v = estimates.values, estimates.variances

    def restricted(tau2: float) -> float:
        # Normal density of k - 1 orthonormal contrasts, an independent form of the restricted likelihood.
        contrasts = np.linalg.svd(np.ones((1, len(y))))[2][1:]
        return stats.multivariate_normal(cov=contrasts @ np.diag(v + tau2) @ contrasts.T).logpdf(contrasts @ y)

    found = fit(estimates, estimator="reml").tau2
    assert restricted(found) >= max(restricted(tau2) for tau2 in np.linspace(0.0, 4.0, 401)) - 1e-9


def test_equal_variances_have_closed_forms() -> None:
    y = np.array([0.1, 0.9, -0.4, 1.6, 0.3])
    estimates = Estimates(y, np.full(5, 0.05))
    for estimator in normal_normal.ESTIMATORS:
        found = fit(estimates, estimator=estimator)
        assert found.mean == pytest.approx(y.mean())
        assert found.tau2 == pytest.approx(y.var(ddof=1) - 0.05, rel=1e-5)
        half = stats.t.ppf(0.975, 4) * y.std(ddof=1) / math.sqrt(5)
        assert hartung_knapp(found, level=0.95).upper == pytest.approx(y.mean() + half)


@pytest.mark.parametrize("estimator", ["dl", "reml", "pm"])
def test_less_variation_than_sampling_explains_is_no_heterogeneity(estimator: str) -> None:
    tight = Estimates(np.array([0.0, 0.1, -0.1]), np.array([0.5, 0.4, 0.3]))
    found = fit(tight, estimator=estimator)
    assert found.tau2 == 0.0
    assert found.se == pytest.approx(1.0 / math.sqrt((1.0 / tight.variances).sum()))
    assert hartung_knapp(found, level=0.95).note == NARROWER


@pytest.mark.parametrize("estimator", ["dl", "reml", "pm"])
def test_equal_estimates_are_no_crash_and_the_missing_width_is_said(estimator: str) -> None:
    found = fit(EQUAL, estimator=estimator)
    limits = hartung_knapp(found, level=0.95)
    assert (found.tau2, found.mean) == (0.0, pytest.approx(-1.0))
    assert limits.upper - limits.lower < 1e-12 and limits.note == NO_WIDTH


@pytest.mark.parametrize("estimator", ["dl", "reml", "pm"])
def test_one_study_is_its_own_normal_interval(estimator: str) -> None:
    found = fit(Estimates(np.array([0.7]), np.array([0.04])), estimator=estimator)
    limits = wald(found, level=0.9)
    assert (limits.estimate, limits.note) == (0.7, ONE_STUDY)
    assert limits.upper == pytest.approx(0.7 + 0.2 * stats.norm.ppf(0.95))
    assert math.isnan(limits.heterogeneity) and math.isnan(hartung_knapp(found, level=0.9).lower)


def test_two_studies_use_one_degree_of_freedom() -> None:
    limits = hartung_knapp(pooled(Estimates(np.array([0.0, 1.0]), np.full(2, 0.1)), tau2=0.4), level=0.95)
    # t(1) quantile 12.706 times half the distance.
    assert limits.upper == pytest.approx(0.5 + 12.7062 * 0.5, rel=1e-5)
