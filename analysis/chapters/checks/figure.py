"""Every report within what prior and posterior predict for a study of its size."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.chapters.checks.rows import PREDICTIONS
from analysis.drawing import style
from analysis.drawing.axis import fit_axis, placed
from analysis.drawing.panels import MAX_PANELS, listed, panels
from analysis.results.numbers import PERCENT, Scale, level_text
from analysis.results.table import COMPUTED
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

_ENDS = ("lower", "upper")
_LOOKS = dict(zip(PREDICTIONS, ((style.RULE, 7.0), (style.SHRUNKEN, 2.6)), strict=True))


def draw_checks(frame: "pd.DataFrame", *, labels: Labels) -> Figure:
    """One panel per endpoint, its studies from the smallest report to the largest.

    Parameters
    ----------
    frame : data frame
        As checks.csv, with at least one study that is computed.
    """
    checked = frame[frame["status"] == COMPUTED]
    endpoints = list(checked["endpoint"].unique())
    level = " or ".join(sorted(map(level_text, checked["level"].unique())))
    notes = [f"Lines: {level} of further studies of the same size; grey before the data, blue by the posterior.",
             "Discs: each study's report, rate or survival, from the smallest to the largest. Red: outside the blue "
             "line.", *listed([labels.endpoints[name] for name in endpoints[MAX_PANELS:]], before="In the table only")]
    with style.styled():
        figure, plots = panels([labels.endpoints[name] for name in endpoints[:MAX_PANELS]], notes=notes,
                               title="What was reported within what is predicted", stamp=labels.stamp)
        for name, axes in zip(endpoints[:MAX_PANELS], plots, strict=True):
            _panel(axes, checked[checked["endpoint"] == name].sort_values("observed", kind="stable"),
                   labels.scales[name])
        return figure


def _panel(axes: Axes, rows: "pd.DataFrame", scale: Scale) -> None:
    rows = placed(rows, scale, " ".join(["observed", *(f"{name}_{end}" for name in PREDICTIONS for end in _ENDS)]))
    # Before the data a rate may be almost anything: the axis need not hold that.
    ends = rows[[f"posterior_{limit}" for limit in _ENDS]].to_numpy().ravel()
    fit_axis(axes, [*ends, *rows["observed"]], scale, most=4, unit="%" if scale == PERCENT else "")
    axes.set_xlabel("" if scale == PERCENT else scale.unit, labelpad=2)
    axes.set_ylim(max(len(rows), 2), 0.0)
    axes.set_yticks([])
    for at, row in enumerate(rows.to_dict("records")):
        for name, (color, width) in _LOOKS.items():
            axes.plot([row[f"{name}_lower"], row[f"{name}_upper"]], [at + 0.5] * 2, color=color, linewidth=width,
                      solid_capstyle="butt", zorder=3)
        axes.plot([row["observed"]], [at + 0.5], "o", markersize=8, zorder=4, clip_on=False,
                  color=style.INK if row["posterior_within"] else style.ALARM)
