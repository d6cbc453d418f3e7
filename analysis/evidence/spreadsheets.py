"""One file to numbered rows of text: a table as CSV, or the first worksheet with text of a workbook."""

import datetime
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.evidence.files import Record, read_bytes, read_records, unreadable

_WORKBOOK = ".xlsx"
_OTHERS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
_MOST_ROWS, _MOST_COLUMNS = 100_000, 500
_MOST_UNPACKED = 200_000_000
_REMEDY = "Save it as .xlsx, or as CSV UTF-8."


@dataclass(frozen=True)
class Sheet:
    """A table: the name of its file, its header, and its rows with their numbers; blank rows are left out."""

    file: str
    header: Record
    records: tuple[Record, ...]


def read_sheet(path: Path) -> Sheet:
    """Return the table of a file.

    Raises
    ------
    EvidenceError
        When it holds none that can be read.
    """
    kind = path.suffix.lower()
    if kind in _OTHERS:
        raise unreadable(path.name, None, f"is a {kind} file", _REMEDY)
    data = read_bytes(path)
    header, *records = _of_workbook(path) if kind == _WORKBOOK else read_records(path.name, data, guess=True)[2]
    if header.fault:
        raise unreadable(path.name, header.row, f"has a header that cannot be read: {header.fault}", _REMEDY)
    return Sheet(path.name, header, tuple(records))


def _of_workbook(path: Path) -> list[Record]:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(item.file_size for item in packed.infolist()) > _MOST_UNPACKED:
                raise unreadable(path.name, None, f"unpacks to more than {_MOST_UNPACKED // 1_000_000} MB", "Split it.")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            records = next(filter(None, (list(_records(path, sheet)) for sheet in book.worksheets)), None)
        finally:
            book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise unreadable(path.name, None, "is no workbook that can be read", _REMEDY) from error
    if not records:
        raise unreadable(path.name, None, "is empty", "Write a header and rows.")
    return records


def _records(path: Path, sheet: object) -> Iterator[Record]:
    width = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > _MOST_ROWS or len(cells) > _MOST_COLUMNS:
            rule = f"has more than {_MOST_ROWS:,} rows or {_MOST_COLUMNS} columns"
            raise unreadable(path.name, None, rule, "Delete rows and columns without text, or split it.")
        texts = [_text(cell) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            # Every row is as wide as the header, which is the first one; what stands beyond it has no name.
            width = width or len(texts)
            yield Record(number, (*texts, *[""] * (width - len(texts))))


def _text(cell: object) -> str:
    """A cell as it would stand in a CSV file."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ")
    return str(cell).strip()
