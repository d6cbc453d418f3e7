"""The answer as a table: the main number of each endpoint, and survival under both assumptions about the hazard.

A constant hazard is what the published kind of analysis assumes. Simulated patients of studies like the review's
(`analysis/results/simulated.py`) say which of the two is right whether or not the hazard falls; that one is preferred.
"""

from collections.abc import Iterator
from typing import Any

from analysis.cases.curves import CENSORING
from analysis.cases.settings import ALL
from analysis.evidence.types import Endpoint
from analysis.inference.estimands import MAIN
from analysis.results.results import Results
from analysis.results.simulated import record
from analysis.results.table import Column, Layout, Row, columns

CONSTANT, ERRORS, FALLING = "log_hazard", "exponential", "weibull"
_ORDER = ("survival", "median_months", "rmst")
LATER = 24.0
"""Months at which the two differ most, and up to which means are restricted."""
ANSWER = Layout("answer.csv", "One number of the answer; of survival under both assumptions about the hazard.", columns(
    "endpoint k_studies n_patients model", Column("hazard", "constant, or falling where it may fall", "text", "Hazard"),
    Column("preferred", "whether simulated patients prefer this assumption about the hazard", "flag preferred"),
    "estimand time_months unit", Column("median", "posterior median", "estimate unit", "Estimate"),
    "lower upper level interval",
    Column("error_rule", "change from a constant hazard by printed errors to one by points of curves", "change unit"),
    Column("shape", "change from there to a hazard that may fall", "change unit"), "stamp"))


def answer_rows(results: Results) -> dict[str, list[dict[str, Any]]]:
    """Rows of the table: the headline of each endpoint, then what the models of curves say of it."""
    return {ANSWER.file: [row for endpoint in results.fitted for row in _rows(results, endpoint)]}


def _rows(results: Results, endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    headline = results.headline(endpoint.endpoint).estimate(MAIN[endpoint.kind])
    curves = {(row["model"], row["estimand"], row["time_months"]): row for row in results.rows("survival_curves.csv")
              if (row["endpoint"], row["subset"]) == (endpoint.endpoint, ALL)}
    quantities = [(estimand, months) for model, estimand, months in curves if model == FALLING
                  and estimand in _ORDER and (estimand != "rmst" or months == LATER)]
    if headline and (headline["estimand"], headline["time_months"]) not in quantities:
        yield ANSWER.pick(headline) | {"hazard": "constant" if endpoint.kind == "survival" else None}
    for quantity in sorted(quantities, key=lambda quantity: (_ORDER.index(quantity[0]), quantity[1] or 0.0)):
        before, between, after = (curves.get((model, *quantity)) for model in (CONSTANT, ERRORS, FALLING))
        if before:
            yield ANSWER.pick(before) | {"hazard": "constant", "preferred": False}
        steps = {"error_rule": between["median"] - before["median"],
                 "shape": after["median"] - between["median"]} if before and between else {}
        yield ANSWER.pick(after) | {"hazard": "falling", "preferred": True, **steps}


def beside(results: Results, estimate: Row | None, hazard: str = "constant") -> Row | None:
    """The row of the same estimand with a constant or a falling hazard; None without one."""
    same = ("endpoint", "estimand", "time_months")
    return next((row for row in results.rows(ANSWER.file) if estimate and row["hazard"] == hazard
                 and all(row[name] == estimate[name] for name in same)), None)


def scores(method: str, *, falling: bool | None = None) -> list[Row]:
    """What is said of survival at the later time by a model in each simulated world, with the default error rule."""
    return [row for row in record()["rows"]
            if (row["method"], row["quantity"]) == (method, f"survival at {LATER:g} months")
            and row["factor"] in (None, CENSORING) and falling in (None, row["law"].startswith("falling"))]
