"""Cards and sentences of the answer that hang on what other chapters found."""

from types import SimpleNamespace

import pytest

from analysis.chapters.answer import CHAPTER
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
