"""One figure per endpoint of what its conclusion hangs on."""

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from analysis.chapters.sensitivity.rows import COMPUTED, HEADLINE, LABELS, rules_of
from analysis.drawing import style
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, Reference, draw_intervals
from analysis.drawing.page import left_out
from analysis.results.numbers import Scale, as_printed, counted, estimand_text, interval_text, level_text, signed
from analysis.results.table import plain_rows
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

MAX_LINES = 80
"""Variants drawn; a longer list ends with a line that says how many more the table has."""
_HEADLINE, _SAME, _CHANGED = Look(style.SHRUNKEN), Look(), Look(style.ALARM, "D", bold=True)


def draw_sensitivity(frame: "pd.DataFrame", *, labels: Labels) -> Figure:
    """Every variant of one endpoint beside the headline's interval and the published estimate.

    Parameters
    ----------
    frame : data frame
        Rows of sensitivity.csv for one endpoint, its headline first; see `rows.compared`.
    """
    rows = list(plain_rows(frame))
    headline, published = rows[0], [float(value) for value in (rows[0].published or "").split()]
    scale = labels.scales[headline.endpoint]
    blocks = [Block(tuple(_line(refit, scale) for refit in refits), "" if dimension == HEADLINE else LABELS[dimension])
              for dimension, refits in groupby(rows[:MAX_LINES], attrgetter("dimension"))]
    blocks += [Block((), note) for note in left_out(len(rows) - MAX_LINES)]
    references = (Reference(headline.lower, style.SHRUNKEN, headline.upper),
                  Reference(headline.median, style.SHRUNKEN, dotted=False),
                  *(Reference(value, style.PUBLISHED) for value in published))
    estimand = estimand_text(headline.time_months, scale).capitalize()
    return draw_intervals(
        [Plot(tuple(blocks), scale, f"{estimand}{scale.of_a_rate}", references, whole=False)],
        title=labels.endpoints[headline.endpoint], stamp=labels.stamp, notes=_notes(frame, headline, published, scale),
        heads=(f"{estimand}, {counted(headline.k_studies, 'study', 'studies')}", "", f"{scale.unit}, and change"))


def _line(refit: Any, scale: Scale) -> Line:
    if refit.status != COMPUTED:
        return Line(refit.variant, (Interval(None, None, None, Look(style.ALARM), refit.status),), color=style.INK)
    values = (refit.median, refit.lower, refit.upper)
    text = interval_text(*values, "proportion", scale)
    if refit.dimension == HEADLINE:
        return Line(LABELS[HEADLINE], (Interval(*values, _HEADLINE, text),))
    change = signed(refit.change / 100.0, "proportion", scale, like=values)
    return Line(refit.variant, (Interval(*values, _CHANGED if refit.changes else _SAME, text, change),))


def _notes(frame: "pd.DataFrame", headline: Any, published: list[float], scale: Scale) -> list[str]:
    """What the marks mean."""
    points = " in points" if scale.unit == "%" else ""
    dotted = ", ".join(as_printed(value, "probability", scale) for value in published)
    changing, variants = int(frame["changes"].sum()), counted(len(frame) - 1, "variant")
    return [f"Points: medians. Bars and band: {level_text(headline.level)} credible intervals, the band is the "
            f"headline's. Right: change of the median{points}. "
            + (f"Dotted: published, {dotted} {scale.unit}. " if published else "")
            + f"Red ({changing} of {variants}): a conclusion changes, where {rules_of(frame)}."]
