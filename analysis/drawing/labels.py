"""Puts the names of points beside them where they hide neither a point nor another name."""

from collections.abc import Sequence
from dataclasses import dataclass


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


def places(discs: Sequence[Disc], texts: Sequence[str | None], *, width: float, height: float, letter: float,
           line: float) -> list[Place | None]:
    """A place for each name, in the order of the points; None where there is no room, or no name.

    Parameters
    ----------
    texts : sequence of str or None
        Names, the most important first where two compete for room.
    width, height : float
        Of the plot, inches.
    letter, line : float
        Width of a letter and height of a line, inches.
    """
    taken: list[Box] = [(disc.x - disc.radius, disc.y - disc.radius, disc.x + disc.radius, disc.y + disc.radius)
                        for disc in discs]
    found: list[Place | None] = []
    for disc, text in zip(discs, texts, strict=True):
        place = None
        if text:
            for candidate in _candidates(disc, line):
                box = _box(candidate, len(text) * letter, line)
                inside = box[0] >= 0.0 and box[1] >= 0.0 and box[2] <= width and box[3] <= height
                if inside and not any(_overlap(box, other) for other in taken):
                    place = candidate
                    taken.append(box)
                    break
        found.append(place)
    return found


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
