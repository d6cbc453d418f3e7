"""Puts the names of points beside them where they hide neither a point nor another name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from analysis.drawing.page import width_of, wrapped
from analysis.drawing.style import INK, SMALL


@dataclass(frozen=True)
class Disc:
    """A point of a plot in inches from its lower left corner, with the radius that it is drawn with."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Place:
    """Where a name begins or ends: `align` is left, right or center."""

    x: float
    y: float
    align: str


Box = tuple[float, float, float, float]
_LINE, _LETTERS = 0.19, 22


@dataclass(frozen=True)
class Point:
    """A mark in a plot with its area in square points, and its name; an empty one stands in the way only."""

    x: float
    y: float
    area: float
    name: str = ""
    color: str = INK


def name_points(axes: Axes, points: Sequence[Point]) -> None:
    """Write the names beside their points where there is room, the first ones first; the limits of axes are set."""
    box, dpi = axes.get_position(), axes.figure.dpi
    width, height = axes.figure.get_size_inches() * (box.width, box.height)
    at = (axes.transData.transform([(point.x, point.y) for point in points]) - axes.bbox.min) / dpi
    discs = [Disc(x, y, math.sqrt(point.area / math.pi) / 72.0) for (x, y), point in zip(at, points, strict=True)]
    names = [wrapped(point.name, _LETTERS, 1) if point.name else "" for point in points]
    spots = places(discs, [width_of(name, SMALL) if name else None for name in names], width=width, height=height,
                   line=_LINE)
    for point, name, spot in zip(points, names, spots, strict=True):
        if spot:
            axes.text(spot.x / width, spot.y / height, name, transform=axes.transAxes, ha=spot.align, va="center",
                      fontsize=SMALL, color=point.color, zorder=6)


def places(discs: Sequence[Disc], lengths: Sequence[float | None], *, width: float, height: float,
           line: float) -> list[Place | None]:
    """A place for each name, in the order of the points; None where there is no room, or no name.

    Parameters
    ----------
    lengths : sequence of float or None
        Of names in inches, the most important first where two compete for room.
    width, height : float
        Of the plot, inches.
    line : float
        Height of a line, inches.
    """
    taken: list[Box] = [(disc.x - disc.radius, disc.y - disc.radius, disc.x + disc.radius, disc.y + disc.radius)
                        for disc in discs]

    def is_free(box: Box) -> bool:
        inside = box[0] >= 0.0 and box[1] >= 0.0 and box[2] <= width and box[3] <= height
        return inside and not any(_overlap(box, other) for other in taken)

    spots: list[Place | None] = []
    for disc, length in zip(discs, lengths, strict=True):
        candidates = _candidates(disc, line) if length else ()
        spot = next((place for place in candidates if is_free(_box(place, length, line))), None)
        taken += [_box(spot, length, line)] if spot else []
        spots.append(spot)
    return spots


def _candidates(disc: Disc, line: float) -> list[Place]:
    beside = disc.radius + 0.06
    away = disc.radius + 0.04 + line / 2.0
    return [Place(disc.x + side * beside, disc.y + shift * line, "left" if side > 0 else "right")
            for shift in (0.0, 0.5, -0.5) for side in (1.0, -1.0)] + [
        Place(disc.x + shift, disc.y + side * away, "center") for side in (1.0, -1.0) for shift in (0.0, 0.4, -0.4)] + [
        Place(disc.x + side * disc.radius, disc.y + up * away, "left" if side > 0 else "right")
        for up in (1.0, -1.0) for side in (1.0, -1.0)]


def _box(place: Place, length: float, line: float) -> Box:
    left = {"left": place.x, "right": place.x - length, "center": place.x - length / 2.0}[place.align]
    return left, place.y - line / 2.0, left + length, place.y + line / 2.0


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
