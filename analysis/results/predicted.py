"""What a further study's report is against its prediction, as a table, as fields of a JSON object and in words."""

import math
from collections.abc import Iterator
from typing import Any

from analysis.inference.further import Further
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.numbers import chance, interval_text, joint, level_text, with_unit
from analysis.results.table import Column, Layout

PREDICTED = Layout("predicted.csv", "One count that a further study can report.", (
    Column("count", "patients with the event; of survival those without it, of fewer patients, for censoring", "count"),
    Column("proportion", "the same as a rate, or as survival"),
    Column("probability", "predictive probability of the count"),
    Column("at_most", "predictive probability of no more"),
    Column("reported", "whether the study reports it, or the count next to what it reports", "flag")))


def predicted_rows(answer: Further) -> Iterator[dict[str, Any]]:
    """Rows of predicted.ENDPOINT.csv."""
    n, probabilities = answer.report.patients, answer.law.probabilities
    for count, probability in enumerate(probabilities):
        yield {"count": count, "proportion": count / n, "probability": float(probability),
               "at_most": answer.law.at_most(count), "reported": count == round(n * answer.report.observed)}


def fields(answer: Further) -> dict[str, Any]:
    """The answer for JSON: numbers of the report, its prediction, and the estimates before and after."""
    report, expected, level = answer.report, answer.expectation, answer.case.level
    prediction = {"median": expected.median, "lower": expected.lower, "upper": expected.upper, "level": level,
                  "interval": "prediction", "at_most": answer.at_most, "at_least": answer.at_least,
                  "mid_p": expected.pit, "two_sided": expected.two_sided, "surprising": expected.named,
                  "chance_of_surprise": expected.chance_named, "log_predictive": expected.log_predictive}
    if answer.median_months:
        months = [value if math.isfinite(value) else None for value in answer.median_months]
        prediction["median_months"] = dict(zip(("lower", "median", "upper"), months, strict=True))
    return {"report": vars(report), "prediction": prediction, "distribution": list(predicted_rows(answer)),
            "before": list(map(vars, answer.before)), "after": list(map(vars, answer.after))}


def sentences(answer: Further) -> list[str]:
    """What was reported, what was predicted, and whether the one surprises the other."""
    report, expected = answer.report, answer.expectation
    limits = (expected.median, expected.lower, expected.upper)
    level = f"{level_text(answer.case.level)} prediction"
    if answer.median_months:
        low, middle, high = answer.median_months
        predicted = f"a median of {with_unit(interval_text(middle, low, high, 'months'), 'months')}"
    elif report.months is None:
        events = (f"{report.patients * value:.0f}" for value in limits)
        predicted = f"{{}} of {report.patients} [{{}}, {{}}]".format(*events)
    else:
        predicted = "{} % [{}, {}]".format(*joint(limits, "proportion"))
    tails = [] if report.months is not None else [
        f"P({round(report.patients * report.observed)} or fewer) = {chance(answer.at_most)}, "
        f"P({round(report.patients * report.observed)} or more) = {chance(answer.at_least)}."]
    verdict = "surprising" if expected.named else "not surprising"
    return [f"Reported: {report.report}. Predicted from the other studies: {predicted} ({level}).", *tails,
            f"This is {verdict}: the two-sided predictive probability is {chance(expected.two_sided)}; below "
            f"{NAMED_BELOW:g} would be surprising, which happens by chance with probability "
            f"{chance(expected.chance_named)}."]
