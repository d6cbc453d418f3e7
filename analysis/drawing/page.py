"""A page: a title with a stamp above, lines of explanation below, everything measured in inches."""

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from analysis.drawing.style import ALARM, FAINT, INK, MARGIN, SMALL, TEXT, TITLE, WIDTH, width
from analysis.results.numbers import safe

LINE = 0.29
"""Height of a line of heads or notes, inches."""
_ABOVE, _BELOW, _TITLE_LINE = 0.7, 0.3, 0.34
_TITLE_LETTERS, _STAMP_LETTERS = 56, 24
_NOTE_LETTERS, _NOTE_LINES = 94, 5


@dataclass(frozen=True)
class Page:
    """A figure whose places are inches from its left and upper edge.

    Parameters
    ----------
    width, height : float
        Of the whole figure.
    top : float
        Where the room below the title begins.
    """

    figure: Figure
    width: float
    height: float
    top: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """An empty plot."""
        axes = self.figure.add_axes((left / self.width, 1.0 - (top + height) / self.height, width / self.width,
                                     height / self.height))
        axes.set_title("", y=1.0)  # a title without a place of its own is looked for whenever the figure is drawn
        return axes

    def write(self, text: str, top: float, *, left: float = MARGIN, align: str = "left") -> None:
        """Put text, whose lines begin so far below the upper edge."""
        for at, part in enumerate(text.split("\n")):
            self.figure.text(left / self.width, 1.0 - (top + at * LINE) / self.height, part, fontsize=SMALL,
                             color=FAINT, ha=align, va="top")


def new_page(inches: float, *, title: str, notes: Sequence[str] = (), stamp: str = "") -> Page:
    """A page with room of so many inches between its title and its notes.

    Parameters
    ----------
    title : str
        Of up to two lines.
    notes : sequence of str
        Each of up to five lines.
    stamp : str
        In white on red, right of the title; empty for none.
    """
    stamp, share = wrapped(stamp, _STAMP_LETTERS, 1), width() / WIDTH
    beside = (len(stamp) + 2) * bool(stamp) if share == 1.0 else 0
    above = 0.5 * (bool(stamp) and not beside)
    heading = wrapped(title, letters(_TITLE_LETTERS) - beside, 2 if share == 1.0 else 4)
    below = "\n".join(wrapped(note, letters(_NOTE_LETTERS), int(_NOTE_LINES / share)) for note in notes)
    top = above + _ABOVE + _TITLE_LINE * heading.count("\n")
    height = top + inches + _BELOW + LINE * (below.count("\n") + 1)
    # A figure of its own belongs to no interactive session.
    page = Page(Figure(figsize=(width(), height)), width(), height, top)
    page.write(below, top + inches + 0.5 * _BELOW)
    page.figure.text(MARGIN / page.width, 1.0 - (above + 0.24) / page.height, heading, fontsize=TITLE,
                     fontweight="bold", color=INK, va="top")
    if stamp:
        page.figure.text(1.0 - 1.5 * MARGIN / page.width, 1.0 - 0.26 / page.height, stamp, ha="right", va="top",
                         fontsize=TEXT, fontweight="bold", color="white",
                         bbox={"facecolor": ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})
    return page


@cache
def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Inches that a text of so many points takes, the longest of its lines, in the font that there is."""
    font = get_font(findfont(FontProperties(weight="bold" if bold else "normal")))
    font.set_size(100.0 * size, 1.0)  # of an inch, so that a unit is small
    widths = []
    for line in text.split("\n"):
        # What the font may lack would be warned of, and is as wide as anything; Chinese signs are squares.
        others = "".join(mark for mark in line if not _square(mark))
        font.set_text(others.encode("latin-1", "replace").decode("latin-1"))
        widths.append(font.get_width_height()[0] / 6400.0 + (len(line) - len(others)) * size / 72.0)
    return max(widths)


def letters(wide: int) -> int:
    """So many letters of a line on a wide page, or what there is room for."""
    return int(wide * width() / WIDTH)


def left_out(count: int) -> list[str]:
    """A note on what is in the table only; none where all is drawn."""
    return [f"{count:,} more are in the table"] if count > 0 else []


def _square(mark: str) -> bool:
    return unicodedata.east_asian_width(mark) in "WF"


def wrapped(text: object, width: int, lines: int = 2) -> str:
    """The text in at most so many lines of so many characters, ended by an ellipsis where it is longer."""
    # Chinese signs take the room of two letters.
    spaced = "".join(f"{mark}\0" if _square(mark) else mark for mark in safe(text))
    parts = [part.replace("\0", "") for part in textwrap.wrap(spaced, width, break_long_words=True)] or [""]
    if len(parts) > lines:
        parts = [*parts[:lines - 1], parts[lines - 1][:width - 1].rstrip() + "…"]
    return "\n".join(parts)
