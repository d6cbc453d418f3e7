"""Tables that several chapters show: published numbers beside ours, and fits with their leading estimates."""

from collections.abc import Sequence
from typing import Any

from analysis.cases.settings import ALL
from analysis.drawing.html import Html, join, show, tag
from analysis.inference.estimands import MAIN, NEW
from analysis.results.comparison import COMPARISON, agrees
from analysis.results.numbers import level_text
from analysis.results.records import Record
from analysis.results.results import CONFLICT, Results
from analysis.results.table import Column, Layout, Row, columns

FITS = Layout("", "One fit with its leading estimates.", columns(
    "endpoint subset estimand", Column("fit", "how it departs from the headline", "text", "Fit"),
    "k_studies n_patients", Column("main_median", "main estimand", "estimate", "Pooled{unit} [{level} credible]"),
    Column("new_median", "prediction for a new study", "estimate", "New study{unit} [{level} prediction]"),
    Column("spread_median", "how much studies differ", "parameter", "Heterogeneity [{level} credible]")))


def comparison_table(results: Results, rows: Sequence[Row], *, caption: str) -> Html:
    """Published numbers with a posterior, grouped by endpoint; one outside our interval is marked."""
    levels = sorted({level_text(row["published_level"]) for row in rows if row["published_level"] is not None})
    order = list(dict.fromkeys((row["endpoint"], row["units"]) for row in rows))

    def subject(row: Row) -> Html:
        subset = row["subset"] or ALL
        record, time = results.headline(row["our_endpoint"], subset), ", median" if row["units"] == "months" else ""
        time = f" at {row['time_months']:g} months" if row["time_months"] else time
        return join([results.labels.endpoints[row["endpoint"]] + time, tag("small", "; ".join(
            [results.labels.subsets[subset], *([CONFLICT] if record and record.conflicts else [])]))])

    return show(results.writer(COMPARISON), sorted(rows, key=lambda row: order.index((row["endpoint"], row["units"]))),
                "endpoint published published_k median k_studies difference width_ratio "
                "probability_of_published_interval reported_id", caption=caption,
                heads={"endpoint": "Endpoint and subset",
                       "published": f"Published [{' or '.join(levels)} confidence]" if levels else "Published"},
                cells={"endpoint": subject}, marked=lambda row: None if agrees(row) else "outside")


def fit_row(results: Results, record: Record, heterogeneity: str) -> dict[str, Any]:
    """A row of `FITS`, with the fit under "record"; words where it has no such estimate.

    Parameters
    ----------
    heterogeneity : str
        The estimand that tells how much studies differ.
    """
    question = record.job.question
    kind = results.evidence.endpoint(question.endpoint).kind
    row = {"record": record, "endpoint": question.endpoint, "subset": question.subset,
           "fit": results.variation(record), "k_studies": record.k_studies, "n_patients": record.n_patients}
    for part, estimand in (("main", MAIN[kind]), ("new", NEW[kind]), ("spread", heterogeneity)):
        estimate = record.estimate(estimand) or {"median": "not given" if record.estimates else record.status}
        row |= {f"{part}_{end}": estimate.get(end) for end in ("median", "lower", "upper")}
    return row
