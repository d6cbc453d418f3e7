"""Writes files whole or not at all, and tables that are safe to open in a spreadsheet."""

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.system.errors import OutputError

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path`, then put it in its place; on an error `path` is as it was.

    Raises
    ------
    OutputError
        When the disk is full, the folder above that of `path` is gone, and the like.
    """
    try:
        # Not its parents: a folder of results that somebody removed must not come back with a part of its files.
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            write(temporary)
            temporary.chmod(0o644)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, as UTF-8 with line feeds."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write a table whole or not at all, as `as_csv` makes it."""
    write_text(path, as_csv(rows, columns))


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A table as text; None and NaN become empty cells; numbers keep every digit.

    Text that a spreadsheet would run as a formula is led by an apostrophe.
    """
    return csv_text([columns, *([_cell(row.get(column)) for column in columns] for row in rows)])


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Rows of cells, as they are, as text with line feeds."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def as_json(value: Any) -> str:
    """JSON text with NaN and infinity as null."""
    return json.dumps(_jsonable(value), indent=1, ensure_ascii=False, allow_nan=False)


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return str(value)
