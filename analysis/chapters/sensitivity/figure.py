"""One figure per endpoint of what its conclusion hangs on; readable on a telephone."""

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from analysis.chapters.sensitivity.table import COMPUTED, HEADLINE, LABELS
from analysis.drawing import style
from analysis.drawing.axis import WHOLE, labels_for, limits_for
from analysis.drawing.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.results.numbers import PERCENT, Scale, as_printed, counted, interval_text, level_text, signed

if TYPE_CHECKING:
    import pandas as pd

MAX_LINES = 80
"""Variants drawn; a longer list ends with a line that says how many more the table has."""

# A page of 10.4 inches is 390 pixels wide on a telephone, where letters need 8 of them.
_LETTERS = 16.0
_ROW, _SECOND_LINE, _GROUP, _HEAD, _FOOT = 0.34, 0.72, 1.45, 1.2, 2.45
_LEFT, _RIGHT, _NUMBERS, _END = 4.55, 7.35, 7.55, style.WIDTH - 0.15
_LABEL, _NUMBER_LETTERS = 31, 14  # letters of a label, and of an interval beside its change


def draw_sensitivity(frame: "pd.DataFrame", *, name: str, stamp: str = "", scale: Scale = PERCENT) -> Figure:
    """Every variant of one endpoint beside the headline's interval and the published estimate.

    Parameters
    ----------
    frame : data frame
        Rows of sensitivity.csv for one endpoint, its headline first; see `table.compared`.
    name : str
        The endpoint as a reader knows it.
    scale : Scale
        The unit in which the endpoint's rates are read.
    """
    frame = frame.assign(changes=frame["changes"].fillna(False), published=frame["published"].fillna(""))
    lines, headline = _lines(frame), next(frame.itertuples())
    tops = [0.0, *accumulate(_GROUP if refit is None else 1.0 + _SECOND_LINE * label.count("\n")
                             for label, refit in lines)]
    total = tops[-1] + 0.3
    with style.styled():
        figure = new_figure(_HEAD + total * _ROW + _FOOT)
        sheet = add_sheet(figure, rows=total, row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=_FOOT, x_limit=1.0,
                          x_label="")
        _axis(sheet, frame, scale)
        _backdrop(sheet, headline, total)
        longest = max(len(_interval(refit, scale)) for refit in frame[frame["status"] == COMPUTED].itertuples())
        letters = _LETTERS * min(1.0, _NUMBER_LETTERS / longest)
        for (label, refit), (top, bottom) in zip(lines, pairwise(tops), strict=True):
            if refit is None:
                sheet.write(0.15, top + 0.85, label, size=_LETTERS, weight="bold")
            else:
                _draw(sheet, label, refit, (top + bottom) / 2.0, scale, letters)
        _words(figure, frame, name, stamp, scale)
        return figure


def _lines(frame: "pd.DataFrame") -> list[tuple[str, Any]]:
    """The label of each line with the row that it shows; None under the heading of a dimension."""
    lines: list[tuple[str, Any]] = []
    for dimension, group in frame[:MAX_LINES].groupby("dimension", sort=False):
        if dimension != HEADLINE:
            lines.append((LABELS[dimension], None))
        lines += [(_in_lines(LABELS[HEADLINE] if dimension == HEADLINE else refit.variant), refit)
                  for refit in group.itertuples()]
    more = len(frame) - MAX_LINES
    return [*lines, (f"{more:,} more are in the table", None)] if more > 0 else lines


def _in_lines(label: str) -> str:
    """At most two lines, broken between two choices where there are two."""
    first, _, second = label.partition("; ")
    return wrapped(label, _LABEL, 2) if not second or len(label) <= _LABEL else \
        f"{wrapped(f'{first};', _LABEL, 1)}\n{wrapped(second, _LABEL, 1)}"


def _published(headline: Any) -> list[float]:
    return [float(value) for value in headline.published.split()]


def _interval(refit: Any, scale: Scale) -> str:
    return interval_text(refit.median, refit.lower, refit.upper, "proportion", scale)


def _axis(sheet: Sheet, frame: "pd.DataFrame", scale: Scale) -> None:
    """An axis of every interval and published estimate, to whole tenths, or finer where they are narrow."""
    values = [*frame["lower"].dropna(), *frame["upper"].dropna(), *_published(next(frame.itertuples()))]
    low, high = limits_for(values)
    if (low, high) == WHOLE:
        low, high = math.floor(10.0 * min(values) + 1e-9) / 10.0, math.ceil(10.0 * max(values) - 1e-9) / 10.0
    room, ticks = 0.02 * (high - low), [low, (low + high) / 2.0, high]
    labels = labels_for(ticks, scale)
    sheet.axes.set_xlim(low - room, high + room)
    sheet.axes.set_xticks(ticks, [*labels[:2], f"{labels[2]} %" if scale == PERCENT else labels[2]])
    sheet.axes.tick_params(axis="x", labelsize=_LETTERS)


def _backdrop(sheet: Sheet, headline: Any, total: float) -> None:
    sheet.axes.axvspan(headline.lower, headline.upper, color=style.SHRUNKEN, alpha=0.13, linewidth=0, zorder=1)
    sheet.axes.plot([headline.median] * 2, [0.0, total], color=style.SHRUNKEN, linewidth=1.4, zorder=2)
    for value in _published(headline):
        sheet.axes.plot([value] * 2, [0.0, total], color=style.PUBLISHED, linewidth=2.2, linestyle=(0, (1, 2)),
                        zorder=2)


def _draw(sheet: Sheet, label: str, refit: Any, y: float, scale: Scale, letters: float) -> None:
    is_headline = refit.dimension == HEADLINE
    look = {"color": style.SHRUNKEN if is_headline else style.ALARM if refit.changes else style.INK,
            "weight": "bold" if refit.changes else "normal"}
    sheet.write(0.3, y, label, size=_LETTERS, **look)
    if refit.status != COMPUTED:
        sheet.write(_NUMBERS, y, refit.status, size=_LETTERS, color=style.ALARM)
        return
    sheet.write(_NUMBERS, y, _interval(refit, scale), size=letters, **look)
    if not is_headline:
        change = signed(refit.change / 100.0, "proportion", scale, like=(refit.median, refit.lower, refit.upper))
        sheet.write(_END, y, change, size=letters, align="right", **look)
    sheet.axes.plot([refit.lower, refit.upper], [y, y], color=look["color"], linewidth=2.2, solid_capstyle="butt",
                    zorder=3)
    sheet.axes.plot([refit.median], [y], "D" if refit.changes else "o", color=look["color"], markersize=8, zorder=4,
                    clip_on=False)


def _words(figure: Figure, frame: "pd.DataFrame", name: str, stamp: str, scale: Scale) -> None:
    """Title, stamp, heads of the columns, and what the marks mean."""
    height, left, headline = figure.get_size_inches()[1], 0.15 / style.WIDTH, next(frame.itertuples())
    figure.text(left, 1 - 0.4 / height, wrapped(name, 50 if stamp else 62, 1), fontsize=_LETTERS + 3,
                fontweight="bold")
    if stamp:
        figure.text(1 - left, 1 - 0.4 / height, stamp, ha="right", fontsize=_LETTERS, fontweight="bold",
                    color="white", bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})
    months = headline.time_months
    estimand = "Mean rate" if math.isnan(months) else f"Survival at {months:g} months"
    figure.text(left, 1 - 0.8 / height, f"{estimand}, {counted(headline.k_studies, 'study', 'studies')}",
                fontsize=_LETTERS, color=style.FAINT)
    figure.text(_END / style.WIDTH, 1 - 0.8 / height, f"{scale.unit}, and change", ha="right", fontsize=_LETTERS,
                color=style.FAINT)
    for at, text in enumerate(_legend(headline, int(frame["changes"].sum()), len(frame) - 1, scale)):
        figure.text(left, (1.5 - 0.34 * at) / height, text, fontsize=_LETTERS - 2, color=style.FAINT)


def _legend(headline: Any, changing: int, variants: int, scale: Scale) -> list[str]:
    dotted = _published(headline)
    parts = [f"Points: medians. Bars and band: {level_text(headline.level)} credible intervals, the band is the "
             f"headline's. Right: change of the median{' in points' if scale == PERCENT else ''}."]
    if dotted:
        parts.append(f"Dotted: published, {', '.join(as_printed(value, 'probability', scale) for value in dotted)} "
                     f"{scale.unit}.")
    passes = ", or the published estimate passes in or out of the interval" if dotted else ""
    parts.append(f"Red ({changing} of {counted(variants, 'variant')}): a conclusion changes, as the median moves by "
                 f"more than half the band, or one median leaves the other interval{passes}.")
    return wrapped(" ".join(parts), 96, 5).split("\n")
