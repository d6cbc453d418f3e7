"""Funnels in the model's own terms: each study against the prediction limits for a study of its size."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.chapters.small_studies.rows import LIMIT, STUDY
from analysis.drawing import style
from analysis.drawing.axis import fit_axis, placed
from analysis.drawing.labels import Point, name_points
from analysis.drawing.panels import MAX_PANELS, listed, panels
from analysis.results.numbers import PERCENT, Scale, estimand_text, level_text
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 5
_NAMED_BELOW = 0.05
_MARK = 9.0  # points
_TICKS = tuple(factor * 10**power for power in range(9) for factor in (1, 2, 5))
_FEWEST_TICKS, _MOST_TICKS = 3, 9


def drawn_endpoints(frame: "pd.DataFrame") -> list[str]:
    """Endpoints of small_studies.csv that have limits and at least five studies."""
    return list(frame["endpoint"][(frame["part"] == LIMIT) & (frame["k_studies"] >= FEWEST)].unique())


def draw_funnel(frame: "pd.DataFrame", *, labels: Labels) -> Figure:
    """One panel per endpoint: observed rate or survival against the size of the study, in the predictive funnel.

    Parameters
    ----------
    frame : data frame
        As small_studies.csv; at least one endpoint is drawn.
    """
    shown = drawn_endpoints(frame)[:MAX_PANELS]
    left = [labels.endpoints[endpoint] for endpoint in frame["endpoint"].unique() if endpoint not in shown]
    level = " or ".join(sorted(map(level_text, frame["level"][frame["part"] == LIMIT].unique())))
    notes = [f"Shaded: {level} of further studies of each size, by the headline posterior; line: their median.",
             "Near 0 and 100 % honest funnels are lopsided: asymmetry alone is no sign of missing studies.",
             f"Red diamonds: surprising to the other studies, two-sided predictive probability below {_NAMED_BELOW:g}.",
             "Up: patients; for survival 1/SE² of the log hazard, which is about the number of events.",
             *listed(left, before=f"Not drawn, none computed or fewer than {FEWEST} studies")]
    with style.styled():
        figure, axes = panels([labels.endpoints[endpoint] for endpoint in shown], title="Predictive funnels",
                              notes=notes, stamp=labels.stamp)
        for endpoint, panel in zip(shown, axes, strict=True):
            _panel(panel, frame[frame["endpoint"] == endpoint], labels.scales[endpoint])
        return figure


def _panel(axes: Axes, rows: "pd.DataFrame", scale: Scale) -> None:
    funnel, studies = (placed(rows[rows["part"] == part], scale, "observed predicted predicted_lower predicted_upper")
                       for part in (LIMIT, STUDY))
    lower, upper, sizes = funnel["predicted_lower"], funnel["predicted_upper"], funnel["precision"]
    axes.fill_betweenx(sizes, lower, upper, color=style.PREDICTION, alpha=0.14, linewidth=0.0, zorder=1)
    for edge in (lower, upper):
        axes.plot(edge, sizes, color=style.PREDICTION, linewidth=1.6, zorder=2)
    axes.plot(funnel["predicted"], sizes, color=style.PREDICTION, linewidth=1.2, linestyle=(0, (4, 3)), zorder=2)
    fit_axis(axes, [*lower, *upper, *studies["observed"]], scale, most=4,
             unit="%" if scale == PERCENT else "")
    _sizes(axes, sizes.min(), max(sizes.max(), studies["precision"].max()))
    _axis_labels(axes, rows["time_months"].iloc[0], scale)
    points = []
    for study in studies.sort_values("two_sided", kind="stable").itertuples():
        color, mark = (style.ALARM, "D") if study.two_sided < _NAMED_BELOW else (style.RAW, "o")
        axes.plot([study.observed], [study.precision], mark, markersize=_MARK, color=color,
                  markeredgecolor="white", markeredgewidth=0.9, zorder=4, clip_on=False)
        points.append(Point(study.observed, study.precision, _MARK**2, study.label, color))
    name_points(axes, points)


def _sizes(axes: Axes, low: float, high: float) -> None:
    """An axis that goes up by the root of the size, with ticks at round numbers."""
    axes.set_yscale("function", functions=(lambda size: np.sqrt(np.abs(size)), np.square))
    axes.set_ylim(low, high * 1.03)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    if len(ticks) < _FEWEST_TICKS:
        ticks = [int(tick) for tick in MaxNLocator(4, integer=True).tick_values(low, high) if low <= tick <= high]
    ticks = ticks[::-1][::-(-len(ticks) // _MOST_TICKS)][::-1]  # the root leaves room for a few small ones only
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()


def _axis_labels(axes: Axes, months: float, scale: Scale) -> None:
    survival = np.isfinite(months)
    axes.set_ylabel("events, about" if survival else "patients")
    name = estimand_text(months, scale) if survival else "" if scale == PERCENT else "rate"
    if name:
        unit = "" if scale == PERCENT else f" {scale.unit}"
        axes.set_xlabel(f"{name}{unit}", labelpad=2)
