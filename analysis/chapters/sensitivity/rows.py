"""Other rows of the evidence for the same question: tiers, single rows of a lower tier, sets of studies."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import LeftOut, Question, candidates, shared_patients
from analysis.chapters.sensitivity.variants import Case, Row, Variant
from analysis.evidence import Evidence

TIERS = ("A", "AB", "ABC")
_OTHER_SETS = {"review": ("all",), "all": ("review",), "extension": ("all",)}


def other_tiers(case: Case) -> Iterator[Variant]:
    """The headline's question asked of other tiers."""
    for tiers in TIERS:
        yield from _asked(case, case.evidence, replace(case.job.question, tiers=tiers), "tiers",
                          f"tier{'s' if len(tiers) > 1 else ''} {', '.join(tiers)}")


def other_sets(case: Case) -> Iterator[Variant]:
    """The review's studies alone, or all studies."""
    words = {"all": "review and extension studies", "review": "the review's studies only"}
    for name in _OTHER_SETS[case.job.question.study_set]:
        yield from _asked(case, case.evidence, replace(case.job.question, study_set=name), "study_set", words[name])


def single_rows(case: Case) -> Iterator[Variant]:
    """Each row that only its tier keeps out, in its study's place or as a further study.

    Rows of one study and one stratum or cut stand together, as they do in the headline.
    """
    question = case.job.question
    for left in (left for left in case.selection.left_out if left.reason.startswith("tier ")):
        own = _row(case, left)
        tiers = "".join(sorted({*question.tiers, own.tier}))
        replaced = any(row.study_id == own.study_id for row in case.rows)
        label = f"{'instead: ' if replaced else 'with '}{_named(case.evidence, own)}"
        changed = _with_only(case, own)
        if own in candidates(changed, replace(question, tiers=tiers)).rows:
            yield from _asked(case, changed, replace(question, tiers=tiers), "tier_row", label)


def _asked(case: Case, evidence: Evidence, question: Question, dimension: str, label: str) -> Iterator[Variant]:
    """The variant with the rows of another question, with a reason where these share patients; none without rows."""
    changed = {"tiers": question.tiers, "study_set": question.study_set}
    found = candidates(evidence, question)
    shared = shared_patients(evidence, found.study_ids)
    if shared:
        yield replace(case.variant(dimension, label, **changed),
                      refused="; ".join(f"{' and '.join(pair)} share patients" for pair in shared))
    elif found.rows:
        yield case.variant(dimension, label, rows=found.rows, **changed)


def _table(case: Case) -> str:
    return "responses" if case.is_rate else "survival"


def _row(case: Case, left: LeftOut) -> Row:
    return next(row for row in getattr(case.evidence, _table(case)) if row.row == left.row)


def _with_only(case: Case, own: Row) -> Evidence:
    """The evidence with the headline's tiers and this row, which alone speaks for its study."""
    def counts(row: Row) -> bool:
        if (row.study_id, row.endpoint) != (own.study_id, own.endpoint):
            return not row.tier or row.tier in case.job.question.tiers
        together = bool(getattr(own, "stratum", "")) and row.stratum and row.cut == own.cut
        return row.row == own.row or bool(together)

    table = _table(case)
    return replace(case.evidence, **{table: tuple(row for row in getattr(case.evidence, table) if counts(row))})


def _named(evidence: Evidence, row: Row) -> str:
    label = evidence.study(row.study_id).label
    if hasattr(row, "statistic"):
        when = f" at {row.time_months:g} months" if row.time_months else ""
        return f"{label} ({row.statistic or 'counts'}{when})"
    return f"{label} ({row.events}/{row.n})"
