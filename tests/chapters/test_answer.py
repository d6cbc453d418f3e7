"""Cards and sentences of the answer that hang on what other chapters found."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from analysis.chapters.answer import CHAPTER
from analysis.results.comparison import COMPARISON
from tests.report.reading import Page
from tests.reporting import project_results, with_tables

PAGE = SimpleNamespace(picture=lambda *names: "")
SHAPE = {"endpoint": "os", "model": "weibull", "estimand": "shape", "status": "computed", "median": 0.8}
SURVIVAL = {"endpoint": "os", "estimand": "survival", "time_months": 12.0, "unit": "proportion",
            "median": 0.59, "lower": 0.5, "upper": 0.66, "level": 0.95, "interval": "credible"}


@pytest.fixture(scope="module")
def results():
    return project_results()


def text(results, **tables):
    return Page(CHAPTER.brief(with_tables(results, {f"{name}.csv": rows for name, rows in tables.items()}), PAGE)).text


def compared(results, change):
    """The results with other comparisons: each row as `change` makes it."""
    return replace(results, tables={**results.tables, COMPARISON.file: COMPARISON.table(
        row | change(row) for row in results.rows(COMPARISON.file))})


def test_a_part_above_its_whole_is_said_on_its_card(results):
    row = {"endpoint": "mrd_neg", "parent": "cr", "part": "estimate", "fit": "nested", "quantity": "inner",
           "median": 0.752, "lower": 0.594, "upper": 0.835, "status": "computed", "contradicts": True}
    whole = results.labels.endpoints["cr"]
    words = f"Above {whole}, which contains it: other studies report it. As a part of it: 75 % [59, 84]"
    assert text(results, nested=[row]).count(words) == 1
    assert "which contains it" not in text(results, nested=[{**row, "contradicts": False}])


def test_a_crude_published_proportion_stands_beside_that_of_all_patients(results):
    row = next(row for row in results.rows("comparison.csv") if row["reported_id"] == "R13")
    assert f"26 %, crude; all patients here 35 % ({row['events']}/{row['n_patients']})" in text(results)


@pytest.mark.parametrize(("chance", "said"), [(0.28, True), (0.94, False)])
def test_a_subset_whose_hazard_may_not_fall_is_named(results, chance, said):
    shapes = [{**SHAPE, "subset": "all", "probability_falling": 0.96},
              {**SHAPE, "subset": "adult_only", "probability_falling": chance}]
    words = text(results, survival_curves=shapes, answer=[{**SURVIVAL, "hazard": "falling", "preferred": True}])
    assert ("0.96 (Overall survival; 0.28 in " in words) == said and "it falls with probability 0.96" in words


def test_what_is_neither_benefit_nor_harm_has_a_group_of_its_own(results):
    harm, neither = (text(results).index(words) for words in ("Harm", "Neither benefit nor harm"))
    assert harm < neither < text(results).index("26 %, crude")


def test_intervals_of_another_level_are_not_called_wider(results):
    """With --level 0.9 no width is compared with one of 95 %: none is wider, and none is counted."""
    words = text(compared(results, lambda row: {"width_ratio": None}))
    assert "wider" in text(results) and "wider" not in words and " Ours rests on fewer studies in " in words


def test_what_is_published_of_the_complement_stands_on_no_card(results):
    """Of 81 % in remission, 19 % without it are published: not beside our 80 %."""
    def without(row):
        turned = {"transform": "complement", "published": 0.19, "published_lower": 0.11, "published_upper": 0.28}
        return turned if (row["our_endpoint"], row["estimand"]) == ("cr", "mean_rate") else {}

    assert "Published: 81 % [72, 89]; 16 studies" in text(results)
    assert "16 studies; 489 patients" not in text(compared(results, without))


def test_the_preferred_reading_of_a_complement_is_one_too(results):
    """Death of 0.43 by 12 months beside survival of 0.59 with a falling hazard: 2 points less."""
    def dead(row):
        turned = {"transform": "complement", "published": 0.43, "published_lower": 0.35, "published_upper": 0.51}
        return turned if (row["our_endpoint"], row["estimand"], row["subset"]) == ("os", "survival", "all") else {}

    curve = {**SURVIVAL, "model": "weibull", "subset": "all", "status": "computed"}
    shape = {**SHAPE, "subset": "all", "probability_falling": 0.96}
    words = text(compared(results, dead), survival_curves=[shape, curve],
                 answer=[{**SURVIVAL, "hazard": "falling", "preferred": True}])
    assert "the preferred reading differs by −2 percentage points." in words


def test_studies_of_the_preferred_reading_are_counted(results):
    """A study whose median was not reached enters the curves alone: its card and the whole count it."""
    studies = {row["study_id"] for row in results.headline("os").studies}
    row = {**SURVIVAL, "hazard": "falling", "preferred": True, "k_studies": len(studies), "n_patients": 371}
    assert f"59 % [50, 66] {len(studies)} studies, 371 patients" in text(results, answer=[row])
    fewer = replace(results, records=tuple(replace(record, studies=tuple(
        row for row in record.studies if row["study_id"] != "park_2018")) for record in results.records))
    band = {"endpoint": "os", "curve": "study", "study_id": "park_2018"}
    whole, without, again = (words.partition(" patients.")[0] for words in (
        text(results), text(fewer), text(fewer, curve_bands=[band])))
    assert without != whole == again
