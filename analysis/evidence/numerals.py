"""Why a cell is no number, with the number that was probably meant."""

import math
import re
import unicodedata
from dataclasses import dataclass

WHOLE = re.compile(r"-?[0-9]+")
DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}([,' \u00a0\u202f][0-9]{3})+(\.[0-9]+)?")
_POINT_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})+")
_DECIMAL_COMMA = re.compile(r"-?[0-9]*,[0-9]+")
_NOT_FINITE = {"inf", "infinity", "∞"}
_MINUS_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell was refused.

    Parameters
    ----------
    rule : str
        What is wrong, worded to follow "column = value".
    remedy : str
        What to do.
    """

    rule: str
    remedy: str


def endless(text: str) -> bool:
    """Return whether a text says infinity."""
    return text.casefold().lstrip("+-") in _NOT_FINITE


def explain(text: str, *, whole: bool) -> Fault:
    """Return why a text is not a number of the wanted kind and what to write instead.

    Parameters
    ----------
    text : str
        A cell that is neither empty nor a valid number.
    whole : bool
        Whether a whole number was wanted.
    """
    if endless(text):
        return Fault("is not finite", "Write a finite number, or leave the cell empty if it is unknown.")
    if whole and _POINT_THOUSANDS.fullmatch(text):
        meant = text.replace(".", "")
        return Fault("is not a whole number", f"Write {meant} if the point separates thousands.")
    hidden = [c for c in text if unicodedata.category(c) == "Cf"]
    if hidden and DECIMAL.fullmatch("".join(text.translate(dict.fromkeys(map(ord, hidden))).split())):
        plain = "".join(c for c in text if c not in hidden and not c.isspace())
        return Fault(f"holds the invisible character U+{ord(hidden[0]):04X}", f"Write {plain}.")
    if _THOUSANDS.fullmatch(text):
        remedy = f"Write {re.sub(r'[^0-9.-]', '', text)}"
        if not whole and _DECIMAL_COMMA.fullmatch(text):
            remedy += f", or {text.replace(',', '.')} if the comma is the decimal mark"
        return Fault("has a thousands separator", f"{remedy}.")
    if _DECIMAL_COMMA.fullmatch(text):
        meant = "Give a whole number" if whole else f"Write {text.replace(',', '.')}"
        return Fault("has a decimal comma", f"{meant}.")
    if text.endswith("%"):
        remedy = "Give the number of patients." if whole else "Write a probability from 0 to 1, without the sign."
        return Fault("is a percentage", remedy)
    return _in_other_digits(text) or (_as_whole(text) if whole else None) or _unknown(whole)


def _in_other_digits(text: str) -> Fault | None:
    if text.isascii():
        return None
    plain = "".join(str(unicodedata.decimal(c, c)) for c in text.translate(_MINUS_SIGNS))
    if not DECIMAL.fullmatch(plain):
        return None
    return Fault("has digits or signs outside 0-9 . -", f"Write {plain}.")


def _as_whole(text: str) -> Fault | None:
    if not DECIMAL.fullmatch(text):
        return None
    value = float(text)
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return Fault("is not written as a whole number", f"Write {int(value)}.")
    return Fault("is not a whole number", "Give a count of whole units.")


def _unknown(whole: bool) -> Fault:
    if whole:
        return Fault("is not a whole number", "Write digits only.")
    return Fault("is not a number", "Write digits with a point as decimal mark.")
