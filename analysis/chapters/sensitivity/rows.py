"""Other rows of the evidence for the same question: tiers, single rows of a lower tier, sets of studies."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.case import Row
from analysis.cases.selection import LeftOut, Question, candidates, shared_patients
from analysis.chapters.sensitivity.variants import Headline, Variant
from analysis.evidence import Evidence

TIERS = ("A", "AB", "ABC")
_OTHER_SETS = {"review": ("all",), "all": ("review",), "extension": ("all",)}


def other_tiers(headline: Headline) -> Iterator[Variant]:
    """The headline's question asked of other tiers."""
    for tiers in TIERS:
        yield from _asked(headline, headline.evidence, replace(headline.job.question, tiers=tiers), "tiers",
                          f"tier{'s' if len(tiers) > 1 else ''} {', '.join(tiers)}")


def other_sets(headline: Headline) -> Iterator[Variant]:
    """The review's studies alone, or all studies."""
    words = {"all": "review and extension studies", "review": "the review's studies only"}
    for name in _OTHER_SETS[headline.job.question.study_set]:
        question = replace(headline.job.question, study_set=name)
        yield from _asked(headline, headline.evidence, question, "study_set", words[name])


def single_rows(headline: Headline) -> Iterator[Variant]:
    """Each row that only its tier keeps out, in its study's place or as a further study.

    Rows of one study and one stratum or cut stand together, as they do in the headline.
    """
    question = headline.job.question
    for left in (left for left in headline.selection.left_out if left.reason.startswith("tier ")):
        own = _row(headline, left)
        tiers = "".join(sorted({*question.tiers, own.tier}))
        replaced = any(row.study_id == own.study_id for row in headline.rows)
        label = f"{'instead: ' if replaced else 'with '}{_named(headline.evidence, own)}"
        changed = _with_only(headline, own)
        if own in candidates(changed, replace(question, tiers=tiers)).rows:
            yield from _asked(headline, changed, replace(question, tiers=tiers), "tier_row", label)


def _asked(headline: Headline, evidence: Evidence, question: Question, dimension: str, label: str) -> Iterator[Variant]:
    """The variant with the rows of another question, with a reason where these share patients; none without rows."""
    changed = {"tiers": question.tiers, "study_set": question.study_set}
    found = candidates(evidence, question)
    shared = shared_patients(evidence, found.study_ids)
    if shared:
        yield replace(headline.variant(dimension, label, **changed),
                      refused="; ".join(f"{' and '.join(pair)} share patients" for pair in shared))
    elif found.rows:
        yield headline.variant(dimension, label, rows=found.rows, **changed)


def _table(headline: Headline) -> str:
    return "responses" if headline.is_rate else "survival"


def _row(headline: Headline, left: LeftOut) -> Row:
    return next(row for row in getattr(headline.evidence, _table(headline)) if row.row == left.row)


def _with_only(headline: Headline, own: Row) -> Evidence:
    """The evidence with the headline's tiers and this row, which alone speaks for its study."""
    def counts(row: Row) -> bool:
        if (row.study_id, row.endpoint) != (own.study_id, own.endpoint):
            return not row.tier or row.tier in headline.job.question.tiers
        together = bool(getattr(own, "stratum", "")) and row.stratum and row.cut == own.cut
        return row.row == own.row or bool(together)

    table = _table(headline)
    return replace(headline.evidence, **{table: tuple(row for row in getattr(headline.evidence, table) if counts(row))})


def _named(evidence: Evidence, row: Row) -> str:
    label = evidence.study(row.study_id).label
    if hasattr(row, "statistic"):
        when = f" at {row.time_months:g} months" if row.time_months else ""
        return f"{label} ({row.statistic or 'counts'}{when})"
    return f"{label} ({row.events}/{row.n})"
