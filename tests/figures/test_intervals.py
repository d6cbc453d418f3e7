"""The layout that all lists of intervals share: texts keep their place, and limits beyond the axis are seen to be."""

from contextlib import nullcontext

import pytest

from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, draw_intervals
from analysis.drawing.style import NARROW, SHOWN, SMALL, WIDTH, narrow
from analysis.results.numbers import PER_THOUSAND, PERCENT
from tests.figures.reading import drawn, misplaced, texts
from tests.reporting import pictures_of, project_results


def figure_of(*intervals, far=False, label="label", title="title", near=(0.012, 0.010, 0.015)):
    lines = tuple(Line(label, (Interval(*values, Look(), text, end),)) for *values, text, end in intervals)
    first = (Line("near", (Interval(*near, Look(), "1"),)),)
    return draw_intervals([Plot((Block(first), Block(lines, "heading", far=far)), PERCENT, "Rate")], title=title,
                          stamp="NOT CONVERGED · QUICK")


@pytest.mark.parametrize("layout", [nullcontext, narrow])
def test_texts_are_large_and_neither_overlap_nor_leave_the_page(layout):
    for picture in pictures_of(project_results(stamp="QUICK")):
        with layout():
            figure = picture.draw(**picture.content)
        assert misplaced(figure) == [], picture.name
        every = [text for axes in figure.axes for text in (*axes.texts, *axes.get_xticklabels())]
        assert min(text.get_fontsize() for text in [*every, *figure.texts]) >= SMALL
    # Pixels of the smallest letters: on a desk, and on a telephone that shows a figure as wide as its 360 pixels.
    assert SMALL * SHOWN * 4 / 3 > 12.0 and 360.0 / NARROW / 72.0 * SMALL > 12.0


def test_limits_far_from_all_others_leave_the_axis_as_arrows():
    values = (0.012, 1e-9, 0.9, "1 [0, 90]", "")
    arrows = {far: [line.get_marker() for line in figure_of(values, far=far).axes[0].lines
                    if line.get_gid() == "beyond-the-axis"] for far in (False, True)}
    assert arrows == {False: [], True: [">"]}
    figure = figure_of(values, far=True)
    assert figure.axes[0].get_xlim()[1] < 0.05 and (0.0, 0.012, 0.9) in drawn(figure)


def test_numbers_that_leave_no_room_for_the_plot_are_smaller_and_stay_on_the_page():
    narrow = (0.99905, 0.99901, 0.99909)
    figure = figure_of((*narrow, "1234.56789 [1234.56788, 1234.56790]", "1,234 / 1,234,567"), near=narrow,
                       label="many words in two lines of thirty letters, no more", title="A title of many words " * 5)
    assert misplaced(figure) == []
    assert figure.axes[0].get_position().width * WIDTH == pytest.approx(2.3)


def test_a_label_is_broken_between_two_choices_or_as_evenly_as_it_can_be():
    broken = texts(figure_of((0.01, None, None, "", ""), label="mu ~ LogitNormal(0, 1.5); rho ~ Beta(1, 10)"))
    assert {"mu ~ LogitNormal(0, 1.5);", "rho ~ Beta(1, 10)"} <= set(broken)
    even = texts(figure_of((0.01, None, None, "", ""), label="Adults only (no patient under 18), 12 months"))
    assert {"Adults only (no patient", "under 18), 12 months"} <= set(even)


def test_each_unit_has_a_plot_per_cents_first_and_months_last():
    units = {"a": None, "b": PER_THOUSAND, "c": PERCENT, "d": PERCENT}
    groups = by_scale(units, units.__getitem__)
    assert list(groups.items()) == [(PERCENT, ["c", "d"]), (PER_THOUSAND, ["b"]), (None, ["a"])]
