"""What a user asked for and cannot have, said in one line that no terminal can be steered by."""

from pathlib import Path


def one_line(text: str) -> str:
    """Return the text with every unprintable character escaped, so that no terminal can be steered by it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class UsageError(ValueError):
    """A request that cannot be carried out as it stands; the message says what to change."""

    def __str__(self) -> str:
        """The message as one printable line, whatever the names and paths in it."""
        return one_line(super().__str__())


class OutputError(UsageError):
    """A file or folder that cannot be written.

    Parameters
    ----------
    path : Path
    reason : str
        What is in the way, and what to do where the reader can do something.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)  # both, so that a helper process can hand it on
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return one_line(f"{self.path} cannot be written: {self.reason}")
