"""Which studies a published total leaves unknown, under each reading of the review that arithmetic allows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from analysis.cases.selection import Selection, reason_against_study
from analysis.cases.settings import Question
from analysis.chapters.missing.counts import MOST_PATIENTS, impossible, in_proportion
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Response, Scenario, Study, Total

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
    total : Total
        With the scenario's numbers in the place of the printed ones, and all studies where no number is printed.
    known : tuple of Response
        The counts that are behind the total.
    missing : mapping of str to int, or None
        Patients of each study behind the total without a count; None where it cannot be told which these are.
    absent : tuple of str
        Studies of the review that are taken not to be behind the total.
    denominators : {"treated", "reduced"}
        Whether the unknown studies enter with their treated patients (or the scenario's number), or with those
        reduced in proportion, so that the base is the printed one.
    base_gap : int or None
        Patients of all studies behind the total, as treated or counted, minus the printed base.
    reason : str
        Why nothing can be computed; empty where it can.
    """

    total: Total
    scenario: str
    known: tuple[Response, ...]
    missing: Mapping[str, int] | None = None
    absent: tuple[str, ...] = ()
    denominators: str = TREATED
    base_gap: int | None = None
    reason: str = ""
    note: str = ""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Patients of the unknown studies."""
        return tuple(self.missing.values())

    @property
    def missing_events(self) -> int:
        """Events left for the unknown studies."""
        return self.total.events - sum(row.events for row in self.known)


def members(evidence: Evidence, question: Question) -> tuple[Study, ...]:
    """Studies that can be behind a published number: of the set and the subset, and of a design that counts."""
    return tuple(study for study in evidence.studies if not reason_against_study(evidence, question, study))


def readings(evidence: Evidence, selection: Selection, trouble: str) -> Iterator[Reading]:
    """Every reading of the endpoint's published totals: as printed, then the scenarios of scenarios.csv.

    Parameters
    ----------
    trouble : str
        Why no total of the endpoint can be used; empty where it can.
    """
    for total in (total for total in evidence.totals if total.endpoint == selection.endpoint.endpoint):
        yield from _of_total(evidence, selection, total, AS_PRINTED, (), trouble)
        rows = [row for row in evidence.scenarios if row.endpoint == total.endpoint]
        for name in dict.fromkeys(row.scenario for row in rows):
            scenario = [row for row in rows if row.scenario == name]
            yield from _of_total(evidence, selection, total, name, scenario, trouble)


def _of_total(evidence: Evidence, selection: Selection, printed: Total, name: str, scenario: Sequence[Scenario],
              trouble: str) -> Iterator[Reading]:
    """The readings of one total in one scenario, those whose base fits best first."""
    studies = members(evidence, selection.question)
    labels = {study.study_id: study.label for study in studies}
    counted = set(selection.study_ids)
    changed = {row.study_id: row.n for row in scenario if row.study_id}
    sizes = {study.study_id: changed.get(study.study_id, study.n_treated) for study in studies
             if study.study_id not in counted}
    notes = [row.note for row in scenario or [printed] if row.note]
    notes += [f"the denominator of {evidence.study(study_id).label} is that of its count"
              for study_id in changed if study_id in counted]
    total = _as_in(scenario, printed)
    if total.k_studies is None:
        notes.append(f"the number of studies is not printed: all {len(studies)} are assumed")
        total = replace(total, k_studies=len(studies))
    whole = Reading(total, name, selection.rows, note="; ".join(notes))
    absent = len(studies) - total.k_studies
    reason = "no total of events is printed" if total.events is None else \
        trouble or _why_not_told(total, sizes, absent, labels)
    if reason:
        yield replace(whole, reason=reason)
    else:
        yield from _guesses(whole, sizes, labels, absent)


def _as_in(scenario: Sequence[Scenario], total: Total) -> Total:
    """The total with the numbers that a scenario gives."""
    given = {"events": scenario[0].total_events, "n": scenario[0].total_n} if scenario else {}
    return replace(total, **{name: number for name, number in given.items() if number is not None})


def _why_not_told(total: Total, sizes: Mapping[str, int | None], absent: int, labels: Mapping[str, str]) -> str:
    """Why it cannot be told which studies are behind a total; empty where it can."""
    which = f"which {absent} of the studies are not behind the total is not known"
    if unknown := [labels[study_id] for study_id, n in sizes.items() if n is None]:
        return f"the patients of {', '.join(unknown)} are not known"
    if absent < 0:
        return f"{-absent} of the studies behind the total are not in the evidence"
    if absent and total.n is None:
        return f"{which}, and no base is printed"
    if absent and math.comb(len(labels), absent) > _MOST_GUESSES:
        return f"{which}, and there are too many choices"
    return ""


def _guesses(whole: Reading, sizes: Mapping[str, int], labels: Mapping[str, str], absent: int) -> Iterator[Reading]:
    """Each choice of the absent studies that comes near the printed base, with two kinds of denominators."""
    guesses = [_without(whole, sizes, chosen) for chosen in combinations(labels, absent)]
    if absent:
        near = [guess for guess in guesses if abs(guess.base_gap) <= NEAR * whole.total.n]
        guesses = sorted(near, key=lambda guess: abs(guess.base_gap))[:_MOST_READINGS]
    if not guesses:
        yield replace(whole, reason=f"no choice of {whole.total.k_studies} of the {len(labels)} studies comes near "
                                    f"the base of {whole.total.n}")
    for guess in guesses:
        yield _checked(guess, labels)
        patients = sum(guess.sizes)
        if guess.base_gap and 0 < guess.base_gap < patients:
            reduced = in_proportion(patients - guess.base_gap, guess.sizes)
            reduction = dict(zip(guess.missing, reduced, strict=True))
            yield _checked(replace(guess, denominators=REDUCED, missing=reduction), labels)


def _without(whole: Reading, sizes: Mapping[str, int], absent: tuple[str, ...]) -> Reading:
    known = tuple(row for row in whole.known if row.study_id not in absent)
    missing = {study_id: n for study_id, n in sizes.items() if study_id not in absent}
    patients = sum(row.n for row in known) + sum(missing.values())
    gap = None if whole.total.n is None else patients - whole.total.n
    return replace(whole, known=known, missing=missing, absent=absent, base_gap=gap)


def _checked(reading: Reading, labels: Mapping[str, str]) -> Reading:
    """The reading with what it assumes, and with the reason where its total is impossible or too large."""
    notes = [reading.note] if reading.note else []
    if reading.absent:
        notes.append(f"{', '.join(map(labels.__getitem__, reading.absent))} taken as absent")
    if reading.base_gap:
        apart = f"{abs(reading.base_gap)} {'more' if reading.base_gap > 0 else 'fewer'}"
        notes.append(f"patients of the studies: {apart} than the printed base"
                     + (", taken from the unknown studies in proportion" if reading.denominators == REDUCED else ""))
    elif reading.base_gap is None:
        notes.append("no base is printed to check the denominators with")
    reason = impossible(reading.missing_events, reading.sizes) if sum(reading.sizes) <= MOST_PATIENTS else \
        f"more than {MOST_PATIENTS:,} patients are in studies without a count"
    return replace(reading, note="; ".join(notes), reason=reason)
