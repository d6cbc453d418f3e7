"""What later studies reported within what the review's studies predict."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from analysis.chapters.validation.rows import BESIDE, COMPUTED
from analysis.drawing import style
from analysis.drawing.predictions import Prediction, draw_predictions
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.numbers import Scale, level_text
from analysis.results.table import plain_rows

if TYPE_CHECKING:
    import pandas as pd

_LOOKS = ((style.SHRUNKEN, 2.6), (style.PREDICTION, 2.0), (style.PUBLISHED, 2.0))
_COLOURS = ("blue", "green", "orange")


def draw_validation(frame: "pd.DataFrame", *, names: Mapping[str, str], scales: Mapping[str, Scale],
                    stamp: str = "") -> Figure:
    """One panel per endpoint, a line per report for each model.

    Parameters
    ----------
    frame : data frame
        As validation.csv, with at least one report that is predicted.
    names, scales : mapping of str to str and to Scale
        Labels of endpoints and units of their rates.
    """
    drawn = frame[frame["status"] == COMPUTED]
    rows: dict[str, list[Prediction]] = {}
    for (endpoint, _), reports in drawn.groupby(["endpoint", "row"], sort=False):
        of_model = {row.model: row for row in plain_rows(reports)}
        first = next(iter(of_model.values()))
        others = (of_model.get(name) if name != first.model else None for name in BESIDE)
        intervals = tuple((row.lower, row.upper) if row else None for row in (first, *others))
        rows.setdefault(endpoint, []).append(Prediction(
            first.observed, intervals, first.named, f"{first.label}, {_short(first)}", not first.counted))
    level = " or ".join(sorted(map(level_text, drawn["level"].unique())))
    models = ", ".join(f"{colour} {name.replace('_', '-')}" for colour, name in zip(
        _COLOURS, ("headline model", *BESIDE), strict=True))
    return draw_predictions(rows, _LOOKS, names=names, scales=scales, title="Later studies, predicted", stamp=stamp,
                            notes=[
        f"Lines: {level} of further studies of the same size, by what the review's studies say ({models}).",
        f"Discs: reports, hollow if they do not count. Red: two-sided predictive probability below {NAMED_BELOW:g} by "
        "the headline model; half of what was seen counts, so that a disc at the end of its line can be red."])


def _short(row: Any) -> str:
    """A count, or the months of a survival, which the disc shows."""
    return row.report if row.months is None else f"{row.months:g} months"
