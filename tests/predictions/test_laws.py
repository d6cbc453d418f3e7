"""Laws of counts of a further study: closed forms, replicates, and points of curves that stand in filled-up rows."""

import numpy as np
import pytest
from scipy import stats

from analysis.inference.estimands import mean_survival
from analysis.inference.grid import draw
from analysis.inference.prediction import CountLaw, counts_of, events_of, outcome, survivors_of, two_sided
from models.log_hazard import CONSTANT_HAZARD
from models.studies import CurveStudies
from tests.exact.solved import hazards, rates, solved


def test_a_uniform_law_is_known():
    law = CountLaw(np.full(51, 1 / 51))
    assert [law.pit(count) for count in (0, 25, 25.5, 50)] == pytest.approx([0.5 / 51, 0.5, 26 / 51, 50.5 / 51])
    assert list(law.limits(0.91)) == [2, 25, 48] and law.log_probability(12.3) == pytest.approx(-np.log(51))
    # Twice the mid-p of 0 is 0.0196, of 1 it is 0.0588.
    assert list(np.flatnonzero(law.named)) == [0, 50] and law.chance_named == pytest.approx(2 / 51)
    assert two_sided(0.995) == pytest.approx(0.01)
    assert [law.at_most(count) for count in (-1, -0.5, 0, 50)] == pytest.approx([0.0, 0.5 / 51, 1 / 51, 1.0])


def test_a_rate_without_doubt_gives_a_binomial_law():
    law = counts_of(solved("beta_binomial", rates([0], [0]), mu="Beta(30000, 70000)", rho="Beta(1, 10000)"), 20)
    # A heterogeneity of 1e-4 widens the law by a thousandth.
    assert law.probabilities == pytest.approx(stats.binom.pmf(np.arange(21), 20, 0.3), abs=1e-3)


@pytest.mark.parametrize(("model", "studies"), [
    ("log_hazard", hazards([(-3.0, 0.2, 0.2), (-2.4, 0.3, 0.3), (-2.9, 0.25, 0.25)]))])
def test_survivors_are_those_of_replicates(model, studies):
    """Cells of survival against draws of the effect: 40,000 draws leave 0.01, four standard errors, of a mid-p."""
    grid, rng = solved(model, studies), np.random.default_rng(5)
    draws = draw(grid, 40_000, rng)
    survival = np.exp(-18.0 * np.exp(grid.density.model.marginal.new_study(draws, rng)))
    counts, law = rng.binomial(25, survival), survivors_of(grid, 18.0, 25)
    assert law.probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    for count in (2, 8, 15, 24):
        assert law.pit(count) == pytest.approx(np.mean(counts < count) + np.mean(counts == count) / 2, abs=0.01)
    assert law.limits(0.95) == pytest.approx(np.quantile(counts, [0.025, 0.5, 0.975]), abs=1.0)
    assert law.chance_named == pytest.approx(law.named[counts].mean(), abs=0.004)


@pytest.mark.parametrize("rate", [1e-4, 0.01, 0.3], ids=str)
@pytest.mark.parametrize("patients", [50, 640])
def test_survivors_where_events_are_rare(rate, patients):
    """All of n patients survive m months with the mean survival over studies at n m months, by another sum."""
    grid = solved("log_hazard", hazards((), [(round(1e6 * rate), 1e6)] * 6))
    values, law = grid.values, survivors_of(grid, 3.0, patients)
    alive, all_alive = (
        grid.weights.ravel() @ mean_survival(CONSTANT_HAZARD, values, values["eta"], values["tau"], months)[0]
        for months in (3.0, 3.0 * patients))
    assert law.probabilities[-1] == pytest.approx(all_alive, rel=5e-3, abs=1e-9)
    assert patients - law.probabilities @ np.arange(patients + 1) == pytest.approx(patients * (1.0 - alive), rel=1e-3)


@pytest.mark.parametrize("person_months", [2.0, 200.0, 1500.0])
def test_events_in_person_months_are_poisson_of_draws(person_months):
    """Of 100,000 draws of the hazard the mean Poisson probability has an error below 0.0005."""
    grid, rng = solved("log_hazard", hazards((), [(4, 100.0), (9, 180.0), (6, 150.0)])), np.random.default_rng(3)
    hazards_of_new = np.exp(grid.density.model.marginal.new_study(draw(grid, 100_000, rng), rng))
    law, counts = events_of(grid, person_months), np.arange(40)
    assert law.probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    assert law.probabilities[:40] == pytest.approx(
        stats.poisson.pmf(counts[:, None], hazards_of_new * person_months).mean(axis=1), abs=1e-3)


@pytest.mark.parametrize("rare", [-7.0, -9.5])
def test_where_hardly_anybody_has_the_event_survivors_are_those_of_a_sum(rare):
    """Binomial probabilities over a dense grid of the study's log hazard, the posterior's own points beside it."""
    grid, patients = solved("log_hazard", hazards([(rare, 0.1, 0.1), (rare, 0.1, 0.1)]), eta=f"Normal({rare}, 1)",
                            tau="HalfNormal(0.05)"), 3200
    values, weights = grid.sparse()
    edges = np.linspace(rare - 1.0, rare + 1.0, 1001)
    mass = np.diff(grid.density.model.marginal.new_study_cdf(values, edges[:, None]) @ weights)
    survival = np.exp(-12.0 * np.exp((edges[1:] + edges[:-1]) / 2.0))
    counts = np.arange(patients - 60, patients + 1)
    wanted = stats.binom.pmf(counts[:, None], patients, survival) @ mass
    assert survivors_of(grid, 12.0, patients).probabilities[counts] == pytest.approx(wanted, abs=0.01)


def test_the_point_of_a_curve_is_one_that_is_printed():
    """Rows are filled up to the longest: a median at 5.6 months is not one at the 12 months that fill its row."""
    curves = {"starts": [[0.0, 0.0], [0.0, 6.0]], "ends": [[5.6, 12.0], [6.0, 13.0]],
              "counts": [[8.0, 0.0], [4.0, 4.0]], "seen": [[5.6], [13.0]], "survivors": [[8.0], [8.0]]}
    singles = dict.fromkeys(("events", "months", "exposed", "bound_months", "bound_error", "mixed"), [0.0, 0.0])
    studies = CurveStudies(("short", "long"), **curves, **singles, strata=np.tile([0.0, 12.0, 0.5], (2, 1, 1)),
                           patients_each=[25, 25])
    name, survival = outcome(studies)
    assert name == "survival" and survival == pytest.approx([0.5, 0.5])
    moved = CurveStudies(("one",), [[0.0, 6.0]], [[6.0, 24.0]], [[0.0, 4.0]], [[24.0]], [[12.0]],
                         *([0.0],) * 5, np.tile([0.0, 12.0, 0.5], (1, 1, 1)), [0.0], [25])
    assert outcome(moved)[1] == pytest.approx([1.0]), "nobody had the event by 6 months, which is a point"
