"""The log hazard model's marginal density: closed forms, brute force, and gradients at no heterogeneity."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import special, stats

from models import log_hazard
from models.backend import GRAPH, NUMBERS
from tests import quadrature
from tests.exact.solved import hazards as _studies

from .cases import COUNTS, INDEPENDENT, LANDMARKS, MIXED, NORMAL, SPLIT
from .graphs import log_density, log_slope, values_of


def _draws(eta: list[float], tau: list[float]) -> dict[str, np.ndarray]:
    return {"eta": np.array(eta), "tau": np.array(tau)}


@pytest.mark.parametrize("tau", [0.0, 1e-8, 0.1, 2.0])
def test_equal_sides_are_a_normal(tau: float) -> None:
    got = log_hazard.log_likelihood(_draws([-3.0, 1.0], [tau, tau]), _studies([NORMAL], []))[:, 0]
    wanted = stats.norm.logpdf(NORMAL[0], [-3.0, 1.0], np.hypot(0.3, tau))
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


@pytest.mark.parametrize("tau", [1e-8, 1e-3, 0.1, 0.5, 2.0])
@pytest.mark.parametrize("row", range(7))
def test_marginal_is_the_brute_force_integral(row: int, tau: float) -> None:
    eta = np.array([-4.5, -3.0, -2.2, -1.9, -1.0])
    wanted = quadrature.moments(INDEPENDENT[row], eta, np.full(5, tau))[0]
    got = log_hazard.log_likelihood(_draws(eta, [tau] * 5), MIXED)[:, row]
    # Simpson's rule leaves 1e-5 on the pieces of a split normal; the 25 points of the model leave 2e-5 for no
    # events at tau = 2, and 6e-5 where everybody had the event. Beyond
    # e^-25 of its peak the reference itself is cut off.
    seen = wanted > -25.0
    assert seen.sum() >= 3
    np.testing.assert_allclose(got[seen], wanted[seen], atol=1e-4)


def test_split_normal_without_heterogeneity_is_its_own_density() -> None:
    below, above = SPLIT[1:]
    for eta in (-2.6, -2.2, -1.5):
        scale = below if eta < SPLIT[0] else above
        wanted = 0.5 * np.log(2.0 / np.pi) - np.log(below + above) - 0.5 * ((eta - SPLIT[0]) / scale) ** 2
        got = log_hazard.log_likelihood(_draws([eta], [1e-9]), _studies([SPLIT], []))[0, 0]
        # First order in tau/s: 1e-8.
        assert got == pytest.approx(wanted, abs=1e-7)


def test_counts_without_heterogeneity_are_poisson() -> None:
    got = log_hazard.log_likelihood(_draws([-3.1], [1e-9]), _studies([], [COUNTS]))[0, 0]
    assert got == pytest.approx(stats.poisson.logpmf(9, 180.5 * np.exp(-3.1)), abs=1e-7)


def test_gradient_is_finite_and_right_as_heterogeneity_vanishes() -> None:
    eta, tau = pt.dscalar(), pt.dscalar()
    tables = log_hazard.data(MIXED)
    total = sum(pt.sum(log_hazard.DENSITIES[name](eta, tau, table, on=GRAPH)) for name, table in tables.items())
    function = pytensor.function([eta, tau], [total, *pytensor.grad(total, [eta, tau])])

    def numbers(at: float, width: float) -> float:
        return sum(float(log_hazard.DENSITIES[name](np.array([at]), np.array([[width]]), table, on=NUMBERS).sum())
                   for name, table in tables.items())

    for at in (-2.8, -2.2, -2.1, 3.0):
        for width in (1e-30, 1e-8, 1e-4, 0.3, 3.0):
            value, by_eta, by_tau = (float(part) for part in function(at, width))
            assert np.isfinite([value, by_eta, by_tau]).all(), (at, width)
            assert value == pytest.approx(numbers(at, width), rel=1e-9), (at, width)
            if width >= 0.3 and at < 0.0:
                step = 1e-5
                slope = (numbers(at, width + step) - numbers(at, width - step)) / (2.0 * step)
                # Quadrature and differences leave 1e-4 at tau = 3, where the counts are least well
                # integrated.
                assert by_tau == pytest.approx(slope, abs=1e-3)


def test_compiled_density_is_prior_times_likelihood_times_jacobian() -> None:
    model = log_hazard.MODEL.fast(MIXED, log_hazard.PRIORS)
    density, values = log_density(model), values_of(model, ["eta", "tau"])
    d, time = np.array([9.0, 0.0]), np.array([180.5, 25.0])
    # The binomial coefficient of 3 of 13 patients; those of nobody and everybody are 1.
    constant = (d * np.log(time) - special.gammaln(d + 1.0)).sum() + np.log(286.0)
    for z, log_tau in ((0.0, -1.0), (1.5, -6.0), (-2.0, 0.5)):
        point = {"eta_z": z, "tau_log__": log_tau}
        at = values(**point)
        slope = log_slope(lambda value, fixed=log_tau: values(eta_z=value, tau_log__=fixed)["eta"], z)
        wanted = (stats.norm.logpdf(at["eta"], np.log(np.log(2.0) / 12.0), 2.5) + slope + log_tau
                  + stats.halfnorm.logpdf(at["tau"], scale=0.5) - constant
                  + log_hazard.log_likelihood(_draws([at["eta"]], [at["tau"]]), MIXED).sum())
        assert density(**point) == pytest.approx(wanted, abs=1e-7)
    gradient = model.compile_dlogp()
    for log_tau in (-60.0, -18.0, 3.0):
        assert np.all(np.isfinite(gradient({"eta_z": np.array(0.3), "tau_log__": np.array(log_tau)})))


def test_nobody_by_a_landmark_is_no_event_in_the_person_months_of_all() -> None:
    """S(t)^n = exp(-h n t), the Poisson probability of no event: both are one likelihood."""
    draws = _draws([-4.0, -2.5], [0.3, 1.0])
    landmark = log_hazard.log_likelihood(draws, _studies([], [(0.0, 76.8, 12.0)]))
    np.testing.assert_allclose(landmark, log_hazard.log_likelihood(draws, _studies([], [(0.0, 76.8)])), rtol=1e-12)


def test_events_by_a_landmark_without_heterogeneity_are_binomial() -> None:
    got = log_hazard.log_likelihood(_draws([-3.1], [1e-9]), _studies([], [(3.0, 120.0, 12.0)]))[0, 0]
    assert got == pytest.approx(stats.binom.logpmf(3, 13, 1.0 - np.exp(-12.0 * np.exp(-3.1))), abs=1e-7)


@pytest.mark.parametrize("eta", [-300.0, -40.0, 5.0, 300.0])
def test_extreme_hazards_leave_counts_at_a_landmark_defined(eta: float) -> None:
    assert np.all(np.isfinite(log_hazard.log_likelihood(_draws([eta], [0.5]), _studies([], [LANDMARKS[1]]))))
