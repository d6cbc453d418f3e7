"""The files of an evidence folder as bytes and rows, and the edits that plant a fault in a copy of them."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cached_property
from math import floor
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "data"

Row = Mapping[str, str]


@dataclass(frozen=True)
class Data:
    """Every file of an evidence folder.

    Parameters
    ----------
    files : mapping of str to bytes
        Content by file name.
    """

    files: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path) -> "Data":
        """Return the files that lie directly in a folder; hidden ones belong to the system."""
        names = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
        return cls({path.name: path.read_bytes() for path in names})

    def write(self, folder: Path) -> Path:
        """Write every file into a new folder and return it."""
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder

    def text(self, name: str) -> str:
        """Return a file as text; wrong bytes show as replacement characters."""
        return self.files[name].decode("utf-8", errors="replace")

    def names(self, ending: str) -> list[str]:
        """Return the file names with an ending."""
        return [name for name in self.files if name.endswith(ending)]

    def replaced(self, name: str, old: str, new: str) -> "Data":
        """Return a copy in which the one occurrence of a passage is another."""
        assert self.text(name).count(old) == 1, f"{name} holds {old!r} {self.text(name).count(old)} times"
        return Data({**self.files, name: self.files[name].replace(old.encode(), new.encode())})

    def with_rows(self, name: str, *rows: Row) -> "Data":
        """Return a copy of a table with rows added at its end; columns that a row does not name are empty."""
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, self.header(name), lineterminator="\n")
        writer.writerows(rows)
        return Data({**self.files, name: self.files[name] + buffer.getvalue().encode()})

    def header(self, name: str) -> list[str]:
        """Return the column names of a table."""
        return next(csv.reader(io.StringIO(self.text(name))), [])

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        """Return the rows of a table, named without its ending."""
        return self._tables[f"{name}.csv"]

    @cached_property
    def _tables(self) -> Mapping[str, tuple[Row, ...]]:
        return {name: tuple(csv.DictReader(io.StringIO(self.text(name)), restval="")) for name in self.names(".csv")}

    @cached_property
    def facts(self) -> Mapping[str, Row]:
        """The ledger by fact id."""
        return {row["fact_id"]: row for row in self["extraction"]}

    @cached_property
    def studies(self) -> Mapping[str, Row]:
        """The studies by id."""
        return {row["study_id"]: row for row in self["studies"]}

    @cached_property
    def sources(self) -> Mapping[str, Row]:
        """The sources by id."""
        return {row["source_id"]: row for row in self["sources"]}

    @cached_property
    def endpoints(self) -> Mapping[str, Row]:
        """The analysed endpoints by name."""
        return {row["endpoint"]: row for row in self["endpoints"]}

    def response(self, study_id: str, endpoint: str) -> Row | None:
        """Return the count that is analysed for a study and an endpoint."""
        found = (row for row in self["responses"] if (row["study_id"], row["endpoint"]) == (study_id, endpoint))
        return next(found, None)

    @property
    def decisions(self) -> tuple[Row, ...]:
        """The rows of both decision tables."""
        return self["responses"] + self["survival"]


def where(row: Row) -> str:
    """Return the words by which a reader finds a row."""
    keys = ("fact_id", "reported_id", "check_id", "study_id", "endpoint", "population", "statistic", "time_months")
    return " ".join(row[key] for key in keys if row.get(key))


def number(cell: str) -> Decimal | None:
    """Return a cell as an exact number, None when it is empty or none."""
    try:
        value = Decimal(cell)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def decimals(cell: str) -> int:
    """Return the digits of a printed number after its point."""
    return len(cell.partition(".")[2])


def prints_as(events: int, n: int, printed: str) -> bool:
    """Return whether events of n, in percent, prints as a number, rounding half up or half to even."""
    if not n:
        return False
    units = Fraction(100 * events, n) * 10 ** decimals(printed)
    return Fraction(printed) * 10 ** decimals(printed) in {round(units), floor(units + Fraction(1, 2))}


def counts_printing_as(printed: str, n: int) -> list[int]:
    """Return every number of events among n that prints as a percentage."""
    return [events for events in range(n + 1) if prints_as(events, n, printed)]


def token(population: str) -> str:
    """Return the first word of a population, which names the base."""
    return re.split(r"[:,]", population)[0]


def repeated(values: Iterable[object]) -> list[object]:
    """Return the values that occur more than once."""
    seen: set[object] = set()
    return [value for value in values if value in seen or seen.add(value)]
