"""Whether the published kind of method reproduces an interval: the ratio of its arms on the logit scale.

An interval for a rate is lopsided in a way that its method leaves no choice about: on the logit scale a likelihood
interval for a small rate reaches a little farther down than up, one that is symmetric about a percentage reaches much
farther down. The printed numbers are rounded, so the published ratio is a range; it is set beside what methods give on
this evidence and on evidence in which the missing studies are filled in at random.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.case import Case, headline_case
from analysis.cases.selection import reason_against_study
from analysis.cases.settings import ALL, Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Reported
from analysis.frequentist.likelihood import beta_binomial_means
from analysis.inference.posterior import posterior_of
from analysis.results.comparison import rule_for
from analysis.results.table import Column, Layout, Row, columns
from models.studies import RateStudies

INTERVAL_SHAPES = Layout(
    "interval_shapes.csv", "The arms of one published interval of a rate, on the logit scale.", columns(
        Column("reported_id", "key of the published number in reported.csv", "text"), "endpoint subset",
        Column("published", "published estimate"), Column("published_lower", "its lower limit"),
        Column("published_upper", "its upper limit"),
        Column("arm_ratio_low", "ratio of the lower to the upper arm: the least that the rounding allows"),
        Column("arm_ratio_high", "the most that the rounding allows"),
        Column("methods_low", "smallest ratio of the methods on this evidence"),
        Column("methods_high", "largest ratio of the methods on this evidence"),
        Column("completed", "sets of evidence with missing studies filled in that give a ratio", "count"),
        Column("completed_low", "their smallest ratio"), Column("completed_high", "their largest ratio"),
        Column("share_at_least_as_lopsided", "share of these sets that are at least as lopsided"),
        Column("symmetric_about", "scales on which the arms can be equal within rounding", "text"),
        Column("finding", "whether methods of the published kind give such arms here", "text"), "stamp"))
NOT_REPRODUCED = "we could not reproduce this interval"
_SETS = 80
_SCALES = {"percentage": np.asarray, "logit": special.logit, "arcsine": lambda rate: np.arcsin(np.sqrt(rate))}


def judged_intervals(evidence: Evidence) -> Iterator[tuple[Reported, str]]:
    """Published rates with an interval whose digits are known, each with the endpoint that it is about."""
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if (rule and not rule.reason and reported.primary and rule.estimand == "mean_rate"
                and rule.transform == "identity" and reported.ci_low is not None and reported.ci_high is not None
                and reported.decimals is not None and 0.0 < reported.estimate < 1.0):
            yield reported, rule.endpoint


def shape_rows(evidence: Evidence, base: Job, reported: Reported, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """What the published interval of a rate looks like, and what completed evidence gives; nothing without a study."""
    base = replace(base, level=reported.level or base.level)
    case = headline_case(evidence, base, endpoint, reported.subset or ALL)
    if not len(case.studies):
        return {}
    missing = missing_sizes(evidence, case.question, case.studies.study_ids, reported.k_studies)
    published = (reported.estimate, reported.ci_low, reported.ci_high)
    return {INTERVAL_SHAPES.file: [{
        "reported_id": reported.reported_id, "endpoint": endpoint, "subset": case.question.subset,
        **dict(zip(("published", "published_lower", "published_upper"), published, strict=True)),
        **shape_cells(published, reported.decimals, completed_ratios(case, missing))}]}


def log_arm_ratio(estimate: float, lower: float, upper: float) -> float:
    """Log of the lower arm over the upper one, on the logit scale; infinite where a limit is 0 or 1."""
    down, up = (special.logit(estimate) - special.logit(lower)), (special.logit(upper) - special.logit(estimate))
    if not (down > 0.0 and up > 0.0):
        return math.nan
    return math.log(down / up) if math.isfinite(down) and math.isfinite(up) else math.inf * (1 if down > up else -1)


def missing_sizes(evidence: Evidence, question: Question, known: Sequence[str], published_k: int | None) -> list[int]:
    """Patients of the studies that the publication had and the evidence has no number of, the largest first.

    Which studies they are is not printed where the published number of studies is below that of the review; the
    largest ones are taken then.
    """
    review = replace(question, study_set="review")
    candidates = sorted((study.n_treated for study in evidence.studies if study.n_treated
                         and study.study_id not in known and not reason_against_study(evidence, review, study)),
                        reverse=True)
    return candidates[:max(0, (published_k or 0) - len(known))]


def completed_ratios(case: Case, missing: Sequence[int]) -> np.ndarray:
    """Log arm ratios of the maximum-likelihood profile interval when missing studies are filled in.

    Parameters
    ----------
    case : Case
        Known counts, and the model whose posterior predicts the others.
    missing : sequence of int
        Patients of each study without a number.

    Returns
    -------
    array, shape (sets,)
        One per set of counts drawn from the posterior prediction.
    """
    rng, studies = np.random.default_rng(case.job.seed), case.studies
    draws = posterior_of(case).draw(_SETS, rng)
    n = np.array(missing, dtype=int)
    names = [*studies.study_ids, *(f"missing {index}" for index in range(len(n)))]
    sets = []
    for at in range(_SETS):
        point = {name: np.repeat(values[at], max(len(n), 1)) for name, values in draws.items()}
        events = rng.binomial(n, case.model.marginal.new_study(point, rng)[:len(n)])
        sets.append(RateStudies(names, np.concatenate([studies.events, events]),
                                np.concatenate([studies.evaluable, n])))
    return np.array([log_arm_ratio(limits.estimate, limits.lower, limits.upper)
                     for limits in beta_binomial_means(sets, level=case.level)])


def shape_cells(published: Sequence[float], decimals: int, completed: np.ndarray) -> dict[str, Any]:
    """Columns of interval_shapes.csv that do not need the other methods; ratios themselves, not their logs.

    Parameters
    ----------
    published : (float, float, float)
        Estimate, lower and upper limit; each stands for all numbers that round to it.
    completed : array, shape (sets,)
        From `completed_ratios`.
    """
    half = 0.5 * 10.0**-decimals
    ends = np.array([(max(value - half, 1e-9), min(value + half, 1.0 - 1e-9)) for value in published])
    ratios = [ratio for corner in product(*ends) if not math.isnan(ratio := log_arm_ratio(*corner))]
    (least, most), (_, highest_lower), (lowest_upper, _) = ends
    # An arm may vanish where rounding lets a limit meet the estimate.
    low = min(ratios) if highest_lower < least else -math.inf
    high = max(ratios) if most < lowest_upper else math.inf
    finite = completed[np.isfinite(completed)]
    cells = {"arm_ratio_low": math.exp(low), "arm_ratio_high": math.exp(high), "completed": len(finite),
             "symmetric_about": " ".join(name for name, to in _SCALES.items() if _can_be_symmetric(to(ends)))}
    if len(finite):
        middle = np.median(finite)
        share = np.mean(finite >= low) if low > middle else np.mean(finite <= high) if high < middle else 1.0
        cells |= {"completed_low": float(np.exp(finite.min())), "completed_high": float(np.exp(finite.max())),
                  "share_at_least_as_lopsided": float(share)}
    return cells


def _can_be_symmetric(ends: np.ndarray) -> bool:
    """Whether the estimate can lie in the middle of its limits; array of shape (3, 2), lowest and highest values."""
    (lowest, highest), middle = ends[0], ends[1:].mean(axis=0)
    return bool(middle[0] <= highest and middle[1] >= lowest)


def with_methods(row: Row, methods: Sequence[Row]) -> dict[str, Any]:
    """The row with the range over the methods on this evidence, and what follows."""
    intervals = [[method[name] for name in ("estimate", "lower", "upper")] for method in methods
                 if method["estimand"] == "mean_rate"]
    ratios = [log_arm_ratio(*values) for values in intervals if None not in values and 0.0 < values[0] < 1.0]
    finite = [ratio for ratio in ratios if math.isfinite(ratio)]
    if not finite or row.get("completed_low") is None:
        return {**row, "finding": "not judged: no method gives two limits at its level"}
    low, high = math.exp(min(finite)), math.exp(max(finite))
    reach = min(low, row["completed_low"]), max(high, row["completed_high"])
    outside = row["arm_ratio_low"] > reach[1] or row["arm_ratio_high"] < reach[0]
    return {**row, "methods_low": low, "methods_high": high,
            "finding": NOT_REPRODUCED if outside else "within what the methods give"}
