"""The analysed data in the layouts of other programs."""

from collections.abc import Iterator
from typing import Any

from analysis.cases.case import Case
from analysis.results.table import Column, Layout, columns

METAFOR = Layout("metafor.csv", "One study of one endpoint, for R's metafor (escalc, rma).", columns(
    "endpoint", Column("study", "key of the study in studies.csv", "text"),
    Column("slab", "name of the study as readers see it", "text"),
    Column("measure", "measure of escalc: PLO for a rate, IRLN for events over person-months; GEN where yi is given",
           "text"),
    Column("xi", "patients with the event, or events", "number"),
    Column("ni", "patients; effective ones, whole, at a landmark that everybody or nobody reaches", "count"),
    Column("ti", "person-months"), Column("yi", "log hazard, events per person-month"),
    Column("vi", "its variance; where errors differ below and above, that of their mean")))
RBEST = Layout("rbest.csv", "One study of one rate, for R's RBesT (gMAP).", columns(
    "endpoint", Column("study", "key of the study in studies.csv", "text"),
    Column("r", "patients with the event", "count"), Column("n", "patients", "count")))
LAYOUTS = METAFOR, RBEST


def metafor_rows(case: Case, labels: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of metafor.csv."""
    for row in case.selection.rows if case.model.kind == "rate" else ():
        yield {"endpoint": case.question.endpoint, "study": row.study_id, "slab": labels[row.study_id],
               "measure": "PLO", "xi": row.events, "ni": row.n}
    for study in case.conversions:
        cells = {"endpoint": case.question.endpoint, "study": study.study_id, "slab": labels[study.study_id],
                 "ni": study.patients}
        if study.landmark_months > 0.0:
            # A landmark that everybody or nobody reaches is a count of effective patients, of whom all or none count.
            patients = max(round(study.events + study.person_months / study.landmark_months), 1)
            yield {**cells, "measure": "PLO", "xi": patients if study.events else 0, "ni": patients}
        elif study.person_months > 0.0:
            yield {**cells, "measure": "IRLN", "xi": study.events, "ti": study.person_months}
        else:
            variance = ((study.se_lower + study.se_upper) / 2.0) ** 2
            yield {**cells, "measure": "GEN", "yi": study.log_hazard, "vi": variance}


def rbest_rows(case: Case) -> Iterator[dict[str, Any]]:
    """Rows of rbest.csv; none for survival."""
    for row in case.selection.rows if case.model.kind == "rate" else ():
        yield {"endpoint": case.question.endpoint, "study": row.study_id, "r": row.events, "n": row.n}
