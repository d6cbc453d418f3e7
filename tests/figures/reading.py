"""What a figure shows, read back from matplotlib's own objects."""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text


def texts(figure: Figure) -> list[str]:
    """All texts of the figure."""
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    beside = [text for axes in figure.axes for text in axes.texts]
    return [text.get_text() for text in (*figure.texts, *legends, *beside)]


def shown(figure: Figure) -> str:
    """All texts of the figure, each in its lines."""
    return "\n".join(texts(figure))


def drawn(figure: Figure, *, plot: int = 0, color: str | None = None) -> set[tuple[float, ...]]:
    """Ends of what is drawn: lower, middle and upper of an interval, one value without limits, two of other lines."""
    axes = figure.axes[plot]
    return {tuple(np.round(line.get_xdata(), 6).tolist()) for line in axes.lines
            if line.get_transform() == axes.transData and color in (None, line.get_color())}


def misplaced(figure: Figure) -> list[object]:
    """Texts that leave the page, and pairs of texts that overlap: none in a figure that can be read."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, page = canvas.get_renderer(), figure.bbox
    boxes = {text: text.get_window_extent(renderer) for text in _every(figure)}
    beyond = [text.get_text() for text, box in boxes.items()
              if min(box.x0, box.y0) < -0.5 or box.x1 > page.x1 + 0.5 or box.y1 > page.y1 + 0.5]
    # Descenders may reach the ascenders of the line below.
    return beyond + [(one.get_text(), other.get_text()) for (one, a), (other, b) in combinations(boxes.items(), 2)
                     if min(a.x1, b.x1) > max(a.x0, b.x0) + 0.5
                     and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.2 * min(a.height, b.height)]


def _every(figure: Figure) -> list[Text]:
    every = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        every += [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            every += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [text for text in every if text.get_text()]
