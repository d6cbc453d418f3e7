"""Tables for a terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.wording import counted

QUICK_REMEDY = ". Run it without --quick: short chains leave more Monte-Carlo error."


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart, under a header."""
    cells = [list(map(_printable, row)) for row in (header, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def number(value: float | None, scale: str = "") -> str:
    """A number with three decimals, or one for times; empty where there is none."""
    if value is None or value != value:
        return ""
    return f"{value:.1f}" if scale == "time" else f"{value:.3f}"


def estimates_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The estimates of a fit; the interval column says of which kind each interval is."""
    def cells(row: Mapping[str, Any]) -> list[str]:
        name = row["estimand"] + ("" if row["time_months"] is None else f" ({row['time_months']:g} months)")
        limits = (f"[{number(row['lower'], row['scale'])}, {number(row['upper'], row['scale'])}]")
        return [name, row["study_id"] or "", number(row["mean"], row["scale"]), number(row["median"], row["scale"]),
                limits, f"{100 * row['level']:g} % {row['interval']}", row["unit"]]

    return table(["estimand", "study", "mean", "median", "interval", "kind", "unit"], [cells(row) for row in rows])


def left_out_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each reason for which rows are left out, with their number."""
    return [f"left out: {counted(count, 'row')}, {reason}"
            for reason, count in Counter(row["reason"] for row in rows).items()]


def _printable(text: str) -> str:
    # Evidence text must not move the cursor or recolour the terminal.
    return "".join(character if character.isprintable() else "?" for character in str(text))
