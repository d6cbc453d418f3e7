"""Which rows of the evidence one analysis uses, and why each other row is not used."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from analysis.cases.settings import ALL, Question
from analysis.evidence.conditions import condition
from analysis.evidence.directory import Evidence
from analysis.evidence.files import SPREADSHEETS
from analysis.evidence.types import Endpoint, Response, Study, Survival
from analysis.system.errors import UsageError
from analysis.system.groups import grouped

RETROSPECTIVE = "the study is retrospective"
NOT_REACHED = "the median was not reached, which gives no log hazard (studies that do well are missed this way)"
SETS = ("review", "extension", "all")
_DEFAULT_HORIZON = 12.0
_LANDMARK_WINDOW = (0.5, 2.0)
_NAMED = 10
_BASES = ("responders", "relapses", "mrd_neg_cr", "other")
OTHER_BASES = {"evaluable", "whole_study", "regulatory_set", "not_stated", "subgroup", "interim_cut",
               "overlapping_cohort"}
FROM_REMISSION = ("RFS", "LFS", "DFS")
"""Definitions whose clock starts at remission or whose event needs one."""
_PRIMARY = "primary"
_OTHER = "another row stands for this study"
_PATIENTS = "the patients of this study and data cut are known one by one (patients.csv)"


class SharedPatients(UsageError):
    """A request that would count the same patients twice; the message names the studies, and how to choose."""


class UnknownName(UsageError):
    """A name that the evidence does not define; the message says which names it does."""


@dataclass(frozen=True)
class LeftOut:
    """A row that is not used, and why."""

    study_id: str
    table: str
    row: int
    reason: str


@dataclass(frozen=True)
class Selection:
    """The rows of one question.

    Parameters
    ----------
    rows : tuple of Response, or tuple of Survival
        One response row per study; survival rows of one study are its strata.
    left_out : tuple of LeftOut
    warnings : tuple of str
        What a reader should know about the rows that are used.
    curves : tuple of Survival
        Every row of the data cuts that `rows` are of, for models of whole curves; of a stratum its one row. Medians
        that were not reached are among them.
    """

    question: Question
    endpoint: Endpoint
    rows: tuple[Response, ...] | tuple[Survival, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]
    curves: tuple[Survival, ...] = ()

    @property
    def study_ids(self) -> tuple[str, ...]:
        """Studies with a row, in the order of the table."""
        return tuple(dict.fromkeys(row.study_id for row in self.rows))

    @property
    def horizon(self) -> float:
        """Months at which survival is read; of no meaning for a rate."""
        return horizon_of(self.endpoint, self.question)


def horizon_of(endpoint: Endpoint, question: Question) -> float:
    """Months at which survival is read: those asked for, else the endpoint's own, else 12."""
    return question.horizon or endpoint.horizon_months or _DEFAULT_HORIZON


def early_before(horizon: float) -> float:
    """Months before which a landmark is extrapolated to the horizon rather than read near it."""
    return _LANDMARK_WINDOW[0] * horizon


def subset_names(evidence: Evidence) -> tuple[str, ...]:
    """Subsets of the evidence; "all" always exists."""
    return tuple(dict.fromkeys((ALL, *(rule.subset for rule in evidence.subsets))))


def membership(evidence: Evidence, study: Study, subset: str, row: Response | Survival | None = None) -> bool | None:
    """Whether every rule of the subset holds for the study and this row; None where an empty cell leaves that open."""
    cells = {**getattr(row, "handling", {}), **study.columns}
    answers = [condition(rule.value).holds(cells.get(rule.column, ""))
               for rule in evidence.subsets if rule.subset == subset and rule.column]
    return False if False in answers else None if None in answers else True


def choices(evidence: Evidence, question: Question) -> tuple[str, ...]:
    """What is chosen beside the subset, in words; nothing of set and tiers where the evidence has none."""
    tiers = any(row.tier for row in evidence.numbers)
    sets = any(study.in_review is not None for study in evidence.studies)
    return (*([f"set {question.study_set}"] if sets else []), *([f"tiers {question.tiers}"] if tiers else []),
            *([f"without {', '.join(question.without)}"] if question.without else []),
            *(["with retrospective studies"] if question.retrospective else []),
            *([f"horizon {question.horizon:g} months"] if question.horizon else []))


def select(evidence: Evidence, question: Question) -> Selection:
    """The rows that answer a question, of studies that share no patients.

    Raises
    ------
    UnknownName
        When the endpoint, the subset or a study that is left out is not defined by the evidence.
    SharedPatients
        When two of the studies share patients.
    """
    selection = candidates(evidence, question)
    refuse_shared_patients(evidence, (selection,))
    return selection


def candidates(evidence: Evidence, question: Question) -> Selection:
    """The rows that answer a question, whether or not their studies share patients: to be counted, not pooled.

    Raises
    ------
    UnknownName
        When the endpoint, the subset or a study that is left out is not defined by the evidence.
    """
    endpoint = _endpoint(evidence, question.endpoint)
    if question.subset not in subset_names(evidence):
        raise UnknownName(f"unknown subset {question.subset!r}; defined are {', '.join(subset_names(evidence))}")
    _check_studies(evidence, question.without)
    reasons, horizon = _reasons(evidence, question, endpoint), horizon_of(endpoint, question)
    left_out = {row: reason for row, reason in reasons.items() if reason}
    used = [row for row in reasons if row not in left_out]
    if endpoint.kind == "rate":
        curves: list[Survival] = []
        chosen = _best_of_each(used, lambda row: row.study_id, lambda row: row.tier)
        left_out |= {row: _OTHER for row in used if row not in chosen}
    else:
        left_out |= dict.fromkeys(_torn_strata(used, left_out), "another stratum of this study is left out")
        used = [row for row in used if row not in left_out]
        bounds = {row for row, reason in reasons.items()
                  if reason == NOT_REACHED and row.time_months and not row.stratum}
        printed = _curve_of_each_study([row for row in reasons if row in bounds or row not in left_out])
        chosen = _best_of_each([row for row in printed if row not in bounds], lambda row: (row.study_id, row.stratum),
                               lambda row: _preference(row, horizon))
        curves = [row for row in printed if row in chosen or not row.stratum]
        left_out |= {row: _reason_beside(row, printed, horizon) for row in used if row not in chosen}
    lines = tuple(LeftOut(row.study_id, file_of(row), row.row, reason) for row, reason in left_out.items())
    warnings = (*_warnings(endpoint, chosen, horizon), *_warnings_of_left_out(lines))
    return Selection(question, endpoint, tuple(chosen), lines, warnings, tuple(curves))


def _reason_beside(row: Survival, printed: Sequence[Survival], horizon: float) -> str:
    """Why a row of survival does not stand for its study; `printed` are the rows of which one, or its strata, does."""
    of_cut = [other for other in printed if (other.study_id, _cut(other)) == (row.study_id, _cut(row))]
    if any(other.patients for other in of_cut):
        return _PATIENTS
    if row in printed and row.stratum:
        return f"another row stands for this stratum at {horizon:g} months"
    if of_cut and row not in printed:
        return "the whole of this study stands for it" if row.stratum else "the strata of this study stand for it"
    return f"{_OTHER} at {horizon:g} months"


def _reasons(evidence: Evidence, question: Question, endpoint: Endpoint) -> dict[Response | Survival, str]:
    """Why each row of the endpoint does not answer the question; empty where it does."""
    return {row: _reason_against(evidence, question, endpoint, row)
            for row in evidence.numbers if row.endpoint == endpoint.endpoint}


def of_curves(selection: Selection) -> Selection:
    """The same as models of whole curves take it: each row of the data cut of a study enters.

    So does a study of which no other row stands, such as one whose median was not reached.
    """
    entered = {(file_of(row), row.row) for row in selection.curves}
    left_out = tuple(
        replace(item, reason="another data cut of this study is used") if item.reason.startswith(_OTHER) else item
        for item in selection.left_out if (item.table, item.row) not in entered)
    with_points = {row.study_id for row in selection.curves if row.estimate is not None}
    left_out += tuple(
        LeftOut(row.study_id, file_of(row), row.row, "points of the curve of this study are used")
        for row in selection.curves if row.estimate is None and row.person_months and not row.stratum
        and row.study_id in with_points)
    rows = [*selection.rows, *(row for row in selection.curves if row.study_id not in selection.study_ids)]
    return replace(selection, left_out=left_out, warnings=(
        *_warnings(selection.endpoint, rows, selection.horizon), *_warnings_of_left_out(left_out)))


def answering(evidence: Evidence, question: Question) -> tuple[Response, ...] | tuple[Survival, ...]:
    """Every row that answers a question, whichever of them stands for its study; of survival of every data cut."""
    reasons = _reasons(evidence, question, _endpoint(evidence, question.endpoint))
    return tuple(row for row, reason in reasons.items() if not reason)


def shared_patients(evidence: Evidence, study_ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs among the studies that share patients, by the `overlaps_with` of either; in the order of the studies."""
    place = {name: at for at, name in enumerate(study_ids)}
    pairs = {tuple(sorted((name, other), key=place.__getitem__))
             for name in place for other in evidence.study(name).overlaps_with if other in place}
    return tuple(sorted(pairs, key=lambda pair: [place[name] for name in pair]))


def refuse_shared_patients(evidence: Evidence, selections: Iterable[Selection]) -> None:
    """Raise SharedPatients, with a sentence for each pair of studies that share patients and would be pooled."""
    pairs: dict[tuple[str, str], list[Selection]] = {}
    for selection in selections:
        for pair in shared_patients(evidence, selection.study_ids):
            pairs.setdefault(pair, []).append(selection)
    sentences = []
    for pair, pooled in pairs.items():
        study, other = (_where(evidence, name, pooled) for name in pair)
        endpoints = ", ".join(dict.fromkeys(selection.endpoint.endpoint for selection in pooled))
        sentences.append(f"{study} and {other} share patients (overlaps_with), whom {endpoints} would count twice.")
    if sentences:
        last = next(reversed(pairs))[1]
        raise SharedPatients(" ".join([*sentences, (
            f"Leave one of each pair out, such as --without {last}; fit, regress and calibrate can also ask for a "
            "subset that holds only one of them (--subset, defined in subsets.csv).")]))


def _where(evidence: Evidence, study_id: str, pooled: list[Selection]) -> str:
    rows = [row for selection in pooled if selection.endpoint.kind == pooled[0].endpoint.kind
            for row in selection.rows if row.study_id == study_id]
    lines = {row.row for row in rows}
    of_study = evidence.study(study_id).row
    if evidence.directory.suffix.lower() in SPREADSHEETS:
        return f"{study_id} ({evidence.directory.name} {_rows({of_study, *lines})})"
    return f"{study_id} (studies.csv row {of_study}, {file_of(rows[0])} {_rows(lines)})"


def _rows(lines: Collection[int]) -> str:
    return f"row{'s' if len(lines) > 1 else ''} {', '.join(map(str, sorted(lines)))}"


def file_of(row: Response | Survival) -> str:
    """The file that the line of a row is of."""
    return "responses.csv" if isinstance(row, Response) else "patients.csv" if row.patients else "survival.csv"


def _check_studies(evidence: Evidence, study_ids: Iterable[str]) -> None:
    defined = sorted(study.study_id for study in evidence.studies) if study_ids else ()
    for name in study_ids:
        if name not in defined:
            near = [study.study_id for study in evidence.studies if study.label.casefold() == name.casefold()] or \
                get_close_matches(name[:64], defined, n=1)
            raise UnknownName(f"--without {name}: {evidence.directory.name} has no such study"
                              f"{f'; did you mean {near[0]}?' if near else '.'} It has {_some(defined)}")


def _endpoint(evidence: Evidence, name: str) -> Endpoint:
    try:
        return evidence.endpoint(name)
    except KeyError:
        defined = ", ".join(endpoint.endpoint for endpoint in evidence.endpoints)
        raise UnknownName(f"unknown endpoint {name!r}; defined are {defined}") from None


def base_of(row: Response | Survival) -> str:
    """The token that names the patients of a row, without its detail."""
    return row.population.replace(",", ":").split(":")[0].strip().casefold()


def reason_against_study(
    evidence: Evidence, question: Question, study: Study, row: Response | Survival | None = None,
) -> str:
    """Why no row of the study, or not this one, answers the question, whatever it says; empty where one may."""
    if study.study_id in question.without:
        return "left out by name (--without)"
    if study.in_review is not None and question.study_set != "all":
        if study.in_review != (question.study_set == "review"):
            return f"not in the {question.study_set} set"
    if study.retrospective and not question.retrospective:
        return RETROSPECTIVE
    if membership(evidence, study, question.subset, row) is not True:
        return f"not in the subset {question.subset}"
    return ""


def _reason_against(evidence: Evidence, question: Question, endpoint: Endpoint, row: Response | Survival) -> str:
    reason = reason_against_study(evidence, question, evidence.study(row.study_id), row)
    if reason:
        return reason
    if row.tier and row.tier not in question.tiers:
        return f"tier {row.tier}"
    stratum = getattr(row, "stratum", "")
    if endpoint.population == "treated" and base_of(row) in _BASES and not stratum:
        return f"the base is {base_of(row)}, not the treated patients"
    if getattr(row, "median_not_reached", False):
        return NOT_REACHED
    if not question.early_landmarks and is_early(row, horizon_of(endpoint, question)):
        return f"survival at {row.time_months:g} months is an early extrapolation"
    return ""


def is_early(row: Response | Survival, horizon: float) -> bool:
    """Whether a survival row is a landmark before half the horizon, from which a constant hazard is extrapolated."""
    return getattr(row, "statistic", "") == "landmark" and row.time_months < early_before(horizon)


def _cut(row: Survival) -> str:
    return row.cut or _PRIMARY


def _torn_strata(used: Sequence[Survival], left_out: Iterable[Survival]) -> list[Survival]:
    """Strata of which another one has no row that is used, since those of a data cut stand for a study together."""
    kept = {(row.study_id, _cut(row), row.stratum) for row in used}
    torn = {(row.study_id, _cut(row)) for row in left_out
            if row.stratum and (row.study_id, _cut(row), row.stratum) not in kept}
    return [row for row in used if row.stratum and (row.study_id, _cut(row)) in torn]


def _best_of_each[R: (Response, Survival)](
    rows: Sequence[R], group: Callable[[R], Hashable], preference: Callable[[R], Any],
) -> dict[R, None]:
    """The first of the rows of each group by preference, in the order of all rows."""
    best = {min(alike, key=preference) for alike in grouped(rows, group).values()}
    return dict.fromkeys(row for row in rows if row in best)


def _curve_of_each_study(rows: list[Survival]) -> list[Survival]:
    """The rows of one data cut of each study: of its patients, of the whole, or of strata where only they are there."""
    kept: set[Survival] = set()
    for printed in grouped(rows, lambda row: row.study_id).values():
        cuts = grouped(printed, _cut)
        # A median that was not reached says less than another data cut does.
        cuts = {cut: alike for cut, alike in cuts.items() if not all(row.median_not_reached for row in alike)} or cuts
        of_cut = cuts.get(_PRIMARY) or next(iter(cuts.values()))
        whole, strata = ([row for row in of_cut if bool(row.stratum) == part] for part in (False, True))
        # A median of the whole that was not reached says less than strata do.
        kept.update([row for row in whole if row.patients] or (
            strata if strata and all(row.median_not_reached for row in whole) else whole))
    return [row for row in rows if row in kept]


def _preference(row: Survival, horizon: float) -> tuple[int, float, int]:
    """Counts first, then the landmark nearest the horizon, then the median, then other landmarks."""
    if row.person_months is not None:
        return (0, 0.0, row.row)
    if row.statistic == "median":
        return (2, 0.0, row.row)
    low, high = (factor * horizon for factor in _LANDMARK_WINDOW)
    return (1 if low <= row.time_months <= high else 3, abs(row.time_months - horizon), row.row)


def _warnings(endpoint: Endpoint, rows: Collection[Response | Survival], horizon: float) -> list[str]:
    notes = []
    for row in rows:
        if base_of(row) in OTHER_BASES:
            notes.append(f"{row.study_id}: the base of {endpoint.endpoint} is {row.population}, n = {row.n}")
        if is_early(row, horizon):
            notes.append(f"{row.study_id}: {endpoint.endpoint} is extrapolated from {row.time_months:g} months")
    definitions = {getattr(row, "definition", "") for row in rows} - {""}
    if len(definitions) > 1:
        notes.append(f"{endpoint.endpoint} mixes the definitions {', '.join(sorted(definitions))}")
    if rows and endpoint.kind == "rate":
        events, patients = sum(row.events for row in rows), sum(row.n for row in rows)
        if events in (0, patients):
            notes.append(f"{'no' if events == 0 else 'every'} patient had the event: how far the interval reaches from "
                         f"{'0' if events == 0 else '1'} is the heterogeneity prior's; compare models and priors")
    count = len({row.study_id for row in rows})
    if count == 1:
        notes.append("one study: nothing is pooled, and the heterogeneity is the prior's")
    elif count == 2:
        notes.append("two studies: the heterogeneity is prior-dominated")
    return notes


def _warnings_of_left_out(left_out: Iterable[LeftOut]) -> list[str]:
    names = dict.fromkeys(item.study_id for item in left_out if item.reason == RETROSPECTIVE)
    return [f"left out as retrospective: {_some(names)} (--retrospective keeps them)"] if names else []


def _some(names: Collection[str]) -> str:
    return ", ".join(list(names)[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
