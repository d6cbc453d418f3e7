"""The test of uniformity: exact for few values, level for many, and the bands of another program."""

import itertools
import math

import numpy as np
import pytest
from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

from analysis.simulation.uniformity import bands, ecdf, inside_probability, points_for, uniformity


def by_enumeration(size: int, lower: np.ndarray, upper: np.ndarray) -> float:
    """Sum of multinomial probabilities over all counts per cell that keep within the limits."""
    cells, total = len(lower) + 1, 0.0
    for counts in itertools.product(range(size + 1), repeat=cells):
        below = np.cumsum(counts)[:-1]
        if sum(counts) == size and np.all((lower <= below) & (below <= upper)):
            total += math.factorial(size) / math.prod(map(math.factorial, counts)) / cells**size
    return total


@pytest.mark.parametrize(("lower", "upper"), [
    ([0, 0, 0, 0], [5, 5, 5, 5]), ([0, 1, 2, 3], [2, 3, 4, 5]), ([0, 2, 2, 4], [3, 3, 5, 5]),
    ([1, 1, 1, 1], [1, 1, 1, 1])])
def test_probability_of_staying_inside_is_the_sum_over_all_cases(lower, upper):
    lower, upper = np.array(lower), np.array(upper)
    assert inside_probability(5, lower, upper) == pytest.approx(by_enumeration(5, lower, upper), abs=1e-13)


def test_more_values_than_points():
    lower, upper = np.array([1, 3]), np.array([4, 6])
    assert inside_probability(7, lower, upper) == pytest.approx(by_enumeration(7, lower, upper), abs=1e-13)


def test_limits_that_exclude_everything_leave_nothing():
    assert inside_probability(5, np.array([3, 0]), np.array([5, 2])) == 0.0


@pytest.mark.parametrize("size", [20, 100])
def test_p_values_of_uniform_values_are_level(size):
    """1,000 samples; five binomial standard errors. p-values of a discrete statistic may lie above."""
    rng = np.random.default_rng(size)
    found = np.array([uniformity(rng.random(size))[0] for _ in range(1000)])
    for level in (0.01, 0.1, 0.5):
        error = np.sqrt(level * (1 - level) / 1000)
        assert -0.1 * level - 5 * error < np.mean(found <= level) - level < 5 * error


def test_bands_are_those_of_arviz():
    """Simulated by ArviZ with 2,000 samples: two counts of 300 is what is left of its chance."""
    points = points_for(300)
    level = simulate_confidence_bands(300, 1, points, 0.95, 2000, np.random.default_rng(1))
    lower, upper = get_pointwise_confidence_band(level, 300, points)
    found = bands(300, 0.95)
    assert np.abs(found.lower - lower).max() <= 2 / 300 + 1e-12
    assert np.abs(found.upper - upper).max() <= 2 / 300 + 1e-12


@pytest.mark.parametrize("level", [0.95, 1 - 1e-3 / 6])
def test_bands_have_at_least_their_level_and_not_much_more(level):
    found = bands(200, level)
    lower, upper = (np.rint(200 * edge).astype(int) for edge in (found.lower, found.upper))
    inside = inside_probability(200, lower, upper)
    assert level <= inside < level + 0.1 * (1 - level)


def test_band_and_p_value_agree():
    """A sample leaves the bands of a level exactly where its p-value is below one minus the level."""
    rng, band, seen = np.random.default_rng(9), bands(100, 0.9), set()
    for _ in range(300):
        values = rng.beta(1.0, 1.2, 100)
        share = ecdf(values, band.points)
        outside = bool(np.any((share < band.lower - 1e-9) | (share > band.upper + 1e-9)))
        # The level of the bands is the next one that counts allow.
        if not 0.095 < uniformity(values)[0] < 0.105:
            assert outside == (uniformity(values)[0] < 0.1)
            seen.add(outside)
    assert seen == {True, False}


@pytest.mark.parametrize("wrong", [lambda u: u**1.4, lambda u: 0.5 + 0.8 * (u - 0.5), np.zeros_like, np.ones_like])
def test_values_that_are_not_uniform_are_found(wrong):
    p_value, max_deviation = uniformity(wrong(np.random.default_rng(3).random(500)))
    assert 0.0 <= p_value < 1e-4 and max_deviation > 0.05
