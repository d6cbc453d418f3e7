"""One figure of every published number beside the same estimand of the reanalysis."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.cases.settings import ALL
from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, stacked, wrapped, write_title
from analysis.results.numbers import (
    PERCENT,
    PROBABILITY_UNITS,
    SCALES,
    Scale,
    counted,
    interval_text,
    level_text,
    number,
    printed_with_interval,
    studies_and_patients,
)
from analysis.results.table import plain_rows

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 150
_ROW = 0.36
_HEAD, _BETWEEN, _FOOT = 0.8, 0.75, 0.86
_LEFT, _RIGHT = 3.0, 7.1
_ESTIMATE, _BASE = 7.3, 9.1
Panel = dict[str, list[Any]]
"""Rows by what was published."""


def draw_published(comparisons: "pd.DataFrame", *, names: Mapping[str, str], subsets: Mapping[str, str],
                   scales: Mapping[str, Scale], stamp: str = "") -> Figure:
    """Published estimates with confidence intervals above posterior medians with credible intervals.

    Parameters
    ----------
    comparisons : DataFrame
        As comparison.csv; first printings that are compared are drawn.
    names, subsets : mapping of str to str
        Labels of endpoints and of subsets by their keys.
    scales : mapping of str to Scale
        Units in which the rates of our endpoints are read; each unit, and months, has a panel of its own.
    """
    drawn = comparisons[comparisons["median"].notna() & comparisons["primary"]].head(MAX_ROWS)
    panels = _panels(list(plain_rows(drawn)), scales)
    with style.styled():
        figure, edges = stacked([_ROW * _lines(panel) for panel in panels.values()], head=_HEAD, between=_BETWEEN,
                                foot=_FOOT)
        for (scale, panel), bottom in zip(panels.items(), edges, strict=True):
            _draw_panel(figure, panel, bottom, scale, names, subsets)
        write_title(figure, "Published and recomputed", stamp, down=0.32)
        for inches, text in ((_ESTIMATE, "Estimate [interval]"), (_BASE, "Studies / patients")):
            figure.text(inches / style.WIDTH, 1 - 0.66 / figure.get_size_inches()[1], text, fontsize=style.SMALL,
                        color=style.FAINT)
        _legend(figure, drawn)
        return figure


def _panels(rows: Sequence[Any], scales: Mapping[str, Scale]) -> dict[Scale | None, Panel]:
    """Rows of each unit, None for months, in the order of the table; crude proportions come last."""
    panels: dict[Scale | None, Panel] = {scale: {} for scale in (*SCALES, None)}
    for row in sorted(rows, key=lambda row: row.lower is None):
        scale = scales.get(row.our_endpoint, PERCENT) if row.units in PROBABILITY_UNITS else None
        panels[scale].setdefault(row.endpoint, []).append(row)
    return {scale: panel for scale, panel in panels.items() if panel}


def _lines(panel: Panel) -> int:
    """Rows of the plot: each endpoint is led by its name."""
    return sum(1 + len(rows) for rows in panel.values())


def _draw_panel(figure: Figure, panel: Panel, bottom: float, scale: Scale | None, names: Mapping[str, str],
                subsets: Mapping[str, str]) -> None:
    values = [value for rows in panel.values() for row in rows for value in
              (row.published, row.published_lower, row.published_upper, row.lower, row.median, row.upper)]
    limit = 1.0 if scale else 1.05 * max(value for value in values if value is not None)
    label = "Months" if scale is None else f"Rate, or survival at the horizon{scale.of_a_rate}"
    sheet = add_sheet(figure, rows=_lines(panel), row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom,
                      x_limit=limit, x_label=label)
    if scale:
        fit_axis(sheet.axes, values, scale, whole=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    else:
        sheet.axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 4, 5, 6, 10]))
    top = 0
    for endpoint, rows in panel.items():
        sheet.write(0.15, top + 0.6, wrapped(names[endpoint], 70, 1), weight="bold")
        for at, row in enumerate(rows, top + 1):
            _draw_pair(sheet, at, row, subsets, scale or PERCENT)
        top += 1 + len(rows)


def _draw_pair(sheet: Sheet, at: int, row: Any, subsets: Mapping[str, str], scale: Scale) -> None:
    subset = row.subset or ALL
    detail = " (crude)" if row.lower is None else f", {row.time_months:g} months" if row.time_months else ""
    sheet.write(0.3, at + 0.5, wrapped(subsets.get(subset, subset) + detail, 46, 1), size=style.SMALL,
                color=style.FAINT)
    published, ours = (row.published, row.published_lower, row.published_upper), (row.median, row.lower, row.upper)
    _draw(sheet, at + 0.33, published, style.PUBLISHED, "D", printed_with_interval(*published, row.units, scale),
          studies_and_patients(row.published_k, row.published_n))
    _draw(sheet, at + 0.67, ours, style.SHRUNKEN, "o", number(row.median, row.units, scale) if row.lower is None else
          interval_text(*ours, row.units, scale), studies_and_patients(row.k_studies, row.n_patients))


def _draw(sheet: Sheet, y: float, values: tuple[float, float | None, float | None], color: str, marker: str, text: str,
          base: str) -> None:
    """One estimate with its limits, as marks and as text."""
    middle, *limits = values
    if None not in limits:
        sheet.axes.plot(limits, [y, y], color=color, linewidth=1.9, solid_capstyle="butt", zorder=3)
    sheet.axes.plot([middle], [y], marker, color=color, markersize=4.6, zorder=4, clip_on=False)
    sheet.write(_ESTIMATE, y, text, size=style.SMALL, color=color)
    sheet.write(_BASE, y, base, size=style.SMALL, color=color)


def _legend(figure: Figure, drawn: "pd.DataFrame") -> None:
    def label(who: str, column: str, kind: str) -> str:
        levels = sorted(map(level_text, drawn[column].dropna().unique()))
        return f"{who}, {' or '.join(levels)} {kind} interval" if levels else who

    marks = [Line2D([], [], color=color, marker=marker, markersize=4.6, linewidth=1.9, label=text)
             for color, marker, text in (
                 (style.PUBLISHED, "D", label("published", "published_level", "confidence")),
                 (style.SHRUNKEN, "o", label("this analysis (posterior median)", "level", "credible")))]
    figure.legend(handles=marks, loc="lower left", bbox_to_anchor=(0.008, 0.0), ncols=2, frameon=False,
                  fontsize=style.SMALL)
    figure.text(1 - 0.15 / style.WIDTH, 0.11 / figure.get_size_inches()[1],
                f"{counted(len(drawn), 'published number')}; crude: events over patients, no interval", ha="right",
                fontsize=style.SMALL, color=style.FAINT)
