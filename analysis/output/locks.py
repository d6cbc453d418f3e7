"""Locks of whole files and of single bytes, which the system releases when a process ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from analysis.system.errors import OutputError
from analysis.system.interrupts import ending_with

_IN_USE, _CHANGING = 0, 1  # bytes of a lock file: held by every run, and by the one that changes the folder


@contextmanager
def in_use(folder: Path, path: Path, *, alone: bool) -> Iterator[int]:
    """Descriptor of the lock file of a folder, locked for this run alone or together with others.

    Parameters
    ----------
    folder : Path
        As the user names it, for the message.
    path : Path
        The lock file; the last run takes it with it, unless it is killed with no time to do so.

    Raises
    ------
    OutputError
        When another run has it.
    """
    handle = _locked(folder, path, alone=alone)
    with ending_with(partial(_give_back, handle, path)):
        yield handle


@contextmanager
def changing(lock: int) -> Iterator[None]:
    """Only one run at a time changes a folder that several share."""
    with suppress(OSError):
        fcntl.lockf(lock, fcntl.LOCK_EX, 1, _CHANGING)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.lockf(lock, fcntl.LOCK_UN, 1, _CHANGING)


def try_lock(handle: int, *, alone: bool = True) -> bool:
    """Lock a file; False where another process has it."""
    try:
        fcntl.lockf(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB, 1, _IN_USE)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a network file system that knows no locks
        pass
    return True


def _give_back(handle: int, path: Path) -> None:
    """Unlock the file, and remove it where no other run has it; who opens it meanwhile looks whether it is there."""
    if try_lock(handle):
        with suppress(OSError):
            path.unlink()
    os.close(handle)


def _locked(folder: Path, path: Path, *, alone: bool) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if not try_lock(handle, alone=alone):
            holder = os.read(handle, 20).decode(errors="replace").strip()
            os.close(handle)
            raise OutputError(folder, f"another run (process {holder or 'unknown'}) is writing there; wait for its "
                                      "end, or name another folder")
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                os.write(handle, f"{os.getpid():<20d}".encode())
                return handle
        os.close(handle)  # its last user took the file away in between
