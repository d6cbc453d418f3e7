"""What a reader wants to know first from the rows: which kind of choice moves an endpoint most, and what changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.chapters.sensitivity.names import COMPUTED, HEADLINE

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Summed:
    """The sensitivity of one endpoint.

    Parameters
    ----------
    headline : row
    largest : tuple of rows
        The variant that moves the median most, one for each dimension, the largest move first.
    changing : tuple of rows
        The variants in which a conclusion changes.
    variants : int
        Computed variants.
    failed : int
        Variants without a result.
    """

    headline: Row
    largest: tuple[Row, ...]
    changing: tuple[Row, ...]
    variants: int
    failed: int


def summed(rows: Iterable[Row], endpoint: str) -> Summed | None:
    """The summary of one endpoint, None where its headline is not among the computed rows or stands alone."""
    own = [row for row in rows if row["endpoint"] == endpoint]
    if not own or own[0]["dimension"] != HEADLINE or own[0]["status"] != COMPUTED:
        return None
    computed = [row for row in own[1:] if row["status"] == COMPUTED]
    if not computed:
        return None
    best: dict[str, Row] = {}
    for row in computed:
        if row["dimension"] not in best or abs(row["change"]) > abs(best[row["dimension"]]["change"]):
            best[row["dimension"]] = row
    return Summed(own[0], tuple(sorted(best.values(), key=lambda row: -abs(row["change"]))),
                  tuple(row for row in computed if row["changes"]), len(computed), len(own) - 1 - len(computed))
