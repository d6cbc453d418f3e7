"""Standard output and error that never stop the work: absent ones lead nowhere, any text can be printed on any."""

import codecs
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_ESCAPED = "analysis_escaped"
QUIET_TRACKER = "ignore:resource_tracker:UserWarning"
"""A warning option of this program: what an ended run leaves is removed by a process of Python's, unannounced."""


class OutputLost(Exception):
    """Standard output took no more, although its reader is there; the message says why."""


class Lasting:
    """A text stream whose reader may go away: what is written after that goes nowhere.

    Parameters
    ----------
    stream : text stream
    vital : bool
        Whether another fault than a reader who left, such as a full disk, is raised as OutputLost.
    """

    def __init__(self, stream: TextIO, *, vital: bool) -> None:
        self._stream, self._vital = stream, vital

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        self._kept(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered, or drop it."""
        self._kept(self._stream.flush)

    def _kept(self, function: Callable[..., Any], *arguments: str) -> None:
        try:
            function(*arguments)
        except OSError as error:
            _lead_nowhere(self._stream)
            if self._vital and not isinstance(error, BrokenPipeError):
                raise OutputLost(f"standard output cannot be written: {error.strerror}") from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def prepare() -> None:
    """Make the streams of this process lasting."""
    _fill_gaps()
    codecs.register_error(_ESCAPED, _escaped)
    if not set(sys.warnoptions) - {QUIET_TRACKER}:
        warnings.formatwarning = _without_place
    for name, vital in (("stdout", True), ("stderr", False)):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (it lasts as long as the process)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ESCAPED)
        if not isinstance(stream, Lasting):
            setattr(sys, name, Lasting(stream, vital=vital))


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Lasting streams for a while; what is buffered is handed on at the end."""
    before, format_before = (sys.stdout, sys.stderr), warnings.formatwarning
    prepare()
    try:
        yield
    finally:
        warnings.formatwarning = format_before
        for name, old in zip(("stdout", "stderr"), before, strict=True):
            if old is not None:
                setattr(sys, name, old)


def _without_place(message: Warning | str, category: type[Warning], *_place: object) -> str:
    """A library's warning on one line, without the path and the line of code, which say nothing to a user."""
    return f"{category.__name__} of a library: {' '.join(str(message).split())}\n"


def _fill_gaps() -> None:
    """Open what is closed of the first three descriptors: the next file would take its number and what is printed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _lead_nowhere(stream: TextIO) -> None:
    """Point the descriptor elsewhere; Python would complain once more when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass  # a stream without a descriptor has nobody who complains


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Characters that the encoding lacks as JSON writes them, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start:error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end
