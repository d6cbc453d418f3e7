"""Sets every published number beside the same estimand of the reanalysis, or says why that cannot be done."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.cases.selection import (
    SharedPatients,
    horizon_of,
    reason_against_study,
    select,
    shared_patients,
    subset_names,
)
from analysis.cases.settings import ALL, Question
from analysis.evidence.cells import Fault, number
from analysis.evidence.directory import Evidence
from analysis.evidence.types import ComparisonRule, Reported
from analysis.inference.estimands import OF_TYPICAL_CURVE
from analysis.results.records import Record
from analysis.results.table import Column, Layout, Row, columns
from analysis.system.errors import UsageError
from models import all_models

COMPARED, NOT_COMPARED = "compared", "not compared"
CRUDE_RATE, CRUDE_COLUMN = "crude_rate", "crude_column"
BESIDE_TIERS = ("A", "ABC")
_OF_EFFECTS = 2
COMPARISON = Layout("comparison.csv", "One published number beside the same estimand of the reanalysis.", columns(
    Column("reported_id", "key of the published number in reported.csv", "text", "Id"),
    Column("endpoint", "endpoint as it was published", "label endpoints", "Quantity"), "subset",
    Column("statistic", "published statistic", "words", "Statistic"),
    Column("primary", "whether it is the first printing of the number", "flag"), "status",
    Column("reason", "why there is none, or what limits it", "text", "Why not"),
    Column("published", "published estimate", "printed units", "Published"),
    Column("published_lower", "lower limit of its interval"), Column("published_upper", "upper limit of its interval"),
    Column("published_level", "probability of its interval"),
    Column("published_interval", "kind of its interval", "text"),
    Column("published_k", "published number of studies", "pair published_n", "Studies / patients"),
    Column("published_n", "published number of patients", "count"),
    Column("published_events", "published number of events", "count"),
    Column("published_note", "note of reported.csv", "text"), Column("units", "unit of the published number", "text"),
    "estimand", Column("our_endpoint", "key of the endpoint that is compared", "text"),
    Column("transform", "complement where one minus our estimate is compared", "text"),
    "model tiers k_studies n_patients", Column("events", "events of a crude proportion", "count", "Events / patients"),
    "time_months mean", Column("median", "posterior median", "estimate units", "Reanalysis [{level} credible]"),
    "lower upper level interval",
    Column("difference", "posterior median minus published estimate", "change units", "Difference"),
    Column("width_ratio", "width of our interval over that of the published one", heading="Width ratio"),
    Column("overlap", "share of the published interval that ours covers"),
    Column("probability_of_published_interval", "posterior probability of the published interval", "percent",
           "P(in published interval)"),
    *(Column(f"tiers_{tiers.lower()}_{name}", f"{meaning}, from tiers {tiers}", form) for tiers in BESIDE_TIERS
      for name, meaning, form in (("k_studies", "studies", "count"), ("n_patients", "patients", "count"),
                                  ("median", "posterior median", "number"), ("lower", "lower limit", "number"),
                                  ("upper", "upper limit", "number"))), "stamp"))
_COMPLEMENT = {"mean": "mean", "median": "median", "lower": "upper", "upper": "lower"}


def rule_for(evidence: Evidence, reported: Reported) -> ComparisonRule | None:
    """The rule of comparisons.csv for a published number."""
    return next((rule for rule in evidence.comparisons if rule.reported_endpoint == reported.endpoint
                 and rule.statistic == reported.statistic), None)


def compared_questions(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """Endpoint and subset of every published number that is compared."""
    rules = ((rule_for(evidence, reported), _subset(reported)) for reported in evidence.reported)
    return tuple(dict.fromkeys((rule.endpoint, subset) for rule, subset in rules if rule and not rule.reason))


def published_months(evidence: Evidence, reported: Reported, rule: ComparisonRule) -> float:
    """Months that a published survival refers to: those its statistic names, else the endpoint's own horizon."""
    named = re.search(r"_(\d+(?:\.\d+)?)m$", reported.statistic)
    return float(named[1]) if named else horizon_of(evidence.endpoint(rule.endpoint), Question(rule.endpoint))


def answerable_intervals(evidence: Evidence, question: Question) -> tuple[tuple[str, str, float, float, float], ...]:
    """Published intervals that a fit of this question may answer: (reported_id, estimand, months, low, high)."""
    intervals = []
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if (rule and not rule.reason and rule.endpoint == question.endpoint and _subset(reported) == question.subset
                and rule.estimand != CRUDE_RATE and reported.ci_low is not None and reported.ci_high is not None):
            low, high = reported.ci_low, reported.ci_high
            if rule.transform == "complement":
                low, high = 1.0 - high, 1.0 - low
            intervals.append((reported.reported_id, rule.estimand, published_months(evidence, reported, rule), low,
                              high))
    return tuple(intervals)


def compare(evidence: Evidence, headline: Question, records: Mapping[Question, Record]) -> list[dict[str, Any]]:
    """Rows of comparison.csv: every row of reported.csv, in its order, beside the fit that answers it.

    The difference is the posterior median minus the published estimate: the median, unlike the mean, is the same on
    every scale. Both intervals have the same level, or their widths are not compared.

    Parameters
    ----------
    headline : Question
        Its tiers and set are those of the comparison; endpoint and subset are replaced row by row.
    """
    return [{**_published(reported), **_counterpart(evidence, headline, records, reported)}
            for reported in evidence.reported]


def agrees(row: Row) -> bool:
    """Whether the published estimate of a compared row lies in the credible interval."""
    return row["lower"] <= row["published"] <= row["upper"]


def said_again(rows: Iterable[Row]) -> list[Row]:
    """Those compared rows that follow from an earlier one: numbers of one curve of one parameter are one comparison.

    Under a constant hazard survival at any time and the median are functions of each other.
    """
    curves, again = set(), []
    for row in rows:
        # Beyond location and heterogeneity of its effects a model may have what all curves share.
        one_parameter = len(all_models()[row["model"]].priors) <= _OF_EFFECTS
        if one_parameter and row["estimand"] in OF_TYPICAL_CURVE:
            curve = row["our_endpoint"], row["subset"] or ALL
            again += [row] if curve in curves else []
            curves.add(curve)
    return again


def distinct(rows: Sequence[Row]) -> list[Row]:
    """The others, which is what agreement is counted over."""
    again = said_again(rows)
    return [row for row in rows if row not in again]


def _subset(reported: Reported) -> str:
    return reported.subset or ALL


def _published(reported: Reported) -> dict[str, Any]:
    """The cells of a published number without a counterpart."""
    same = ("reported_id", "endpoint", "subset", "statistic", "primary", "units")
    return {**{name: getattr(reported, name) for name in same}, "published": reported.estimate,
            "published_lower": reported.ci_low, "published_upper": reported.ci_high, "published_level": reported.level,
            "published_interval": "confidence" if reported.ci_low is not None else "",
            "published_k": reported.k_studies, "published_n": reported.n_patients, "published_events": reported.events,
            "published_note": reported.note, "status": NOT_COMPARED, "estimand": "", "our_endpoint": "",
            "transform": ""}


def _counterpart(evidence: Evidence, headline: Question, records: Mapping[Question, Record],
                 reported: Reported) -> dict[str, Any]:
    """The cells of what stands beside a published number, or the reason why nothing does."""
    rule = rule_for(evidence, reported)
    if rule is None or rule.reason:
        return {"reason": rule.reason if rule else
                "comparisons.csv names no estimand for this endpoint and statistic"}
    if _subset(reported) not in subset_names(evidence):
        return {"reason": f"subsets.csv does not define {_subset(reported)!r}"}
    question = replace(headline, endpoint=rule.endpoint, subset=_subset(reported))
    if rule.estimand in (CRUDE_COLUMN, CRUDE_RATE):
        count = _column_counts if rule.estimand == CRUDE_COLUMN else _row_counts
        try:
            return _crude(reported, rule, *count(evidence, rule, question))
        except UsageError as error:
            return {"reason": str(error)}
    record, months = records.get(question), published_months(evidence, reported, rule)
    cells = _asked(rule) | _pooled(record, rule, months)
    if "median" not in cells:
        return {**cells, "reason": _why_not(record, rule, months)}
    for tiers in BESIDE_TIERS:
        beside = _pooled(records.get(replace(question, tiers=tiers)), rule, months) if tiers != headline.tiers else {}
        cells |= {f"tiers_{tiers.lower()}_{name}": beside[name]
                  for name in ("k_studies", "n_patients", "median", "lower", "upper") if name in beside}
    return {**cells, **_differences(reported, cells),
            "probability_of_published_interval": record.chances.get(reported.reported_id)}


def _asked(rule: ComparisonRule) -> dict[str, Any]:
    return {"our_endpoint": rule.endpoint, "estimand": rule.estimand, "transform": rule.transform}


def _pooled(record: Record | None, rule: ComparisonRule, months: float) -> dict[str, Any]:
    """What a fit says about the estimand of a rule, or about its complement; without estimate where it has none."""
    if record is None:
        return {}
    cells = {"model": record.model, "tiers": record.job.question.tiers, "k_studies": record.k_studies,
             "n_patients": record.n_patients}
    estimate = record.estimate(rule.estimand, months)
    if estimate is None:
        return cells
    cells |= {name: estimate[name] for name in ("time_months", *_COMPLEMENT, "level", "interval")}
    if rule.transform == "complement":
        cells |= {name: 1.0 - estimate[other] for name, other in _COMPLEMENT.items()}
    return cells


def _why_not(record: Record | None, rule: ComparisonRule, months: float) -> str:
    if record is None:
        return "no study of the evidence reports it"
    if other := record.estimate(rule.estimand):
        return (f"the published {rule.estimand.replace('_', ' ')} is at {months:g} months, this analysis reads it at "
                f"{other['time_months']:g}; --horizon {months:g} compares them")
    failures = record.diagnostics["failures"]
    if not failures:
        return f"the {record.model} model has no estimand {rule.estimand!r}"
    return f"the fit did not converge: {failures}" if record.k_studies else failures


def _differences(reported: Reported, ours: Row) -> dict[str, Any]:
    low, high, lower, upper = reported.ci_low, reported.ci_high, ours["lower"], ours["upper"]
    cells = {"status": COMPARED, "reason": "", "difference": ours["median"] - reported.estimate}
    if low is None or high is None:
        return {**cells, "reason": "no interval is published"}
    if reported.level is not None and abs(reported.level - ours["level"]) > 1e-9:
        return {**cells, "reason": f"the published interval is a {100 * reported.level:g} % one: widths are not "
                                   "compared"}
    return cells if high <= low else {**cells, "width_ratio": (upper - lower) / (high - low),
                                      "overlap": max(0.0, min(upper, high) - max(lower, low)) / (high - low)}


def _crude(reported: Reported, rule: ComparisonRule, studies: int, events: int, n: int) -> dict[str, Any]:
    if not n:
        return {**_asked(rule), "transform": "", "reason": "no study of the evidence reports it"}
    if rule.transform == "complement":
        events = n - events
    return {**_asked(rule), "status": COMPARED, "k_studies": studies, "n_patients": n, "events": events,
            "reason": "crude proportion against crude proportion: no interval on either side", "mean": events / n,
            "median": events / n, "difference": events / n - reported.estimate}


def _row_counts(evidence: Evidence, rule: ComparisonRule, question: Question) -> tuple[int, int, int]:
    """Studies, patients with the event and patients, over the rows that answer the question."""
    if evidence.endpoint(rule.endpoint).kind != "rate":
        raise UsageError(f"{rule.endpoint} is no rate, which a crude one needs")
    rows = select(evidence, question).rows
    return len(rows), sum(row.events for row in rows), sum(row.n for row in rows)


def _column_counts(evidence: Evidence, rule: ComparisonRule, question: Question) -> tuple[int, int, int]:
    """Studies, patients with the property and patients, over the studies asked for whose cell is filled."""
    studies = [study for study in evidence.studies if study.columns.get(rule.column) and study.n_treated
               and not reason_against_study(evidence, question, study)]
    for pair in shared_patients(evidence, [study.study_id for study in studies]):
        raise SharedPatients(f"{' and '.join(pair)} share patients; --without leaves one out")
    counts = [number(study.columns[rule.column]) for study in studies]
    for study, count in zip(studies, counts, strict=True):
        if isinstance(count, Fault) or not 0.0 <= count <= study.n_treated or count % 1.0:
            raise UsageError(f"{rule.column} = {study.columns[rule.column]} of {study.study_id} (studies.csv) is no "
                             f"count of its {study.n_treated} patients")
    return len(studies), sum(map(int, counts)), sum(study.n_treated for study in studies)
