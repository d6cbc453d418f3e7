"""The exact normal-normal interval against published values, the authors' program and its own definition."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.frequentist import exact_normal
from analysis.frequentist.estimates import Estimates, logits
from analysis.frequentist.exact_normal import exact_interval, tau2_range
from analysis.frequentist.normal_normal import ONE_STUDY, fit
from tests.references import peers

from .cases import bcg, of_peer


@pytest.mark.parametrize(("k", "wanted", "sd"), [(3, (-2.56, -0.10), 0.03), (6, (-1.707, -0.265), 0.017),
                                                 (13, (-1.151, -0.279), 0.006)])
def test_bcg_trials(k: int, wanted: tuple[float, float], sd: float) -> None:
    found = exact_interval(bcg(k), level=0.95, seed=1)
    # The Monte-Carlo standard deviation is that of the recorded values; three of them.
    assert (found.lower, found.upper) == pytest.approx(wanted, abs=3.0 * sd)


@pytest.mark.parametrize("name", ["as_rbest", "pritz_1997"])
def test_values_of_rma_exact(name: str) -> None:
    wanted, estimates = peers()[name]["rma_exact_fast"], logits(of_peer(name))
    assert exact_normal.weight_of_likelihood(len(estimates)) == wanted["c0"]
    runs = [exact_interval(estimates, level=0.95, seed=seed, draws=6_000) for seed in range(4)]
    got = np.array([(run.lower, run.upper) for run in runs])
    # Three standard deviations of the difference between the two Monte-Carlo means, ours from the runs' own spread
    # (at least that of the record, since four runs can agree by chance).
    error = np.hypot(wanted["sd"], np.maximum(got.std(axis=0, ddof=1), wanted["sd"]) / 2.0)
    assert np.all(np.abs(got.mean(axis=0) - wanted["mean"]) < 3.0 * error)


def test_weight_of_the_likelihood_is_as_published() -> None:
    weights = [exact_normal.weight_of_likelihood(k) for k in (2, 5, 6, 9, 10, 20, 21)]
    assert weights == [1.2, 1.2, 0.6, 0.6, 0.2, 0.2, 0.0]


def _statistic(y: np.ndarray, v: np.ndarray, mu: float, tau2: float) -> float:
    found = fit(Estimates(y, v), estimator="dl")
    likelihoods = [stats.norm.logpdf(y, m, np.sqrt(v + t)).sum() for m, t in ((found.mean, found.tau2), (mu, tau2))]
    return ((found.mean - mu) ** 2 * (1.0 / (v + found.tau2)).sum()
            + exact_normal.weight_of_likelihood(len(y)) * (likelihoods[0] - likelihoods[1]))


@pytest.mark.parametrize("tau2", [0.05, 0.7])
def test_accepted_means_have_the_statistic_at_the_cut_as_limits(tau2: float) -> None:
    estimates = bcg(6)
    ends = exact_normal.accepted(estimates, fit(estimates, estimator="dl"), tau2=tau2, cut=6.0)
    for end in ends:
        assert _statistic(estimates.values, estimates.variances, end, tau2) == pytest.approx(6.0, rel=1e-9)


def test_critical_value_is_the_quantile_of_the_statistic() -> None:
    v, normal = bcg(5).variances, np.random.default_rng(3).standard_normal((200, 5))
    direct = [_statistic(row * np.sqrt(v + 0.3), v, 0.0, 0.3) for row in normal]
    got = exact_normal.critical_value(Estimates(np.zeros(5), v), normal, tau2=0.3, level=0.9)
    assert got == pytest.approx(np.quantile(direct, 0.9), rel=1e-9)


def test_range_of_tau_has_its_quantiles() -> None:
    estimates = bcg(13)
    squares = []
    for tau2 in tau2_range(estimates, level=0.995):
        weight = 1.0 / (estimates.variances + tau2)
        mean = weight @ estimates.values / weight.sum()
        squares.append(weight @ (estimates.values - mean) ** 2)
    assert stats.chi2.cdf(squares, 12) == pytest.approx([0.9975, 0.0025], rel=1e-6)


@pytest.mark.parametrize(("k", "tau"), [(3, 0.0), (3, 1.0), (6, 0.5)])
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
