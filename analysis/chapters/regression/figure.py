"""Bubble plots of one endpoint: its studies over each covariate, with the regression line and its band."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.cases.regressions import ONE
from analysis.chapters.regression.rows import CAVEAT
from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.labels import Line, Point, name_points
from analysis.drawing.page import width_of, wrapped
from analysis.drawing.panels import MAX_PANELS, listed, panels
from analysis.results.numbers import PERCENT, RATIO, Scale, interval_text, level_text, safe
from analysis.results.table import Row

LARGEST_CIRCLE, _LEAST_DIAMOND = 300.0, 40.0
"""Area of the largest study's circle, in square points."""
Bounds = Mapping[str, tuple[float | None, float | None]]
_SHARE = (0.0, 1.0)
_FEW_TICKS = 5
_RATIO_LETTERS = 46
_GAP = 0.1  # between ticks, inches


def draw_bubbles(*, studies: Sequence[Row], slopes: Sequence[Row], predictions: Sequence[Row],
                 imputed: Sequence[Row], label: str, detail: str = "", bounds: Bounds = MappingProxyType({}),
                 horizon: float | None = None, stamp: str = "", scale: Scale = PERCENT) -> Figure:
    """One panel per covariate with enough studies for a slope; where none has, one for each.

    Parameters
    ----------
    studies : sequence of rows
        As in `Regressed.studies`: raw, n and `values`, the covariates by name.
    slopes, predictions, imputed : sequence of rows
        As in regression.csv and its companions; the slopes of one covariate at a time are drawn.
    bounds : mapping of str to (lowest, highest)
        Of each covariate, None where it has none: what is imputed is drawn as far as it is possible.
    horizon : float or None
        Months at which survival is read, None for rates.
    stamp : str
        Empty, or QUICK.
    scale : Scale
        The unit in which the endpoint's rates are read.
    """
    studies = [{**row, "raw": scale.place(row["raw"])} for row in studies]
    predictions = [{**row, **{name: scale.place(row[name]) for name in ("median", "lower", "upper")}}
                   for row in predictions]
    single = [slope for slope in slopes if slope["analysis"] == ONE]
    enough, few = ([slope for slope in single if bool(slope["refused"]) == refused] for refused in (False, True))
    enough, few = (enough, few) if enough else (few, [])
    drawn, rest = enough[:MAX_PANELS], [slope["label"] for slope in enough[MAX_PANELS:]]
    heights = [*(study["raw"] for study in studies),
               *(point[limit] for point in predictions for limit in ("lower", "upper"))]
    area = LARGEST_CIRCLE / max((study["n"] for study in studies), default=1)
    with style.styled():
        figure, axes = panels([slope["label"] for slope in drawn], title=label, stamp=stamp,
                              notes=[*_notes(drawn, detail, bool(imputed)), CAVEAT, *listed(rest, before="Not drawn"),
                                     *listed([slope["label"] for slope in few], before="Too few studies for a slope")])
        for slope, panel in zip(drawn, axes, strict=True):
            name = slope["covariate"]
            _words(panel, slope)
            fit_axis(panel, heights, scale, across=False, room=0.03)
            curve = _curve(panel, [point for point in predictions if point["covariate"] == name])
            limits = bounds.get(name, (None, None))
            _circles(panel, studies, name, area)
            diamonds, lines = _imputed(panel, [cell for cell in imputed if cell["covariate"] == name], studies, area,
                                       limits)
            _x_axis(panel, studies, name, limits)
            name_points(panel, [*(Point(study["values"][name], study["raw"], area * study["n"], study["label"])
                                  for study in sorted(studies, key=lambda study: -study["n"])
                                  if study["values"].get(name) is not None), *diamonds], lines=[*curve, *lines])
        what = "" if scale.months else "Rate" if horizon is None else f"Survival at {horizon:g} months"
        for panel in axes:
            panel.set_ylabel(f"{what}{scale.of_a_rate}".strip())
        return figure


def _notes(slopes: Sequence[Row], detail: str, imputed: bool) -> list[str]:
    level = level_text(next((slope["level"] for slope in slopes if slope.get("level")), None))
    scale = next((slope["ratio_scale"] for slope in slopes if slope.get("level")), "").replace("_", " ")
    curve = (f" Ratio: {scale} for the step behind it. Line and band: posterior median and {level} credible band."
             if level else "")
    diamonds = [f"Diamonds: covariate not reported, imputed with its {level} interval, cut at what is possible."] \
        if imputed else []
    return [f"{detail}. Circles: studies, areas grow with patients.{curve}", *diamonds]


def _words(axes: Axes, slope: Row) -> None:
    """The covariate, and below it the ratio with its step, or why there is none; the covariate below its axis."""
    if slope["status"] == "converged":
        ratio = interval_text(slope["ratio_median"], slope["ratio_lower"], slope["ratio_upper"], RATIO)
        step = f", {slope['unit']}" if slope["unit"] else ""
        below, color = f"ratio {ratio}{step}", style.SHRUNKEN
    else:
        below = "too few studies for a slope" if slope["refused"] else slope["status"]
        color = style.FAINT if slope["refused"] else style.ALARM
    axes.set_title(wrapped(slope["label"], 34, 1), fontsize=style.TEXT, fontweight="bold", loc="left", x=-0.13, pad=29)
    axes.annotate(wrapped(safe(below), _RATIO_LETTERS, 1), (-0.13, 1.0), (0.0, 12.0), xycoords="axes fraction",
                  textcoords="offset points", fontsize=style.SMALL, color=color, annotation_clip=False)
    axes.set_xlabel(wrapped(slope["label"], 40, 1), color=style.FAINT, labelpad=2.0)


def _curve(axes: Axes, points: Sequence[Row]) -> list[Line]:
    """The posterior curve with its band; the line that it is."""
    if points:
        name = points[0]["covariate"]
        value, lower, median, upper = ([point[of] for point in points] for of in ("value", "lower", "median", "upper"))
        axes.fill_between(value, lower, upper, color=style.SHRUNKEN, alpha=0.16, linewidth=0, gid=f"band.{name}")
        axes.plot(value, median, color=style.SHRUNKEN, linewidth=1.8, gid=f"curve.{name}")
        return [(value, median)]
    return []


def _circles(axes: Axes, studies: Sequence[Row], name: str, area: float) -> None:
    seen = [study for study in studies if study["values"].get(name) is not None]
    axes.scatter([study["values"][name] for study in seen], [study["raw"] for study in seen],
                 s=[area * study["n"] for study in seen], facecolor=style.RAW, edgecolor="white", linewidth=0.8,
                 alpha=0.55, zorder=3, clip_on=False, gid=f"circles.{name}")


def _imputed(axes: Axes, cells: Sequence[Row], studies: Sequence[Row], area: float,
             limits: tuple[float | None, float | None]) -> tuple[list[Point], list[Line]]:
    """What is imputed: diamonds, and the lines of their intervals."""
    raw, diamonds, lines = {study["study_id"]: study["raw"] for study in studies}, [], []
    for cell in cells:
        y = raw[cell["study_id"]]
        lower, middle, upper = np.clip([cell[name] for name in ("lower", "median", "upper")], *limits)
        lines.append(((lower, upper), (y, y)))
        axes.plot(*lines[-1], color=style.PUBLISHED, linewidth=1.2, zorder=4)
        diamonds.append(Point(middle, y, max(area * cell["n"], _LEAST_DIAMOND), cell["label"], style.PUBLISHED))
        axes.scatter([middle], [y], s=diamonds[-1].area, marker="D", facecolor="white",
                     edgecolor=style.PUBLISHED, linewidth=1.3, zorder=5, clip_on=False,
                     gid=f"imputed.{cell['covariate']}.{cell['study_id']}")
    return diamonds, lines


def _x_axis(axes: Axes, studies: Sequence[Row], name: str, limits: tuple[float | None, float | None]) -> None:
    """Shares from none to all; ticks at the values themselves where these are few and apart; else round numbers."""
    values = sorted({study["values"][name] for study in studies if study["values"].get(name) is not None})
    if limits == _SHARE:
        axes.set_xlim(-0.12, 1.12)
        axes.set_xticks([0.0, 0.5, 1.0], ["0", "50", "100 %"])
    elif values and len(values) <= _FEW_TICKS and _are_apart(axes, values):
        low, high = values[0], values[-1]
        pad = _pad(values)
        axes.set_xlim(min(low - pad, axes.get_xlim()[0]), max(high + pad, axes.get_xlim()[1]))
        axes.set_xticks(values, [f"{value:g}" for value in values])
    else:
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=5)
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high and tick == np.clip(tick, *limits)]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xlim(low, high)


def _pad(values: Sequence[float]) -> float:
    return 0.12 * max(values[-1] - values[0], 1.0)


def _are_apart(axes: Axes, values: Sequence[float]) -> bool:
    """Whether whole numbers, which increase, are far enough from each other to stand below the axis."""
    if any(value != round(value) for value in values):
        return False
    inch = (values[-1] - values[0] + 2.0 * _pad(values)) / (
        axes.get_position().width * axes.figure.get_size_inches()[0])
    widths = [width_of(f"{value:g}", style.SMALL) for value in values]
    return all(after - before >= inch * (0.5 * (left + right) + _GAP) for before, after, left, right in zip(
        values, values[1:], widths, widths[1:], strict=False))
