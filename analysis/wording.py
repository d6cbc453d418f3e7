"""How numbers are written for readers: few enough digits that Monte-Carlo error cannot change them much.

Probabilities are whole per cents: an interval end has a Monte-Carlo error of up to a tenth of a posterior standard
deviation, which is several points here, and the published numbers are whole per cents as well.
The tables keep every digit.
"""

import math
from collections.abc import Mapping
from typing import Any

MISSING = "–"
MINUS = "−"
PROBABILITY_UNITS = ("proportion", "probability")
_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def safe(text: object) -> str:
    """The text on one line, with characters that no reader can see, or XML cannot hold, replaced."""
    return "".join(mark if mark.isprintable() else _UNPRINTABLE for mark in str(text))


def percent(probability: float) -> str:
    """Whole per cents without the sign; values that would round to 0 or 100 but are neither say so."""
    if 0.0 < probability <= 0.005:
        return "<1"
    if 0.995 <= probability < 1.0:
        return ">99"
    return f"{100.0 * probability:.0f}"


def number(value: float | None, unit: str) -> str:
    """A number in its unit, which is not repeated: per cents of proportions, one digit of months, else two digits."""
    if value is None or not math.isfinite(value):
        return MISSING
    if unit in PROBABILITY_UNITS:
        return percent(value)
    if abs(value) >= 1000.0:
        return f"{value:.3g}"
    return f"{value:.1f}" if unit == "months" else f"{value:.2f}"


def as_printed(value: float | None, unit: str) -> str:
    """A published number with the digits that were published."""
    if value is None:
        return MISSING
    return f"{100.0 * value if unit in PROBABILITY_UNITS else value:.10g}"


def signed(value: float | None, unit: str) -> str:
    """A difference: points for proportions, otherwise the unit's own digits."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = f"{100.0 * abs(value):.0f}" if unit in PROBABILITY_UNITS else number(abs(value), unit)
    if float(size) == 0.0:
        return "0"
    return ("+" if value > 0 else MINUS) + size


def with_interval(row: Mapping[str, Any], unit: str, *, at: str = "median") -> str:
    """Such as "80 [72, 86]": an estimate with its limits.

    Parameters
    ----------
    row : mapping
        With lower and upper and the column `at`; raw estimates are read from raw, raw_lower and raw_upper.
    """
    prefix = "raw_" if at == "raw" else ""
    low, high = row[f"{prefix}lower"], row[f"{prefix}upper"]
    return f"{number(row[at], unit)} [{number(low, unit)}, {number(high, unit)}]"


def printed_with_interval(value: float, low: float | None, high: float | None, unit: str) -> str:
    """A published estimate, with its limits where they were published."""
    text = as_printed(value, unit)
    if low is None or high is None:
        return text
    return f"{text} [{as_printed(low, unit)}, {as_printed(high, unit)}]"


def level_text(level: float | None) -> str:
    """Such as "95 %"."""
    return "" if level is None else f"{100.0 * level:.6g} %"


def unit_text(unit: str) -> str:
    """The unit as a reader sees it behind a number."""
    return "%" if unit in PROBABILITY_UNITS else unit if unit == "months" or unit.startswith("events per ") else ""


def counted(number_of: int | None, noun: str, plural: str = "") -> str:
    """Such as "1 study" or "10 studies"; a dash where the number is not known."""
    if number_of is None:
        return f"{MISSING} {plural or noun + 's'}"
    return f"{number_of:,} {noun if number_of == 1 else plural or noun + 's'}"


def studies_and_patients(k: int | None, n: int | None) -> str:
    """Such as "10 / 349"; a dash for what is not known."""
    return f"{MISSING if k is None else k} / {MISSING if n is None else f'{n:,}'}"
