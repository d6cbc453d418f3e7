"""The three sections say what their tables hold, and nothing without them."""

import re
from dataclasses import replace

import pytest

from analysis.cases.settings import Job, Question
from analysis.chapters import influence, small_studies, subsets
from analysis.chapters.chapter import Page as Around
from analysis.drawing.html import Html
from analysis.results.tables import STUDIES
from tests.report.reading import Page
from tests.reporting import project_results, results_of, with_tables

from .cases import CR, differences_of, evidence_of, funnel_of, influence_of

AROUND = Around({"baujat": Html("<p>PICTURE</p>")}, None, None)
TABLES = {"influence.csv": influence_of, "small_studies.csv": funnel_of, "subset_differences.csv": differences_of}


@pytest.fixture(scope="module")
def results():
    whole = project_results()
    jobs = [Job(Question(name)) for name in ("hct_after", "relapse", "nt_grade3plus")]
    return with_tables(whole, {file: [row for job in jobs for row in rows_of_job(whole.evidence, job)]
                               for file, rows_of_job in TABLES.items()})


def test_surprising_studies_are_named_with_their_probability_and_what_chance_does(results):
    page = Page(influence.CHAPTER.section(results, AROUND))
    rows = results.rows("influence.csv")
    (named,) = [row for row in rows if row["named"]]
    assert f"{named['label']} is surprising to the other 4, with a two-sided predictive probability of " \
           f"{named['two_sided']:.2g}" in page.text
    assert f"Of {len(rows)} predictions over 3 endpoints, 1 is named; by chance about " \
           f"{sum(row['chance_named'] for row in rows):.2f} would be" in page.text
    assert "0 of 12 are above 0.7" in page.text and "PICTURE" in page.text and not page.unbalanced
    (table,) = page.tables.values()
    assert len(table) == len(rows) + 1


def test_chance_and_the_test_of_egger_are_told_of_what_there_is(results):
    """Log hazards are continuous: they are named by chance just as often as the limit says."""
    row = {"endpoint": "os", "study_id": "a", "label": "A", "k_studies": 5, "shift_sd": 0.6, "shift": 2.0,
           "status": "computed", "named": False, "chance_named": 0.05, "median": 0.5, "lower": 0.4, "upper": 0.6}
    slope = {"endpoint": "os", "part": "regression", "status": "computed", "k_studies": 5, "slope_two_sided": 0.5,
             "slope_two_sided_t": 0.5, "time_months": 12.0}
    survival = with_tables(project_results(), {"influence.csv": [row, row], "small_studies.csv": [slope]})
    for chapter, words in ((influence, "Counts are discrete"), (small_studies, "It regresses a proportion")):
        texts = [Page(chapter.CHAPTER.section(some, AROUND)).text for some in (results, survival)]
        assert [words in text for text in texts] == [True, False]


def _studies(**cells):
    return [{"endpoint": endpoint, "subset": "all", "study_id": "zhang_2020", "label": "Zhang 2020", "tier": "A",
             "statistic": statistic, **cells} for endpoint, statistic in (("os", "43 % at 12 months"),
                                                                           ("pfs", "43 % at 12 months"), ("cr", "1/9"),
                                                                           ("mrd_neg", "1/9"))]


FACT = {"endpoint": "os", "study_id": "zhang_2020", "standing": "otherwise"}


@pytest.mark.parametrize(("endpoint", "cells", "fact", "told"), [
    ("os", {"tier": "B"}, {}, "tier B; same number as Progression-, event-, relapse- or leukaemia-free survival"),
    ("os", {}, FACT, "a source says otherwise; same number as Progression-"), ("os", {"statistic": "9"}, {}, "same"),
    ("os", {"raw": 1.0}, {}, ""), ("cr", {}, FACT, ""), ("cr", {"tier": "C"}, FACT, "tier C"),
    ("cr", {"tier": ""}, FACT, "")])
def test_what_the_evidence_has_against_the_study_that_matters_most_is_told(endpoint, cells, fact, told):
    """Two counts may be equal, as those of remission here; one number for two kinds of survival is doubtful."""
    row = {"endpoint": endpoint, "study_id": "zhang_2020", "label": "Zhang 2020", "k_studies": 9, "shift_sd": 0.6,
           "shift": 2.0, "status": "computed", "named": False, "chance_named": 0.04, "median": 0.5, "lower": 0.4,
           "upper": 0.6}
    brief = influence.CHAPTER.brief(_with(row, _studies(**cells), fact), AROUND)
    (_, line), = Page(brief).tables.values()
    assert line[1].startswith(f"Zhang 2020{told}") and bool(told) == (line[1] != "Zhang 2020")
    assert f'href="details/evidence.html#row-zhang_2020--{endpoint}"' in brief
    assert ("holds against its number" in brief) == bool(told)


def _with(row, studies, fact):
    results = project_results()
    results = replace(results, tables=results.tables | {"studies.csv": STUDIES.table(studies)})
    return with_tables(results, {"influence.csv": [row], "provenance.csv": [fact]})


def test_differences_are_counted_and_prior_dominated_sides_are_told(results):
    page = Page(subsets.CHAPTER.section(results, AROUND))
    rows = results.rows("subset_differences.csv")
    computed = [row for row in rows if row["status"] == "computed"]
    assert f"Of {len(computed)} differences between a subset and its complement, 0 have" in page.text
    assert "one side has fewer than 3 studies" in page.text
    assert f"{len(rows) - len(computed)} further comparisons cannot be made" in page.text
    (table,) = page.tables.values()
    assert len(table) == len(rows) + 1 and not page.unbalanced
    assert {"no study outside the subset"} <= {cell for line in table for cell in line}


def test_slopes_come_with_power_and_caveats(results):
    page = Page(small_studies.CHAPTER.section(results, AROUND))
    assert "Of 2 regressions" in page.text and "2 studies, fewer than 5" in page.text
    assert "is not publication bias" in page.text and "four times in five" in page.text
    assert "nearly separate the studies" in page.text and not page.unbalanced
    assert "to >1,000 would be found" in page.text and not re.search(r"\de\d", page.text)
    assert len(page.tables["Logit mean rate on 1/√n, with confidence limits"]) == 4


@pytest.mark.parametrize(("studies", "told"), [
    ((5, 49), "That says little: so few studies would show only large differences."),
    ((5, 50), "For 1 of 2 that says little: fewer than 50 studies would show only large differences."),
    ((60, 200), "Each rests on at least 60 studies."), ((200,), "It rests on 200 studies.")])
def test_what_is_not_seen_is_laid_to_few_studies_where_they_are_few(studies, told):
    rows = [{"endpoint": endpoint, "part": "regression", "status": "computed", "k_studies": k, "slope_two_sided": 0.5}
            for endpoint, k in zip(("cr", "relapse"), studies, strict=False)]
    page = Page(small_studies.CHAPTER.brief(with_tables(project_results(), {"small_studies.csv": rows}), AROUND))
    assert re.split(r"No sign of it in \d endpoints?\.", page.text)[1].strip() == told and not page.unbalanced


def _slope(**cells):
    return {"endpoint": "nt_grade3plus", "part": "regression", "status": "computed", "k_studies": 5,
            "slope_two_sided": 0.0081, "slope_two_sided_t": 0.012, "ratio": 40.0, **cells}


@pytest.mark.parametrize(("cells", "small", "told"), [
    ({}, 30, "In 1 of 2 endpoints: Neurotoxicity, grade 3 or higher. By chance alone about 0.10 of 2 would show it."),
    ({"slope_two_sided_t": 0.077}, 30, "Perhaps in 1 of 2 endpoints: Neurotoxicity, grade 3 or higher. There two tests "
     "disagree (p = 0.0081 and 0.077). By chance"),
    ({"ratio": 1e-9, "slope_two_sided_t": 0.077}, 30, "(p = 0.0081 and 0.077); sizes nearly separate the studies with "
     "and without events, so that no test can be relied on. By chance"),
    ({"ratio": 1e-9}, 300, "In 1 of 2 endpoints: Neurotoxicity, grade 3 or higher. By chance")])
def test_a_slope_is_told_with_what_speaks_against_it(cells, small, told):
    rows = [_slope(**cells), _slope(endpoint="cr", slope_two_sided=0.5),
            {"endpoint": "cr", "part": "study", "n": small}]
    text = Page(small_studies.CHAPTER.brief(with_tables(project_results(), {"small_studies.csv": rows}), AROUND)).text
    assert told in text and "Elsewhere it says little: so few studies would show only large differences." in text


def test_without_rows_there_is_no_section():
    results = project_results()
    assert not any(chapter.CHAPTER.section(results, AROUND) for chapter in (influence, small_studies, subsets))


def test_labels_of_the_evidence_are_escaped(tmp_path):
    evidence = evidence_of(tmp_path, subsets="subset,label,column,value\nlate,<i>Late</i>,year,>=2015\n")
    rows = tuple(row | {"label": "<script>"} for row in influence_of(evidence, CR))
    found = with_tables(results_of(evidence), {"influence.csv": rows,
                                               "subset_differences.csv": differences_of(evidence, CR)})
    for text in (chapter.CHAPTER.section(found, AROUND) for chapter in (influence, subsets)):
        assert "<script>" not in text and "<i>" not in text
