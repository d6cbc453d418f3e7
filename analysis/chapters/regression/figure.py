"""Bubble plots of one endpoint: its studies over each covariate, with the regression line and its band."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.chapters.regression.rows import CAVEAT
from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import new_figure, wrapped
from analysis.results.numbers import PERCENT, RATIO, Scale, chance, counted, interval_text, level_text, safe

Row = Mapping[str, Any]

LARGEST_CIRCLE = 260.0
"""Area of the largest study's circle, in square points."""

# Two columns of a narrow page: on the screen of a telephone the smallest text is still seven pixels high.
_WIDTH, _COLUMNS = 6.8, 2
_TITLE, _TEXT = 12.5, 9.5
_TOP, _PANEL, _FOOT = 0.62, 2.6, 1.2
_LEFT, _GAP, _RIGHT = 0.68, 0.62, 0.16
_ABOVE, _BELOW = 0.5, 0.55
_UNDER_FIVE = 5
_BELOW_LETTERS = 46


def bubble_content(found: Any, *, label: str, stamp: str = "", scale: Scale = PERCENT) -> dict[str, Any]:
    """The arguments of `draw_bubbles` as plain values, from `analysis.chapters.regression.running.Regressed`."""
    return {"studies": [dict(row) for row in found.studies], "slopes": [dict(row) for row in found.slopes],
            "predictions": [dict(row) for row in found.predictions], "imputed": [dict(row) for row in found.imputed],
            "label": label, "horizon": found.horizon, "stamp": stamp, "scale": scale,
            "detail": f"{counted(found.n_studies, 'study', 'studies')}, {counted(found.n_patients, 'patient')}, "
                      f"{found.model.replace('_', '-')} regression"}


def draw_bubbles(*, studies: Sequence[Row], slopes: Sequence[Row], predictions: Sequence[Row],
                 imputed: Sequence[Row], label: str, detail: str = "", horizon: float | None = None,
                 stamp: str = "", scale: Scale = PERCENT) -> Figure:
    """One panel per covariate.

    Parameters
    ----------
    studies : sequence of rows
        As in `Regressed.studies`: raw, n and `values`, the covariates by name.
    slopes, predictions, imputed : sequence of rows
        As in regression.csv and its companions; the slopes of one covariate at a time are drawn.
    horizon : float or None
        Months at which survival is read, None for rates.
    stamp : str
        Empty, or QUICK.
    scale : Scale
        The unit in which the endpoint's rates are read.
    """
    drawn = [row for row in slopes if row["analysis"] == "one_at_a_time"]
    lines = math.ceil(len(drawn) / _COLUMNS)
    height = _TOP + lines * _PANEL + _FOOT
    with style.styled():
        figure = new_figure(height, width=_WIDTH)
        _head(figure, label, detail, stamp)
        heights = [*(row["raw"] for row in studies),
                   *(row[limit] for row in predictions for limit in ("lower", "upper"))]
        largest = max((row["n"] for row in studies), default=1)
        for at, slope in enumerate(drawn):
            name = slope["covariate"]
            what = "Rate" if horizon is None else f"Survival at {horizon:g} months"
            axes = _panel(figure, at, f"{what}{scale.of_a_rate}")
            fit_axis(axes, heights, scale, whole=(0.0, 0.25, 0.5, 0.75, 1.0), across=False, room=0.03)
            _titles(axes, slope)
            _curve(axes, [row for row in predictions if row["covariate"] == name])
            _circles(axes, studies, name, largest)
            _imputed(axes, [row for row in imputed if row["covariate"] == name], studies, largest)
            _x_axis(axes, studies, name)
        _foot(figure, drawn, bool(imputed))
        return figure


def _head(figure: Figure, label: str, detail: str, stamp: str) -> None:
    height = figure.get_size_inches()[1]
    figure.text(0.12 / _WIDTH, 1 - 0.2 / height, wrapped(label, 52, 1), fontsize=_TITLE, fontweight="bold", va="center")
    figure.text(0.12 / _WIDTH, 1 - 0.46 / height, wrapped(detail, 90, 1), fontsize=_TEXT, color=style.FAINT,
                va="center")
    if stamp:
        figure.text(1 - 0.15 / _WIDTH, 1 - 0.46 / height, safe(stamp), ha="right", va="center", fontsize=_TEXT,
                    fontweight="bold", color="white",
                    bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})


def _panel(figure: Figure, at: int, y_label: str) -> Axes:
    height = figure.get_size_inches()[1]
    line, column = divmod(at, _COLUMNS)
    width = (_WIDTH - _LEFT - _RIGHT - (_COLUMNS - 1) * _GAP) / _COLUMNS
    bottom = height - _TOP - (line + 1) * _PANEL + _BELOW
    axes = figure.add_axes(((_LEFT + column * (width + _GAP)) / _WIDTH, bottom / height, width / _WIDTH,
                            (_PANEL - _ABOVE - _BELOW) / height))
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    axes.grid(color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, labelsize=_TEXT)
    if column == 0:
        axes.set_ylabel(y_label, fontsize=_TEXT)
    return axes


def _titles(axes: Axes, slope: Row) -> None:
    """The covariate, and below it the ratio or why there is none."""
    if slope["status"] == "converged":
        ratio = interval_text(slope["ratio_median"], slope["ratio_lower"], slope["ratio_upper"], RATIO)
        below, color = f"{slope['ratio_scale'].replace('_', ' ')} {ratio}", style.SHRUNKEN
        above_one = f", P(>1) {chance(slope['probability_above_one'])}"
        below += above_one if len(below + above_one) <= _BELOW_LETTERS else ""
    else:
        below = "too few studies for a slope" if slope["refused"] else slope["status"]
        color = style.FAINT if slope["refused"] else style.ALARM
    if slope["unit"]:
        axes.set_xlabel(wrapped(f"one unit: {slope['unit']}", 40, 1), fontsize=_TEXT, color=style.FAINT, labelpad=2.0)
    for up, text, weight, ink in ((17.0, wrapped(slope["label"], 34, 1), "bold", style.INK),
                                  (4.5, safe(below), "normal", color)):
        axes.annotate(text, (0.0, 1.0), (0.0, up), xycoords="axes fraction", textcoords="offset points",
                      fontsize=_TEXT - 0.4, fontweight=weight, color=ink, annotation_clip=False)


def _curve(axes: Axes, rows: Sequence[Row]) -> None:
    if rows:
        x, name = [row["value"] for row in rows], rows[0]["covariate"]
        axes.fill_between(x, [row["lower"] for row in rows], [row["upper"] for row in rows], color=style.SHRUNKEN,
                          alpha=0.16, linewidth=0, gid=f"band.{name}")
        axes.plot(x, [row["median"] for row in rows], color=style.SHRUNKEN, linewidth=1.8, gid=f"curve.{name}")


def _circles(axes: Axes, studies: Sequence[Row], name: str, largest: int) -> None:
    seen = [row for row in studies if row["values"].get(name) is not None]
    axes.scatter([row["values"][name] for row in seen], [row["raw"] for row in seen],
                 s=[LARGEST_CIRCLE * row["n"] / largest for row in seen], facecolor=style.RAW, edgecolor="white",
                 linewidth=0.8, alpha=0.55, zorder=3, clip_on=False, gid=f"circles.{name}")


def _imputed(axes: Axes, rows: Sequence[Row], studies: Sequence[Row], largest: int) -> None:
    raw = {row["study_id"]: row["raw"] for row in studies}
    for row in rows:
        y = raw[row["study_id"]]
        axes.plot([row["lower"], row["upper"]], [y, y], color=style.PUBLISHED, linewidth=1.2, zorder=4)
        axes.scatter([row["median"]], [y], s=max(LARGEST_CIRCLE * row["n"] / largest, 24.0), marker="D",
                     facecolor="white", edgecolor=style.PUBLISHED, linewidth=1.3, zorder=5, clip_on=False,
                     gid=f"imputed.{row['covariate']}.{row['study_id']}")


def _x_axis(axes: Axes, studies: Sequence[Row], name: str) -> None:
    """Ticks at the values themselves where they are few, such as years or shares, else as matplotlib sets them."""
    values = sorted({row["values"][name] for row in studies if row["values"].get(name) is not None})
    if values and len(values) <= _UNDER_FIVE and all(value == round(value) for value in values):
        low, high = values[0], values[-1]
        pad = 0.12 * max(high - low, 1.0)
        axes.set_xlim(min(low - pad, axes.get_xlim()[0]), max(high + pad, axes.get_xlim()[1]))
        axes.set_xticks(values, [f"{value:g}" for value in values])
    else:
        axes.margins(x=0.08)
        axes.locator_params(axis="x", nbins=5)


def _foot(figure: Figure, slopes: Sequence[Row], imputed: bool) -> None:
    height = figure.get_size_inches()[1]
    level = level_text(next((row["level"] for row in slopes if row.get("level")), None))
    marks = [Line2D([], [], linestyle="none", marker="o", markersize=8, markerfacecolor=style.RAW, alpha=0.55,
                    markeredgecolor="white", label="study (area: patients)")]
    if level:
        marks += [Line2D([], [], color=style.SHRUNKEN, linewidth=1.8, label="posterior median"),
                  Patch(facecolor=style.SHRUNKEN, alpha=0.16, label=f"{level} credible band")]
    if imputed:
        marks.append(Line2D([], [], color=style.PUBLISHED, linewidth=1.2, marker="D", markersize=6,
                            markerfacecolor="white", label=f"covariate not reported: imputed, {level} interval"))
    figure.legend(handles=marks, loc="lower left", bbox_to_anchor=(0.0, 0.56 / height), ncols=2, frameon=False,
                  fontsize=_TEXT, columnspacing=1.2, handlelength=1.8)
    figure.text(0.12 / _WIDTH, 0.12 / height, wrapped(CAVEAT, 96, 3), fontsize=_TEXT, color=style.FAINT, va="bottom",
                linespacing=1.2)
