"""The closed set of formats in which columns are written for readers, each with the kind of values that it is for."""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.results.numbers import RATIO, Row, chance, fixed, level_text, number, out_of, percent, signed, significant

_NO_SPREAD = 0.0005


def _estimand(write: Any, row: Row, name: str) -> str:
    if write.scale(row).months and row[name] == "survival":
        return "event rate"
    return row[name].replace("_", " ") + (f" at {row['time_months']:g} months" if row["time_months"] else "")


def _named(write: Any, row: Row, name: str, *values: str) -> str:
    return f"{row[name]} {', '.join(_spread(row[value]) for value in values)}"


def _spread(value: float | None) -> str:
    """A heterogeneity; where it is 0 but for what a computer leaves, it is below what matters."""
    return fixed(value, 3, positive=True) if value and abs(value) < _NO_SPREAD else number(value, "")


FORMATS: Mapping[str, tuple[str, Callable[..., str]]] = {
    "text": ("text", lambda write, row, name: row[name]),
    "words": ("text", lambda write, row, name: row[name].replace("_", " ")),
    "model": ("text", lambda write, row, name: row[name].replace("_", "-")),
    "estimand": ("text", _estimand),
    "label": ("text", lambda write, row, name, kind: getattr(write.labels, kind).get(row[name], row[name])),
    "named": ("text", _named),
    "flag": ("flag", lambda write, row, name, *words: " ".join(words) if row[name] else ""),
    "count": ("count", lambda write, row, name: f"{row[name]:,}"),
    "pair": ("count", lambda write, row, name, other: write.pair(row, name, other)),
    "of": ("count", lambda write, row, name, whole: out_of(row[name], row[whole])),
    "number": ("number", lambda write, row, name: number(row[name], "")),
    "error": ("number", lambda write, row, name, error: f"{number(row[name], '')} ({number(row[error], '')})"),
    "chance": ("number", lambda write, row, name: chance(row[name])),
    # Where survival is read as a rate of events, less is more: a side of a distribution, and a signed change.
    "side": ("number", lambda write, row, name: chance(1.0 - row[name] if write.scale(row).months else row[name])),
    "percent": ("number", lambda write, row, name: f"{percent(row[name])} %"),
    "share": ("number", lambda write, row, name: level_text(row[name])),
    "significant": ("number", lambda write, row, name: significant(row[name])),
    "spread": ("number", lambda write, row, name: significant(write.scale(row).factor * row[name])),
    "signed": ("number", lambda write, row, name: signed(row[name], "")),
    "turned": ("number", lambda write, row, name: signed(-row[name] if write.scale(row).months else row[name], "")),
    "kind": ("number", lambda write, row, name, kind: f"{level_text(row[name])} {row[kind] or ''}".strip()),
    "ratio": ("number", lambda write, row, name: write.interval(row, name, RATIO)),
    "parameter": ("number", lambda write, row, name: write.interval(row, name, "1")),
    "estimate": ("number", lambda write, row, name, *unit: write.estimate(row, name, *unit)),
    "printed": ("number", lambda write, row, name, unit: write.printed(row, name, unit)),
    "change": ("number", lambda write, row, name, *unit: write.change(row, name, *unit)),
    "points": ("number", lambda write, row, name: write.points(row, name)),
}
"""By name: the kind of values that it is for, and (writer, row, column, what stands behind the name) -> text."""


def kind_of(form: str) -> str:
    """The kind of value that a format is for: text, count, number or flag; one of Python's for a number or a count.

    Raises
    ------
    KeyError
        When there is no such format.
    """
    name = form.split()[0]
    if name[0] in ".," or name == "d":
        return "count" if name.endswith("d") else "number"
    return FORMATS[name][0]
