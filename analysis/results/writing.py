"""Rows of declared tables as text for a page: heads with the unit and level, cells in the format of their column."""

import math
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from analysis.inference.estimands import HAZARD_UNIT
from analysis.results import numbers
from analysis.results.formats import FORMATS
from analysis.results.numbers import MISSING, PERCENT, Scale
from analysis.results.table import Layout, Row

Instead = Mapping[str, Callable[[Row], object]]
"""By column: from a row to what stands in the place of the cell, or to a row that is written instead, or to None."""
NOTHING: Instead = MappingProxyType({})
RATE = "proportion"


@dataclass(frozen=True)
class Labels:
    """What readers see in place of keys, and in which units: plain values, since another process may draw.

    Parameters
    ----------
    endpoints : mapping of str to str
        Labels of endpoints, and of what was published, by their keys.
    subsets : mapping of str to str
        Labels of subsets by their keys, which may be those of endpoints as well.
    studies : mapping of str to str
    scales : mapping of str to Scale
        Units in which the rates of endpoints are read.
    level : str
        Of the intervals, such as "95 %".
    stamp : str
        Empty, or QUICK.
    known : set of (str, str)
        Studies and endpoints of which the evidence has a number.
    """

    endpoints: Mapping[str, str] = field(default_factory=dict)
    subsets: Mapping[str, str] = field(default_factory=dict)
    studies: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    level: str = ""
    stamp: str = ""
    known: Set[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Writer:
    """Writes cells and heads of one table for a page; `writer(row, "median")` is a cell, there or in a sentence.

    Parameters
    ----------
    layout : Layout
    labels : Labels
    shared : Scale or None
        The unit of all rates of the table, which heads name; None where each cell names its own.
    missing : str
        What stands for a number that is not there; words that are missing leave their cell empty.
    """

    layout: Layout
    labels: Labels = field(default_factory=Labels)
    shared: Scale | None = None
    missing: str = MISSING

    def __call__(self, row: Row | None, name: str = "median") -> str:
        """A cell by the format of its column, words in the place of a number as they are; empty without a row."""
        column, value = self.layout.column(name), row.get(name) if row else None
        form, *beside = column.format.split()
        if row is None or (form != "pair" and _is_missing(value) and not (form == "estimate" and value == math.inf)):
            return "" if row is None or column.kind == "text" else self.missing
        if form not in FORMATS:
            return format(value, form)
        return value if isinstance(value, str) and column.kind != "text" else FORMATS[form][1](self, row, name, *beside)

    def head(self, name: str, heading: str = "") -> str:
        """The head of a column, such as "Shift, points"; `heading` in place of the declared one."""
        unit = self.shared
        return (heading or self.layout.column(name).heading or name).format(
            level=self.labels.level, unit=unit.of_a_rate if unit else "", points=f", {unit.points}" if unit else "")

    def cells(self, row: Row, names: Iterable[str], instead: Instead) -> list[object]:
        """Cells of these columns."""
        given = {name: instead[name](row) for name in names if name in instead}
        texts = {name: self(cell, name) if isinstance(cell, Mapping) else cell for name, cell in given.items()}
        return [self(row, name) if texts.get(name) is None else texts[name] for name in names]

    def scale(self, row: Row) -> Scale:
        """The unit of a row's rates: that of our endpoint where a published number stands beside it."""
        scale = self.labels.scales.get(row.get("our_endpoint") or row.get("endpoint"), PERCENT)
        return replace(scale, months=row["time_months"]) if scale.months and row.get("time_months") else scale

    def pair(self, row: Row, name: str, other: str) -> str:
        """Studies and patients."""
        return numbers.studies_and_patients(row[name], row[other])

    def interval(self, row: Row, name: str, unit: str) -> str:
        """An estimate with its limits, without a unit; alone where it has no limits."""
        (value, *limits), scale = numbers.limits_of(row, name), self.scale(row)
        if scale.months and unit == HAZARD_UNIT:
            value, *limits = (None if hazard is None else hazard * scale.factor / 100.0
                              for hazard in (value, *limits))
        if limits == [None, None]:
            return numbers.number(value, unit, scale)
        return numbers.interval_text(value, *limits, unit, scale)

    def estimate(self, row: Row, name: str, unit: str = "") -> str:
        """An estimate of a rate, or of what has the unit of the row, with its limits."""
        unit = row[unit] if unit else RATE
        return self._in_unit(self.interval(row, name, unit), row, name, unit)

    def printed(self, row: Row, name: str, unit: str) -> str:
        """A published number with its digits, limits and unit."""
        text = numbers.printed_with_interval(*numbers.limits_of(row, name), row[unit], self.scale(row))
        return self._in_unit(text, row, name, row[unit])

    def change(self, row: Row, name: str, unit: str = "") -> str:
        """A difference with limits of its own or else with the decimals of the row's estimate."""
        unit, scale, has_limits = row[unit] if unit else RATE, self.scale(row), f"{name}_lower" in row
        values = numbers.limits_of(row, name) if has_limits else [row[name]]
        beside = values if has_limits else [row.get(other) for other in ("median", "estimate", "lower", "upper")]
        like = [value for value in beside if value is not None]
        texts = [numbers.signed(value, unit, scale, like=like, side=at > 0) for at, value in enumerate(values)]
        return self._in_points("{} [{}, {}]".format(*texts) if has_limits else texts[0], row, name)

    def points(self, row: Row, name: str) -> str:
        """A change in points with a decimal more than its estimate has, where it would have one digit."""
        scale, limits = self.scale(row), numbers.limits_of(row, "median")
        value = scale.change(row[name] / 100.0, limits[0])
        decimals = numbers.decimals_for(map(scale.shown, limits))
        text = numbers.fixed(abs(value), decimals + (abs(value) < 9.5 * 10.0**-decimals))
        sign = "" if not text.strip("0.") else "+" if value > 0 else numbers.MINUS
        return self._in_points(sign + text, row, name)

    def _in_points(self, text: str, row: Row, name: str) -> str:
        if self.shared or "{points}" not in self.layout.column(name).heading:
            return text
        return f"{text} {'point' if text[1:] == '1' and self.scale(row) == PERCENT else self.scale(row).points}"

    def _in_unit(self, text: str, row: Row, name: str, unit: str) -> str:
        told = self.shared and "{unit}" in self.layout.column(name).heading
        return text if told else numbers.with_unit(text, unit, self.scale(row))


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))
