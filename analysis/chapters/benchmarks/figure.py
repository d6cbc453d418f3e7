"""Curves of how probable a larger value is, with benchmarks as lines."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.labels import Box, Line, is_crossed, overlap, spots_on
from analysis.drawing.page import width_of, wrapped
from analysis.drawing.panels import MAX_PANELS, listed, panels
from analysis.results.numbers import PERCENT
from analysis.results.table import COMPUTED, Frame, grouped_rows, plain_rows
from analysis.results.writing import Labels

_SPAN = 0.13
_NAME, _LINE, _BESIDE = 13, 0.25, 0.05  # letters of a line of a name, inches of its height, and from what it names


def draw_exceedance(curves: Frame, *, benchmarks: Frame, labels: Labels) -> Figure:
    """One panel for each quantity: the pooled value and a new study's, falling from 1 to 0.

    Parameters
    ----------
    curves, benchmarks : data frame
        As exceedance.csv and benchmarks.csv.
    """
    groups = grouped_rows(curves, "endpoint", "estimand", "time_months")
    shown = groups[:MAX_PANELS]
    lines = list(plain_rows(benchmarks[benchmarks["status"] == COMPUTED]))
    with style.styled():
        figure, axes = panels([_title(rows[0], labels) for rows in shown], title="More than other treatments?", notes=[
            "Up: probability of a value above the one across. Solid: pooled; dashed: a new study. Red: other "
            "treatments, where a band is a range. Nothing is randomised.", *listed(
                [_title(rows[0], labels) for rows in groups[MAX_PANELS:]], before="Not drawn")], stamp=labels.stamp)
        for rows, panel in zip(shown, axes, strict=True):
            _panel(panel, rows, [line for line in lines if (line.endpoint, line.estimand, line.time_months) == (
                rows[0].endpoint, rows[0].estimand, rows[0].time_months)])
        return figure


def _title(row: Any, labels: Labels) -> str:
    what = {"median_months": "median", "survival": f"{row.time_months or 0:g} months"}.get(row.estimand, "")
    return labels.endpoints[row.endpoint] + (f", {what}" if what else "")


def _panel(axes: Axes, rows: list[Any], lines: list[Any]) -> None:
    values = [row.value for row in rows]
    axes.plot(values, [row.pooled for row in rows], color=style.SHRUNKEN, linewidth=2.4)
    if rows[0].new_study is not None:
        axes.plot(values, [row.new_study for row in rows], color=style.PREDICTION, linewidth=2.4, linestyle="--")
    months = rows[0].estimand == "median_months"
    fit_axis(axes, values if months else [0.0, 1.0], None if months else PERCENT,
             unit="months" if months else "%")
    for line in lines:
        if line.high is not None:
            axes.axvspan(line.low, line.high, color=style.ALARM, alpha=_SPAN, linewidth=0)
        else:
            axes.axvline(line.low, color=style.ALARM, linewidth=1.6)
    axes.set_ylim(0.0, 1.0)
    curves = [(values, [getattr(row, name) for row in rows]) for name in ("pooled", "new_study")
              if getattr(rows[0], name) is not None]
    _name(axes, lines, curves)
    axes.set_yticks([0.0, 0.5, 1.0], ["0", "50", "100 %"])


def _name(axes: Axes, lines: list[Any], curves: Sequence[Line]) -> None:
    """The name of each benchmark beside its line, or at its band, where it hides no curve and no other name."""
    size = axes.get_position().size * axes.figure.get_size_inches()

    def inches(x: Sequence[float], y: Sequence[float]) -> np.ndarray:
        return (axes.transData.transform(np.column_stack([x, y])) - axes.bbox.min) / axes.figure.dpi

    along = [spot for curve in curves for spot in spots_on(inches(*curve))]
    taken: list[Box] = []
    for line in lines:
        words = wrapped(line.benchmark, _NAME, 3)
        ends = inches([line.low, line.low if line.high is None else line.high], [0.0, 0.0])[:, 0]
        boxes = [box for box in _boxes(ends, width_of(words, style.SMALL), _LINE * len(words.split("\n")), size)
                 if not any(overlap(box, other) for other in taken)]
        others = [(x, 0.1 * size[1] * step) for other in lines if other is not line
                  for x in inches([other.low], [0.0])[:, 0] for step in range(11)]
        free = [box for box in boxes if not is_crossed(box, along)]
        clear = [box for box in free if not is_crossed(box, others)]
        for box in (clear or free or boxes)[:1]:
            taken.append(box)
            axes.text(box[0] / size[0], box[3] / size[1], words, transform=axes.transAxes, color=style.ALARM, va="top",
                      ha="left", fontsize=style.SMALL, zorder=5)
            if box[0] > ends[1] + _BESIDE:
                level = (box[3] - 0.5 * _LINE) / size[1]
                axes.annotate("", (ends[1] / size[0], level), (box[0] / size[0], level), "axes fraction",
                              arrowprops={"arrowstyle": "-", "color": style.ALARM, "shrinkA": 0, "shrinkB": 0})


def _boxes(ends: Sequence[float], width: float, height: float, size: np.ndarray) -> Iterator[Box]:
    """Places of a name in inches, the first ones best: beside the line or within the band, then far to the right."""
    low, high = ends
    near = [low + _BESIDE, low - _BESIDE - width] if low == high else np.arange(low + _BESIDE, low - width, -0.1)
    for left in (*near, *np.arange(high + _BESIDE, size[0], 0.1)):
        for top in np.arange(size[1] - 0.15, height, -0.1):
            if left >= 0.0 and left + width <= size[0]:
                yield left, top - height, left + width, top
