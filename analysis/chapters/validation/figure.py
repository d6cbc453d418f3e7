"""What later studies reported within what the review's studies predict."""

from dataclasses import replace
from typing import Any

from matplotlib.figure import Figure

from analysis.chapters.validation.rows import BESIDE
from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, draw_intervals
from analysis.drawing.page import left_out
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.numbers import chance, level_text
from analysis.results.table import COMPUTED, Frame, grouped_rows
from analysis.results.writing import Labels

MAX_REPORTS = 80
_LOOKS = {"": Look(style.SHRUNKEN), **dict(zip(BESIDE, (Look(style.PREDICTION, "s"), Look(style.PUBLISHED, "^")),
                                               strict=True))}
Predicted = list[Any]
"""One report as each model predicts it, the headline's first."""


def draw_validation(frame: Frame, *, labels: Labels) -> Figure:
    """A block per endpoint, a line per report, an interval per model with the report as its mark.

    Parameters
    ----------
    frame : data frame
        As validation.csv, with at least one report that is predicted.
    """
    predicted = frame[frame["status"] == COMPUTED]
    reports = grouped_rows(predicted, "endpoint", "row")
    groups = by_scale(reports[:MAX_REPORTS], lambda rows: labels.scales[rows[0].endpoint])
    level = " or ".join(sorted(map(level_text, predicted["level"].unique())))
    models = {row.model for rows in reports for row in rows[1:]}
    legend = [(_LOOKS[""], f"headline model, {level} prediction"),
              *((_LOOKS[name], name) for name in BESIDE if name in models)]
    return draw_intervals(
        [Plot(_blocks(group, labels), scale, scale.axis("Rate or survival")) for scale, group in groups.items()],
        title="Later studies, predicted from the review's", heads=("", "p", ""), legend=legend,
        stamp=labels.stamp, notes=[
            f"Marks: reports, hollow if they do not count. p: two-sided mid-p. Red diamonds: p below {NAMED_BELOW:g} "
            "by the headline model, which is also possible at the very end of a line.",
            *left_out(len(reports) - MAX_REPORTS)])


def _blocks(reports: list[Predicted], labels: Labels) -> tuple[Block, ...]:
    return tuple(Block(tuple(_line(rows) for rows in reports if rows[0].endpoint == endpoint),
                       labels.endpoints[endpoint]) for endpoint in dict.fromkeys(rows[0].endpoint for rows in reports))


def _line(rows: Predicted) -> Line:
    first = rows[0]
    alarm, fill = style.ALARM if first.named else "", "" if first.counted else "white"
    looks = [Look(alarm, "D") if alarm else _LOOKS[""], *(_LOOKS[row.model] for row in rows[1:])]
    intervals = [Interval(row.observed, row.lower, row.upper, replace(look, fill=fill), chance(row.two_sided))
                 for row, look in zip(rows, looks, strict=True)]
    return Line(first.label, tuple(intervals), (first.report,), color=alarm or style.INK)
