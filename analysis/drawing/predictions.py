"""Small plots of what was reported within what was predicted for it, one for each endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.panels import LETTERS, MAX_PANELS, listed, panels
from analysis.drawing.sheet import wrapped
from analysis.results.numbers import PERCENT, Scale

_MOST, _MOST_LABELLED = 30, 8
_APART = 0.16  # of a row, between intervals of one labelled report; others lie on each other
_ABOVE, _BELOW = 0.3, 0.75  # of a row: where a label stands, and the intervals below it
_LABEL = LETTERS - 3.0


@dataclass(frozen=True)
class Prediction:
    """A report with one interval for each look, None where there is none; hollow where it does not count."""

    observed: float
    intervals: tuple[tuple[float, float] | None, ...]
    outside: bool
    label: str = ""
    hollow: bool = False


def draw_predictions(rows: Mapping[str, Sequence[Prediction]], looks: Sequence[tuple[str, float]], *,
                     names: Mapping[str, str], scales: Mapping[str, Scale], title: str, notes: Sequence[str],
                     stamp: str = "") -> Figure:
    """One panel per endpoint: intervals as lines, reports as discs, red outside the interval that decides.

    Parameters
    ----------
    rows : mapping of str to sequence of Prediction
        By endpoint. Labelled reports have two lines each; of many reports the first ones are drawn.
    looks : sequence of (str, float)
        Colour and width of the intervals of each report.
    names, scales : mapping of str to str and to Scale
        Labels of endpoints and units of their rates.
    """
    shown = dict(list(rows.items())[:MAX_PANELS])
    most = {endpoint: _MOST_LABELLED if any(row.label for row in given) else _MOST for endpoint, given in shown.items()}
    fewer = [f"{names[endpoint]} ({len(given) - most[endpoint]} more)" for endpoint, given in shown.items()
             if len(given) > most[endpoint]]
    left = [*(names[endpoint] for endpoint in rows if endpoint not in shown), *fewer]
    with style.styled():
        figure, axes = panels([names[endpoint] for endpoint in shown], title=title, stamp=stamp,
                              notes=[*notes, *listed(left, before="In the table only")])
        for (endpoint, given), panel in zip(shown.items(), axes, strict=True):
            _panel(panel, given[:most[endpoint]], looks, scales[endpoint])
        return figure


def _panel(axes: Axes, rows: Sequence[Prediction], looks: Sequence[tuple[str, float]], scale: Scale) -> None:
    ends = [end for row in rows for interval in row.intervals if interval for end in interval]
    fit_axis(axes, [*ends, *(row.observed for row in rows)], scale, whole=(0.0, 0.25, 0.5, 0.75, 1.0), most=4,
             unit="%" if scale == PERCENT else scale.unit)
    axes.set_ylim(max(len(rows), 2), 0.0)
    axes.set_yticks([])
    for at, row in enumerate(rows):
        middle = at + (_BELOW if row.label else 0.5)
        lines = [(interval, look) for interval, look in zip(row.intervals, looks, strict=True) if interval]
        for place, (interval, (color, width)) in enumerate(lines):
            y = middle + (_APART * (place - (len(lines) - 1) / 2.0) if row.label else 0.0)
            axes.plot(interval, [y, y], color=color, linewidth=width, solid_capstyle="butt", zorder=3)
        color = style.ALARM if row.outside else style.INK
        axes.plot([row.observed], [middle], "o", markersize=8, color=color, zorder=4, clip_on=False,
                  markerfacecolor="white" if row.hollow else color, markeredgewidth=1.6)
        axes.text(0.0, at + _ABOVE, wrapped(row.label, 38, 1), transform=axes.get_yaxis_transform(), va="center",
                  fontsize=_LABEL, color=color, zorder=5)
