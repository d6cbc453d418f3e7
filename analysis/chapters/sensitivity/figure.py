"""One figure per endpoint of what its conclusion hangs on; readable on a telephone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from matplotlib.figure import Figure

from analysis.chapters.sensitivity.names import COMPUTED, HEADLINE, LABELS
from analysis.drawing import style
from analysis.drawing.axis import WHOLE, labels_for, limits_for
from analysis.drawing.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.results.numbers import PERCENT, Scale, as_printed, counted, level_text, signed, with_interval

Row = Mapping[str, Any]

MAX_LINES = 80
"""Variants drawn; a longer list ends with a line that says how many more the table has."""

# A page of 10.4 inches is 390 pixels wide on a telephone, where letters need 8 of them.
_LETTERS = 16.0
_ROW, _SECOND_LINE, _GROUP, _HEAD, _FOOT = 0.34, 0.72, 1.45, 1.2, 2.45
_LEFT, _RIGHT, _NUMBERS, _END = 4.55, 7.35, 7.55, style.WIDTH - 0.15
_LABEL, _NUMBER_LETTERS = 31, 14  # letters of a label, and of an interval beside its change


@dataclass(frozen=True)
class _Line:
    """A row of the plot: a variant with its label, or with `row` None the heading of a dimension."""

    top: float
    label: str
    row: Row | None

    @property
    def height(self) -> float:
        """In rows of the sheet."""
        return _GROUP if self.row is None else 1.0 + _SECOND_LINE * self.label.count("\n")


def is_drawn(rows: Sequence[Row], endpoint: str) -> bool:
    """Whether an endpoint has a headline, and a variant to hold against it."""
    own = _computed(rows, endpoint)
    return bool(own) and own[0]["dimension"] == HEADLINE and len(own) > 1


def draw_sensitivity(rows: Sequence[Row], *, endpoint: str, name: str = "", stamp: str = "",
                     scale: Scale = PERCENT) -> Figure:
    """Every variant of one endpoint beside the headline's interval and the published estimate.

    Parameters
    ----------
    rows : sequence of rows
        As in sensitivity.csv, of this endpoint or of several; see `is_drawn`.
    name : str
        The endpoint as a reader knows it.
    scale : Scale
        The unit in which the endpoint's rates are read.
    """
    own = [row for row in rows if row["endpoint"] == endpoint]
    headline = own[0]
    lines = _lines(own)
    total = lines[-1].top + lines[-1].height + 0.3
    with style.styled():
        figure = new_figure(_HEAD + total * _ROW + _FOOT)
        low, high = _range(own)
        sheet = add_sheet(figure, rows=total, row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=_FOOT, x_limit=1.0,
                          x_label="")
        _axis(sheet, low, high, scale)
        _backdrop(sheet, headline, total)
        longest = max(len(with_interval(row, "proportion", scale)) for row in own if row["status"] == COMPUTED)
        letters = _LETTERS * min(1.0, _NUMBER_LETTERS / longest)
        for line in lines:
            _draw(sheet, line, scale, letters)
        _words(figure, own, name or endpoint.replace("_", " ").capitalize(), stamp, scale)
        return figure


def _computed(rows: Sequence[Row], endpoint: str) -> list[Row]:
    return [row for row in rows if row["endpoint"] == endpoint and row["status"] == COMPUTED]


def _lines(own: Sequence[Row]) -> list[_Line]:
    found, top = [], 0.0
    for dimension, group in groupby(own[:MAX_LINES], key=lambda row: row["dimension"]):
        if dimension != HEADLINE:
            found.append(_Line(top, LABELS.get(dimension, dimension.replace("_", " ")), None))
            top += found[-1].height
        for row in group:
            label = LABELS[HEADLINE] if dimension == HEADLINE else row["variant"]
            found.append(_Line(top, _in_lines(label), row))
            top += found[-1].height
    if len(own) > MAX_LINES:
        found.append(_Line(top, f"{len(own) - MAX_LINES:,} more are in the table", None))
    return found


def _in_lines(label: str) -> str:
    """At most two lines, broken between two choices where there are two."""
    first, _, second = label.partition("; ")
    return wrapped(label, _LABEL, 2) if not second or len(label) <= _LABEL else \
        f"{wrapped(f'{first};', _LABEL, 1)}\n{wrapped(second, _LABEL, 1)}"


def _range(own: Sequence[Row]) -> tuple[float, float]:
    """Limits of the axis: every interval and published estimate, to whole tenths, or finer where they are narrow."""
    values = [value for row in own for value in (row["lower"], row["upper"]) if value is not None]
    values += _published(own[0])
    fitted = limits_for(values)
    tenths = math.floor(10.0 * min(values) + 1e-9) / 10.0, math.ceil(10.0 * max(values) - 1e-9) / 10.0
    return tenths if fitted == WHOLE else fitted


def _published(headline: Row) -> list[float]:
    return [float(value) for value in str(headline["published"] or "").split()]


def _axis(sheet: Sheet, low: float, high: float, scale: Scale) -> None:
    room = 0.02 * (high - low)
    sheet.axes.set_xlim(low - room, high + room)
    ticks = [low, (low + high) / 2.0, high]
    labels = labels_for(ticks, scale)
    sheet.axes.set_xticks(ticks, [*labels[:2], f"{labels[2]} %" if scale == PERCENT else labels[2]])
    sheet.axes.tick_params(axis="x", labelsize=_LETTERS)


def _backdrop(sheet: Sheet, headline: Row, total: float) -> None:
    sheet.axes.axvspan(headline["lower"], headline["upper"], color=style.SHRUNKEN, alpha=0.13, linewidth=0, zorder=1)
    sheet.axes.plot([headline["median"]] * 2, [0.0, total], color=style.SHRUNKEN, linewidth=1.4, zorder=2)
    for value in _published(headline):
        sheet.axes.plot([value] * 2, [0.0, total], color=style.PUBLISHED, linewidth=2.2, linestyle=(0, (1, 2)),
                        zorder=2)


def _draw(sheet: Sheet, line: _Line, scale: Scale, letters: float) -> None:
    if line.row is None:
        sheet.write(0.15, line.top + 0.85, line.label, size=_LETTERS, weight="bold")
        return
    row, y = line.row, line.top + line.height / 2.0
    color = style.SHRUNKEN if row["dimension"] == HEADLINE else style.ALARM if row["changes"] else style.INK
    weight = "bold" if row["changes"] else "normal"
    sheet.write(0.3, y, line.label, size=_LETTERS, color=color, weight=weight)
    if row["status"] != COMPUTED:
        sheet.write(_NUMBERS, y, row["status"], size=_LETTERS, color=style.ALARM)
        return
    sheet.write(_NUMBERS, y, with_interval(row, "proportion", scale), size=letters, color=color, weight=weight)
    if row["dimension"] != HEADLINE and row["change"] is not None:
        sheet.write(_END, y, _changed(row, scale), size=letters, color=color, weight=weight,
                    align="right")
    sheet.axes.plot([row["lower"], row["upper"]], [y, y], color=color, linewidth=2.2, solid_capstyle="butt", zorder=3)
    sheet.axes.plot([row["median"]], [y], "D" if row["changes"] else "o", color=color, markersize=8, zorder=4,
                    clip_on=False)


def _changed(row: Row, scale: Scale) -> str:
    return signed(row["change"] / 100.0, "proportion", scale, like=(row["median"], row["lower"], row["upper"]))


def _words(figure: Figure, own: Sequence[Row], name: str, stamp: str, scale: Scale) -> None:
    """Title, stamp, heads of the columns, and what the marks mean."""
    height, left, headline = figure.get_size_inches()[1], 0.15 / style.WIDTH, own[0]
    figure.text(left, 1 - 0.4 / height, wrapped(name, 50 if stamp else 62, 1), fontsize=_LETTERS + 3,
                fontweight="bold")
    if stamp:
        figure.text(1 - left, 1 - 0.4 / height, stamp, ha="right", fontsize=_LETTERS, fontweight="bold",
                    color="white", bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})
    what = "mean rate" if headline["time_months"] is None else f"survival at {headline['time_months']:g} months"
    figure.text(left, 1 - 0.8 / height, f"{what.capitalize()}, "
                f"{counted(headline['k_studies'], 'study', 'studies')}", fontsize=_LETTERS, color=style.FAINT)
    figure.text(_END / style.WIDTH, 1 - 0.8 / height, f"{scale.unit}, and change", ha="right", fontsize=_LETTERS,
                color=style.FAINT)
    for at, text in enumerate(_legend(own, scale)):
        figure.text(left, (1.5 - 0.34 * at) / height, text, fontsize=_LETTERS - 2, color=style.FAINT)


def _legend(own: Sequence[Row], scale: Scale) -> list[str]:
    headline, count = own[0], sum(bool(row["changes"]) for row in own)
    dotted = _published(headline)
    parts = [f"Points: medians. Bars and band: {level_text(headline['level'])} credible intervals, the band is the "
             f"headline's. Right: change of the median{' in points' if scale == PERCENT else ''}."]
    if dotted:
        parts.append(f"Dotted: published, {', '.join(as_printed(value, 'probability', scale) for value in dotted)} "
                     f"{scale.unit}.")
    passes = ", or the published estimate passes in or out of the interval" if dotted else ""
    parts.append(f"Red ({count} of {counted(len(own) - 1, 'variant')}): a conclusion changes, as the median moves by "
                 f"more than half the band, or one median leaves the other interval{passes}.")
    return wrapped(" ".join(parts), 96, 5).split("\n")
