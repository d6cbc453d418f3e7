"""Each subset of the studies against its complement: two posteriors and their difference, all exact.

Both sides are separate fits with the same priors and heterogeneities of their own, so that they are independent given
the data. The difference is one between studies: whatever else distinguishes the studies of a subset is in it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.selection import membership, subset_names
from analysis.cases.settings import ALL, Job
from analysis.evidence.directory import Evidence
from analysis.inference.distribution import Distribution, difference
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, posterior_of, summary
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import case_cells, limit_cells
from analysis.system.groups import grouped

FEWEST = 3
"""Studies below which a side's heterogeneity, and so the width of its interval, is mostly the prior's."""

_SIDES = {"subset": "in the subset", "rest": "outside"}

SUBSET_DIFFERENCES = Layout("subset_differences.csv", "One endpoint in one subset and in its complement.", columns(
    "endpoint tiers study_set model subset", Column("label", "name of the subset as readers see it", "text", "Subset"),
    Column("rule", "condition in words, such as year >=2020", "words", "Rule"), "estimand time_months level interval",
    Column("subset_k", "studies in the subset", "pair subset_n", "Studies / patients in it"),
    Column("subset_n", "patients in the subset", "count"),
    Column("rest_k", "studies outside", "pair rest_n", "Studies / patients outside"),
    Column("rest_n", "patients outside", "count"),
    Column("unknown_k", "studies on neither side: an empty cell does not tell it, or strata are on both", "count"),
    "status reason",
    *(column for (side, where), head in zip(_SIDES.items(), ("In it", "Outside"), strict=True) for column in (
        Column(f"{side}_median", f"posterior median of the main estimand {where}", "estimate",
               head + "{unit} [{level} credible]"),
        *(Column(f"{side}_{name}", f"{name} limit of the main estimand {where}") for name in ("lower", "upper")))),
    Column("difference", "posterior median of subset minus rest, on the scale of the estimand (a probability)",
           "change", "Difference{points} [{level} credible]"),
    Column("difference_lower", "its lower limit"), Column("difference_upper", "its upper limit"),
    Column("positive", "posterior probability that the subset's value is the larger", "side", "P(difference > 0)"),
    "note stamp"))


def subset_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """One row for every subset that has a rule; none where the endpoint has no study."""
    case = headline_case(evidence, base, endpoint)
    return {SUBSET_DIFFERENCES.file: [_row(evidence, case, name) for name in subset_names(evidence)
                                      if len(case.studies) and name != ALL and _rule(evidence, name)]}


def _rule(evidence: Evidence, subset: str) -> str:
    return ", ".join(f"{rule.column} {rule.value or 'empty'}" for rule in evidence.subsets
                     if rule.subset == subset and rule.column)


def _row(evidence: Evidence, case: Case, subset: str) -> dict[str, Any]:
    strata = grouped(case.selection.rows, lambda row: row.study_id)
    answers = {study_id: {membership(evidence, evidence.study(study_id), subset, row) for row in rows}
               for study_id, rows in strata.items()}
    sides = {name: case.take(study_id for study_id, answer in answers.items() if answer == {belongs})
             for name, belongs in (("subset", True), ("rest", False))}
    empty, torn = sum(None in answer for answer in answers.values()), list(answers.values()).count({True, False})
    label = next((rule.label for rule in evidence.subsets if rule.subset == subset and rule.label), subset)
    shared: dict[str, Any] = {
        **case_cells(case, SUBSET_DIFFERENCES), "subset": subset, "label": label, "rule": _rule(evidence, subset),
        "unknown_k": empty + torn}
    for name, side in sides.items():
        shared |= {f"{name}_k": len(side.studies), f"{name}_n": side.studies.patients}
    try:
        main = {name: posterior_of(side).distribution(main_estimand(side)) for name, side in sides.items()
                if len(side.studies)}
    except NO_POSTERIOR as error:
        return {**shared, "status": NOT_COMPUTED, "reason": str(error)}
    shared |= {"note": _note(shared, empty, torn)}
    for name, distribution in main.items():
        shared |= limit_cells(summary(distribution, level=case.level), f"{name}_")
    if len(main) < 2:
        where = "outside" if "subset" in main else "in"
        return {**shared, "status": NOT_COMPUTED, "reason": f"no study {where} the subset"}
    return {**shared, "status": COMPUTED, "reason": "", **_difference(**main, level=case.level)}


def _difference(subset: Distribution, rest: Distribution, *, level: float) -> dict[str, float]:
    apart = difference(subset, rest, at=np.array([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]))
    lower, median, upper = apart.quantiles.tolist()
    return {"difference": median, "difference_lower": lower, "difference_upper": upper, "positive": apart.positive}


def _note(cells: Mapping[str, Any], empty: int, torn: int) -> str:
    few = [f"{cells[f'{side}_k']} {'study' if cells[f'{side}_k'] == 1 else 'studies'} {where}"
           for side, where in _SIDES.items() if 0 < cells[f"{side}_k"] < FEWEST]
    return "; ".join(filter(None, [
        f"{', '.join(few)}: prior-dominated" if few else "",
        f"{empty} on neither side: the cell is empty" if empty else "",
        f"{torn} on neither side: strata are on both" if torn else ""]))
