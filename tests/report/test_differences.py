"""The sections on differences and models: every number is one of the tables."""

import re
from pathlib import Path

import pytest

from analysis.chapters.chapter import all_chapters
from analysis.results.table import dictionary
from tests.report.reading import Page
from tests.reporting import page_of, project_results, with_tables

ROOT = Path(__file__).parents[2]
VERDICT = (r"\b(wrong|incorrect|erroneous|flawed|miscalculat\w*|mistaken|verdict|can(not)? come from|"
           r"does not come from|(error|mistake)s? (of|in|by) the (paper|publication|review|authors?)|"
           r"authors?[’'s]* (error|mistake)s?)\b")


def _step(step, estimate, change, **cells):
    return {"reported_id": "R01", "endpoint": "cr", "subset": "all",
            "estimand": "mean_rate", "unit": "probability", "step": step, "label": f"the {step} line",
            "estimate": estimate, "lower": estimate - 0.1, "upper": estimate + 0.1, "change": change,
            "interval": "confidence", "k_studies": 10, "n_patients": 349, **cells}


@pytest.fixture(scope="module")
def page():
    steps = (_step("published", 0.81, None), _step("data", 0.78, -0.03), _step("method", 0.79, 0.01),
             _step("prior", 0.77, -0.02))
    shape = {"endpoint": "nt_grade3plus", "subset": "all", "published": 0.14,
             "published_lower": 0.01, "published_upper": 0.25, "arm_ratio_low": 2.963, "arm_ratio_high": 5.422,
             "methods_low": 0.857, "methods_high": 0.996, "completed": 80, "completed_low": 0.9, "completed_high": 1.1,
             "symmetric_about": "percentage", "finding": "we could not reproduce this interval"}
    method = {"endpoint": "cr", "subset": "all", "k_studies": 10,
              "label": "<Method>", "of_the_paper": True, "estimand": "mean_rate", "scale": "probability",
              "estimate": 0.7777, "lower": 0.66, "upper": 0.88, "heterogeneity_name": "rho", "heterogeneity": 0.0313,
              "note": ""}
    model = {"endpoint": "cr", "which_priors": "matched", "model": "logit_normal",
             "prior_spread": 0.1038, "elpd_loo": -23.686, "elpd_loo_se": 2.445, "elpd_difference": 0.0393,
             "elpd_difference_se": 0.2333, "weight": 0.5174, "pit_uniform_p": 0.9874}
    return Page(page_of(with_tables(project_results(), {
        "decomposition.csv": steps, "interval_shapes.csv": [shape], "frequentist.csv": [method],
        "model_comparison.csv": [model]})))


def test_steps_are_summed_up_in_words(page):
    assert "Of 1 published estimate in per cents, the largest step is the evidence in 1." in page.text
    assert "changes the estimate by −3 points, the method by +1, the prior and averaging" in page.text


def _survival(reported_id, *, data, errors, shape):
    changes = {"published": None, "data": data, "method": 0.0, "prior": 0.01, "error rule": errors, "shape": shape}
    return [_step(step, 0.4, change, reported_id=reported_id, endpoint="pfs", estimand="survival")
            for step, change in changes.items()]


def test_every_step_counts_and_only_the_error_rule_is_conversion():
    """Of a step of -10 points 4 come back by the error rule and 3 by another model: 40 % are conversion, not 70 %."""
    steps = [*_survival("R01", data=-0.1, errors=0.04, shape=0.03),
             *_survival("R02", data=-0.02, errors=0.03, shape=-0.01)]
    page = Page(page_of(with_tables(project_results(), {"decomposition.csv": steps})))
    assert "is the evidence in 1 of 2 published estimates in per cents, how printed survival is read in 1." in page.text
    assert "how printed survival is read by +3 to +4, a hazard that may fall by −1 to +3." in page.text
    assert "of the step of −10 points that stands under the evidence, +4 (40 %) come back" in page.text
    assert "a hazard that may fall, which is another model, adds +3." in page.text
    assert "gives +4 points: 40 % of the step is how printed numbers become hazards." in page.text
    assert "70 %" not in page.text


def test_a_shape_that_takes_back_the_step_is_no_conversion():
    steps = _survival("R01", data=-0.1, errors=-0.01, shape=0.08)
    page = Page(page_of(with_tables(project_results(), {"decomposition.csv": steps})))
    assert "how printed survival is read by −1, a hazard that may fall by +8." in page.text
    assert "come back" not in page.text and "become hazards" not in page.text


def test_steps_stand_in_a_table(page):
    rows = page.tables["Steps from the published estimate to the posterior"][1:]
    assert [row[5] for row in rows] == ["–", "−3", "+1", "−2"]
    assert rows[1][2] == "78 % [68, 88]"


def test_an_interval_that_we_could_not_reproduce_is_named_with_its_numbers(page):
    assert "2.96 to 5.42 times the upper one" in page.text
    assert "We could not reproduce this interval. It is symmetric about a percentage." in page.text


def test_no_words_judge_the_authors(page):
    files = [ROOT / "README.md", *(ROOT / "analysis").rglob("*.html")]
    meanings = dictionary([layout for chapter in all_chapters() for layout in chapter.layouts if chapter.name in (
        "published", "differences")])
    for text in (page.text, meanings, *(file.read_text(encoding="utf-8") for file in files)):
        assert not (found := re.search(VERDICT, text, re.IGNORECASE)), found
    assert re.search(VERDICT, "The printed interval does not come from such a method") and re.search(
        VERDICT, "an error of the paper")


def test_methods_name_their_estimand_and_are_escaped(page):
    (rows,) = [rows for caption, rows in page.tables.items()
               if caption.startswith("Complete remission (CR or CRi), All")]
    assert rows[1] == ["<Method> (the paper's kind)", "mean rate", "78 [66, 88]", "rho 0.031"]


def test_models_have_weights_under_matched_priors(page):
    (row,) = page.tables["Rate models: prediction of each study from the others"][1:]
    assert row[1:] == ["matched", "logit-normal", "10.4", "−23.69 (2.44)", "0.039 (0.23)", "0.52", "0.99"]


def test_without_these_tables_the_sections_are_absent():
    page = Page(page_of(project_results()))
    assert "Where each difference comes from" not in page.text
