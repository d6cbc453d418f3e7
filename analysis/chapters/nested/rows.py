"""Separate fits of two endpoints of which one contains the other, beside the nested one.

Separate fits know nothing of each other, so that they may put a part above its whole. How far they do is a posterior
probability: that the mean rate of the part exceeds that of the whole, each from its own exact posterior.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from analysis.cases.case import NoStudies
from analysis.cases.nesting import NestedRow, Nesting, nest
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.distribution import difference
from analysis.inference.estimands import Estimate
from analysis.inference.nested import GIVEN, INNER, MEAN, NEW, OUTER, RHO, NestedPosterior, nested_posterior
from analysis.inference.posterior import NO_POSTERIOR, posterior_of
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, columns
from analysis.results.tables import limit_cells
from models.studies import RateStudies

ESTIMATE, STUDY = "estimate", "study"
SEPARATE, TOGETHER = "separate", "nested"
CONTRADICTION = 0.1
"""Probability of the impossible above which separate fits contradict one another."""

_PRIOR_DRAWS = 200_000

NESTED = Layout("nested.csv", "A rate of an endpoint or of the one that contains it, fitted separately or nested, or "
                "what a study says of both.", columns(
    "endpoint", Column("parent", "key of the endpoint that contains it", "label endpoints", "Within"),
    "tiers study_set", Column("part", "estimate or study", "text"), Column("fit", "separate or nested", "text", "Fit"),
    Column("quantity", "outer: the whole; inner: the part; inner given outer: the part among those with the whole",
           "text", "Rate of"), "k_studies n_patients median mean sd lower upper level interval",
    *(column for of, what, form, head in (
        ("new", "rate of a new study", "estimate", "New study{unit} [{level} prediction]"),
        ("rho", "intraclass correlation", "parameter", "rho [{level} credible]")) for column in (
        Column(f"{of}_median", f"posterior median of the {what}", form, head),
        *(Column(f"{of}_{name}", f"{name} limit of the {what}") for name in ("lower", "upper")))),
    Column("rho_sd", "posterior standard deviation of rho", "number", "SD of rho"),
    Column("rho_prior_sd", "its prior standard deviation", "number", "Prior SD"),
    Column("exceeds", "of an inner rate: posterior probability of the separate fits that it exceeds the outer one",
           "chance", "P(part above whole)"),
    Column("contradicts", f"whether that is above {CONTRADICTION:g}", "flag"),
    "study_id label", Column("role", "what counts: both, outer only, inner only, or left out", "text", "Counts"),
    *(column for part in (OUTER, INNER) for column in (
        Column(f"{part}_events", f"events of the {part} endpoint", f"of {part}_n", part.capitalize()),
        Column(f"{part}_n", f"patients of the {part} endpoint", "count"),
        Column(f"{part}_grading", f"grading scale of the {part} endpoint", "text", f"{part.capitalize()} graded by"))),
    "status reason stamp"))


def nested_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of one endpoint within its parent; a nested rate without a result has the reason.

    Raises
    ------
    UsageError
        When a prior does not exist, or studies of one endpoint share patients.
    """
    nesting = nest(evidence, base, endpoint)
    return {NESTED.file: [*_fits(nesting), *(_study(evidence, nesting, row) for row in nesting.rows)]}


def _fits(nesting: Nesting) -> Iterator[dict[str, Any]]:
    try:
        joint = nested_posterior(nesting)
        outer, inner = (posterior_of(case) for case in (nesting.outer, nesting.inner))
    except (NoStudies, *NO_POSTERIOR) as error:
        yield {**_cells(nesting, ESTIMATE), "fit": TOGETHER, "quantity": INNER, "status": NOT_COMPUTED,
               "reason": str(error)}
        return
    for quantity, posterior in ((OUTER, outer), (INNER, inner)):
        yield _estimate(nesting, SEPARATE, quantity, posterior.estimates((MEAN, NEW, RHO)), posterior.case.studies)
    exceeds = difference(inner.distribution(MEAN), outer.distribution(MEAN), at=np.array([0.5])).positive
    *parts, product = joint_rows(nesting, joint)
    yield from (*parts, {**product, "exceeds": exceeds, "contradicts": exceeds > CONTRADICTION})


def joint_rows(nesting: Nesting, joint: NestedPosterior) -> list[dict[str, Any]]:
    """The rates of the nested model: outer, inner given outer, and inner."""
    return [_estimate(nesting, TOGETHER, quantity, joint.estimates(quantity), nesting.counted)
            for quantity in (OUTER, GIVEN, INNER)]


def _cells(nesting: Nesting, part: str) -> dict[str, Any]:
    question = nesting.inner.question
    return {"endpoint": question.endpoint, "parent": nesting.outer.question.endpoint, "tiers": question.tiers,
            "study_set": question.study_set, "part": part}


def _estimate(nesting: Nesting, fit: str, quantity: str, estimates: Iterable[Estimate],
              studies: RateStudies) -> dict[str, Any]:
    by_name = {estimate.estimand: estimate for estimate in estimates}
    cells = {**_cells(nesting, ESTIMATE), "fit": fit, "quantity": quantity, "k_studies": len(studies),
             "n_patients": studies.patients, "status": COMPUTED, **NESTED.pick(vars(by_name[MEAN])),
             **limit_cells(by_name[NEW], "new_")}
    if RHO in by_name:
        case = nesting.outer if quantity == OUTER else nesting.inner
        prior = case.priors[RHO].draw(_PRIOR_DRAWS, np.random.default_rng(1))
        cells |= {**limit_cells(by_name[RHO], "rho_"), "rho_sd": by_name[RHO].sd, "rho_prior_sd": float(prior.std())}
    return cells


def _study(evidence: Evidence, nesting: Nesting, row: NestedRow) -> dict[str, Any]:
    counts = {f"{part}_{name}": getattr(count, name) for part, count in ((OUTER, row.outer), (INNER, row.inner))
              for name in ("events", "n", "grading") if count}
    return {**_cells(nesting, STUDY), "study_id": row.study_id, "label": evidence.study(row.study_id).label,
            "role": row.role, **counts, "reason": row.reason}
