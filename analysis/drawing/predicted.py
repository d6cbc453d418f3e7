"""The predictive distribution of a further study's report, with the report in it."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.page import new_page
from analysis.drawing.style import MARGIN, WIDTH
from analysis.results.numbers import PERCENT

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT, _LEFT, _BOTTOM = 3.2, 0.95, 0.75
_NEGLIGIBLE = 1e-4


def draw_predicted(frame: "pd.DataFrame", *, title: str, reported: float, limits: tuple[float, float], axis: str,
                   notes: list[str]) -> Figure:
    """One bar for each possible count, pale outside the limits of the prediction, and a mark for the report.

    Parameters
    ----------
    frame : data frame
        As predicted.ENDPOINT.csv.
    reported : float
        Proportion.
    limits : (float, float)
        Of the prediction, proportions.
    """
    with style.styled():
        page = new_page(_HEIGHT + _BOTTOM, title=title, notes=notes)
        axes = page.axes(_LEFT, page.top, WIDTH - _LEFT - MARGIN, _HEIGHT)
        width = 0.8 / (len(frame) - 1)
        inside = frame["proportion"].between(limits[0] - 1e-9, limits[1] + 1e-9)
        for rows, alpha in ((frame[inside], 0.9), (frame[~inside], 0.35)):
            axes.bar(rows["proportion"], rows["probability"], width, color=style.PREDICTION, alpha=alpha, linewidth=0)
        axes.axvline(reported, color=style.ALARM, linewidth=2.4)
        top = 1.12 * frame["probability"].max()
        axes.set_ylim(0.0, top)
        axes.text(reported, top, " reported", color=style.ALARM, va="top",
                  ha="left" if reported < 0.8 else "right", fontsize=style.SMALL)
        likely = frame.loc[frame["probability"] > _NEGLIGIBLE, "proportion"]
        fit_axis(axes, [*likely, reported], PERCENT, room=0.04, unit="%")
        axes.set_xlabel(axis)
        axes.set_ylabel("probability")
        return page.figure
