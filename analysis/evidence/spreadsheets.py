"""One file to numbered rows of text: a table as CSV, or the first visible worksheet with text of a workbook."""

import datetime
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import iterparse

from analysis.evidence.files import OTHER_KINDS, WORKBOOK, Record, read_bytes, read_records, unreadable
from analysis.evidence.problems import Problem, shown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_MOST_ROWS, _MOST_COLUMNS = 100_000, 500
_MOST_UNPACKED = 200_000_000
# Text that begins further down is of no table.
_MOST_BLANK = 1000
_LISTED = 5
_FORMULA = "is a formula whose value the file does not store"
_SAVE = "Open and save the file in a spreadsheet program, or write the value."
_REMEDY = "Save it as .xlsx, or as CSV UTF-8."


@dataclass(frozen=True)
class Sheet:
    """A table: the name of its file, its header, and its rows with their numbers; blank rows are left out.

    Parameters
    ----------
    name : str
        Of the worksheet, where a workbook has one.
    others : tuple of (str, Record)
        Names and headers of the visible worksheets that are not read.
    problems, notes : tuple of Problem
        Of the workbook: cells whose value it does not store; rows and worksheets that a reader does not see, or that
        are not read.
    """

    file: str
    header: Record
    records: tuple[Record, ...]
    name: str = ""
    others: tuple[tuple[str, Record], ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def read_sheet(path: Path) -> Sheet:
    """Return the table of a file.

    Raises
    ------
    EvidenceError
        When it holds none that can be read.
    """
    kind = path.suffix.lower()
    if kind in OTHER_KINDS:
        raise unreadable(path.name, None, f"is a {kind} file", _REMEDY)
    data = read_bytes(path)
    if kind == WORKBOOK:
        return _of_workbook(path)
    header, *records = read_records(path.name, data, guess=True)[2]
    if header.fault:
        raise unreadable(path.name, header.row, f"has a header that cannot be read: {header.fault}", _REMEDY)
    return Sheet(path.name, header, tuple(records))


def _of_workbook(path: Path) -> Sheet:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(item.file_size for item in packed.infolist()) > _MOST_UNPACKED:
                raise unreadable(path.name, None, f"unpacks to more than {_MOST_UNPACKED // 1_000_000} MB", "Split it.")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                return _first_table(path, book, packed)
            finally:
                book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise unreadable(path.name, None, "is no workbook that can be read", _REMEDY) from error


def _first_table(path: Path, book: "Workbook", packed: zipfile.ZipFile) -> Sheet:
    visible, hidden = ([sheet for sheet in book.worksheets if (sheet.sheet_state == "visible") is seen]
                       for seen in (True, False))
    unseen = [sheet.title for sheet in hidden if _head(sheet)]
    for place, sheet in enumerate(visible):
        if records := list(_records(path, sheet)):
            others = tuple((other.title, head) for other in visible[place + 1:] if (head := _head(other)))
            problems, notes = _unseen(path, sheet, packed, records)
            left = [*(shown(name) for name, _ in others), *(f"{shown(name)} (hidden)" for name in unseen)]
            if left:
                rule = f"has further sheets, which are not read: {_listed(left)}; the first visible one with text " \
                       f"counts, {shown(sheet.title)}"
                notes.insert(0, Problem(path.name, None, "", "", rule, "Move its rows there if others are meant."))
            return Sheet(path.name, records[0], tuple(records[1:]), sheet.title, others, tuple(problems), tuple(notes))
    if unseen:
        raise unreadable(path.name, None, f"has text in hidden sheets only: {_listed(map(shown, unseen))}",
                         "Unhide the one that is meant.")
    raise unreadable(path.name, None, "is empty", "Write a header and rows.")


def _head(sheet: "ReadOnlyWorksheet") -> Record | None:
    """The first row with text of a worksheet."""
    rows = enumerate(islice(sheet.iter_rows(values_only=True), _MOST_BLANK), start=1)
    return next((Record(at, tuple(map(_text, cells))) for at, cells in rows if any(map(_text, cells))), None)


def _listed(names: Iterable[str]) -> str:
    first, *more = [*names]
    kept = [first, *more[:_LISTED - 1]]
    return ", ".join(kept) + (f" and {len(more) + 1 - len(kept)} more" if len(more) >= _LISTED else "")


def _unseen(path: Path, sheet: "ReadOnlyWorksheet", packed: zipfile.ZipFile, records: list[Record],
            ) -> tuple[list[Problem], list[Problem]]:
    """Problems of formulas whose value is not stored, and a note of hidden rows, which openpyxl tells of neither.

    A file that no spreadsheet program has saved has formulas without values; an empty text is a value.
    """
    header, rows = records[0], {record.row for record in records}
    problems, hidden, number = [], [], 0
    with packed.open(sheet._worksheet_path) as stream:
        for _, row in iterparse(stream):
            if not row.tag.endswith("}row"):
                continue
            number = int(row.get("r", number + 1))
            if number in rows and row.get("hidden") in ("1", "true"):
                hidden.append(str(number))
            for at, cell in enumerate(row):
                parts = {part.tag.rpartition("}")[2]: part.text for part in cell}
                if "f" in parts and not parts.get("v") and cell.get("t") != "str":
                    place = _place(cell, at)
                    column = header.cells[place] if place < len(header.cells) and number != header.row else ""
                    if column or number == header.row:
                        problems.append(Problem(path.name, number, column, f"={parts['f'] or ''}", _FORMULA, _SAVE))
            row.clear()
    notes = [Problem(path.name, None, "", "", f"has hidden rows, which are read as well: {_listed(hidden)}",
                     "Delete those that are not meant to count.")] if hidden else []
    return problems, notes


def _place(cell: "Element", place: int) -> int:
    """The column of a cell, counted from 0; without a reference it is the one where the cell stands."""
    from openpyxl.utils.cell import coordinate_to_tuple

    return coordinate_to_tuple(cell.get("r"))[1] - 1 if cell.get("r") else place


def _records(path: Path, sheet: "ReadOnlyWorksheet") -> Iterator[Record]:
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
