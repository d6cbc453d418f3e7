"""Other readings of the survival curves: definition, statistic, early extrapolations, error without an interval."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import base_of, early_before, select
from analysis.chapters.sensitivity.variants import Case, Variant
from analysis.evidence import Survival

FACTORS = (1.0, 1.25, 2.0)
FEWEST_STUDIES = 2
_FROM_REMISSION = ("RFS", "LFS", "DFS")
"""Definitions whose clock starts at remission or whose event needs one."""


def other_definitions(case: Case) -> Iterator[Variant]:
    """Each definition left out, those from remission on left out, and each alone, where two studies remain."""
    if case.is_rate:
        return
    found = tuple(dict.fromkeys(row.definition for row in case.rows if row.definition))
    if len(found) < 2:
        return
    wanted = [(f"without {name}", [row for row in case.rows if row.definition != name]) for name in found]
    wanted.append((f"without {' and '.join(name for name in found if name in _FROM_REMISSION)}",
                   [row for row in case.rows if row.definition not in _FROM_REMISSION]))
    wanted += [(f"{name} only", [row for row in case.rows if row.definition == name]) for name in found]
    for label, rows in wanted:
        if len({row.study_id for row in rows}) >= FEWEST_STUDIES:
            yield case.variant("definition", label, rows=rows)


def other_statistics(case: Case) -> Iterator[Variant]:
    """Medians where the headline takes a landmark and the other way round, in studies that print both."""
    if case.is_rate:
        return
    for statistic, label in (("median", "the median where both are printed"),
                             ("landmark", "the landmark where both are printed")):
        both = {row.study_id for row in _eligible(case) if row.statistic == statistic}
        kept = tuple(row for row in case.evidence.survival if row.endpoint != case.endpoint.endpoint
                     or row.study_id not in both or row.statistic == statistic or row not in _eligible(case))
        rows = select(replace(case.evidence, survival=kept), case.job.question).rows
        if rows:
            yield case.variant("statistic", label, rows=rows)


def _eligible(case: Case) -> list[Survival]:
    """The rows of the endpoint that the headline could have taken: of its tiers, base and data cut, not in strata."""
    chosen = {(row.study_id, row.cut, base_of(row)) for row in case.rows if not row.stratum}
    return [row for row in case.evidence.survival if row.endpoint == case.endpoint.endpoint
            and (row.study_id, row.cut, base_of(row)) in chosen and not row.stratum
            and (not row.tier or row.tier in case.job.question.tiers) and not row.median_not_reached]


def without_early(case: Case) -> Iterator[Variant]:
    """Without survival that is extrapolated from landmarks before half the horizon."""
    if not case.is_rate and case.job.question.early_landmarks:
        rows = select(case.evidence, replace(case.job.question, early_landmarks=False)).rows
        if rows:
            months = early_before(case.selection.horizon)
            yield case.variant("early", f"no landmark before {months:g} months", rows=rows)


def other_factors(case: Case) -> Iterator[Variant]:
    """Smaller and larger standard errors where no interval is printed."""
    for factor in FACTORS if not case.is_rate else ():
        yield case.variant("factor", f"{factor:g} x binomial", rows=case.rows, factor=factor)
