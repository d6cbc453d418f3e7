"""Rules within one row: what contradicts itself, and what cannot be true of patients."""

import math
from collections.abc import Callable, Iterator

from analysis.evidence.cells import Fault, number, probability_fault
from analysis.evidence.conditions import condition
from analysis.evidence.drafts import Draft, RowRule, Rule
from analysis.evidence.problems import Problem

_ESTIMATE_AND_LIMITS = ("estimate", "ci_low", "ci_high")
# How far a limit may lie outside 0 to 1: farther than programs overshoot, nearer than any percentage comes.
_CUT_BEYOND = 0.2
# A century: nobody is followed for longer.
_LONGEST_MONTHS = 1200.0
_LONGEST_LIMIT = 12_000.0
_HALF_A_DAY = 0.016
_FASTEST = math.log(2.0) / _HALF_A_DAY
# Ten million patients tell no probability nearer to 0 or 1 than this.
_NEAREST = 1e-8
# More than anything in medicine is counted in.
_LARGEST = 1e12

_DENOMINATOR = "Correct the count or the denominator."
_LIMIT = "Correct the estimate or the limit."
_BOTH = "Give both or neither."
_BOTH_LIMITS = "Give both limits or neither."
_BOTH_OF_EXPOSURE = "Give both or neither; the time at risk stands in person_months or person_years."
_UNIT = "Give months; days are divided by 30.4375, years are multiplied by 12."


def _above(part: str, whole: str) -> Callable[[Draft], bool]:
    return lambda row: row.has(part, whole) and row[part] > row[whole]


def _beside(given: str, lacking: str, remedy: str) -> Rule:
    return Rule(lacking, f"is empty while {given} is given", remedy, lambda row: row.has(given) and row.lacks(lacking))


def _reversed(row: Draft) -> bool:
    """Whether the limits are reversed or equal, unless survival is certain."""
    estimate, low, high = (row[column] for column in _ESTIMATE_AND_LIMITS)
    certain = row["statistic"] == "landmark" and low == high == estimate in (0, 1)
    return row.has("ci_low", "ci_high") and low >= high and not certain


def _on_scale(row: Draft) -> Iterator[Problem]:
    """A probability lies between 0 and 1, a time above 0; limits may lie beyond, where an interval was cut."""
    statistic = row["statistic"] if row.file == "survival.csv" else None
    for column in filter(row.has, _ESTIMATE_AND_LIMITS):
        fault, value = None, row[column]
        if row["units"] == "probability":
            fault = probability_fault(value)
        elif statistic == "landmark" and (column == "estimate" or not -_CUT_BEYOND <= value <= 1 + _CUT_BEYOND):
            fault = probability_fault(value)
        elif statistic == "median" and value <= 0:
            # Median and limits of estimate +- error reach below 0, though never as far as above it.
            cut = column == "ci_low" and row.has("ci_high") and -value < row["ci_high"]
            fault = None if cut else Fault("is not above 0 for a median", "Give months above 0.")
        if fault:
            yield row.problem(column, fault.rule, fault.remedy)


def _possible_months(row: Draft) -> Iterator[Problem]:
    for column in _ESTIMATE_AND_LIMITS if row["statistic"] == "median" or row["units"] == "months" else ():
        longest = _LONGEST_LIMIT if column == "ci_high" else _LONGEST_MONTHS
        if row.has(column) and 0 < row[column] < _HALF_A_DAY and row.file == "survival.csv":
            yield row.problem(column, f"is below {_HALF_A_DAY:g} months, half a day", _UNIT)
        if row.has(column) and row[column] > longest:
            yield row.problem(column, f"is above {longest:,.0f} months, {longest / 12:,.0f} years", _UNIT)


def _possible_landmark(row: Draft) -> Iterator[Problem]:
    value = row["estimate"] if row["statistic"] == "landmark" and row.has("estimate") else 0
    if not 0 < value < 1:
        return
    if not _NEAREST <= value <= 1 - _NEAREST:
        end = 0 if value < 0.5 else 1
        rule = f"is nearer to {end} than ten million patients can tell"
        yield row.problem("estimate", rule, f"Write {end} if it is meant, or correct the number.")
    elif row.has("time_months") and -math.log(value) > _FASTEST * row["time_months"]:
        rule = f"with time_months = {row['time_months']:g} loses half of the patients in less than half a day"
        yield row.problem("estimate", rule, "Correct the probability, or give the time in months.")


def _possible_number(row: Draft) -> Iterator[Problem]:
    for column in _ESTIMATE_AND_LIMITS if row["units"] != "months" else ():
        if row.has(column) and abs(row[column]) > _LARGEST:
            yield row.problem(column, f"is beyond {_LARGEST:g}", "Correct the number, or choose a larger unit.")


def _benchmark(row: Draft) -> Iterator[Problem]:
    """A benchmark of a rate or of survival is a probability."""
    for column in ("low", "high") if row["estimand"] != "median_months" else ():
        if row.has(column) and (fault := probability_fault(row[column])):
            yield row.problem(column, fault.rule, fault.remedy)


def _fact(row: Draft) -> Iterator[Problem]:
    value = number(row["value"]) if row.has("value", "quantity") and row["quantity"] != "text" else None
    if isinstance(value, Fault):
        yield row.problem("value", value.rule, value.remedy)


def _condition(row: Draft) -> Iterator[Problem]:
    asks = condition(row["value"]) if row.has("value") else None
    if isinstance(asks, Fault):
        yield row.problem("value", asks.rule, asks.remedy)


# With a time at risk events may recur.
_EVENTS_WITHIN_N = Rule(
    "events", "exceeds n = {n}", _DENOMINATOR,
    lambda row: _above("events", "n")(row) and not row.has("person_months"))
_HOLDS_ESTIMATE = (
    Rule("ci_low", "is not below ci_high = {ci_high:g}", "Correct the limits.", _reversed),
    Rule("ci_low", "is above the estimate = {estimate:g}", _LIMIT,
         lambda row: _above("ci_low", "estimate")(row) and not _reversed(row)),
    Rule("ci_high", "is below the estimate = {estimate:g}", _LIMIT,
         lambda row: _above("estimate", "ci_high")(row) and not _reversed(row)))
_SURVIVAL = (
    _EVENTS_WITHIN_N,
    _beside("events", "person_months", _BOTH_OF_EXPOSURE),
    _beside("person_months", "events", _BOTH_OF_EXPOSURE),
    Rule("estimate", "is empty while statistic is given", "Give it, delete the row, or empty statistic and time_months "
         "where events and person_months are given.",
         lambda row: row["statistic"] == "landmark" and row.lacks("estimate")),
    Rule("estimate", "is empty while statistic is given", "Give it; write true in upper_not_reached if the median was "
         "not reached; else delete the row, or empty statistic where events and person_months are given.",
         lambda row: row["statistic"] == "median" and row.lacks("estimate") and not row["upper_not_reached"]),
    Rule("statistic", "is empty beside an estimate or a limit", "Write median or landmark.",
         lambda row: row.lacks("statistic") and any(map(row.has, _ESTIMATE_AND_LIMITS))),
    Rule("statistic", "is empty, and so are events and person_months",
         "Give a median, a landmark, or events with person_months; delete the row if none is known.",
         lambda row: row.lacks("statistic", "events", "person_months") and not any(map(row.has, _ESTIMATE_AND_LIMITS))),
    Rule("time_months", "is empty for a landmark", "Give the time in months; delete the row if it is not known.",
         lambda row: row["statistic"] == "landmark" and row.lacks("time_months")),
    Rule("time_months", "is given for a median",
         "Leave it empty; the estimate is the time. A median that was not reached has its follow-up here.",
         lambda row: row["statistic"] == "median" and row.has("time_months", "estimate")),
    _on_scale,
    Rule("ci_high", "is given although upper_not_reached is true",
         "Leave it empty if this limit was not reached, else write false in upper_not_reached.",
         lambda row: row["upper_not_reached"] and row.has("ci_high")),
    Rule("upper_not_reached", "cannot be true for a landmark", "Write false.",
         lambda row: row["upper_not_reached"] and row["statistic"] == "landmark"),
    Rule("ci_high", "is empty while ci_low is given",
         "Give it, write true in upper_not_reached if it was not reached, or leave both limits empty.",
         lambda row: row["upper_not_reached"] is False and row.has("ci_low") and row.lacks("ci_high")),
    _beside("ci_high", "ci_low", _BOTH_LIMITS),
    *_HOLDS_ESTIMATE,
    _possible_months,
    _possible_landmark,
    Rule("person_months", f"gives each of n = {{n}} more than {_LONGEST_MONTHS:,.0f} months, a century",
         f"{_UNIT} Add them up over the n patients.",
         lambda row: row.has("person_months", "n") and row["person_months"] > _LONGEST_MONTHS * row["n"]),
    Rule("person_months", f"is less than {1 / _FASTEST:.3f} months for each of events = {{events}}",
         f"{_UNIT} Add them up over all patients.",
         lambda row: row.has("person_months", "events") and row["events"] > _FASTEST * row["person_months"]))

ROW_RULES: dict[str, tuple[RowRule, ...]] = {
    "studies.csv": (
        Rule("n_enrolled", "is below n_treated = {n_treated}", "Correct one of the two.",
             _above("n_treated", "n_enrolled")),),
    "responses.csv": (_EVENTS_WITHIN_N,),
    "survival.csv": _SURVIVAL,
    "reported.csv": (
        _on_scale,
        # A published median may be open above.
        Rule("ci_high", "is empty while ci_low is given", _BOTH_LIMITS,
             lambda row: row["units"] != "months" and row.has("ci_low") and row.lacks("ci_high")),
        _beside("ci_high", "ci_low", _BOTH_LIMITS),
        *_HOLDS_ESTIMATE,
        _possible_months,
        _possible_number),
    "totals.csv": (_EVENTS_WITHIN_N,),
    "scenarios.csv": (
        Rule("scenario", "is the name of the published total itself", "Rename the scenario.",
             lambda row: row["scenario"] == "as_printed"),
        Rule("total_events", "exceeds total_n = {total_n}", _DENOMINATOR, _above("total_events", "total_n")),
        _beside("study_id", "n", _BOTH),
        _beside("n", "study_id", _BOTH)),
    "extraction.csv": (_fact,),
    "subsets.csv": (
        Rule("column", "gives all, which always holds every study, a condition", "Rename the subset.",
             lambda row: row["subset"] == "all" and row.has("column")),
        Rule("value", "gives all, which always holds every study, a condition", "Rename the subset.",
             lambda row: row["subset"] == "all" and row.has("value") and not row.has("column")),
        _beside("value", "column", "Name the column of studies.csv."),
        _condition),
    "comparisons.csv": (
        Rule("estimand", "is empty, and so is reason", "Name one, or say why there is none.",
             lambda row: row.lacks("reason", "estimand")),
        Rule("endpoint", "is empty, and so are column and reason", "Name the endpoint, or the column of studies.csv.",
             lambda row: row.lacks("reason", "endpoint", "column") and not row.lacks("estimand"))),
    "benchmarks.csv": (
        _benchmark,
        Rule("high", "is not above low = {low:g}", "Correct the range, or leave it empty for one value.",
             lambda row: row.has("low", "high") and row["high"] <= row["low"])),
    "covariates.csv": (
        Rule("lowest", "is not below highest = {highest:g}", "Correct the bounds, or leave them empty.",
             lambda row: row.has("lowest", "highest") and row["lowest"] >= row["highest"]),),
}
