"""Separate fits of two endpoints of which one contains the other, beside the nested one.

Separate fits know nothing of each other, so that they may put a part above its whole. How far they do is a posterior
probability: that the mean rate of the part exceeds that of the whole, each from its own exact posterior.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.cases.case import Case, NoStudies
from analysis.cases.nesting import NestedRow, Nesting, nest
from analysis.cases.settings import Job
from analysis.evidence.types import Evidence
from analysis.inference.distribution import difference
from analysis.inference.estimands import Estimate
from analysis.inference.nested import GIVEN, INNER, MEAN, NEW, OUTER, RHO, NestedPosterior, nested_posterior
from analysis.inference.posterior import NO_POSTERIOR, posterior_of
from analysis.results.columns import columns
from analysis.results.table import Column, Layout
from analysis.results.tables import case_cells
from models.priors import Prior

COMPUTED, NOT_COMPUTED = "computed", "not computed"
PAIR, ESTIMATE, STUDY = "pair", "estimate", "study"
SEPARATE, TOGETHER = "separate", "nested"
_PRIOR_DRAWS = 200_000

NESTED = Layout("nested.csv", "A row of one of three parts: an endpoint and the one that contains it, an estimate of "
                "their rates, or what a study says of both.", columns(
    "endpoint", Column("parent", "key of the endpoint that contains it", "text"), "tiers study_set",
    Column("part", "pair, estimate or study", "text"),
    Column("exceeds", "posterior probability of the separate fits that the part's mean rate exceeds the whole's"),
    Column("fit", "separate or nested", "text"),
    Column("quantity", "outer: the whole; inner: the part; inner given outer: the part among those with the whole",
           "text"),
    "estimand k_studies n_patients median mean sd lower upper level interval",
    Column("prior_sd", "prior standard deviation of rho"),
    "study_id label", Column("role", "what counts: both, outer only, inner only, or left out", "text"),
    *(Column(f"{part}_{name}", f"{meaning} of the {part} endpoint", kind) for part in ("outer", "inner")
      for name, meaning, kind in (("events", "events", "count"), ("n", "patients", "count"),
                                  ("grading", "grading scale", "text"))),
    "status reason stamp"))


def nested_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    """Rows of one endpoint within its parent; a pair without a result has the reason.

    Raises
    ------
    UsageError
        When a prior does not exist, or studies of one endpoint share patients.
    """
    nesting = nest(evidence, base, endpoint)
    shared = {name: value for name, value in case_cells(nesting.inner).items() if name in ("endpoint", "tiers",
                                                                                           "study_set", "level")}
    shared |= {"parent": nesting.outer.question.endpoint}
    rows = [*_fits(nesting), *(_study(evidence, row) for row in nesting.rows)]
    return {NESTED.file: [{**shared, **row} for row in rows]}


def _fits(nesting: Nesting) -> Iterator[dict[str, Any]]:
    try:
        joint = nested_posterior(nesting)
        alone = {name: posterior_of(case) for name, case in ((OUTER, nesting.outer), (INNER, nesting.inner))}
    except (NoStudies, *NO_POSTERIOR) as error:
        yield {"part": PAIR, "status": NOT_COMPUTED, "reason": str(error)}
        return
    means = [alone[name].distribution(MEAN) for name in (INNER, OUTER)]
    yield {"part": PAIR, "status": COMPUTED, "exceeds": difference(*means, at=np.array([0.5])).positive}
    for name, posterior in alone.items():
        yield from (_estimate(SEPARATE, name, one, posterior.case) for one in posterior.estimates((MEAN, NEW, RHO)))
    yield from joint_rows(nesting, joint)


def joint_rows(nesting: Nesting, joint: NestedPosterior) -> Iterator[dict[str, Any]]:
    """Rows of the estimates of the nested model."""
    k, n = nesting.size
    for name in (OUTER, GIVEN, INNER):
        case = nesting.outer if name == OUTER else nesting.inner
        yield from ({**_estimate(TOGETHER, name, one, case), "k_studies": k, "n_patients": n}
                    for one in joint.estimates(name))


def _estimate(fit: str, quantity: str, one: Estimate, case: Case) -> dict[str, Any]:
    names = ("estimand", "median", "mean", "sd", "lower", "upper", "level", "interval")
    return {"part": ESTIMATE, "fit": fit, "quantity": quantity, **{name: getattr(one, name) for name in names},
            "k_studies": len(case.studies), "n_patients": case.studies.patients,
            "prior_sd": _spread(case.priors[RHO]) if one.estimand == RHO else None, "status": COMPUTED}


def _spread(prior: Prior) -> float:
    return float(prior.draw(_PRIOR_DRAWS, np.random.default_rng(1)).std())


def _study(evidence: Evidence, row: NestedRow) -> dict[str, Any]:
    counts = {f"{part}_{name}": getattr(getattr(row, part), name) for part in ("outer", "inner")
              for name in ("events", "n", "grading") if getattr(row, part)}
    return {"part": STUDY, "study_id": row.study_id, "label": evidence.study(row.study_id).label, "role": row.role,
            **counts, "reason": row.reason}
