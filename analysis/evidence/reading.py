"""Text to records: a header and rows of cells, each with the line on which it begins."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.evidence.problems import Problem, shown

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# A file with more broken quotations than this is no table; going on would cost time and say nothing new.
_RECOVERY_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Record:
    """One row as text.

    Parameters
    ----------
    row : int
        Line on which the row begins.
    cells : tuple of str
        Cells without outer blanks.
    fault : str
        Empty, or why the cells cannot be trusted.
    """

    row: int
    cells: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A header, the rows beneath it and the problems of their form.

    Parameters
    ----------
    header : tuple of str
        Column names in the order of the file; a repeated or empty name keeps its place.
    header_row : int
        Line of the header.
    records : tuple of Record
        Rows in the order of the file, malformed ones included.
    """

    header: tuple[str, ...]
    header_row: int
    records: tuple[Record, ...]


def read_table(file: str, text: str, *, required: tuple[str, ...]) -> RawTable | Problem:
    """Return header and records of a table, or the problem that makes the whole file unreadable.

    Parameters
    ----------
    file : str
        Name of the table.
    text : str
        Decoded content.
    required : tuple of str
        Columns that must be there; they tell a wrong separator from a wrong header.
    """
    records = tuple(_records(text))
    if not records:
        return Problem(file, None, "", "", "holds separators but no text", "Write a header and rows.")
    header = records[0]
    if header.fault:
        return Problem(file, header.row, "", "", f"has a header that cannot be read: {header.fault}", _QUOTES)
    for separator, words in _SEPARATORS.items():
        names = {cell.strip().strip('"') for cell in ",".join(header.cells).split(separator)}
        if len(names) > 1 and not set(required) <= set(header.cells) and set(required) & names:
            return Problem(file, header.row, "", "", f"is separated by {words}", "Use commas.")
    return RawTable(header.cells, header.row, records[1:])


def form_problems(file: str, table: RawTable) -> Iterator[Problem]:
    """Yield the problems of header names, row lengths and quotation marks.

    Parameters
    ----------
    file : str
        Name of the table.
    table : RawTable
        What `read_table` returned.
    """
    seen: set[str] = set()
    for place, name in enumerate(table.header, start=1):
        if not name:
            rule = f"has no name for its column {place}"
            yield Problem(file, table.header_row, "", "", rule, "Name the column or delete it.")
        elif name in seen:
            yield Problem(file, table.header_row, name, "", "stands twice in the header", "Rename one.")
        seen.add(name)
    for record in table.records:
        if record.fault:
            yield Problem(file, record.row, "", "", record.fault, _QUOTES, ", ".join(record.cells[:1]))
        elif len(record.cells) != len(table.header):
            yield _length_problem(file, record, len(table.header))


_QUOTES = "Close each quotation and double a quotation mark inside a quoted cell."


def _length_problem(file: str, record: Record, expected: int) -> Problem:
    found = len(record.cells)
    surplus = f", the last {shown(record.cells[-1])}" if found > expected and record.cells[-1] else ""
    rule = f"has {found} cells{surplus} where the header has {expected}"
    remedy = "Add the missing cells, empty if unknown."
    if found > expected:
        remedy = "Put a cell that holds a comma into double quotes; write numbers without separators."
    return Problem(file, record.row, "", "", rule, remedy, ", ".join(record.cells[:1]))


def _records(text: str) -> Iterator[Record]:
    """Yield records; after a broken quotation go on with the next line, so that one slip hides no other."""
    lines = list(io.StringIO(text, newline=""))
    start = 0
    for _ in range(_RECOVERY_LIMIT):
        reader = csv.reader(lines[start:], strict=True)
        first = start
        try:
            for cells in reader:
                stripped = tuple([cell.strip() for cell in cells])
                if any(stripped):
                    yield Record(first + 1, stripped)
                first = start + reader.line_num
            return
        except csv.Error as error:
            yield Record(first + 1, tuple(lines[first].strip().split(",")), _explained(error))
            start = first + 1
    if start < len(lines):
        yield Record(start + 1, ("",), f"follows {_RECOVERY_LIMIT} broken rows, so reading stops here")


def _explained(error: csv.Error) -> str:
    if "limit" in str(error):
        return f"holds a cell of more than {csv.field_size_limit():,} characters"
    return "has quotation marks that do not pair"
