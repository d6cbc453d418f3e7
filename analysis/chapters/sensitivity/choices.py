"""Other choices for the same question: priors and likelihoods, which rows count, what is counted, how a curve is read.

Of priors one at a time is another one, then the corners are taken, which combine the extremes of both: a vague
location and a wide heterogeneity can do together what neither does alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter

import numpy as np

from analysis.cases.alternatives import ALTERNATIVES
from analysis.cases.case import Case, Row, own_priors
from analysis.cases.hazards import NO_INTERVAL_FACTOR
from analysis.cases.selection import FROM_REMISSION, base_of, candidates, early_before, select, shared_patients
from analysis.cases.settings import Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Survival
from analysis.system.groups import grouped
from models import models_of
from models.model import Model
from models.priors import Prior
from models.studies import HazardStudies

TIERS = ("A", "AB", "ABC")
FACTORS = (1.0, 1.25, 2.0)
FEWEST_STUDIES = 2


@dataclass(frozen=True)
class Variant:
    """The headline with one choice changed.

    Parameters
    ----------
    label : str
        What is chosen instead.
    case : Case
    factor : float
        Multiplies the standard error of a survival statistic without an interval.
    refused : str
        Why its rows are not pooled; the studies are the headline's then.
    """

    label: str
    case: Case
    factor: float = NO_INTERVAL_FACTOR
    refused: str = ""

    @property
    def content(self) -> tuple[object, ...]:
        """Everything the posterior depends on, to be compared with that of another variant."""
        return *self.case.key, self.refused


def other_priors(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The headline's likelihood under other priors."""
    for replaced in _replacements(case.model):
        yield Variant(_worded(replaced), case.but(priors={**case.priors, **replaced}))


def other_families(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The other models of the endpoint's kind under the run's priors; plain instead of split normals for survival."""
    for model in _families(case):
        yield Variant(model.name.replace("_", "-"), case.but(model=model))
    studies = case.studies
    if isinstance(studies, HazardStudies) and np.any((studies.se_lower != studies.se_upper) & studies.is_estimate):
        mean = (studies.se_lower + studies.se_upper) / 2.0
        yield Variant("plain normal for every interval",
                      case.but(studies=replace(studies, se_lower=mean, se_upper=mean)))


def _families(case: Case) -> list[Model]:
    """The other models of the endpoint's kind that are about the same data."""
    return [model for model in models_of(case.model.kind)[1:] if model.takes is case.model.takes]


def other_family_priors(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The other models of the endpoint's kind under other priors."""
    others = _families(case)
    for model in others:
        usual, prefix = own_priors(model, case.job), f"{model.name.replace('_', '-')}; " if len(others) > 1 else ""
        for replaced in _replacements(model):
            if {**usual, **replaced} != usual:
                yield Variant(prefix + _worded(replaced), case.but(model=model, priors={**usual, **replaced}))


def _replacements(model: Model) -> Iterator[dict[str, Prior]]:
    """The priors to replace, one combination after the other."""
    table = ALTERNATIVES.get(model.name, {})
    yield from ({name: prior} for name, alternatives in table.items() for prior in alternatives.alone)
    if table:
        corners = product(*(alternatives.corners for alternatives in table.values()))
        yield from (dict(zip(table, priors, strict=True)) for priors in corners)


def _worded(replaced: Mapping[str, Prior]) -> str:
    return "; ".join(f"{name} ~ {prior.family}({', '.join(f'{value:.3g}' for value in prior.arguments)})"
                     for name, prior in replaced.items())


def other_tiers(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The headline's question asked of other tiers."""
    for tiers in TIERS:
        label = f"tier{'s' if len(tiers) > 1 else ''} {', '.join(tiers)}"
        yield from _asked(evidence, case, replace(case.question, tiers=tiers), label)


def other_sets(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """All studies, or the review's alone where all count."""
    name, label = ("all", "review and extension studies") if case.question.study_set != "all" else \
        ("review", "the review's studies only")
    yield from _asked(evidence, case, replace(case.question, study_set=name), label)


def single_rows(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Each row that only its tier keeps out, in its study's place or as a further study.

    Rows of one study and one stratum or cut stand together, as they do in the headline.
    """
    table = "responses" if case.model.kind == "rate" else "survival"
    rows = {row.row: row for row in getattr(evidence, table)}
    for row in (rows[left.row] for left in case.selection.left_out if left.reason.startswith("tier ")):
        question = _with_tier(case, row)
        changed = replace(evidence, **{table: tuple(other for other in rows.values() if _counts(case, row, other))})
        if row in candidates(changed, question).rows:
            instead = any(used.study_id == row.study_id for used in case.selection.rows)
            yield from _asked(changed, case, question, f"{'instead: ' if instead else 'with '}{_named(evidence, row)}")


def _asked(evidence: Evidence, case: Case, question: Question, label: str) -> Iterator[Variant]:
    """The variant with the rows of another question, with a reason where these share patients; none without rows."""
    selection = candidates(evidence, question)
    shared = shared_patients(evidence, selection.study_ids)
    if shared:
        refused = "; ".join(f"{' and '.join(pair)} share patients" for pair in shared)
        yield Variant(label, case.but(question=question), refused=refused)
    elif selection.rows:
        yield Variant(label, case.but(question=question, rows=selection.rows))


def _with_tier(case: Case, row: Row) -> Question:
    """The headline's question with the tier of a row among its tiers."""
    return replace(case.question, tiers="".join(sorted({*case.question.tiers, row.tier})))


def _counts(case: Case, single: Row, row: Row) -> bool:
    """Whether a row counts beside a single one that alone speaks for its study."""
    if (row.study_id, row.endpoint) != (single.study_id, single.endpoint):
        return not row.tier or row.tier in case.question.tiers
    return row.row == single.row or bool(getattr(single, "stratum", "") and row.stratum and row.cut == single.cut)


def _named(evidence: Evidence, row: Row) -> str:
    if isinstance(row, Survival):
        when = f" at {row.time_months:g} months" if row.time_months else ""
        content = f"{row.statistic or 'counts'}{when}"
    else:
        content = f"{row.events}/{row.n}"
    return f"{evidence.study(row.study_id).label} ({content})"


def without_each(column: str, evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Without the studies that have one value of a column, for each value that is known; where there are several."""
    values = [getattr(row, column) for row in case.selection.rows]
    distinct = dict.fromkeys(filter(None, values))
    for left in distinct if len(distinct) > 1 else ():
        kept = [row for row, value in zip(case.selection.rows, values, strict=True) if value != left]
        yield Variant(f"without: {left}", case.but(rows=kept))


def other_denominators(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Each denominator that a scenario gives a study with a row of any tier.

    The events among fewer patients are not known: the fewest and the most that the printed count allows, and the
    same share, are taken.
    """
    used = {row.study_id: row for row in case.selection.rows}
    any_tier = candidates(evidence, replace(case.question, tiers=TIERS[-1])).rows
    rows = {row.study_id: row for row in any_tier} | used
    for scenario in evidence.scenarios:
        row = rows.get(scenario.study_id)
        if scenario.endpoint != case.question.endpoint or row is None or row.n == scenario.n:
            continue
        for events in dict.fromkeys(possible_events(row.events, row.n, scenario.n)):
            changed = {**used, row.study_id: replace(row, events=events, n=scenario.n)}
            if not shared_patients(evidence, changed):
                label = f"{evidence.study(row.study_id).label}: {events}/{scenario.n} for {row.events}/{row.n}"
                yield Variant(label, case.but(question=_with_tier(case, row), rows=list(changed.values())))


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


def enrolled(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Benefit counted over the enrolled patients where their number is known: who was not treated had none."""
    endpoint, rows = case.selection.endpoint, case.selection.rows
    sizes = {study.study_id: study.n_enrolled or 0 for study in evidence.studies}
    counted = [replace(row, n=max(sizes[row.study_id], row.n)) for row in rows]
    known = sum(sizes[row.study_id] >= row.n for row in rows)
    if known and endpoint.direction == "benefit" and endpoint.population in ("", "treated"):
        yield Variant(f"enrolled, known for {known} of {len(rows)} studies", case.but(rows=counted))


def other_definitions(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Each definition left out, those from remission on left out, and each alone, where two studies remain."""
    rows = case.selection.rows
    names = list(dict.fromkeys(row.definition for row in rows if row.definition))
    remission = [name for name in names if name in FROM_REMISSION]
    kept = [*((f"without {name}", {*names, ""} - {name}) for name in names),
            (f"without {' and '.join(remission)}", {*names, ""} - {*remission}),
            *((f"{name} only", {name}) for name in names)]
    for label, definitions in kept if len(names) > 1 else ():
        yield from _with_only(case, label, [row for row in rows if row.definition in definitions])


def other_handling(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Without studies that censored at transplant, and without those that left non-responders out, where two remain."""
    for label, cell in (("without censoring at transplant", ("censored_at_hct", "true")),
                        ("without studies of responders only", ("non_responders", "excluded"))):
        concerned = {row.study_id for row in case.selection.rows if cell in row.handling.items()}
        if concerned:
            yield from _with_only(case, label, [row for row in case.selection.rows if row.study_id not in concerned])


def _with_only(case: Case, label: str, rows: Sequence[Row]) -> Iterator[Variant]:
    """The variant with only these rows, where two studies remain."""
    if len({row.study_id for row in rows}) >= FEWEST_STUDIES:
        yield Variant(label, case.but(rows=rows))


def other_statistics(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Medians where the headline takes a landmark and the other way round, in studies that print both."""
    chosen = {(row.study_id, row.cut, base_of(row)) for row in case.selection.rows if not row.stratum}
    # What the headline could have taken: of its tiers, base and data cut, not in strata.
    eligible = [row for row in evidence.survival if row.endpoint == case.question.endpoint
                and (row.study_id, row.cut, base_of(row)) in chosen and not row.stratum
                and (not row.tier or row.tier in case.question.tiers) and not row.median_not_reached]
    for statistic in ("median", "landmark"):
        printed = {row.study_id for row in eligible if row.statistic == statistic}
        others = [row for row in eligible if row.study_id in printed and row.statistic != statistic]
        yield from _without(evidence, case, others, f"the {statistic} where both are printed")


def without_early(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Without survival that is extrapolated from landmarks before half the horizon."""
    rows = select(evidence, replace(case.question, early_landmarks=False)).rows
    if case.question.early_landmarks and rows:
        yield Variant(f"no landmark before {early_before(case.horizon):g} months", case.but(rows=rows))


def without_repeated(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Without survival that a study prints with the same numbers for another endpoint: one of both is in doubt."""
    elsewhere = {_numbers(row) for row in evidence.survival if row.endpoint != case.question.endpoint}
    # Nobody, or everybody, may well be without either event.
    repeated = [row for row in case.selection.rows
                if row.estimate not in (None, 0.0, 1.0) and _numbers(row) in elsewhere]
    names = ", ".join(dict.fromkeys(evidence.study(row.study_id).label for row in repeated))
    yield from _without(evidence, case, repeated, f"without what {names} prints for two endpoints")


def _without(evidence: Evidence, case: Case, dropped: Sequence[Survival], label: str) -> Iterator[Variant]:
    """The variant without some rows of survival, for which others of their studies may stand; none without any row."""
    survival = tuple(row for row in evidence.survival if row not in dropped)
    if rows := select(replace(evidence, survival=survival), case.question).rows:
        yield Variant(label, case.but(rows=rows))


def _numbers(row: Survival) -> tuple[object, ...]:
    return (row.study_id, row.stratum, row.cut, row.statistic, row.time_months, row.estimate, row.ci_low, row.ci_high)


def both(case: Case, first: Variant, second: Variant) -> Variant | None:
    """Two choices of rows at once, study by study; None where they do not go together, or leave too few studies."""
    usual, *others = (grouped(chosen.selection.rows, attrgetter("study_id")) for chosen in (
        case, first.case, second.case))
    merged: list[Row] = []
    for study_id in {**usual, **others[0], **others[1]}:
        before, *after = (rows.get(study_id, []) for rows in (usual, *others))
        changed = [rows for rows in after if rows != before] or [before]
        if changed[0] != changed[-1]:
            return None
        merged += changed[0]
    merged.sort(key=lambda row: row.row)
    return next(_with_only(case, f"{first.label} and {second.label}", merged), None)


def other_factors(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """Smaller and larger standard errors where no interval is printed."""
    for factor in FACTORS:
        yield Variant(f"{factor:g} x binomial", case.but(rows=case.selection.rows, factor=factor), factor)
