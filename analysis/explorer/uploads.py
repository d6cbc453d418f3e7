"""A spreadsheet from the browser becomes evidence in memory: checked as a file is, and nothing of it stays on disk."""

import base64
import binascii
import re
from dataclasses import replace
from pathlib import Path

from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.system.errors import UsageError
from analysis.system.interrupts import private_folder

MOST_BYTES = 2_000_000
"""A sheet of ten thousand studies is half as large; whoever has more names the file with --data."""

_KINDS = (".csv", ".xlsx")


def uploaded(name: str, content: str) -> Evidence:
    """The evidence of an uploaded file.

    Parameters
    ----------
    name : str
        As the browser gives it: a name, no path.
    content : str
        In base64.

    Raises
    ------
    UsageError
        When the file is no spreadsheet, or too large.
    EvidenceError
        With every problem of its rows.
    """
    # Messages name the file; nothing of the name is to be a path.
    name = re.sub(r"[^\w.-]+", "_", name)[-80:].lstrip(".") or "upload"
    if Path(name).suffix.lower() not in _KINDS:
        raise UsageError(f"{name} is no spreadsheet; choose a .csv or .xlsx file")
    if len(content) > MOST_BYTES * 4 // 3 + 4:
        raise UsageError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; start with --data {name} instead")
    try:
        data = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise UsageError(f"{name} did not arrive whole; choose it again") from None
    with private_folder() as folder:  # gone before anything is computed
        path = folder / name
        path.write_bytes(data)
        return replace(load(path), directory=Path(name))
