"""Text to records: a header and rows of cells, each with the line on which it begins."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.evidence.cells import as_seen
from analysis.evidence.problems import Problem, shown

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Spreadsheets read such a first line as the separator of the table below it.
_BREAK = re.compile(r"\r\n|\r|\n")
_DECLARATION = re.compile(rf'\s*"?sep ?= ?(\\t|.)"?[,;\t| ]*(?:{_BREAK.pattern}|$)', re.IGNORECASE)
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
    surplus : int
        Empty cells behind the last column of the header, which are not among `cells`.
    """

    row: int
    cells: tuple[str, ...]
    fault: str = ""
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class RawTable:
    """A header, the rows beneath it and the problems of their form.

    Parameters
    ----------
    header : tuple of str
        Column names in the order of the file; a repeated or empty name keeps its place, empty ones at the end do not.
    header_row : int
        Line of the header.
    records : tuple of Record
        Rows in the order of the file, malformed ones included.
    width : int
        Cells of the header, those without a name included.
    separator : str
        What stands between cells.
    """

    header: tuple[str, ...]
    header_row: int
    records: tuple[Record, ...]
    width: int
    separator: str = ","


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
    declared = _DECLARATION.match(text)
    separator = declared[1].replace("\\t", "\t") if declared else ","
    if separator not in _SEPARATORS:
        rule = f"begins with sep={shown(separator)}, which is no separator of tables"
        return Problem(file, 1, "", "", rule, "Write sep=, or sep=; and use that character between cells.")
    records = tuple(_records(text, separator, skipped=len(_BREAK.findall(declared[0])) if declared else 0))
    if not records:
        return Problem(file, None, "", "", "holds separators but no text", "Write a header and rows.")
    first = records[0]
    if first.fault:
        return Problem(file, first.row, "", "", f"has a header that cannot be read: {first.fault}", _QUOTES)
    # Spreadsheets write a mark of the byte order even below a line that declares the separator.
    header = _without_empty_end((first.cells[0].lstrip("\ufeff"), *first.cells[1:]))
    wrong = _wrong_separator(file, header, first.row, separator if declared else "", required)
    if wrong:
        return wrong
    width = len(first.cells)
    rows = tuple(_trimmed(record, len(header), width) for record in records[1:])
    return RawTable(header, first.row, rows, width, separator)


def _wrong_separator(
    file: str, header: tuple[str, ...], row: int, declared: str, required: tuple[str, ...]
) -> Problem | None:
    separator = declared or ","
    for other, words in _SEPARATORS.items():
        names = {cell.strip().strip('"') for cell in separator.join(header).split(other)}
        if other != separator and len(names) > 1 and not set(required) <= set(header) and set(required) & names:
            written = "sep=" + ("\\t" if other == "\t" else other)
            remedy = f"Use commas, or write {written} as the first line; numbers have a point, such as 0.38."
            if declared:
                remedy = f"Write {written} in the first line."
            return Problem(file, row, "", "", f"is separated by {words}", remedy)
    return None


def _without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end > 1 and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _trimmed(record: Record, columns: int, width: int) -> Record:
    """The record without the empty cells behind the named columns."""
    if record.fault or len(record.cells) <= columns or any(record.cells[columns:]):
        return record
    return Record(record.row, record.cells[:columns], surplus=max(0, len(record.cells) - width))


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
            if any(any(record.cells[place - 1 : place]) for record in table.records):
                rule, remedy = f"has no name for its column {place}", "Name the column, or delete it if not needed."
                yield Problem(file, table.header_row, "", "", rule, remedy)
        elif name in seen:
            yield Problem(file, table.header_row, name, "", "stands twice in the header", "Rename one.")
        seen.add(name)
    for record in table.records:
        if record.fault:
            yield Problem(file, record.row, "", "", record.fault, _QUOTES, ", ".join(record.cells[:1]))
        elif len(record.cells) != len(table.header):
            yield _length_problem(file, record, table)


_QUOTES = "Close each quotation and double a quotation mark inside a quoted cell."


def _length_problem(file: str, record: Record, table: RawTable) -> Problem:
    count, expected = len(record.cells), len(table.header)
    surplus = f", the last {shown(record.cells[-1])}" if count > expected and record.cells[-1] else ""
    rule = f"has {count} cells{surplus} where the header has {expected}"
    remedy = "Add the missing cells, empty if unknown."
    if count > expected:
        mark = {",": "comma", ";": "semicolon"}.get(table.separator, "separator")
        remedy = f"Put a cell that holds a {mark} into double quotes; write numbers without separators."
    if expected < count <= table.width:
        remedy = f"Name column {count} in the header if its cells are needed. {remedy}"
    return Problem(file, record.row, "", "", rule, remedy, ", ".join(record.cells[:1]))


def _records(text: str, separator: str, *, skipped: int) -> Iterator[Record]:
    """Yield records; after a broken quotation go on with the next line, so that one slip hides no other."""
    lines = list(io.StringIO(text, newline=""))
    start = skipped
    for _ in range(_RECOVERY_LIMIT):
        reader = csv.reader(lines[start:], strict=True, delimiter=separator)
        first = start
        try:
            for cells in reader:
                stripped = tuple([_stripped(cell) for cell in cells])
                if any(stripped):
                    yield Record(first + 1, stripped)
                first = start + reader.line_num
            return
        except csv.Error as error:
            yield Record(first + 1, tuple(lines[first].strip().split(separator)), _explained(error))
            start = first + 1
    if start < len(lines):
        yield Record(start + 1, ("",), f"follows {_RECOVERY_LIMIT} broken rows, so reading stops here")


def _stripped(cell: str) -> str:
    """The cell without outer blanks; nothing where nothing of it can be seen."""
    bare = cell.strip()
    return bare if bare.isascii() or as_seen(bare) else ""


def _explained(error: csv.Error) -> str:
    if "limit" in str(error):
        return f"holds a cell of more than {csv.field_size_limit():,} characters"
    return "has quotation marks that do not pair"
