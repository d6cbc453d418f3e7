"""Tables for a terminal: keys in place of labels, and more digits than on a page."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.results.numbers import (
    NOT_REACHED,
    PROBABILITY_UNITS,
    are_tiny,
    counted,
    decimals_for,
    finite,
    fixed,
    is_never,
    limits_of,
    significant,
)
from analysis.results.records import FAILED
from analysis.results.table import Layout, Row
from analysis.results.writing import NOTHING, RATE, Instead, Writer

if TYPE_CHECKING:
    from analysis.evidence.directory import Evidence
    from analysis.results.results import Results

_NOUNS = {"studies": "study", "endpoints": "endpoint", "responses": "response", "survival": "survival row",
          "patients": "patient", "reported": "published number", "facts": "fact", "sources": "source"}
QUICK_REMEDY = ". Run it without --quick: short chains leave more Monte-Carlo error."


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned columns, two blanks apart, under a header."""
    cells = [list(map(_printable, row)) for row in (header, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def show(layout: Layout, rows: Sequence[Row], columns: Mapping[str, str], *, missing: str = "",
         cells: Instead = NOTHING) -> str:
    """Columns of a declared table in their formats; `columns` maps their names to heads."""
    write = Terminal(layout, missing=missing)
    return table(list(columns.values()), [write.cells(row, columns, cells) for row in rows])


@dataclass(frozen=True)
class Terminal(Writer):
    """Writes cells of one table for a terminal."""

    def pair(self, row: Row, name: str, other: str) -> str:
        """The studies: patients are a column of their own."""
        return "" if row[name] is None else f"{row[name]}"

    def estimate(self, row: Row, name: str, unit: str = "") -> str:
        """An estimate with its limits, where it has them."""
        values, unit = limits_of(row, name), row[unit] if unit else RATE
        return number(values[0], unit) if None in values else with_limits(*values, unit)

    printed = estimate

    def change(self, row: Row, name: str, unit: str = "") -> str:
        """A difference with the decimals of the row's estimate."""
        return fixed(row[name], decimals_for(finite(limits_of(row, "median")), _least(row[unit] if unit else RATE)))


def _least(unit: str) -> int:
    return 1 if unit == "months" else 3


def number(value: float | None, unit: str = "") -> str:
    """A number with three decimals, one for times, two digits where that shows none; empty where there is none."""
    if is_never(value, unit):
        return NOT_REACHED
    if value is None or not math.isfinite(value):
        return ""
    text = fixed(value, _least(unit))
    return significant(value) if abs(value) >= 1e5 or (value and not text.strip("0.")) else text


def numbers(values: Sequence[float | None], unit: str = "", *, like: Sequence[float | None] = ()) -> list[str]:
    """An estimate and its limits with the same decimals, at least those of `number`; empty where there is none.

    Parameters
    ----------
    like : sequence of float or None
        Whose decimals are taken, where they are not the values' own.
    """
    alike = finite(like or values)
    decimals, positive = decimals_for(alike, _least(unit)), min(alike, default=0.0) >= 0.0
    if max(map(abs, alike), default=0.0) >= 1e5 or are_tiny(alike, decimals):
        return [number(value, unit) for value in values]
    top = 1.0 if unit in PROBABILITY_UNITS else math.inf
    return [fixed(value, decimals, positive=positive, top=top) if finite([value]) else number(value, unit)
            for value in values]


def with_limits(value: float | None, low: float | None, high: float | None, unit: str = "") -> str:
    """Such as "0.797 [0.721, 0.857]"."""
    return "{} [{}, {}]".format(*numbers((value, low, high), unit))


def estimand(row: Row) -> str:
    """The name of an estimand, such as "survival (12 months)"."""
    return row["estimand"] + ("" if row["time_months"] is None else f" ({row['time_months']:g} months)")


def failed_lines(results: "Results", remedy: str = "") -> list[str]:
    """One line for each fit that is no result; `remedy` tells what to do where it did not converge."""
    return [f"{record.status}: {record.name(results.evidence)}: {record.diagnostics['failures']}"
            + (remedy if record.status != FAILED else "") for record in results.failed]


def left_out_lines(rows: Sequence[Row]) -> list[str]:
    """One line for each reason for which rows are left out, with their number."""
    return [f"left out: {counted(count, 'row')}, {reason}"
            for reason, count in Counter(row["reason"] for row in rows).items()]


def row_counts(evidence: "Evidence") -> dict[str, int]:
    """Rows of the tables that a reader asks for; of patients one by one their number."""
    rows = {name: len(getattr(evidence, name)) for name in _NOUNS}
    return rows | {"patients": sum(row.n for row in evidence.patients)}


def no_problem(evidence: "Evidence") -> str:
    """What `check` says of evidence that can be analysed."""
    counts = ", ".join(counted(count, _NOUNS[name]) for name, count in row_counts(evidence).items() if count)
    return f"no problem found. {counts}."


def _printable(text: str) -> str:
    # Evidence text must not move the cursor or recolour the terminal.
    return "".join(character if character.isprintable() else "?" for character in str(text))
