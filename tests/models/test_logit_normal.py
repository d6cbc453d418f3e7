"""The logit-normal's marginal density: against brute force, in the graph, and with effects as parameters."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import special, stats

from models import logit_normal
from models.backend import GRAPH, NUMBERS
from models.studies import RateStudies
from tests import quadrature

from .cases import RATES as STUDIES
from .graphs import log_density, log_slope, values_of


def _draws(m: list[float], tau: list[float]) -> dict[str, np.ndarray]:
    return {"m": np.array(m), "tau": np.array(tau)}


@pytest.mark.parametrize(
    ("y", "n"),
    [
        (0, 1),
        (1, 1),
        (0, 20),
        (20, 20),
        (15, 60),
        (0, 100_000),
        (25_000, 100_000),
        (1_000_000, 1_000_000),
        (999_000, 1_000_000),
    ],
)
def test_marginal_is_the_brute_force_integral(y: int, n: int) -> None:
    guess = special.logit((y + 0.5) / (n + 1.0))
    # Study and mean up to 4 SDs apart. The 25 points leave 1e-6 up to tau = 1 and 1e-5 at 2; 5e-3 with no
    # event at tau = 5, where the prior has no mass. A tenth of a posterior SD would be 5e-3 of a log density.
    for tau in (1e-8, 1e-3, 0.1, 0.5, 1.0, 2.0, 3.0):
        centre = guess + tau * np.array([-4.0, -1.0, 0.0, 1.0, 4.0])
        wanted = quadrature.moments(quadrature.binomial_study(y, n), centre, np.full(5, tau))[0]
        got = logit_normal.log_likelihood(_draws(centre, np.full(5, tau)), RateStudies(("a",), [y], [n]))[:, 0]
        np.testing.assert_allclose(got, wanted, atol=1e-4 * tau**3 if tau > 1.0 else 3e-6)


def test_no_heterogeneity_is_the_binomial() -> None:
    got = logit_normal.log_likelihood(_draws([-1.0], [1e-10]), STUDIES)[0]
    # Linear in tau times the score, below 1e-7.
    np.testing.assert_allclose(got, stats.binom.logpmf(STUDIES.events, STUDIES.evaluable, special.expit(-1.0)),
                               atol=1e-7)


def test_equal_pairs_are_one_row_and_nobody_evaluable_adds_nothing() -> None:
    table = logit_normal.data(STUDIES)["counts"]
    assert table.shape == (3, 4) and table[2].sum() == 5
    masked = RateStudies(("a", "b"), [15, 0], [60, 0])
    assert logit_normal.log_likelihood(_draws([0.5], [0.7]), masked)[0, 1] == pytest.approx(0.0, abs=1e-12)


def test_numbers_and_graph_agree_and_the_gradient_is_that_of_the_integral() -> None:
    table = logit_normal.data(STUDIES)["counts"]
    m, tau = pt.dscalar(), pt.dscalar()
    total = pt.sum(logit_normal.log_density_each(m, tau, table, on=GRAPH))
    function = pytensor.function([m, tau], [total, *pytensor.grad(total, [m, tau])])

    def numbers(at: float, width: float) -> float:
        return float(logit_normal.log_density_each(np.array([at]), np.array([[width]]), table, on=NUMBERS).sum())

    for at, width in ((-1.0, 0.4), (0.5, 1.5), (-2.0, 1e-3)):
        value, by_m, by_tau = (float(part) for part in function(at, width))
        step = 1e-5 * width
        assert value == pytest.approx(numbers(at, width), rel=1e-12)
        # Central differences: rounding 1e-14 * 100 / 1e-8 at the smallest step.
        assert by_m == pytest.approx((numbers(at + step, width) - numbers(at - step, width)) / (2 * step), rel=1e-4)
        assert by_tau == pytest.approx((numbers(at, width + step) - numbers(at, width - step)) / (2 * step),
                                       rel=1e-3, abs=1e-4)


def test_gradient_of_the_model_is_finite() -> None:
    gradient = logit_normal.MODEL.fast(STUDIES, logit_normal.PRIORS).compile_dlogp()
    for width in (1e-12, 1e-8, 1e-3, 5.0, 30.0):
        for z in (-5.0, 0.0, 5.0):
            at = {"m_z": np.array(z), "tau_log__": np.array(np.log(width))}
            assert np.all(np.isfinite(gradient(at))), (width, z)


def test_compiled_density_is_prior_times_likelihood_times_jacobian() -> None:
    model = logit_normal.MODEL.fast(STUDIES, logit_normal.PRIORS)
    density, values = log_density(model), values_of(model, ["m", "tau"])
    coefficients = logit_normal.log_binomial(STUDIES.evaluable, STUDIES.events).sum()
    for z, log_tau in ((0.0, -1.0), (1.5, -6.0), (-2.0, 0.5)):
        point = {"m_z": z, "tau_log__": log_tau}
        at = values(**point)
        slope = log_slope(lambda value, fixed=log_tau: values(m_z=value, tau_log__=fixed)["m"], z)
        wanted = (stats.norm.logpdf(at["m"], 0.0, 2.0) + stats.halfnorm.logpdf(at["tau"], scale=1.0) + slope + log_tau
                  + logit_normal.log_likelihood(_draws([at["m"]], [at["tau"]]), STUDIES).sum() - coefficients)
        assert density(**point) == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize(("m", "tau"), [(-1.1, 0.3), (1.4, 0.9), (0.0, 5.0), (-6.0, 3.0), (2.0, 1e-6)])
def test_mean_rate_and_rho_are_integrals(m: float, tau: float) -> None:
    found = logit_normal.MARGINAL.summaries(_draws([m], [tau]))
    z = np.linspace(-12.0, 12.0, 24_001)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    rates = special.expit(m + tau * z)
    mean = weight @ rates
    assert found["mean_rate"][0] == pytest.approx(mean, abs=1e-12)
    assert found["median_rate"][0] == special.expit(m)
    assert found["rho"][0] == pytest.approx(weight @ (rates - mean) ** 2 / (mean * (1.0 - mean)), rel=1e-6)
