"""A page of small plots: two beside each other, or below each other on a narrow page."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.page import new_page, wrapped

MAX_PANELS = 16
_PLOT_WIDTH, _PLOT_HEIGHT = 4.075, 2.5
_LEFT, _GAP, _RIGHT, _BELOW, _ABOVE = 0.95, 0.95, 0.35, 0.72, 0.82
_TITLE_LINE = 0.27


def panels(titles: Sequence[str], *, title: str, notes: Sequence[str], stamp: str = "",
           wide: int = 0) -> tuple[Figure, list[Axes]]:
    """An empty page with one plot per title, and lines of explanation below.

    Parameters
    ----------
    titles : sequence of str
        At most MAX_PANELS; further ones must be left to the caller's notes.
    wide : int
        How many of the first plots fill a row of their own.
    """
    words = [wrapped(text, 33) for text in titles]
    columns = 2 if style.width() == style.WIDTH else 1
    wide *= columns == 2
    above = _ABOVE - _TITLE_LINE * (not any("\n" in text for text in words))
    row = above + _PLOT_HEIGHT + _BELOW
    page = new_page(-(-(len(titles) + wide) // columns) * row, title=title, notes=notes, stamp=stamp)
    plots = []
    for at, text in enumerate(words):
        place, width = (2 * at, page.width - _LEFT - _RIGHT) if at < wide else (at + wide, _PLOT_WIDTH)
        axes = page.axes(_LEFT + (place % columns) * (_PLOT_WIDTH + _GAP), page.top + (place // columns) * row + above,
                         width, _PLOT_HEIGHT)
        axes.set_title(text, fontsize=style.TEXT, fontweight="bold", loc="left", x=-0.13 * _PLOT_WIDTH / width, pad=13)
        plots.append(axes)
    return page.figure, plots


def listed(names: Sequence[str], *, before: str) -> list[str]:
    """A note that names what is not drawn; none where nothing is missing."""
    return [f"{before}: {', '.join(names)}."] if names else []
