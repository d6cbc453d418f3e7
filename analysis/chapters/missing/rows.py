"""Published totals as data, and bounds over what the studies without a count can have shown: a sensitivity analysis.

A total is used as if our counts were the ones behind it. With t the events left for the unknown studies, whose sizes
n_i are taken from a reading of the review,

    p(mu, rho | known, t)  is proportional to  p(mu, rho | known) P(Y_1 + ... + Y_m = t | mu, rho, n),

and the predictive probability of the total is the mean of the last factor over p(mu, rho | known).

Each bound puts counts in the place of the missing ones and forms the posterior anew. The extreme bounds hold
whatever the missing studies showed; the plausible ones are about studies like those with a count; a split of the
events that a published total leaves assumes that our counts are the ones behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from analysis.cases.case import Case, own_priors, typed_studies
from analysis.cases.selection import candidates, shared_patients
from analysis.cases.settings import ALL, Job
from analysis.chapters.missing import counts
from analysis.chapters.missing.readings import TREATED, Reading, members, readings
from analysis.evidence.directory import Evidence
from analysis.evidence.types import ComparisonRule, Reported, Study
from analysis.inference.posterior import Posterior, QuadratureFailed, posterior_of, posterior_with
from analysis.results.comparison import rule_for
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import limit_cells, question_cells
from models.beta_binomial import MODEL
from models.studies import RateStudies

HEADLINE, PUBLISHED = "headline", "published"

PUBLISHED_TOTALS = Layout("published_totals.csv", "One reading of one published total.", columns(
    "endpoint model tiers study_set",
    Column("scenario", "as_printed, or a scenario of scenarios.csv", "text", "Reading"),
    Column("absent", "studies taken not to be behind the total", "text", "Absent"),
    Column("denominators", "whether unknown studies enter with their treated patients or with reduced ones", "text"),
    Column("total_k", "studies behind the total", "count"), Column("total_events", "events of the total", "count"),
    Column("total_n", "patients of the total", "count"),
    Column("known_k", "studies with a count that are behind it", "count"),
    Column("known_events", "their events", "count"), Column("known_n", "their patients", "count"),
    Column("missing_k", "studies behind it without a count", "count"),
    Column("missing_n", "their patients", "count"),
    Column("missing_events", "events left for them", "of missing_n", "Missing events / patients"),
    Column("missing", "these studies with their patients", "text"),
    Column("base_gap", "patients of all studies behind the total minus the printed base", "count"), "status reason",
    Column("probability", "predictive probability of exactly this total", "chance", "P(this total)"),
    Column("mid_p", "of the total: near 0 where it is lower than expected, near 1 where it is higher", "chance",
           "mid-p"),
    Column("two_sided", "twice the smaller of mid_p and 1 - mid_p"),
    Column("expected_events", "predictive mean of the events of the unknown studies",
           heading="Expected [{level} prediction]"),
    Column("events_lower", "lower predictive limit", "count"),
    Column("events_upper", "upper predictive limit", "count"),
    Column("known_median", "posterior median of the mean rate from the studies with a count alone", "estimate",
           "Without the total{unit} [{level} credible]"),
    Column("known_lower", "its lower limit"), Column("known_upper", "its upper limit"),
    "median lower upper level interval note stamp"))
MISSING_BOUNDS = Layout("missing_bounds.csv", "The mean rate when the missing studies showed certain counts.", columns(
    "endpoint model tiers study_set",
    Column("bound", "headline: the studies with a count alone; extreme_low and extreme_high: no event, or the event in "
           "every patient, of each missing study; each_low and each_high: every missing study at the limit of its own "
           "predictive distribution; joint_low and joint_high: their sum at its limit, spread in proportion; "
           "total_even, total_in_largest and total_in_smallest: the events that a published total leaves, spread in "
           "proportion or filled into the largest or the smallest studies; published: the printed number", "text",
           "If"),
    Column("scenario", "reading of the published total", "text"),
    Column("known_k", "studies with a count", "pair known_n", "Studies / patients"),
    Column("known_n", "their patients", "count"),
    Column("published_k", "largest number of studies that is printed", "count"),
    Column("missing_k", "studies without a count", "pair missing_n", "Missing studies / patients"),
    Column("missing_n", "their patients", "count"),
    Column("missing_events", "their events under this bound", "count", "Missing events"),
    Column("missing", "missing studies with their counts", "text"), "status reason",
    Column("median", "posterior median of the mean rate; the printed estimate where published", "estimate",
           "Mean rate{unit}"), "lower upper level interval note stamp"))


def missing_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of both tables for one rate endpoint, by the beta-binomial model and quadrature.

    Published numbers are about the review's studies, so that the set is always the review and the subset always all.

    Parameters
    ----------
    base : Job
        Its tiers decide which studies have a count; its priors are those of a whole run.
    """
    question = replace(base.question, endpoint=endpoint, subset=ALL, study_set="review")
    selection = candidates(evidence, question)
    case = Case(replace(base, question=question, model=MODEL.name), selection, MODEL, own_priors(MODEL, base),
                *typed_studies(selection))
    headline, trouble = _headline(evidence, case)
    totals = tuple(readings(evidence, selection, trouble))
    return {PUBLISHED_TOTALS.file: [_total_row(case, reading, headline) for reading in totals],
            MISSING_BOUNDS.file: list(_bound_rows(evidence, case, totals, headline, trouble))}


def _headline(evidence: Evidence, case: Case) -> tuple[Posterior | None, str]:
    """The posterior from the studies with a count, or why nothing can stand on it."""
    population = case.selection.endpoint.population
    if shared := shared_patients(evidence, case.studies.study_ids):
        return None, f"{' and '.join(shared[0])} share patients"
    if population not in ("", "treated"):
        return None, f"the base is {population}, and how many the studies without a count have is not known"
    if not len(case.studies):
        return None, "no study has a count of its own"
    try:
        return posterior_of(case), ""
    except QuadratureFailed:
        return None, "the posterior of the studies with a count did not settle"


def _total_row(case: Case, reading: Reading, headline: Posterior | None) -> dict[str, Any]:
    total, reason = reading.total, reading.reason
    row = {**PUBLISHED_TOTALS.pick(question_cells(case.question, case.model.name)), "scenario": reading.scenario,
           "absent": " ".join(reading.absent), "denominators": reading.denominators, "total_k": total.k_studies,
           "total_events": total.events, "total_n": total.n, "known_k": len(reading.known),
           "known_events": sum(row.events for row in reading.known), "known_n": sum(row.n for row in reading.known),
           "base_gap": reading.base_gap, "note": reading.note}
    if reading.missing is not None:
        row |= {"missing_k": len(reading.missing), "missing_n": sum(reading.sizes),
                "missing_events": reading.missing_events,
                "missing": " ".join(f"{study_id}:{n}" for study_id, n in reading.missing.items())}
    try:
        row |= {} if reason else _with_total(case, reading, headline)
    except QuadratureFailed as error:
        reason = str(error)
    return {**row, "status": NOT_COMPUTED if reason else COMPUTED, "reason": reason}


def _with_total(case: Case, reading: Reading, headline: Posterior) -> dict[str, Any]:
    """The cells that a reading with a possible total fills."""
    sizes, events = reading.sizes, reading.missing_events
    law = counts.predictive(headline, sizes)
    lower, _, upper = law.limits(case.level).tolist()
    extra = partial(counts.sum_log_probability, sizes=sizes, total=events)
    both = posterior_with(case, extra)
    return {**counts.tail_probabilities(law.probabilities, events), "events_lower": lower, "events_upper": upper,
            "expected_events": float(np.arange(len(law.probabilities)) @ law.probabilities),
            **limit_cells(headline.summary("mu"), "known_"), **_computed(both)}


class _Bound(NamedTuple):
    """What is put in the place of the missing counts."""

    name: str
    sizes: Mapping[str, int]
    events: Sequence[int]
    note: str
    scenario: str = ""


def _bound_rows(evidence: Evidence, case: Case, totals: Sequence[Reading], headline: Posterior | None,
                trouble: str) -> Iterator[dict[str, Any]]:
    """The bounds of one endpoint; none where no study is missing."""
    printed = _printed(evidence, case.question.endpoint)
    numbers = [*(total for total in evidence.totals if total.endpoint == case.question.endpoint),
               *(reported for reported, _ in printed)]
    published_k = max((number.k_studies or 0 for number in numbers), default=0)
    count = published_k - len(case.studies)
    if count <= 0:
        return
    unknown = _unknown_studies(evidence, case)
    sizes = {study.study_id: study.n_treated for study in unknown[:count]}
    shared = {**MISSING_BOUNDS.pick(question_cells(case.question, case.model.name)), "bound": HEADLINE,
              "known_k": len(case.studies), "known_n": case.studies.patients, "published_k": published_k,
              "missing_k": count}
    if trouble or not sizes:
        yield {**shared, "status": NOT_COMPUTED,
               "reason": trouble or "no study without a count has a known number of patients"}
        return
    yield {**shared, **_computed(headline)}
    for bound in (*_free(headline, sizes, _note(len(unknown), sizes, count)), *_splits(totals)):
        yield {**shared, **_completed(case, bound)}
    for reported in _published(printed):
        yield {**shared, "model": "", "bound": PUBLISHED, "status": PUBLISHED, "median": reported.estimate,
               "lower": reported.ci_low, "upper": reported.ci_high, "level": reported.level,
               "interval": "confidence" if reported.ci_low is not None else "", "note": reported.note}


def _printed(evidence: Evidence, endpoint: str) -> list[tuple[Reported, ComparisonRule]]:
    """Printed numbers over all studies that are about the endpoint."""
    pairs = [(reported, rule_for(evidence, reported)) for reported in evidence.reported
             if (reported.subset or ALL) == ALL]
    return [(reported, rule) for reported, rule in pairs if rule and rule.endpoint == endpoint]


def _published(printed: Sequence[tuple[Reported, ComparisonRule]]) -> list[Reported]:
    """The first primary number that the mean rate answers, if there is one."""
    return [reported for reported, rule in printed
            if rule.estimand == "mean_rate" and rule.transform != "complement" and reported.primary][:1]


def _unknown_studies(evidence: Evidence, case: Case) -> list[Study]:
    """Studies that may be missing, the largest first."""
    unknown = [study for study in members(evidence, case.question)
               if study.study_id not in case.studies.study_ids and study.n_treated is not None]
    return sorted(unknown, key=lambda study: (-study.n_treated, study.study_id))


def _note(candidates_count: int, sizes: Mapping[str, int], count: int) -> str:
    """What is assumed about which studies are missing, and about their denominators."""
    notes = ["evaluable as treated"]
    if len(sizes) < count:
        notes.insert(0, f"{count} studies are missing, {len(sizes)} of them with a known number of patients")
    elif candidates_count > count:
        notes.insert(0, f"which {count} of {candidates_count} studies are missing is not known: the largest")
    if sum(sizes.values()) > counts.MOST_PATIENTS:
        notes.append(f"plausible bounds are not formed for more than {counts.MOST_PATIENTS:,} missing patients")
    return "; ".join(notes)


def _free(headline: Posterior, sizes: Mapping[str, int], note: str) -> Iterator[_Bound]:
    """Counts of the missing studies without regard to a total: extreme, each plausible, jointly plausible."""
    n = tuple(sizes.values())
    yield _Bound("extreme_low", sizes, (0,) * len(n), note)
    yield _Bound("extreme_high", sizes, n, note)
    if sum(n) > counts.MOST_PATIENTS:
        return
    level, ends = headline.case.level, {"low": 0, "high": 2}
    alone = {size: counts.predictive(headline, [size]).limits(level).tolist() for size in set(n)}
    together = counts.predictive(headline, n).limits(level).tolist()
    for end, at in ends.items():
        yield _Bound(f"each_{end}", sizes, [alone[size][at] for size in n], note)
    for end, at in ends.items():
        yield _Bound(f"joint_{end}", sizes, counts.in_proportion(together[at], n), note)


def _splits(totals: Sequence[Reading]) -> Iterator[_Bound]:
    """Counts of the missing studies that add up to a total: for each scenario the reading whose base fits best."""
    best: dict[str, Reading] = {}
    for reading in totals:
        if reading.denominators == TREATED and not reading.reason:
            best.setdefault(reading.scenario, reading)
    for scenario, reading in best.items():
        total, n = reading.missing_events, reading.sizes
        for name, events in (("total_even", counts.in_proportion(total, n)),
                              ("total_in_largest", counts.filled(total, n, largest_first=True)),
                              ("total_in_smallest", counts.filled(total, n, largest_first=False))):
            yield _Bound(name, reading.missing, events, reading.note, scenario)


def _completed(case: Case, bound: _Bound) -> dict[str, Any]:
    """The cells of one bound: its counts, and the mean rate with them."""
    studies, sizes, events = case.studies, bound.sizes, bound.events
    cells = {"bound": bound.name, "scenario": bound.scenario, "missing_k": len(sizes), "note": bound.note,
             "missing_n": sum(sizes.values()), "missing_events": sum(events), "missing": " ".join(
                 f"{study_id}:{y}/{n}" for (study_id, n), y in zip(sizes.items(), events, strict=True))}
    completed = RateStudies((*studies.study_ids, *sizes), [*studies.events, *events],
                            [*studies.evaluable, *sizes.values()])
    try:
        return {**cells, **_computed(posterior_of(case.but(studies=completed)))}
    except QuadratureFailed as error:
        return {**cells, "status": NOT_COMPUTED, "reason": str(error)}


def _computed(posterior: Posterior) -> dict[str, Any]:
    return {"status": COMPUTED, **limit_cells(posterior.summary("mu")), "level": posterior.case.level,
            "interval": "credible"}
