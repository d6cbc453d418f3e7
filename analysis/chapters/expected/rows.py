"""Rows of expected.csv: how many events further studies of a few sizes are predicted to count."""

from typing import Any

from analysis.cases.case import headline_case
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import NO_POSTERIOR, posterior_of
from analysis.inference.prediction import law_of
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns

PATIENTS = (20, 50, 100)
_LIKELY = 0.5
EXPECTED = Layout("expected.csv", "The events among the patients of a further study of one size.", columns(
    "endpoint model k_studies", Column("n", "patients of the further study", "count"),
    Column("median", "predictive median of its events", "count"),
    Column("lower", "fewest events of the prediction interval", "count", "{level} of studies"),
    Column("upper", "most events of the prediction interval", "count"), "level interval",
    Column("likely_low", "fewest events of the central half of the prediction", "count", "Half of studies"),
    Column("likely_high", "most events of the central half of the prediction", "count"), "status reason stamp"))


def expected_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """A row for each size of a further study; none where no study reports the endpoint."""
    case = headline_case(evidence, base, endpoint)
    if not len(case.studies):
        return {}
    shared = {"endpoint": endpoint, "model": case.model.name, "k_studies": len(case.studies)}
    try:
        grid = posterior_of(case).grid
    except NO_POSTERIOR as error:
        return {EXPECTED.file: [{**shared, "n": PATIENTS[0], "status": NOT_COMPUTED, "reason": str(error)}]}
    rows = []
    for n in PATIENTS:
        law = law_of(grid, None, n)
        (lower, median, upper), (low, _, high) = (law.limits(level).tolist() for level in (case.level, _LIKELY))
        rows.append({**shared, "n": n, "median": median, "lower": lower, "upper": upper, "level": case.level,
                     "interval": "prediction", "likely_low": low, "likely_high": high, "status": COMPUTED})
    return {EXPECTED.file: rows}
