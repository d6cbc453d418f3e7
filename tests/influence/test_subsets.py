"""Subset differences: closed forms, sides, and the grammar of the rules."""

import numpy as np
import pytest
from scipy import special, stats

from analysis.cases.case import case_of
from analysis.cases.selection import membership
from analysis.cases.settings import Job, Question
from analysis.chapters.subsets.rows import SUBSET_DIFFERENCES
from analysis.evidence.cells import Fault
from analysis.evidence.conditions import Condition, condition
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError
from analysis.inference.distribution import WORST_ERROR, Distribution, difference
from tests.data.tables import FOLDER
from tests.evidence.build import FULL, with_cell, write_files
from tests.report.reading import Page
from tests.reporting import page_of, project_results, with_tables

from .cases import COUNTS, CR, ENDPOINTS, OS, SUBSETS, differences_of, evidence_of, influence_of


def known(law):
    return Distribution(float(law.mean()), float(law.std()), law.cdf, law.ppf)


def beta_exceeds(a, b, c, d):
    """P(X > Y) of X ~ Beta(a, b) and Y ~ Beta(c, d) for a whole a: a finite sum."""
    i = np.arange(a)
    return float(np.sum(np.exp(special.betaln(c + i, b + d) - np.log(b + i) - special.betaln(1 + i, b)
                               - special.betaln(c, d))))


@pytest.mark.parametrize(("a", "b", "c", "d"), [(16, 4, 24, 6), (30, 10, 8, 12), (2, 40, 3, 30), (1, 1, 1, 1)])
def test_difference_of_two_beta_distributions_is_the_closed_form(a, b, c, d):
    found = difference(known(stats.beta(a, b)), known(stats.beta(c, d)), at=np.array([0.025, 0.5, 0.975]))
    # The rule is never off by more than WORST_ERROR; on smooth laws by far less.
    assert found.positive == pytest.approx(beta_exceeds(a, b, c, d), abs=0.1 * WORST_ERROR)
    rng = np.random.default_rng(3)
    drawn = rng.beta(a, b, 200_000) - rng.beta(c, d, 200_000)
    # Simulated quantiles of 200,000 draws: a few thousandths of a standard deviation, times 4.
    assert found.quantiles == pytest.approx(np.quantile(drawn, [0.025, 0.5, 0.975]), abs=0.03 * drawn.std())
    assert [found.mean, found.sd] == pytest.approx([drawn.mean(), drawn.std()], abs=0.01 * drawn.std())


def test_difference_of_normal_distributions_is_normal():
    found = difference(known(stats.norm(1.0, 3.0)), known(stats.norm(-1.0, 4.0)), at=np.array([0.025, 0.5, 0.975]))
    assert found.quantiles == pytest.approx(stats.norm(2.0, 5.0).ppf([0.025, 0.5, 0.975]), abs=0.01)
    assert found.positive == pytest.approx(stats.norm.cdf(0.4), abs=1e-5)


def test_both_sides_are_fits_of_their_studies(tmp_path):
    (row,) = differences_of(evidence_of(tmp_path), CR)
    assert tuple(row) == SUBSET_DIFFERENCES.names and row["rule"] == "year >=2015"
    assert (row["subset_k"], row["rest_k"]) == (3, 4)
    for side, names in (("subset", "efg"), ("rest", "abcd")):
        own = evidence_of(tmp_path, {name: COUNTS[name] for name in names})
        full = influence_of(own, CR)[0]
        for limit in ("median", "lower", "upper"):
            assert row[f"{side}_{limit}"] == pytest.approx(full[f"full_{limit}"], abs=1e-9)
    assert row["difference_lower"] < row["difference"] < row["difference_upper"]
    assert (row["difference"] > 0) == (row["positive"] > 0.5)


def test_swapping_the_sides_turns_the_sign(tmp_path):
    subsets = SUBSETS + "early,Early,year,<2015\n"
    late, early = differences_of(evidence_of(tmp_path, subsets=subsets), CR)
    assert late["difference"] == pytest.approx(-early["difference"], abs=1e-4)
    assert late["difference_lower"] == pytest.approx(-early["difference_upper"], abs=1e-3)
    assert late["positive"] == pytest.approx(1.0 - early["positive"], abs=2 * WORST_ERROR)


def test_empty_and_small_sides_are_told(tmp_path):
    subsets = "subset,label,column,value\nnobody,Nobody,year,>2100\nevery,Every,year,>1900\none,One,year,>2016\n"
    nobody, every, one = differences_of(evidence_of(tmp_path, subsets=subsets), CR)
    assert (nobody["status"], nobody["reason"]) == ("not computed", "no study in the subset")
    assert (every["status"], every["reason"]) == ("not computed", "no study outside the subset")
    assert every["subset_median"] is not None and every["rest_median"] is None and every["difference"] is None
    assert one["note"] == "1 study in the subset: prior-dominated" and one["status"] == "computed"


def test_a_study_with_an_empty_cell_is_on_neither_side(tmp_path):
    subsets = "subset,label,column,value\nold,Old,age,>=30 <60\n"
    ages = {"a": "35", "b": "45.5", "c": "20", "d": "60", "e": "3e1"}
    evidence = evidence_of(tmp_path, subsets=subsets, ages=ages)
    (row,) = differences_of(evidence, CR)
    assert (row["subset_k"], row["rest_k"], row["unknown_k"]) == (3, 2, 2)
    assert "2 on neither side" in row["note"]
    assert membership(evidence, evidence.study("g"), "old") is None


def test_a_study_whose_strata_are_on_both_sides_is_on_neither(tmp_path):
    evidence = load(write_files(tmp_path, {
        "studies.csv": "study_id,label,year\n" + "".join(f"{name},Study {name},2015\n" for name in "abc"),
        "endpoints.csv": ENDPOINTS, "subsets.csv": "subset,label,column,value\nall_in,All,non_responders,event at 0\n",
        "survival.csv": "study_id,endpoint,stratum,statistic,time_months,estimate,ci_low,ci_high,n,non_responders\n"
                        "a,os,low,landmark,12,0.6,,,30,event at 0\na,os,high,landmark,12,0.3,,,30,excluded\n"
                        "b,os,,landmark,12,0.5,,,30,event at 0\nc,os,,landmark,12,0.5,,,30,excluded\n"}))
    (row,) = differences_of(evidence, OS)
    assert (row["subset_k"], row["rest_k"], row["unknown_k"]) == (1, 1, 1)
    assert row["note"].endswith("1 on neither side: strata are on both") and "empty" not in row["note"]


def test_survival_is_compared_at_its_horizon(tmp_path):
    medians = {name: (20.0 if name in "efg" else 6.0, 60) for name in COUNTS}
    (row,) = differences_of(evidence_of(tmp_path, medians=medians), OS)
    assert (row["estimand"], row["time_months"]) == ("survival", 12.0)
    assert row["difference_lower"] > 0.0 and row["positive"] > 0.99


def test_points_stand_in_the_head_of_the_table_and_in_sentences_but_not_in_cells():
    row = {"endpoint": "cr", "subset": "adult_only", "label": "Adults only", "rule": "cohort adult", "subset_k": 4,
           "subset_n": 40, "rest_k": 4, "rest_n": 40, "status": "computed", "reason": "", "difference": 0.28,
           "difference_lower": -0.0012, "difference_upper": 0.58, "positive": 0.97}
    page = Page(page_of(with_tables(project_results(), {SUBSET_DIFFERENCES.file: [row]})))
    head, line = page.tables["Each subset, its complement and their difference, from separate fits"]
    assert "Difference, points [95 % credible]" in head and "+28 [−0.1, +58]" in line
    assert "(no patient under 18), +28 [−0.1, +58] points." in page.text


def test_evidence_without_subsets_or_published_numbers_has_no_difference(tmp_path):
    assert differences_of(evidence_of(tmp_path, subsets=None), CR) == ()
    assert differences_of(evidence_of(tmp_path, subsets="subset,label,column,value\nall,All,,\n"), CR) == ()
    assert differences_of(evidence_of(tmp_path), OS) == ()


def test_the_review_has_a_row_for_each_endpoint_and_subset():
    evidence = load(FOLDER)
    for endpoint in evidence.endpoints:
        rows = differences_of(evidence, Job(Question(endpoint.endpoint)))
        assert [row["subset"] for row in rows] == ["cd19_only", "adult_only"]
        whole = len(case_of(evidence, Job(Question(endpoint.endpoint))).studies)
        assert all(row["subset_k"] + row["rest_k"] + row["unknown_k"] == whole for row in rows)


@pytest.mark.parametrize(("value", "cell", "holds"), [
    ("adult", "adult", True), ("adult", "combined", False), ("adult", "", None), ("", "", True), ("", "x", False),
    (">=2020", "2020", True), (">=2020", "2019", False), (">2020", "2020", False), ("<=40", "40.0", True),
    ("<40", "39.9", True), (">=-1.5 <2e1", "19", True), (">=-1.5 <2e1", "20", False), (">=2020", "", None),
    (">=2020", "about", None)])
def test_conditions_hold(value, cell, holds):
    found = condition(value)
    assert isinstance(found, Condition) and found.holds(cell) is holds


@pytest.mark.parametrize(("value", "remedy"), [
    ("=>2020", "Write >=2020."), ("≥2020", "Write >=2020."), ("≤ 40", "Write <=40."), ("> 30", "Write >30."),
    ("=adult", "Write adult alone for equality."), ("==2020", "Write 2020 alone for equality."),
    (">=twenty", "such as >=2020"), ("<", "such as >=2020"), (">=2,020", "such as >=2020"), (">1 or <0", "such as"),
    ("!=adult", "such as >=2020"), ("<>3", "such as >=2020")])
def test_malformed_comparisons_have_a_remedy(value, remedy):
    found = condition(value)
    assert isinstance(found, Fault) and remedy in found.remedy


@pytest.mark.parametrize(("column", "value", "rule", "remedy"), [
    ("median_age", "=>40", "is no comparison with a number", "Write >=40."),
    ("antigen_target", ">=40", "compares antigen_target, but row 2 of studies.csv holds CD19", "Name a column"),
    ("median_age", ">=40", None, None), ("note", "<3", "compares note, but row 3", "Name a column of numbers")])
def test_rules_of_subsets_are_checked_on_loading(tmp_path, column, value, rule, remedy):
    subsets = with_cell(with_cell(FULL["subsets.csv"], 3, "column", column), 3, "value", value)
    folder = write_files(tmp_path, FULL | {"subsets.csv": subsets})
    if rule is None:
        assert [study.study_id for study in load(folder).studies
                if membership(load(folder), study, "cd19_only")] == ["park_2018"]
        return
    with pytest.raises(EvidenceError) as caught:
        load(folder)
    (problem,) = caught.value.problems
    assert (problem.file, problem.row, problem.column, problem.value) == ("subsets.csv", 3, "value", value)
    assert rule in problem.rule and remedy in problem.remedy
