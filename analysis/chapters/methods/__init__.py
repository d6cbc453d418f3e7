"""What frequentist methods say about the same evidence."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from analysis.cases.case import headline_case
from analysis.cases.settings import ALL, Job
from analysis.chapters.chapter import Asked, Chapter, Task
from analysis.evidence.directory import Evidence
from analysis.frequentist.methods import BY_KEY, methods_for
from analysis.results.comparison import compared_questions
from analysis.results.table import Column, Layout, columns
from analysis.results.tables import case_cells

FREQUENTIST = Layout("frequentist.csv", "One frequentist method on the rows of one question. Limits of the exact "
                     "beta-binomial are simulated: another seed moves them by up to a point or two.", columns(
    "endpoint subset tiers study_set k_studies n_patients", Column("method", "key of the method", "text"),
    Column("label", "name of the method as readers see it", "text", "Method"),
    Column("of_the_paper", "whether it is the published analysis's kind of method", "flag"),
    "estimand time_months scale", Column("estimate", "point estimate", "estimate",
                                         "Estimate{unit} [{level} confidence]"), "lower upper level interval",
    Column("heterogeneity_name", "name of the heterogeneity parameter", "named heterogeneity", "Heterogeneity"),
    Column("heterogeneity", "its estimate"), "note stamp"))


def frequentist_rows(evidence: Evidence, base: Job, endpoint: str, subset: str) -> dict[str, list[dict[str, Any]]]:
    """Every method on the rows that answer a question; nothing where there is none."""
    case = headline_case(evidence, base, endpoint, subset)
    if not len(case.studies) or not case.studies.patients:
        return {}
    intervals = methods_for(case.studies, level=base.level, seed=base.seed, horizon=case.selection.horizon)
    return {FREQUENTIST.file: [{**case_cells(case, FREQUENTIST), **asdict(interval),
                                "of_the_paper": BY_KEY[interval.method].of_the_paper} for interval in intervals]}


def _work(asked: Asked) -> Iterator[Task]:
    compared = compared_questions(asked.evidence)
    for endpoint in asked.evidence.endpoints:
        subsets = (subset for name, subset in compared if name == endpoint.endpoint)
        for subset in dict.fromkeys((ALL, *subsets)):
            yield Task("other methods", endpoint.endpoint, frequentist_rows, (asked.base, endpoint.endpoint, subset))


CHAPTER = Chapter("methods", 35, (FREQUENTIST,), _work)
