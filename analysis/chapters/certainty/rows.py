"""Rows of certainty.csv: what limits each headline number, in words that declared thresholds give to its numbers.

References
----------
Guyatt GH et al. J Clin Epidemiol 2011;64:1311, doi 10.1016/j.jclinepi.2011.06.004 (large and very large effects).
Roever C et al. Res Synth Methods 2021;12:448, doi 10.1002/jrsm.1475 (sizes of heterogeneity).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scipy import special

from analysis.cases.selection import (
    FROM_REMISSION,
    OTHER_BASES,
    base_of,
    horizon_of,
    is_early,
    reason_against_study,
    select,
)
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Response, Survival
from analysis.inference.estimands import MAIN
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.results.table import Column, Layout, Row, columns

FEWEST = 3
"""Studies below which what is said of heterogeneity is mostly the prior's."""

PROBABLY = "probably"
"""Stands before a word that rests on a limit on both sides of which the interval of its number lies."""


@dataclass(frozen=True)
class Threshold:
    """What a number is called: the first word up to `low`, the second up to `high`, the third above it.

    Parameters
    ----------
    of : str
        What the number is.
    reason : str
        Why the limits are these.
    of_survival : str
        What follows `of` where there is survival.
    """

    label: str
    of: str
    words: tuple[str, str, str]
    low: float
    high: float
    reason: str
    of_survival: str = ""

    def word(self, value: float | None) -> str:
        """The word for a number; "not known" without one."""
        if value is None:
            return "not known"
        return self.words[(value > self.low) + (value > self.high)]

    def word_within(self, value: float | None, ends: tuple[float, float] | None) -> str:
        """The word for a number with limits, which may reach across the limit that the word rests on."""
        if value is None or ends is None:
            return self.word(value)
        (lower, upper), rank = ends, self.words.index(self.word(value))
        sure = upper <= self.low if rank == 0 else lower > (self.low, self.high)[rank - 1]
        return self.word(value) if sure else f"{PROBABLY} {self.word(value)}"


THRESHOLDS = {
    "imprecision": Threshold(
        "Imprecision", "odds at the upper limit of the interval over odds at the lower one",
        ("precise", "imprecise", "very imprecise"), 4.0, 25.0,
        "limits a factor of 2 from their middle are off by what is called a large effect, of 5 by a very large one"),
    "inconsistency": Threshold(
        "Inconsistency", "standard deviation between studies of the log odds",
        ("consistent", "inconsistent", "very inconsistent"), 0.5, 1.0,
        "heterogeneity of a log odds ratio above 0.5 is called fairly high, above 1 fairly extreme; with fewer than "
        f"{FEWEST} studies it is not known, and “{PROBABLY}” says that its interval lies on both sides of the limit",
        ", for survival of the log hazard"),
    "indirectness": Threshold(
        "Indirectness", "share of patients{} of another base than was asked for",
        ("direct", "partly indirect", "indirect"), 0.25, 0.5,
        "a quarter moves a mean by a quarter of how far it is from the others, more than a half outweighs them",
        ", or whose survival is extrapolated{}"),
    "missing": Threshold("Missing", "share of the eligible studies without a number that is used",
                         ("few", "many", "most"), 0.25, 0.5, "as for indirectness"),
}
"""Every threshold that gives a word to a number, by the column of the word."""

CERTAINTY = Layout("certainty.csv", "What limits one headline number: a summary of numbers, no GRADE rating.", columns(
    "endpoint k_studies n_patients",
    Column("imprecision", "word for `limits_ratio`", "text", "Imprecision (odds ratio of the limits)"),
    Column("limits_ratio", "odds at the upper limit over odds at the lower one; empty where a limit is 0 or 1"),
    Column("inconsistency", "word for `spread`", "text", "Inconsistency (SD between studies)"),
    Column("spread", "standard deviation between studies of the log odds at the posterior medians of rate and "
           "heterogeneity, for survival of the log hazard; empty where too few tell it", "parameter"),
    Column("spread_lower", "its lower credible limit"), Column("spread_upper", "its upper credible limit"),
    Column("indirectness", "word for the share of indirect patients", "text", "Indirectness (patients)"),
    Column("indirect_n", "patients who answer the question indirectly", "of n_patients"),
    Column("missing", "word for the share of missing studies", "text", "Missing (studies)"),
    Column("missing_k", "eligible studies without a number that is used", "of eligible_k"),
    Column("eligible_k", "studies of the set, the subset and the designs that are asked for", "count"), "stamp"))


def certainty_rows(results: Results) -> dict[str, list[Row]]:
    """One row for each endpoint whose headline has a result."""
    records = (results.headline(endpoint.endpoint) for endpoint in results.fitted)
    return {CERTAINTY.file: [_row(results.evidence, record) for record in records if record.estimates]}


def _row(evidence: Evidence, record: Record) -> Row:
    question = record.job.question
    main = record.estimate(MAIN[evidence.endpoint(question.endpoint).kind])
    eligible = sum(not reason_against_study(evidence, question, study) for study in evidence.studies)
    spread = _spread(record, main["median"]) if record.k_studies >= FEWEST else {}
    numbers = {"limits_ratio": limits_ratio(main["lower"], main["upper"]),
               "indirect_n": sum(row.n for row in _indirect(evidence, record)),
               "missing_k": eligible - record.k_studies}
    values = {"imprecision": math.inf if numbers["limits_ratio"] is None else numbers["limits_ratio"],
              "indirectness": numbers["indirect_n"] / record.n_patients,
              "missing": numbers["missing_k"] / eligible}
    ends = (spread["lower"], spread["upper"]) if spread else None
    return {"endpoint": question.endpoint, "k_studies": record.k_studies, "n_patients": record.n_patients, **numbers,
            "spread": spread.get("median"), "spread_lower": spread.get("lower"), "spread_upper": spread.get("upper"),
            "inconsistency": THRESHOLDS["inconsistency"].word_within(spread.get("median"), ends),
            "eligible_k": eligible, **{name: THRESHOLDS[name].word(value) for name, value in values.items()}}


def limits_ratio(lower: float, upper: float) -> float | None:
    """Odds at the upper limit over odds at the lower one; None where one of them is 0 or 1."""
    return math.exp(special.logit(upper) - special.logit(lower)) if 0.0 < lower <= upper < 1.0 else None


def _spread(record: Record, mean: float) -> dict[str, float]:
    """Median and limits of the standard deviation between studies: tau, or that of the logit of a beta distribution.

    The latter grows with the intraclass correlation, whose median and limits it is taken at, for the median mean rate.
    """
    heterogeneity = record.estimate(record.heterogeneity)
    if heterogeneity is None:
        return {}
    of = _of_logits if heterogeneity["estimand"] == "rho" else lambda tau, mean: tau
    return {name: of(heterogeneity[name], mean) for name in ("median", "lower", "upper")}


def _of_logits(rho: float, mean: float) -> float:
    """Standard deviation of the logit of a beta distribution."""
    if rho <= 0.0:
        return 0.0
    kappa = 1.0 / rho - 1.0
    return math.sqrt(special.polygamma(1, mean * kappa) + special.polygamma(1, (1.0 - mean) * kappa))


def _indirect(evidence: Evidence, record: Record) -> Iterator[Response | Survival]:
    """The rows of a fit that answer its question indirectly."""
    question = record.job.question
    horizon = horizon_of(evidence.endpoint(question.endpoint), question)
    for row in select(evidence, question).rows:
        if (evidence.study(row.study_id).cohort.casefold() == "combined" or base_of(row) in OTHER_BASES
                or is_early(row, horizon) or getattr(row, "definition", "") in FROM_REMISSION):
            yield row
