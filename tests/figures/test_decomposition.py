"""The figure of differences shows every step where decomposition.csv has it."""

import numpy as np

from analysis.chapters.differences.decomposition import DECOMPOSITION
from analysis.chapters.differences.figure import draw_decomposition


def row(step, estimate, change, **cells):
    """A row of decomposition.csv."""
    return {**dict.fromkeys(DECOMPOSITION.names), "reported_id": "R01", "endpoint": "cr", "subset": "all",
            "unit": "probability", "step": step, "label": f"line {step}", "estimate": estimate, "lower": estimate - 0.1,
            "upper": estimate + 0.1, "change": change, "k_studies": 10, **cells}


def shown(figure):
    return "\n".join(text.get_text() for axes in figure.axes for text in axes.texts)


def test_every_step_is_drawn_and_written():
    rows = [row("published", 0.81, None), row("data", 0.78, -0.03), row("method", 0.79, 0.01),
            row("prior", 0.77, -0.02), row("missing studies", 0.8, 0.03, k_studies=16)]
    figure = draw_decomposition(rows, names={"cr": "Complete remission"}, stamp="QUICK")
    axes = figure.axes[0]
    points = {round(float(line.get_xdata()[0]), 6) for line in axes.lines if len(line.get_xdata()) == 1}
    ends = {tuple(np.round(line.get_xdata(), 6)) for line in axes.lines if len(line.get_xdata()) == 2}
    assert points == {0.81, 0.78, 0.79, 0.77, 0.8}
    assert {(0.68, 0.88), (0.71, 0.91)} <= ends
    for words in ("Complete remission", "line data", "−3", "+1", "78 [68, 88]", "16 studies", "missing studies"):
        assert words in shown(figure)
    assert any(text.get_text() == "QUICK" for text in figure.texts)


def test_months_and_missing_intervals_are_left_out():
    figure = draw_decomposition([row("published", 0.81, None, lower=None, upper=None),
                                 row("published", 15.0, None, reported_id="R07", unit="months")])
    points = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert len(points) == 1
