"""The exact interval of the beta-binomial mean: its simulated law, its coverage and its edges."""

import math

import numpy as np
import pytest
from scipy import stats

from analysis.frequentist import exact_rate
from analysis.frequentist.exact_rate import DRAWS, ONE_STUDY, SPENT, exact_interval, log_probabilities, simulated
from models.studies import RateStudies

from .cases import ALL_EVENTS, EDGES, HOMOGENEOUS, MIRRORED, MIXED, NO_EVENTS, of_peer, studies

SIZES = np.array([8, 15, 20, 27, 35, 53])


def p_value(data: RateStudies, *, mean: float, seed: int, draws: int = DRAWS) -> float:
    """The largest over all rho with what is spent on them; the interval holds means with values above 1 - level."""
    test = exact_rate._prepared(data.events[None], data.evaluable, level=0.95, seed=seed, draws=draws)
    return min(1.0, float(exact_rate._largest(test, mean, stop=math.inf)[0]) + test.spent)


def _uniform(count: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    return np.tile(((np.arange(count) + 0.5) / count)[:, None], (1, k)), np.tile(np.arange(count)[:, None], (1, k))


@pytest.mark.parametrize("rho", [0.0, 0.02, 0.3, 0.95])
def test_simulated_counts_follow_the_law_of_scipy(rho: float) -> None:
    sizes = np.array([1, 7, 60])
    counts = simulated(log_probabilities(sizes, 0.85, rho), *_uniform(20_000, 3))
    for column, n in enumerate(sizes):
        law = stats.betabinom(n, 0.85 * (1 / rho - 1), 0.15 * (1 / rho - 1)) if rho else stats.binom(n, 0.85)
        share = np.bincount(counts[:, column], minlength=n + 1) / 20_000
        # Evenly spaced quantiles give each count its probability to one part in the number of draws.
        assert share == pytest.approx(law.pmf(np.arange(n + 1)), abs=1.01 / 20_000)


def test_at_rho_one_each_study_shows_all_or_nothing() -> None:
    counts = simulated(log_probabilities(np.array([40]), 0.3, 1.0), *_uniform(1_000, 1))
    assert np.bincount(counts[:, 0])[[0, 40]].tolist() == [700, 300]


def test_measures_of_fit_are_those_of_scipy() -> None:
    mu, rho, kappa = 0.7, 0.1, 9.0
    test = exact_rate._prepared(MIXED.events[None], MIXED.evaluable, level=0.95, seed=1, draws=2)
    got = exact_rate._likeness(test, test.events, log_probabilities(test.sizes, mu, rho))
    crude = MIXED.events.sum() / MIXED.evaluable.sum()
    fit = stats.betabinom.logpmf(MIXED.events, MIXED.evaluable, mu * kappa, (1 - mu) * kappa).sum()
    common = stats.binom.logpmf(MIXED.events, MIXED.evaluable, crude).sum()
    assert got == pytest.approx(np.array([[fit], [fit - common]]), abs=1e-9)


def test_many_sets_at_once_accept_what_each_accepts_alone() -> None:
    counts = np.array([[6, 11, 15, 20, 30, 50], [0, 1, 2, 20, 3, 10], SIZES, [4, 8, 9, 13, 18, 27]])
    means = [0.05, 0.4, 0.55, 0.7, 0.85, 0.99]
    accepted = exact_rate.accepted(counts, SIZES, means, level=0.95, seed=3, draws=1_000)
    alone = [[p_value(studies(events, SIZES), mean=mean, seed=3, draws=1_000) > 0.05 for mean in means]
             for events in counts]
    assert accepted.tolist() == alone and 4 < accepted.sum() < 20


def test_patients_who_are_all_alike_say_nothing_about_rho() -> None:
    alike = np.array([[8, 20], [0, 0]])
    mean, rho, weights = exact_rate._moments(alike, np.array([8, 20]))
    # At rho = 1 a study counts as one patient.
    assert (mean.tolist(), rho.tolist(), weights.tolist()) == ([1.0, 0.0], [1.0, 1.0], [2.0, 2.0])


def test_large_heterogeneous_studies_do_not_leave_rho_open() -> None:
    # Six studies of 1,000 with rates of 0.70 to 0.92: without the probability of the data as a measure, 0.65 to 0.98.
    found = exact_interval(studies([850, 700, 920, 800, 880, 780], [1_000] * 6), level=0.95, seed=1)
    assert found.lower > 0.66 and found.upper < 0.945


def test_moment_estimators_find_the_parameters() -> None:
    rng = np.random.default_rng(6)
    sizes = rng.integers(20, 60, 4_000)
    counts = rng.binomial(sizes, rng.beta(0.8 * 9.0, 0.2 * 9.0, 4_000))
    mean, rho, _ = exact_rate._moments(counts[None], sizes)
    # Four standard errors: SD of a study's rate 0.14 over sqrt(4,000); rho within 10 %.
    assert float(mean[0]) == pytest.approx(0.8, abs=4.0 * 0.14 / math.sqrt(4_000))
    assert float(rho[0]) == pytest.approx(0.1, rel=0.1)


# Every rho but zero lies between the points of the grid that is searched.
@pytest.mark.parametrize(("mu", "rho"), [(0.9, 0.0), (0.8, 0.25), (0.97, 0.03)])
def test_coverage(mu: float, rho: float) -> None:
    rng, replicates, covered = np.random.default_rng(21), 300, 0
    for seed in range(replicates):
        rates = rng.beta(mu * (1 / rho - 1), (1 - mu) * (1 / rho - 1), 6) if rho else np.full(6, mu)
        counts = rng.binomial(SIZES, rates)
        covered += p_value(studies(counts, SIZES), mean=mu, seed=seed, draws=1_000) > 0.05
    # A level of 0.95 falls below this in one run of a thousand.
    assert covered >= stats.binom.ppf(0.001, replicates, 0.95)


def test_interval_is_not_much_longer_than_it_must_be() -> None:
    # Maximum likelihood with profile limits, which is optimistic with few studies, has 0.190 to 0.320 on this set.
    found = exact_interval(of_peer("as_rbest"), level=0.95, seed=1)
    assert 0.17 < found.lower < 0.20 and 0.32 < found.upper < 0.34


def test_what_is_spent_on_rho_leaves_something_of_a_high_level() -> None:
    """0.999 had spent five times what it has: every mean was accepted. Profile limits are 0.152 and 0.408."""
    narrow, wide = (exact_interval(of_peer("as_rbest"), level=level, seed=1) for level in (0.99, 0.999))
    assert 0.08 < wide.lower < narrow.lower < 0.17 and 0.35 < narrow.upper < wide.upper < 0.55


@pytest.mark.parametrize("data", [MIXED, HOMOGENEOUS], ids=["mixed", "homogeneous"])
def test_limits_separate_accepted_from_rejected_means(data) -> None:
    found = exact_interval(data, level=0.95, seed=3, draws=2_000)
    for limit, away in ((found.lower, -1.0), (found.upper, 1.0)):
        assert p_value(data, mean=limit, seed=3, draws=2_000) > 0.05
        assert p_value(data, mean=limit + 0.02 * away, seed=3, draws=2_000) <= 0.05


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("level", [0.8, 0.99, 0.999])
def test_a_first_look_at_fewer_draws_moves_no_limit(name: str, level: float, monkeypatch) -> None:
    quick, whole = exact_interval(EDGES[name], level=level, seed=1), exact_rate._limit
    monkeypatch.setattr(exact_rate, "_limit", lambda accepts, _, *ends: whole(accepts, lambda mean: True, *ends))
    # In words, since a heterogeneity of NaN equals no other.
    assert repr(quick) == repr(exact_interval(EDGES[name], level=level, seed=1))


@pytest.mark.parametrize("name", EDGES)
def test_edges_have_limits_about_the_estimate(name: str) -> None:
    found = exact_interval(EDGES[name], level=0.95, seed=1, draws=1_000)
    assert 0.0 <= found.lower <= found.estimate <= found.upper <= 1.0
    assert found.lower < found.upper


def test_boundaries_are_limits_and_mirror_each_other() -> None:
    high, low = exact_interval(ALL_EVENTS, level=0.95, seed=1), exact_interval(NO_EVENTS, level=0.95, seed=1)
    assert (high.estimate, high.upper, low.estimate, low.lower) == (1.0, 1.0, 0.0, 0.0)
    # Other draws count for the mirrored data: Monte-Carlo error of a p-value near 0.05, 0.0035, over its slope.
    assert high.lower == pytest.approx(1.0 - low.upper, abs=0.06)


def test_counting_the_other_outcome_mirrors_the_interval() -> None:
    found, mirrored = (exact_interval(data, level=0.95, seed=1) for data in (MIXED, MIRRORED))
    assert (found.lower, found.upper) == pytest.approx((1 - mirrored.upper, 1 - mirrored.lower), abs=0.015)


def test_one_study_is_an_exact_binomial_test() -> None:
    found = exact_interval(studies([8], [10]), level=0.95, seed=1, draws=20_000)
    y = np.arange(11)

    def p(mu: float) -> float:
        far = np.abs(y / 10 - mu) >= abs(0.8 - mu) - 1e-12
        return stats.binom.pmf(y[far], 10, mu).sum()

    assert found.note == ONE_STUDY
    # Within the Monte-Carlo error of 0.0015 and the resolution of the limits.
    assert p(found.lower) > 0.045 and max(p(found.lower - step) for step in (0.005, 0.01, 0.02)) < 0.055
    assert p(found.upper) > 0.045 and max(p(found.upper + step) for step in (0.005, 0.01, 0.02)) < 0.055


def test_same_seed_same_limits_and_another_seed_others() -> None:
    runs = [exact_interval(MIXED, level=0.95, seed=seed, draws=1_000) for seed in (2, 2, 3)]
    assert runs[0] == runs[1] != runs[2]


def test_higher_level_is_wider_and_empty_studies_change_nothing() -> None:
    wide, narrow = (exact_interval(MIXED, level=level, seed=1, draws=2_000) for level in (0.99, 0.8))
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    padded = studies([*MIXED.events, 0], [*MIXED.evaluable, 0])
    assert exact_interval(padded, level=0.8, seed=1, draws=2_000) == narrow


@pytest.mark.parametrize(("mean", "wanted"), [(0.0, 0.0), (1.0, 1.0)])
def test_certainty_is_accepted_only_by_patients_who_are_all_alike(mean: float, wanted: float) -> None:
    # The share that is spent on heterogeneity is added to every p-value.
    assert p_value(ALL_EVENTS, mean=mean, seed=1) == pytest.approx(wanted, abs=SPENT)
