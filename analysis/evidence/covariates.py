"""Columns of studies.csv that covariates.csv names: they hold numbers within bounds, a sensible step apart."""

import math
from collections.abc import Iterator

from analysis.evidence.cells import Fault, number
from analysis.evidence.drafts import Draft, Tables
from analysis.evidence.problems import Problem, shown
from analysis.system.groups import grouped

_LARGEST, _SMALLEST = 1e15, 1e-30
_MOST_STEPS = 1e6
_SHOWN = 4


def covariate_problems(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each column of words, each cell that is not the number its covariate needs, and odd steps."""
    named = (covariate for covariate in tables["covariates.csv"].rows if covariate.has("column"))
    for column, covariates in grouped(named, lambda covariate: covariate["column"]).items():
        cells = [(study, number(study.raw[column])) for study in tables["studies.csv"].rows
                 if study.raw.get(column) and column not in study.bad]
        words = [study.raw[column] for study, value in cells
                 if isinstance(value, Fault) and not any(map(str.isdigit, study.raw[column]))]
        if 2 * len(words) > len(cells):
            yield _of_words(covariates[0], words)
            continue
        for study, value in cells:
            if isinstance(value, Fault):
                yield study.problem(column, f"{value.rule}, as covariates.csv needs", value.remedy)
            else:
                yield from _out_of_bounds(study, column, value, covariates)
        values = [value for _, value in cells if not isinstance(value, Fault) and abs(value) <= _LARGEST]
        for covariate in covariates:
            yield from _steps_apart(covariate, values)


def _of_words(covariate: Draft, words: list[str]) -> Problem:
    levels = list(dict.fromkeys(words))
    listed = ", ".join(map(shown, levels[:_SHOWN])) + (", ..." if len(levels) > _SHOWN else "")
    rule = f"holds words in studies.csv ({listed}), where a covariate needs numbers"
    remedy = (f"Add a column to studies.csv that is 1 for {shown(levels[-1])} and 0 for the others, name that, and "
              "do so for each further level but one.")
    return covariate.problem("column", rule, remedy)


def _out_of_bounds(study: Draft, column: str, value: float, covariates: list[Draft]) -> Iterator[Problem]:
    if abs(value) > _LARGEST:
        yield study.problem(column, f"is beyond {_LARGEST:g}", "Correct the number, or choose a larger unit.")
        return
    if 0.0 < abs(value) < _SMALLEST:
        rule = f"is nearer to 0 than {_SMALLEST:g}"
        yield study.problem(column, rule, "Correct the number, or choose a smaller unit.")
        return
    for covariate in covariates:
        lowest, highest = covariate["lowest"], covariate["highest"]
        where = f"of covariates.csv row {covariate.row}"
        if lowest is not None and value < lowest:
            rule = f"is below lowest = {lowest:g} {where}"
        elif highest is not None and value > highest:
            rule = f"is above highest = {highest:g} {where}"
        elif covariate["transformation"] == "log10" and value <= 0:
            rule = f"has no logarithm, as log10 {where} needs"
        else:
            continue
        yield study.problem(column, rule, "Correct the number, or the covariate.")


def _steps_apart(covariate: Draft, values: list[float]) -> Iterator[Problem]:
    """Yield a problem where the values lie a millionth, or a million, of the stated steps apart, so none is meant."""
    if covariate["transformation"] == "log10":
        values = [math.log10(value) for value in values if value > 0]
    spread = max(values) - min(values) if values else 0.0
    if not covariate.has("unit_size") or not 0.0 < spread < math.inf:
        return
    size = covariate["unit_size"]
    # 1 without a unit states no step.
    if (size != 1.0 or covariate.has("unit")) and not 1.0 / _MOST_STEPS <= size / spread <= _MOST_STEPS:
        rule = f"is no step of a column whose numbers lie up to {spread:g} apart"
        remedy = "Give a step of about their spread, or leave unit and unit_size empty: a round one is chosen."
        yield covariate.problem("unit_size", rule, remedy)
