"""The words on sensitivity: every number is one of the two tables."""

import pytest

from analysis.chapters.chapter import Page as Around
from analysis.chapters.sensitivity import CHAPTER
from analysis.drawing.html import image
from tests.report.reading import Page
from tests.reporting import project_results, with_tables

AROUND = Around({}, None, None)


def variant(dimension, label, median, lower, upper, **cells):
    return {"endpoint": "cr", "dimension": dimension, "variant": label,
            "priors": "mu ~ Beta(1, 1)", "k_studies": 10, "n_patients": 349, "median": median, "lower": lower,
            "upper": upper, "level": 0.95, "new_median": 0.81, "new_lower": 0.55, "new_upper": 0.96,
            "heterogeneity_median": 0.027, "change": 100.0 * (median - 0.8), "moves": False, "far": False,
            "outside": False, "crosses": False, "changes": False, "status": "computed", "reason": "", **cells}


def power(scaled, shift, **cells):
    return {"endpoint": "cr", "scaled": scaled, "prior": "mu ~ Beta(1, 1)",
            "flat": False, "mean": 0.797, "sd": 0.034, "shift": shift, "status": "computed", **cells}


ROWS = (variant("headline", "headline", 0.8, 0.72, 0.86), variant("prior", "<i>", 0.802, 0.73, 0.86),
        variant("prior", "mu ~ Beta(2, 2)", 0.794, 0.71, 0.85),
        variant("tier_row", "with A 2015 (2/40)", 0.66, 0.45, 0.83, moves=True, far=True, crosses=True, changes=True,
                k_studies=11, n_patients=389),
        {"endpoint": "cr", "dimension": "family", "variant": "logit-normal", "priors": "", "status": "not computed",
         "reason": "did not settle"})
POWERS = (power("likelihood", 0.255), power("prior", -0.021), power("mu", 0.0, flat=True))


@pytest.fixture(scope="module")
def results():
    return with_tables(project_results(), {"sensitivity.csv": ROWS, "power_scaling.csv": POWERS})


def test_the_sentence_gives_the_largest_moves_and_what_changes(results):
    text = Page(CHAPTER.block(results, "cr", AROUND)).text
    assert "Over 3 refits with one choice changed, or two, the largest" in text
    assert "one row of a lower tier added −14 (with A 2015 (2/40)), priors −0.6 (mu ~ Beta(2, 2))" in text
    assert "A conclusion changes in 1 of 3: with A 2015 (2/40) (−14: the median moves by over half"  in text
    assert "1 refit could not be computed" in text


def test_every_row_stands_in_the_folded_tables(results):
    page = Page(CHAPTER.block(results, "cr", Around({"sensitivity.cr": image("s.svg", "Every variant")}, None, None)))
    assert not page.unbalanced and "details" in page.tags and "img" in page.tags
    rows = page.tables["Each refit with one choice changed, or two"][1:]
    assert [row[1] for row in rows] == ["", "<i>", "mu ~ Beta(2, 2)", "with A 2015 (2/40)", "logit-normal"]
    assert rows[3][2:9] == ["11 / 389", "66 [45, 83]", "81 [55, 96]", "0.027", "−14",
                            "the median moves by over half the headline's interval, it moves by over 5 percentage "
                            "points, the published estimate passes in or out of the interval"]
    assert (rows[4][3], rows[4][7]) == ("not computed", "did not settle")
    powers = next(cells for caption, cells in page.tables.items() if caption.startswith("The posterior mean"))[1:]
    assert [(row[0], row[4], row[5]) for row in powers] == [
        ("likelihood", "+0.26", ""), ("both priors", "−0.02", ""),
        ("prior of mu", "0", "flat: scaling cannot see it")]


def test_the_overall_table_names_what_moves_each_endpoint_most(results):
    page = Page(CHAPTER.section(results, AROUND))
    assert not page.unbalanced and "sensitivity" in page.ids
    (row,) = page.tables["The choice that moves each endpoint most"][1:]
    assert row[1:] == ["One row of a lower tier added", "with A 2015 (2/40)", "−14", "1 of 3", "80 [72, 86]", "−0.02"]
    assert ("for 1 of 1 endpoint: where the median moves by over half the headline's interval, or it moves by over 5 "
            "percentage points, or one median leaves the other interval, or the published estimate passes") in page.text
    assert "months" not in page.text


def test_without_a_change_it_says_so_and_without_rows_nothing(results):
    calm = with_tables(results, {"sensitivity.csv": ROWS[:3]})
    assert "In none of them does a conclusion change." in CHAPTER.block(calm, "cr", AROUND)
    empty = project_results()
    assert CHAPTER.block(empty, "cr", AROUND) == "" == CHAPTER.section(empty, AROUND)
    assert CHAPTER.block(results, "os", AROUND) == ""
