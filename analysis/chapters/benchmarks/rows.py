"""Rows of benchmarks.csv and exceedance.csv: how probable it is that pooled and new-study values exceed a number."""

from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Benchmark
from analysis.inference.posterior import MEDIAN, NO_POSTERIOR, distributions, exceeding
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from models import all_models

FALLING = "weibull"
_POINTS = 121
_LONGEST = 48.0
BENCHMARKS = Layout("benchmarks.csv", "One benchmark beside the probability of exceeding it.", columns(
    "endpoint model", Column("benchmark", "what the value is of", "text", "Benchmark"),
    Column("estimand", "rate, survival or median_months", "text", "Quantity"), "time_months",
    Column("low", "the value, or the lower end of its range", "estimate unit", "Value"),
    Column("high", "the upper end of the range; empty for one value"), "unit",
    Column("pooled", "posterior probability that the pooled value exceeds it, and the upper end of a range", "chance",
           "P(pooled above)"),
    Column("new_study", "the same of a new study; empty for a median", "chance", "P(new study above)"),
    Column("source_id", "key of the source in sources.csv", "text"),
    Column("locator", "place of the value in its source, or that it is not known", "text", "Place in the source"),
    "status reason note stamp"))
EXCEEDANCE = Layout("exceedance.csv", "One value of one endpoint and how probable a larger one is.", columns(
    "endpoint model", Column("estimand", "rate, survival or median_months", "text"), "time_months",
    Column("value", "the value"), Column("pooled", "posterior probability that the pooled value is larger"),
    Column("new_study", "the same of a new study; empty for a median"), "stamp"))


def benchmark_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of both tables for one endpoint; none where it has no benchmark.

    Survival is compared under the model whose hazard may fall: a constant one reads later times from early ones.
    Events over person-time, which say nothing of a curve, are compared under their headline.
    """
    benchmarks = [row for row in evidence.benchmarks if row.endpoint == endpoint]
    if not benchmarks:
        return {}
    case = headline_case(evidence, base, endpoint)
    if case.model.kind == "survival" and not evidence.counts_person_time(endpoint):
        case = case.but(model=all_models()[FALLING])
    rows, curves = [], {}
    for benchmark in benchmarks:
        months = benchmark.time_months or (case.horizon if benchmark.estimand == "survival" else None)
        shared = {"endpoint": endpoint, "model": case.model.name, "estimand": benchmark.estimand,
                  "time_months": months}
        cells = {**shared, "benchmark": benchmark.label, "low": benchmark.low, "high": benchmark.high,
                 "unit": "months" if benchmark.estimand == MEDIAN else "proportion",
                 "source_id": benchmark.source_id, "locator": benchmark.locator, "note": benchmark.note}
        reason = _reason_against(case, benchmark)
        try:
            pooled, new = (None, None) if reason else distributions(case, benchmark.estimand, months)
        except NO_POSTERIOR as error:
            reason = str(error)
        if reason:
            rows.append({**cells, "status": NOT_COMPUTED, "reason": reason})
            continue
        above = benchmark.low if benchmark.high is None else benchmark.high
        rows.append({**cells, "status": COMPUTED, **exceeding(pooled, new, above)})
        values = np.linspace(0.0, _LONGEST if benchmark.estimand == MEDIAN else 1.0, _POINTS)
        curves[benchmark.estimand, months] = [
            {**shared, "value": float(value), **exceeding(pooled, new, float(value))} for value in values]
    return {BENCHMARKS.file: rows, EXCEEDANCE.file: [row for table in curves.values() for row in table]}


def _reason_against(case: Case, benchmark: Benchmark) -> str:
    """Why nothing can be said of a benchmark, whatever the posterior is; empty where something may."""
    if not len(case.studies):
        return "no study of the evidence reports it"
    kind = case.model.kind
    quantities = ("rate",) if kind == "rate" else ("survival", MEDIAN)
    return "" if benchmark.estimand in quantities else \
        f"{benchmark.estimand.replace('_', ' ')} is no quantity of a {kind} endpoint"
