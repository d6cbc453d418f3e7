"""Which interval to believe: coverage of each one by number of studies and heterogeneity, with the mean width."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from analysis.drawing import style
from analysis.drawing.page import LINE, new_page, wrapped
from analysis.results.table import Row

_NAMES, _GAP, _ROW, _HEAD, _BELOW = 3.45, 0.52, 0.86, 0.62, 0.37
_LEAST = 0.70  # coverage at the left edge
_COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#041f3d")
_ESTIMANDS = {"mean_rate": "Intervals for the mean rate", "median_rate": "Intervals for the median rate"}


def draw_coverage(rows: Sequence[Row], summaries: Sequence[Row]) -> Figure:
    """A row for each interval, the best first, and a plot for each number of studies.

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
