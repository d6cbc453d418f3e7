"""Which studies a published total leaves unknown, under each reading of the review that arithmetic allows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from analysis.cases.selection import Question, Selection, reason_against_study, shared_patients
from analysis.chapters.missing.splits import in_proportion
from analysis.evidence import Evidence, Scenario, Study, Total

AS_PRINTED = "as_printed"
TREATED, REDUCED = "treated", "reduced"
NEAR = 0.025
"""How far the patients of a guessed set of studies may be from the printed base, as a share of it."""

_MOST_GUESSES = 5000
_MOST_READINGS = 12


@dataclass(frozen=True)
class Reading:
    """One reading of a published total: which studies are behind it, and what is left for those without a count.

    Parameters
    ----------
    absent : tuple of str
        Studies of the review that are taken not to be behind the total.
    denominators : {"treated", "reduced"}
        Whether the unknown studies enter with their treated patients (or the scenario's number), or with those
        reduced in proportion, so that the base is the printed one.
    known_k, known_events, known_n : int
        The studies with a count that are behind the total.
    missing : mapping of str to int
        Patients of each study behind the total without a count.
    base_gap : int or None
        Patients of all studies behind the total, as treated or counted, minus the printed base.
    reason : str
        Why nothing can be computed; empty where it can.
    """

    endpoint: str
    scenario: str
    absent: tuple[str, ...]
    denominators: str
    k_studies: int
    total_events: int | None
    total_n: int | None
    known_k: int
    known_events: int
    known_n: int
    missing: Mapping[str, int]
    base_gap: int | None
    reason: str
    note: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Patients of the unknown studies."""
        return tuple(self.missing.values())

    @property
    def missing_events(self) -> int:
        """Events left for the unknown studies."""
        return self.total_events - self.known_events


def members(evidence: Evidence, question: Question) -> tuple[Study, ...]:
    """Studies that can be behind a published number: of the set and the subset, and of a design that counts."""
    return tuple(study for study in evidence.studies if not reason_against_study(evidence, question, study))


def base_trouble(evidence: Evidence, selection: Selection) -> str:
    """Why the studies' patients cannot stand for the denominators of an endpoint; empty where they can."""
    shared = shared_patients(evidence, selection.study_ids)
    if shared:
        return f"{' and '.join(shared[0])} share patients"
    population = selection.endpoint.population
    return "" if population in ("", "treated") else \
        f"the base is {population}, and how many the studies without a count have is not known"


def readings(evidence: Evidence, selection: Selection) -> tuple[Reading, ...]:
    """Every reading of the endpoint's published totals: as printed, then the scenarios of scenarios.csv."""
    found = []
    for total in (row for row in evidence.totals if row.endpoint == selection.endpoint.endpoint):
        found += _of_total(evidence, selection, total, AS_PRINTED, ())
        own = [row for row in evidence.scenarios if row.endpoint == total.endpoint]
        for name in dict.fromkeys(row.scenario for row in own):
            found += _of_total(evidence, selection, total, name, [row for row in own if row.scenario == name])
    return tuple(found)


def _of_total(evidence: Evidence, selection: Selection, total: Total, name: str,
              scenario: Sequence[Scenario]) -> Iterator[Reading]:
    """The readings of one total in one scenario, those whose base fits best first."""
    changed = {row.study_id: row.n for row in scenario if row.study_id}
    known = {row.study_id: (row.events, row.n) for row in selection.rows}
    studies = members(evidence, selection.question)
    sizes = {study.study_id: changed.get(study.study_id, study.n_treated) for study in studies
             if study.study_id not in known}
    first = scenario[0] if scenario else None
    events = first.total_events if first and first.total_events is not None else total.events
    base = first.total_n if first and first.total_n is not None else total.n
    k = len(studies) if total.k_studies is None else total.k_studies
    start = Reading(total.endpoint, name, (), TREATED, k, events, base, len(known),
                    sum(count for count, _ in known.values()), sum(n for _, n in known.values()), {}, None, "",
                    _notes(total, scenario, changed, known, len(studies)))
    absent = len(studies) - k
    reason = _trouble(evidence, selection, events, sizes, absent, base)
    if reason:
        yield replace(start, reason=reason)
        return
    guesses = [_with_absent(start, known, sizes, ids)
               for ids in combinations([study.study_id for study in studies], absent)]
    if absent:
        guesses = sorted((one for one in guesses if abs(one.base_gap) <= NEAR * base), key=lambda one:
                         abs(one.base_gap))[:_MOST_READINGS]
    if not guesses:
        yield replace(start, reason=f"no choice of {k} of the {len(studies)} studies comes near the base of {base}")
    for guess in guesses:
        yield _checked(guess)
        if guess.base_gap and 0 < guess.base_gap < sum(guess.sizes):
            yield _checked(_reduced(guess))


def _notes(total: Total, scenario: Sequence[Scenario], changed: Mapping[str, int],
           known: Mapping[str, tuple[int, int]], members_count: int) -> str:
    notes = [row.note for row in scenario or [total] if row.note]
    notes += [f"the denominator of {study_id} is that of its count" for study_id in changed if study_id in known]
    if total.k_studies is None:
        notes.append(f"the number of studies is not printed: all {members_count} are assumed")
    return "; ".join(notes)


def _trouble(evidence: Evidence, selection: Selection, events: int | None, sizes: Mapping[str, int | None], absent: int,
             base: int | None) -> str:
    """Why no reading can be formed; empty where one can."""
    unknown = [study_id for study_id, n in sizes.items() if n is None]
    if events is None:
        return "no total of events is printed"
    if trouble := base_trouble(evidence, selection):
        return trouble
    if not selection.rows:
        return "no study has a count of its own"
    if unknown:
        return f"the patients of {', '.join(unknown)} are not known"
    if absent < 0:
        return f"{-absent} of the studies behind the total are not in the evidence"
    if absent and base is None:
        return f"which {absent} of the studies are not behind the total is not known, and no base is printed"
    if absent and math.comb(len(sizes) + len(selection.rows), absent) > _MOST_GUESSES:
        return f"which {absent} of the studies are not behind the total is not known, and there are too many choices"
    return ""


def _with_absent(start: Reading, known: Mapping[str, tuple[int, int]], sizes: Mapping[str, int],
                 absent: tuple[str, ...]) -> Reading:
    counted = [count for study_id, count in known.items() if study_id not in absent]
    missing = {study_id: n for study_id, n in sizes.items() if study_id not in absent}
    patients = sum(n for _, n in counted) + sum(missing.values())
    return replace(start, absent=absent, known_k=len(counted), known_events=sum(events for events, _ in counted),
                   known_n=sum(n for _, n in counted), missing=missing,
                   base_gap=None if start.total_n is None else patients - start.total_n)


def _reduced(guess: Reading) -> Reading:
    """The reading with fewer evaluable patients in the unknown studies, so that the base is the printed one."""
    sizes = in_proportion(sum(guess.sizes) - guess.base_gap, guess.sizes)
    return replace(guess, denominators=REDUCED, missing=dict(zip(guess.missing, sizes, strict=True)))


def _checked(reading: Reading) -> Reading:
    """The reading with what it assumes, or with the reason why its total is impossible."""
    notes = [reading.note] if reading.note else []
    if reading.absent:
        notes.append(f"{', '.join(reading.absent)} taken as absent")
    if reading.base_gap:
        apart = f"{abs(reading.base_gap)} {'more' if reading.base_gap > 0 else 'fewer'}"
        notes.append(f"patients of the studies: {apart} than the printed base"
                     + (", taken from the unknown studies in proportion" if reading.denominators == REDUCED else ""))
    elif reading.base_gap is None:
        notes.append("no base is printed to check the denominators with")
    return replace(reading, note="; ".join(notes))
