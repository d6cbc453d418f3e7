"""Funnels in the model's own terms: each study against the prediction limits for a study of its size."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.panels import LETTERS, MAX_PANELS, SMALL_LETTERS, listed, panels
from analysis.drawing.sheet import wrapped
from analysis.results.numbers import PERCENT, Scale, level_text

Row = Mapping[str, Any]

FEWEST = 5
_NAMED_BELOW = 0.05
_TICKS = tuple(factor * 10**power for power in range(9) for factor in (1, 2, 5))
_FEWEST_TICKS, _MOST_TICKS = 3, 9


def is_drawn(rows: Sequence[Row]) -> bool:
    """Whether any endpoint has studies enough for a funnel."""
    return bool(_drawn(rows))


def draw_funnel(rows: Sequence[Row], *, names: Mapping[str, str] | None = None, title: str = "",
                stamp: str = "", scales: Mapping[str, Scale] | None = None) -> Figure:
    """One panel per endpoint: observed rate or survival against the size of the study, in the predictive funnel.

    Parameters
    ----------
    rows : sequence of rows
        As in small_studies.csv; at least one endpoint has five studies and limits (see `is_drawn`).
    names : mapping of str to str
        Labels of endpoints by their keys; a key without one stands for itself.
    scales : mapping of str to Scale
        Units in which the rates of the endpoints are read.
    """
    names = names or {}
    shown = _drawn(rows)[:MAX_PANELS]
    left = [_name(names, endpoint) for endpoint in dict.fromkeys(row["endpoint"] for row in rows)
            if endpoint not in shown]
    level = " or ".join(sorted({level_text(row["level"]) for row in rows if row["part"] == "limit"}))
    notes = [f"Shaded: {level} of further studies of each size, by the headline posterior; line: their median.",
             "Near 0 and 100 % honest funnels are lopsided: asymmetry alone is no sign of missing studies.",
             "Red: surprising to the other studies, two-sided predictive probability below 0.05.",
             "Up: patients; for survival 1/SE² of the log hazard, about the number of events.",
             *listed(left, before=f"Not drawn, none computed or fewer than {FEWEST} studies")]
    with style.styled():
        figure, axes = panels([_name(names, endpoint) for endpoint in shown], title=title, notes=notes, stamp=stamp)
        for endpoint, found in zip(shown, axes, strict=True):
            _panel(found, [row for row in rows if row["endpoint"] == endpoint], (scales or {}).get(endpoint, PERCENT))
        return figure


def _name(names: Mapping[str, str], endpoint: str) -> str:
    return names.get(endpoint) or endpoint.replace("_", " ").capitalize()


def _drawn(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["endpoint"] for row in rows if row["part"] == "limit"
                              and row["k_studies"] >= FEWEST))


def _panel(axes: Axes, rows: Sequence[Row], scale: Scale) -> None:
    limits = [row for row in rows if row["part"] == "limit"]
    studies = [row for row in rows if row["part"] == "study"]
    sizes = [row["precision"] for row in limits]
    lower, middle, upper = ([row[name] for row in limits]
                            for name in ("predicted_lower", "predicted", "predicted_upper"))
    axes.fill_betweenx(sizes, lower, upper, color=style.PREDICTION, alpha=0.14, linewidth=0.0, zorder=1)
    for edge in (lower, upper):
        axes.plot(edge, sizes, color=style.PREDICTION, linewidth=1.6, zorder=2)
    axes.plot(middle, sizes, color=style.PREDICTION, linewidth=1.2, linestyle=(0, (4, 3)), zorder=2)
    for row in studies:
        color = style.ALARM if row["two_sided"] < _NAMED_BELOW else style.RAW
        axes.plot([row["observed"]], [row["precision"]], "o", markersize=9, color=color, markeredgecolor="white",
                  markeredgewidth=0.9, zorder=4, clip_on=False)
    low, high = fit_axis(axes, [*lower, *upper, *(row["observed"] for row in studies)], scale,
                         whole=(0.0, 0.25, 0.5, 0.75, 1.0), most=4, unit="%" if scale == PERCENT else "")
    _axes(axes, rows, min(sizes), max([*sizes, *(row["precision"] for row in studies)]), scale)
    for row in studies:
        if row["two_sided"] < _NAMED_BELOW:
            _label(axes, row, (low + high) / 2.0)


def _axes(axes: Axes, rows: Sequence[Row], low: float, high: float, scale: Scale) -> None:
    axes.set_yscale("function", functions=(_root, _square))
    axes.set_ylim(low, high * 1.03)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    if len(ticks) < _FEWEST_TICKS:
        ticks = [int(tick) for tick in MaxNLocator(4, integer=True).tick_values(low, high) if low <= tick <= high]
    ticks = ticks[::-1][::-(-len(ticks) // _MOST_TICKS)][::-1]  # the root leaves room for a few small ones only
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    survival = any(row["estimand"] == "survival" for row in rows)
    axes.set_ylabel("1/SE²" if survival else "patients", fontsize=SMALL_LETTERS)
    months = next((row["time_months"] for row in rows if row["time_months"]), None)
    what = f"survival at {months:g} months" if months else "" if scale == PERCENT else "rate"
    if what:
        unit = "" if scale == PERCENT else f" {scale.unit}"
        axes.set_xlabel(f"{what}{unit}", fontsize=SMALL_LETTERS, labelpad=2)


def _root(value: Any) -> Any:
    return abs(value) ** 0.5


def _square(value: Any) -> Any:
    return value**2


def _label(axes: Axes, row: Row, middle: float) -> None:
    right = row["observed"] > middle
    axes.annotate(wrapped(row["label"], 18, 1), (row["observed"], row["precision"]), xytext=(-9 if right else 9, 0),
                  textcoords="offset points", ha="right" if right else "left", va="center", color=style.ALARM,
                  fontsize=LETTERS - 2.5, zorder=5)
