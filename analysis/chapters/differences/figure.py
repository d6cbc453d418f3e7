"""Where each difference from a published estimate comes from: one block of lines per published estimate."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from analysis.cases.settings import ALL
from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, stacked, wrapped, write_title
from analysis.results.numbers import PERCENT, PROBABILITY_UNITS, SCALES, Scale, counted, interval_text, signed
from analysis.results.table import plain_rows

if TYPE_CHECKING:
    import pandas as pd

MAX_BLOCKS = 40
_ROW, _GAP = 0.215, 1.25
_HEAD, _BETWEEN, _FOOT = 0.9, 0.7, 0.8
_LEFT, _RIGHT = 3.95, 7.15
_MARKS = {"published": (style.PUBLISHED, "D"), "data": (style.INK, "s"), "method": (style.FAINT, "^"),
          "prior": (style.SHRUNKEN, "o"), "missing studies": (style.PREDICTION, "v")}
Block = list[Any]
"""The steps of one published estimate."""


def drawn_blocks(steps: "pd.DataFrame") -> list[Block]:
    """The steps in per cents, of each published estimate together."""
    blocks = steps[steps["unit"].isin(PROBABILITY_UNITS)].groupby("reported_id", sort=False)
    return [list(plain_rows(block)) for _, block in blocks][:MAX_BLOCKS]


def draw_decomposition(steps: "pd.DataFrame", *, names: Mapping[str, str], subsets: Mapping[str, str],
                       scales: Mapping[str, Scale], stamp: str = "") -> Figure:
    """Published estimate, the paper's kind of method here, maximum likelihood, posterior.

    Parameters
    ----------
    steps : DataFrame
        As decomposition.csv; those in per cents are drawn.
    names, subsets : mapping of str to str
        Labels of endpoints and of subsets by their keys.
    scales : mapping of str to Scale
        Units in which the rates of the endpoints are read; each unit has a plot of its own.
    """
    blocks = drawn_blocks(steps)
    plots = {scale: [block for block in blocks if scales[block[0].endpoint] == scale] for scale in SCALES}
    plots = {scale: plot for scale, plot in plots.items() if plot}
    with style.styled():
        figure, edges = stacked([_ROW * _rows(plot) for plot in plots.values()], head=_HEAD, between=_BETWEEN,
                                foot=_FOOT)
        write_title(figure, "Where each difference from the paper comes from", stamp, down=0.34)
        _heads(figure, in_percent=list(plots) == [PERCENT])
        for (scale, plot), bottom in zip(plots.items(), edges, strict=True):
            _plot(figure, plot, bottom, scale, names, subsets)
        figure.text(0.15 / style.WIDTH, 0.12 / figure.get_size_inches()[1],
                    "Each change is against the line above it. Data: missing studies and other counts. Prior: with "
                    "averaging over the heterogeneity, which maximum likelihood fixes.",
                    fontsize=style.SMALL, color=style.FAINT)
        return figure


def _rows(plot: Sequence[Block]) -> float:
    return sum(len(block) + _GAP for block in plot)


def _heads(figure: Figure, *, in_percent: bool) -> None:
    estimate, change = (PERCENT.of_a_rate, f", {PERCENT.points}") if in_percent else ("", "")
    for inches, text in ((7.3, f"Estimate{estimate} [interval]"), (8.55, f"Change{change}"), (9.4, "due to")):
        figure.text(inches / style.WIDTH, 1 - 0.72 / figure.get_size_inches()[1], text, fontsize=style.SMALL,
                    color=style.FAINT)


def _plot(figure: Figure, plot: Sequence[Block], bottom: float, scale: Scale, names: Mapping[str, str],
          subsets: Mapping[str, str]) -> None:
    """The blocks of one unit below each other."""
    sheet = add_sheet(figure, rows=_rows(plot), row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom, x_limit=1.0,
                      x_label=f"Rate, or survival at the horizon{scale.of_a_rate}")
    values = [value for block in plot for step in block for value in (step.lower, step.estimate, step.upper)]
    fit_axis(sheet.axes, values, scale, whole=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    top = 0.0
    for block in plot:
        first = block[0]
        title = names[first.endpoint] + (f", {subsets[first.subset]}" if first.subset != ALL else "")
        sheet.write(0.15, top + 0.55, wrapped(title, 96, 1), weight="bold")
        sheet.rule(top + 0.05)
        sheet.axes.plot([first.estimate] * 2, [top + 1.0, top + len(block) + 1.0], color=style.PUBLISHED,
                        linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
        for at, step in enumerate(block):
            _draw(sheet, step, top + at + 1.5, scale)
        top += len(block) + _GAP


def _draw(sheet: Sheet, step: Any, y: float, scale: Scale) -> None:
    color, marker = _MARKS[step.step]
    base = counted(step.k_studies, "study", "studies") if step.k_studies else ""
    sheet.write(0.3, y, wrapped(step.label, 50, 1), size=style.SMALL, color=color)
    sheet.write(3.8, y, base, size=style.SMALL, color=color, align="right")
    sheet.axes.plot([step.estimate], [y], marker, color=color, markersize=4.4, zorder=4, clip_on=False)
    like = [step.estimate]
    if step.lower is not None:
        like += [step.lower, step.upper]
        sheet.axes.plot([step.lower, step.upper], [y, y], color=color, linewidth=1.5, zorder=3)
        sheet.write(7.3, y, interval_text(*like, step.unit, scale), size=style.SMALL, color=color)
    if step.change is not None:
        sheet.write(9.1, y, signed(step.change, step.unit, scale, like=like), size=style.SMALL, color=color,
                    align="right")
        sheet.write(9.4, y, step.step, size=style.SMALL, color=color)
