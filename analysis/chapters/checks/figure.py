"""Every report within what prior and posterior predict for a study of its size."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from analysis.chapters.checks.rows import COMPUTED, PREDICTIONS
from analysis.drawing import style
from analysis.drawing.predictions import Prediction, draw_predictions
from analysis.results.numbers import Scale, level_text
from analysis.results.table import plain_rows

if TYPE_CHECKING:
    import pandas as pd

_LOOKS = ((style.RULE, 7.0), (style.SHRUNKEN, 2.6))


def draw_checks(frame: "pd.DataFrame", *, names: Mapping[str, str], scales: Mapping[str, Scale],
                stamp: str = "") -> Figure:
    """One panel per endpoint, its studies from the smallest report to the largest.

    Parameters
    ----------
    frame : data frame
        As checks.csv, with at least one study that is computed.
    names, scales : mapping of str to str and to Scale
        Labels of endpoints and units of their rates.
    """
    drawn = frame[frame["status"] == COMPUTED]
    rows: dict[str, list[Prediction]] = {}
    for row in plain_rows(drawn.sort_values("observed", kind="stable")):
        intervals = tuple((getattr(row, f"{name}_lower"), getattr(row, f"{name}_upper")) for name in PREDICTIONS)
        rows.setdefault(row.endpoint, []).append(Prediction(row.observed, intervals, not row.posterior_within))
    level = " or ".join(sorted(map(level_text, drawn["level"].unique())))
    return draw_predictions({endpoint: rows[endpoint] for endpoint in drawn["endpoint"].unique()}, _LOOKS, names=names,
                            scales=scales, title="What was reported within what is predicted", stamp=stamp, notes=[
        f"Lines: {level} of further studies of the same size; grey before the data, blue by the posterior.",
        "Discs: each study's report, rate or survival, from the smallest to the largest. Red: outside the blue line."])
