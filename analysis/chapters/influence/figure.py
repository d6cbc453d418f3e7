"""A map of each endpoint's studies: how surprising they are to the others, and how far the answer hangs on them.

References
----------
Baujat B, Mahe C, Pignon JP, Hill C. Stat Med 2002;21:2641, doi 10.1002/sim.1221 (the frequentist original).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.labels import Disc, places
from analysis.drawing.panels import LETTERS, MAX_PANELS, PLOT_HEIGHT, PLOT_WIDTH, SMALL_LETTERS, listed, panels
from analysis.drawing.sheet import wrapped

Row = Mapping[str, Any]

FEWEST = 3
_NAMED_BITS = -math.log2(0.05)
_LABELS = 2
_LEAST_X, _LEAST_Y = 5.2, 0.5
_AREA_PER_PATIENT, _MOST_PATIENTS = 6.0, 250  # square points
_POINTS_PER_INCH = 72.0
_LABEL = LETTERS - 2.5
_LETTER, _LINE = 0.118, 0.2  # inches of a letter and a line of a label


def is_drawn(rows: Sequence[Row]) -> bool:
    """Whether any endpoint has studies enough for a map."""
    return bool(_drawn(rows))


def draw_baujat(rows: Sequence[Row], *, names: Mapping[str, str] | None = None, title: str = "",
                stamp: str = "") -> Figure:
    """One panel per endpoint, on common axes: surprise in bits against the shift of the pooled median.

    Parameters
    ----------
    rows : sequence of rows
        As in influence.csv; at least one endpoint has three computed studies (see `is_drawn`).
    names : mapping of str to str
        Labels of endpoints by their keys; a key without one stands for itself.
    """
    names = names or {}
    groups = _drawn(rows)
    shown = dict(list(groups.items())[:MAX_PANELS])
    left = [_name(names, endpoint) for endpoint in dict.fromkeys(row["endpoint"] for row in rows)
            if endpoint not in shown]
    x_limit = max(_LEAST_X, 1.08 * max(row["surprise_bits"] for own in shown.values() for row in own))
    y_limit = max(_LEAST_Y, 1.15 * max(abs(row["shift_sd"]) for own in shown.values() for row in own))
    notes = ["Across: surprise of the study to the others, in bits; each bit is a halving of its chance.",
             "Up: shift of the pooled median when the study is left out, in posterior SDs.",
             f"Dashed: two-sided predictive probability 0.05 ({_NAMED_BITS:.1f} bits). Red: beyond it.",
             f"Areas grow with the patients of the study, up to {_MOST_PATIENTS}.",
             *listed(left, before=f"Not drawn, none computed or fewer than {FEWEST} studies")]
    with style.styled():
        figure, axes = panels([_name(names, endpoint) for endpoint in shown], title=title, notes=notes, stamp=stamp)
        for own, found in zip(shown.values(), axes, strict=True):
            _panel(found, own, x_limit, y_limit)
        return figure


def _name(names: Mapping[str, str], endpoint: str) -> str:
    return names.get(endpoint) or endpoint.replace("_", " ").capitalize()


def _drawn(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row["status"] == "computed" and row["k_studies"] >= FEWEST:
            groups.setdefault(row["endpoint"], []).append(row)
    return groups


def _panel(axes: Axes, rows: Sequence[Row], x_limit: float, y_limit: float) -> None:
    axes.set_xlim(-0.02 * x_limit, x_limit)
    axes.set_ylim(0.0, y_limit)
    axes.axvline(_NAMED_BITS, color=style.ALARM, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    axes.set_ylabel("shift, SD", fontsize=SMALL_LETTERS)
    axes.set_xlabel("surprise, bits", fontsize=SMALL_LETTERS, labelpad=2)
    for row in sorted(rows, key=lambda row: -row["n"]):
        color = style.ALARM if row["named"] else style.SHRUNKEN
        axes.scatter([row["surprise_bits"]], [abs(row["shift_sd"])], s=_area(row),
                     color=color, alpha=0.55, linewidths=1.0, edgecolors=color, zorder=3, clip_on=False)
    _labels(axes, rows, x_limit, y_limit)


def _labels(axes: Axes, rows: Sequence[Row], x_limit: float, y_limit: float) -> None:
    """Names of the named studies and of the outermost other ones, where there is room."""
    order = sorted(rows, key=lambda row: -_distance(row, x_limit, y_limit))
    across, up = PLOT_WIDTH / (1.02 * x_limit), PLOT_HEIGHT / y_limit
    discs = [Disc((row["surprise_bits"] + 0.02 * x_limit) * across, abs(row["shift_sd"]) * up,
                  math.sqrt(_area(row) / math.pi) / _POINTS_PER_INCH) for row in order]
    texts = [wrapped(row["label"], 20, 1) if row["named"] or at < _LABELS else None for at, row in enumerate(order)]
    found = places(discs, texts, width=PLOT_WIDTH, height=PLOT_HEIGHT, letter=_LETTER, line=_LINE)
    for row, text, place in zip(order, texts, found, strict=True):
        if place:
            axes.text(place.x / across - 0.02 * x_limit, place.y / up, text, ha=place.align, va="center",
                      fontsize=_LABEL, color=style.ALARM if row["named"] else style.INK, zorder=5,
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6})


def _area(row: Row) -> float:
    """Square points: in proportion to the patients, up to a size at which a disc would hide others."""
    return _AREA_PER_PATIENT * min(row["n"], _MOST_PATIENTS)


def _distance(row: Row, x_limit: float, y_limit: float) -> float:
    return math.hypot(row["surprise_bits"] / x_limit, row["shift_sd"] / y_limit) + 10.0 * bool(row["named"])
