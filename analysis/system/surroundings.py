"""What the program asks of the system around it: a place for compiled code, and memory that it may keep."""

import atexit
import ctypes
import os
import re
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from analysis.system.errors import UsageError
from analysis.system.interrupts import temporary

_ASKED = re.compile(r"(?:^|,)\s*(?:base_)?compiledir\s*=\s*([^,]+)")
_PROBE = bytes(1_000_000)  # a full disk takes smaller files for a while
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of <malloc.h>
_KEPT_FREE, _TAKEN_AT_ONCE, _LARGE = 1 << 30, 1 << 26, 1 << 25  # bytes


def keep_freed_memory() -> None:
    """Let this process use again what it has freed, up to 1 GiB, instead of giving it back to the system.

    Sums over a grid make and drop arrays of a few hundred kilobytes without end: to have each of them mapped and
    cleared anew takes a tenth of a report's time. Does nothing where the C library is not GNU's.
    """
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, size in ((_TRIM_THRESHOLD, _KEPT_FREE), (_TOP_PAD, _TAKEN_AT_ONCE), (_MMAP_THRESHOLD, _LARGE)):
            mallopt(option, size)


def keep_compiled_code() -> None:
    """Let PyTensor, here and in helper processes, keep what it compiles where it can; says so if that is not home.

    Its generated sources go there as well: it would leave hundreds of files in the system's temporary folder.

    Raises
    ------
    UsageError
        When there is no place at all.
    """
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    asked = _ASKED.findall(flags)
    folder = Path(asked[-1].strip()).expanduser() if asked else _of_home()
    added = []
    if folder is None or not _is_writable(folder):
        folder = _temporary(folder)
        added = [f"base_compiledir={folder}", f"compiledir={folder / 'compiled'}"]
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    if "generated_src_dir" not in flags and "," not in str(folder):
        added.append(f"generated_src_dir={folder / 'sources'}")
    os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, [flags, *added]))


def _of_home() -> Path | None:
    home = os.environ.get("HOME")
    try:
        return Path(home or Path.home()) / ".pytensor" if home != "" else None
    except RuntimeError:  # a user without an entry in the list of users
        return None


def _is_writable(folder: Path) -> bool:
    """Whether a file can be put there, and into the folders that PyTensor makes in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_PROBE)
        return all(os.access(path, os.W_OK | os.X_OK) for path in folder.iterdir() if path.is_dir())
    except OSError:
        return False


def _temporary(refused: Path | None) -> Path:
    what = f"{refused} cannot be written" if refused else "There is no home directory"
    try:
        folder = Path(tempfile.mkdtemp(prefix="recart-"))
    except OSError as error:
        raise UsageError(f"{what}, nor is there a temporary folder for compiled code; set HOME or TMPDIR to a folder "
                         "that can be written") from error
    temporary.add(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    print(f"{what}: compiled code goes to the temporary folder {folder}.", file=sys.stderr)
    return folder
