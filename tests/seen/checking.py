"""A table held against what each of its cells must be; a column or row that no check reaches is a failure."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

Row = dict[str, str]

DIGITS = 2e-5
"""Relative error of a printed cell: six significant digits leave half a unit of the sixth."""


def value(cell: Any) -> Any:
    """The cell as a number, a truth value or text; None where it is empty. A value stays what it is."""
    if cell in ("", None) or not isinstance(cell, str):
        return None if cell == "" else cell
    if cell in ("true", "false"):
        return cell == "true"
    try:
        return float(cell)
    except ValueError:
        return cell.removeprefix("'")


def ends(prefix: str = "", middle: str = "median") -> tuple[str, str, str]:
    """The columns of a middle and its limits."""
    return f"{prefix}{middle}", f"{prefix}lower", f"{prefix}upper"


def limits(row: Mapping[str, Any], prefix: str = "", middle: str = "median") -> list[Any]:
    """Middle, lower and upper limit of a row as values."""
    return [value(row[name]) for name in ends(prefix, middle)]


class Table:
    """Rows of one CSV file and the columns that were looked at.

    `check` takes a row, and what the cells of that row must be by the name of their column: a number (met to the
    printed digits, or to `within`), a text, None for an empty cell, or a function that says whether the value is right.
    """

    def __init__(self, seen: Any, name: str) -> None:
        self.seen, self.name = seen, name
        self.columns, self.rows = seen.columns[name], seen.tables[name]
        self._touched: list[set[str]] = [set() for _ in self.rows]
        assert self.rows, f"{name} is empty: nothing is checked"

    def check(self, row: Row, /, *, within: float = 0.0, **cells: Any) -> None:
        at = next(at for at, other in enumerate(self.rows) if other is row)
        for column, wanted in cells.items():
            assert column in self.columns, f"{self.name} has no column {column}"
            cell = value(row[column])
            assert _is(cell, wanted, within), f"{self.name}, line {at + 2}, {column}: {cell!r}, not {wanted!r}"
        self._touched[at] |= set(cells)

    def limits(self, row: Row, wanted: Sequence[Any], *, prefix: str = "", within: float) -> None:
        """Median and limits are these, and in their order."""
        middle, lower, upper = ends(prefix)
        self.check(row, within=within, **dict(zip((middle, lower, upper), wanted, strict=True)))
        ordered(self.numbers(row), lower, middle, upper)

    def known(self, row: Row, names: str) -> None:
        """Columns, blanks between their names, that say what the rest of the row must be, or are checked elsewhere."""
        self.check(row, **{name: row[name] for name in names.split()})

    def complete(self, **shared: Any) -> None:
        """Every cell was checked; `shared` are columns whose cells must be the same in every row."""
        for row in self.rows:
            self.check(row, **shared)
        missing = [f"line {at + 2}: {', '.join(sorted(set(self.columns) - touched))}"
                   for at, touched in enumerate(self._touched) if set(self.columns) - touched]
        assert not missing, f"{self.name}: no check looks at {missing[:5]}"

    def numbers(self, row: Row) -> dict[str, Any]:
        """The cells of a row as values."""
        return {column: value(row[column]) for column in self.columns}


def _is(found: Any, wanted: Any, within: float) -> bool:
    if isinstance(wanted, Callable):
        return bool(wanted(found))
    wanted = value(wanted) if isinstance(wanted, str) else wanted
    if wanted is None or wanted == "" or (isinstance(wanted, float) and math.isnan(wanted)):
        return found is None
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if isinstance(wanted, str):
        return found == wanted
    return isinstance(found, float) and found == pytest.approx(float(wanted), rel=DIGITS, abs=max(within, 1e-12))


def between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda found: found is not None and low <= found <= high


def one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda found: found in values


def ordered(row: dict[str, Any], *names: str) -> None:
    """Values of these columns increase; empty ones are passed over."""
    found = [row[name] for name in names if row[name] is not None]
    assert all(low <= high for low, high in zip(found, found[1:], strict=False)), (names, found)


def chosen(rows: Sequence[Row], **cells: str) -> list[Row]:
    return [row for row in rows if all(row[name] == text for name, text in cells.items())]


def single(rows: Sequence[Row], **cells: str) -> Row:
    (row,) = chosen(rows, **cells)
    return row


_NUMBER = r"[<>]?-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?"


def numbers(text: str) -> list[float]:
    """The numbers of a text as printed."""
    return [float(part.lstrip("<>").replace(",", "")) for part in re.findall(_NUMBER, text.replace("−", "-"))]


def scale_of(text: str, otherwise: float = 100.0) -> float:
    """What a proportion is multiplied by before it is printed, by the unit that the text names."""
    units = {"per 100,000": 1e5, "per 10,000": 1e4, "per 1,000": 1e3, "%": 100.0}
    return next((factor for unit, factor in units.items() if unit in text), otherwise)


def says(text: str, *wanted: float | None, scale: float = 1.0) -> bool:
    """The numbers of a text are these, to the digits that it prints; a dash or nothing where there is none."""
    if all(number is None for number in wanted):
        return text.strip() in ("", "–")
    parts = re.findall(_NUMBER, text.replace("−", "-"))
    return len(parts) == len(wanted) and all(
        _agrees(part, scale * number) for part, number in zip(parts, wanted, strict=True) if number is not None)


def _agrees(part: str, number: float) -> bool:
    bare = part.lstrip("<>").replace(",", "")
    if part[0] == "<":
        return number < float(bare)
    if part[0] == ">":
        return number > float(bare)
    digits, _, power = bare.partition("e")
    step = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    # The table has six digits: what lies on the edge of two roundings may fall either way.
    significant = len(digits.replace(".", "").lstrip("-0"))
    if not power and "." not in digits and significant > 2 and abs(float(bare)) >= 1000:
        step = 10.0 ** (len(digits.lstrip("-")) - significant)
    return abs(float(bare) - number) <= 0.5 * step + 2e-5 * abs(number) + 1e-9


def points_say(text: str, change: float, scale: float = 100.0) -> bool:
    """A signed difference, such as +3, −12 or 0."""
    if not re.fullmatch(r"[+−]?\d+(\.\d+)?", text):
        return False
    found = float(text.replace("−", "-"))
    signed = found == 0 or (text[0] in "+−" and (text[0] == "+") == (change > 0))
    return signed and _agrees(text.replace("−", "-").lstrip("+"), scale * change)
