"""Where each difference from a published estimate comes from: one block of lines per published estimate."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.results.numbers import PERCENT, PROBABILITY_UNITS, SCALES, Scale, counted, interval_text, signed

Row = Mapping[str, Any]

MAX_BLOCKS = 40
_ROW, _GAP = 0.215, 1.25
_HEAD, _BETWEEN, _FOOT = 0.9, 0.7, 0.8
_LEFT, _RIGHT = 3.95, 7.15
_COLORS = {"published": style.PUBLISHED, "data": style.INK, "method": style.FAINT, "prior": style.SHRUNKEN,
           "missing studies": style.PREDICTION}
_MARKERS = {"published": "D", "data": "s", "method": "^", "prior": "o", "missing studies": "v"}


def draw_decomposition(rows: Sequence[Row], *, names: Mapping[str, str] | None = None,
                       subsets: Mapping[str, str] | None = None, scales: Mapping[str, Scale] | None = None,
                       stamp: str = "") -> Figure:
    """Published estimate, the paper's kind of method here, maximum likelihood, posterior.

    Parameters
    ----------
    rows : sequence of rows
        As in decomposition.csv; those in per cents are drawn.
    names, subsets : mapping of str to str
        Labels of endpoints and of subsets by their keys.
    scales : mapping of str to Scale
        Units in which the rates of the endpoints are read; each unit has a plot of its own.
    """
    names = names or {}
    blocks = _blocks(rows)[:MAX_BLOCKS]
    groups = {scale: [block for block in blocks if (scales or {}).get(block[0]["endpoint"], PERCENT) == scale]
              for scale in SCALES}
    heights = {scale: _ROW * sum(len(block) + _GAP for block in own) for scale, own in groups.items() if own}
    with style.styled():
        figure = new_figure(_HEAD + sum(heights.values()) + (len(heights) - 1) * _BETWEEN + _FOOT)
        bottom = figure.get_size_inches()[1] - _HEAD
        _heads(figure, stamp, next(iter(heights), PERCENT) if len(heights) == 1 else None)
        for scale, height in heights.items():
            bottom -= height
            _plot(figure, groups[scale], bottom, scale, names, subsets or {})
            bottom -= _BETWEEN
        figure.text(0.15 / style.WIDTH, 0.12 / figure.get_size_inches()[1],
                    "Each change is against the line above it. Data: missing studies and other counts. Prior: with "
                    "averaging over the heterogeneity, which maximum likelihood fixes.",
                    fontsize=style.SMALL, color=style.FAINT)
        return figure


def _plot(figure: Figure, blocks: Sequence[Sequence[Row]], bottom: float, scale: Scale, names: Mapping[str, str],
          subsets: Mapping[str, str]) -> None:
    """The blocks of one unit below each other."""
    rows = sum(len(block) + _GAP for block in blocks)
    sheet = add_sheet(figure, rows=rows, row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom, x_limit=1.0,
                      x_label=f"Rate, or survival at the horizon{scale.of_a_rate}")
    fit_axis(sheet.axes, [row[name] for block in blocks for row in block for name in ("lower", "estimate", "upper")],
             scale, whole=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    top = 0.0
    for block in blocks:
        _block(sheet, block, top, scale, names, subsets)
        top += len(block) + _GAP


def _blocks(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows of one published estimate together, in the order of the table."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["unit"] in PROBABILITY_UNITS:
            found.setdefault(row["reported_id"], []).append(row)
    return list(found.values())


def _heads(figure: Figure, stamp: str, scale: Scale | None) -> None:
    estimate, change = (scale.of_a_rate, f", {scale.points}") if scale == PERCENT else ("", "")
    top = figure.get_size_inches()[1]
    figure.text(0.15 / style.WIDTH, 1 - 0.34 / top, "Where each difference from the paper comes from",
                fontsize=style.TITLE, fontweight="bold")
    for inches, text in ((7.3, f"Estimate{estimate} [interval]"), (8.55, f"Change{change}"), (9.4, "due to")):
        figure.text(inches / style.WIDTH, 1 - 0.72 / top, text, fontsize=style.SMALL, color=style.FAINT)
    if stamp:
        figure.text(1 - 0.15 / style.WIDTH, 1 - 0.34 / top, stamp, ha="right", fontsize=style.TITLE,
                    fontweight="bold", color="white",
                    bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})


def _block(sheet: Sheet, block: Sequence[Row], top: float, scale: Scale, names: Mapping[str, str],
           subsets: Mapping[str, str]) -> None:
    first = block[0]
    title = names.get(first["endpoint"], first["endpoint"])
    if first["subset"] != "all":
        title += f", {subsets.get(first['subset'], first['subset'])}"
    sheet.write(0.15, top + 0.55, wrapped(title, 96, 1), weight="bold")
    sheet.rule(top + 0.05)
    sheet.axes.plot([first["estimate"]] * 2, [top + 1.0, top + len(block) + 1.0], color=style.PUBLISHED,
                    linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
    for at, row in enumerate(block):
        _line(sheet, row, top + at + 1.5, scale)


def _line(sheet: Sheet, row: Row, y: float, scale: Scale) -> None:
    color = _COLORS[row["step"]]
    base = counted(row["k_studies"], "study", "studies") if row["k_studies"] else ""
    sheet.write(0.3, y, wrapped(row["label"], 50, 1), size=style.SMALL, color=color)
    sheet.write(3.8, y, base, size=style.SMALL, color=color, align="right")
    if row["lower"] is not None:
        sheet.axes.plot([row["lower"], row["upper"]], [y, y], color=color, linewidth=1.5, zorder=3)
    sheet.axes.plot([row["estimate"]], [y], _MARKERS[row["step"]], color=color, markersize=4.4, zorder=4,
                    clip_on=False)
    known = [row[name] for name in ("estimate", "lower", "upper") if row[name] is not None]
    value = interval_text(*known, row["unit"], scale) if len(known) == 3 else ""
    sheet.write(7.3, y, value, size=style.SMALL, color=color)
    if row["change"] is not None:
        change = signed(row["change"], row["unit"], scale, like=known)
        sheet.write(9.1, y, change, size=style.SMALL, color=color, align="right")
        sheet.write(9.4, y, row["step"], size=style.SMALL, color=color)
