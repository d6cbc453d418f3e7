"""Words that stand for a missing value, and where each of them may not be taken for a value."""

import re

from analysis.evidence.numerals import Fault

PLACEHOLDERS = frozenset(
    {"na", "n/a", "n.a.", "#n/a", "nan", "null", "nil", "none", "-", "--", "\u2013", "\u2014", "?", "??"}
)
"""Refused in every cell."""

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

LEAVE_EMPTY = "Leave the cell empty when the value is missing."
_CERTAIN = PLACEHOLDERS | UNREPORTED
_LONGEST = 24
_RULE = "is placeholder text"


def placeholder(cell: str, *, named: bool = False) -> Fault | None:
    """Return a fault when the cell holds a word for "missing" instead of being empty.

    Parameters
    ----------
    cell : str
        A cell that is not empty.
    named : bool
        Whether such a word may be a value, as a short one may be an id or a name.
    """
    # No such word ends with a digit, and most cells do.
    if not 0 < len(cell) <= _LONGEST or cell[-1].isdigit():
        return None
    if cell.casefold() in PLACEHOLDERS or (not named and _core(cell) in _CERTAIN):
        return Fault(_RULE, LEAVE_EMPTY)
    return None


def missing_word(cell: str) -> Fault | None:
    """Return a fault when a cell that is no value of its column holds any word for "missing"."""
    return placeholder(cell) or (Fault(_RULE, LEAVE_EMPTY) if vague(cell) else None)


def vague(cell: str) -> bool:
    """Return whether a text may have been meant as "missing"."""
    return len(cell) <= _LONGEST and _core(cell) in VAGUE


def _core(cell: str) -> str:
    spaced = re.sub(r"\s+", " ", cell.casefold()).replace(". ", ".").replace("_", " ")
    return spaced.strip("()[]* ").rstrip(".")
