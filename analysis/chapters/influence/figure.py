"""A map of each endpoint's studies: how surprising they are to the others, and how far the answer hangs on them.

References
----------
Baujat B, Mahe C, Pignon JP, Hill C. Stat Med 2002;21:2641, doi 10.1002/sim.1221 (the frequentist original).
"""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.chapters.influence.rows import surprise
from analysis.drawing import style
from analysis.drawing.labels import Point, name_points
from analysis.drawing.panels import MAX_PANELS, listed, panels
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.table import COMPUTED
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
_NAMED_BITS = surprise(NAMED_BELOW)
_LEAST_X, _LEAST_Y = 5.2, 0.5
_AREA_PER_PATIENT, _MOST_PATIENTS = 6.0, 250  # square points; larger discs would hide others
_ODDS = (1, 2, 5, 10, 20, 50, 100, 1_000, 10_000, 100_000)
_MOST_TICKS = 7


def mapped(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of influence.csv that are drawn: computed ones of endpoints with at least three studies."""
    return frame[(frame["status"] == COMPUTED) & (frame["k_studies"] >= FEWEST)]


def draw_baujat(frame: "pd.DataFrame", *, labels: Labels) -> Figure:
    """One panel per endpoint, on common axes: surprise against the shift of the pooled median.

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
    notes = ["Across: a result as far from what the other studies predict comes once in so many studies (the inverse "
             "of the two-sided predictive probability).",
             "Up: how far the pooled median moves when the study is left out, in posterior SDs.",
             f"Dashed: one in {1.0 / NAMED_BELOW:.0f}. Red diamonds: beyond it. Areas grow with the patients of the "
             f"study, up to {_MOST_PATIENTS}.",
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
    axes.set_xlabel("one in so many studies", labelpad=2)
    odds = [count for count in _ODDS if surprise(1.0 / count) <= x_limit]
    odds = odds if len(odds) <= _MOST_TICKS else odds[::2]
    axes.set_xticks([surprise(1.0 / count) for count in odds], [f"{count:,}" for count in odds])
    for disc in discs.sort_values("n", ascending=False, kind="stable").itertuples():
        axes.scatter([disc.surprise_bits], [disc.up], s=disc.area, color=disc.color, alpha=0.55, linewidths=1.0,
                     marker="D" if disc.named else "o", edgecolors=disc.color, zorder=3, clip_on=False)
    distance = np.hypot(discs["surprise_bits"] / x_limit, discs["shift_sd"] / y_limit) + 10.0 * discs["named"]
    ordered = discs.loc[distance.sort_values(ascending=False, kind="stable").index]
    name_points(axes, [Point(disc.surprise_bits, disc.up, disc.area, disc.label,
                             style.ALARM if disc.named else style.INK) for disc in ordered.itertuples()])
