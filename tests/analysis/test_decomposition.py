"""Differences taken apart add up, compare like with like, and impossible intervals are recognised."""

import math
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pytest
from scipy import special

from analysis.cases.settings import Question
from analysis.chapters.differences.rows import DECOMPOSITION, decomposition_rows
from analysis.chapters.methods import FREQUENTIST, frequentist_rows
from analysis.chapters.published import CHAPTER
from analysis.chapters.published.rows import (
    INTERVAL_SHAPES,
    completed_ratios,
    judged_intervals,
    log_arm_ratio,
    missing_sizes,
    shape_cells,
    shape_rows,
    with_methods,
)
from analysis.results.comparison import COMPARISON
from models import all_models
from models.studies import RateStudies
from tests.casing import bare_case, cells
from tests.reporting import project_results, with_tables


def _methods(evidence, base, *endpoints):
    return [row for endpoint in endpoints for row in FREQUENTIST.table(
        frequentist_rows(evidence, base, endpoint, "all")[FREQUENTIST.file]).rows]


@pytest.fixture(scope="module")
def results():
    plain = project_results()
    return with_tables(plain, {FREQUENTIST.file: _methods(plain.evidence, plain.base, "nt_any", "os")})


def _steps(results, reported_id, tables=MappingProxyType({})):
    rows = DECOMPOSITION.table(decomposition_rows(with_tables(results, tables))).rows
    return [row for row in rows if row["reported_id"] == reported_id]


def test_steps_add_up_to_the_difference(results):
    whole = {}
    for row in results.rows(COMPARISON.file):
        steps = _steps(results, row["reported_id"])
        if len(steps) > 2:
            whole[row["reported_id"]] = [step["step"] for step in steps]
            assert sum(step["change"] for step in steps[1:]) == pytest.approx(row["difference"])
            for before, after in pairwise(steps):
                assert after["estimate"] - before["estimate"] == pytest.approx(after["change"])
    assert whole == dict.fromkeys(("R05", "R07", "R18"), ["published", "data", "method", "prior"])


def test_a_published_median_that_is_open_above_has_no_width(results):
    rows = [{**row, "published_upper": None} if row["reported_id"] == "R07" else row
            for row in results.rows(COMPARISON.file)]
    steps = DECOMPOSITION.table(decomposition_rows(replace(results, tables={
        **results.tables, COMPARISON.file: COMPARISON.table(rows)}))).rows
    published, *others = (step for step in steps if step["reported_id"] == "R07")
    assert published["width"] is None and published["lower"] == 11.6
    assert all(step["width"] > 0 for step in others) and others


def test_each_step_is_the_method_that_it_names(results):
    paper = {(row["endpoint"], row["estimand"]): row for row in results.rows(FREQUENTIST.file) if row["of_the_paper"]}
    data = {reported_id: _steps(results, reported_id)[1] for reported_id in ("R05", "R07", "R18")}
    assert cells(data["R18"], "estimate lower") == cells(paper["nt_any", "mean_rate"], "estimate lower")
    survival = paper["os", "survival"]["estimate"]
    assert data["R05"]["estimate"] == survival
    assert data["R07"]["estimate"] == pytest.approx(12.0 * math.log(2.0) / -math.log(survival))
    assert data["R07"]["lower"] < data["R07"]["estimate"] < data["R07"]["upper"]


def test_methods_for_the_median_rate_never_enter(results):
    rows = [{**row, "estimate": None} if row["estimand"] == "mean_rate" else row
            for row in results.rows(FREQUENTIST.file)]
    assert [step["step"] for step in _steps(results, "R18", {FREQUENTIST.file: rows})] == ["published", "prior"]


def test_a_method_without_limits_is_a_step_without_an_interval(results):
    rows = [{**row, "lower": None, "upper": None} for row in results.rows(FREQUENTIST.file)]
    assert [cells(step, "step lower upper width") for step in _steps(results, "R18", {FREQUENTIST.file: rows})[1:3]] \
        == [("data", None, None, None), ("method", None, None, None)]


def test_each_published_total_without_an_open_question_is_a_last_step(results):
    total = {"endpoint": "cr", "total_events": 400, "total_n": 489, "total_k": 16, "absent": "", "base_gap": 0,
             "median": 0.82, "lower": 0.75, "upper": 0.88}
    totals = [total, total | {"median": 0.84}, total | {"absent": "a"}, total | {"base_gap": 3},
              total | {"endpoint": "mrd_neg"}, total | {"median": None}]
    *_, posterior, first, second = _steps(results, "R01", {"published_totals.csv": totals})
    assert posterior["step"] == "prior"
    assert cells(first, "step k_studies n_patients") == ("missing studies", 16, 489)
    assert first["label"].endswith("the total 400/489") and first["width"] == pytest.approx(0.13)
    for step, median in ((first, 0.82), (second, 0.84)):
        assert step["change"] == pytest.approx(median - posterior["estimate"])


def test_arms_of_symmetric_intervals():
    logit = special.logit(0.2)
    assert log_arm_ratio(0.2, special.expit(logit - 1), special.expit(logit + 1)) == pytest.approx(0.0)
    assert log_arm_ratio(0.2, special.expit(logit - 2), special.expit(logit + 1)) == pytest.approx(math.log(2.0))
    assert log_arm_ratio(0.2, 0.0, 0.5) == math.inf
    assert math.isnan(log_arm_ratio(0.2, 0.3, 0.5))


def test_rounding_is_allowed_for():
    shape = shape_cells((0.14, 0.01, 0.25), 2, np.empty(0))
    assert shape["arm_ratio_low"] < math.exp(log_arm_ratio(0.14, 0.01, 0.25)) < shape["arm_ratio_high"]
    # 14 % [2, 26] is symmetric about a percentage when rounding is allowed for; about a logit it is not.
    assert shape["symmetric_about"] == "percentage"
    assert "logit" in shape_cells((0.5, 0.4, 0.6), 2, np.empty(0))["symmetric_about"].split()


def test_an_arm_may_vanish_where_a_limit_meets_the_estimate():
    """1 % [0, 5] may be 0.5 % [0.5, 5]; where 1 % [1, 5] came from, the lower arm may be nothing in every corner."""
    assert shape_cells((0.01, 0.0, 0.05), 2, np.empty(0))["arm_ratio_low"] == 0.0
    shape = shape_cells((0.01, 0.01, 0.05), 2, np.empty(0))
    assert (shape["arm_ratio_low"], shape["arm_ratio_high"]) == (0.0, pytest.approx(
        math.exp(log_arm_ratio(0.015, 0.005, 0.045))))
    assert shape_cells((0.99, 0.95, 1.0), 2, np.empty(0))["arm_ratio_high"] == math.inf


def test_an_interval_is_judged_at_its_own_level(results):
    reported, endpoint = next(judged_intervals(results.evidence))
    usual, narrow = (shape_rows(results.evidence, replace(results.base, level=level), reported, endpoint)
                     for level in (0.95, 0.5))
    assert narrow == usual
    (row,), methods = usual[INTERVAL_SHAPES.file], _methods(results.evidence, results.base, endpoint)
    for level, judged in ((0.95, True), (0.5, False)):
        at_level = [{**method, "level": level} for method in methods]
        (shape,) = CHAPTER.finish(with_tables(results, {INTERVAL_SHAPES.file: [row], "frequentist.csv": at_level})
                                  )[INTERVAL_SHAPES.file]
        assert shape["finding"].startswith("not judged") != judged


def test_an_interval_symmetric_on_percentages_is_caught_and_a_real_one_is_not(results):
    rows = _methods(results.evidence, results.base, "nt_grade3plus")
    fitted = next(row for row in rows if row["method"] == "beta_binomial_ml")
    studies = RateStudies(("a", "b", "c", "d", "e"), [0, 1, 8, 6, 12], [6, 38, 41, 55, 55])
    ratios = completed_ratios(bare_case(all_models()["beta_binomial"], studies), [20, 10])
    assert np.isfinite(ratios).sum() > 60

    def finding(*published: float, methods=rows) -> str:
        return with_methods(shape_cells(published, 2, ratios), methods)["finding"]

    assert finding(0.14, 0.01, 0.25).startswith("we could not reproduce")
    assert finding(*(round(fitted[name], 2) for name in ("estimate", "lower", "upper"))).startswith("within")
    bare = [{**row, "lower": None, "upper": None} for row in rows]
    assert finding(0.14, 0.01, 0.25, methods=bare).startswith("not judged")
    sizes = missing_sizes(results.evidence, Question("nt_grade3plus"), ("dai_2020",), 4)
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == 3
    assert missing_sizes(results.evidence, Question("nt_grade3plus"), (), None) == []
