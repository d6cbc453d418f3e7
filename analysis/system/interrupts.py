"""Signals end a run within two seconds, wherever it is, and take its temporary folders with them."""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE = 0.5  # seconds; a compiler in the midst of a function lets no handler run

parting = "Interrupted. An output folder holds its earlier result or the new one, whole."
"""What is said at the end."""

temporary: set[Path] = set()
"""Folders that must not outlive this process."""
_endings: list[Callable[[], None]] = []
_waiting: list[int] = []
_undisturbed = threading.Lock()


def end_on_signals() -> None:
    """From now on a signal ends this process with code 128 and its number, and what it started.

    No exception is raised: libraries catch it, or tell it where Python cannot pass it on. A signal that the caller of
    the program ignores, as nohup does, stays ignored.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _handle)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_end_in_time, args=(reader,), daemon=True).start()


@contextmanager
def undisturbed() -> Iterator[None]:
    """A few steps that no signal comes between; it ends the process after them."""
    with _undisturbed:
        yield
        if _waiting:
            _end(_waiting[0])


@contextmanager
def ending_with(step: Callable[[], None]) -> Iterator[None]:
    """A block that ends with this step, also where a signal ends the process in its midst."""
    _endings.append(step)
    try:
        yield
    finally:
        if step in _endings:  # else a signal is doing it
            _endings.remove(step)
            step()


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that nobody else can open, gone at the end of the block or of the process."""
    with tempfile.TemporaryDirectory(prefix="recart-") as name:
        folder = Path(name)
        temporary.add(folder)
        try:
            yield folder
        finally:
            temporary.discard(folder)


def _handle(number: int, _frame: FrameType | None) -> None:
    if _undisturbed.acquire(blocking=False):
        _end(number)
    _waiting.append(number)


def _end_in_time(reader: int) -> None:
    number = 0
    while number not in _SIGNALS:
        number = os.read(reader, 1)[0]
    time.sleep(_GRACE)
    with _undisturbed:
        _end(number)


def _end(number: int) -> None:
    try:
        for process in active_children():
            process.kill()
        for folder in tuple(temporary):
            shutil.rmtree(folder, ignore_errors=True)
        while _endings:
            _endings.pop()()
        with suppress(OSError):
            os.write(2, f"{parting}\n".encode())
    finally:
        os._exit(128 + number)
