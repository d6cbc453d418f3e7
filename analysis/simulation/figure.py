"""Calibration as a figure: one small panel per quantity, the empirical distribution function minus the uniform one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.drawing import style
from analysis.results.numbers import MINUS

Row = Mapping[str, Any]

# Half as wide as the other figures and in larger type, so that a telephone shows it without scaling.
_WIDTH, _PANEL = 5.2, 1.9
_HEAD, _FOOT = 0.68, 1.1
_TITLE, _TEXT, _SMALL = 13.0, 11.0, 10.0
_COLUMNS = 2


def draw_calibration(rows: Sequence[Row], *, verdicts: Sequence[Row], labels: Mapping[str, str], title: str,
                     detail: str, stamp: str = "") -> Figure:
    """One panel per quantity with both bands.

    Parameters
    ----------
    rows : sequence of rows
        quantity, pit, difference, lower_95, upper_95, lower_verdict, upper_verdict.
    verdicts : sequence of rows
        name, p_value and passed of each quantity.
    labels : mapping of str to str
        How a quantity is called; one without a label stands for itself.
    """
    drawn = [verdict for verdict in verdicts if any(row["quantity"] == verdict["name"] for row in rows)]
    lines = math.ceil(len(drawn) / _COLUMNS)
    height = _HEAD + _PANEL * lines + _FOOT
    # Room for the p-value above the limits.
    limit = 1.4 * max((abs(row[name]) for row in rows for name in ("difference", "lower_verdict", "upper_verdict")),
                       default=1.0)
    with style.styled():
        figure = Figure(figsize=(_WIDTH, height))
        for at, verdict in enumerate(drawn):
            row, column = divmod(at, _COLUMNS)
            left = 0.62 if column == 0 else 3.0
            axes = figure.add_axes((left / _WIDTH, 1.0 - (_HEAD + _PANEL * (row + 1) - 0.3) / height,
                                    2.03 / _WIDTH, (_PANEL - 0.6) / height))
            own = [one for one in rows if one["quantity"] == verdict["name"]]
            _panel(axes, own, limit, labelled=column == 0)
            _panel_title(axes, labels.get(verdict["name"], verdict["name"]), verdict)
        _texts(figure, height, title, detail, stamp)
        return figure


def _panel(axes: Axes, rows: Sequence[Row], limit: float, *, labelled: bool) -> None:
    x = [row["pit"] for row in rows]
    axes.fill_between(x, [row["lower_95"] for row in rows], [row["upper_95"] for row in rows], step="mid",
                      color=style.GRID, linewidth=0)
    for name in ("lower_verdict", "upper_verdict"):
        axes.plot(x, [row[name] for row in rows], color=style.PUBLISHED, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.axhline(0.0, color=style.FAINT, linewidth=0.6)
    axes.plot(x, [row["difference"] for row in rows], color=style.SHRUNKEN, linewidth=1.4)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-limit, limit)
    axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    step = _tick(limit)
    axes.set_yticks([-step, 0.0, step], [f"{MINUS}{step:g}", "0", f"{step:g}"] if labelled else ["", "", ""])
    axes.tick_params(length=3, labelsize=_SMALL)
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)


def _tick(limit: float) -> float:
    """The largest round number that leaves room at both ends."""
    size = 10.0 ** math.floor(math.log10(0.9 * limit))
    return size * max(factor for factor in (1.0, 2.0, 5.0) if factor * size <= 0.9 * limit)


def _panel_title(axes: Axes, label: str, verdict: Row) -> None:
    axes.set_title(label, loc="left", fontsize=_TEXT, fontweight="bold", pad=4)
    value = verdict["p_value"]
    text = "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"
    color = style.INK if verdict["passed"] else style.ALARM
    axes.text(0.99, 0.98, text if verdict["passed"] else f"{text}, not uniform", transform=axes.transAxes, ha="right",
              va="top", fontsize=_SMALL, color=color)


def _texts(figure: Figure, height: float, title: str, detail: str, stamp: str) -> None:
    left = 0.12 / _WIDTH
    figure.text(left, 1.0 - 0.3 / height, title, fontsize=_TITLE, fontweight="bold")
    figure.text(left, 1.0 - 0.55 / height, detail, fontsize=_SMALL, color=style.FAINT)
    if stamp:
        figure.text(1.0 - left, 1.0 - 0.3 / height, stamp, ha="right", fontsize=_TEXT, fontweight="bold",
                    color="white", bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})
    figure.text(0.5, 0.85 / height, "Posterior probability below the true value (PIT)", ha="center", fontsize=_SMALL)
    marks = [Line2D([], [], color=style.SHRUNKEN, linewidth=1.4, label="share of replicates minus uniform"),
             Patch(facecolor=style.GRID, label="95 % of calibrated quantities stay inside"),
             Line2D([], [], color=style.PUBLISHED, linewidth=1.0, linestyle=(0, (4, 2)), label="limits of the verdict")]
    figure.legend(handles=marks, loc="lower left", bbox_to_anchor=(0.01, 0.0), frameon=False, fontsize=_SMALL,
                  labelspacing=0.3)
