"""Rows of cumulative.csv and cumulative_studies.csv: the estimate year by year, and each study predicted before it.

Within a year no order is known: a study is predicted from all studies of earlier years and, averaged over every order
of its own year, from those of that year that come before it. Orders with fewer than two studies before it say what the
prior says, and do not count.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.reports import Report, report_of
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import MOST_PATIENTS, NO_POSTERIOR, main_estimand, posterior_of, too_large
from analysis.inference.prediction import CountLaw
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import case_cells
from analysis.system.groups import grouped

FEWEST_BEFORE = 2
_MOST_OF_A_YEAR = 7
_YEAR = Column("year", "year of publication", "d", "Up to")
CUMULATIVE = Layout("cumulative.csv", "The headline of one endpoint from the studies up to one year.", columns(
    "endpoint model", _YEAR, Column("added", "studies of that year", "count", "New"), "k_studies n_patients estimand "
    "time_months median lower upper level interval status reason stamp"))
CUMULATIVE_STUDIES = Layout("cumulative_studies.csv", "One study predicted from those before it.", columns(
    "endpoint model", _YEAR, "study_id label n report",
    Column("before", "studies of earlier years; those of the same year come before it in some of the orders that are "
           "averaged", "count", "Earlier studies"), "observed",
    Column("median", "predictive median", "estimate", "Predicted{unit} [{level} prediction]"),
    "lower upper level interval pit two_sided named chance_named log_predictive status reason stamp"))


def cumulative_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of both tables for one endpoint; none where one of its studies has no year, or all have the same."""
    case = headline_case(evidence, base, endpoint)
    of_year = grouped(case.studies.study_ids, lambda study_id: evidence.study(study_id).year or 0)
    if 0 in of_year or len(of_year) < 2 or too_large(case.studies):
        return {}
    years, studies, before = [], [], []
    for year, added in sorted(of_year.items()):
        so_far = case.take([*before, *added])
        years.append({**case_cells(so_far, CUMULATIVE), "year": year, "added": len(added), **_estimate(so_far)})
        for study_id in added:
            (row, *strata) = (row for row in case.selection.rows if row.study_id == study_id)
            cells = {"status": NOT_COMPUTED, "reason": "it is reported in strata, or as events over person-time"}
            if not strata and getattr(row, "statistic", "count"):
                report = report_of(row)
                cells = {"report": report.report, "observed": report.observed, **_predicted(case, report, before, [
                    other for other in added if other != study_id])}
            studies.append({"endpoint": endpoint, "model": case.model.name, "year": year, "study_id": study_id,
                            "label": evidence.study(study_id).label, "n": row.n, "before": len(before), **cells})
        before += added
    return {CUMULATIVE.file: years, CUMULATIVE_STUDIES.file: studies}


def _estimate(case: Case) -> dict[str, Any]:
    try:
        summary = posterior_of(case).summary(main_estimand(case))
    except NO_POSTERIOR as error:
        return {"status": NOT_COMPUTED, "reason": str(error)}
    return {"status": COMPUTED, "median": summary.median, "lower": summary.lower, "upper": summary.upper}


def _predicted(case: Case, report: Report, before: Sequence[str], same: Sequence[str]) -> dict[str, Any]:
    """Cells of a study: its report within the mean of what the studies before it predict, over all orders."""
    if len(same) >= _MOST_OF_A_YEAR:
        return {"status": NOT_COMPUTED, "reason": f"more than {_MOST_OF_A_YEAR} studies of one year: too many orders"}
    if len(before) + len(same) < FEWEST_BEFORE:
        return {"status": NOT_COMPUTED, "reason": f"fewer than {FEWEST_BEFORE} studies come before it in any order"}
    if report.patients > MOST_PATIENTS:
        return {"status": NOT_COMPUTED, "reason": f"a report that counts as more than {MOST_PATIENTS:,} patients"}
    try:
        orders = [(share, posterior_of(case.take([*before, *chosen]))) for share, chosen in _orders(before, same)]
    except NO_POSTERIOR as error:
        return {"status": NOT_COMPUTED, "reason": str(error)}
    shares = np.array([share for share, _ in orders])
    laws = [posterior.predict(report.patients, report.months).probabilities for _, posterior in orders]
    law = CountLaw(shares @ np.array(laws) / shares.sum())
    return {"status": COMPUTED, "level": case.level, "interval": "prediction",
            **vars(law.expectation(report.patients * report.observed, case.level))}


def _orders(before: Sequence[str], same: Sequence[str]) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Which studies of the year may come before one, and the share of the orders in which just these do."""
    size = len(same) + 1
    for count in range(size):
        if len(before) + count >= FEWEST_BEFORE:
            share = 1.0 / (size * math.comb(len(same), count))
            yield from ((share, chosen) for chosen in combinations(same, count))
