"""A map of each endpoint's studies: how surprising they are to the others, and how far the answer hangs on them.

References
----------
Baujat B, Mahe C, Pignon JP, Hill C. Stat Med 2002;21:2641, doi 10.1002/sim.1221 (the frequentist original).
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.chapters.influence.rows import COMPUTED
from analysis.chapters.influence.surprise import surprise
from analysis.drawing import style
from analysis.drawing.labels import Disc, places
from analysis.drawing.page import wrapped
from analysis.drawing.panels import MAX_PANELS, PLOT_HEIGHT, PLOT_WIDTH, listed, panels
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
_NAMED_BITS = surprise(NAMED_BELOW)
_LABELS = 2
_LEAST_X, _LEAST_Y = 5.2, 0.5
_AREA_PER_PATIENT, _MOST_PATIENTS = 6.0, 250  # square points; larger discs would hide others
_POINTS_PER_INCH = 72.0
_LABEL = style.TEXT - 2.5
_LETTER, _LINE = 0.118, 0.2  # inches of a letter and a line of a label


def mapped(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of influence.csv that are drawn: computed ones of endpoints with at least three studies."""
    return frame[(frame["status"] == COMPUTED) & (frame["k_studies"] >= FEWEST)]


def draw_baujat(frame: "pd.DataFrame", *, labels: Labels) -> Figure:
    """One panel per endpoint, on common axes: surprise in bits against the shift of the pooled median.

    Parameters
    ----------
    frame : data frame
        As influence.csv; at least one endpoint is mapped.
    """
    discs = mapped(frame)
    discs = discs.assign(up=discs["shift_sd"].abs(), area=_AREA_PER_PATIENT * discs["n"].clip(upper=_MOST_PATIENTS),
                         color=np.where(discs["named"], style.ALARM, style.SHRUNKEN))
    shown = list(discs["endpoint"].unique())[:MAX_PANELS]
    discs = discs[discs["endpoint"].isin(shown)]
    limits = (max(_LEAST_X, 1.08 * discs["surprise_bits"].max()), max(_LEAST_Y, 1.15 * discs["up"].max()))
    left = [labels.endpoints[endpoint] for endpoint in frame["endpoint"].unique() if endpoint not in shown]
    notes = ["Across: surprise of the study to the others, in bits; each bit is a halving of its chance.",
             "Up: shift of the pooled median when the study is left out, in posterior SDs.",
             f"Dashed: two-sided predictive probability {NAMED_BELOW:g} ({_NAMED_BITS:.1f} bits). Red: beyond it.",
             f"Areas grow with the patients of the study, up to {_MOST_PATIENTS}.",
             *listed(left, before=f"Not drawn, none computed or fewer than {FEWEST} studies")]
    with style.styled():
        figure, axes = panels([labels.endpoints[endpoint] for endpoint in shown], title="Influence and surprise",
                              notes=notes, stamp=labels.stamp)
        for endpoint, panel in zip(shown, axes, strict=True):
            _panel(panel, discs[discs["endpoint"] == endpoint], *limits)
        return figure


def _panel(axes: Axes, discs: "pd.DataFrame", x_limit: float, y_limit: float) -> None:
    axes.set_xlim(-0.02 * x_limit, x_limit)
    axes.set_ylim(0.0, y_limit)
    axes.axvline(_NAMED_BITS, color=style.ALARM, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.set_ylabel("shift, SD")
    axes.set_xlabel("surprise, bits", labelpad=2)
    for disc in discs.sort_values("n", ascending=False, kind="stable").itertuples():
        axes.scatter([disc.surprise_bits], [disc.up], s=disc.area, color=disc.color, alpha=0.55, linewidths=1.0,
                     edgecolors=disc.color, zorder=3, clip_on=False)
    _labels(axes, discs, x_limit, y_limit)


def _labels(axes: Axes, discs: "pd.DataFrame", x_limit: float, y_limit: float) -> None:
    """Names of the named studies and of the outermost other ones, where there is room."""
    distance = np.hypot(discs["surprise_bits"] / x_limit, discs["shift_sd"] / y_limit) + 10.0 * discs["named"]
    ordered = list(discs.assign(distance=distance).sort_values("distance", ascending=False, kind="stable").itertuples())
    across, up = PLOT_WIDTH / (1.02 * x_limit), PLOT_HEIGHT / y_limit
    inches = [Disc((disc.surprise_bits + 0.02 * x_limit) * across, disc.up * up,
                   math.sqrt(disc.area / math.pi) / _POINTS_PER_INCH) for disc in ordered]
    texts = [wrapped(disc.label, 20, 1) if disc.named or at < _LABELS else None for at, disc in enumerate(ordered)]
    spots = places(inches, texts, width=PLOT_WIDTH, height=PLOT_HEIGHT, letter=_LETTER, line=_LINE)
    for disc, text, spot in zip(ordered, texts, spots, strict=True):
        if spot:
            axes.text(spot.x / across - 0.02 * x_limit, spot.y / up, text, ha=spot.align, va="center",
                      fontsize=_LABEL, color=style.ALARM if disc.named else style.INK, zorder=5,
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6})
