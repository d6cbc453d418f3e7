"""The figure of differences shows every step where decomposition.csv has it."""

import re

from analysis.chapters.differences.figure import blocks_of, draw_decomposition
from analysis.chapters.differences.rows import DECOMPOSITION
from analysis.results.numbers import PERCENT
from analysis.results.writing import Labels
from tests.figures.reading import drawn, shown


def step(name, estimate, change, **cells):
    return {"reported_id": "R01", "endpoint": "cr", "subset": "all", "unit": "probability", "step": name,
            "label": f"line {name}", "estimate": estimate, "lower": estimate - 0.1, "upper": estimate + 0.1,
            "change": change, "k_studies": 10, **cells}


def figure_of(steps, stamp=""):
    return draw_decomposition(DECOMPOSITION.table(steps).frame,
                              labels=Labels({"cr": "Complete remission"}, scales={"cr": PERCENT}, stamp=stamp))


def test_every_step_is_drawn_and_written():
    figure = figure_of([step("published", 0.81, None), step("data", 0.78, -0.03), step("method", 0.79, 0.01),
                        step("prior", 0.77, -0.02), step("missing studies", 0.8, 0.03, k_studies=16)], stamp="QUICK")
    assert drawn(figure) == {(0.71, 0.81, 0.91), (0.68, 0.78, 0.88), (0.69, 0.79, 0.89), (0.67, 0.77, 0.87),
                             (0.7, 0.8, 0.9), (0.81, 0.81)}
    for words in ("Complete remission", "line data", "78 [68, 88]\n10 studies\n−3\ndata", "+1\nmethod",
                  "80 [70, 90]\n16 studies\n+3\nmissing studies", "QUICK"):
        assert words in shown(figure)


def test_a_total_is_set_against_the_posterior_and_the_note_says_so_where_there_is_one():
    steps = [step("published", 0.81, None), step("data", 0.78, -0.03), step("missing studies", 0.8, 0.03)]
    texts = [re.sub(r"\s+", " ", shown(figure_of(of))) for of in (steps, steps[:2])]
    told = ["that of missing studies against the posterior" in text for text in texts]
    assert told == [True, False] and all("Each change is against the line above it" in text for text in texts)
    assert not any("Error rule" in text for text in texts), "of steps that are not drawn nothing is said"


def test_months_and_missing_intervals_are_left_out():
    steps = [step("published", 0.81, None, lower=None, upper=None),
             step("published", 15.0, None, reported_id="R07", unit="months")]
    assert drawn(figure_of(steps)) == {(0.81,), (0.81, 0.81)}
    assert "81\n10 studies" in shown(figure_of(steps))
    assert len(blocks_of(DECOMPOSITION.table(steps).frame)) == 1
