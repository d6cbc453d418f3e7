"""Numbers in a covariate's column that look like a code for "missing": 999 or -99 far outside the rest."""

import re
from collections.abc import Iterator, Mapping

from analysis.evidence.cells import number
from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.numerals import Fault
from analysis.evidence.problems import Problem

FAR_OUT = "looks like a code for a missing value"
_REMEDY = "Leave the cell empty if the value is missing."
_NINES = re.compile(r"-?9{2,}(\.[09]*)?")
_BELOW = re.compile(r"-(1|7+|8+|9+)(\.0*)?")
_TWO_DIGITS = 10.0
_FEWEST = 3


def sentinel_notes(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    """Yield a note for each cell of a covariate that is written like a code and lies far from all that are not.

    Codes are numbers of nines and some negative ones. One counts where it is farther from the rest than these are from
    each other, or where it is -10 or less while the rest are not negative. Distance alone says nothing: many honest
    columns are skewed.
    """
    columns = {row.values["column"] for row in tables["covariates.csv"].rows if row.has("column")}
    for column in sorted(columns):
        cells = [(row, row.raw.get(column, "")) for row in tables["studies.csv"].rows if column not in row.bad]
        yield from _of_column(column, [(row, cell, value) for row, cell in cells
                                       if cell and not isinstance(value := number()(cell), Fault)])


def _of_column(column: str, cells: list[tuple[Draft, str, float]]) -> Iterator[Problem]:
    codes = [(row, cell, value) for row, cell, value in cells if _NINES.fullmatch(cell) or _BELOW.fullmatch(cell)]
    rest = [value for row, cell, value in cells if (row, cell, value) not in codes]
    if not codes or len(rest) < _FEWEST:
        return
    low, high = min(rest), max(rest)
    for row, _, value in codes:
        distance = max(low - value, value - high)
        if distance > high - low or value <= -_TWO_DIGITS < 0.0 <= low:
            rule = f"{FAR_OUT}: the other cells of this covariate lie between {low:g} and {high:g}"
            yield row.problem(column, rule, _REMEDY)
