"""Bounds of the pooled rate over what the studies without a count can have shown.

Each bound puts counts in the place of the missing ones and forms the posterior anew. The extreme bounds hold
whatever the missing studies showed; the plausible ones are about studies like those with a count; a split of the
events that a published total leaves assumes that our counts are the ones behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.cases.case import typed_studies
from analysis.cases.selection import ALL, Selection
from analysis.chapters.missing.convolution import MOST_PATIENTS
from analysis.chapters.missing.rates import count_quantile, mean_rate, posterior, predictive
from analysis.chapters.missing.readings import TREATED, Reading, base_trouble, members, readings
from analysis.chapters.missing.splits import filled, in_proportion
from analysis.chapters.missing.totals import COMPUTED, NOT_COMPUTED, trouble_with
from analysis.evidence import Evidence, Reported, Study
from analysis.inference.grid import Grid, QuadratureFailed
from analysis.results.columns import columns
from analysis.results.comparison import rule_for
from analysis.results.table import Column, Layout
from models.beta_binomial import MODEL
from models.priors import Prior
from models.studies import RateStudies

HEADLINE, PUBLISHED = "headline", "published"
EXTREME = ("extreme_low", "extreme_high")
EACH = ("each_low", "each_high")
JOINT = ("joint_low", "joint_high")
SPLITS = ("total_even", "total_in_largest", "total_in_smallest")


MISSING_BOUNDS = Layout("missing_bounds.csv", "The mean rate when the missing studies showed certain counts.", columns(
    "endpoint model tiers study_set",
    Column("bound", "headline: the studies with a count alone; extreme_low and extreme_high: no event, or the event in "
           "every patient, of each missing study; each_low and each_high: every missing study at the limit of its own "
           "predictive distribution; joint_low and joint_high: their sum at its limit, spread in proportion; "
           "total_even, total_in_largest and total_in_smallest: the events that a published total leaves, spread in "
           "proportion or filled into the largest or the smallest studies; published: the printed number", "text"),
    Column("scenario", "reading of the published total", "text"),
    Column("known_k", "studies with a count", "count"), Column("known_n", "their patients", "count"),
    Column("published_k", "largest number of studies that is printed", "count"),
    Column("missing_k", "studies without a count", "count"), Column("missing_n", "their patients", "count"),
    Column("missing_events", "their events under this bound", "count"),
    Column("missing", "missing studies with their counts", "text"), "status reason",
    Column("median", "posterior median of the mean rate; the printed estimate where published"),
    "lower upper level interval note stamp"))


def published_row(evidence: Evidence, selection: Selection) -> Reported | None:
    """The primary printed number that the endpoint's mean rate answers, over all studies."""
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if (rule and rule.endpoint == selection.endpoint.endpoint and rule.estimand == "mean_rate"
                and rule.transform != "complement" and (reported.subset or ALL) == ALL and reported.primary):
            return reported
    return None


def published_k(evidence: Evidence, selection: Selection) -> int | None:
    """The largest number of studies that is printed for the endpoint over all studies; None where none is."""
    own = [total.k_studies for total in evidence.totals if total.endpoint == selection.endpoint.endpoint]
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if rule and rule.endpoint == selection.endpoint.endpoint and (reported.subset or ALL) == ALL:
            own.append(reported.k_studies)
    return max((k for k in own if k is not None), default=None)


def bound_rows(evidence: Evidence, selection: Selection, priors: Mapping[str, Prior], *, level: float,
               headline: Grid | None) -> tuple[dict[str, Any], ...]:
    """The rows of one endpoint; none where no study is missing.

    Parameters
    ----------
    headline : Grid or None
        The posterior from the studies with a count; None where there is none.
    """
    k = published_k(evidence, selection)
    count = 0 if k is None else k - len(selection.rows)
    if count <= 0:
        return ()
    candidates = _candidates(evidence, selection)
    chosen = {study.study_id: study.n_treated for study in candidates[:count]}
    shared = _shared(selection, k, count)
    reason = _trouble(evidence, selection, chosen, headline)
    if reason:
        return ({**shared, "bound": HEADLINE, "status": NOT_COMPUTED, "reason": reason},)
    note = _which(len(candidates), chosen, count)
    rows = [_summary(shared, HEADLINE, headline, level)]
    cases = [*_free_cases(headline, chosen, level, note), *_split_cases(evidence, selection, headline)]
    rows += [_bound(selection, priors, shared, level, **case) for case in cases]
    return (*rows, *_published(evidence, selection, shared))


def _candidates(evidence: Evidence, selection: Selection) -> list[Study]:
    """Studies that may be missing, the largest first."""
    known = {row.study_id for row in selection.rows}
    unknown = [study for study in members(evidence, selection.question)
               if study.study_id not in known and study.n_treated is not None]
    return sorted(unknown, key=lambda study: (-study.n_treated, study.study_id))


def _trouble(evidence: Evidence, selection: Selection, chosen: Mapping[str, int], headline: Grid | None) -> str:
    if trouble := base_trouble(evidence, selection):
        return trouble
    if not selection.rows:
        return "no study has a count of its own"
    if headline is None:
        return "the posterior of the studies with a count did not settle"
    if not chosen:
        return "no study without a count has a known number of patients"
    return ""


def _which(candidates: int, sizes: Mapping[str, int], count: int) -> str:
    """What is assumed about which studies are missing, and about their denominators."""
    notes = ["evaluable as treated"]
    if len(sizes) < count:
        notes.insert(0, f"{count} studies are missing, {len(sizes)} of them with a known number of patients")
    elif candidates > count:
        notes.insert(0, f"which {count} of {candidates} studies are missing is not known: the largest")
    if sum(sizes.values()) > MOST_PATIENTS:
        notes.append(f"plausible bounds are not formed for more than {MOST_PATIENTS:,} missing patients")
    return "; ".join(notes)


def _free_cases(headline: Grid, sizes: Mapping[str, int], level: float, note: str) -> Iterator[dict[str, Any]]:
    """Counts of the missing studies without regard to a total: extreme, each plausible, jointly plausible."""
    n = tuple(sizes.values())
    limits = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    for bound, events in zip(EXTREME, ((0,) * len(n), n), strict=True):
        yield {"bound": bound, "sizes": sizes, "events": events, "note": note}
    if sum(n) > MOST_PATIENTS:
        return
    alone = {size: predictive(headline, [size]) for size in set(n)}
    together = predictive(headline, n)
    for bound, p in zip(EACH, limits, strict=True):
        yield {"bound": bound, "sizes": sizes, "events": [count_quantile(alone[size], p) for size in n], "note": note}
    for bound, p in zip(JOINT, limits, strict=True):
        yield {"bound": bound, "sizes": sizes, "events": in_proportion(count_quantile(together, p), n), "note": note}


def _split_cases(evidence: Evidence, selection: Selection, headline: Grid) -> Iterator[dict[str, Any]]:
    """Counts of the missing studies that add up to a total: for each scenario the reading whose base fits best."""
    best: dict[str, Reading] = {}
    for reading in readings(evidence, selection):
        if reading.denominators == TREATED and not trouble_with(reading, headline):
            best.setdefault(reading.scenario, reading)
    for scenario, reading in best.items():
        total, n = reading.missing_events, reading.sizes
        splits = (in_proportion(total, n), filled(total, n, largest_first=True), filled(total, n, largest_first=False))
        for bound, events in zip(SPLITS, splits, strict=True):
            yield {"bound": bound, "sizes": reading.missing, "events": events, "scenario": scenario,
                   "note": reading.note}


def _bound(selection: Selection, priors: Mapping[str, Prior], shared: Mapping[str, Any], level: float, *, bound: str,
           sizes: Mapping[str, int], events: Sequence[int], note: str, scenario: str = "") -> dict[str, Any]:
    known, _ = typed_studies(selection)
    studies = RateStudies((*known.study_ids, *sizes), [*known.events, *events], [*known.evaluable, *sizes.values()])
    cells = {"scenario": scenario, "missing_n": sum(sizes.values()), "missing_events": sum(events),
             "missing": " ".join(f"{study_id}:{y}/{n}" for (study_id, n), y in zip(sizes.items(), events, strict=True)),
             "note": note}
    try:
        return _summary(shared | {"missing_k": len(sizes)}, bound, posterior(studies, priors), level, **cells)
    except QuadratureFailed as error:
        return {**shared, "bound": bound, "status": NOT_COMPUTED, "reason": str(error), **cells}


def _shared(selection: Selection, k: int, count: int) -> dict[str, Any]:
    question = selection.question
    return {"endpoint": question.endpoint, "model": MODEL.name, "tiers": question.tiers,
            "study_set": question.study_set, "known_k": len(selection.rows),
            "known_n": sum(row.n for row in selection.rows), "published_k": k, "missing_k": count}


def _summary(shared: Mapping[str, Any], bound: str, grid: Grid, level: float, **cells: Any) -> dict[str, Any]:
    return {**shared, "bound": bound, "status": COMPUTED, **asdict(mean_rate(grid, level=level)), "level": level,
            "interval": "credible", **cells}


def _published(evidence: Evidence, selection: Selection, shared: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    reported = published_row(evidence, selection)
    if reported is not None:
        yield {**shared, "model": "", "bound": PUBLISHED, "status": PUBLISHED, "median": reported.estimate,
               "lower": reported.ci_low, "upper": reported.ci_high, "level": reported.level,
               "interval": "confidence" if reported.ci_low is not None else "", "note": reported.note}
