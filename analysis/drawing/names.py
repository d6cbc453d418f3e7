"""What a figure shows, as a value: the names of its files follow from it, and it is read back from them."""

from typing import NamedTuple


class FigureId(NamedTuple):
    """A kind of figure, and the endpoint that it shows where there is one for each endpoint.

    Parameters
    ----------
    kind : str
        Such as forest or published; without a dot.
    endpoint : str
        Key of the endpoint, empty for a figure of all endpoints.
    """

    kind: str
    endpoint: str = ""

    @property
    def stem(self) -> str:
        """Name of the files without suffix; no key of the evidence can hold a dot, so that no two figures share one."""
        return f"{self.kind}.{self.endpoint}" if self.endpoint else self.kind

    @classmethod
    def of(cls, stem: str) -> "FigureId":
        """The figure whose files have this stem."""
        kind, _, endpoint = stem.partition(".")
        return cls(kind, endpoint)
