"""Tables of results: pandas frames whose columns are declared once, each with its meaning, unit and kind."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.system.files import write_csv

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {"text": "string", "count": "Int64", "number": "float64", "flag": "boolean"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
    meaning : str
        In a phrase, with the unit; what the dictionary of the results says.
    kind : {"number", "count", "text", "flag"}
    """

    name: str
    meaning: str
    kind: str = "number"

    def __post_init__(self) -> None:
        if self.kind not in _DTYPES:
            raise ValueError(f"{self.name}: {self.kind!r} is no kind of column")


@dataclass(frozen=True)
class Layout:
    """What one file of results holds.

    Parameters
    ----------
    file : str
        Such as "influence.csv".
    meaning : str
        What a row is, as a sentence.
    columns : tuple of Column
    """

    file: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def table(self, rows: Iterable[Row]) -> "Table":
        """The table of some rows; cells that a row does not name are empty.

        Raises
        ------
        ValueError
            When a row names a column that is not declared.
        """
        rows = tuple(rows)
        unknown = {name for row in rows for name in row} - set(self.names)
        if unknown:
            raise ValueError(f"{self.file} has no column {', '.join(sorted(unknown))}")
        return Table(self, rows)


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of one file; made by `Layout.table`."""

    layout: Layout
    given: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.given)

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """One typed column for each that is declared; missing cells are NaN or NA."""
        import pandas as pd

        data = {column.name: pd.array([row.get(column.name) for row in self.given], dtype=_DTYPES[column.kind])
                for column in self.layout.columns}
        return pd.DataFrame(data)

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The rows with every declared column; None where a cell is empty."""
        return tuple({name: _plain(row.get(name)) for name in self.layout.names} for row in self.given)

    def where(self, **cells: Any) -> tuple[dict[str, Any], ...]:
        """Rows whose cells are these."""
        return tuple(row for row in self.rows if all(row[name] == value for name, value in cells.items()))

    def write(self, folder: Path) -> Path:
        """Write the file whole or not at all; returns its path."""
        path = folder / self.layout.file
        write_csv(path, self.rows, self.layout.names)
        return path

    def __getstate__(self) -> dict[str, Any]:
        return {"layout": self.layout, "given": self.given}


def plain_rows(frame: "pd.DataFrame") -> Iterator[Any]:
    """The rows of a frame as named tuples of plain values; None where a cell is empty."""
    return frame.astype(object).where(frame.notna(), None).itertuples(index=False)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def dictionary(layouts: Sequence[Layout]) -> str:
    """What every file and every column means, as Markdown."""
    parts = ["# What the files hold\n\nEmpty cells have no value. Each table's columns, with their units:"]
    for layout in layouts:
        lines = [f"| `{column.name}` | {column.meaning} |" for column in layout.columns]
        parts.append(f"## {layout.file}\n\n{layout.meaning}\n\n| column | meaning |\n|---|---|\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"
