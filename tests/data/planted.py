"""A fault for a check: one passage of one file that, when replaced, the check must report."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .tables import Data

Check = Callable[[Data], list[str]]


@dataclass(frozen=True)
class Fault:
    """An edit of one file, and the check that must notice it.

    Parameters
    ----------
    check : callable
        Returns a list of problems.
    file : str
    old, new : str
        The passage, which occurs once, and what replaces it.
    """

    check: Check
    file: str
    old: str
    new: str

    def problems(self, data: Data) -> list[str]:
        """Return what the check says about the edited copy."""
        return self.check(data.replaced(self.file, self.old, self.new))

    def __str__(self) -> str:
        return f"{self.check.__name__}-{self.new[:30] or 'deleted'}"


def unplanted(checks: Iterable[Check], faults: Iterable[Fault]) -> set[str]:
    """Return the names of checks that no fault proves able to fail."""
    return {check.__name__ for check in checks} - {fault.check.__name__ for fault in faults}


def listed(problems: Iterable[str]) -> str:
    """Return problems as a message, one on a line."""
    return "\n" + "\n".join(problems)
