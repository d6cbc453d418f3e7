"""Tables for a terminal."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.results.numbers import counted, decimals_for, fixed, significant

_LEAST = {"time": 1}
QUICK_REMEDY = ". Run it without --quick: short chains leave more Monte-Carlo error."


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart, under a header."""
    cells = [list(map(_printable, row)) for row in (header, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def number(value: float | None, scale: str = "") -> str:
    """A number with three decimals, one for times, two digits where that shows none; empty where there is none."""
    if value is None or not math.isfinite(value):
        return ""
    text = fixed(value, _LEAST.get(scale, 3))
    return significant(value) if abs(value) >= 1e5 or (value and not text.strip("0.")) else text


def numbers(values: Sequence[float | None], scale: str = "", *, like: Sequence[float | None] = ()) -> list[str]:
    """An estimate and its limits with the same decimals, at least those of `number`; empty where there is none.

    Parameters
    ----------
    like : sequence of float or None
        Whose decimals are taken, where they are not the values' own.
    """
    known = [value for value in like or values if value is not None and math.isfinite(value)]
    if max(map(abs, known), default=0.0) >= 1e5:
        return [number(value, scale) for value in values]
    decimals, positive = decimals_for(known, _LEAST.get(scale, 3)), min(known, default=0.0) >= 0.0
    return ["" if value is None or not math.isfinite(value) else
            fixed(value, decimals, positive=positive, top=1.0 if scale == "probability" else math.inf)
            for value in values]


def with_limits(value: float | None, low: float | None, high: float | None, scale: str = "") -> str:
    """Such as "0.797 [0.721, 0.857]"."""
    return "{} [{}, {}]".format(*numbers((value, low, high), scale))


def estimates_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The estimates of a fit; the interval column says of which kind each interval is."""
    def cells(row: Mapping[str, Any]) -> list[str]:
        name = row["estimand"] + ("" if row["time_months"] is None else f" ({row['time_months']:g} months)")
        three = [row[at] for at in ("median", "lower", "upper")]
        median, lower, upper = numbers(three, row["scale"])
        (mean,) = numbers([row["mean"]], row["scale"], like=three)
        return [name, row["study_id"] or "", mean, median, f"[{lower}, {upper}]",
                f"{100 * row['level']:g} % {row['interval']}", row["unit"]]

    return table(["estimand", "study", "mean", "median", "interval", "kind", "unit"], [cells(row) for row in rows])


def left_out_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each reason for which rows are left out, with their number."""
    return [f"left out: {counted(count, 'row')}, {reason}"
            for reason, count in Counter(row["reason"] for row in rows).items()]


def _printable(text: str) -> str:
    # Evidence text must not move the cursor or recolour the terminal.
    return "".join(character if character.isprintable() else "?" for character in str(text))
