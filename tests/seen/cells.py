"""What a cell of the page must show of a row of a file, and the page's tables in their order.

A check takes the head of the column, the text of the cell and the row, and says whether they agree.
"""

import re
from collections.abc import Callable

from tests.report.reading import Page
from tests.seen.checking import points_say, says, scale_of, value
from tests.seen.facts import ENDPOINTS, STUDIES, SUBSET_LABELS, table

Row = dict[str, str]
Check = Callable[[str, str, Row], bool]
LABELS = {name: row["label"] for name, row in ENDPOINTS.items()}
LABELS |= {row["reported_endpoint"]: row["label"] for row in table("comparisons.csv") if row["label"]}


class Tables(Page):
    """A page whose tables are kept in their order with the heading above them, since captions may repeat."""

    def __init__(self, source: str) -> None:
        self.every: list[tuple[str, str, list[list[str]]]] = []
        self._heading, self._in_heading = "", False
        super().__init__(source)

    def handle_starttag(self, tag, attrs):
        if tag in ("h2", "h3"):
            self._heading, self._in_heading = "", True
        super().handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        self._in_heading = self._in_heading and tag not in ("h2", "h3")
        if tag == "table":
            self.every.append((self._heading, self._caption, self._rows))

    def handle_data(self, data):
        super().handle_data(data)
        if self._in_heading:
            self._heading += data


def interval(*columns: str, unit: str | None = None) -> Check:
    """A median with its limits; the scale is the one that head or cell names, or that of the column `unit`."""

    def check(head: str, cell: str, row: Row) -> bool:
        if unit and row[unit] not in ("proportion", "probability"):
            scale = 1.0
        else:
            scale = scale_of(head if "%" in head or "per 1" in head else cell)
        return says(cell, *(value(row[column]) for column in columns), scale=scale)

    return check


def plain(*columns: str, scale: float = 1.0) -> Check:
    return lambda head, cell, row: says(cell, *(value(row[column]) for column in columns), scale=scale)


def points(*columns: str, scale: float = 100.0) -> Check:
    def check(head: str, cell: str, row: Row) -> bool:
        parts = re.findall(r"[+−]?\d+(?:\.\d+)?", cell)
        wanted = [value(row[column]) for column in columns]
        if wanted == [None]:
            return cell in ("", "–")
        return len(parts) == len(wanted) and all(points_say(part, one, scale)
                                                 for part, one in zip(parts, wanted, strict=True))

    return check


def text(column: str) -> Check:
    return lambda head, cell, row: cell == row[column].removeprefix("'")


def signed(column: str, scale: float | Callable[[Row], float] = 1.0) -> Check:
    """The cell is a signed difference alone; the scale may hang on the row."""
    return lambda head, cell, row: points_say(cell, value(row[column]), scale(row) if callable(scale) else scale)


def words(column: str) -> Check:
    """The cell with blanks for underscores or hyphens."""
    return lambda head, cell, row: cell.replace("-", " ") == row[column].replace("_", " ").replace("-", " ")


def count(*columns: str) -> Check:
    """Such as "5 / 163": studies and patients, a dash for what is not known."""

    def check(head: str, cell: str, row: Row) -> bool:
        parts = cell.partition(" (")[0].split(" / ")
        return [part.replace(",", "").replace("–", "") for part in parts] == [row[column] for column in columns]

    return check


def label(head: str, cell: str, row: Row) -> bool:
    return cell == LABELS[row["endpoint"]]


def subset(head: str, cell: str, row: Row) -> bool:
    return cell == SUBSET_LABELS[row["subset"]]


def study(head: str, cell: str, row: Row) -> bool:
    """The label of a study of which the row has the id alone."""
    return cell == STUDIES[row["study_id"]]["label"]


def anything(head: str, cell: str, row: Row) -> bool:
    """Words without a number of their own that are checked in another place."""
    return True


def starts(*parts: Callable[[Row], str]) -> Check:
    return lambda head, cell, row: all(part(row) in cell for part in parts)


def worded(word: str, *columns: str) -> Check:
    """A word with its number in brackets, such as "few (1/7)"."""
    return lambda head, cell, row: cell.startswith(f"{row[word]} (") and says(
        cell.partition(" (")[2].rstrip(")"), *(value(row[column]) for column in columns))


def headed(prefix: Callable[[Row], str], rest: Check) -> Check:
    """A cell that begins with a name, such as "rho 0.06 [0.00, 0.27]"."""
    return lambda head, cell, row: (cell.startswith(prefix(row) + " ")
                                    and rest(head, cell.removeprefix(prefix(row)), row))
