"""Rows of expected.csv and expected_counts.csv: what further studies of a few sizes count, how surprising each is."""

from typing import Any

import numpy as np

from analysis.cases.case import headline_case
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import NO_POSTERIOR, posterior_of
from analysis.inference.prediction import CountLaw, two_sided
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns

PATIENTS = (20, 50, 100)
_LIKELY = 0.5
EXPECTED = Layout("expected.csv", "The events among the patients of a further study of one size.", columns(
    "endpoint model k_studies", Column("n", "patients of the further study", "count"),
    Column("median", "predictive median of its events", "count"),
    Column("lower", "fewest events of the prediction interval", "count", "{level} of studies"),
    Column("upper", "most events of the prediction interval", "count"), "level interval",
    Column("unsurprising_low", "fewest events whose two-sided predictive probability is not below 0.05", "count",
           "Not surprising"),
    Column("unsurprising_high", "most such events", "count"),
    Column("likely_low", "fewest events of the central half of the prediction", "count", "Half of studies"),
    Column("likely_high", "most events of the central half of the prediction", "count"), "status reason stamp"))
EXPECTED_COUNTS = Layout("expected_counts.csv", "One count of the smallest further study of expected.csv.", columns(
    "endpoint model", Column("n", "patients of the further study", "count"), Column("events", "its events", "count"),
    "pit two_sided named stamp"))


def expected_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """A row for each size of a further study, and for each count of the smallest; none where no study reports."""
    case = headline_case(evidence, base, endpoint)
    if not len(case.studies):
        return {}
    shared = {"endpoint": endpoint, "model": case.model.name, "k_studies": len(case.studies)}
    try:
        posterior = posterior_of(case)
    except NO_POSTERIOR as error:
        return {EXPECTED.file: [{**shared, "n": PATIENTS[0], "status": NOT_COMPUTED, "reason": str(error)}]}
    laws = {n: posterior.predict(n) for n in PATIENTS}
    return {EXPECTED.file: [{**shared, "n": n, "level": case.level, **_limits(law, case.level)}
                            for n, law in laws.items()],
            EXPECTED_COUNTS.file: _counts({"endpoint": endpoint, "model": case.model.name}, laws[PATIENTS[0]])}


def _limits(law: CountLaw, level: float) -> dict[str, Any]:
    """The intervals of the counts of one study."""
    (lower, median, upper), (low, _, high) = (law.limits(wanted).tolist() for wanted in (level, _LIKELY))
    unsurprising = np.flatnonzero(~law.named).tolist()
    return {"median": median, "lower": lower, "upper": upper, "interval": "prediction", "likely_low": low,
            "likely_high": high, "unsurprising_low": unsurprising[0], "unsurprising_high": unsurprising[-1],
            "status": COMPUTED}


def _counts(shared: dict[str, Any], law: CountLaw) -> list[dict[str, Any]]:
    """Each count of one study, from none to all."""
    each = zip(law.pits.tolist(), two_sided(law.pits).tolist(), law.named.tolist(), strict=True)
    return [{**shared, "n": len(law.pits) - 1, "events": events, "pit": pit, "two_sided": both, "named": named}
            for events, (pit, both, named) in enumerate(each)]
