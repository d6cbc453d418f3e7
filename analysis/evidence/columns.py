"""How a row declares its table: what each column holds, which must be filled, what refers to what."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Parser = Callable[[str], object]

MONTHS_IN = {"months": 1.0, "years": 12.0, "weeks": 7 / 30.4375, "days": 1 / 30.4375}
"""Months of each unit of time, of which a year has 12."""

CONVERTED = {
    "person_months": {
        f"{who}_{unit}": months
        for unit, months in MONTHS_IN.items()
        for who in ("person", "patient")
        if (who, unit) != ("person", "months")
    }
}
"""Columns that are read in place of an absent one, and what their cells are multiplied by."""

HEADER = "the header of studies.csv"
"""What a column refers to that names columns of studies.csv."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds.

    Parameters
    ----------
    parse : callable
        Turns the text of a filled cell into a value or a fault; holds the legal range.
    meaning : str
        What the value says, with its unit.
    required : bool
        Whether the table must have the column.
    filled : bool
        Whether its cells may not be empty.
    empty : object
        Value of an empty cell and of an absent column.
    refers : str
        The table whose first column must hold the value, or `HEADER`; empty for none.
    unique : str
        What to do with two different rows of one value; empty where values may repeat.
    unknown : str
        What to do where a cell says in words that there is no value; empty: leave it empty, or fill it.
    words : bool
        Whether a word such as "not available" is a value, since sources say so.
    """

    parse: Parser
    meaning: str
    required: bool = False
    filled: bool = False
    empty: object = None
    refers: str = ""
    unique: str = ""
    unknown: str = ""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What a table holds.

    Parameters
    ----------
    row : type
        Dataclass of its rows. One with a field `columns` keeps the cells of unknown columns, too.
    columns : mapping of str to Column
        Known columns by name, in the order in which their cells are checked.
    subject : tuple of str
        Columns that tell a reader which row is meant.
    unique : mapping of tuple of str to str
        Combinations of columns that may not repeat, and what to do with two different rows that do; a problem names
        the first column of the combination.
    unknown : str
        What to do where a cell that must be filled cannot be.
    """

    file: str
    row: type
    columns: Mapping[str, Column]
    subject: tuple[str, ...]
    unique: Mapping[tuple[str, ...], str]
    unknown: str

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(name for name, column in self.columns.items() if column.required)


TABLES: dict[str, Table] = {}
"""Every declared table by file, in the order in which tables are read and their problems are told."""


def rows_of[R: type](
    file: str, *, subject: tuple[str, ...] = (), unique: Mapping[tuple[str, ...], str] | None = None,
    unknown: str = "If it is not known, delete the row.",
) -> Callable[[R], R]:
    """Return a decorator that declares a dataclass as the row of a table; without a subject, the first column is it."""

    def declare(row: R) -> R:
        columns = {entry.name: entry.metadata["column"] for entry in fields(row) if entry.metadata}
        keys = {(name,): column.unique for name, column in columns.items() if column.unique}
        TABLES[file] = Table(file, row, columns, subject or tuple(columns)[:1], keys | (unique or {}), unknown)
        return row

    return declare


def filled(parse: Parser, meaning: str, *, refers: str = "", unique: str = "") -> Any:
    """Return the field of a column that must be there, with a value in each cell; see `Column`."""
    return field(metadata={"column": Column(parse, meaning, required=True, filled=True, refers=refers, unique=unique)})


def optional(
    parse: Parser, meaning: str, *, empty: object = None, required: bool = False, refers: str = "", unknown: str = "",
    words: bool = False,
) -> Any:
    """Return the field of a column whose cells may be empty; see `Column`."""
    column = Column(parse, meaning, required=required, empty=empty, refers=refers, unknown=unknown, words=words)
    return field(metadata={"column": column})


def written_as(column: str, header: Collection[str]) -> str:
    """Return the column that stands for the given one in a table, which is another where that one is absent."""
    return next((name for name in (column, *CONVERTED.get(column, ())) if name in header), column)


def in_other_unit(column: str, header: Collection[str]) -> tuple[str, str] | None:
    """Return the column that gives an absent number of months in another unit, and how that becomes months."""
    stem = column.removesuffix("months")
    names = [name for name in header if name.startswith(stem) and name.removeprefix(stem) in MONTHS_IN]
    if not names or stem == column or column in names:
        return None
    unit = names[0].removeprefix(stem)
    months = MONTHS_IN[unit]
    return names[0], f"multiply {unit} by {months:g}" if months > 1 else f"divide {unit} by {1 / months:.6g}"
