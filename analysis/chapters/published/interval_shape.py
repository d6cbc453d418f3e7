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

from analysis.cases.selection import Question, reason_against_study
from analysis.evidence import Evidence
from analysis.frequentist.likelihood import beta_binomial_mean
from analysis.inference.density import density_of
from analysis.inference.draws import draw
from analysis.inference.grid import solve
from models.model import Model
from models.studies import RateStudies

COLUMNS = ("reported_id", "endpoint", "subset", "published", "published_lower", "published_upper", "arm_ratio_low",
           "arm_ratio_high", "methods_low", "methods_high", "completed", "completed_low", "completed_high",
           "share_at_least_as_lopsided", "symmetric_about", "verdict", "stamp")
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
        events = rng.binomial(n, model.new_study(one, rng)[:len(n)])
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
    ratios = [log_arm_ratio(one["estimate"], one["lower"], one["upper"]) for one in methods
              if one["estimand"] == "mean_rate" and 0.0 < one["estimate"] < 1.0]
    known = [ratio for ratio in ratios if math.isfinite(ratio)]
    if not known or row.get("completed_low") is None:
        return {**row, "verdict": "not judged: no method gives two limits"}
    low, high = math.exp(min(known)), math.exp(max(known))
    reach = min(low, row["completed_low"]), max(high, row["completed_high"])
    outside = row["arm_ratio_low"] > reach[1] or row["arm_ratio_high"] < reach[0]
    return {**row, "methods_low": low, "methods_high": high,
            "verdict": "outside what the methods give" if outside else "within what the methods give"}
