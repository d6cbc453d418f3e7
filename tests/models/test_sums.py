"""Sums over the integers below counts: equal to the plain sum, and short."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from models.sums import ORDER, below_counts, log_binomial


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=20), st.floats(1e-6, 1.0), st.floats(0.0, 10.0))
def test_weighted_sum_is_the_plain_sum(counts: list[int], base: float, theta: float) -> None:
    rule = below_counts(np.array(counts))
    terms = [np.log(base + theta * np.arange(count)) for count in counts]
    plain = sum(float(values.sum()) for values in terms)
    size = sum(float(np.abs(values).sum()) for values in terms)
    # The Gauss rule is exact to rounding: 1e-13 of the sum of absolute terms holds a few hundred roundings.
    assert rule.weights @ np.log(base + theta * rule.nodes) == pytest.approx(plain, abs=1e-12 + 1e-13 * size)


@pytest.mark.parametrize("degree", range(2 * ORDER))
def test_rule_is_exact_for_polynomials(degree: int) -> None:
    length, x = 100, np.arange(100) / 99.0
    rule = below_counts(np.array([length]))
    # Exact by construction up to degree 2 ORDER - 1; what remains is rounding of sums below 100.
    assert rule.weights @ (rule.nodes / 99.0) ** degree == pytest.approx(np.sum(x**degree), abs=1e-11)


def test_number_of_points_grows_with_the_logarithm_of_the_count() -> None:
    sizes = [len(below_counts(np.array([ORDER * 2**power])).nodes) for power in range(1, 18)]
    assert set(np.diff(sizes)) == {ORDER}


def test_many_equal_counts_cost_no_more_than_one() -> None:
    one, many = below_counts(np.array([500])), below_counts(np.full(10_000, 500))
    assert len(one.nodes) == len(many.nodes)
    np.testing.assert_allclose(many.weights, 10_000 * one.weights, rtol=1e-14)


@pytest.mark.parametrize("counts", [[], [0], [0, 0, 0]])
def test_no_counts_leave_one_point_of_weight_zero(counts: list[int]) -> None:
    rule = below_counts(np.array(counts, dtype=int))
    assert rule.nodes.tolist() == rule.weights.tolist() == [0.0]


def test_log_binomial() -> None:
    n, y = np.array([0, 1, 10, 60, 1000]), np.array([0, 1, 3, 15, 500])
    # Logs of gamma at 1000 are near 6000, of which rounding leaves 1e-12.
    np.testing.assert_allclose(log_binomial(n, y), np.log(special.comb(n, y)), atol=1e-11)
