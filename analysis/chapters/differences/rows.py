"""Where a difference from a published estimate comes from, step by step.

    published  -> the paper's kind of method on this evidence   : data (missing studies, other counts)
               -> the likelihood of the model, at its maximum    : method
               -> the posterior                                  : prior, and averaging over the heterogeneity
               -> points of curves in place of printed errors    : error rule (survival)
               -> a hazard that may fall                         : shape (survival)

Each step keeps the estimand; methods for another estimand are shown beside, never subtracted. For a rate whose
published total is known, the posterior that also uses the total shows how far the studies without a number would
move the answer.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.cases.settings import ALL
from analysis.results.numbers import out_of
from analysis.results.results import Results
from analysis.results.table import Column, Layout, Row, columns

PUBLISHED, DATA, METHOD, PRIOR, TOTAL = "published", "data", "method", "prior", "missing studies"
ERRORS, SHAPE = "error rule", "shape"
_CURVES = ((ERRORS, "exponential", "Posterior, points of curves"), (SHAPE, "weibull", "Posterior, falling hazard"))
_LIKELIHOOD = {"mean_rate": "beta_binomial_ml", "survival": "log_hazard_reml_wald",
               "median_months": "log_hazard_reml_wald"}
DECOMPOSITION = Layout("decomposition.csv", "One step from a published estimate to the posterior.", columns(
    Column("reported_id", "key of the published number in reported.csv", "text", "Id"), "endpoint subset estimand unit",
    Column("step", "what the change is due to: published, data, method, prior, error rule, shape, missing studies",
           "text", "Due to"),
    Column("label", "the step as readers see it", "text", "Step"),
    Column("estimate", "estimate at this step", "estimate unit", "Estimate [interval]"),
    "lower upper level interval k_studies n_patients",
    Column("change", "estimate minus that of the step before, with missing studies minus the posterior without them",
           "change unit", "Change"),
    Column("width", "width of the interval"), "note stamp"))


def decomposition_rows(results: Results) -> list[dict[str, Any]]:
    """The steps of every published estimate with an interval that has a posterior.

    Steps on further evidence, the published totals, stand last; each of them starts from the posterior.
    """
    methods, totals = results.rows("frequentist.csv"), results.rows("published_totals.csv")
    curves = {tuple(row[name] for name in ("model", "endpoint", "subset", "estimand", "time_months")): row
              for row in results.rows("survival_curves.csv")}
    return [step for row in results.compared() if row["transform"] == "identity" and row["published_lower"] is not None
            for step in _rows(row, methods, curves, totals)]


def _rows(compared: Row, methods: Sequence[Row], curves: Mapping[tuple[Any, ...], Row],
          totals: Sequence[Row]) -> Iterator[dict[str, Any]]:
    endpoint, subset, before = compared["our_endpoint"], compared["subset"] or ALL, None
    alike = [row for row in methods if (row["endpoint"], row["subset"]) == (endpoint, subset)]
    for step in (*_steps(compared, alike), *_by_curves(compared, curves),
                 *(_with_total(compared, row) for row in totals if _answers(compared, row))):
        yield {"reported_id": compared["reported_id"], "endpoint": endpoint, "subset": subset,
               "estimand": compared["estimand"], "unit": compared["units"], **step,
               "change": None if before is None else step["estimate"] - before,
               "width": None if None in (step["lower"], step["upper"]) else step["upper"] - step["lower"]}
        if step["step"] != TOTAL:
            before = step["estimate"]


def _steps(compared: Row, methods: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """From the published estimate to the posterior, without what cannot be computed in between."""
    estimand = compared["estimand"]
    yield {"step": PUBLISHED, "label": "Published", "interval": "confidence", "estimate": compared["published"],
           **{name: compared[f"published_{name}"] for name in ("lower", "upper", "level")},
           "k_studies": compared["published_k"], "n_patients": compared["published_n"]}
    paper = next((row["method"] for row in methods if row["of_the_paper"]), None)
    for step, method in ((DATA, paper), (METHOD, _LIKELIHOOD.get(estimand))):
        row = next((row for row in methods if row["method"] == method and _is_known(row["estimate"])
                    and row["estimand"] == ("log_hazard" if estimand == "median_months" else estimand)), None)
        if row:
            yield _of_method(step, row, estimand)
    yield {"step": PRIOR, "label": f"Posterior, {compared['model'].replace('_', '-')}", "interval": "credible",
           "estimate": compared["median"],
           **{name: compared[name] for name in ("lower", "upper", "level", "k_studies", "n_patients")}}


def _by_curves(compared: Row, curves: Mapping[tuple[Any, ...], Row]) -> Iterator[dict[str, Any]]:
    """The same survival from points of curves, and with a hazard that may fall; nothing for other estimands."""
    estimate = (compared["our_endpoint"], compared["subset"] or ALL, compared["estimand"], compared["time_months"])
    for step, model, label in _CURVES:
        if row := curves.get((model, *estimate)):
            yield {"step": step, "label": label, "estimate": row["median"], **{name: row[name] for name in (
                "lower", "upper", "level", "interval", "k_studies", "n_patients")}}


def _of_method(step: str, row: Row, estimand: str) -> dict[str, Any]:
    limits = sorted(_as(estimand, row[name]) for name in ("lower", "upper") if _is_known(row[name]))
    lower, upper = limits if len(limits) == 2 else (None, None)
    return {"step": step, "estimate": _as(estimand, row["estimate"]), "lower": lower, "upper": upper,
            "interval": "confidence", **{name: row[name] for name in ("label", "level", "k_studies", "n_patients",
                                                                      "note")}}


def _as(estimand: str, value: float) -> float:
    """A log hazard as a median in months; everything else as it is."""
    return math.log(2.0) * math.exp(-value) if estimand == "median_months" else value


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _answers(compared: Row, total: Row) -> bool:
    """Whether a posterior that uses a total, with every study accounted for, is about the published number."""
    return (total["endpoint"] == compared["our_endpoint"] and (compared["subset"] or ALL) == ALL
            and compared["estimand"] == "mean_rate" and total["median"] is not None
            and not total["absent"] and not total["base_gap"])


def _with_total(compared: Row, total: Row) -> dict[str, Any]:
    return {"step": TOTAL, "label": f"Posterior with the total {out_of(total['total_events'], total['total_n'])}",
            "estimate": total["median"], "lower": total["lower"], "upper": total["upper"], "level": compared["level"],
            "interval": "credible", "k_studies": total["total_k"], "n_patients": total["total_n"],
            "note": total["note"]}
