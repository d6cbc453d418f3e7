"""One replicate: ranks of a conjugate model are uniform, each faulty view is what it says, failures are counted."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.inference.density import density_of
from analysis.inference.distribution import distribution
from analysis.inference.grid import QuadratureFailed, draw, solve
from analysis.simulation import replicate, run
from analysis.simulation.batches import several
from analysis.simulation.replicate import (
    Setting,
    log_likelihoods,
    pit,
    rank_pit,
    run_replicate,
    run_replicates,
)
from analysis.simulation.run import calibrate, ecdf_rows, verdicts_on
from analysis.simulation.settings import FAULTS
from analysis.simulation.studies import Design, Doubled, seen_priors, seen_studies
from analysis.simulation.uniformity import uniformity
from models import all_models
from models.backend import NUMBERS
from models.priors import Prior
from models.studies import CurveStudies, HazardStudies, RateStudies

RATES = RateStudies(("a", "b", "c", "d"), [0, 0, 0, 0], [6, 20, 35, 53])
MIXED = HazardStudies(("a", "b", "c", "d"), [0.0] * 4, [0.3, 0.3, 0.6, 0.0], [0.3, 0.2, 0.6, 0.0], [0.0] * 4,
                      [0.0, 0.0, 0.0, 300.0], [40, 53, 9, 30])
DESIGNS = {"rate": Design("rate", "cr", None, RATES), "survival": Design("survival", "os", 12.0, MIXED)}
MODELS = [name for name, model in all_models().items() if model.takes is not CurveStudies]


def setting(name: str, *, fault: str | None = None, **priors: Prior) -> Setting:
    model = all_models()[name]
    return Setting(name, DESIGNS[model.kind], {**model.priors, **priors}, 1, fault)


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_conjugate_normal_is_uniform_and_a_wrong_spread_is_not(factor):
    """theta ~ N(0, 1), y ~ N(theta, 0.7): the posterior is N(y/1.49, 0.7/sqrt 1.49). 1,000 data sets."""
    rng = np.random.default_rng(11)
    exact, ranks = [], []
    for _ in range(1000):
        theta = rng.normal()
        posterior = stats.norm(rng.normal(theta, 0.7) / 1.49, factor * 0.7 / np.sqrt(1.49))
        exact.append(pit(posterior.cdf, theta, rng))
        ranks.append(rank_pit(posterior.rvs(400, random_state=rng), theta, rng))
    for values in (exact, ranks):
        assert (uniformity(np.array(values))[0] > 1e-3) == (factor == 1.0)


def test_ties_are_broken_at_random():
    """Half of the mass lies at 1, as it does for rates that are rounded to it."""
    rng = np.random.default_rng(12)
    def cdf(x):
        return np.where(np.asarray(x) >= 1.0, 1.0, 0.5 * np.clip(x, 0.0, 1.0))
    values = np.where(rng.random(2000) < 0.5, 1.0, rng.random(2000))
    draws = np.where(rng.random(4000) < 0.5, 1.0, rng.random(4000))
    assert uniformity(np.array([pit(cdf, float(value), rng) for value in values]))[0] > 1e-3
    assert uniformity(np.array([rank_pit(draws, value, rng) for value in values]))[0] > 1e-3
    assert pit(cdf, 0.0, rng) == 0.0


@pytest.mark.parametrize("name", MODELS)
def test_replicates_give_every_quantity_and_do_not_depend_on_the_split(name):
    together = run_replicates(setting(name), 0, 6)
    assert [run_replicate(setting(name), number) for number in (5, 0)] == [together[5], together[0]]
    assert [one.study_id for one in together] == ["a", "b", "c", "d", "a", "b"]
    for one in together:
        assert not one.failure and tuple(one.pits) == setting(name).quantities
        assert all(0.0 <= value <= 1.0 for value in one.pits.values())


@pytest.mark.parametrize("name", MODELS)
def test_log_likelihood_has_the_distribution_of_draws(name):
    """20,000 draws, five standard errors of a share; and the constant of the likelihood is in it."""
    model = all_models()[name]
    studies = RateStudies(RATES.study_ids, [6, 14, 30, 40], RATES.evaluable) if model.kind == "rate" else \
        HazardStudies(MIXED.study_ids, [-2.5, -3.0, -3.4, 0.0], MIXED.se_lower, MIXED.se_upper, [0, 0, 0, 14],
                      MIXED.person_months, MIXED.patients_each)
    grid = solve(density_of(model, studies, model.priors))
    draws = draw(grid, 20_000, np.random.default_rng(1))
    density = model.marginal
    found = density.log_density(draws, density.data(studies), on=NUMBERS) + density.log_constant(studies)
    assert found[:5] == pytest.approx(density.log_likelihood({key: value[:5] for key, value in draws.items()},
                                                           studies).sum(axis=1))
    probabilities = distribution(grid, log_likelihoods(grid)).cdf(np.quantile(found, [0.05, 0.25, 0.5, 0.75, 0.95]))
    assert probabilities == pytest.approx([0.05, 0.25, 0.5, 0.75, 0.95], abs=5 * 0.5 / np.sqrt(20_000))


@pytest.mark.parametrize("prior", [Prior("HalfNormal", (0.5,)), Prior("Gamma", (2.0, 4.0)), Prior("Beta", (1.0, 4.0))])
def test_doubled_prior_is_the_density_of_a_doubled_sd(prior):
    """For rho the SD of rates goes with sqrt(rho/(1 - rho)) about."""
    wrong, x = Doubled(prior), np.linspace(-60.0, 60.0, 24_001)
    plain, doubled = (integrate.cumulative_trapezoid(np.exp(one.log_density(x)), x, initial=0.0)
                      for one in (prior, wrong))
    moved = x + np.log(4.0 if prior.support == "unit" else 2.0)
    assert np.interp(moved, x, doubled) == pytest.approx(plain, abs=1e-4)
    assert wrong.support == prior.support


def test_faults_change_what_they_say_and_no_fault_nothing():
    priors = all_models()["beta_binomial"].priors
    rates = RateStudies(RATES.study_ids, [1, 2, 3, 4], RATES.evaluable)
    assert seen_priors(priors, None) == priors and seen_studies(rates, None) is rates
    assert seen_priors(priors, "prior") == {"mu": priors["mu"], "rho": Doubled(priors["rho"])}
    assert list(seen_studies(rates, "counts").events) == [5, 2, 3, 49]
    assert list(seen_studies(rates, "twice").events) == [2, 4, 6, 8]
    assert list(seen_studies(rates, "twice").evaluable) == [12, 40, 70, 106]
    misread, twice = seen_studies(MIXED, "counts"), seen_studies(MIXED, "twice")
    assert misread.log_hazard == pytest.approx([0.366513, 0.0, 0.0, 0.366513], abs=1e-6)
    assert misread.person_months[3] == pytest.approx(300 * np.log(2.0))
    assert twice.se_lower[0] == pytest.approx(0.3 / np.sqrt(2)) and twice.person_months[3] == 600
    assert set(FAULTS) == {"prior", "counts", "twice", "level"}


def test_a_failed_replicate_is_reported_and_fails_the_whole(monkeypatch):
    seen = []

    def failing(density):
        seen.append(density)
        if len(seen) == 4:
            raise QuadratureFailed("did not settle")
        return solve(density)

    monkeypatch.setattr(replicate, "solve", failing)
    found = calibrate(setting("beta_binomial"), 20)
    (failed,) = found.failures
    assert (failed.number, failed.failure, failed.pits) == (3, "did not settle", {})
    assert len(found.replicates) == 20 and all(len(values) == 19 for values in found.pits.values())
    assert all(verdict.passed for verdict in found.verdicts) and not found.passed


def test_a_prior_without_bounds_fails_openly_or_works():
    """log hazards beyond all numbers: each replicate has PITs or a reason, none is lost."""
    found = calibrate(setting("log_hazard", tau=Prior("HalfCauchy", (100.0,))), 20)
    assert len(found.replicates) == 20 and found.failures and not found.passed
    assert all(bool(one.pits) != bool(one.failure) for one in found.replicates)


def test_without_any_value_nothing_passes():
    (verdict,) = verdicts_on({"mu": np.array([])})
    assert not verdict.passed and np.isnan(verdict.p_value)


@pytest.fixture(scope="module")
def alone():
    """Twenty replicates, made here one after the other."""
    return calibrate(setting("beta_binomial"), 20)


@pytest.mark.parametrize("beside", [lambda: ThreadPoolExecutor(2), lambda: several(2, 20)])
def test_any_executor_gives_the_same_result(beside, alone):
    told: list[int] = []
    with beside() as executor:
        shared = calibrate(setting("beta_binomial"), 20, executor=executor, tell=told.append)
    assert [one.number for one in shared.replicates] == [one.number for one in alone.replicates]
    for one, other in zip(shared.replicates, alone.replicates, strict=True):
        # Sums of another number of threads differ in the last digits.
        assert one.pits == pytest.approx(other.pits, abs=1e-9)
    assert told[-1] == 20 and len(told) == min(run.BATCHES, 20)


def test_curves_have_bands_around_zero(alone):
    rows = ecdf_rows(alone)
    assert len(rows) == 6 * 19 and list(dict.fromkeys(row["quantity"] for row in rows)) == list(alone.pits)
    for row in rows:
        assert row["lower_verdict"] <= row["lower_95"] <= 0.0 <= row["upper_95"] <= row["upper_verdict"]
        assert abs(row["difference"]) <= max(verdict.max_deviation for verdict in alone.verdicts) + 1e-12
