"""An unexpected error in one part of a report, kept with its place so that every other part is whole."""

import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.system.errors import OutputError

DEBUG = "RECART_DEBUG"
HINT = f"{DEBUG}=1 stops at the first failure and shows where it comes from."


@dataclass(frozen=True)
class Failure:
    """A part without a result.

    Parameters
    ----------
    part : str
        What was to be made, in words, such as "sensitivity".
    endpoint : str
        Empty where the part is about no single one.
    reason : str
        Kind, message and place of the error.
    """

    part: str
    endpoint: str
    reason: str

    def __str__(self) -> str:
        """The part, its endpoint and the reason on one line."""
        return f"{self.part}{f' of {self.endpoint}' if self.endpoint else ''}: {self.reason}"


def attempt(part: str, endpoint: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, or a Failure where it raises.

    An output that cannot be written is nobody's failure but the folder's, and goes on to the caller; so does
    everything where the environment asks for it.
    """
    try:
        return function(*arguments)
    except (OSError, OutputError):
        raise
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return Failure(part, endpoint, reason_of(error))


def gathered(parts: Iterable[tuple[str, Callable[[], Iterable[Any]]]]) -> tuple[list[Any], list[Failure]]:
    """The items of all parts, each by its name and the function that makes them, and the parts that raise."""
    attempts = [attempt(part, "", lambda make: list(make()), make) for part, make in parts]
    failures = [items for items in attempts if isinstance(items, Failure)]
    return [item for items in attempts if not isinstance(items, Failure) for item in items], failures


def reason_of(error: Exception) -> str:
    """Kind, message and place of an error on one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(": ") + place
