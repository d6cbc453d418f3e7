"""Bounds of what can be true of patients: numbers beyond them are slips of a unit or of a key."""

import math
from collections.abc import Iterator

from analysis.evidence.drafts import Draft
from analysis.evidence.problems import Problem

LONGEST_MONTHS = 1200.0
"""A century, longer than anybody is followed."""

_SHORTEST_MONTHS = 0.016
_LONGEST_LIMIT = 12_000.0
_FASTEST = math.log(2.0) / _SHORTEST_MONTHS
# Ten million patients tell no probability nearer to 0 or 1 than this.
_NEAREST = 1e-8
_LARGEST = 1e12
_UNIT = "Give months; days are divided by 30.4375, years are multiplied by 12."
_NUMBERS = ("estimate", "ci_low", "ci_high")


def possible_months(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a median or its limit is below half a day or above what any model extrapolates."""
    if row.values.get("statistic") == "median" or row.values.get("units") == "months":
        for column in _NUMBERS:
            value = row.values[column] if row.has(column) else None
            if value is not None and 0 < value < _SHORTEST_MONTHS and row.file == "survival.csv":
                yield row.problem(column, f"is below {_SHORTEST_MONTHS:g} months, half a day", _UNIT)
            if value is not None and value > (_LONGEST_LIMIT if column == "ci_high" else LONGEST_MONTHS):
                limit = _LONGEST_LIMIT if column == "ci_high" else LONGEST_MONTHS
                yield row.problem(column, f"is above {limit:,.0f} months, {limit / 12:,.0f} years", _UNIT)


def possible_landmark(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a survival probability is nearer to 0 or 1 than patients tell, or falls within hours."""
    if row.values.get("statistic") != "landmark" or not row.has("estimate"):
        return
    value = row.values["estimate"]
    if not 0 < value < 1:
        return
    if not _NEAREST <= value <= 1 - _NEAREST:
        end = 0 if value < 0.5 else 1
        rule = f"is nearer to {end} than ten million patients can tell"
        yield row.problem("estimate", rule, f"Write {end} if it is meant, or correct the number.")
    elif row.has("time_months") and -math.log(value) > _FASTEST * row.values["time_months"]:
        rule = f"with time_months = {row.values['time_months']:g} loses half of the patients in less than half a day"
        yield row.problem("estimate", rule, "Correct the probability, or give the time in months.")


def possible_exposure(row: Draft) -> Iterator[Problem]:
    """Yield a problem when the time at risk exceeds a century for each patient, or events follow within hours."""
    if not row.has("person_months"):
        return
    months = row.values["person_months"]
    if row.has("n") and months > LONGEST_MONTHS * row.values["n"]:
        rule = f"gives each of n = {row.values['n']} more than {LONGEST_MONTHS:,.0f} months, a century"
        yield row.problem("person_months", rule, f"{_UNIT} Add them up over the n patients.")
    if row.has("events") and row.values["events"] > _FASTEST * months:
        rule = f"is less than {1 / _FASTEST:.3f} months for each of events = {row.values['events']}"
        yield row.problem("person_months", rule, f"{_UNIT} Add them up over all patients.")


def possible_number(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a published number of any unit exceeds what anything in medicine is counted in."""
    for column in _NUMBERS:
        if row.has(column) and row.values.get("units") != "months" and abs(row.values[column]) > _LARGEST:
            yield row.problem(column, f"is beyond {_LARGEST:g}", "Correct the number, or choose a larger unit.")
