"""Files to records: rows of cells with the lines on which they begin, or why there is no table in a file."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.evidence.cells import as_seen
from analysis.evidence.problems import EvidenceError, Problem, shown

WORKBOOK = ".xlsx"
OTHER_KINDS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
"""Endings of spreadsheets that are not read."""

SPREADSHEETS = (".csv", ".tsv", WORKBOOK, *OTHER_KINDS)
"""Endings of the names of files that are one table, or may be meant as one."""

SIZE_LIMIT = 50_000_000
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_BREAK = r"\r\n|\r|\n"
# Spreadsheets read such a first line as the separator of the table below it.
_DECLARATION = re.compile(rf'\s*"?sep ?= ?(\\t|.)"?[,;\t| ]*(?:{_BREAK}|$)', re.IGNORECASE)
# A file with more broken quotations than this is no table; going on would cost time and say nothing new.
_RECOVERY_LIMIT = 200
_SAVE_AS_UTF8 = "Save the table as UTF-8 (in a spreadsheet: CSV UTF-8)."


@dataclass(frozen=True, slots=True)
class Record:
    """One row as text: its first line, its cells without outer blanks, and why they cannot be trusted, if so.

    `surplus` counts the empty cells behind the last column of the header, once they are taken from `cells`.
    """

    row: int
    cells: tuple[str, ...]
    fault: str = ""
    surplus: int = 0


def unreadable(file: str, row: int | None, rule: str, remedy: str) -> EvidenceError:
    """Return the error that ends the reading of one file."""
    return EvidenceError([Problem(file, row, "", "", rule, remedy)])


def read_bytes(path: Path) -> bytes:
    """Return the bytes of an existing file; EvidenceError where they cannot be read."""
    try:
        if not path.is_file():
            raise unreadable(path.name, None, "is not a regular file", "Put a CSV file in its place.")
        with path.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        rule = f"cannot be read ({error.strerror or type(error).__name__})"
        raise unreadable(path.name, None, rule, "Check the permissions of the file.") from error
    if len(data) > SIZE_LIMIT:
        raise unreadable(path.name, None, f"is larger than {SIZE_LIMIT // 1_000_000} MB", "Split it.")
    return data


def read_records(file: str, data: bytes, *, guess: bool = False) -> tuple[str, bool, list[Record]]:
    """Return what separates the cells of a table, whether its first line says so, and its records, header first.

    EvidenceError where there are none. With `guess` a table that does not say so is split where its header splits most.
    """
    text = _decoded(file, data)
    declared = _DECLARATION.match(text)
    likely = max(SEPARATORS, key=text.lstrip().partition("\n")[0].count) if guess else ","
    separator = declared[1].replace("\\t", "\t") if declared else likely
    if separator not in SEPARATORS:
        raise unreadable(file, 1, f"begins with sep={shown(separator)}, which is no separator of tables",
                         "Write sep=, or sep=; and use that character between cells.")
    skipped = len(re.findall(_BREAK, declared[0])) if declared else 0
    records = list(_records(list(io.StringIO(text, newline="")), separator, start=skipped))
    if not records:
        raise unreadable(file, None, "holds separators but no text", "Write a header and rows.")
    return separator, bool(declared), records


def _decoded(file: str, data: bytes) -> str:
    """The text of a table without its byte-order mark."""

    def line_of(offset: int) -> int:
        return 1 + len(re.findall(_BREAK.encode(), data[:offset]))

    if data.startswith(_WIDE_MARKS) or data.count(0) * 3 > len(data) > 0:
        raise unreadable(file, 1, "is encoded as UTF-16 or UTF-32, not as UTF-8", _SAVE_AS_UTF8)
    if b"\0" in data:
        at = data.index(0)
        rule = f"holds a NUL byte at byte offset {at}"
        raise unreadable(file, line_of(at), rule, "Export the table again as plain CSV.")
    try:
        text = data.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        at = len(data) - len(error.object) + error.start
        rule = f"is not UTF-8: byte 0x{data[at]:02x} at byte offset {at}"
        raise unreadable(file, line_of(at), rule, _SAVE_AS_UTF8) from error
    if not text.strip():
        raise unreadable(file, None, "is empty", "Write a header and rows, or delete the file if it is optional.")
    return text


def _records(lines: list[str], separator: str, *, start: int) -> Iterator[Record]:
    """Yield records; after a broken quotation go on with the next line, so that one slip hides no other."""
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
            fault = "has quotation marks that do not pair"
            if "limit" in str(error):
                fault = f"holds a cell of more than {csv.field_size_limit():,} characters"
            yield Record(first + 1, tuple(lines[first].strip().split(separator)), fault)
            start = first + 1
    if start < len(lines):
        yield Record(start + 1, ("",), f"follows {_RECOVERY_LIMIT} broken rows, so reading stops here")


def _stripped(cell: str) -> str:
    """The cell without outer blanks; nothing where nothing of it can be seen."""
    bare = cell.strip()
    return bare if bare.isascii() or as_seen(bare) else ""
