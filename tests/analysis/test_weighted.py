"""Weighted draws: equal weights are plain draws, whole weights are repeated draws, errors are those of simulation."""

import numpy as np
import pytest

from analysis.inference import weighted


def test_equal_weights_are_plain_draws() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 501)
    weights = np.full(501, 1.0 / 501)
    assert weighted.mean_and_sd(values, weights) == pytest.approx((values.mean(), values.std()))
    # Steps reached in their middles are Hazen's rule.
    found = weighted.quantiles(values, weights, [0.025, 0.5, 0.9])
    assert found == pytest.approx(np.quantile(values, [0.025, 0.5, 0.9], method="hazen"))
    assert weighted.effective_size(weights) == pytest.approx(501)
    assert weighted.mcse_mean(values, weights) == pytest.approx(values.std() / np.sqrt(501))


def test_whole_weights_are_repeated_draws() -> None:
    rng = np.random.default_rng(2)
    values, times = rng.normal(size=40), rng.integers(0, 5, 40)
    weights, repeated = times / times.sum(), np.repeat(values, times)
    assert weighted.mean_and_sd(values, weights) == pytest.approx((repeated.mean(), repeated.std()))
    assert weighted.quantiles(values, weights, [0.5])[0] == pytest.approx(np.median(repeated), abs=0.1)
    counts = np.bincount(weighted.resampled(weights, int(times.sum())), minlength=40)
    assert np.array_equal(counts, times)


def test_quantiles_of_each_column() -> None:
    values = np.random.default_rng(3).normal(size=(200, 2, 3))
    weights = np.random.default_rng(4).dirichlet(np.ones(200))
    found = weighted.quantiles(values, weights, [0.1, 0.8])
    assert found.shape == (2, 2, 3)
    assert found[:, 1, 2] == pytest.approx(weighted.quantiles(values[:, 1, 2], weights, [0.1, 0.8]))


def test_errors_are_those_of_repeated_simulation() -> None:
    """Draws of Normal(0, 1.3) weighted to Normal(0, 1), 400 times: the stated errors are the spread of the results."""
    rng, means, ends, stated = np.random.default_rng(5), [], [], []
    for _ in range(400):
        values = rng.normal(0.0, 1.3, 800)
        weights = np.exp(-0.5 * values**2 * (1.0 - 1.0 / 1.3**2))
        weights /= weights.sum()
        means.append(weights @ values)
        ends.append(weighted.quantiles(values, weights, [0.025])[0])
        stated.append((weighted.mcse_mean(values, weights), weighted.mcse_quantile(values, weights, 0.025)))
    of_mean, of_end = np.mean(stated, axis=0)
    # A standard deviation from 400 values has a standard error of 3.5 %.
    assert of_mean == pytest.approx(np.std(means), rel=0.15) and of_end == pytest.approx(np.std(ends), rel=0.15)
    assert np.mean(ends) == pytest.approx(-1.96, abs=4.0 * np.std(ends) / 20.0 + 0.01)
