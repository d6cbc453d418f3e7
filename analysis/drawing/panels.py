"""A page of small plots, two beside each other, whose letters stay readable on a telephone."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.page import new_page, wrapped

MAX_PANELS = 16
_COLUMNS = 2
_PANEL = 4.0
_LEFT, _GAP, _RIGHT, _BELOW, _ABOVE = 0.95, 0.95, 0.35, 0.72, 0.78
PLOT_WIDTH = (style.WIDTH - _LEFT - _GAP - _RIGHT) / _COLUMNS
PLOT_HEIGHT = _PANEL - _BELOW - _ABOVE
"""Inches of one plot within its axes."""


def panels(titles: Sequence[str], *, title: str, notes: Sequence[str], stamp: str = "") -> tuple[Figure, list[Axes]]:
    """An empty page with one plot per title, and lines of explanation below.

    Parameters
    ----------
    titles : sequence of str
        At most MAX_PANELS; further ones must be left to the caller's notes.
    """
    page = new_page(-(-len(titles) // _COLUMNS) * _PANEL, title=title, notes=notes, stamp=stamp)
    plots = []
    for at, words in enumerate(titles):
        axes = page.axes(_LEFT + (at % _COLUMNS) * (PLOT_WIDTH + _GAP), page.top + (at // _COLUMNS) * _PANEL + _ABOVE,
                         PLOT_WIDTH, PLOT_HEIGHT)
        axes.set_title(wrapped(words, 33), fontsize=style.TEXT, fontweight="bold", loc="left", x=-0.13, pad=9)
        plots.append(axes)
    return page.figure, plots


def listed(names: Sequence[str], *, before: str) -> list[str]:
    """A note that names what is not drawn; none where nothing is missing."""
    return [f"{before}: {', '.join(names)}."] if names else []
