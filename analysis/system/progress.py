"""Says on standard error how far a long job is: one moving line on a terminal, few lines elsewhere."""

import sys
import time
from typing import TextIO


class Progress:
    """Counts steps. On a terminal each step redraws one line; elsewhere every tenth part prints one.

    Parameters
    ----------
    total : int
        Number of steps.
    stream : text stream
        Standard error unless given.
    """

    def __init__(self, total: int, *, stream: TextIO | None = None) -> None:
        self._total, self._stream = total, stream or sys.stderr
        self._done, self._printed, self._started = 0, -1, time.monotonic()

    def total(self, number: int) -> None:
        """Change the number of steps, once it is known."""
        self._total = number

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.close()
        print(text, file=self._stream, flush=True)

    def step(self, text: str) -> None:
        """One more step is done; `text` names it."""
        self._done += 1
        line = f"[{self._done}/{self._total}] {time.monotonic() - self._started:4.0f} s  {text}"
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[2K{line[:100]}")
            self._stream.flush()
        elif self._done * 10 // self._total > self._printed:
            self._printed = self._done * 10 // self._total
            print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """End the moving line."""
        if self._stream.isatty():
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
