"""Numbers that the evidence lacks or that are in doubt: what is known of each, what contradicts it, where to look."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analysis.evidence.directory import Evidence
from analysis.evidence.types import Endpoint, Fact, Study
from analysis.system.groups import grouped

MISSING, DOUBTFUL = "missing", "doubtful"
_SURE = ("", "A", "B")
_MOST_FACTS, _MOST_SOURCES = 6, 3
_COUNTED = ("events", "percent", "median", "probability")
_SAID = {"events": "{}", "text": "{}", "percent": "{} %", "probability_percent": "survival {} %",
         "median_months": "median {} months"}


@dataclass(frozen=True)
class Wanted:
    """A number to look for, of one study and endpoint.

    Parameters
    ----------
    state : {"missing", "doubtful"}
        Whether no row is analysed, or only one of a lower tier.
    known, contradicted, where_to_look : str
        In words; empty where nothing is known.
    """

    study: Study
    endpoint: Endpoint
    state: str
    known: str
    contradicted: str
    where_to_look: str


def wanted(evidence: Evidence) -> Iterator[Wanted]:
    """Every missing or doubtful number, study after study."""
    numbers, facts, gaps = (grouped(rows, lambda row: (row.study_id, row.endpoint))
                            for rows in (evidence.numbers, evidence.facts, evidence.gaps))
    for study in evidence.studies:
        for endpoint in evidence.endpoints:
            about = study.study_id, endpoint.endpoint
            rows, stated = numbers.get(about, ()), facts.get(about, ())
            if any(row.tier in _SURE for row in rows):
                continue
            known = [*(gap.known for gap in gaps.get(about, ())), *(row.decision for row in rows),
                     *map(_in_words, stated[:_MOST_FACTS])]
            yield Wanted(study, endpoint, DOUBTFUL if rows else MISSING, "; ".join(filter(None, known)),
                         "; ".join(_contradictions(stated)), "; ".join(_places(evidence, study)))


def said(fact: Fact) -> str:
    """What a fact says, such as "44 of 53" or "median 12.9 months of 53 (8.7 to 23.4)"."""
    text = _SAID.get(fact.quantity, fact.quantity.replace("_", " ") + " {}").format(fact.value_text).strip()
    text += f" at {fact.time_months:g} months" if fact.time_months is not None else ""
    text += f" of {fact.denominator:g}" if fact.denominator is not None else ""
    low, high = ("not given" if limit is None else f"{limit:g}" for limit in (fact.ci_low, fact.ci_high))
    return text if low == high == "not given" else f"{text} ({low} to {high})"


def _in_words(fact: Fact) -> str:
    place = f" ({', '.join(filter(None, [fact.source_id, fact.locator]))})" if fact.source_id else ""
    return f"{fact.fact_id}: {said(fact)}{place}"


def _contradictions(facts: Iterable[Fact]) -> Iterator[str]:
    """Quantities of which the ledger has different values at one time."""
    counted = (fact for fact in facts if fact.quantity.startswith(_COUNTED))
    for (quantity, _), alike in grouped(counted, lambda fact: (fact.quantity, fact.time_months)).items():
        if len({(fact.value, fact.denominator) for fact in alike}) > 1:
            yield f"{quantity.replace('_', ' ')}: " + " or ".join(
                f"{fact.value_text}" + (f"/{fact.denominator:g}" if fact.denominator else "") for fact in alike)


def _places(evidence: Evidence, study: Study) -> Iterator[str]:
    """What to look up first, then the sources that the study's facts come from."""
    yield from (gap.look_up for gap in evidence.gaps if gap.look_up and gap.study_id == study.study_id)
    cited = dict.fromkeys(fact.source_id for fact in evidence.facts if fact.study_id == study.study_id)
    sources = [source for source in evidence.sources if source.source_id in cited]
    for source in sorted(sources, key=lambda source: not source.kind.startswith("primary"))[:_MOST_SOURCES]:
        yield source.citation + (f", doi {source.doi}" if source.doi else "")
