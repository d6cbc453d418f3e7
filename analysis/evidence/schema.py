"""What can be said about a table before it is read: its columns, keys and references."""

from dataclasses import dataclass

from analysis.evidence.cells import Parser


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
    """

    name: str
    parse: Parser
    required: bool = False
    filled: bool = False
    empty: object = None


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
    unique : tuple of tuple of str
        Combinations of columns that may not repeat; a problem names the first column of the combination.
    references : tuple of (str, str)
        Column here, and the table whose first column must hold its values.
    keeps_cells : bool
        Whether cells of unknown columns are kept with the row, so that they are checked as text.
    """

    file: str
    row: type
    columns: tuple[Column, ...]
    subject: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    keeps_cells: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)
