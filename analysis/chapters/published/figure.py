"""One figure of every published number beside the same estimand of the reanalysis."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.results.numbers import (
    PERCENT,
    PROBABILITY_UNITS,
    SCALES,
    Scale,
    counted,
    level_text,
    number,
    printed_with_interval,
    studies_and_patients,
    with_interval,
)

Row = Mapping[str, Any]

MAX_ROWS = 150
_ROW = 0.36
_HEAD, _BETWEEN, _FOOT = 0.8, 0.75, 0.86
_LEFT, _RIGHT = 3.0, 7.1


def draw_published(comparisons: Sequence[Row], *, names: Mapping[str, str] | None = None,
                   subsets: Mapping[str, str] | None = None, scales: Mapping[str, Scale] | None = None,
                   title: str = "", stamp: str = "") -> Figure:
    """Published estimates with confidence intervals above posterior medians with credible intervals.

    Parameters
    ----------
    comparisons : sequence of rows
        As in comparison.csv; those that are compared are drawn.
    names, subsets : mapping of str to str
        Labels of endpoints and of subsets by their keys; a key without one stands for itself.
    scales : mapping of str to Scale
        Units in which the rates of our endpoints are read; each unit has a panel of its own.
    """
    drawn = [row for row in comparisons if row["median"] is not None and row["primary"]][:MAX_ROWS]
    units = {id(row): _unit(row, scales or {}) for row in drawn}
    panels = [(unit, _panel([row for row in drawn if units[id(row)] == unit]))
              for unit in (*SCALES, None) if unit in units.values()]
    with style.styled():
        heights = [_ROW * len(panel) for _, panel in panels]
        figure = new_figure(_HEAD + sum(heights) + _BETWEEN * (len(panels) - 1) + _FOOT)
        bottom = sum(heights) + _BETWEEN * (len(panels) - 1) + _FOOT
        for at, ((unit, panel), height) in enumerate(zip(panels, heights, strict=True)):
            bottom -= height
            _draw_panel(figure, panel, bottom, unit, names or {}, subsets or {})
            bottom -= _BETWEEN
            if at == 0:
                _title(figure, title, stamp)
        _legend(figure, drawn)
        return figure


def _unit(row: Row, scales: Mapping[str, Scale]) -> Scale | None:
    """The scale of a rate, None for times."""
    return scales.get(row["our_endpoint"], PERCENT) if row["units"] in PROBABILITY_UNITS else None


def _panel(rows: Sequence[Row]) -> list[Row | str]:
    """Rows of one unit in the order of the table, each endpoint led by its key; crude proportions come last."""
    own = sorted(rows, key=lambda row: row["lower"] is None)
    lines: list[Row | str] = []
    for endpoint in dict.fromkeys(row["endpoint"] for row in own):
        lines += [endpoint, *(row for row in own if row["endpoint"] == endpoint)]
    return lines


def _draw_panel(figure: Figure, lines: Sequence[Row | str], bottom: float, scale: Scale | None,
                names: Mapping[str, str], subsets: Mapping[str, str]) -> None:
    rows = [line for line in lines if not isinstance(line, str)]
    values = [row[name] for row in rows for name in ("published", "published_lower", "published_upper", "lower",
                                                     "median", "upper")]
    limit = 1.0 if scale else 1.05 * max(value for value in values if value is not None)
    label = "Months" if scale is None else f"Rate, or survival at the horizon{scale.of_a_rate}"
    sheet = add_sheet(figure, rows=len(lines), row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom,
                      x_limit=limit, x_label=label)
    if scale:
        fit_axis(sheet.axes, values, scale, whole=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    else:
        sheet.axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 4, 5, 6, 10]))
    for at, line in enumerate(lines):
        if isinstance(line, str):
            name = names.get(line) or line.replace("_", " ").capitalize()
            sheet.write(0.15, at + 0.6, wrapped(name, 70, 1), weight="bold")
        else:
            _pair(sheet, at, line, subsets, scale or PERCENT)


def _pair(sheet: Sheet, at: int, row: Row, subsets: Mapping[str, str], scale: Scale) -> None:
    what = subsets.get(row["subset"] or "all", row["subset"] or "all")
    time = f", {row['time_months']:g} months" if row["time_months"] else ""
    what += " (crude)" if row["lower"] is None else time
    sheet.write(0.3, at + 0.5, wrapped(what, 46, 1), size=style.SMALL, color=style.FAINT)
    published = (row["published"], row["published_lower"], row["published_upper"])
    _mark(sheet, at + 0.33, *published, style.PUBLISHED, "D")
    _mark(sheet, at + 0.67, row["median"], row["lower"], row["upper"], style.SHRUNKEN, "o")
    ours = with_interval(row, row["units"], scale) if row["lower"] is not None else \
        number(row["median"], row["units"], scale)
    for y, color, text, base in (
            (at + 0.33, style.PUBLISHED, printed_with_interval(*published, row["units"], scale),
             studies_and_patients(row["published_k"], row["published_n"])),
            (at + 0.67, style.SHRUNKEN, ours, studies_and_patients(row["k_studies"], row["n_patients"]))):
        sheet.write(7.3, y, text, size=style.SMALL, color=color)
        sheet.write(9.1, y, base, size=style.SMALL, color=color)


def _mark(sheet: Sheet, y: float, middle: float, low: float | None, high: float | None, color: str,
          marker: str) -> None:
    if low is not None and high is not None:
        sheet.axes.plot([low, high], [y, y], color=color, linewidth=1.9, solid_capstyle="butt", zorder=3)
    sheet.axes.plot([middle], [y], marker, color=color, markersize=4.6, zorder=4, clip_on=False)


def _title(figure: Figure, title: str, stamp: str) -> None:
    top = figure.get_size_inches()[1]
    right, left = 1 - 0.15 / style.WIDTH, 0.15 / style.WIDTH
    figure.text(left, 1 - 0.32 / top, wrapped(title, 78, 1), fontsize=style.TITLE, fontweight="bold")
    for inches, text in ((7.3, "Estimate [interval]"), (9.1, "Studies / patients")):
        figure.text(inches / style.WIDTH, 1 - 0.66 / top, text, fontsize=style.SMALL, color=style.FAINT)
    if stamp:
        figure.text(right, 1 - 0.32 / top, stamp, ha="right", fontsize=style.TITLE, fontweight="bold",
                    color="white", bbox={"facecolor": style.ALARM, "edgecolor": "none",
                                         "boxstyle": "round,pad=0.3"})


def _legend(figure: Figure, rows: Sequence[Row]) -> None:
    def label(who: str, column: str, kind: str) -> str:
        levels = sorted({level_text(row[column]) for row in rows if row[column] is not None})
        return f"{who}, {' or '.join(levels)} {kind} interval" if levels else who

    marks = [Line2D([], [], color=color, marker=marker, markersize=4.6, linewidth=1.9, label=text)
             for color, marker, text in (
                 (style.PUBLISHED, "D", label("published", "published_level", "confidence")),
                 (style.SHRUNKEN, "o", label("this analysis (posterior median)", "level", "credible")))]
    figure.legend(handles=marks, loc="lower left", bbox_to_anchor=(0.008, 0.0), ncols=2, frameon=False,
                  fontsize=style.SMALL)
    figure.text(1 - 0.15 / style.WIDTH, 0.11 / figure.get_size_inches()[1],
                f"{counted(len(rows), 'published number')}; crude: events over patients, no interval", ha="right",
                fontsize=style.SMALL, color=style.FAINT)
