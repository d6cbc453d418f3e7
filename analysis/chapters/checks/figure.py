"""Every report within what prior and posterior predict for a study of its size."""

from typing import Any

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, draw_intervals
from analysis.drawing.page import left_out
from analysis.results.numbers import Scale, interval_text
from analysis.results.table import COMPUTED, Frame, plain_rows
from analysis.results.writing import RATE, Labels

MAX_REPORTS = 120
_WITHIN, _OUTSIDE = Look(style.SHRUNKEN), Look(style.ALARM, "D", bold=True)


def draw_checks(frame: Frame, *, labels: Labels) -> Figure:
    """A block per endpoint with its reports from the largest to the smallest, on the intervals predicted for them.

    Parameters
    ----------
    frame : data frame
        As checks.csv, with at least one study that is computed.
    """
    checked = frame[frame["status"] == COMPUTED]
    drawn = checked.head(MAX_REPORTS).sort_values("observed", ascending=False, kind="stable")
    groups = by_scale(checked["endpoint"].unique(), labels.scales.__getitem__)
    return draw_intervals(
        [Plot(tuple(Block(tuple(_line(row, scale) for row in plain_rows(drawn[drawn["endpoint"] == endpoint])),
                          labels.endpoints[endpoint])
                    for endpoint in endpoints if endpoint in set(drawn["endpoint"])),
              scale, scale.axis("Rate or survival")) for scale, endpoints in groups.items()],
        title="What was reported within what is predicted", stamp=labels.stamp, heads=("", "Reported\n[predicted]", ""),
        legend=[(_WITHIN, f"the report, on {labels.level} of further studies of its size"),
                (_OUTSIDE, "a report outside"), (Look(style.RULE, "", width=9.0), "the same before the data")],
        notes=left_out(len(checked) - MAX_REPORTS))


def _line(row: Any, scale: Scale) -> Line:
    limits = row.posterior_lower, row.posterior_upper
    return Line(row.label, (Interval(row.observed, *limits, _WITHIN if row.posterior_within else _OUTSIDE,
                                     interval_text(row.observed, *limits, RATE, scale),
                                     behind=(row.prior_lower, row.prior_upper)),),
                color=style.INK if row.posterior_within else style.ALARM)
