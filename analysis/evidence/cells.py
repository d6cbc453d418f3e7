"""Single cells: the text of a filled cell becomes a value, or a fault that says what was probably meant."""

import math
import re
import unicodedata
from dataclasses import dataclass

PLACEHOLDERS = frozenset(
    {"na", "n/a", "n.a.", "#n/a", "nan", "null", "nil", "none", "-", "--", "\u2013", "\u2014", "?", "??"}
)
"""Words for a missing value, refused in every cell."""

UNREPORTED = frozenset(
    {"", "\u2026", "nr", "n.r", "n/r", "nd", "n.d", "n/d", "n.a", "not reported", "not available", "no data",
     "#div/0!", "#ref!", "#value!", "#num!", "#name?", "#null!", "#spill!", "#calc!", "#getting_data"}
)
"""Refused in every cell that may be empty; an id such as nr stays an id. Dots and brackets around are ignored."""

VAGUE = frozenset(
    {"unknown", "missing", "unclear", "ne", "n.e", "not estimable", "not evaluable", "not calculable", "not given",
     "not stated", "not known", "not reached", "not applicable", "not done", "pending", "tbd", "todo", "x", "xx", "xxx"}
)
"""Refused where a number or one of a few words is wanted; in a text they may be meant."""

_CERTAIN = PLACEHOLDERS | UNREPORTED
LEAVE_EMPTY = "Leave the cell empty when the value is missing."
DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}([,' \u00a0\u202f][0-9]{3})+(\.[0-9]+)?")
_POINT_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"-?[0-9]*,[0-9]+")
_MEASURED = re.compile(
    r"[-+\u2212]?[0-9][0-9.,' \u00a0\u202f]*(?:e[+-]?[0-9]+)?\s*"
    r"(?:[%\u2030]|per ?cent|(?:y|yo|yrs?|years?|mos?|months?|wks?|weeks?|days?|hrs?|hours?|min|[mnku\u00b5\u03bc]?g|"
    r"[mdu\u00b5\u03bc]?l|[mc]m|gy|m2|m\u00b2|pts?|patients?|cells?)(?:/[a-z\u00b5\u03bc]+[2\u00b2]?)*)", re.IGNORECASE)
_NOT_FINITE = {"inf", "infinity", "∞"}
_MINUS_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Beside the formatting characters: joiners, fillers and variation selectors, which have no shape of their own.
_SHAPELESS = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, *range(0xFE00, 0xFE10))))
_SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_SLUG_LIMIT = 64
# A figure has no room for more, and drawing a line of thousands of characters takes minutes.
_LINE_LIMIT = 200
# int() refuses texts of thousands of digits, and no legal number is that long.
_DIGIT_LIMIT = 15
_LONGEST_PLACEHOLDER = 24


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell was refused: a rule worded to follow "column = value", and what to do."""

    rule: str
    remedy: str


_PLACEHOLDER = Fault("is placeholder text", LEAVE_EMPTY)
_NO_VALUE = Fault("is a word for a missing value, not a number", LEAVE_EMPTY)
_NO_NUMBER = Fault("is not a number", "Write digits with a point as decimal mark.")


def placeholder(cell: str, *, named: bool = False) -> Fault | None:
    """Return a fault when a filled cell holds a word for "missing"; a `named` cell may hold a short one as its id."""
    # No such word ends with a digit, and most cells do.
    if not 0 < len(cell) <= _LONGEST_PLACEHOLDER or cell[-1].isdigit():
        return None
    certain = cell.casefold() in PLACEHOLDERS or (not named and _core(cell) in _CERTAIN)
    return _PLACEHOLDER if certain else None


def vague(cell: str) -> bool:
    """Return whether a text may have been meant as "missing"."""
    return len(cell) <= _LONGEST_PLACEHOLDER and _core(cell) in VAGUE


def missing_word(cell: str) -> Fault | None:
    """Return a fault when a cell that is no value of its column holds any word for "missing"."""
    return _PLACEHOLDER if vague(cell) else placeholder(cell)


def _core(cell: str) -> str:
    spaced = re.sub(r"\s+", " ", cell.casefold()).replace(". ", ".").replace("_", " ")
    return spaced.strip("()[]* ").rstrip(".")


def as_seen(cell: str) -> str:
    """Return the text without what cannot be seen: normal forms, invisible characters, kinds and numbers of blanks."""
    kept = "".join(c for c in cell if unicodedata.category(c) != "Cf" and c not in _SHAPELESS)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", kept)).strip()


def text(cell: str) -> str | Fault:
    """Return the cell itself; only control characters other than line breaks and tabs are refused."""
    control = _CONTROL.search(cell)
    if control:
        return Fault(f"holds the control character U+{ord(control[0]):04X}", "Type the text again.")
    return cell


def word(cell: str) -> str | Fault:
    """Return a text that is compared with a known word, in small letters."""
    return text(cell.casefold())


def line(cell: str) -> str | Fault:
    """Return a text of one line, as the labels of figures and tables need it."""
    if any(mark in cell for mark in "\n\r\t"):
        return Fault("holds a line break or a tab", "Write the label on one line.")
    if len(cell) > _LINE_LIMIT:
        return Fault(f"has more than {_LINE_LIMIT} characters", "Shorten the label.")
    return text(cell)


def slug(cell: str) -> str | Fault:
    """Return an id of lower-case letters, digits and single inner underscores or hyphens."""
    if _SLUG.fullmatch(cell) and len(cell) <= _SLUG_LIMIT:
        return cell
    plain = unicodedata.normalize("NFKD", cell[:500]).encode("ascii", "ignore").decode().lower()
    proposal = re.sub(r"[^a-z0-9]+", "_", plain)[:_SLUG_LIMIT].strip("_")
    return Fault(f"is no id of a-z, 0-9, _ and - in at most {_SLUG_LIMIT} characters",
                 f"Write {proposal}." if proposal else "Use lower-case letters and digits.")


def ids(cell: str) -> tuple[str, ...] | Fault:
    """Return the ids of a list separated by blanks, commas or semicolons."""
    checked = text(cell)
    return checked if isinstance(checked, Fault) else tuple(name for name in re.split(r"[\s,;]+", cell) if name)


def boolean(cell: str) -> bool | Fault:
    """Return True or False; capitals are accepted because spreadsheets write them."""
    value = {"true": True, "false": False}.get(cell.casefold())
    return Fault("is neither true nor false", "Write true or false.") if value is None else value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, in small or capital letters."""

    words: tuple[str, ...]

    def __call__(self, cell: str) -> str | Fault:
        """Return the value of a cell."""
        for choice in self.words:
            if choice.casefold() == cell.casefold():
                return choice
        return Fault(f"is not one of {', '.join(self.words)}", f"Write {' or '.join(self.words)}.")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`, both included; the remedy is for a number outside."""

    low: int
    high: int
    remedy: str = "Check the number."

    def __call__(self, cell: str) -> int | Fault:
        """Return the value of a cell."""
        if not _WHOLE.fullmatch(cell):
            return _explained(cell, whole=True)
        if len(cell) > _DIGIT_LIMIT:
            return Fault(f"has more than {_DIGIT_LIMIT} digits", self.remedy)
        value = int(cell)
        if value < self.low:
            return Fault("is negative" if value < 0 <= self.low else f"is below {_grouped(self.low)}", self.remedy)
        return value if value <= self.high else Fault(f"is above {_grouped(self.high)}", self.remedy)


def _grouped(limit: int) -> str:
    return f"{limit:,}" if limit >= 10_000 else str(limit)


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number strictly between `above` and `below`, and from `low` to `high`, beyond which none can be true."""

    above: float = -math.inf
    below: float = math.inf
    low: float = -math.inf
    high: float = math.inf
    remedy: str = "Check the number."

    def __call__(self, cell: str) -> float | Fault:
        """Return the value of a cell."""
        if not DECIMAL.fullmatch(cell):
            if missing_word(cell):
                return _NO_VALUE
            return _explained(cell, whole=False)
        value = float(cell)
        if not math.isfinite(value):
            return Fault("is not finite", "Write a number that fits a double.")
        if value <= self.above:
            return Fault("is negative" if value < 0 <= self.above else f"is not above {self.above:g}", self.remedy)
        if value >= self.below:
            return Fault(f"is not below {self.below:g}", self.remedy)
        if value < self.low:
            return Fault(f"is below {self.low:g}", self.remedy)
        return value if value <= self.high else Fault(f"is above {self.high:,.15g}", self.remedy)


number = Number()
"""The parser of any finite number."""


def misread(cell: str) -> Fault | None:
    """Return why a text that looks like a number, such as 39,5, 45 % or 12 months, is none; None for any other."""
    fault = number(cell)
    if not isinstance(fault, Fault):
        return None
    if _MEASURED.fullmatch(cell):
        return Fault("is a number with a sign or unit behind it",
                     "Write the number alone, with a point as decimal mark, and what it counts in the header.")
    # A bound such as >5% is a word.
    return None if fault in (_NO_VALUE, _NO_NUMBER) or cell.endswith("%") else fault


def endless(cell: str) -> bool:
    """Return whether a text says infinity."""
    return cell.casefold().lstrip("+-") in _NOT_FINITE


def _explained(cell: str, *, whole: bool) -> Fault:
    """Why a text is not a number of the wanted kind, and what to write instead."""
    if endless(cell):
        return Fault("is not finite", "Write a finite number, or leave the cell empty if it is unknown.")
    if whole and _POINT_THOUSANDS.fullmatch(cell):
        return Fault("is not a whole number", f"Write {cell.replace('.', '')} if the point separates thousands.")
    hidden = [c for c in cell if unicodedata.category(c) == "Cf"]
    visible = "".join(c for c in cell if unicodedata.category(c) != "Cf" and not c.isspace())
    if hidden and DECIMAL.fullmatch(visible):
        return Fault(f"holds the invisible character U+{ord(hidden[0]):04X}", f"Write {visible}.")
    if _THOUSANDS.fullmatch(cell):
        either = "" if whole or not _DECIMAL_COMMA.fullmatch(cell) else (
            f", or {cell.replace(',', '.')} if the comma is the decimal mark")
        return Fault("has a thousands separator", f"Write {re.sub(r'[^0-9.-]', '', cell)}{either}.")
    if _DECIMAL_COMMA.fullmatch(cell):
        return Fault("has a decimal comma", "Give a whole number." if whole else f"Write {cell.replace(',', '.')}.")
    if cell.endswith("%"):
        remedy = "Give the number of patients." if whole else "Write a probability from 0 to 1, without the sign."
        return Fault("is a percentage", remedy)
    plain = "".join(str(unicodedata.decimal(c, c)) for c in cell.translate(_MINUS_SIGNS))
    if not cell.isascii() and DECIMAL.fullmatch(plain):
        return Fault("has digits or signs outside 0-9 . -", f"Write {plain}.")
    if not whole:
        return _NO_NUMBER
    if not DECIMAL.fullmatch(cell):
        return Fault("is not a whole number", "Write digits only.")
    value = float(cell)
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return Fault("is not written as a whole number", f"Write {int(value)}.")
    return Fault("is not a whole number", "Give a count of whole units.")


def probability_fault(value: float) -> Fault | None:
    """Return a fault when a number is no probability, with the probability a percentage would be."""
    if 0 <= value <= 1:
        return None
    if 1 < value <= 100:
        return Fault("is outside 0 to 1", f"Write a probability; {value:.12g} % is {value / 100:.12g}.")
    return Fault("is outside 0 to 1", "Write a probability from 0 to 1.")
