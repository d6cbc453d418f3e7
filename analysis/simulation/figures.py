"""Calibration and coverage as figures: whether posteriors are calibrated, and which interval to believe."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from analysis.drawing import style
from analysis.drawing.page import LINE, new_page, wrapped
from analysis.drawing.panels import panels
from analysis.results.numbers import MINUS
from analysis.results.table import Row

_NOTES = ("Horizontal: posterior probability below the true value (PIT). Line: share of replicates with a smaller one, "
          "minus uniform.", "Grey: 95 % of calibrated quantities stay inside. Dashes: limits of the verdict.")
_NAMES, _GAP, _ROW, _HEAD, _BELOW = 3.45, 0.52, 0.86, 0.62, 0.37
_LEAST = 0.70  # coverage at the left edge
_COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#041f3d")
_ESTIMANDS = {"mean_rate": "Intervals for the mean rate", "median_rate": "Intervals for the median rate"}


def draw_calibration(rows: Sequence[Row], *, verdicts: Sequence[Row], labels: Mapping[str, str], title: str,
                     detail: str, stamp: str = "") -> Figure:
    """One plot per quantity, the empirical distribution function minus the uniform one, with both bands.

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
            _curve(axes, curves[verdict["name"]], verdict, limit)
    return figure


def _curve(axes: Axes, rows: Sequence[Row], verdict: Row, limit: float) -> None:
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
    value, passed = verdict["p_value"], verdict["passed"]
    text = ("p < 0.0001" if value < 0.0001 else f"p = {value:.2g}") + ("" if passed else ", not uniform")
    axes.text(0.99, 0.98, text, transform=axes.transAxes, ha="right", va="top", fontsize=style.SMALL,
              color=style.INK if passed else style.ALARM)


def draw_coverage(rows: Sequence[Row], summaries: Sequence[Row]) -> Figure:
    """A row for each interval, the best first, and a plot for each number of studies, with the mean width.

    Parameters
    ----------
    rows : sequence of rows
        Of the layout COVERAGE.
    summaries : sequence of rows
        method, label and estimand of each interval, in order.
    """
    studies, level, sets = sorted({row["k_studies"] for row in rows}), rows[0]["level"], rows[0]["sets"]
    laws = sorted({_law(row) for row in rows})
    groups = [[row for row in summaries if row["estimand"] == estimand] for estimand in _ESTIMANDS]
    width = (style.WIDTH - _NAMES) / len(studies) - _GAP
    notes = (f"Points: share of {100 * level:g} % intervals that hold the truth, averaged over mean rates; lines: from "
             f"the lowest to the highest of these, of {sets} sets each. Grey: 95 % of right ones. Triangles: below "
             f"{100 * _LEAST:g} %.",
             "From light to dark: rho " + ", ".join(f"{rho:g}" for other, rho in laws if not other)
             + "; hollow: logit-normal rates, rho " + ", ".join(f"{rho:g}" for other, rho in laws if other)
             + ". Right of each plot: mean width of the intervals in percentage points.")
    with style.styled(**{"axes.grid": False}):
        page = new_page(sum(_HEAD + _ROW * len(group) + _BELOW for group in groups), notes=notes,
                        title="Which interval to believe: coverage at fixed truth")
        top = page.top
        for group, heading in zip(groups, _ESTIMANDS.values(), strict=True):
            page.write(heading, top + 0.1)
            for at, row in enumerate(group):
                label = wrapped(row["label"], 28, 3)
                page.write(label, top + _HEAD + (at + 0.5) * _ROW - (label.count("\n") + 1) * LINE / 2.0)
            for column, k in enumerate(studies):
                axes = page.axes(_NAMES + column * (width + _GAP), top + _HEAD, width, _ROW * len(group))
                axes.set_title(f"{k} studies", fontsize=style.SMALL)
                _plot(axes, [[cell for cell in rows if cell["k_studies"] == k and cell["method"] == row["method"]]
                             for row in group], laws, level, stats.binom.ppf([0.025, 0.975], sets, level) / sets)
            top += _HEAD + _ROW * len(group) + _BELOW
    return page.figure


def _law(row: Row) -> tuple[bool, float]:
    return row["law"] != "beta_binomial", row["rho"]


def _plot(axes: Axes, intervals: Sequence[Sequence[Row]], laws: Sequence[tuple[bool, float]], level: float,
          band: np.ndarray) -> None:
    """All intervals at one number of studies: points for each law and heterogeneity below each other."""
    axes.axvspan(*band, color=style.GRID, linewidth=0)
    axes.axvline(level, color=style.PUBLISHED, linewidth=1.4)
    axes.set(xlim=(_LEAST, 1.0), ylim=(len(intervals), 0.0))
    axes.hlines(range(1, len(intervals)), _LEAST, 1.0, color=style.GRID, linewidth=0.7)
    axes.set_yticks([])
    axes.set_xticks([0.75, level], ["75 %", f"{100 * level:g} %"])
    for at, cells in enumerate(intervals):
        axes.text(1.025, at + 0.5, f"{100 * np.mean([cell['width'] for cell in cells]):.0f}", va="center",
                  fontsize=style.SMALL, color=style.FAINT)
        for place, law in enumerate(laws):
            values, y = [cell["coverage"] for cell in cells if _law(cell) == law], at + (place + 1) / (len(laws) + 1)
            colour, mean = style.INK if law[0] else _COLOURS[place % len(_COLOURS)], float(np.mean(values))
            axes.plot(np.maximum([min(values), max(values)], _LEAST), [y, y], color=colour, linewidth=1.6)
            axes.plot(max(mean, _LEAST), y, marker="<" if mean < _LEAST else "o", color=colour, markersize=6.0,
                      markerfacecolor="white" if law[0] else colour, clip_on=False)
