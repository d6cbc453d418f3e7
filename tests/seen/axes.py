"""Axes read back from matplotlib's own objects: ticks, lines and marks by colour, texts by height."""

import pytest

from tests.seen.checking import says


def near(values):
    """What a CSV prints with six digits."""
    return pytest.approx(values, rel=1e-5)


def percents(axes, which: str = "x") -> None:
    """Tick labels are the positions in per cents, in increasing order; the axis runs from low to high."""
    ticks, labels = getattr(axes, f"get_{which}ticks")(), getattr(axes, f"get_{which}ticklabels")()
    shown = labelled(ticks, labels)
    assert len(shown) >= 3, shown
    assert [tick for tick, _ in shown] == sorted(tick for tick, _ in shown)
    assert all(number == pytest.approx(100 * tick, abs=0.51) for tick, number in shown), shown
    low, high = getattr(axes, f"get_{which}lim")()
    assert low < high


def labelled(ticks, labels) -> list[tuple[float, float]]:
    """Place of each tick and the number at it."""
    words = [label.get_text().replace("−", "-").replace(",", "").rstrip(" %") for label in labels]
    return [(tick, float(word)) for tick, word in zip(ticks, words, strict=True) if word]


def segments(axes, color: str) -> list[tuple[float, float, float]]:
    """Height, left and right end of each horizontal line of a colour, from the top; a mark may stand on it."""
    ends = [(line.get_xdata(), line.get_ydata()) for line in axes.lines
            if line.get_color() == color and line.get_transform() == axes.transData]
    return sorted((float(y[0]), float(x[0]), float(x[-1])) for x, y in ends if len(x) in (2, 3) and len(set(y)) == 1)


def points(axes, color: str) -> list[tuple[float, float]]:
    """Height and place of each mark of a colour, alone or in the middle of an interval, from the top."""
    return sorted((float(line.get_ydata()[0]), float(line.get_xdata()[len(line.get_xdata()) // 2]))
                  for line in axes.lines if line.get_color() == color and len(line.get_xdata()) in (1, 3)
                  and line.get_markevery() != [])


def upright(axes) -> list[tuple[str, float]]:
    """Colour and place of each vertical line."""
    return [(line.get_color(), line.get_xdata()[0]) for line in axes.lines
            if len(line.get_xdata()) == 2 and line.get_xdata()[0] == line.get_xdata()[1]]


def written(axes) -> list[tuple[float, float, str]]:
    """Height, distance from the left and text, from the top."""
    return sorted((text.get_position()[1], text.get_position()[0], text.get_text()) for text in axes.texts)


def at_row(axes, y: float, *, tolerance: float = 0.02) -> list[str]:
    """Texts about a height, column by column."""
    return [text for *_, text in sorted((left, row, text) for row, left, text in written(axes)
                                        if abs(row - y) < tolerance)]


def shows(texts: list[str], wanted: list[float | None], scale: float = 100.0) -> bool:
    """One of the texts has these numbers."""
    return any(says(text, *wanted, scale=scale) for text in texts)


def legend_of(figure) -> dict[str, str]:
    """Colour of each label of the legend."""
    (legend,) = figure.legends
    handles = zip(legend.get_texts(), legend.legend_handles, strict=True)
    return {text.get_text(): handle.get_color() for text, handle in handles if hasattr(handle, "get_color")}
