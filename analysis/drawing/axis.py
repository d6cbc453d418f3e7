"""Axes of rates and survival that fit their data: the whole of 0 to 1 where it is used, else the part that is."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING

from analysis.results.numbers import PERCENT, SCALES, Scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MONTHS = Scale(1.0, "months")
WHOLE = (0.0, 1.0)
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_NARROWEST = 1e-7
_FEWEST = 3  # ticks
_USED = 0.25
"""Data within so small a share of 0 to 1 get an axis of their own."""


def limits_for(values: Iterable[float | None], *, whole: bool = True) -> tuple[float, float]:
    """Limits of an axis of probabilities, on round numbers; 0 and 1 stay limits where the data come near them.

    Parameters
    ----------
    whole : bool
        Whether the axis goes from 0 to 1 where the data use much of it.
    """
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if whole and high - low > _USED:
        return WHOLE
    if low <= 0.6 * high and high <= _USED:
        low = 0.0
    elif 1.0 - high <= 0.6 * (1.0 - low) and low >= 1.0 - _USED:
        high = 1.0
    if high <= low:
        low, high = (low - 0.05, high + 0.05) if 0.05 < low < 0.95 else (0.5 * low, min(1.0, 1.5 * high or 1.0))
    high = max(high, low + _NARROWEST)
    step = _step(low, high, most=8.0)
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return max(0.0, bottom), min(1.0, top)


def ticks_for(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, at most so many."""
    step = _step(low, high, most - 1 + 1e-6)
    first = math.ceil(low / step - 1e-6)
    return [at * step for at in range(first, math.floor(high / step + 1e-6) + 1)]


def labels_for(ticks: Sequence[float], scale: Scale = PERCENT) -> list[str]:
    """The ticks in the unit of a scale, with as many digits as tell them apart."""
    shown = [scale.factor * tick for tick in ticks]
    gap = min((abs(b - a) for a, b in zip(shown, shown[1:], strict=False)), default=1.0)
    decimals = max(0, -math.floor(math.log10(gap) + 1e-6))
    # A step of 2.5 has a digit more than its size says.
    decimals += any(abs(value * 10.0**decimals - round(value * 10.0**decimals)) > 1e-6 for value in shown)
    return [f"{value:.{decimals}f}" if value else "0" for value in shown]


def fit_axis(axes: "Axes", values: Iterable[float | None], scale: Scale | None, *, across: bool = True,
             whole: bool = True, room: float = 0.02, most: int = 6, letters: int = 40,
             unit: str = "") -> tuple[float, float]:
    """Set limits, ticks and labels of the axis across, or of the one that goes up; returns the limits.

    Parameters
    ----------
    scale : Scale or None
        None for months, whose axis begins at 0, as does that of events per person-year, which are the values then.
    whole : bool
        As in `limits_for`.
    room : float
        Share of the axis that is left free at both ends, so that marks there are whole.
    most, letters : int
        Ticks, and letters of their labels with one between two, for which there is room.
    unit : str
        Behind the last label.
    """
    low, high = limits_for(values, whole=whole) if scale and not scale.months else \
        (0.0, 1.05 * max(filter(None, values), default=1.0))
    for fewer in range(most, _FEWEST - 1, -1):
        ticks = list(_QUARTERS) if (low, high) == WHOLE else ticks_for(low, high, fewer)
        labels = labels_for(ticks, scale or MONTHS)
        if sum(map(len, labels)) + len(labels) <= letters:
            break
    labels[-1] += f" {unit}" if unit else ""
    (axes.set_xlim if across else axes.set_ylim)(low - room * (high - low), high + room * (high - low))
    (axes.xaxis if across else axes.yaxis).set_ticks(ticks, labels=labels)
    return low, high


def placed(frame: "pd.DataFrame", scale: Scale, names: str) -> "pd.DataFrame":
    """The rows with probabilities in these columns where the axis of a scale has them."""
    return frame.assign(**{name: frame[name].map(scale.place) for name in names.split()})


def by_scale[Item](items: Iterable[Item],
                   scale_of: Callable[[Item], Scale | None]) -> Mapping[Scale | None, list[Item]]:
    """Items that share an axis, since they are of one unit: per cents first, months (None) last."""
    groups: dict[Scale | None, list[Item]] = {scale: [] for scale in SCALES}
    for item in items:
        groups.setdefault(scale_of(item), []).append(item)
    return {scale: group for scale, group in sorted(groups.items(), key=lambda item: item[0] is None) if group}


def _step(low: float, high: float, most: float) -> float:
    """The smallest round step that divides a range into at most so many."""
    first = math.floor(math.log10(high - low)) - 2
    return next(step for power in count(first) for factor in (1.0, 2.0, 2.5, 5.0)
                if (high - low) / (step := factor * 10.0**power) <= most)
