"""Differences taken apart add up, compare like with like, and impossible intervals are recognised."""

import math

import numpy as np
import pytest
from scipy import special

from analysis.cases.selection import Question
from analysis.chapters.differences.decomposition import decompose, rows_of
from analysis.chapters.methods.rows import FREQUENTIST, frequentist_rows
from analysis.chapters.published.interval_shape import (
    completed_ratios,
    log_arm_ratio,
    missing_sizes,
    published_shape,
    shape_cells,
    with_verdict,
)
from analysis.evidence import load
from models import all_models
from models.studies import RateStudies
from tests.reporting import PROJECT_DATA, project_results


@pytest.fixture(scope="module")
def results():
    return project_results()


def _frequentist(results, *endpoints):
    return [row for endpoint in endpoints for row in FREQUENTIST.table(
        frequentist_rows(results.evidence, results.base, endpoint, "all")[FREQUENTIST.file]).rows]


def test_steps_add_up_to_the_difference(results):
    rows = _frequentist(results, "nt_any", "os")
    found = decompose(results.comparisons, rows)
    whole = [one for one in found if len(one.steps) == 4]
    assert {one.comparison.reported.reported_id for one in whole} == {"R05", "R07", "R18"}
    for one in whole:
        assert [step.name for step in one.steps] == ["published", "data", "method", "prior"]
        assert sum(step.change for step in one.steps[1:]) == pytest.approx(one.comparison.difference)
        for before, after in zip(one.steps, one.steps[1:], strict=False):
            assert after.estimate - before.estimate == pytest.approx(after.change)


def test_each_step_is_the_method_that_it_names(results):
    rows = _frequentist(results, "nt_any", "os")
    by_id = {one.comparison.reported.reported_id: one for one in decompose(results.comparisons, rows)}
    paper = next(row for row in rows if row["endpoint"] == "nt_any" and row["of_the_paper"])
    assert by_id["R18"].steps[1].estimate == paper["estimate"]
    assert by_id["R18"].steps[1].lower == paper["lower"]
    survival = next(row for row in rows if row["endpoint"] == "os" and row["of_the_paper"]
                    and row["estimand"] == "survival")
    months = by_id["R07"].steps[1]
    assert by_id["R05"].steps[1].estimate == survival["estimate"]
    assert months.estimate == pytest.approx(12.0 * math.log(2.0) / -math.log(survival["estimate"]))
    assert months.lower < months.estimate < months.upper


def test_methods_for_the_median_rate_never_enter(results):
    rows = [{**row, "estimate": None} if row["estimand"] == "mean_rate" else row
            for row in _frequentist(results, "nt_any")]
    (one,) = [one for one in decompose(results.comparisons, rows) if one.comparison.reported.reported_id == "R18"]
    assert [step.name for step in one.steps] == ["published", "prior"]


def test_a_method_without_limits_is_a_step_without_an_interval(results):
    rows = [{**row, "lower": None, "upper": None} for row in _frequentist(results, "nt_any")]
    (one,) = [one for one in decompose(results.comparisons, rows) if one.comparison.reported.reported_id == "R18"]
    assert [(step.name, step.lower, step.upper) for step in one.steps[1:3]] == [
        ("data", None, None), ("method", None, None)]


def test_a_published_total_is_a_last_step(results):
    total = {"endpoint": "cr", "label": "with the total", "median": 0.82, "lower": 0.75, "upper": 0.88,
             "k_studies": 16, "n_patients": 489, "note": ""}
    (one,) = [one for one in decompose(results.comparisons, [], [total])
              if one.comparison.reported.reported_id == "R01"]
    assert one.steps[-1].name == "missing studies"
    assert one.steps[-1].change == pytest.approx(0.82 - one.comparison.pooled.estimate.median)
    assert rows_of([one])[-1]["width"] == pytest.approx(0.13)


def test_arms_of_symmetric_intervals():
    logit = special.logit(0.2)
    assert log_arm_ratio(0.2, special.expit(logit - 1), special.expit(logit + 1)) == pytest.approx(0.0)
    assert log_arm_ratio(0.2, special.expit(logit - 2), special.expit(logit + 1)) == pytest.approx(math.log(2.0))
    assert log_arm_ratio(0.2, 0.0, 0.5) == math.inf
    assert math.isnan(log_arm_ratio(0.2, 0.3, 0.5))


def test_rounding_is_allowed_for():
    shape = published_shape(0.14, 0.01, 0.25, 2)
    assert shape.low < log_arm_ratio(0.14, 0.01, 0.25) < shape.high
    # 14 % [2, 26] is symmetric about a percentage when rounding is allowed for; about a logit it is not.
    assert shape.symmetric_about == ("percentage",)
    assert "logit" in published_shape(0.5, 0.4, 0.6, 2).symmetric_about


def test_an_interval_symmetric_on_percentages_is_caught_and_a_real_one_is_not(results):
    evidence = load(PROJECT_DATA)
    rows = _frequentist(results, "nt_grade3plus")
    own = next(row for row in rows if row["method"] == "beta_binomial_ml")
    rng_free = RateStudies(("a", "b", "c", "d", "e"), [0, 1, 8, 6, 12], [6, 38, 41, 55, 55])
    ratios = completed_ratios(all_models()["beta_binomial"], rng_free, [20, 10], level=0.95, seed=1)
    assert np.isfinite(ratios).sum() > 60

    def verdict(estimate: float, low: float, high: float) -> str:
        cells = shape_cells(published_shape(estimate, low, high, 2), ratios)
        return with_verdict(cells, rows)["verdict"]

    assert verdict(0.14, 0.01, 0.25).startswith("outside")
    assert verdict(*(round(own[name], 2) for name in ("estimate", "lower", "upper"))).startswith("within")
    bare = [{**row, "lower": None, "upper": None} for row in rows]
    shape = shape_cells(published_shape(0.14, 0.01, 0.25, 2), ratios)
    assert with_verdict(shape, bare)["verdict"].startswith("not judged")
    sizes = missing_sizes(evidence, Question("nt_grade3plus"), ("dai_2020",), 4)
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 3
    assert missing_sizes(evidence, Question("nt_grade3plus"), (), None) == []
