"""One figure of every published number beside the same estimand of the reanalysis."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.figures.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.wording import (
    PROBABILITY_UNITS,
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


def draw_published(comparisons: Sequence[Row], *, names: Mapping[str, str] | None = None, title: str = "",
                   stamp: str = "") -> Figure:
    """Published estimates with confidence intervals above posterior medians with credible intervals.

    Parameters
    ----------
    comparisons : sequence of rows
        As in comparison.csv; those that are compared are drawn.
    names : mapping of str to str
        Labels of endpoints and subsets by their keys; a key without one stands for itself.
    """
    drawn = [row for row in comparisons if row["median"] is not None and row["primary"]][:MAX_ROWS]
    panels = [panel for panel in (_panel(drawn, proportions) for proportions in (True, False)) if panel]
    with style.styled():
        heights = [_ROW * len(panel) for panel in panels]
        figure = new_figure(_HEAD + sum(heights) + _BETWEEN * (len(panels) - 1) + _FOOT)
        bottom = sum(heights) + _BETWEEN * (len(panels) - 1) + _FOOT
        for at, (panel, height) in enumerate(zip(panels, heights, strict=True)):
            bottom -= height
            _draw_panel(figure, panel, bottom, names or {})
            bottom -= _BETWEEN
            if at == 0:
                _title(figure, title, stamp)
        _legend(figure, drawn)
        return figure


def _panel(rows: Sequence[Row], proportions: bool) -> list[Row | str]:
    """Rows of one unit in the order of the table, each endpoint led by its key; crude proportions come last."""
    own = [row for row in rows if (row["units"] in PROBABILITY_UNITS) == proportions]
    own.sort(key=lambda row: row["lower"] is None)
    lines: list[Row | str] = []
    for endpoint in dict.fromkeys(row["endpoint"] for row in own):
        lines += [endpoint, *(row for row in own if row["endpoint"] == endpoint)]
    return lines


def _draw_panel(figure: Figure, lines: Sequence[Row | str], bottom: float, names: Mapping[str, str]) -> None:
    rows = [line for line in lines if not isinstance(line, str)]
    proportions = rows[0]["units"] in PROBABILITY_UNITS
    limit = 1.0 if proportions else 1.05 * max(
        value for row in rows for value in (row["published"], row["published_upper"], row["upper"], row["median"])
        if value is not None)
    sheet = add_sheet(figure, rows=len(lines), row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom,
                      x_limit=limit, x_label="Rate, or survival at the horizon, %" if proportions else "Months")
    if proportions:
        sheet.axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20", "40", "60", "80", "100"])
    else:
        sheet.axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 4, 5, 6, 10]))
    for at, line in enumerate(lines):
        if isinstance(line, str):
            name = names.get(line) or line.replace("_", " ").capitalize()
            sheet.write(0.15, at + 0.6, wrapped(name, 70, 1), weight="bold")
        else:
            _pair(sheet, at, line, names)


def _pair(sheet: Sheet, at: int, row: Row, names: Mapping[str, str]) -> None:
    what = names.get(row["subset"] or "all", row["subset"] or "all")
    time = f", {row['time_months']:g} months" if row["time_months"] else ""
    what += " (crude)" if row["lower"] is None else time
    sheet.write(0.3, at + 0.5, wrapped(what, 46, 1), size=style.SMALL, color=style.FAINT)
    published = (row["published"], row["published_lower"], row["published_upper"])
    _mark(sheet, at + 0.33, *published, style.PUBLISHED, "D")
    _mark(sheet, at + 0.67, row["median"], row["lower"], row["upper"], style.SHRUNKEN, "o")
    ours = with_interval(row, row["units"]) if row["lower"] is not None else number(row["median"], row["units"])
    for y, color, text, base in (
            (at + 0.33, style.PUBLISHED, printed_with_interval(*published, row["units"]),
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
