"""What can be said about a table before it is read: its columns, keys and references."""

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.evidence.cells import Parser

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


def in_other_unit(column: str, header: Iterable[str]) -> tuple[str, str] | None:
    """Return the column that gives the months of another one in a unit of time, and that unit.

    Parameters
    ----------
    column : str
        Such as time_months.
    header : iterable of str
        Columns of the table.
    """
    stem = column.removesuffix("months")
    names = [name for name in header if name.startswith(stem) and name.removeprefix(stem) in MONTHS_IN]
    return (names[0], names[0].removeprefix(stem)) if names and stem != column and column not in names else None


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds.

    Parameters
    ----------
    parse : Parser
        Turns the text of a filled cell into a value or a fault.
    required : bool
        Whether the table must have the column.
    filled : bool
        Whether its cells may not be empty.
    empty : object
        Value of an empty cell and of an absent column.
    unknown : str
        What to do where a cell says in words that there is no value; empty: leave it empty, or fill it.
    words : bool
        Whether a word such as "not available" is a value, since sources say so.
    """

    name: str
    parse: Parser
    required: bool = False
    filled: bool = False
    empty: object = None
    unknown: str = ""
    words: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What a table holds.

    Parameters
    ----------
    file : str
        Name of the file.
    row : type
        Dataclass of its rows.
    columns : tuple of Column
        Known columns.
    subject : tuple of str
        Columns that tell a reader which row is meant.
    unique : tuple of (tuple of str, str)
        Combinations of columns that may not repeat, and what to do with two different rows that do; a problem names
        the first column of the combination.
    references : tuple of (str, str)
        Column here, and the table whose first column must hold its values.
    keeps_cells : bool
        Whether cells of unknown columns are kept with the row, so that they are checked as text.
    unknown : str
        What to do where a cell that must be filled cannot be.
    """

    file: str
    row: type
    columns: tuple[Column, ...]
    subject: tuple[str, ...]
    unique: tuple[tuple[tuple[str, ...], str], ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    keeps_cells: bool = False
    unknown: str = "If it is not known, delete the row."

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)
