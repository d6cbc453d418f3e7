"""How well each model predicts the later reports: sums over reports, and their uncertainty from study to study."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analysis.chapters.validation.rows import SCORES, VALIDATION
from analysis.results.results import Results
from analysis.results.table import Row

_FEWEST = 3
"""Studies without which a standard error means nothing."""


def score_rows(results: Results) -> Mapping[str, list[dict[str, Any]]]:
    """The scores of each endpoint, and of all endpoints of survival together, each against the headline model."""
    counted = [row for row in results.computed(VALIDATION.file) if row["counted"]]
    as_many = {(row["endpoint"], row["model"]): row["as_many"] for row in results.rows(SCORES.file)}
    headlines: dict[str, str] = {}
    for endpoint, model in as_many:
        headlines.setdefault(endpoint, model)
    groups = {endpoint: [endpoint] for endpoint in headlines}
    groups[""] = [endpoint for endpoint in groups if results.evidence.endpoint(endpoint).kind == "survival"]
    scores = []
    for name, endpoints in groups.items():
        by_model: dict[str, list[Row]] = {}
        for row in counted:
            if row["endpoint"] in endpoints:
                by_model.setdefault(row["model"], []).append(row)
        headline = by_model.get(headlines[endpoints[0]], []) if endpoints else []
        scores += [{"endpoint": name, "model": model, "as_many": as_many.get((name, model)), **_score(rows, headline)}
                   for model, rows in by_model.items()]
    return {SCORES.file: scores}


def _score(rows: Sequence[Row], headline: Sequence[Row]) -> dict[str, Any]:
    """Sums over the reports of one model; differences only where the headline model predicts the same ones."""
    score = {"k_studies": len({row["study_id"] for row in rows}), "predictions": len(rows),
             **{name: sum(row[name] for row in rows) for name in ("named", "chance_named")},
             "elpd": sum(row["log_predictive"] for row in rows)}
    if rows is headline or _keys(rows) != _keys(headline):
        return score
    by_study: dict[str, float] = {}
    for row, other in zip(rows, headline, strict=True):
        by_study[row["study_id"]] = by_study.get(row["study_id"], 0.0) + row["log_predictive"] - other["log_predictive"]
    apart = np.array(list(by_study.values()))
    error = math.sqrt(len(apart)) * float(apart.std(ddof=1)) if len(apart) >= _FEWEST else None
    return {**score, "elpd_difference": float(apart.sum()), "difference_se": error}


def _keys(rows: Iterable[Row]) -> list[tuple[str, int]]:
    return [(row["endpoint"], row["row"]) for row in rows]
