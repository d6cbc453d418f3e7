"""Curves of how probable a larger value is, with benchmarks as lines."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.page import wrapped
from analysis.drawing.panels import MAX_PANELS, panels
from analysis.results.numbers import PERCENT
from analysis.results.table import Frame, grouped_rows, plain_rows
from analysis.results.writing import Labels

_SPAN = 0.13
_NAME, _BESIDE = 13, 0.3  # letters of a line of a name, and the share of the axis that it takes


def draw_exceedance(curves: Frame, *, benchmarks: Frame, labels: Labels) -> Figure:
    """One panel for each quantity: the pooled value and a new study's, falling from 1 to 0.

    Parameters
    ----------
    curves, benchmarks : data frame
        As exceedance.csv and benchmarks.csv.
    """
    shown = grouped_rows(curves, "endpoint", "estimand", "time_months")[:MAX_PANELS]
    lines = list(plain_rows(benchmarks))
    with style.styled():
        figure, axes = panels([_title(rows[0], labels) for rows in shown], title="More than other treatments?", notes=[
            "Up: probability of a value above the one across. Solid: pooled; dashed: a new study. Red: other "
            "treatments, where a band is a range. Nothing is randomised."], stamp=labels.stamp)
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
    low, high = fit_axis(axes, values if months else [0.0, 1.0], None if months else PERCENT,
                         unit="months" if months else "%")
    for at, line in enumerate(lines):
        left = line.high is None and line.low > low + _BESIDE * (high - low)
        axes.text(line.low, 0.9 - 0.36 * (at % 3), wrapped(line.benchmark, _NAME, 3), color=style.ALARM, va="top",
                  ha="right" if left else "left", fontsize=style.SMALL, zorder=5,
                  bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0})
        if line.high is not None:
            axes.axvspan(line.low, line.high, color=style.ALARM, alpha=_SPAN, linewidth=0)
        else:
            axes.axvline(line.low, color=style.ALARM, linewidth=1.6)
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([0.0, 0.5, 1.0], ["0", "50", "100 %"])
