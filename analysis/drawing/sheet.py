"""A page of rows: one plot in the middle, columns of text beside it, everything measured in inches."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Transform, blended_transform_factory

from analysis.drawing.style import ALARM, GRID, INK, RULE, TEXT, TITLE, WIDTH
from analysis.results.numbers import safe


@dataclass(frozen=True)
class Sheet:
    """A figure whose vertical axis counts rows from the top.

    Parameters
    ----------
    figure, axes : Figure, Axes
    text_transform : Transform
        Horizontal: share of the figure's width; vertical: row of the axes.
    """

    figure: Figure
    axes: Axes
    text_transform: Transform

    def write(self, inches: float, row: float, text: str, *, align: str = "left", size: float = TEXT,
              color: str = INK, weight: str = "normal") -> None:
        """Put text at a distance from the left edge, vertically centred on a row."""
        self.axes.text(inches / WIDTH, row, text, transform=self.text_transform, ha=align, va="center_baseline",
                       fontsize=size, color=color, fontweight=weight, linespacing=1.15)

    def rule(self, row: float, *, left: float = 0.15, right: float = WIDTH - 0.15) -> None:
        """Draw a thin line across the page."""
        self.axes.plot([left / WIDTH, right / WIDTH], [row, row], transform=self.text_transform, color=RULE,
                       linewidth=0.8, clip_on=False, solid_capstyle="butt")


def new_figure(height: float, *, width: float = WIDTH) -> Figure:
    """An empty page of the given height and width in inches, outside any interactive session."""
    return Figure(figsize=(width, height))


def stacked(heights: Sequence[float], *, head: float, between: float, foot: float) -> tuple[Figure, list[float]]:
    """An empty page for plots below each other, and where the lower edge of each lies above that of the page.

    Parameters
    ----------
    heights : sequence of float
        Of the plots, inches, the upper one first.
    head, between, foot : float
        Room above, between and below the plots, inches.
    """
    bottom = sum(heights) + (len(heights) - 1) * between + foot
    figure, edges = new_figure(head + bottom), []
    for height in heights:
        edges.append(bottom - height)
        bottom -= height + between
    return figure, edges


def write_title(figure: Figure, title: str, stamp: str, *, down: float, size: float = TITLE,
                stamp_size: float = TITLE) -> None:
    """Put a title so many inches below the upper edge, and a stamp, where there is one, on the right."""
    left, y = 0.15 / WIDTH, 1 - down / figure.get_size_inches()[1]
    figure.text(left, y, title, fontsize=size, fontweight="bold")
    if stamp:
        figure.text(1 - left, y, stamp, ha="right", fontsize=stamp_size, fontweight="bold", color="white",
                    bbox={"facecolor": ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})


def add_sheet(figure: Figure, *, rows: float, row_height: float, left: float, right: float, bottom: float,
              x_limit: float, x_label: str) -> Sheet:
    """A plot of `rows` rows with its lower edge `bottom` inches above the figure's.

    Parameters
    ----------
    left, right : float
        Edges of the plot in inches.
    x_limit : float
        The axis starts at 0 and ends here.
    """
    height = figure.get_size_inches()[1]
    axes = figure.add_axes((left / WIDTH, bottom / height, (right - left) / WIDTH, rows * row_height / height))
    axes.set_ylim(rows, 0.0)
    # A little room on both sides, so that marks at 0 and at the limit are whole.
    axes.set_xlim(-0.02 * x_limit, 1.02 * x_limit)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=3, labelsize=TEXT)
    axes.set_xlabel(x_label, fontsize=TEXT)
    return Sheet(figure, axes, blended_transform_factory(figure.transFigure, axes.transData))


def wrapped(text: object, width: int, lines: int = 2) -> str:
    """The text in at most so many lines of so many characters, ended by an ellipsis where it is longer."""
    parts = textwrap.wrap(safe(text), width, break_long_words=True) or [""]
    if len(parts) > lines:
        parts = [*parts[:lines - 1], parts[lines - 1][:width - 1].rstrip() + "…"]
    return "\n".join(parts)
