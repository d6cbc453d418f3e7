"""Calibration as a figure: one small plot per quantity, the empirical distribution function minus the uniform one."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.panels import panels
from analysis.results.numbers import MINUS
from analysis.results.table import Row

_NOTES = ("Horizontal: posterior probability below the true value (PIT). Line: share of replicates with a smaller one, "
          "minus uniform.", "Grey: 95 % of calibrated quantities stay inside. Dashes: limits of the verdict.")


def draw_calibration(rows: Sequence[Row], *, verdicts: Sequence[Row], labels: Mapping[str, str], title: str,
                     detail: str, stamp: str = "") -> Figure:
    """One plot per quantity with both bands.

    Parameters
    ----------
    rows : sequence of rows
        quantity, pit, difference, lower_95, upper_95, lower_verdict, upper_verdict.
    verdicts : sequence of rows
        name, p_value and passed of each quantity.
    labels : mapping of str to str
        How a quantity is called; one without a label stands for itself.
    """
    curves = {verdict["name"]: [row for row in rows if row["quantity"] == verdict["name"]] for verdict in verdicts}
    drawn = [verdict for verdict in verdicts if curves[verdict["name"]]]
    # Room for the p-value above the limits.
    limit = 1.4 * max((abs(row[name]) for row in rows for name in ("difference", "lower_verdict", "upper_verdict")),
                       default=1.0)
    with style.styled():
        figure, plots = panels([labels.get(verdict["name"], verdict["name"]) for verdict in drawn], title=title,
                               notes=(detail, *_NOTES), stamp=stamp)
        for axes, verdict in zip(plots, drawn, strict=True):
            _curve(axes, curves[verdict["name"]], limit)
            _p_value(axes, verdict)
    return figure


def _curve(axes: Axes, rows: Sequence[Row], limit: float) -> None:
    column = {name: [row[name] for row in rows] for name in rows[0]}
    axes.fill_between(column["pit"], column["lower_95"], column["upper_95"], step="mid", color=style.GRID, linewidth=0)
    for name in ("lower_verdict", "upper_verdict"):
        axes.plot(column["pit"], column[name], color=style.PUBLISHED, linewidth=1.4, linestyle=(0, (4, 2)))
    axes.axhline(0.0, color=style.FAINT, linewidth=0.6)
    axes.plot(column["pit"], column["difference"], color=style.SHRUNKEN, linewidth=2.0)
    axes.set(xlim=(0.0, 1.0), ylim=(-limit, limit))
    axes.set_xticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    # The largest round number that leaves room at both ends.
    size = 10.0 ** math.floor(math.log10(0.9 * limit))
    step = size * max(factor for factor in (1.0, 2.0, 5.0) if factor * size <= 0.9 * limit)
    axes.set_yticks([-step, 0.0, step], [f"{MINUS}{step:g}", "0", f"{step:g}"])


def _p_value(axes: Axes, verdict: Row) -> None:
    value, passed = verdict["p_value"], verdict["passed"]
    text = ("p < 0.0001" if value < 0.0001 else f"p = {value:.2g}") + ("" if passed else ", not uniform")
    axes.text(0.99, 0.98, text, transform=axes.transAxes, ha="right", va="top", fontsize=style.SMALL,
              color=style.INK if passed else style.ALARM)
