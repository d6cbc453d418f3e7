"""Columns of studies.csv that covariates.csv names: they hold numbers within bounds, a sensible step apart."""

import math
from collections.abc import Iterator, Mapping

from analysis.evidence.cells import number
from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.numerals import Fault
from analysis.evidence.problems import Problem, shown

_LARGEST, _SMALLEST = 1e15, 1e-30
_MOST_STEPS = 1e6
_SHOWN = 4


def covariate_problems(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    """Yield a problem for each column of words, each cell that is not the number its covariate needs, and odd steps."""
    columns: dict[str, list[Draft]] = {}
    for row in tables["covariates.csv"].rows:
        if row.has("column"):
            columns.setdefault(row.values["column"], []).append(row)
    for column, covariates in columns.items():
        cells = [(row, row.raw[column]) for row in tables["studies.csv"].rows
                 if row.raw.get(column) and column not in row.bad]
        read = [(row, cell, number()(cell)) for row, cell in cells]
        words = [cell for _, cell, value in read if isinstance(value, Fault) and not any(map(str.isdigit, cell))]
        if 2 * len(words) > len(read):
            yield _of_words(covariates[0], words)
            continue
        for row, _, value in read:
            if isinstance(value, Fault):
                yield row.problem(column, f"{value.rule}, as covariates.csv needs", value.remedy)
            else:
                yield from _outside_of_covariates(row, column, value, covariates)
        values = [value for *_, value in read if not isinstance(value, Fault) and abs(value) <= _LARGEST]
        for covariate in covariates:
            yield from _steps_apart(covariate, values)


def _of_words(covariate: Draft, words: list[str]) -> Problem:
    levels = list(dict.fromkeys(words))
    listed = ", ".join(map(shown, levels[:_SHOWN])) + (", ..." if len(levels) > _SHOWN else "")
    rule = f"holds words in studies.csv ({listed}), where a covariate needs numbers"
    remedy = (f"Add a column to studies.csv that is 1 for {shown(levels[-1])} and 0 for the others, name that, and "
              "do so for each further level but one.")
    return covariate.problem("column", rule, remedy)


def _outside_of_covariates(row: Draft, column: str, value: float, covariates: list[Draft]) -> Iterator[Problem]:
    for beyond, rule, unit in ((abs(value) > _LARGEST, f"is beyond {_LARGEST:g}", "larger"),
                               (0.0 < abs(value) < _SMALLEST, f"is nearer to 0 than {_SMALLEST:g}", "smaller")):
        if beyond:
            yield row.problem(column, rule, f"Correct the number, or choose a {unit} unit.")
            return
    for covariate in covariates:
        where = f"of covariates.csv row {covariate.row}"
        remedy = "Correct the number, or the covariate."
        if covariate.has("lowest") and value < covariate.values["lowest"]:
            yield row.problem(column, f"is below lowest = {covariate.values['lowest']:g} {where}", remedy)
        elif covariate.has("highest") and value > covariate.values["highest"]:
            yield row.problem(column, f"is above highest = {covariate.values['highest']:g} {where}", remedy)
        elif covariate.values.get("transformation") == "log10" and value <= 0:
            yield row.problem(column, f"has no logarithm, as log10 {where} needs", remedy)


def _steps_apart(covariate: Draft, values: list[float]) -> Iterator[Problem]:
    """Yield a problem where the values lie a millionth, or a million, of the stated steps apart, so none is meant."""
    logarithm = covariate.values.get("transformation") == "log10"
    values = [math.log10(value) if logarithm else value for value in values if value > 0 or not logarithm]
    spread = max(values) - min(values) if values else 0.0
    if not covariate.has("unit_size") or not 0.0 < spread < math.inf:
        return
    size = covariate.values["unit_size"]
    # 1 without a unit states no step.
    if (size != 1.0 or covariate.has("unit")) and not 1.0 / _MOST_STEPS <= size / spread <= _MOST_STEPS:
        rule = f"is no step of a column whose numbers lie up to {spread:g} apart"
        remedy = "Give a step of about their spread, or leave unit and unit_size empty: a round one is chosen."
        yield covariate.problem("unit_size", rule, remedy)
