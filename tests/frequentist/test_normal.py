"""Random-effects means and the exact interval against metafor, published values, closed forms and their definitions."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from analysis.frequentist import normal
from analysis.frequentist.estimates import Estimates, logits
from analysis.frequentist.normal import (
    ESTIMATORS,
    NARROWER,
    NO_WIDTH,
    ONE_STUDY,
    exact_interval,
    fit,
    hartung_knapp,
    pooled,
    tau2_range,
    wald,
)
from tests.references import peers

from .cases import bcg, of_peer

EQUAL = Estimates(np.full(4, -1.0), np.array([0.1, 0.2, 0.3, 0.4]))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_values_of_metafor(name: str, estimator: str) -> None:
    wanted = peers()[name][f"logit_{estimator.upper()}"]
    found = fit(logits(of_peer(name)), estimator=estimator)
    by_z, by_t = wald(found, level=0.95), hartung_knapp(found, level=0.95)
    got = [found.mean, found.se, found.tau2, by_z.lower, by_z.upper, by_t.lower, by_t.upper]
    # Four significant digits are recorded.
    assert got == pytest.approx([*(wanted[key] for key in ("mu", "se", "tau2")), *wanted["ci"], *wanted["hk_ci"]],
                                rel=5e-5)


@pytest.mark.parametrize("estimates", [bcg(13), bcg(3), logits(of_peer("as_rbest"))], ids=["bcg", "bcg3", "as"])
def test_values_of_statsmodels(estimates: Estimates) -> None:
    # The library leaves a variance negative, and stops Paule-Mandel at 1e-5 of the sum of squares, 3e-5 of tau^2.
    for estimator, rel in (("dl", 1e-12), ("pm", 3e-5)):
        wanted = combine_effects(estimates.values, estimates.variances, method_re=estimator).tau2
        assert fit(estimates, estimator=estimator).tau2 == pytest.approx(max(0.0, wanted), rel=rel)


@pytest.mark.parametrize("seed", range(5))
def test_paule_mandel_solves_its_equation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = rng.gamma(2.0, 0.1, 300) + 1e-3
    y = rng.normal(0.0, np.sqrt(v + 0.3))
    found = fit(Estimates(y, v), estimator="pm")
    assert ((y - found.mean) ** 2 / (v + found.tau2)).sum() == pytest.approx(299.0, rel=1e-12)


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
    for estimator in ESTIMATORS:
        found = fit(estimates, estimator=estimator)
        assert found.mean == pytest.approx(y.mean())
        assert found.tau2 == pytest.approx(y.var(ddof=1) - 0.05, rel=1e-12)
        half = stats.t.ppf(0.975, 4) * y.std(ddof=1) / math.sqrt(5)
        assert hartung_knapp(found, level=0.95).upper == pytest.approx(y.mean() + half)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_less_variation_than_sampling_explains_is_no_heterogeneity(estimator: str) -> None:
    tight = Estimates(np.array([0.0, 0.1, -0.1]), np.array([0.5, 0.4, 0.3]))
    found = fit(tight, estimator=estimator)
    assert found.tau2 == 0.0
    assert found.se == pytest.approx(1.0 / math.sqrt((1.0 / tight.variances).sum()))
    assert hartung_knapp(found, level=0.95).note == NARROWER


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_equal_estimates_are_no_crash_and_the_missing_width_is_said(estimator: str) -> None:
    found = fit(EQUAL, estimator=estimator)
    limits = hartung_knapp(found, level=0.95)
    assert (found.tau2, found.mean) == (0.0, pytest.approx(-1.0))
    assert limits.upper - limits.lower < 1e-12 and limits.note == NO_WIDTH


@pytest.mark.parametrize("estimator", ESTIMATORS)
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


@pytest.mark.parametrize(("k", "wanted", "sd"), [(3, (-2.56, -0.10), 0.03), (6, (-1.707, -0.265), 0.017),
                                                 (13, (-1.151, -0.279), 0.006)])
def test_bcg_trials(k: int, wanted: tuple[float, float], sd: float) -> None:
    found = exact_interval(bcg(k), level=0.95, seed=1)
    # The Monte-Carlo standard deviation is that of the recorded values; three of them.
    assert (found.lower, found.upper) == pytest.approx(wanted, abs=3.0 * sd)


@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_values_of_rma_exact(name: str) -> None:
    wanted, estimates = peers()[name]["rma_exact_fast"], logits(of_peer(name))
    assert normal.weight_of_likelihood(len(estimates)) == wanted["c0"]
    runs = [exact_interval(estimates, level=0.95, seed=seed, draws=6_000) for seed in range(4)]
    got = np.array([(run.lower, run.upper) for run in runs])
    # Three standard deviations of the difference between the two Monte-Carlo means, ours from the runs' own spread
    # (at least that of the record, since four runs can agree by chance).
    error = np.hypot(wanted["sd"], np.maximum(got.std(axis=0, ddof=1), wanted["sd"]) / 2.0)
    assert np.all(np.abs(got.mean(axis=0) - wanted["mean"]) < 3.0 * error)


def test_weight_of_the_likelihood_is_as_published() -> None:
    weights = [normal.weight_of_likelihood(k) for k in (2, 5, 6, 9, 10, 20, 21)]
    assert weights == [1.2, 1.2, 0.6, 0.6, 0.2, 0.2, 0.0]


def _statistic(y: np.ndarray, v: np.ndarray, mu: float, tau2: float) -> float:
    found = fit(Estimates(y, v), estimator="dl")
    likelihoods = [stats.norm.logpdf(y, m, np.sqrt(v + t)).sum() for m, t in ((found.mean, found.tau2), (mu, tau2))]
    return ((found.mean - mu) ** 2 * (1.0 / (v + found.tau2)).sum()
            + normal.weight_of_likelihood(len(y)) * (likelihoods[0] - likelihoods[1]))


@pytest.mark.parametrize("tau2", [0.05, 0.7])
def test_accepted_means_have_the_statistic_at_the_cut_as_limits(tau2: float) -> None:
    estimates = bcg(6)
    ends = normal.accepted(estimates, fit(estimates, estimator="dl"), tau2=tau2, cut=6.0)
    for end in ends:
        assert _statistic(estimates.values, estimates.variances, end, tau2) == pytest.approx(6.0, rel=1e-9)


def test_critical_value_is_the_quantile_of_the_statistic() -> None:
    v, drawn = bcg(5).variances, np.random.default_rng(3).standard_normal((200, 5))
    direct = [_statistic(row * np.sqrt(v + 0.3), v, 0.0, 0.3) for row in drawn]
    got = normal.critical_value(Estimates(np.zeros(5), v), drawn, tau2=0.3, level=0.9)
    assert got == pytest.approx(np.quantile(direct, 0.9), rel=1e-9)


def test_range_of_tau_has_its_quantiles() -> None:
    estimates = bcg(13)
    squares = []
    for tau2 in tau2_range(estimates, level=0.995):
        weight = 1.0 / (estimates.variances + tau2)
        mean = weight @ estimates.values / weight.sum()
        squares.append(weight @ (estimates.values - mean) ** 2)
    assert stats.chi2.cdf(squares, 12) == pytest.approx([0.9975, 0.0025], rel=1e-6)


@pytest.mark.parametrize(("k", "tau"), [(3, 0.0), (6, 0.5)])
def test_coverage(k: int, tau: float) -> None:
    rng, v, replicates = np.random.default_rng(8), np.linspace(0.05, 0.5, k), 200
    covered = 0
    for seed in range(replicates):
        estimates = Estimates(rng.normal(0.0, np.sqrt(v + tau**2)), v)
        found = exact_interval(estimates, level=0.95, seed=seed, draws=1_000)
        covered += found.lower <= 0.0 <= found.upper
    # A level of 0.95 falls below this in one run of a thousand.
    assert covered >= stats.binom.ppf(0.001, replicates, 0.95)


def test_shift_and_sign_carry_over() -> None:
    estimates = bcg(6)
    found = exact_interval(estimates, level=0.95, seed=4)
    moved = exact_interval(Estimates(estimates.values + 3.0, estimates.variances), level=0.95, seed=4)
    assert (moved.lower, moved.upper) == pytest.approx((found.lower + 3.0, found.upper + 3.0), rel=1e-6)


def test_same_seed_same_limits_and_another_seed_others() -> None:
    runs = [exact_interval(bcg(6), level=0.95, seed=seed, draws=1_000) for seed in (4, 4, 5)]
    assert runs[0] == runs[1] != runs[2]


def test_one_study_is_its_normal_interval() -> None:
    found = exact_interval(Estimates(np.array([0.4]), np.array([0.09])), level=0.95, seed=1)
    assert (found.lower, found.note) == (pytest.approx(0.4 - 0.3 * stats.norm.ppf(0.975)), ONE_STUDY)


def test_two_and_equal_and_many_studies_have_limits_about_the_estimate() -> None:
    rng = np.random.default_rng(1)
    for estimates in (bcg(2), Estimates(np.full(4, 0.3), np.full(4, 0.1)),
                      Estimates(rng.normal(0.0, 1.0, 2_000), np.full(2_000, 0.2))):
        found = exact_interval(estimates, level=0.95, seed=1)
        assert found.lower < found.estimate < found.upper
        assert math.isfinite(found.lower) and math.isfinite(found.upper)
