"""Simulated data have the moments of their distributions, and designs survive being written down."""

import json

import numpy as np
import pytest

from analysis.cases.settings import Question
from analysis.evidence.loading import load
from analysis.simulation.studies import Design, SimulationFailed, design_from, design_of, select_design, simulate
from analysis.system.errors import UsageError
from analysis.system.files import as_json
from models import all_models
from models.studies import CurveStudies, HazardStudies, RateStudies
from tests.evidence.build import write_evidence

SIZE = 40_000
NAMES = tuple(f"s{at}" for at in range(SIZE))
ZERO, ONE = np.zeros(SIZE), np.ones(SIZE)


def hazards(lower: float, upper: float, months: float) -> Design:
    return Design("survival", "os", 12.0, HazardStudies(NAMES, ZERO, lower * ONE, upper * ONE, ZERO, months * ONE, ONE))


def assert_moments(values: np.ndarray, mean: float, variance: float) -> None:
    """Five standard errors: mean sqrt(v/n), variance about sqrt(2/n) v, here less than twice that."""
    assert values.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / len(values)))
    assert values.var() == pytest.approx(variance, abs=5 * 2 * np.sqrt(2 / len(values)) * variance)


def test_counts_are_binomial():
    design = Design("rate", "cr", None, RateStudies(NAMES, ZERO, 35 * ONE))
    found = simulate(design, np.full(SIZE, 0.8), np.random.default_rng(1))
    assert_moments(found.events, 35 * 0.8, 35 * 0.8 * 0.2)


@pytest.mark.parametrize(("lower", "upper"), [(0.3, 0.3), (0.64, 0.2), (0.1, 0.5)])
def test_estimates_are_split_normal(lower, upper):
    """Wallis 2014, with the sides exchanged: se_lower lies above the truth. Mode -3."""
    found = simulate(hazards(lower, upper, 0.0), np.full(SIZE, -3.0), np.random.default_rng(2))
    mean = -3.0 + np.sqrt(2 / np.pi) * (lower - upper)
    assert_moments(found.log_hazard, mean, (1 - 2 / np.pi) * (lower - upper) ** 2 + lower * upper)
    assert np.mean(found.log_hazard > -3.0) == pytest.approx(lower / (lower + upper), abs=5 * 0.5 / np.sqrt(SIZE))


def test_counts_with_person_months_are_poisson():
    found = simulate(hazards(0.0, 0.0, 200.0), np.full(SIZE, -3.0), np.random.default_rng(3))
    assert_moments(found.events, 200 * np.exp(-3.0), 200 * np.exp(-3.0))


def test_counts_at_a_landmark_are_binomial_among_whole_patients(tmp_path):
    """100 % of 10 at 12 months: 10/1.25^2 = 6.4 patients, simulated as 6, each with the event with 1 - exp(-12 h)."""
    evidence = load(write_evidence(
        tmp_path, responses=None, endpoints="endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
        survival="study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n"
                 "alpha_2019,os,landmark,12,1,,,10\nbeta_2021,os,landmark,6,0,,,10\n"))
    design = design_of(select_design(evidence, "log_hazard", Question("")))
    assert design.plain()["person_months"] == [72.0, 36.0] and not design.studies.events.any()
    assert design_from(json.loads(as_json(design.plain())), endpoint="os").plain() == design.plain()
    rng = np.random.default_rng(6)
    found = [simulate(design, np.array([-3.0, -3.0]), rng) for _ in range(4000)]
    events = np.array([one.events for one in found])
    rest = np.array([one.person_months for one in found]) / np.array([12.0, 6.0])
    np.testing.assert_allclose(events + rest, 6.0)
    rate = 1.0 - np.exp(-np.array([12.0, 6.0]) * np.exp(-3.0))
    # Five standard errors of 24,000 trials.
    np.testing.assert_allclose(events.mean(axis=0) / 6.0, rate, atol=5 * 0.5 / np.sqrt(24_000))


@pytest.mark.parametrize("effect", [np.inf, np.nan, 100.0])
def test_data_beyond_all_numbers_are_refused(effect):
    with pytest.raises(SimulationFailed):
        simulate(hazards(0.0, 0.0, 200.0), np.full(SIZE, effect), np.random.default_rng(4))


@pytest.mark.parametrize(("model", "endpoint"), [("beta_binomial", "cr"), ("log_hazard", "os")])
def test_default_endpoint_has_most_studies_and_its_design_survives_json(shipped, model, endpoint):
    selection = select_design(shipped, model, Question(""))
    design = design_of(selection)
    assert design.endpoint == endpoint and design.studies.study_ids == selection.study_ids
    assert not design.studies.events.any()
    again = design_from(json.loads(as_json(design.plain())), endpoint=endpoint)
    assert again.plain() == design.plain() and again.horizon == (12.0 if model == "log_hazard" else None)


def test_a_curve_has_the_points_of_its_study_and_no_other(tmp_path):
    """Rows of fewer points are filled up with 12 months, at which alpha prints nothing."""
    evidence = load(write_evidence(
        tmp_path, responses=None, endpoints="endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
        survival="study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n"
                 "alpha_2019,os,landmark,6,0.7,,,40\n"
                 "beta_2021,os,landmark,6,0.8,,,40\nbeta_2021,os,landmark,18,0.4,,,40\n"))
    design = design_of(select_design(evidence, "weibull", Question("")), takes=CurveStudies)
    assert design.plain()["ends"] == [[6.0], [6.0, 18.0]]
    assert design_from(json.loads(as_json(design.plain())), endpoint="os").plain() == design.plain()
    found = simulate(design, np.array([-0.4, -0.4]), np.random.default_rng(7), draws={"shape": np.ones(1)},
                     curve=all_models()["weibull"].density.curve)
    assert found.ends.tolist() == [[6.0, 12.0], [6.0, 18.0]] and found.counts[0, 1] == 0.0
    # 40 patients are worth 40/1.25^2 = 26 without censoring, all of whom have the event or are seen without it.
    np.testing.assert_allclose(found.counts.sum(axis=1) + found.survivors.sum(axis=1), 26.0)


def test_rows_of_counts_keep_their_person_months(tmp_path):
    evidence = load(write_evidence(
        tmp_path, responses=None, endpoints="endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n",
        survival="study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,events,person_months\n"
                 "alpha_2019,os,,,,,,20,9,180.5\nbeta_2021,os,median,,12,8,20,30,,\n"))
    design = design_of(select_design(evidence, "log_hazard", Question("")))
    assert design.plain()["person_months"] == [180.5, 0.0] and design.plain()["se_lower"][0] == 0.0
    found = simulate(design, np.array([-3.0, -3.0]), np.random.default_rng(5))
    assert list(found.is_poisson) == [True, False]
    assert found.events[0] == np.floor(found.events[0]) and found.log_hazard[1] != 0.0


@pytest.mark.parametrize(("model", "endpoint", "message"), [
    ("nothing", "", "there are"), ("log_hazard", "cr", "beta_binomial"), ("beta_binomial", "nothing", "defined are"),
    ("log_hazard", "", "no study")])
def test_impossible_designs_are_refused(tmp_path, model, endpoint, message):
    with pytest.raises(UsageError, match=message):
        select_design(load(write_evidence(tmp_path)), model, Question(endpoint))
