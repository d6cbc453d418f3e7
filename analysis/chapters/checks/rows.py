"""Rows of checks.csv and check_statistics.csv: what studies report within what prior and posterior predict for them.

Predicted is a further study of the same size: its own effect is drawn anew from the population, as in a saved
posterior. Counts have a law by quadrature; limits of log hazards, and test statistics, which hang on all studies at
once, come from draws.

References
----------
Gelman A, Meng XL, Stern H. Statist Sinica 1996;6:733 (posterior predictive p-values, from replicates of all data).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job, derive_seed
from analysis.evidence.directory import Evidence
from analysis.inference.leave_one_out import pit, without
from analysis.inference.posterior import NO_POSTERIOR, Posterior, posterior_of, too_large
from analysis.inference.prediction import further_studies, outcome, replicates
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import case_cells
from models.log_hazard import CONSTANT_HAZARD
from models.studies import RateStudies

DRAWS = 20_000
"""Of a tail of 0.025 the Monte-Carlo standard error is 0.001."""

PREDICTIONS = ("prior", "posterior")
_CELLS = (("median", "predictive median", "estimate", "{}{{unit}} [{{level}} prediction]"),
          ("lower", "lower limit", "number", ""), ("upper", "upper limit", "number", ""),
          ("pit", "probability of less than the study reports, plus half that of just that (mid-p)", "side",
           "Mid-p, {}"), ("within", "whether the report is within the interval", "flag", ""))
CHECKS = Layout("checks.csv", "One study of a headline fit and what a further study of its size would report.", columns(
    "endpoint tiers study_set model study_id label k_studies n",
    Column("months", "months at which survival is read; empty for a rate"),
    Column("observed", "reported rate, or survival that follows from the report", "estimate", "Reported{unit}"), *(
        Column(f"{name}_{cell}", f"{meaning}, {name} predictive", form,
               heading.format(name if cell == "pit" else name.capitalize()))
        for name in PREDICTIONS for cell, meaning, form, heading in _CELLS), "level status reason stamp"))
CHECK_STATISTICS = Layout("check_statistics.csv", "One test statistic over the studies of a headline fit.", columns(
    "endpoint tiers study_set model k_studies",
    Column("statistic", "largest or smallest rate, or spread: their standard deviation", "text"),
    Column("observed", "from the reports", "estimate"),
    Column("median", "posterior predictive median", "estimate"),
    Column("lower", "lower limit of the posterior predictive interval"),
    Column("upper", "upper limit of the posterior predictive interval"), "level",
    Column("p_value", "posterior predictive probability of more, plus half that of just as much (mid-p)", "chance"),
    Column("extreme", "whether it lies in either tail of the interval", "flag"),
    Column("draws", "replicates of all studies", "count"), "stamp"))
STATISTICS = {"largest": lambda rates: rates.max(axis=-1), "smallest": lambda rates: rates.min(axis=-1),
              "spread": lambda rates: rates.std(axis=-1, ddof=1)}
"""From rates or survival of shape (..., k) to shape (...); the spread is their standard deviation."""


def check_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """A row per study of the endpoint's headline, in the order of the evidence, and a row per test statistic."""
    case = headline_case(evidence, base, endpoint)
    studies, refused = case.studies, too_large(case.studies)
    predictions, statistics = [], []
    if len(studies) and not refused:
        try:
            predictions, statistics = _computed(case)
        except NO_POSTERIOR as error:
            refused = str(error)
    predictions = predictions or [{"status": NOT_COMPUTED, "reason": refused}] * len(studies)
    rows = [{**case_cells(case, CHECKS), "study_id": study_id, "label": evidence.study(study_id).label,
             "n": int(size), **prediction}
            for study_id, size, prediction in zip(studies.study_ids, studies.sizes, predictions, strict=True)]
    return {CHECKS.file: rows, CHECK_STATISTICS.file: [{**case_cells(case, CHECK_STATISTICS), **statistic}
                                                       for statistic in statistics]}


def _computed(case: Case) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Cells of each study, and of each test statistic."""
    observed = _rates(case, outcome(case.studies)[1])
    rows = [{"status": COMPUTED, "months": case.horizon, "observed": float(rate)} for rate in observed]
    nobody = case.but(studies=without(case.studies.take([0]), 0))
    for name, source in zip(PREDICTIONS, (nobody, case), strict=True):
        posterior = posterior_of(source)
        replicated = _replicated(case, posterior, name)
        for row, (lower, median, upper, mid_p) in zip(rows, _predicted(case, posterior, replicated), strict=True):
            cells = {"median": median, "lower": lower, "upper": upper, "pit": mid_p,
                     "within": lower <= row["observed"] <= upper}
            row |= {f"{name}_{column}": value for column, value in cells.items()}
    return rows, list(_statistics(case, observed, replicated)) if len(rows) > 1 else []


def _rates(case: Case, reports: np.ndarray) -> np.ndarray:
    """Reports of shape (..., k), as `outcome` tells them, as rates or survival."""
    if isinstance(case.studies, RateStudies):
        return reports / case.studies.evaluable
    return CONSTANT_HAZARD.survival({}, reports, case.horizon)


def _replicated(case: Case, posterior: Posterior, name: str) -> np.ndarray:
    """Rates or survival that further studies of the same sizes would report, shape (DRAWS, k)."""
    seed = derive_seed(case.job.seed, case.question.endpoint, case.model.name, name, "predictive")
    rng = np.random.default_rng(seed)
    draws = posterior.draw(DRAWS, rng)
    effects = further_studies(case.model, draws, len(case.studies), rng)
    return _rates(case, replicates(case.model, case.studies, draws, effects, rng))


def _predicted(case: Case, posterior: Posterior, replicated: np.ndarray) -> Iterator[tuple[float, float, float, float]]:
    """Limits with the median between them, and the mid-p of the report, of each study."""
    studies = case.studies
    if isinstance(studies, RateStudies):
        for n, events in zip(studies.evaluable.tolist(), studies.events.tolist(), strict=True):
            law = posterior.predict(n)
            yield (*(float(limit) / n for limit in law.limits(case.level)), law.pit(events))
        return
    limits = np.quantile(replicated, [(1.0 - case.level) / 2.0, 0.5, (1.0 + case.level) / 2.0], axis=0).T
    yield from ((*map(float, three), pit(posterior, studies.take([at]))) for at, three in enumerate(limits))


def _statistics(case: Case, observed: np.ndarray, replicated: np.ndarray) -> Iterator[dict[str, Any]]:
    """Each test statistic of the reports among those of the replicates."""
    tail = (1.0 - case.level) / 2.0
    for name, of in STATISTICS.items():
        value, drawn = float(of(observed)), of(replicated)
        lower, median, upper = map(float, np.quantile(drawn, [tail, 0.5, 1.0 - tail]))
        # Equal rates from different sums differ in the last digit.
        same = np.isclose(drawn, value, rtol=0.0, atol=1e-12)
        p_value = float(np.mean((drawn > value) & ~same) + 0.5 * np.mean(same))
        yield {"statistic": name, "observed": value, "median": median, "lower": lower, "upper": upper,
               "level": case.level, "p_value": p_value, "extreme": min(p_value, 1.0 - p_value) < tail, "draws": DRAWS}
