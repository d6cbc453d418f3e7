"""Whether a published interval can come from the published method: the ratio of its arms on the logit scale.

An interval for a rate is lopsided in a way that its method leaves no choice about: on the logit scale a likelihood
interval for a small rate reaches a little farther down than up, one that is symmetric about a percentage reaches much
farther down. The printed numbers are rounded, so the published ratio is a range; it is set beside what methods give on
this evidence and on evidence in which the missing studies are filled in at random.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.case import case_of
from analysis.cases.selection import ALL, Question, reason_against_study
from analysis.cases.settings import Job
from analysis.evidence import ComparisonRule, Evidence, Reported
from analysis.frequentist.likelihood import beta_binomial_mean
from analysis.inference.density import density_of
from analysis.inference.draws import draw
from analysis.inference.grid import solve
from analysis.results.columns import columns
from analysis.results.comparison import rule_for
from analysis.results.table import Column, Layout
from models.beta_binomial import MODEL
from models.model import Model
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
        Column("verdict", "what the shape says about the published method", "text"), "stamp"))
_SETS = 80
_SCALES = ("percentage", "logit", "arcsine")


@dataclass(frozen=True)
class Shape:
    """The arms of one published interval of a rate.

    Parameters
    ----------
    low, high : float
        Log ratio of the lower to the upper arm on the logit scale: range that the rounding allows.
    symmetric_about : tuple of str
        Scales on which the two arms can be equal within rounding.
    """

    low: float
    high: float
    symmetric_about: tuple[str, ...]


def published_shape(estimate: float, lower: float, upper: float, decimals: int) -> Shape:
    """Range of the log arm ratio, when each printed number stands for all that round to it."""
    half = 0.5 * 10.0**-decimals
    ends = [(max(value - half, 1e-9), min(value + half, 1.0 - 1e-9)) for value in (estimate, lower, upper)]
    (e_low, e_high), (l_low, l_high), (u_low, u_high) = ends
    ratios = [log_arm_ratio(e, low, up) for e in (e_low, e_high) for low in (l_low, l_high) for up in (u_low, u_high)]
    symmetric = tuple(scale for scale in _SCALES if _can_be_symmetric(scale, ends))
    return Shape(min(ratios), max(ratios), symmetric)


def log_arm_ratio(estimate: float, lower: float, upper: float) -> float:
    """Log of the lower arm over the upper one, on the logit scale; infinite where a limit is 0 or 1."""
    down, up = (special.logit(estimate) - special.logit(lower)), (special.logit(upper) - special.logit(estimate))
    if not (down > 0.0 and up > 0.0):
        return math.nan
    return math.log(down / up) if math.isfinite(down) and math.isfinite(up) else math.inf * (1 if down > up else -1)


def _can_be_symmetric(scale: str, ends: Sequence[tuple[float, float]]) -> bool:
    to = {"percentage": lambda x: x, "logit": special.logit, "arcsine": lambda x: math.asin(math.sqrt(x))}[scale]
    (e_low, e_high), (l_low, l_high), (u_low, u_high) = [(to(low), to(high)) for low, high in ends]
    return (l_low + u_low) / 2.0 <= e_high and (l_high + u_high) / 2.0 >= e_low


def completed_ratios(model: Model, studies: RateStudies, missing: Sequence[int], *, level: float,
                     seed: int) -> np.ndarray:
    """Log arm ratios of the maximum-likelihood profile interval when missing studies are filled in.

    Parameters
    ----------
    model : Model
        The beta-binomial.
    studies : RateStudies
        Known counts.
    missing : sequence of int
        Patients of each study without a number.

    Returns
    -------
    array, shape (sets,)
        One per set of counts drawn from the posterior prediction.
    """
    rng = np.random.default_rng(seed)
    drawn = draw(solve(density_of(model, studies, model.priors)), _SETS, rng)
    n = np.array(missing, dtype=int)
    ratios = []
    for at in range(_SETS):
        one = {name: np.repeat(values[at], max(len(n), 1)) for name, values in drawn.items()}
        events = rng.binomial(n, model.marginal.new_study(one, rng)[:len(n)])
        whole = RateStudies([*studies.study_ids, *(f"missing {index}" for index in range(len(n)))],
                            np.concatenate([studies.events, events]), np.concatenate([studies.evaluable, n]))
        limits = beta_binomial_mean(whole, level=level)
        ratios.append(log_arm_ratio(limits.estimate, limits.lower, limits.upper))
    return np.array(ratios)


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


def shape_cells(shape: Shape, completed: np.ndarray) -> dict[str, object]:
    """Columns of interval_shapes.csv that do not need the other methods; ratios themselves, not their logs."""
    known = completed[np.isfinite(completed)]
    cells = {"arm_ratio_low": math.exp(shape.low), "arm_ratio_high": math.exp(shape.high),
             "symmetric_about": " ".join(shape.symmetric_about), "completed": len(known)}
    if len(known):
        share = max(np.mean(known >= shape.low) if shape.low > np.median(known) else 0.0,
                    np.mean(known <= shape.high) if shape.high < np.median(known) else 0.0)
        inside = shape.low <= np.median(known) <= shape.high
        cells |= {"completed_low": float(np.exp(known.min())), "completed_high": float(np.exp(known.max())),
                  "share_at_least_as_lopsided": 1.0 if inside else float(share)}
    return cells


def with_verdict(row: Mapping[str, Any], methods: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The row with the range over the methods on this evidence, and what follows."""
    intervals = [[one[name] for name in ("estimate", "lower", "upper")] for one in methods
                 if one["estimand"] == "mean_rate"]
    ratios = [log_arm_ratio(*values) for values in intervals if None not in values and 0.0 < values[0] < 1.0]
    known = [ratio for ratio in ratios if math.isfinite(ratio)]
    if not known or row.get("completed_low") is None:
        return {**row, "verdict": "not judged: no method gives two limits"}
    low, high = math.exp(min(known)), math.exp(max(known))
    reach = min(low, row["completed_low"]), max(high, row["completed_high"])
    outside = row["arm_ratio_low"] > reach[1] or row["arm_ratio_high"] < reach[0]
    return {**row, "methods_low": low, "methods_high": high,
            "verdict": "outside what the methods give" if outside else "within what the methods give"}


def has_shape(reported: Reported, rule: ComparisonRule | None) -> bool:
    """Whether a published number is a rate with an interval whose digits are known."""
    return bool(rule and not rule.reason and reported.primary and rule.estimand == "mean_rate"
                and rule.transform == "identity" and reported.ci_low is not None and reported.ci_high is not None
                and reported.decimals is not None and 0.0 < reported.estimate < 1.0)


def shape_rows(evidence: Evidence, base: Job, reported: Reported) -> dict[str, list[dict[str, Any]]]:
    """What the published interval of a rate looks like, and what completed evidence gives; nothing without a study."""
    rule = rule_for(evidence, reported)
    question = replace(base.question, endpoint=rule.endpoint, subset=reported.subset or ALL)
    case = case_of(evidence, replace(base, question=question), shared_priors=True)
    if not len(case.studies):
        return {}
    shape = published_shape(reported.estimate, reported.ci_low, reported.ci_high, reported.decimals)
    missing = missing_sizes(evidence, question, case.studies.study_ids, reported.k_studies)
    ratios = completed_ratios(MODEL, case.studies, missing, level=base.level, seed=base.seed)
    return {INTERVAL_SHAPES.file: [{
        "reported_id": reported.reported_id, "endpoint": rule.endpoint, "subset": question.subset,
        "published": reported.estimate, "published_lower": reported.ci_low, "published_upper": reported.ci_high,
        **shape_cells(shape, ratios)}]}
