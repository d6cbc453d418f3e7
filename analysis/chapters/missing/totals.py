"""Published totals as data: how likely they are given the studies with a count, and what they add to these.

A sensitivity analysis: it assumes that our counts are the ones behind the total. With t the events left for the
unknown studies, whose sizes n_i are taken from a reading of the review,

    p(mu, rho | known, t)  is proportional to  p(mu, rho | known) P(Y_1 + ... + Y_m = t | mu, rho, n),

and the predictive probability of the total is the mean of the last factor over p(mu, rho | known).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from analysis.cases.case import typed_studies
from analysis.cases.selection import Selection
from analysis.chapters.missing.convolution import MOST_PATIENTS, ImpossibleTotal, check_total, total_likelihood
from analysis.chapters.missing.rates import count_quantile, mean_rate, posterior, predictive
from analysis.chapters.missing.readings import Reading, readings
from analysis.evidence import Evidence
from analysis.inference.grid import Grid, QuadratureFailed
from analysis.results.columns import columns
from analysis.results.table import Column, Layout
from models.beta_binomial import MODEL
from models.priors import Prior

COMPUTED, NOT_COMPUTED = "computed", "not computed"
PUBLISHED_TOTALS = Layout("published_totals.csv", "One reading of one published total.", columns(
    "endpoint model tiers study_set", Column("scenario", "as_printed, or a scenario of scenarios.csv", "text"),
    Column("absent", "studies taken not to be behind the total", "text"),
    Column("denominators", "whether unknown studies enter with their treated patients or with reduced ones", "text"),
    Column("total_k", "studies behind the total", "count"), Column("total_events", "events of the total", "count"),
    Column("total_n", "patients of the total", "count"),
    Column("known_k", "studies with a count that are behind it", "count"),
    Column("known_events", "their events", "count"), Column("known_n", "their patients", "count"),
    Column("missing_k", "studies behind it without a count", "count"),
    Column("missing_n", "their patients", "count"), Column("missing_events", "events left for them", "count"),
    Column("missing", "these studies with their patients", "text"),
    Column("base_gap", "patients of all studies behind the total minus the printed base", "count"), "status reason",
    Column("probability", "predictive probability of exactly this total"),
    Column("mid_p", "of the total: near 0 where it is lower than expected, near 1 where it is higher"),
    Column("two_sided", "twice the smaller of mid_p and 1 - mid_p"),
    Column("expected_events", "predictive mean of the events of the unknown studies"),
    Column("events_lower", "lower predictive limit", "count"),
    Column("events_upper", "upper predictive limit", "count"),
    Column("known_median", "posterior median of the mean rate from the studies with a count alone"),
    Column("known_lower", "its lower limit"), Column("known_upper", "its upper limit"),
    "median lower upper level interval note stamp"))


def total_rows(evidence: Evidence, selection: Selection, priors: Mapping[str, Prior], *, level: float,
               headline: Grid | None) -> tuple[dict[str, Any], ...]:
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
         headline: Grid | None) -> dict[str, Any]:
    reason = trouble_with(reading, headline)
    try:
        found = {} if reason else _results(selection, reading, priors, level, headline)
    except QuadratureFailed as error:
        reason, found = str(error), {}
    question, unknown = selection.question, None if reading.reason else reading
    return {
        "endpoint": question.endpoint, "model": MODEL.name, "tiers": question.tiers, "study_set": question.study_set,
        "scenario": reading.scenario, "absent": " ".join(reading.absent), "denominators": reading.denominators,
        "total_k": reading.k_studies, "total_events": reading.total_events, "total_n": reading.total_n,
        "known_k": reading.known_k, "known_events": reading.known_events, "known_n": reading.known_n,
        "missing_k": unknown and len(unknown.missing), "missing_n": unknown and sum(unknown.sizes),
        "missing_events": unknown and unknown.missing_events,
        "missing": " ".join(f"{study_id}:{n}" for study_id, n in reading.missing.items()),
        "base_gap": reading.base_gap, "status": NOT_COMPUTED if reason else COMPUTED, "reason": reason,
        "interval": "", "note": reading.note, **found}


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
