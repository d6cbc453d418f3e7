"""Published totals as data: how likely they are given the studies with a count, and what they add to these.

A sensitivity analysis: it assumes that our counts are the ones behind the total. With t the events left for the
unknown studies, whose sizes n_i are taken from a reading of the review,

    p(mu, rho | known, t)  is proportional to  p(mu, rho | known) P(Y_1 + ... + Y_m = t | mu, rho, n),

and the predictive probability of the total is the mean of the last factor over p(mu, rho | known).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from analysis.cases.case import typed_studies
from analysis.cases.selection import Selection
from analysis.chapters.missing.convolution import MOST_PATIENTS, ImpossibleTotal, check_total, total_likelihood
from analysis.chapters.missing.rates import count_quantile, mean_rate, posterior, predictive
from analysis.chapters.missing.readings import Reading, readings
from analysis.evidence import Evidence
from analysis.inference.grid import Grid, QuadratureFailed
from models.beta_binomial import MODEL
from models.priors import Prior

FILE = "published_totals.csv"
COMPUTED, NOT_COMPUTED = "computed", "not computed"


@dataclass(frozen=True)
class PublishedTotal:
    """One reading of one published total.

    Parameters
    ----------
    absent : str
        Studies taken not to be behind the total, separated by blanks.
    missing : str
        Unknown studies with their patients, such as "a_2019:9 b_2020:23".
    probability : float or None
        Predictive probability of exactly this total, P(T = t).
    mid_p : float or None
        P(T < t) + P(T = t) / 2: near 0 where the total is lower than expected, near 1 where it is higher.
    two_sided : float or None
        Twice the smaller of mid_p and 1 - mid_p.
    expected_events, events_lower, events_upper : float or None
        Predictive mean and limits (at `level`) of the events of the unknown studies.
    known_median, known_lower, known_upper : float or None
        Mean rate from the studies with a count alone.
    median, lower, upper : float or None
        Mean rate with the total as well.
    """

    endpoint: str
    model: str
    tiers: str
    study_set: str
    scenario: str
    absent: str
    denominators: str
    total_k: int
    total_events: int | None
    total_n: int | None
    known_k: int
    known_events: int
    known_n: int
    missing_k: int | None
    missing_n: int | None
    missing_events: int | None
    missing: str
    base_gap: int | None
    status: str
    reason: str
    probability: float | None = None
    mid_p: float | None = None
    two_sided: float | None = None
    expected_events: float | None = None
    events_lower: int | None = None
    events_upper: int | None = None
    known_median: float | None = None
    known_lower: float | None = None
    known_upper: float | None = None
    median: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    interval: str = ""
    note: str = ""


PUBLISHED_TOTAL_COLUMNS = tuple(field.name for field in fields(PublishedTotal))


def total_rows(evidence: Evidence, selection: Selection, priors: Mapping[str, Prior], *, level: float,
               headline: Grid | None) -> tuple[PublishedTotal, ...]:
    """A row for every reading of the totals published for one endpoint.

    Parameters
    ----------
    headline : Grid or None
        The posterior from the studies with a count; None where there is none.
    """
    return tuple(_row(selection, reading, priors, level, headline) for reading in readings(evidence, selection))


def trouble_with(reading: Reading, headline: Grid | None) -> str:
    """Why a reading has no result; empty where it has one."""
    if reading.reason:
        return reading.reason
    if headline is None:
        return "the posterior of the studies with a count did not settle"
    if sum(reading.sizes) > MOST_PATIENTS:
        return f"more than {MOST_PATIENTS:,} patients are in studies without a count"
    try:
        check_total(reading.missing_events, reading.sizes)
    except ImpossibleTotal as error:
        return str(error)
    return ""


def tail_probabilities(probabilities: np.ndarray, total: int) -> dict[str, float]:
    """How surprising a total is under a predictive distribution: P(T = t), the mid-p of T <= t, and both tails."""
    mid_p = float(probabilities[:total].sum() + 0.5 * probabilities[total])
    above = float(probabilities[total + 1:].sum() + 0.5 * probabilities[total])
    return {"probability": float(probabilities[total]), "mid_p": mid_p, "two_sided": 2.0 * min(mid_p, above)}


def _row(selection: Selection, reading: Reading, priors: Mapping[str, Prior], level: float,
         headline: Grid | None) -> PublishedTotal:
    reason = trouble_with(reading, headline)
    try:
        found = {} if reason else _results(selection, reading, priors, level, headline)
    except QuadratureFailed as error:
        reason, found = str(error), {}
    question, unknown = selection.question, None if reading.reason else reading
    return PublishedTotal(
        question.endpoint, MODEL.name, question.tiers, question.study_set, reading.scenario,
        " ".join(reading.absent), reading.denominators, reading.k_studies, reading.total_events, reading.total_n,
        reading.known_k, reading.known_events, reading.known_n,
        unknown and len(unknown.missing), unknown and sum(unknown.sizes), unknown and unknown.missing_events,
        " ".join(f"{study_id}:{n}" for study_id, n in reading.missing.items()), reading.base_gap,
        NOT_COMPUTED if reason else COMPUTED, reason, note=reading.note, **found)


def _results(selection: Selection, reading: Reading, priors: Mapping[str, Prior], level: float,
             headline: Grid) -> dict[str, Any]:
    """The cells that a reading with a possible total fills."""
    studies, _ = typed_studies(selection)
    probabilities = predictive(headline, reading.sizes)
    events = reading.missing_events
    extra = total_likelihood(reading.sizes, total=events)
    known, both = mean_rate(headline, level=level), mean_rate(posterior(studies, priors, extra=extra), level=level)
    return {**tail_probabilities(probabilities, events),
            "expected_events": float(np.arange(len(probabilities)) @ probabilities),
            "events_lower": count_quantile(probabilities, (1.0 - level) / 2.0),
            "events_upper": count_quantile(probabilities, (1.0 + level) / 2.0),
            **{f"known_{name}": value for name, value in asdict(known).items()}, **asdict(both),
            "level": level, "interval": "credible"}
