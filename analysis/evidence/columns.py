"""How a row declares its table: what each column holds, which must be filled, what refers to what."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import partial
from typing import Any

Parser = Callable[[str], object]

MONTHS_IN = {"months": 1.0, "years": 12.0, "weeks": 7 / 30.4375, "days": 1 / 30.4375}
"""Months of each unit of time, of which a year has 12."""

CONVERTED = {"person_months": {
    f"{who}_{unit}": months for unit, months in MONTHS_IN.items() for who in ("person", "patient")
    if (who, unit) != ("person", "months")}}
"""Columns that are read in place of an absent one, and what their cells are multiplied by."""

TIMES, TIMES_OF_A_MEDIAN = ("time_months", "person_months"), ("estimate", "ci_low", "ci_high")
"""Columns of survival.csv that the unit in `time_unit` is for: of every row, and of a median."""

_LIKENESS = 0.75

HEADER = "the header of studies.csv"
"""What a column refers to that names columns of studies.csv."""

ASKED = "the headers that a subset may ask about"
"""What a column refers to that names columns of studies.csv, or some of survival.csv."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds."""

    parse: Parser  # from the text of a filled cell to a value or a fault; holds the legal range
    meaning: str  # what the value says, with its unit
    required: bool  # whether the table must have the column
    filled: bool  # whether its cells may not be empty
    empty: object  # the value of an empty cell and of an absent column
    refers: str  # the table whose first column must hold the value, HEADER or ASKED; empty for none
    unique: str  # what to do with two different rows of one value; empty where values may repeat
    unknown: str  # what to do where a cell says in words that there is no value; empty: leave it empty, or fill it
    words: bool  # whether a word such as "not available" is a value, since sources say so


@dataclass(frozen=True, slots=True)
class Table:
    """What a table holds."""

    file: str
    row: type  # the dataclass of its rows; with a field `columns` it keeps the cells of unknown columns, too
    columns: Mapping[str, Column]  # known columns by name, in the order in which their cells are checked
    subject: tuple[str, ...]  # columns that tell a reader which row is meant
    # Combinations of columns that may not repeat, the first of which a problem names, and what to do with two
    # different rows that do.
    unique: Mapping[tuple[str, ...], str]
    unknown: str  # what to do where a cell that must be filled cannot be

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(name for name, column in self.columns.items() if column.required)

    @property
    def blank(self) -> dict[str, object]:
        """Values of a row whose cells are all empty, by column."""
        return {name: column.empty for name, column in self.columns.items()}


TABLES: dict[str, Table] = {}
"""Every declared table by file, in the order in which tables are read and their problems are told."""


def rows_of[R: type](
    file: str, *, subject: tuple[str, ...] = (), unique: Mapping[tuple[str, ...], str] | None = None,
    unknown: str = "If it is not known, delete the row.",
) -> Callable[[R], R]:
    """Return a decorator that declares a dataclass as the row of a `Table`; the default subject is the first column."""

    def declare(row: R) -> R:
        columns = {entry.name: entry.metadata["column"] for entry in fields(row) if entry.metadata}
        keys = {(name,): column.unique for name, column in columns.items() if column.unique}
        TABLES[file] = Table(file, row, columns, subject or tuple(columns)[:1], keys | (unique or {}), unknown)
        return row

    return declare


def cell(
    parse: Parser, meaning: str, *, required: bool = False, filled: bool = False, empty: object = None,
    refers: str = "", unique: str = "", unknown: str = "", words: bool = False,
) -> Any:
    """Return the field of a row that declares a `Column`."""
    return field(metadata={"column": Column(parse, meaning, required, filled, empty, refers, unique, unknown, words)})


filled = partial(cell, required=True, filled=True)
"""The same for a column that must be there, with a value in each cell."""


def meant_by(name: str, absent: Iterable[str]) -> str:
    """Return the absent column that a name stands for by its letters or by its words; empty where it is none."""
    plain, absent = name[:100].lower(), [*absent]
    if near := get_close_matches(plain, absent, n=1, cutoff=_LIKENESS):
        return near[0]
    words = set(re.split(r"[^a-z0-9]+", plain))
    return next((column for column in absent if words < (known := set(column.split("_"))) or words > known), "")


def written_as(column: str, header: Collection[str]) -> str:
    """Return the column that stands for the given one in a table, which is another where that one is absent."""
    return next((name for name in (column, *CONVERTED.get(column, ())) if name in header), column)


def months_of_one(column: str, source: str, cells: Mapping[str, str]) -> float:
    """What a number of `column`, written in `source`, is multiplied by to be in months; 1 for what is no time."""
    if source != column:
        return CONVERTED[column][source]
    timed = column in TIMES or (column in TIMES_OF_A_MEDIAN and cells.get("statistic", "").casefold() == "median")
    return MONTHS_IN.get(cells.get("time_unit", "").casefold(), 1.0) if timed else 1.0


def in_other_unit(column: str, header: Collection[str]) -> tuple[str, str] | None:
    """Return the column that gives an absent number of months in another unit, and how that becomes months."""
    stem = column.removesuffix("months")
    names = [name for name in header if name.startswith(stem) and name.removeprefix(stem) in MONTHS_IN]
    if not names or stem == column or column in names:
        return None
    unit = names[0].removeprefix(stem)
    months = MONTHS_IN[unit]
    return names[0], f"multiply {unit} by {months:g}" if months > 1 else f"divide {unit} by {1 / months:.6g}"
