"""Where a difference from a published estimate comes from, step by step.

    published  -> the paper's kind of method on this evidence   : data (missing studies, other counts)
               -> the likelihood of the model, at its maximum    : method
               -> the posterior                                  : prior, and averaging over the heterogeneity

Each step keeps the estimand; methods for another estimand are shown beside, never subtracted. For a rate whose
published total is known, the posterior that also uses the total shows how far the studies without a number would
move the answer.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.results.columns import columns
from analysis.results.comparison import COMPARED, Comparison
from analysis.results.table import Column, Layout

PUBLISHED, DATA, METHOD, PRIOR, TOTAL = "published", "data", "method", "prior", "missing studies"
_LIKELIHOOD = {"mean_rate": "beta_binomial_ml", "survival": "log_hazard_reml_wald",
               "median_months": "log_hazard_reml_wald"}
DECOMPOSITION = Layout("decomposition.csv", "One step from a published estimate to the posterior.", columns(
    Column("reported_id", "key of the published number in reported.csv", "text"), "endpoint subset estimand unit",
    Column("step", "what the change is due to: published, data, method, prior, missing studies", "text"), "label",
    Column("estimate", "estimate at this step"), "lower upper level interval k_studies n_patients",
    Column("change", "estimate minus that of the step before"), Column("width", "width of the interval"),
    "note stamp"))
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One step of a decomposition: an estimate with its interval, and the change that it brings.

    Parameters
    ----------
    name : str
        What the change is due to, or "published".
    change : float or None
        Of the estimate, against the step before.
    """

    name: str
    label: str
    estimate: float
    lower: float | None
    upper: float | None
    level: float | None
    interval: str
    k_studies: int | None
    n_patients: int | None
    change: float | None
    note: str = ""


@dataclass(frozen=True)
class Decomposition:
    """One published estimate taken apart.

    Parameters
    ----------
    comparison : Comparison
    steps : tuple of Step
        From published to posterior; after it, where a total is published, the posterior that uses it.
    """

    comparison: Comparison
    steps: tuple[Step, ...]


def decompose(comparisons: Sequence[Comparison], frequentist: Sequence[Row],
              totals: Sequence[Row] = ()) -> tuple[Decomposition, ...]:
    """Every published estimate with an interval that has a posterior.

    Parameters
    ----------
    frequentist : sequence of rows
        As in frequentist.csv.
    totals : sequence of rows
        Posteriors that use a published total: endpoint, label, median, lower, upper, k_studies, n_patients, note.
    """
    return tuple(Decomposition(found, tuple(_steps(found, frequentist, totals))) for found in comparisons
                 if found.status == COMPARED and found.pooled and found.reported.primary
                 and found.transform == "identity" and found.reported.ci_low is not None)


def _steps(found: Comparison, frequentist: Sequence[Row], totals: Sequence[Row]) -> Iterator[Step]:
    reported, pooled = found.reported, found.pooled
    last = Step(PUBLISHED, "Published", reported.estimate, reported.ci_low, reported.ci_high, reported.level,
                "confidence", reported.k_studies, reported.n_patients, None)
    yield last
    own = [row for row in frequentist if row["endpoint"] == found.endpoint
           and row["subset"] == (reported.subset or "all")]
    paper = next((row["method"] for row in own if row["of_the_paper"]), None)
    for name, method in ((DATA, paper), (METHOD, _LIKELIHOOD.get(found.estimand))):
        step = _of_method(name, own, method, found.estimand, last)
        if step:
            last = step
            yield step
    ours = pooled.estimate
    yield Step(PRIOR, f"Posterior, {pooled.model.replace('_', '-')}", ours.median, ours.lower, ours.upper, ours.level,
               "credible", pooled.k_studies, pooled.n_patients, ours.median - last.estimate)
    if (reported.subset or "all") == "all" and found.estimand == "mean_rate":
        for row in (row for row in totals if row["endpoint"] == found.endpoint):
            yield Step(TOTAL, row["label"], row["median"], row["lower"], row["upper"], ours.level, "credible",
                       row["k_studies"], row["n_patients"], row["median"] - ours.median, row["note"])


def _of_method(name: str, rows: Sequence[Row], method: str | None, estimand: str, before: Step) -> Step | None:
    row = next((row for row in rows if row["method"] == method and row["estimand"] == _read_from(estimand)), None)
    if row is None or not _is_finite(row["estimate"]):
        return None
    estimate = _converted(row["estimate"], estimand)
    limits = [_converted(row[key], estimand) for key in ("lower", "upper") if _is_finite(row[key])]
    low, high = sorted(limits) if len(limits) == 2 and all(map(math.isfinite, limits)) else (None, None)
    return Step(name, row["label"], estimate, low, high, row["level"], "confidence", row["k_studies"],
                row["n_patients"], estimate - before.estimate, row["note"])


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _read_from(estimand: str) -> str:
    return "log_hazard" if estimand == "median_months" else estimand


def _converted(value: float, estimand: str) -> float:
    """A log hazard as a median in months; everything else as it is."""
    return math.log(2.0) * math.exp(-value) if estimand == "median_months" else value


def rows_of(found: Sequence[Decomposition]) -> list[dict[str, Any]]:
    """Rows of decomposition.csv."""
    rows = []
    for one in found:
        reported = one.comparison.reported
        for step in one.steps:
            width = None if step.lower is None else step.upper - step.lower
            rows.append({"reported_id": reported.reported_id, "endpoint": one.comparison.endpoint,
                         "subset": reported.subset or "all", "estimand": one.comparison.estimand,
                         "unit": reported.units, "step": step.name, "width": width,
                         **{name: getattr(step, name) for name in
                            ("label", "estimate", "lower", "upper", "level", "interval", "k_studies", "n_patients",
                             "change", "note")}})
    return rows


def with_total(rows: Sequence[Row]) -> list[Row]:
    """Posteriors that use a published total in which every study is accounted for, as steps of a decomposition."""
    return [{"endpoint": row["endpoint"], "median": row["median"], "lower": row["lower"], "upper": row["upper"],
             "label": f"Posterior with the total {row['total_events']}/{row['total_n']}",
             "k_studies": row["total_k"], "n_patients": row["total_n"], "note": row["note"]}
            for row in rows if row["median"] is not None and not row["absent"] and not row["base_gap"]]
