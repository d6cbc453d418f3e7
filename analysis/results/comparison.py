"""Sets every published number beside the same estimand of the reanalysis, or says why that cannot be done."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from analysis.cases.selection import (
    Selection,
    SharedPatients,
    horizon_of,
    reason_against_study,
    select,
    shared_patients,
    subset_names,
)
from analysis.cases.settings import ALL, Question
from analysis.evidence.types import ComparisonRule, Evidence, Reported
from analysis.inference.estimands import Estimate

COMPARED, NOT_COMPARED = "compared", "not compared"
CRUDE_RATE, CRUDE_COLUMN = "crude_rate", "crude_column"
BESIDE_TIERS = ("A", "ABC")


@dataclass(frozen=True)
class Pooled:
    """What one fit says about one published number.

    Parameters
    ----------
    estimate : Estimate or None
        None where the fit failed its diagnostics or no study has the endpoint.
    probability : float or None
        Posterior probability of the published interval.
    """

    model: str
    tiers: str
    k_studies: int
    n_patients: int
    estimate: Estimate | None
    probability: float | None
    trouble: str = ""


@dataclass(frozen=True)
class Comparison:
    """One row of reported.csv with its counterpart. Limits are the published ones and the posterior's, both `level`.

    Parameters
    ----------
    difference : float or None
        Posterior median minus published estimate. The median, unlike the mean, is the same on every scale.
    width_ratio : float or None
        Width of the posterior interval over that of the published one.
    overlap : float or None
        Share of the published interval that the posterior interval covers.
    probability : float or None
        Posterior probability that the estimand lies in the published interval.
    beside : mapping of str to Pooled
        The same from other evidence tiers.
    """

    reported: Reported
    status: str
    reason: str
    endpoint: str = ""
    estimand: str = ""
    transform: str = ""
    pooled: Pooled | None = None
    crude: tuple[int, int, int] | None = None
    difference: float | None = None
    width_ratio: float | None = None
    overlap: float | None = None
    probability: float | None = None
    beside: Mapping[str, Pooled] | None = None


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


def wanted(evidence: Evidence, question: Question) -> tuple[tuple[str, str, float, float, float], ...]:
    """Published intervals that a fit of this question may answer: (reported_id, estimand, months, low, high)."""
    found = []
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if (rule and not rule.reason and rule.endpoint == question.endpoint and _subset(reported) == question.subset
                and rule.estimand != CRUDE_RATE and reported.ci_low is not None and reported.ci_high is not None):
            low, high = reported.ci_low, reported.ci_high
            if rule.transform == "complement":
                low, high = 1.0 - high, 1.0 - low
            found.append((reported.reported_id, rule.estimand, published_months(evidence, reported, rule), low, high))
    return tuple(found)


def compare(evidence: Evidence, headline: Question, fits: Mapping[Question, Mapping[str, Pooled]]) -> list[Comparison]:
    """Every row of reported.csv, in its order.

    Parameters
    ----------
    headline : Question
        Its tiers and set are those of the comparison; endpoint and subset are replaced row by row.
    fits : mapping of Question to mapping of str to Pooled
        What each fit contributes, as `pooled_by_row` returns it.
    """
    return [_compare_one(evidence, headline, fits, reported) for reported in evidence.reported]


def _subset(reported: Reported) -> str:
    return reported.subset or "all"


def _compare_one(evidence: Evidence, headline: Question, fits: Mapping[Question, Mapping[str, Pooled]],
                 reported: Reported) -> Comparison:
    rule = rule_for(evidence, reported)
    if rule is None:
        return Comparison(reported, NOT_COMPARED, "comparisons.csv names no estimand for this endpoint and statistic")
    if rule.reason:
        return Comparison(reported, NOT_COMPARED, rule.reason)
    if rule.estimand == CRUDE_COLUMN:
        try:
            return _crude(reported, rule, _column_counts(evidence, rule.column, headline))
        except SharedPatients as error:
            return Comparison(reported, NOT_COMPARED, str(error))
    if _subset(reported) not in subset_names(evidence):
        return Comparison(reported, NOT_COMPARED, f"subsets.csv does not define {_subset(reported)!r}")
    question = replace(headline, endpoint=rule.endpoint, subset=_subset(reported))
    if rule.estimand == CRUDE_RATE:
        return _crude(reported, rule, _row_counts(select(evidence, question)))
    pooled = fits.get(question, {}).get(_key(reported, rule))
    if pooled is None or pooled.estimate is None:
        why = pooled.trouble if pooled else "no study of the evidence reports it"
        return Comparison(reported, NOT_COMPARED, why, rule.endpoint, rule.estimand, rule.transform, pooled)
    beside = {tiers: fits.get(replace(question, tiers=tiers), {}).get(_key(reported, rule))
              for tiers in BESIDE_TIERS if tiers != headline.tiers}
    return _with_differences(reported, rule, pooled, {tiers: found for tiers, found in beside.items() if found})


def _key(reported: Reported, rule: ComparisonRule) -> str:
    return f"{reported.reported_id}:{rule.estimand}"


def pooled_by_row(evidence: Evidence, question: Question, *, model: str, k_studies: int, n_patients: int,
                  estimates: Iterable[Estimate], probabilities: Mapping[str, float],
                  trouble: str) -> dict[str, Pooled]:
    """What a fit contributes to the comparison, keyed for `compare`."""
    estimates, found = tuple(estimates), {}
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if rule and rule.endpoint == question.endpoint and _subset(reported) == question.subset:
            months = published_months(evidence, reported, rule)
            same = [one for one in estimates if one.study_id is None and one.estimand == rule.estimand]
            estimate = next((one for one in same if one.time_months in (None, months)), None)
            why = trouble if estimate or not same else (
                f"the published {rule.estimand.replace('_', ' ')} is at {months:g} months, this analysis reads it at "
                f"{same[0].time_months:g}; --horizon {months:g} compares them")
            found[_key(reported, rule)] = Pooled(model, question.tiers, k_studies, n_patients, estimate,
                                                 probabilities.get(reported.reported_id), why)
    return found


def _complement(pooled: Pooled) -> Pooled:
    """The same posterior for the probability of the opposite, which is what was published."""
    old = pooled.estimate
    if old is None:
        return pooled
    flipped = {name: 1.0 - getattr(old, other) for name, other in
               (("mean", "mean"), ("median", "median"), ("lower", "upper"), ("upper", "lower"))}
    return replace(pooled, estimate=replace(old, **flipped))


def _with_differences(reported: Reported, rule: ComparisonRule, pooled: Pooled,
                      beside: Mapping[str, Pooled]) -> Comparison:
    if rule.transform == "complement":
        pooled, beside = _complement(pooled), {tiers: _complement(found) for tiers, found in beside.items()}
    estimate, low, high = pooled.estimate, reported.ci_low, reported.ci_high
    ratio = overlap = None
    reason = "no interval is published" if low is None or high is None else ""
    if not reason and reported.level is not None and abs(reported.level - estimate.level) > 1e-9:
        reason = f"the published interval is a {100 * reported.level:g} % one: widths are not compared"
    elif not reason and high > low:
        ratio = (estimate.upper - estimate.lower) / (high - low)
        overlap = max(0.0, min(estimate.upper, high) - max(estimate.lower, low)) / (high - low)
    return Comparison(reported, COMPARED, reason, rule.endpoint, rule.estimand, rule.transform, pooled,
                      difference=estimate.median - reported.estimate, width_ratio=ratio, overlap=overlap,
                      probability=pooled.probability, beside=beside)


def _crude(reported: Reported, rule: ComparisonRule, counts: tuple[int, int, int]) -> Comparison:
    studies, events, n = counts
    if not n:
        return Comparison(reported, NOT_COMPARED, "no study of the evidence reports it", rule.endpoint, rule.estimand)
    if rule.transform == "complement":
        events = n - events
    return Comparison(reported, COMPARED, "crude proportion against crude proportion: no interval on either side",
                      rule.endpoint, rule.estimand, rule.transform, crude=(studies, events, n),
                      difference=events / n - reported.estimate)


def _row_counts(selection: Selection) -> tuple[int, int, int]:
    return len(selection.rows), sum(row.events for row in selection.rows), sum(row.n for row in selection.rows)


def _column_counts(evidence: Evidence, column: str, headline: Question) -> tuple[int, int, int]:
    """Studies, patients with the property and patients, over the studies of the set whose cell is filled."""
    question = replace(headline, subset=ALL)
    studies = [study for study in evidence.studies if study.columns.get(column) and study.n_treated
               and not reason_against_study(evidence, question, study)]
    for one, other in shared_patients(evidence, [study.study_id for study in studies]):
        raise SharedPatients(f"{one} and {other} share patients; --without leaves one out")
    return (len(studies), sum(int(study.columns[column]) for study in studies),
            sum(study.n_treated for study in studies))
