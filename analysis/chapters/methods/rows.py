"""The frequentist intervals of one question as rows of frequentist.csv: what each method says about our evidence."""

from dataclasses import replace
from typing import Any

from analysis.cases.case import typed_studies
from analysis.cases.selection import select
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.frequentist.methods import BY_KEY, methods_for
from analysis.results.columns import columns
from analysis.results.table import Column, Layout

FREQUENTIST = Layout("frequentist.csv", "One frequentist method on the rows of one question.", columns(
    "endpoint subset tiers study_set k_studies n_patients", Column("method", "key of the method", "text"), "label",
    Column("of_the_paper", "whether it is the published analysis's kind of method", "flag"),
    "estimand time_months scale", Column("estimate", "point estimate"), "lower upper level interval",
    Column("heterogeneity_name", "name of the heterogeneity parameter", "text"),
    Column("heterogeneity", "its estimate"), "note stamp"))


def frequentist_rows(evidence: Evidence, base: Job, endpoint: str, subset: str) -> dict[str, list[dict[str, Any]]]:
    """Every method on the rows that answer a question; nothing where there is none."""
    question = replace(base.question, endpoint=endpoint, subset=subset)
    selection = select(evidence, question)
    studies = typed_studies(selection)[0]
    if not len(studies) or not studies.patients:
        return {}
    shared = {"endpoint": question.endpoint, "subset": question.subset, "tiers": question.tiers,
              "study_set": question.study_set, "k_studies": len(studies), "n_patients": studies.patients}
    names = ("method", "label", "estimand", "time_months", "scale", "estimate", "lower", "upper", "level", "interval",
             "heterogeneity_name", "heterogeneity", "note")
    return {FREQUENTIST.file: [{**shared, "of_the_paper": BY_KEY[found.method].of_the_paper,
                  **{name: getattr(found, name) for name in names}}
                 for found in methods_for(studies, level=base.level, seed=base.seed, horizon=selection.horizon)]}
