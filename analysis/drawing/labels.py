"""Puts the names of points beside them where they hide neither a point nor another name."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
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
Line = tuple[Sequence[float], Sequence[float]]
"""Across and up, in the units of the axes."""
_LINE, _LETTERS, _STEP = 0.19, 22, 0.05


@dataclass(frozen=True)
class Point:
    """A mark in a plot with its area in square points, and its name; an empty one stands in the way only."""

    x: float
    y: float
    area: float
    name: str = ""
    color: str = INK


def name_points(axes: Axes, points: Sequence[Point], *, lines: Iterable[Line] = (),
                crossing: bool = True) -> None:
    """Write the names beside their points where there is room, the first ones first; the limits of axes are set.

    A name that several points have is written once, beside the first of them that has room.

    Parameters
    ----------
    lines : iterable of (x, y)
        Names keep off them where there is another place.
    crossing : bool
        Whether a name without such a place stands on a line; else it is left out.
    """
    box, dpi = axes.get_position(), axes.figure.dpi
    width, height = axes.figure.get_size_inches() * (box.width, box.height)

    def inches(places: Iterable[tuple[float, float]]) -> np.ndarray:
        return (axes.transData.transform(list(places)) - axes.bbox.min) / dpi

    at = inches((point.x, point.y) for point in points)
    along = [spot for x, y in lines for spot in spots_on(inches(zip(x, y, strict=True)))]
    discs = [Disc(x, y, math.sqrt(point.area / math.pi) / 72.0) for (x, y), point in zip(at, points, strict=True)]
    names = [wrapped(point.name, _LETTERS, 1) if point.name else "" for point in points]
    spots = places(discs, [width_of(name, SMALL) if name else None for name in names], width=width, height=height,
                   line=_LINE, along=along, owners=[point.name for point in points],
                   crossing=crossing)
    for point, name, spot in zip(points, names, spots, strict=True):
        if spot:
            axes.text(spot.x / width, spot.y / height, name, transform=axes.transAxes, ha=spot.align, va="center",
                      fontsize=SMALL, color=point.color, zorder=6)


def spots_on(corners: np.ndarray) -> list[tuple[float, float]]:
    """Places on a line of which no two neighbours are further apart than a letter, in inches."""
    spots = []
    for start, end in zip(corners, corners[1:], strict=False):
        count = math.ceil(math.hypot(*(end - start)) / _STEP)
        spots += [tuple(start + share * (end - start)) for share in np.linspace(0.0, 1.0, max(count, 1) + 1)]
    return spots


def places(discs: Sequence[Disc], lengths: Sequence[float | None], *, width: float, height: float,
           line: float, along: Sequence[tuple[float, float]] = (),
           owners: Sequence[object] = (), crossing: bool = True) -> list[Place | None]:
    """A place for each name, in the order of the points; None where there is no room, or no name.

    Parameters
    ----------
    lengths : sequence of float or None
        Of names in inches, the most important first where two compete for room.
    width, height : float
        Of the plot, inches.
    line : float
        Height of a line, inches.
    along : sequence of (x, y)
        Places in inches that names keep off where that costs no name.
    owners : sequence
        Discs of one owner have one name together; empty where each has its own.
    crossing : bool
        Whether names that have no place off these stand on them.
    """
    members: dict[object, list[int]] = {}
    for at, (owner, length) in enumerate(zip(owners or range(len(discs)), lengths, strict=True)):
        if length:
            members.setdefault(owner, []).append(at)
    ways = [_placed(discs, lengths, list(members.values()), (width, height), line, spots, crossing)
            for spots in (along, ())[:1 + crossing]]
    return max(ways, key=lambda spots: len(spots) - spots.count(None))


def _placed(discs: Sequence[Disc], lengths: Sequence[float | None], members: Sequence[Sequence[int]],
            size: tuple[float, float], line: float, along: Sequence[tuple[float, float]],
            crossing: bool) -> list[Place | None]:
    """The first free place of each name in turn, off the lines where there is one."""
    taken: list[Box] = [(disc.x - disc.radius, disc.y - disc.radius, disc.x + disc.radius, disc.y + disc.radius)
                        for disc in discs]

    def is_free(box: Box) -> bool:
        inside = box[0] >= 0.0 and box[1] >= 0.0 and box[2] <= size[0] and box[3] <= size[1]
        return inside and not any(overlap(box, other) for other in taken)

    spots: list[Place | None] = [None] * len(discs)
    for own in members:
        boxes = [(at, place, _box(place, lengths[at], line)) for at in own for place in _candidates(discs[at], line)]
        free = [found for found in boxes if is_free(found[2])]
        for at, place, box in [*(found for found in free if not is_crossed(found[2], along)), *free * crossing][:1]:
            spots[at] = place
            taken.append(box)
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


def is_crossed(box: Box, along: Sequence[tuple[float, float]]) -> bool:
    """Whether one of the places lies in the box."""
    return any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in along)


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share room."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
