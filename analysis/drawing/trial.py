"""The next trial: a reported count in its predictive distribution, and how often the rule of a planned one succeeds."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.page import new_page
from analysis.drawing.style import MARGIN, WIDTH
from analysis.results import design as designs
from analysis.results import predicted as predictions
from analysis.results.numbers import PERCENT

if TYPE_CHECKING:
    import pandas as pd

    from analysis.inference.further import Further
    from analysis.planning.plans import Design

_LEFT, _BOTTOM = 0.95, 0.75
_PREDICTED, _DESIGN, _GAP = 3.2, 2.4, 0.75  # heights of plots
_NEGLIGIBLE = 1e-4
_LOOKS = {"robust": (style.SHRUNKEN, "-"), "predictive": (style.PREDICTION, "--"), "uniform": (style.PUBLISHED, ":")}


def draw_predicted(frame: "pd.DataFrame", answer: "Further") -> Figure:
    """One bar for each possible count, pale outside the limits of the prediction, and a mark for the report.

    Parameters
    ----------
    frame : data frame
        As predicted.ENDPOINT.csv.
    """
    report, expected = answer.report, answer.expectation
    with style.styled():
        page = new_page(_PREDICTED + _BOTTOM, title=f"{answer.case.selection.endpoint.label}: {report.report}",
                        notes=predictions.sentences(answer))
        axes = page.axes(_LEFT, page.top, WIDTH - _LEFT - MARGIN, _PREDICTED)
        width = 0.8 / (len(frame) - 1)
        inside = frame["proportion"].between(expected.lower - 1e-9, expected.upper + 1e-9)
        for rows, alpha in ((frame[inside], 0.9), (frame[~inside], 0.35)):
            axes.bar(rows["proportion"], rows["probability"], width, color=style.PREDICTION, alpha=alpha, linewidth=0)
        axes.axvline(report.observed, color=style.ALARM, linewidth=2.4)
        top = 1.12 * frame["probability"].max()
        axes.set_ylim(0.0, top)
        axes.text(report.observed, top, " reported", color=style.ALARM, va="top",
                  ha="left" if report.observed < 0.8 else "right", fontsize=style.SMALL)
        likely = frame.loc[frame["probability"] > _NEGLIGIBLE, "proportion"]
        fit_axis(axes, [*likely, report.observed], PERCENT, room=0.04, unit="%")
        axes.set_xlabel("rate of a further study" if report.months is None else
                        f"survival at {report.months:g} months")
        axes.set_ylabel("probability")
        return page.figure


def draw_design(frame: "pd.DataFrame", design: "Design") -> Figure:
    """The expected counts above, the operating characteristics below, with the threshold in both.

    Parameters
    ----------
    frame : data frame
        As design.ENDPOINT.csv.
    """
    plan, label = design.plan, design.case.selection.endpoint.label
    with style.styled():
        page = new_page(2 * _DESIGN + _GAP + _BOTTOM, title=f"{label}: a trial of {plan.n} patients",
                        notes=designs.sentences(design)[1:])
        above, below = (page.axes(_LEFT, page.top + at * (_DESIGN + _GAP), WIDTH - _LEFT - 2.0 * MARGIN, _DESIGN)
                        for at in (0, 1))
        counts = design.expected.probabilities
        above.bar(np.arange(plan.n + 1) / plan.n, counts, 0.8 / plan.n, color=style.PREDICTION, linewidth=0)
        above.set_ylabel("expected count")
        for name, (colour, line) in _LOOKS.items():
            below.plot(frame["rate"], frame[f"success_{name}"], color=colour, linestyle=line, linewidth=2.4,
                       label=f"{name} prior")
        below.set_ylabel("P(success)")
        below.set_ylim(0.0, 1.0)
        below.legend(loc="upper left" if design.above else "upper right", fontsize=style.SMALL, frameon=False)
        below.set_xlabel("true rate" if plan.months is None else f"true survival at {plan.months:g} months")
        for axes in (above, below):
            axes.axvline(plan.threshold, color=style.ALARM, linewidth=1.8, linestyle=(0, (4, 2)))
            fit_axis(axes, [0.0, 1.0], PERCENT, unit="%")
        return page.figure
