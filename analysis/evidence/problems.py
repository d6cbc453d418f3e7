"""What is wrong with an evidence directory, said so that a person can mend it."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from analysis.system.errors import one_line

_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")
_VALUE_LIMIT = 60
_SUBJECT_LIMIT = 100


def shown(text: str) -> str:
    """Return the text as it may appear in a message: escaped, quoted unless plain, cut when long."""
    kept = text if len(text) <= _VALUE_LIMIT else text[:_VALUE_LIMIT]
    quoted = kept if _PLAIN.fullmatch(kept) else repr(kept)
    if len(quoted) > 2 * _VALUE_LIMIT:
        return quoted[: 2 * _VALUE_LIMIT] + "..."
    return quoted if kept is text else quoted + "..."


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about the evidence.

    Parameters
    ----------
    file : str
        Name of the table, or the directory when the directory itself is at fault.
    row : int or None
        Line of the file as a text editor numbers it (the header is line 1); None for the whole file.
    column : str
        Column name, empty when no single column is meant.
    value : str
        The cell as found.
    rule : str
        What is wrong, worded to follow "column = value".
    remedy : str
        What to do, as full sentences.
    subject : str
        What the row is about, such as "park_2018, cr".
    """

    file: str
    row: int | None
    column: str
    value: str
    rule: str
    remedy: str
    subject: str = ""

    def __str__(self) -> str:
        """Return the finding as one printable line."""
        place = self.file if self.row is None else f"{self.file} row {self.row}"
        if self.subject:
            cut = self.subject[:_SUBJECT_LIMIT] + "..." if len(self.subject) > _SUBJECT_LIMIT else self.subject
            place += f" ({cut})"
        cell = " = ".join(shown(part) for part in (self.column, self.value) if part)
        return one_line(f"{place}: {cell + ' ' if cell else ''}{self.rule}. {self.remedy}".rstrip())

    def as_dict(self) -> dict[str, str | int | None]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


class EvidenceError(Exception):
    """Raised when evidence is unusable; carries every problem, in the order of files and rows."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__(tuple(problems))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem found."""
        return self.args[0]

    def __str__(self) -> str:
        """Return one line per problem."""
        return "\n".join(str(problem) for problem in self.problems)
