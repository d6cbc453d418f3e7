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

from analysis.figures import style
from analysis.figures.panels import LETTERS, MAX_PANELS, SMALL_LETTERS, listed, panels
from analysis.figures.sheet import wrapped

Row = Mapping[str, Any]

FEWEST = 3
_NAMED_BITS = -math.log2(0.05)
_LABELS = 3
_LEAST_X, _LEAST_Y = 5.2, 0.5
_AREA_PER_PATIENT = 6.0  # square points


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
             f"Dashed: two-sided predictive probability 0.05 ({_NAMED_BITS:.1f} bits). Areas follow the patients.",
             *listed([wrapped(name, 24, 1) for name in left], before=f"Not drawn, fewer than {FEWEST} studies")]
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
        axes.scatter([row["surprise_bits"]], [abs(row["shift_sd"])], s=_AREA_PER_PATIENT * min(row["n"], 400),
                     color=color, alpha=0.55, linewidths=1.0, edgecolors=color, zorder=3, clip_on=False)
    _labels(axes, rows, x_limit, y_limit)


def _labels(axes: Axes, rows: Sequence[Row], x_limit: float, y_limit: float) -> None:
    """Names of the outlying studies, moved down where two would overlap."""
    outlying = sorted(rows, key=lambda row: -_distance(row, x_limit, y_limit))[:_LABELS]
    taken: list[tuple[float, float]] = []
    for row in sorted(outlying, key=lambda row: -abs(row["shift_sd"])):
        x, y = row["surprise_bits"], abs(row["shift_sd"])
        right = x > 0.52 * x_limit
        side = -1.0 if right else 1.0
        radius = math.sqrt(_AREA_PER_PATIENT * min(row["n"], 400)) / 2.0 * 0.009 + 0.05
        place = min(max(y, 0.06 * y_limit), 0.95 * y_limit)
        # A letter of the label is about 0.11 of the 4.15 inches of a panel, a line a tenth of its height.
        words = wrapped(row["label"], 20, 1)
        start = x + side * radius * x_limit / 4.15
        end = start + side * 0.115 * len(words) * x_limit / 4.15
        low, high = min(start, end), max(start, end)
        while any(abs(place - other) < 0.105 * y_limit and low < to and start_of < high
                  for other, start_of, to in taken) and place > 0.06 * y_limit:
            place -= 0.02 * y_limit
        taken.append((place, low, high))
        axes.text(start, place, words, ha="right" if right else "left", va="center", fontsize=LETTERS - 2.5,
                  color=style.ALARM if row["named"] else style.INK, zorder=5)


def _distance(row: Row, x_limit: float, y_limit: float) -> float:
    return math.hypot(row["surprise_bits"] / x_limit, row["shift_sd"] / y_limit) + 10.0 * bool(row["named"])
