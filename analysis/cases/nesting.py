"""Two endpoints of which one is a part of the other: what each study says of both, and why a count is left out.

An inner count is read as a part of the outer one only where both are of the same patients, assessed alike: the base,
its size, the timing and the grading agree where both rows state them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from analysis.cases.case import Case, case_of
from analysis.cases.selection import Selection, base_of, shared_patients
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Endpoint, Response
from analysis.system.errors import UsageError
from models.beta_binomial import MODEL
from models.nested_beta_binomial import NestedStudies
from models.priors import Prior
from models.studies import RateStudies

MOST_PATIENTS = 2_000
"""Patients of a study beyond which an unknown outer count is not summed over."""

_ASSESSED = (("timing", "assessed by"), ("grading", "graded by"))


@dataclass(frozen=True)
class NestedRow:
    """What one study contributes: the rows that count, and why one does not.

    Parameters
    ----------
    study_id : str
    outer, inner : Response or None
    reason : str
        Empty where both count.
    """

    study_id: str
    outer: Response | None
    inner: Response | None
    reason: str

    @property
    def role(self) -> str:
        """In words: both, outer only, inner only or left out."""
        if self.outer and self.inner:
            return "both"
        return "outer only" if self.outer else "inner only" if self.inner else "left out"


@dataclass(frozen=True, eq=False)
class Nesting:
    """An endpoint within its parent.

    Parameters
    ----------
    outer, inner : Case
        The separate questions, each with the beta-binomial model.
    rows : tuple of NestedRow
        One for each study with a row of either endpoint, whether it counts or not.
    """

    outer: Case
    inner: Case
    rows: tuple[NestedRow, ...]

    @property
    def studies(self) -> NestedStudies:
        """The model's input."""
        both = [row for row in self.rows if row.outer and row.inner and row.outer.events]
        return NestedStudies(
            _counts((row.study_id, row.outer.events, row.outer.n) for row in self.rows if row.outer),
            _counts((row.study_id, row.inner.events, row.outer.events) for row in both),
            _counts((row.study_id, row.inner.events, row.inner.n) for row in self.rows if row.role == "inner only"))

    @property
    def counted(self) -> RateStudies:
        """Every study that counts, by its outer count where it has one."""
        counts = (row.outer or row.inner for row in self.rows)
        return _counts((row.study_id, row.events, row.n) for row in counts if row)

    @property
    def priors(self) -> dict[str, Prior]:
        """Of the model's parameters, those of the separate fits."""
        return {f"{name}_{part}": prior for part in ("outer", "inner")
                for name, prior in getattr(self, part).priors.items()}


def _counts(rows: Iterable[tuple[str, int, int]]) -> RateStudies:
    return RateStudies(*(list(zip(*rows, strict=True)) or ((), (), ())))


def nested_endpoints(evidence: Evidence) -> tuple[Endpoint, ...]:
    """Rates that are a part of another rate, in the order of endpoints.csv."""
    return tuple(endpoint for endpoint in evidence.endpoints if endpoint.kind == "rate" and endpoint.parent)


def nest(evidence: Evidence, job: Job, endpoint: str, *, shared_priors: bool = True) -> Nesting:
    """An endpoint within its parent, by the rows that answer the job's question about either.

    Parameters
    ----------
    job : Job
        Carries subset, tiers, set, priors and level; its endpoint and model are replaced.
    shared_priors : bool
        As of `case_of`.

    Raises
    ------
    UsageError
        When the endpoint is no part of another rate, the endpoint, the subset or a prior do not exist, or studies of
        one of the two share patients.
    """
    inner = _case(evidence, job, endpoint, shared_priors)
    parent = inner.selection.endpoint.parent
    if not parent:
        raise UsageError(f"{endpoint} is no part of another endpoint; parent in endpoints.csv names what contains one")
    outer = _case(evidence, job, parent, shared_priors)
    names = dict.fromkeys(row.study_id for row in evidence.responses if row.endpoint in (parent, endpoint))
    rows = [_row(name, outer.selection, inner.selection) for name in names]
    return Nesting(outer, inner, tuple(_counted_once(evidence, rows)))


def _case(evidence: Evidence, job: Job, endpoint: str, shared_priors: bool) -> Case:
    question = replace(job.question, endpoint=endpoint)
    return case_of(evidence, replace(job, question=question, model=MODEL.name), shared_priors=shared_priors)


def _row(study_id: str, outer: Selection, inner: Selection) -> NestedRow:
    whole, part = (next((row for row in selection.rows if row.study_id == study_id), None)
                   for selection in (outer, inner))
    if whole and part:
        reason = disagreement(whole, part)
        return NestedRow(study_id, whole, None if reason else part, reason)
    if part and part.n > MOST_PATIENTS:
        return NestedRow(study_id, None, None, f"inner: alone, and of more than {MOST_PATIENTS:,} patients")
    missing = [f"{name}: " + next((line.reason for line in selection.left_out if line.study_id == study_id), "no count")
               for name, selection, row in (("outer", outer, whole), ("inner", inner, part)) if row is None]
    return NestedRow(study_id, whole, part, "; ".join(missing))


def disagreement(outer: Response, inner: Response) -> str:
    """Why a count is no part of another one of the same study; empty where it is, by all that both rows state."""
    if outer.n != inner.n:
        return f"the outer count is of {outer.n} patients, the inner one of {inner.n}"
    stated = [("of", base_of(outer), base_of(inner))]
    stated += [(word, getattr(outer, column).strip(), getattr(inner, column).strip()) for column, word in _ASSESSED]
    return next((f"the outer count is {word} {first}, the inner one {word} {second}" for word, first, second in stated
                 if first and second and first.casefold() != second.casefold()), "")


def _counted_once(evidence: Evidence, rows: Sequence[NestedRow]) -> Iterable[NestedRow]:
    """The rows, without an inner count of patients who are in the outer count of another study."""
    pairs = shared_patients(evidence, [row.study_id for row in rows if row.outer or row.inner])
    counted = {row.study_id for row in rows if row.outer}
    for row in rows:
        twice = [name for pair in pairs if row.study_id in pair for name in pair
                 if name != row.study_id and name in counted]
        if row.role == "inner only" and twice:
            yield replace(row, inner=None, reason=f"shares patients with {', '.join(twice)}")
        else:
            yield row
