"""Other counts of a rate: without a timing or a grading scale, and over other denominators."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from analysis.cases.selection import candidates, shared_patients
from analysis.chapters.sensitivity.variants import Headline, Variant
from analysis.evidence import Response

_EVERY_TIER = "ABC"


def without_timings(headline: Headline) -> Iterator[Variant]:
    """Without the studies that assessed at one time, for each time in words; where the times differ."""
    return _without_each(headline, "timing", lambda row: row.timing)


def without_gradings(headline: Headline) -> Iterator[Variant]:
    """Without the studies that graded by one scale, for each known scale; where more than one is known."""
    return _without_each(headline, "grading", lambda row: row.grading)


def _without_each(headline: Headline, dimension: str, value_of: Callable[[Response], str]) -> Iterator[Variant]:
    values = dict.fromkeys(value_of(row) for row in headline.rows if value_of(row)) if headline.is_rate else {}
    for value in values if len(values) > 1 else ():
        kept = [row for row in headline.rows if value_of(row) != value]
        yield headline.variant(dimension, f"without: {value}", rows=kept)


def other_denominators(headline: Headline) -> Iterator[Variant]:
    """Each denominator that a scenario gives a study with a row of any tier.

    The events among fewer patients are not known: the fewest and the most that the printed count allows, and the
    same share, are taken.
    """
    if not headline.is_rate:
        return
    any_tier = {row.study_id: row for row in
                candidates(headline.evidence, replace(headline.job.question, tiers=_EVERY_TIER)).rows}
    current = {row.study_id: row for row in headline.rows}
    name = headline.endpoint.endpoint
    for scenario in (row for row in headline.evidence.scenarios if row.endpoint == name and row.study_id):
        row = current.get(scenario.study_id) or any_tier.get(scenario.study_id)
        if row is None or row.n == scenario.n:
            continue
        for events in dict.fromkeys(possible_events(row.events, row.n, scenario.n)):
            label = f"{headline.evidence.study(row.study_id).label}: {events}/{scenario.n} for {row.events}/{row.n}"
            changed = {**current, row.study_id: replace(row, events=events, n=scenario.n)}
            if shared_patients(headline.evidence, changed):
                continue
            tiers = "".join(sorted({*headline.job.question.tiers, row.tier}))
            yield headline.variant("denominator", label, rows=list(changed.values()), tiers=tiers)


def possible_events(events: int, n: int, other: int) -> tuple[int, int, int]:
    """Fewest, in proportion, and most events among `other` patients who are part of the n, or of whom the n are part.

    Of n with `events`, n - other are dropped: at least events - (n - other) remain and at most all. Where patients
    are added, from none to all of them have the event.
    """
    if other <= n:
        low, high = max(0, events - (n - other)), min(events, other)
    else:
        low, high = events, events + other - n
    return low, min(max(round(events * other / n), low), high), high


def enrolled(headline: Headline) -> Iterator[Variant]:
    """Benefit counted over the enrolled patients where their number is known: who was not treated had none."""
    endpoint = headline.endpoint
    if not headline.is_rate or endpoint.direction != "benefit" or endpoint.population not in ("", "treated"):
        return
    sizes: Mapping[str, int | None] = {study.study_id: study.n_enrolled for study in headline.evidence.studies}
    known = [row for row in headline.rows if (sizes[row.study_id] or 0) >= row.n]
    if known:
        kept = [replace(row, n=sizes[row.study_id]) if row in known else row for row in headline.rows]
        yield headline.variant("enrolled", f"enrolled, known for {len(known)} of {len(kept)} studies", rows=kept)
