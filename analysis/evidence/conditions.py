"""Conditions on a cell of studies.csv: equal to a text, or a number on one side of others.

`CD19` asks for just this text, `>=2020` for a number of at least 2020; in `>=30 <40` every comparison must hold.
"""

import operator
import re
from dataclasses import dataclass

from analysis.evidence.cells import DECIMAL, Fault

_OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_MARKS = "<>=\u2264\u2265\u2260!"
_COMPARISON = re.compile(rf"(>=|<=|>|<)({DECIMAL.pattern})")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a cell must be: within all of the comparisons, each an operator and a bound, else equal to the text."""

    text: str
    comparisons: tuple[tuple[str, float], ...] = ()

    def holds(self, cell: str) -> bool | None:
        """Whether the cell meets the condition; None where the cell is empty, or no number and one is needed."""
        if not self.comparisons:
            return cell == self.text if cell or not self.text else None
        if not DECIMAL.fullmatch(cell):
            return None
        return all(_OPERATORS[sign](float(cell), bound) for sign, bound in self.comparisons)


def condition(value: str) -> Condition | Fault:
    """Return the condition that a cell of subsets.csv states, or why it states none."""
    if not value.lstrip().startswith(tuple(_MARKS)):
        return Condition(value)
    matches = [_COMPARISON.fullmatch(part) for part in value.split()]
    if all(matches):
        return Condition(value, tuple((match[1], float(match[2])) for match in matches))
    return Fault("is no comparison with a number", _remedy(value))


def _remedy(value: str) -> str:
    plain = value.strip().replace("\u2264", "<=").replace("\u2265", ">=").replace("=>", ">=").replace("=<", "<=")
    plain = re.sub(r"([<>=])\s+", r"\1", plain)
    equal = plain.lstrip("=")
    if equal != plain and equal and equal[0] not in _MARKS:
        return f"Write {equal} alone for equality."
    if all(_COMPARISON.fullmatch(part) for part in plain.split()):
        return f"Write {plain}."
    return "Write >=, <=, > or < and a number, such as >=2020; several comparisons are separated by blanks."
