"""Rates of endpoints that contain one another: each from its separate fit and from the nested one."""

from typing import Any

from matplotlib.figure import Figure

from analysis.chapters.nested.rows import SEPARATE, TOGETHER
from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, draw_intervals
from analysis.drawing.page import left_out
from analysis.inference.nested import GIVEN, INNER, OUTER
from analysis.results.numbers import Scale, chance, interval_text
from analysis.results.table import Frame, grouped_rows
from analysis.results.writing import RATE, Labels

MAX_PAIRS = 30
_LOOKS = {fit: (Look(color, mark), Look(color, mark, dashed=True))
          for fit, color, mark in ((SEPARATE, style.INK, "s"), (TOGETHER, style.SHRUNKEN, "o"))}
_KINDS = ("mean rate, {} credible interval", "new study, {} prediction interval")


def draw_nested(frame: Frame, *, labels: Labels) -> Figure:
    """A block for each endpoint within its parent, with both mean rates and what a new study should expect.

    Parameters
    ----------
    frame : data frame
        As nested.csv, of which the estimates are drawn.
    """
    pairs = grouped_rows(frame[frame["median"].notna()], "endpoint")
    groups = by_scale(pairs[:MAX_PAIRS], lambda rows: labels.scales[rows[0].endpoint])
    return draw_intervals(
        [Plot(tuple(_block(rows, labels, scale) for rows in group), scale, f"Rate{scale.of_a_rate}")
         for scale, group in groups.items()],
        title="Separate fits and nested ones", stamp=labels.stamp,
        heads=("", "Median\n[interval]", ""),
        legend=[(look, f"{fit} fit, {kind.format(labels.level)}") for fit, looks in _LOOKS.items()
                for look, kind in zip(looks, _KINDS, strict=True)],
        notes=["Right of a heading: the probability that separate fits put the part above the whole.",
               *left_out(len(pairs) - MAX_PAIRS)])


def _block(rows: list[Any], labels: Labels, scale: Scale) -> Block:
    part, whole = labels.endpoints[rows[0].endpoint], labels.endpoints[rows[0].parent]
    exceeds = next(chance(row.exceeds) for row in rows if row.exceeds is not None)
    lines = [Line(name, tuple(_interval(row, "", scale) for row in rows if row.quantity == quantity), color=style.INK)
             for quantity, name in ((OUTER, whole), (INNER, part), (GIVEN, "The part, of those with the whole"))]
    lines.append(Line("The part in a new study", tuple(_interval(row, "new_", scale) for row in rows
                                                       if row.quantity == INNER), color=style.INK))
    return Block(tuple(lines), f"{part} within {whole}", f"P {'' if exceeds[0] in '<>' else '= '}{exceeds}")


def _interval(row: Any, prefix: str, scale: Scale) -> Interval:
    values = [getattr(row, f"{prefix}{name}") for name in ("median", "lower", "upper")]
    return Interval(*values, _LOOKS[row.fit][bool(prefix)], interval_text(*values, RATE, scale))
