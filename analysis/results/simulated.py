"""What each way of reading printed survival returns of simulated patients: a pinned record, shown and judged.

`python -m analysis.simulation.end_to_end --record --output DIR` writes it; a test simulates its first sets again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from analysis.cases.curves import CENSORING
from analysis.evidence.directory import Evidence
from analysis.results.table import Column, Layout, Row, columns

RECORD = Path(__file__).with_name("simulated.json")
SURVIVAL, SHAPE = "survival at 12 months", "shape"
PAPER = "the paper's method"
DEFAULT, CONVERTED = ("weibull", CENSORING), ("log_hazard", None)
SHOWN = ((PAPER, None), CONVERTED, ("exponential", CENSORING), DEFAULT)
"""Ways of reading that the page shows, by method and factor."""
END_TO_END = Layout("survival_end_to_end.csv", "One number by one method in one simulated world.", columns(
    "endpoint", Column("law", "what the simulated patients live under", "text", "Patients"),
    Column("method", "how what is printed is read and pooled", "text", "Method"),
    Column("factor", "by which standard errors exceed those without censoring", "number", "Factor"),
    Column("quantity", "survival at a time, or the shape", "text", "Quantity"),
    Column("truth", "its true value", "percent", "Truth"),
    Column("estimate", "mean of the estimates (posterior medians)"),
    Column("bias", "estimate minus truth"), Column("coverage", "share of 95 % intervals that hold the truth"),
    Column("width", "mean width of the intervals"), Column("sets", "simulated sets of studies", "count", "Sets")))


@cache
def record() -> dict[str, Any]:
    """Date, seed, versions and studies of the simulation; rows of END_TO_END, and those of its first sets alone."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def simulated_rows(evidence: Evidence) -> dict[str, list[dict[str, Any]]]:
    """The rows of the record, where its studies are among those of the evidence: of other designs it says nothing."""
    pinned = record()
    return {END_TO_END.file: pinned["rows"]} if {*pinned["studies"]} <= {
        study.study_id for study in evidence.studies} else {}


def by_world(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """A line for each world, its rows about survival at 12 months by method and factor under `of`."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["quantity"] == SURVIVAL:
            line = lines.setdefault((row["endpoint"], row["law"]), {**row, "of": {}})
            line["of"][row["method"], row["factor"]] = row
    return list(lines.values())


def judged(rows: Sequence[Row]) -> dict[str, Any]:
    """What the default rests on: worst biases of survival, the range of its coverage, and the shape by factor."""
    def of(way: tuple[str, float | None], quantity: str) -> dict[tuple[str, str], Row]:
        return {(row["endpoint"], row["law"]): row for row in rows
                if (row["method"], row["factor"], row["quantity"]) == (*way, quantity)}

    survival, shapes = of(DEFAULT, SURVIVAL), of(DEFAULT, SHAPE)
    factors = sorted({row["factor"] for row in rows if row["method"] == DEFAULT[0]} - {CENSORING})
    others = {factor: of((DEFAULT[0], factor), SHAPE) for factor in factors}
    coverage, sets = ([row[name] for row in survival.values()] for name in ("coverage", "sets"))
    return {"factor": CENSORING, "bias": _worst(survival), "bias_converted": _worst(of(CONVERTED, SURVIVAL)),
            "shape": _worst(shapes), "coverage": (min(coverage), max(coverage)), "sets": (min(sets), max(sets)),
            "others": [{"factor": factor, "bias": _worst(other), "own": _worst({at: shapes[at] for at in other}),
                        "sets": min(row["sets"] for row in other.values())} for factor, other in others.items()]}


def _worst(rows: Mapping[Any, Row]) -> float:
    """The bias that is farthest from zero."""
    return max((row["bias"] for row in rows.values()), key=abs)
