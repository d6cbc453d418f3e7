"""A page of small plots, two beside each other, whose letters stay readable on a telephone."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.sheet import new_figure, wrapped

# A page of 10.4 inches is 390 pixels wide on a telephone, where letters need 8 of them.
LETTERS = 16.0
SMALL_LETTERS = 14.5
MAX_PANELS = 16
_COLUMNS = 2
_HEAD, _PANEL, _LINE = 0.85, 4.0, 0.36
_LEFT, _GAP, _RIGHT, _BELOW, _ABOVE = 0.95, 0.95, 0.35, 0.72, 0.78
PLOT_WIDTH = (style.WIDTH - _LEFT - _GAP - _RIGHT) / _COLUMNS
PLOT_HEIGHT = _PANEL - _BELOW - _ABOVE
"""Inches of one plot within its axes."""
_NOTE_LETTERS, _NOTE_LINES = 92, 3


def panels(titles: Sequence[str], *, title: str, notes: Sequence[str], stamp: str = "") -> tuple[Figure, list[Axes]]:
    """An empty page with one plot per title, and lines of explanation below.

    Parameters
    ----------
    titles : sequence of str
        At most MAX_PANELS; further ones must be left to the caller's notes.
    notes : sequence of str
        Each of up to three lines.
    """
    lines = [line for note in notes for line in _lines(note)]
    rows = -(-len(titles) // _COLUMNS)
    height = _HEAD + rows * _PANEL + 0.25 + _LINE * len(lines)
    figure = new_figure(height)
    axes = []
    for at, words in enumerate(titles):
        left = _LEFT + (at % _COLUMNS) * (PLOT_WIDTH + _GAP)
        bottom = height - _HEAD - (at // _COLUMNS + 1) * _PANEL + _BELOW
        found = figure.add_axes((left / style.WIDTH, bottom / height, PLOT_WIDTH / style.WIDTH,
                                 PLOT_HEIGHT / height))
        found.set_title(wrapped(words, 33, 2), fontsize=LETTERS, fontweight="bold", loc="left", x=-0.13, pad=9)
        found.tick_params(labelsize=SMALL_LETTERS, length=3)
        found.grid(color=style.GRID, linewidth=0.7)
        found.set_axisbelow(True)
        for side in ("right", "top"):
            found.spines[side].set_visible(False)
        axes.append(found)
    _words(figure, title, lines, stamp, height)
    return figure, axes


def _words(figure: Figure, title: str, lines: Sequence[str], stamp: str, height: float) -> None:
    left = 0.15 / style.WIDTH
    figure.text(left, 1 - 0.45 / height, wrapped(title, 56 if stamp else 66, 1), fontsize=LETTERS + 3,
                fontweight="bold")
    if stamp:
        figure.text(1 - left, 1 - 0.45 / height, wrapped(stamp, 12, 1), ha="right", fontsize=LETTERS,
                    fontweight="bold", color="white",
                    bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})
    for at, line in enumerate(lines):
        figure.text(left, (0.2 + _LINE * (len(lines) - 1 - at)) / height, line, fontsize=SMALL_LETTERS,
                    color=style.FAINT)


def _lines(note: str) -> list[str]:
    return wrapped(note, _NOTE_LETTERS, _NOTE_LINES).split("\n")


def listed(names: Sequence[str], *, before: str) -> list[str]:
    """A note that names what is not drawn; none where nothing is missing."""
    return [f"{before}: {', '.join(names)}."] if names else []
