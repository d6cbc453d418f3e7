"""Where a difference from a published estimate comes from, step by step.

    published  -> the paper's kind of method on this evidence   : data (missing studies, other counts)
               -> the likelihood of the model, at its maximum    : method
               -> the posterior                                  : prior, and averaging over the heterogeneity

Each step keeps the estimand; methods for another estimand are shown beside, never subtracted. For a rate whose
published total is known, the posterior that also uses the total shows how far the studies without a number would
move the answer.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from analysis.cases.settings import ALL
from analysis.results.columns import columns
from analysis.results.comparison import COMPARED, Comparison
from analysis.results.numbers import out_of
from analysis.results.results import Results
from analysis.results.table import Column, Layout, Row

PUBLISHED, DATA, METHOD, PRIOR, TOTAL = "published", "data", "method", "prior", "missing studies"
_LIKELIHOOD = {"mean_rate": "beta_binomial_ml", "survival": "log_hazard_reml_wald",
               "median_months": "log_hazard_reml_wald"}
DECOMPOSITION = Layout("decomposition.csv", "One step from a published estimate to the posterior.", columns(
    Column("reported_id", "key of the published number in reported.csv", "text"), "endpoint subset estimand unit",
    Column("step", "what the change is due to: published, data, method, prior, missing studies", "text"), "label",
    Column("estimate", "estimate at this step"), "lower upper level interval k_studies n_patients",
    Column("change", "estimate minus that of the step before"), Column("width", "width of the interval"),
    "note stamp"))


def decomposition_rows(results: Results) -> list[dict[str, Any]]:
    """The steps of every published estimate with an interval that has a posterior.

    Steps on further evidence, the published totals, stand last; each of them starts from the posterior.
    """
    methods, totals = results.rows("frequentist.csv"), results.rows("published_totals.csv")
    return [row for comparison in results.comparisons
            if comparison.status == COMPARED and comparison.pooled and comparison.reported.primary
            and comparison.transform == "identity" and comparison.reported.ci_low is not None
            for row in _rows(comparison, methods, totals)]


def _rows(comparison: Comparison, methods: Sequence[Row], totals: Sequence[Row]) -> Iterator[dict[str, Any]]:
    reported, subset = comparison.reported, comparison.reported.subset or ALL
    before = None
    for step in (*_steps(comparison, [row for row in methods if row["endpoint"] == comparison.endpoint
                                      and row["subset"] == subset]),
                 *(_with_total(comparison, row) for row in totals if _answers(comparison, row))):
        yield {"reported_id": reported.reported_id, "endpoint": comparison.endpoint, "subset": subset,
               "estimand": comparison.estimand, "unit": reported.units, **step,
               "change": None if before is None else step["estimate"] - before,
               "width": None if step["lower"] is None else step["upper"] - step["lower"]}
        if step["step"] != TOTAL:
            before = step["estimate"]


def _steps(comparison: Comparison, methods: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """From the published estimate to the posterior, without what cannot be computed in between."""
    reported, pooled, estimand = comparison.reported, comparison.pooled, comparison.estimand
    yield {"step": PUBLISHED, "label": "Published", "estimate": reported.estimate, "lower": reported.ci_low,
           "upper": reported.ci_high, "level": reported.level, "interval": "confidence",
           "k_studies": reported.k_studies, "n_patients": reported.n_patients}
    paper = next((row["method"] for row in methods if row["of_the_paper"]), None)
    for step, method in ((DATA, paper), (METHOD, _LIKELIHOOD.get(estimand))):
        rows = (row for row in methods if row["method"] == method and row["estimand"] == _read_from(estimand)
                and _is_known(row["estimate"]))
        yield from (_of_method(step, row, estimand) for row in islice(rows, 1))
    yield {"step": PRIOR, "label": f"Posterior, {pooled.model.replace('_', '-')}", "estimate": pooled.estimate.median,
           "lower": pooled.estimate.lower, "upper": pooled.estimate.upper, "level": pooled.estimate.level,
           "interval": "credible", "k_studies": pooled.k_studies, "n_patients": pooled.n_patients}


def _of_method(step: str, row: Row, estimand: str) -> dict[str, Any]:
    limits = sorted(_as(estimand, row[name]) for name in ("lower", "upper") if _is_known(row[name]))
    lower, upper = limits if len(limits) == 2 else (None, None)
    return {"step": step, "estimate": _as(estimand, row["estimate"]), "lower": lower, "upper": upper,
            "interval": "confidence", **{name: row[name] for name in ("label", "level", "k_studies", "n_patients",
                                                                      "note")}}


def _read_from(estimand: str) -> str:
    return "log_hazard" if estimand == "median_months" else estimand


def _as(estimand: str, value: float) -> float:
    """A log hazard as a median in months; everything else as it is."""
    return math.log(2.0) * math.exp(-value) if estimand == "median_months" else value


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _answers(comparison: Comparison, total: Row) -> bool:
    """Whether a posterior that uses a total, with every study accounted for, is about the published number."""
    return (total["endpoint"] == comparison.endpoint and (comparison.reported.subset or ALL) == ALL
            and comparison.estimand == "mean_rate" and total["median"] is not None
            and not total["absent"] and not total["base_gap"])


def _with_total(comparison: Comparison, total: Row) -> dict[str, Any]:
    return {"step": TOTAL, "label": f"Posterior with the total {out_of(total['total_events'], total['total_n'])}",
            "estimate": total["median"], "lower": total["lower"], "upper": total["upper"],
            "level": comparison.pooled.estimate.level, "interval": "credible", "k_studies": total["total_k"],
            "n_patients": total["total_n"], "note": total["note"]}
