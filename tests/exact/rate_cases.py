"""Counts on which rate models have failed before, or that are known from elsewhere: events and evaluable."""

from functools import cache

import numpy as np

from tests import quadrature
from tests.references import peers

_PEERS = peers()

CASES = {
    **{name: (_PEERS[name]["events"], _PEERS[name]["evaluable"]) for name in ("as_rbest", "pritz_1997")},
    "homogeneous": ([15] * 8, [60] * 8), "all_successes": ([20] * 8, [20] * 8), "no_events": ([0] * 8, [20] * 8),
    "two_studies": ([5, 8], [10, 10]), "one_study": ([7], [10]), "one_patient_each": ([1, 0, 1, 1, 1], [1] * 5),
    "very_unequal": ([1, 90_000, 3, 30], [1, 100_000, 5, 40]),
    "large_and_homogeneous": ([25_000] * 3, [100_000] * 3),
    "millions": ([999_000, 999_500, 1_000_000], [1_000_000] * 3),
}


@cache
def expected(model: str, case: str) -> tuple[quadrature.Grid, dict[str, quadrature.Reference]]:
    """The posterior of a case under the default priors by the quadrature of the tests, and every estimand."""
    events, evaluable = (np.array(values) for values in CASES[case])
    if model == "beta_binomial":
        grid = quadrature.beta_binomial(events, evaluable)
        return grid, quadrature.beta_binomial_estimands(grid, events, evaluable)
    studies = [quadrature.binomial_study(y, n) for y, n in zip(events, evaluable, strict=True)]
    grid = quadrature.normal_effects(studies, centre=(0.0, 2.0), tau=1.0)
    return grid, quadrature.logit_normal_estimands(grid, studies)
