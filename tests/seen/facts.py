"""What the evidence says, read by hand: rows of each question and log hazards, without the program's own selection."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from tests.seen.evidence import TABLES

Z = float(stats.norm.ppf(0.975))
LEVEL = 0.95


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(TABLES[name])))


STUDIES = {row["study_id"]: row for row in table("studies.csv")}
ENDPOINTS = {row["endpoint"]: row for row in table("endpoints.csv")}
REPORTED = {row["reported_id"]: row for row in table("reported.csv")}
SUBSETS = {"all": ("", ""), "adult_only": ("cohort", "adult"), "cd22": ("target", "CD22")}
SUBSET_LABELS = {row["subset"]: row["label"] for row in table("subsets.csv")}
COVARIATE_LABELS = {row["covariate"]: row["label"] for row in table("covariates.csv")}


@dataclass(frozen=True)
class Counts:
    """A study with a count."""

    study_id: str
    events: int
    n: int
    tier: str
    population: str


@dataclass(frozen=True)
class Hazard:
    """A study with a log hazard (log of events per person-month) or, with `months`, events and person-months."""

    study_id: str
    lines: tuple[int, ...]
    printed: str
    definition: str
    tier: str
    n: int
    value: float = math.nan
    below: float = math.nan
    above: float = math.nan
    events: int = 0
    months: float = 0.0
    early: bool = False

    def survival(self, months: float) -> tuple[float, float, float]:
        """Estimate and 95 % limits of S(months): exact Poisson for counts, else normal on the log hazard."""
        if self.months:
            hazards = [self.events / self.months, stats.chi2.ppf(0.025, 2 * self.events) / 2 / self.months,
                       stats.chi2.ppf(0.975, 2 * self.events + 2) / 2 / self.months]
        else:
            hazards = [math.exp(self.value), math.exp(self.value - Z * self.below),
                       math.exp(self.value + Z * self.above)]
        middle, high, low = (math.exp(-months * hazard) for hazard in hazards)
        return middle, low, high

    @property
    def estimate(self) -> tuple[float, float]:
        """Log hazard and one standard error: counts as log((d + 0.5)/T) with 1/sqrt(d + 0.5)."""
        if self.months:
            return math.log((self.events + 0.5) / self.months), 1 / math.sqrt(self.events + 0.5)
        return self.value, (self.below + self.above) / 2


def is_member(study_id: str, subset: str) -> bool | None:
    column, wanted = SUBSETS[subset]
    cell = STUDIES[study_id][column] if column else wanted
    return None if column and not cell else cell == wanted


def is_asked(study_id: str, subset: str, study_set: str = "review") -> bool:
    study = STUDIES[study_id]
    in_set = study_set == "all" or study["in_review"] == "true"
    return in_set and study["design"] == "prospective" and is_member(study_id, subset) is True


def counts(endpoint: str, subset: str = "all", tiers: str = "AB", study_set: str = "review") -> list[Counts]:
    return [Counts(row["study_id"], int(row["events"]), int(row["n"]), row["tier"], row["population"])
            for row in table("responses.csv") if row["endpoint"] == endpoint
            and is_asked(row["study_id"], subset, study_set) and row["tier"] in tiers]


def _error_without_interval(survival: float, n: int, factor: float = 1.25) -> float:
    return factor * math.sqrt((1 - survival) / (n * survival * math.log(survival) ** 2))


def _median(study_id: str, line: int, months: float, low: float | None, n: int, *, tier: str = "A",
            printed: str, factor: float = 1.25) -> Hazard:
    """A median whose upper limit is open: the larger of log(m/l)/z and the value without an interval."""
    error = _error_without_interval(0.5, n, factor)
    if low:
        error = max(math.log(months / low) / Z, error)
    error = max(error, 1 / math.sqrt(n))
    return Hazard(study_id, (line,), printed, "OS", tier, n, math.log(math.log(2) / months), error, error)


def ash() -> Hazard:
    """58 % at 12 months (38 to 74): arms on the log-log scale 0.575 and 0.593, on the plain one 0.16 and 0.20."""
    log_log = [math.log(-math.log(value)) for value in (0.38, 0.58, 0.74)]
    error = (log_log[0] - log_log[2]) / (2 * Z)
    return Hazard("ash_2015", (2,), "58 % at 12 months (38 to 74 %)", "OS", "A", 24,
                  math.log(-math.log(0.58) / 12), error, error)


def birch() -> Hazard:
    """Median 11.4 (7.5 to 19.8): arms of the log are 0.419 and 0.552 (ratio 1.32), plain ones 3.9 and 8.4 (2.15)."""
    error = math.log(19.8 / 7.5) / (2 * Z)
    return Hazard("birch_2016", (3,), "median 11.4 months (7.5 to 19.8)", "OS", "A", 41,
                  math.log(math.log(2) / 11.4), error, error)


def birch_landmark(factor: float = 1.25) -> Hazard:
    """16 % at 36 months without an interval."""
    error = max(_error_without_interval(0.16, 41, factor), 1 / math.sqrt(41))
    return Hazard("birch_2016", (4,), "16 % at 36 months", "OS", "A", 41, math.log(-math.log(0.16) / 36), error, error)


def cedar(factor: float = 1.25) -> Hazard:
    error = max(_error_without_interval(0.81, 15, factor), 1 / math.sqrt(15))
    return Hazard("cedar_2017", (5,), "81 % at 4 months", "OS", "A", 15, math.log(-math.log(0.81) / 4), error,
                  error, early=True)


def dogwood(factor: float = 1.25) -> Hazard:
    """Two strata mixed at 12 months: S = sum w S_g, with the delta method and the random split of the patients."""
    first = _median("d", 0, 21.5, 12.4, 22, printed="", factor=factor)
    log_error = math.log(8.2 / 2.6) / (2 * Z)  # arms 0.635 and 0.515 on the log, 2.3 and 3.3 plain: 1.23 against 1.43
    second = Hazard("d", (0,), "", "OS", "A", 11, math.log(math.log(2) / 4.9), log_error, log_error)
    weight, variance, survival = (22 / 33, 11 / 33), 0.0, 0.0
    parts = []
    for share, one in zip(weight, (first, second), strict=True):
        error = max(one.below, 1 / math.sqrt(one.n))
        hazard = math.exp(one.value)
        parts.append(math.exp(-12 * hazard))
        survival += share * parts[-1]
        variance += (share * parts[-1] * 12 * hazard * error) ** 2
    variance += weight[0] * weight[1] * (parts[0] - parts[1]) ** 2 / 33
    error = max(math.sqrt(variance) / (survival * abs(math.log(survival))), 1 / math.sqrt(33))
    printed = "median 21.5 months (12.4 to not reached) [responders, n = 22]; " \
        "median 4.9 months (2.6 to 8.2) [others, n = 11]"
    return Hazard("dogwood_2018", (6, 7), printed, "OS", "A", 33, math.log(-math.log(survival) / 12), error, error)


def elm() -> Hazard:
    return Hazard("elm_2018", (8,), "23 events in 498.5 person-months", "EFS", "B", 52, events=23, months=498.5)


def fir(factor: float = 1.25) -> Hazard:
    return _median("fir_2019", 9, 14.2, 6.6, 19, printed="median 14.2 months (6.6 to not reached)", factor=factor)


def gum(factor: float = 1.25) -> Hazard:
    return _median("gum_2020", 10, 9.1, None, 28, tier="C", printed="median 9.1 months", factor=factor)


def hazards(subset: str = "all", tiers: str = "AB", *, early: bool = True, factor: float = 1.25) -> list[Hazard]:
    whole = [ash(), birch(), cedar(factor), dogwood(factor), elm(), fir(factor), gum(factor)]
    return [one for one in whole if is_asked(one.study_id, subset) and one.tier in tiers and (early or not one.early)]


def studies_of(endpoint: str, subset: str = "all", tiers: str = "AB", *, early: bool = True) -> list[Any]:
    return hazards(subset, tiers, early=early) if endpoint == "os" else counts(endpoint, subset, tiers)


def size(studies: Sequence[Any]) -> dict[str, int]:
    """Studies and patients by the names of their columns."""
    return {"k_studies": len(studies), "n_patients": sum(study.n for study in studies)}


def study_of(row: Mapping[str, str], studies: Sequence[Any]) -> Any:
    """The study that a row is about."""
    return next(study for study in studies if study.study_id == row["study_id"])


def named(study: Any) -> dict[str, Any]:
    """Id, label and patients of a study by the names of their columns."""
    return {"study_id": study.study_id, "label": STUDIES[study.study_id]["label"], "n": study.n}


def of_row(row: Mapping[str, str]) -> list[Any]:
    """The studies behind a row of a table with the columns of a question."""
    return studies_of(row["endpoint"], row.get("subset", "all"), row["tiers"],
                      early=row.get("early_landmarks", "true") == "true")
