"""A planned trial: the prior of its rate, and how often its rule succeeds at each true rate."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.page import new_page
from analysis.drawing.style import MARGIN, WIDTH
from analysis.results.design import sentences
from analysis.results.numbers import PERCENT

if TYPE_CHECKING:
    import pandas as pd

    from analysis.planning.plans import Design

_HEIGHT, _LEFT, _GAP, _BOTTOM = 2.4, 0.95, 0.75, 0.75
_LOOKS = {"robust": (style.SHRUNKEN, "-"), "predictive": (style.PREDICTION, "--"), "uniform": (style.PUBLISHED, ":")}


def draw_design(frame: "pd.DataFrame", design: "Design", *, title: str) -> Figure:
    """The expected counts above, the operating characteristics below, with the threshold in both.

    Parameters
    ----------
    frame : data frame
        As design.ENDPOINT.csv.
    """
    plan = design.plan
    with style.styled():
        page = new_page(2 * _HEIGHT + _GAP + _BOTTOM, title=f"{title}: a trial of {plan.n} patients",
                        notes=sentences(design)[1:])
        above, below = (page.axes(_LEFT, page.top + at * (_HEIGHT + _GAP), WIDTH - _LEFT - 2.0 * MARGIN, _HEIGHT)
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
            _threshold(axes, plan.threshold)
        return page.figure


def _threshold(axes: Axes, threshold: float) -> None:
    axes.axvline(threshold, color=style.ALARM, linewidth=1.8, linestyle=(0, (4, 2)))
    fit_axis(axes, [0.0, 1.0], PERCENT, unit="%")
