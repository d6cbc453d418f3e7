"""Parsers of single cells: each turns the text of a filled cell into a value, or into a fault."""

import math
import re
import unicodedata
from collections.abc import Callable

from analysis.evidence.numerals import DECIMAL, WHOLE, Fault, explain
from analysis.evidence.placeholders import LEAVE_EMPTY, missing_word

Parser = Callable[[str], object]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Beside the formatting characters: joiners, fillers and variation selectors, which have no shape of their own.
_SHAPELESS = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, *range(0xFE00, 0xFE10))))
_SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_SLUG_LIMIT = 64
# A figure has no room for more, and drawing a line of thousands of characters takes minutes.
_LABEL_LIMIT = 200
# int() refuses texts of thousands of digits, and no legal number is that long.
_DIGIT_LIMIT = 15


def as_seen(cell: str) -> str:
    """Return the text without what cannot be seen: normal forms, invisible characters, kinds and numbers of blanks."""
    kept = "".join(c for c in cell if unicodedata.category(c) != "Cf" and c not in _SHAPELESS)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", kept)).strip()


def text(cell: str) -> str | Fault:
    """Return the cell itself; only control characters other than line breaks and tabs are refused."""
    found = _CONTROL.search(cell)
    if found:
        return Fault(f"holds the control character U+{ord(found[0]):04X}", "Type the text again.")
    return cell


def word(cell: str) -> str | Fault:
    """Return a text that is compared with a known word, in small letters."""
    return text(cell.casefold())


def label(cell: str) -> str | Fault:
    """Return a text of one line, as figures and tables need it."""
    if any(mark in cell for mark in "\n\r\t"):
        return Fault("holds a line break or a tab", "Write the label on one line.")
    if len(cell) > _LABEL_LIMIT:
        return Fault(f"has more than {_LABEL_LIMIT} characters", "Shorten the label.")
    return text(cell)


def slug(cell: str) -> str | Fault:
    """Return an id of lower-case letters, digits and single inner underscores or hyphens."""
    if _SLUG.fullmatch(cell) and len(cell) <= _SLUG_LIMIT:
        return cell
    rule = f"is no id of a-z, 0-9, _ and - in at most {_SLUG_LIMIT} characters"
    proposal = proposed_slug(cell)
    return Fault(rule, f"Write {proposal}." if proposal else "Use lower-case letters and digits.")


def proposed_slug(cell: str) -> str:
    """Return the valid id nearest to the text, empty when nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", cell[:500]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain)[:_SLUG_LIMIT].strip("_")


def boolean(cell: str) -> bool | Fault:
    """Return True or False; capitals are accepted because spreadsheets write them."""
    known = {"true": True, "false": False}.get(cell.casefold())
    return Fault("is neither true nor false", "Write true or false.") if known is None else known


def names(cell: str) -> tuple[str, ...] | Fault:
    """Return the ids of a list separated by blanks, commas or semicolons."""
    checked = text(cell)
    return (
        checked if isinstance(checked, Fault) else tuple(name for name in re.split(r"[\s,;]+", cell) if name)
    )


def choice(*words: str) -> Parser:
    """Return a parser that accepts the given words only, in small or capital letters."""
    known = {word.casefold(): word for word in words}

    def parse(cell: str) -> str | Fault:
        if cell.casefold() in known:
            return known[cell.casefold()]
        return Fault(f"is not one of {', '.join(words)}", f"Write {' or '.join(words)}.")

    return parse


def integer(*, low: int, high: int, remedy: str = "Check the number.") -> Parser:
    """Return a parser of whole numbers from `low` to `high`, both included.

    Parameters
    ----------
    low, high : int
        The legal range.
    remedy : str
        Advice for a number outside it.
    """

    def parse(cell: str) -> int | Fault:
        if not WHOLE.fullmatch(cell):
            return explain(cell, whole=True)
        if len(cell) > _DIGIT_LIMIT:
            return Fault(f"has more than {_DIGIT_LIMIT} digits", remedy)
        value = int(cell)
        if value < low:
            return Fault("is negative" if value < 0 <= low else f"is below {_grouped(low)}", remedy)
        if value > high:
            return Fault(f"is above {_grouped(high)}", remedy)
        return value

    return parse


def _grouped(limit: int) -> str:
    return f"{limit:,}" if limit >= 10_000 else str(limit)


def _no_number(cell: str) -> Fault:
    if missing_word(cell):
        return Fault("is a word for a missing value, not a number", LEAVE_EMPTY)
    return explain(cell, whole=False)


def number(
    *,
    above: float = -math.inf,
    below: float = math.inf,
    low: float = -math.inf,
    high: float = math.inf,
    remedy: str = "Check the number.",
) -> Parser:
    """Return a parser of finite numbers strictly between two bounds, and from `low` to `high`.

    Parameters
    ----------
    above, below : float
        Open bounds.
    low, high : float
        Bounds of what can be true, both included.
    remedy : str
        Advice for a number outside them.
    """

    def parse(cell: str) -> float | Fault:
        if not DECIMAL.fullmatch(cell):
            return _no_number(cell)
        value = float(cell)
        if not math.isfinite(value):
            return Fault("is not finite", "Write a number that fits a double.")
        if value <= above:
            return Fault("is negative" if value < 0 <= above else f"is not above {above:g}", remedy)
        if value >= below:
            return Fault(f"is not below {below:g}", remedy)
        if value < low:
            return Fault(f"is below {low:g}", remedy)
        return Fault(f"is above {high:,.15g}", remedy) if value > high else value

    return parse


def probability_fault(value: float) -> Fault | None:
    """Return a fault when a number is no probability, with the probability a percentage would be."""
    if 0 <= value <= 1:
        return None
    if 1 < value <= 100:
        return Fault("is outside 0 to 1", f"Write a probability; {value:.12g} % is {value / 100:.12g}.")
    return Fault("is outside 0 to 1", "Write a probability from 0 to 1.")
