"""The figure of differences shows every step where decomposition.csv has it."""

import numpy as np

from analysis.chapters.differences.decomposition import DECOMPOSITION
from analysis.chapters.differences.figure import draw_decomposition, drawn_blocks
from analysis.results.numbers import PERCENT


def step(name, estimate, change, **cells):
    return {"reported_id": "R01", "endpoint": "cr", "subset": "all", "unit": "probability", "step": name,
            "label": f"line {name}", "estimate": estimate, "lower": estimate - 0.1, "upper": estimate + 0.1,
            "change": change, "k_studies": 10, **cells}


def figure_of(steps, **options):
    return draw_decomposition(DECOMPOSITION.table(steps).frame, names={"cr": "Complete remission"}, subsets={},
                              scales={"cr": PERCENT}, **options)


def drawn(figure, size):
    """Marks have one point, intervals two."""
    return {tuple(np.round(line.get_xdata(), 6).tolist()) for line in figure.axes[0].lines
            if len(line.get_xdata()) == size}


def test_every_step_is_drawn_and_written():
    figure = figure_of([step("published", 0.81, None), step("data", 0.78, -0.03), step("method", 0.79, 0.01),
                        step("prior", 0.77, -0.02), step("missing studies", 0.8, 0.03, k_studies=16)], stamp="QUICK")
    assert drawn(figure, 1) == {(0.81,), (0.78,), (0.79,), (0.77,), (0.8,)}
    assert {(0.71, 0.91), (0.68, 0.88), (0.69, 0.89), (0.67, 0.87), (0.7, 0.9)} <= drawn(figure, 2)
    texts = [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]
    for words in ("Complete remission", "line data", "−3", "+1", "78 [68, 88]", "16 studies", "missing studies",
                  "QUICK"):
        assert words in texts


def test_months_and_missing_intervals_are_left_out():
    steps = [step("published", 0.81, None, lower=None, upper=None),
             step("published", 15.0, None, reported_id="R07", unit="months")]
    assert drawn(figure_of(steps), 1) == {(0.81,)}
    assert len(drawn_blocks(DECOMPOSITION.table(steps).frame)) == 1
