"""Rules within one row."""

from collections.abc import Callable, Iterator

from analysis.evidence.cells import number, probability_fault
from analysis.evidence.conditions import condition
from analysis.evidence.drafts import Draft
from analysis.evidence.numerals import Fault
from analysis.evidence.plausibility import possible_exposure, possible_landmark, possible_months, possible_number
from analysis.evidence.problems import Problem

Rule = Callable[[Draft], Iterator[Problem]]

_LIMITS = ("ci_low", "ci_high")
_LIMIT_REMEDY = "Correct the estimate or the limit."
_NO_ESTIMATE = {
    "median": "Give it; write true in upper_not_reached if the median was not reached; else delete the row, or empty "
    "statistic where events and person_months are given.",
    "landmark": "Give it, delete the row, or empty statistic and time_months where events and person_months are given.",
}


CUT_BEYOND = 0.2
"""How far a limit may lie outside 0 to 1: farther than programs overshoot, nearer than any percentage comes."""


def events_within_n(row: Draft) -> Iterator[Problem]:
    """Yield a problem when more patients have the event than were counted; with person-months events may recur."""
    if row.has("person_months"):
        return
    if row.has("events", "n") and row.values["events"] > row.values["n"]:
        yield row.problem("events", f"exceeds n = {row.values['n']}", "Correct the count or the denominator.")


def treated_within_enrolled(row: Draft) -> Iterator[Problem]:
    """Yield a problem when more patients were treated than enrolled."""
    if row.has("n_treated", "n_enrolled") and row.values["n_treated"] > row.values["n_enrolled"]:
        yield row.problem("n_enrolled", f"is below n_treated = {row.values['n_treated']}", "Correct one of the two.")


def interval_holds_estimate(row: Draft) -> Iterator[Problem]:
    """Yield a problem when the limits are reversed, equal, or leave the estimate outside."""
    low, high = (row.values[c] if row.has(c) else None for c in _LIMITS)
    certain = row.values.get("statistic") == "landmark" and low == high == row.values.get("estimate") in (0, 1)
    if low is not None and high is not None and low >= high and not certain:
        yield row.problem("ci_low", f"is not below ci_high = {high:g}", "Correct the limits.")
    elif row.has("estimate"):
        estimate = row.values["estimate"]
        if low is not None and low > estimate:
            yield row.problem("ci_low", f"is above the estimate = {estimate:g}", _LIMIT_REMEDY)
        if high is not None and high < estimate:
            yield row.problem("ci_high", f"is below the estimate = {estimate:g}", _LIMIT_REMEDY)


def survival_states_something(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a row gives neither a statistic nor events with person-months."""
    for given, lacking in (("events", "person_months"), ("person_months", "events")):
        if row.has(given) and row.lacks(lacking):
            remedy = "Give both or neither; the time at risk stands in person_months or person_years."
            yield row.problem(lacking, f"is empty while {given} is given", remedy)
    if row.has("statistic") and row.lacks("estimate") and not median_not_reached(row):
        yield row.problem("estimate", "is empty while statistic is given", _NO_ESTIMATE[row.values["statistic"]])
    if row.lacks("statistic"):
        if any(row.has(c) for c in ("estimate", *_LIMITS)):
            yield row.problem(
                "statistic", "is empty beside an estimate or a limit", "Write median or landmark."
            )
        elif row.lacks("events") and row.lacks("person_months"):
            yield row.problem(
                "statistic",
                "is empty, and so are events and person_months",
                "Give a median, a landmark, or events with person_months; delete the row if none is known.",
            )


def median_not_reached(row: Draft) -> bool:
    """Return whether a row says that a median was not reached, so that it has no estimate."""
    return row.values.get("statistic") == "median" and row.lacks("estimate") and row.values["upper_not_reached"] is True


def survival_time(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a landmark has no time or a median has one."""
    if row.has("statistic"):
        landmark = row.values["statistic"] == "landmark"
        if landmark and row.lacks("time_months"):
            remedy = "Give the time in months; delete the row if it is not known."
            yield row.problem("time_months", "is empty for a landmark", remedy)
        if row.has("time_months", "estimate") and not landmark:
            remedy = "Leave it empty; the estimate is the time. A median that was not reached has its follow-up here."
            yield row.problem("time_months", "is given for a median", remedy)


def survival_scale(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a landmark is no probability or a median no time."""
    if not row.has("statistic"):
        return
    for column in ("estimate", *_LIMITS):
        if row.has(column):
            fault = _off_scale(row, column, row.values[column])
            if fault:
                yield row.problem(column, fault.rule, fault.remedy)


def _off_scale(row: Draft, column: str, value: float) -> Fault | None:
    if row.values["statistic"] == "median":
        # Median and limits of estimate +- error reach below 0, though never as far as above it.
        cut = column == "ci_low" and row.has("ci_high") and -value < row.values["ci_high"]
        return None if value > 0 or cut else Fault("is not above 0 for a median", "Give months above 0.")
    if column in _LIMITS and -CUT_BEYOND <= value <= 1 + CUT_BEYOND:
        return None
    return probability_fault(value)


def survival_limits(row: Draft) -> Iterator[Problem]:
    """Yield a problem when one confidence limit stands alone without an explanation."""
    open_above = row.values.get("upper_not_reached") is True
    if open_above and row.has("ci_high"):
        remedy = "Leave it empty if this limit was not reached, else write false in upper_not_reached."
        yield row.problem("ci_high", "is given although upper_not_reached is true", remedy)
    if open_above and row.has("statistic") and row.values["statistic"] == "landmark":
        yield row.problem("upper_not_reached", "cannot be true for a landmark", "Write false.")
    if row.has("ci_low") and row.lacks("ci_high") and not open_above and "upper_not_reached" not in row.bad:
        yield row.problem(
            "ci_high",
            "is empty while ci_low is given",
            "Give it, write true in upper_not_reached if it was not reached, or leave both limits empty.",
        )
    if row.has("ci_high") and row.lacks("ci_low"):
        yield row.problem("ci_low", "is empty while ci_high is given", "Give both limits or neither.")


def reported_scale(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a published probability lies outside 0 to 1."""
    if row.has("units") and row.values["units"] == "probability":
        for column in ("estimate", *_LIMITS):
            fault = probability_fault(row.values[column]) if row.has(column) else None
            if fault:
                yield row.problem(column, fault.rule, fault.remedy)


def reported_limits(row: Draft) -> Iterator[Problem]:
    """Yield a problem when only one limit of a published interval is given; a median may be open above."""
    for given, lacking in (_LIMITS, _LIMITS[::-1]):
        open_median = lacking == "ci_high" and row.values.get("units") == "months"
        if row.has(given) and row.lacks(lacking) and not open_median:
            yield row.problem(lacking, f"is empty while {given} is given", "Give both limits or neither.")


def scenario_total(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a scenario has more events than patients in total."""
    if row.has("total_events", "total_n") and row.values["total_events"] > row.values["total_n"]:
        rule = f"exceeds total_n = {row.values['total_n']}"
        yield row.problem("total_events", rule, "Correct the count or the denominator.")


def scenario_denominator(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a study stands without its denominator or the other way round."""
    for given, lacking in (("study_id", "n"), ("n", "study_id")):
        if row.has(given) and row.lacks(lacking):
            yield row.problem(lacking, f"is empty while {given} is given", "Give both or neither.")


def fact_is_number(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a fact that measures something has words as its value."""
    if row.has("value", "quantity") and row.values["quantity"] != "text":
        result = number()(row.values["value"])
        if isinstance(result, Fault):
            yield row.problem("value", result.rule, result.remedy)


def reserved_subset(row: Draft) -> Iterator[Problem]:
    """Yield a problem when the subset that holds every study is given a condition."""
    if row.values.get("subset") == "all" and (row.has("column") or row.has("value")):
        column = "column" if row.has("column") else "value"
        yield row.problem(column, "gives all, which always holds every study, a condition", "Rename the subset.")


def reserved_scenario(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a scenario has the name under which a total is shown as printed."""
    if row.values.get("scenario") == "as_printed":
        yield row.problem("scenario", "is the name of the published total itself", "Rename the scenario.")


def subset_condition(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a subset names a value but no column, or compares with what is no number."""
    if row.lacks("column") and row.has("value"):
        yield row.problem("column", "is empty while value is given", "Name the column of studies.csv.")
    result = condition(row.values["value"]) if row.has("value") else None
    if isinstance(result, Fault):
        yield row.problem("value", result.rule, result.remedy)


def comparison_is_decided(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a published number has neither an estimand nor a reason for having none."""
    if row.lacks("reason"):
        if row.lacks("estimand"):
            yield row.problem("estimand", "is empty, and so is reason", "Name one, or say why there is none.")
        elif row.lacks("endpoint") and row.lacks("column"):
            yield row.problem(
                "endpoint",
                "is empty, and so are column and reason",
                "Name the endpoint, or the column of studies.csv.",
            )


def bounds_are_ordered(row: Draft) -> Iterator[Problem]:
    """Yield a problem when a covariate's bounds leave no room."""
    if row.has("lowest", "highest") and row.values["lowest"] >= row.values["highest"]:
        rule = f"is not below highest = {row.values['highest']:g}"
        yield row.problem("lowest", rule, "Correct the bounds, or leave them empty.")


ROW_RULES: dict[str, tuple[Rule, ...]] = {
    "studies.csv": (treated_within_enrolled,),
    "responses.csv": (events_within_n,),
    "survival.csv": (
        events_within_n,
        survival_states_something,
        survival_time,
        survival_scale,
        survival_limits,
        interval_holds_estimate,
        possible_months,
        possible_landmark,
        possible_exposure,
    ),
    "reported.csv": (reported_scale, reported_limits, interval_holds_estimate, possible_months, possible_number),
    "totals.csv": (events_within_n,),
    "scenarios.csv": (reserved_scenario, scenario_total, scenario_denominator),
    "extraction.csv": (fact_is_number,),
    "subsets.csv": (reserved_subset, subset_condition),
    "comparisons.csv": (comparison_is_decided,),
    "covariates.csv": (bounds_are_ordered,),
}
