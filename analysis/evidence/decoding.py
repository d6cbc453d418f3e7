"""Files to text: everything that can be wrong before the first cell is read."""

import re
from pathlib import Path

from analysis.evidence.problems import Problem

SIZE_LIMIT = 50_000_000
_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_LINE_BREAK = re.compile(rb"\r\n|\r|\n")
_SAVE_AS_UTF8 = "Save the table as UTF-8 (in a spreadsheet: CSV UTF-8)."


def read_bytes(path: Path) -> bytes | Problem:
    """Return the bytes of a file, or the problem that keeps them from being read.

    Parameters
    ----------
    path : Path
        A file that is known to exist.
    """
    try:
        if not path.is_file():
            return _of_file(path.name, "is not a regular file", "Put a CSV file in its place.")
        with path.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _of_file(path.name, f"cannot be read ({reason})", "Check the permissions of the file.")
    if len(data) > SIZE_LIMIT:
        return _of_file(path.name, f"is larger than {SIZE_LIMIT // 1_000_000} MB", "Split it.")
    return data


def decode(file: str, data: bytes) -> str | Problem:
    """Return the text of a table without its byte-order mark, or the problem with its encoding.

    Parameters
    ----------
    file : str
        Name of the table.
    data : bytes
        Its whole content.
    """
    if data.startswith(_WIDE_MARKS) or data.count(0) * 3 > len(data) > 0:
        return Problem(file, 1, "", "", "is encoded as UTF-16 or UTF-32, not as UTF-8", _SAVE_AS_UTF8)
    if b"\0" in data:
        at = data.index(0)
        rule = f"holds a NUL byte at byte offset {at}"
        return Problem(file, _line_of(data, at), "", "", rule, "Export the table again as plain CSV.")
    offset = len(_MARK) if data.startswith(_MARK) else 0
    try:
        text = data[offset:].decode("utf-8")
    except UnicodeDecodeError as error:
        at = offset + error.start
        rule = f"is not UTF-8: byte 0x{data[at]:02x} at byte offset {at}"
        return Problem(file, _line_of(data, at), "", "", rule, _SAVE_AS_UTF8)
    if not text.strip():
        return _of_file(file, "is empty", "Write a header and rows, or delete the file if it is optional.")
    return text


def _of_file(file: str, rule: str, remedy: str) -> Problem:
    return Problem(file, None, "", "", rule, remedy)


def _line_of(data: bytes, offset: int) -> int:
    return 1 + len(_LINE_BREAK.findall(data, 0, offset))
