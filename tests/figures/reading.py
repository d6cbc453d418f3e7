"""What a figure shows, read back from matplotlib's own objects."""

import numpy as np
from matplotlib.figure import Figure


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
