"""Signals end a run within two seconds, wherever it is, and take its temporary folders with them."""

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_GRACE = 1.0  # seconds for an orderly end; a compiler in the midst of a function does not hear of signals
MESSAGE = "Interrupted. An output folder holds its earlier result or the new one, whole."

temporary: set[Path] = set()
"""Folders that must not outlive this process."""
_received: list[int] = []
_undisturbed = threading.Lock()


class Ended(BaseException):
    """A signal asks this process to end; no library catches it as it may catch KeyboardInterrupt."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_on_signals() -> None:
    """From now on a signal raises `Ended`, and ends the process a little later if that did not.

    A signal that the caller of the program ignores, as nohup does, stays ignored.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _raise)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_end_in_time, args=(reader,), daemon=True).start()


@contextmanager
def undisturbed() -> Iterator[None]:
    """A few steps that no signal comes between; it is raised after them."""
    with _undisturbed:
        yield
    if _received:
        raise Ended(_received[0])


def _raise(number: int, _frame: FrameType | None) -> None:
    first = not _received
    _received.append(number)
    if first and not _undisturbed.locked():  # a second signal must not disturb the cleaning up
        raise Ended(number)


def _end_in_time(reader: int) -> None:
    number = 0
    while number not in _SIGNALS:
        number = os.read(reader, 1)[0]
    time.sleep(_GRACE)
    with _undisturbed:
        for folder in tuple(temporary):
            shutil.rmtree(folder, ignore_errors=True)
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{MESSAGE}\n".encode())
        os._exit(128 + number)
