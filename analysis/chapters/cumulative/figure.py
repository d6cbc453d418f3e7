"""The headline estimates from the studies up to each year."""

from typing import Any

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, Reference, draw_intervals
from analysis.drawing.page import left_out
from analysis.results.numbers import Scale, counted, interval_text
from analysis.results.table import COMPUTED, Frame, grouped_rows
from analysis.results.writing import RATE, Labels

MAX_ENDPOINTS = 12


def draw_cumulative(frame: Frame, *, labels: Labels) -> Figure:
    """A block per endpoint, a line per year, a dotted line at the estimate from all studies.

    Parameters
    ----------
    frame : data frame
        As cumulative.csv, with at least one year that is computed.
    """
    computed = frame[frame["status"] == COMPUTED]
    endpoints = grouped_rows(computed, "endpoint")
    groups = by_scale(endpoints[:MAX_ENDPOINTS], lambda rows: labels.scales[rows[0].endpoint])
    return draw_intervals(
        [Plot(tuple(_block(rows, scale, labels) for rows in group), scale, scale.axis("Mean rate or survival"))
         for scale, group in groups.items()],
        title="From the studies up to each year", stamp=labels.stamp,
        heads=("", "Estimate\n[interval]", "Studies\nadded"),
        legend=[(Look(style.SHRUNKEN), f"posterior median, {labels.level} credible")],
        notes=["Dotted: from all studies. Each line contains the ones above it: no trend over time.",
               *left_out(len(endpoints) - MAX_ENDPOINTS)])


def _block(rows: list[Any], scale: Scale, labels: Labels) -> Block:
    lines = tuple(Line(f"{row.year}: {counted(row.k_studies, 'study')}", (
        Interval(row.median, row.lower, row.upper, Look(style.SHRUNKEN),
                 interval_text(row.median, row.lower, row.upper, RATE, scale), f"+{row.added}"),)) for row in rows)
    return Block(lines, labels.endpoints[rows[0].endpoint], references=(Reference(rows[-1].median, style.FAINT),))
