"""Each subset of the studies against its complement: two posteriors and their difference, all exact.

Both sides are separate fits with the same priors and heterogeneities of their own, so that they are independent given
the data. The difference is one between studies: whatever else distinguishes the studies of a subset is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from analysis.cases.case import Case, case_of
from analysis.cases.selection import ALL, membership, subset_names
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.inference.difference import difference
from analysis.inference.distribution import Distribution
from analysis.inference.grid import QuadratureFailed
from analysis.inference.posterior import main_estimand, posterior_of, summary
from analysis.results.tables import case_cells

FILE = "subset_differences.csv"
COMPUTED, NOT_COMPUTED = "computed", "not computed"
FEWEST = 3
"""Studies below which a side's heterogeneity, and so the width of its interval, is mostly the prior's."""


@dataclass(frozen=True)
class SubsetDifference:
    """One endpoint in one subset and in its complement.

    Parameters
    ----------
    rule : str
        The condition in words, such as "year >=2020".
    subset_k, subset_n, rest_k, rest_n : int
        Studies and patients on both sides.
    unknown_k : int
        Studies with the endpoint of which an empty cell does not tell the side; they are on neither.
    subset_median, subset_lower, subset_upper, rest_median, rest_lower, rest_upper : float or None
        Main estimand on either side; None where the side has no study.
    difference, difference_lower, difference_upper : float or None
        Posterior median and equal-tailed limits of subset minus rest, on the scale of the estimand (a probability).
    positive : float or None
        Posterior probability that the subset's value is the larger.
    reason : str
        Why there is no difference.
    note : str
        What a reader must know about it.
    """

    endpoint: str
    tiers: str
    study_set: str
    model: str
    subset: str
    label: str
    rule: str
    estimand: str
    time_months: float | None
    level: float
    interval: str
    subset_k: int
    subset_n: int
    rest_k: int
    rest_n: int
    unknown_k: int
    status: str
    reason: str = ""
    subset_median: float | None = None
    subset_lower: float | None = None
    subset_upper: float | None = None
    rest_median: float | None = None
    rest_lower: float | None = None
    rest_upper: float | None = None
    difference: float | None = None
    difference_lower: float | None = None
    difference_upper: float | None = None
    positive: float | None = None
    note: str = ""


SUBSET_COLUMNS = tuple(field.name for field in fields(SubsetDifference))


def subset_rows(evidence: Evidence, job: Job) -> tuple[dict[str, Any], ...]:
    """One row for every subset that has a rule; none where the endpoint has no study.

    Parameters
    ----------
    job : Job
        Of the headline; its subset is always all.

    Raises
    ------
    UsageError
        When endpoint, model or prior do not exist or do not go together.
    """
    case = case_of(evidence, replace(job, question=replace(job.question, subset=ALL)))
    if not len(case.studies):
        return ()
    found = [_row(evidence, case, name) for name in subset_names(evidence) if name != ALL and _rule(evidence, name)]
    return tuple({name: getattr(row, name) for name in SUBSET_COLUMNS} for row in found)


def _rule(evidence: Evidence, subset: str) -> str:
    return ", ".join(f"{rule.column} {rule.value or 'empty'}" for rule in evidence.subsets
                     if rule.subset == subset and rule.column)


def _row(evidence: Evidence, case: Case, subset: str) -> SubsetDifference:
    member = {name: membership(evidence, evidence.study(name), subset) for name in case.studies.study_ids}
    sides = {name: case.take(study_id for study_id, inside in member.items() if inside is wanted)
             for name, wanted in (("subset", True), ("rest", False))}
    label = next((rule.label for rule in evidence.subsets if rule.subset == subset and rule.label), subset)
    shared: dict[str, Any] = {
        **case_cells(case), "subset": subset, "label": label, "rule": _rule(evidence, subset),
        "unknown_k": sum(known is None for known in member.values())}
    for name, side in sides.items():
        shared |= {f"{name}_k": len(side.studies), f"{name}_n": side.studies.patients}
    try:
        known = {name: posterior_of(side).distribution(main_estimand(side)) for name, side in sides.items()
                 if len(side.studies)}
    except QuadratureFailed as error:
        return SubsetDifference(**shared, status=NOT_COMPUTED, reason=str(error))
    shared |= {"note": _note(shared)}
    shared |= {cell: value for name, found in known.items() for cell, value in _side(name, found, case.level).items()}
    if len(known) < 2:
        where = "outside" if known.get("subset") else "in"
        return SubsetDifference(**shared, status=NOT_COMPUTED, reason=f"no study {where} the subset")
    return SubsetDifference(**shared, status=COMPUTED, **_difference(known, level=case.level))


def _side(name: str, found: Distribution, level: float) -> dict[str, float]:
    values = summary(found, level=level)
    return {f"{name}_{limit}": getattr(values, limit) for limit in ("median", "lower", "upper")}


def _difference(known: Mapping[str, Distribution], *, level: float) -> dict[str, float]:
    at = np.array([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0])
    found = difference(known["subset"], known["rest"], at=at)
    lower, median, upper = (float(value) for value in found.quantiles)
    return {"difference": median, "difference_lower": lower, "difference_upper": upper, "positive": found.positive}


def _note(cells: Mapping[str, Any]) -> str:
    few = [f"{cells[f'{side}_k']} {'study' if cells[f'{side}_k'] == 1 else 'studies'} {where}"
           for side, where in (("subset", "in the subset"), ("rest", "outside"))
           if 0 < cells[f"{side}_k"] < FEWEST]
    return "; ".join(filter(None, [
        f"{', '.join(few)}: prior-dominated" if few else "",
        f"{cells['unknown_k']} on neither side: the cell is empty" if cells["unknown_k"] else ""]))
