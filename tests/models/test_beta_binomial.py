"""The beta-binomial's density against scipy, the finite product and binomial, as numbers and as a graph."""

import numpy as np
import pytensor.tensor as pt
import pytest
from scipy import special, stats

from models import beta_binomial
from models.backend import GRAPH, NUMBERS
from models.priors import Prior
from models.studies import RateStudies

from .graphs import log_density, log_jacobian_logodds, log_slope, values_of

STUDIES = RateStudies(("a", "b", "c", "d"), [15, 0, 12, 9], [60, 7, 12, 140])


def _draws(mu: list[float], rho: list[float]) -> dict[str, np.ndarray]:
    return {"mu": np.array(mu), "rho": np.array(rho)}


def _product(y: int, n: int, mu: float, rho: float) -> float:
    theta = rho / (1.0 - rho)
    j = np.arange(n)
    return float(special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
                 + np.log(mu + j[:y] * theta).sum() + np.log(1.0 - mu + j[: n - y] * theta).sum()
                 - np.log1p(j * theta).sum())


@pytest.mark.parametrize("rho", [0.001, 0.02, 0.2, 0.7, 0.99])
@pytest.mark.parametrize("mu", [0.001, 0.3, 0.95])
def test_density_is_that_of_scipy(mu: float, rho: float) -> None:
    kappa = 1.0 / rho - 1.0
    wanted = stats.betabinom.logpmf(STUDIES.events, STUDIES.evaluable, mu * kappa, (1.0 - mu) * kappa)
    # scipy takes differences of log gammas near 1000 log(1000) = 7e3, which leaves 1e-11.
    np.testing.assert_allclose(beta_binomial.log_likelihood(_draws([mu], [rho]), STUDIES)[0], wanted, atol=1e-10)


@pytest.mark.parametrize("rho", [0.0, 1e-18, 1e-14])
def test_no_heterogeneity_is_the_binomial(rho: float) -> None:
    wanted = stats.binom.logpmf(STUDIES.events, STUDIES.evaluable, 0.3)
    # The difference is of order n^2 rho < 2e-10.
    np.testing.assert_allclose(beta_binomial.log_likelihood(_draws([0.3], [rho]), STUDIES)[0], wanted, atol=1e-9)


@pytest.mark.parametrize("rho", [1e-16, 1e-12, 1e-8, 1e-4, 0.1, 0.9])
@pytest.mark.parametrize(("y", "n"), [(0, 1), (1, 1), (0, 300), (300, 300), (77, 300), (4_000, 20_000)])
def test_density_is_the_finite_product(y: int, n: int, rho: float) -> None:
    got = beta_binomial.log_likelihood(_draws([0.25], [rho]), RateStudies(("a",), [y], [n]))[0, 0]
    # Rounding of 20,000 terms up to 10: 1e-10; at 300 patients 1e-11 would do.
    assert got == pytest.approx(_product(y, n, 0.25, rho), abs=1e-10)


@pytest.mark.parametrize("rho", [1e-12, 1e-6, 0.01])
def test_probabilities_of_all_counts_add_to_one(rho: float) -> None:
    n = 40
    every = RateStudies(range(n + 1), range(n + 1), [n] * (n + 1))
    total = special.logsumexp(beta_binomial.log_likelihood(_draws([0.83], [rho]), every)[0])
    assert total == pytest.approx(0.0, abs=1e-12)


def test_a_study_of_a_million_is_regular() -> None:
    rho = np.array([0.0, 1e-15, 1e-13])
    values = beta_binomial.log_likelihood(_draws([0.25] * 3, rho), RateStudies(("a",), [250_000], [1_000_000]))[:, 0]
    # Half of n rho times the squared standardised residual minus 1: -(1e6 rho)/2 here, below 1e-7; rounding
    # of sums near 1e6 leaves 1e-8.
    np.testing.assert_allclose(values, stats.binom.logpmf(250_000, 1_000_000, 0.25), atol=2e-7)


def test_nobody_evaluable_changes_nothing() -> None:
    masked = RateStudies(("a", "b"), [15, 0], [60, 0])
    alone, draws = RateStudies(("a",), [15], [60]), _draws([0.2, 0.9], [1e-9, 0.3])
    for theta in (0.0, 1e-9, 0.4):
        tables = [beta_binomial.data(studies)["sums"] for studies in (masked, alone)]
        values = [beta_binomial.finite_product(np.array([0.2]), np.array([theta]), table, on=NUMBERS)
                  for table in tables]
        assert values[0] == pytest.approx(values[1], abs=1e-12)
    assert np.all(beta_binomial.log_likelihood(draws, masked)[:, 1] == 0.0)


def test_numbers_and_graph_agree() -> None:
    table = beta_binomial.data(STUDIES)["sums"]
    for mu, theta in ((0.3, 0.0), (0.01, 1e-12), (0.99, 5.0)):
        graph = beta_binomial.finite_product(pt.constant(mu), pt.constant(theta), table, on=GRAPH).eval()
        assert float(graph) == pytest.approx(beta_binomial.finite_product(mu, theta, table, on=NUMBERS), rel=1e-13)


def test_compiled_density_is_prior_times_likelihood_times_jacobian() -> None:
    priors = {"mu": Prior("Beta", (2.0, 3.0)), "rho": Prior("Beta", (1.0, 4.0))}
    model = beta_binomial.MODEL.fast(STUDIES, priors)
    density, values = log_density(model), values_of(model, ["mu", "rho"])
    coefficients = beta_binomial.log_binomial(STUDIES.evaluable, STUDIES.events).sum()
    for z, logit_rho in ((0.0, -2.0), (1.5, -6.0), (-2.0, 0.5)):
        point = {"mu_z": z, "rho_logodds__": logit_rho}
        at = values(**point)
        mu, rho = at["mu"], at["rho"]
        assert rho == pytest.approx(special.expit(logit_rho), rel=1e-12)
        slope = log_slope(lambda value, fixed=logit_rho: values(mu_z=value, rho_logodds__=fixed)["mu"], z)
        wanted = (stats.beta.logpdf(mu, 2.0, 3.0) + stats.beta.logpdf(rho, 1.0, 4.0) + slope
                  + log_jacobian_logodds(logit_rho) + beta_binomial.log_likelihood(_draws([mu], [rho]), STUDIES).sum()
                  - coefficients)
        # The numerical derivative is right to about 1e-9.
        assert density(**point) == pytest.approx(wanted, abs=1e-7)


def test_study_effects_stay_defined_where_every_patient_has_the_event() -> None:
    studies, rng = RateStudies(("a", "b"), [1_000_000, 0], [1_000_000, 1_000_000]), np.random.default_rng(1)
    rates = beta_binomial.study_effects(_draws([1.0 - 1e-15, 1e-15], [0.2, 0.2]), studies, rng)
    assert np.all((rates >= 0.0) & (rates <= 1.0))


def test_conjugate_effects_have_the_moments_of_their_distribution() -> None:
    draws, rng = _draws([0.3] * 40_000, [0.1] * 40_000), np.random.default_rng(2)
    rates = beta_binomial.study_effects(draws, STUDIES, rng)
    law = stats.beta(0.3 * 9.0 + STUDIES.events, 0.7 * 9.0 + STUDIES.evaluable - STUDIES.events)
    # Four standard errors of a mean and of a standard deviation (kurtosis below 6).
    np.testing.assert_allclose(rates.mean(axis=0), law.mean(), atol=4.0 * law.std().max() / 200.0)
    np.testing.assert_allclose(rates.std(axis=0), law.std(), rtol=4.0 * np.sqrt(5.0 / 4.0) / 200.0)


def test_new_study_and_population() -> None:
    draws, rng = _draws([0.3] * 100_000, [0.1] * 100_000), np.random.default_rng(3)
    rates = beta_binomial.new_study(draws, rng)
    found = {name: values[0] for name, values in beta_binomial.MARGINAL.summaries(draws).items()}
    law = stats.beta(2.7, 6.3)
    logits = special.logit(rates)
    assert found["mean_rate"] == pytest.approx(law.mean(), rel=1e-12)
    assert found["median_rate"] == pytest.approx(law.median(), rel=1e-10)
    # Var p = mu (1 - mu) rho; four standard errors of the variance of 100,000 draws (kurtosis 3: sqrt(2/s)).
    assert rates.var() / (0.3 * 0.7) == pytest.approx(found["rho"], rel=4.0 * np.sqrt(2.0 / 100_000))
    # The logit of a beta draw has excess kurtosis below 2: sqrt(4/s)/2 relative.
    assert logits.std() == pytest.approx(found["tau"], rel=4.0 * np.sqrt(1.0 / 100_000))


@pytest.mark.parametrize("rho", [0.0, 1e-300, 1e-15, 1e-11, 1e-10, 1e-9, 1e-5])
def test_summaries_are_continuous_at_no_heterogeneity(rho: float) -> None:
    draws, rng = _draws([0.3] * 100, [rho] * 100), np.random.default_rng(4)
    found = beta_binomial.MARGINAL.summaries(draws)
    # The median lies (1 - 2 mu)/(3 kappa) from the mean; new rates within 6 SDs of sqrt(mu (1 - mu) rho).
    np.testing.assert_allclose(found["median_rate"], 0.3, atol=0.2 * rho + 1e-9)
    np.testing.assert_allclose(beta_binomial.new_study(draws, rng), 0.3, atol=6.0 * np.sqrt(0.21 * rho) + 1e-4)
    assert np.all(np.isfinite(found["tau"])) and np.all(found["tau"] <= 1.01 * np.sqrt(rho / 0.21) + 1e-9)
