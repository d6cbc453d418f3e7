"""Other readings of the survival curves: definition, statistic, early extrapolations, error without an interval."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import base_of, early_before, select
from analysis.chapters.sensitivity.variants import Headline, Variant
from analysis.evidence import Survival

FACTORS = (1.0, 1.25, 2.0)
FEWEST_STUDIES = 2
_FROM_REMISSION = ("RFS", "LFS", "DFS")
"""Definitions whose clock starts at remission or whose event needs one."""


def other_definitions(headline: Headline) -> Iterator[Variant]:
    """Each definition left out, those from remission on left out, and each alone, where two studies remain."""
    if headline.is_rate:
        return
    found = tuple(dict.fromkeys(row.definition for row in headline.rows if row.definition))
    if len(found) < 2:
        return
    wanted = [(f"without {name}", [row for row in headline.rows if row.definition != name]) for name in found]
    wanted.append((f"without {' and '.join(name for name in found if name in _FROM_REMISSION)}",
                   [row for row in headline.rows if row.definition not in _FROM_REMISSION]))
    wanted += [(f"{name} only", [row for row in headline.rows if row.definition == name]) for name in found]
    for label, rows in wanted:
        if len({row.study_id for row in rows}) >= FEWEST_STUDIES:
            yield headline.variant("definition", label, rows=rows)


def other_statistics(headline: Headline) -> Iterator[Variant]:
    """Medians where the headline takes a landmark and the other way round, in studies that print both."""
    if headline.is_rate:
        return
    for statistic, label in (("median", "the median where both are printed"),
                             ("landmark", "the landmark where both are printed")):
        both = {row.study_id for row in _eligible(headline) if row.statistic == statistic}
        kept = tuple(row for row in headline.evidence.survival if row.endpoint != headline.endpoint.endpoint
                     or row.study_id not in both or row.statistic == statistic or row not in _eligible(headline))
        rows = select(replace(headline.evidence, survival=kept), headline.job.question).rows
        if rows:
            yield headline.variant("statistic", label, rows=rows)


def _eligible(headline: Headline) -> list[Survival]:
    """The rows of the endpoint that the headline could have taken: of its tiers, base and data cut, not in strata."""
    chosen = {(row.study_id, row.cut, base_of(row)) for row in headline.rows if not row.stratum}
    return [row for row in headline.evidence.survival if row.endpoint == headline.endpoint.endpoint
            and (row.study_id, row.cut, base_of(row)) in chosen and not row.stratum
            and (not row.tier or row.tier in headline.job.question.tiers) and not row.median_not_reached]


def without_early(headline: Headline) -> Iterator[Variant]:
    """Without survival that is extrapolated from landmarks before half the horizon."""
    if not headline.is_rate and headline.job.question.early_landmarks:
        rows = select(headline.evidence, replace(headline.job.question, early_landmarks=False)).rows
        if rows:
            months = early_before(headline.selection.horizon)
            yield headline.variant("early", f"no landmark before {months:g} months", rows=rows)


def other_factors(headline: Headline) -> Iterator[Variant]:
    """Smaller and larger standard errors where no interval is printed."""
    for factor in FACTORS if not headline.is_rate else ():
        yield headline.variant("factor", f"{factor:g} x binomial", rows=headline.rows, factor=factor)
