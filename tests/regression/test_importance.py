"""Weighted draws against a fine grid, the proposal's own density, and weights that cannot be trusted."""

import numpy as np
import pytest
from scipy import special, stats

from analysis.cases.settings import IMPORTANCE
from analysis.inference import regression, weighted
from analysis.inference.density import density_of
from analysis.inference.grid import QuadratureFailed
from analysis.inference.importance import Part, Weighted
from analysis.inference.laplace import nested_laplace
from analysis.inference.posterior import posterior_of
from models.studies import HazardStudies, RateStudies

from .cases import HAZARDS, RATES, case, column, fitted, moments, simulated

_X = np.array([-0.9, 0.3, 0.8, 1.2, -0.4, -0.6])
_GAPS = np.where(np.isin(np.arange(6), [2, 4]), np.nan, _X)


def _on_grid(log_density: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    weights = np.exp(log_density - log_density.max()).ravel()
    return weighted.mean_and_sd(np.broadcast_to(values, log_density.shape).ravel(), weights / weights.sum())


def _log_posterior(studies: RateStudies | HazardStudies, x: np.ndarray, u: np.ndarray, v: np.ndarray,
                   beta: np.ndarray) -> np.ndarray:
    """From scipy's densities, without the prior of the slope; u is logit mu or eta, v logit rho or log tau."""
    u, v = u[:, None, None], v[:, None]
    if isinstance(studies, RateStudies):
        kappa, rho = np.exp(-v), special.expit(v)
        total = -u - 2.0 * np.logaddexp(0.0, -u) + stats.beta.logpdf(rho, 1, 4) + np.log(rho * (1.0 - rho))
        for y, n, at in zip(studies.events, studies.evaluable, x, strict=True):
            rate = special.expit(u + beta * at)
            total = total + stats.betabinom.logpmf(y, n, rate * kappa, (1.0 - rate) * kappa)
        return total
    tau = np.exp(v)
    total = stats.norm.logpdf(u, np.log(np.log(2.0) / 12.0), 2.5) + stats.halfnorm.logpdf(tau, scale=0.5) + v
    for h, se, at in zip(studies.log_hazard, studies.se_lower, x, strict=True):
        total = total + stats.norm.logpdf(h, u + beta * at, np.sqrt(se**2 + tau**2))
    return total


def _normal_hazards() -> HazardStudies:
    none = np.zeros(6)
    return HazardStudies(HAZARDS.study_ids, [-3.0, -2.5, -3.4, -2.7, -2.2, -2.9], HAZARDS.se_lower, HAZARDS.se_lower,
                         none, none, HAZARDS.patients_each)


def _steep_hazards(x: np.ndarray, slope: float, rng: np.random.Generator) -> HazardStudies:
    se, none = np.full(len(x), 0.1), np.zeros(len(x))
    return HazardStudies(tuple(map(str, x)), -2.8 + slope * x + rng.normal(0.0, 0.1, len(x)), se, se, none, none,
                         np.full(len(x), 50))


@pytest.mark.parametrize("studies", [RATES, _normal_hazards()], ids=["rate", "survival"])
def test_a_slope_is_that_of_a_fine_grid(studies) -> None:
    found = fitted(studies, _X)
    assert found.engine == IMPORTANCE and found.diagnostics.converged and found.diagnostics.pareto_k < 0.5
    mean, sd, error = moments(found)
    points = np.linspace(-2.6, 2.6, 81)
    places = (np.linspace(-2.5, 4.5, 61), np.linspace(-12.0, 3.0, 61)) if isinstance(studies, RateStudies) else (
        np.linspace(-5.0, -0.5, 61), np.linspace(-7.0, 1.0, 61))
    wanted = _on_grid(_log_posterior(studies, _X, *places, points) + stats.norm.logpdf(points, 0.0, 0.5), points)
    assert mean == pytest.approx(wanted[0], abs=4.0 * error)
    assert sd == pytest.approx(wanted[1], rel=0.03)


@pytest.mark.parametrize("kind", ["rate", "survival"])
def test_a_covariate_that_explains_the_heterogeneity(kind) -> None:
    """Without the covariate the studies differ far too much for the heterogeneity that is left with it."""
    rng, x = np.random.default_rng(3), np.linspace(-1.7, 1.7, 12)
    studies = simulated(x, 0.8, rng, rho=0.002, n=200) if kind == "rate" else _steep_hazards(x, 0.8, rng)
    v, beta = np.linspace(-14.0, 1.0, 81), np.linspace(0.3, 1.3, 81)
    u = np.linspace(0.4, 1.4, 81) if kind == "rate" else np.linspace(-3.4, -2.2, 81)
    total = _log_posterior(studies, x, u, v, beta) + stats.norm.logpdf(beta, 0.0, 0.5)
    found = fitted(studies, x)
    assert found.engine == IMPORTANCE and found.diagnostics.converged
    left = np.log(found.draws["rho" if kind == "rate" else "tau"])
    own = v[:, None]
    wanted = _on_grid(total, beta), _on_grid(total, own - np.logaddexp(0.0, own) if kind == "rate" else own)
    for values, (mean, sd) in zip((found.draws["beta"][:, 0], left), wanted, strict=True):
        weighed = weighted.mean_and_sd(values, found.weights)
        assert weighed[0] == pytest.approx(mean, abs=4.0 * weighted.mcse_mean(values, found.weights))
        assert weighed[1] == pytest.approx(sd, rel=0.06)


def test_slopes_far_larger_than_their_scale_is_expected_to_be() -> None:
    """One slope of 1 under shrinkage ~ HalfNormal(0.05): scales beyond all but a thousandth of the prior hold mass.

    So does a slope near zero, with heterogeneity in its stead.
    """
    x = np.linspace(-1.7, 1.7, 12)
    studies = _steep_hazards(x, 1.0, np.random.default_rng(4))
    narrow = case(studies, column(x), together=True, shrinkage="HalfNormal(0.05)")
    found = regression.fit(narrow)
    beta, scale = np.linspace(-0.6, 1.6, 331), np.linspace(5e-4, 0.8, 1600)[:, None]
    prior = np.log((stats.norm.pdf(beta, 0.0, scale) * stats.halfnorm.pdf(scale, scale=0.05)).sum(axis=0))
    total = _log_posterior(studies, x, np.linspace(-4.0, -1.6, 121), np.linspace(-14.0, 2.0, 65), beta) + prior
    mean, sd = _on_grid(total, beta)
    weighed_mean, weighed_sd, error = moments(found)
    assert found.engine == IMPORTANCE and found.diagnostics.converged
    assert weighed_mean == pytest.approx(mean, abs=4.0 * error) and weighed_sd == pytest.approx(sd, rel=0.06)
    assert np.exp(nested_laplace(narrow, posterior_of(narrow.without).grid.density)[0].log_scale[-1]) > 0.35


def test_a_scale_of_slopes_with_a_long_tail_is_reached() -> None:
    """Under Gamma(0.1, 1) nearly all scales are zero to the eye, and the few that are not are what the slope needs."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(10, 3))
    studies = simulated(x[:, 0], 0.7, rng, rho=0.03, n=60)
    long_tailed = case(studies, *(column(x[:, at], f"x{at}") for at in range(3)), together=True,
                       shrinkage="Gamma(0.1, 1)")
    found = regression.fit(long_tailed, careful=False)
    mean, sd, _ = moments(found)
    assert mean > 0.05 and sd > 0.1


def test_a_location_beyond_all_rates_has_no_place_and_asks_the_sampler(monkeypatch) -> None:
    far = case(HAZARDS, column(_X), eta="Normal(40, 0.1)")
    with pytest.raises(QuadratureFailed):
        nested_laplace(far, density_of(far.regression.base, HAZARDS, far.priors))
    monkeypatch.setattr(regression, "_sampled", lambda *arguments: _Converged())
    assert isinstance(fitted(HAZARDS, _X, eta="Normal(40, 0.1)"), _Converged)
    monkeypatch.setattr(regression, "posterior_of", _unsettled)
    assert isinstance(fitted(RATES, _X), _Converged)


def _unsettled(case):
    raise QuadratureFailed("planted")


def test_most_draws_count_where_no_cell_is_missing() -> None:
    found = fitted(RATES, _X)
    assert weighted.effective_size(found.weights) > 0.8 * len(found.weights)


@pytest.mark.parametrize("together", [False, True])
def test_the_proposals_density_is_that_of_its_draws(together) -> None:
    """The mean of another density's ratio to it is 1 where both have the same support."""
    columns = (column(_GAPS), column(_X[::-1], "z")) if together else (column(_GAPS),)
    gaps = case(RATES, *columns, together=together)
    parts = [Part(nodes) for nodes in nested_laplace(gaps, posterior_of(gaps.without).grid.density)]
    assert len(parts) == 2
    points = np.random.default_rng(1).random((40_000, 3 + 1 + len(columns)))
    drawn = parts[1].draw(points)
    ratio = np.exp(parts[0].log_density(*drawn) - parts[1].log_density(*drawn))
    assert ratio.mean() == pytest.approx(1.0, abs=4.0 * ratio.std() / 200.0)
    assert ratio.std() > 0.1


def test_seeds_repeat_and_differ() -> None:
    one, again, other = (fitted(RATES, _GAPS, seed=seed).draws["beta"] for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_the_seed_moves_a_slope_by_less_than_its_stated_error() -> None:
    """Sixteen scrambles of the Sobol sequence: their spread is what independent draws would have at most."""
    found = [fitted(RATES, _GAPS, seed=seed) for seed in range(16)]
    means, _, errors = zip(*map(moments, found), strict=True)
    assert np.std(means, ddof=1) < 1.3 * np.mean(errors)


def test_weights_that_cannot_be_trusted_give_way_to_chains(monkeypatch) -> None:
    """Two attempts with weights, the second with four times as many draws, and then the sampler is asked."""
    sizes = []

    def bad(*arguments, size):
        sizes.append(size)
        draws = {"mu": np.linspace(0.4, 0.6, size), "rho": np.linspace(0.1, 0.2, size),
                 "beta": np.linspace(-1.0, 1.0, size)[:, None], "covariate_mean": np.zeros((size, 1)),
                 "covariate_sd": np.ones((size, 1))}
        return Weighted(draws, np.full(size, 1.0 / size), 0.9)

    asked = []
    monkeypatch.setattr(regression, "importance_draws", bad)
    monkeypatch.setattr(regression, "_sampled", lambda *arguments: asked.append(arguments) or _Converged())
    assert isinstance(fitted(RATES, _X), _Converged)
    assert sizes == [4096, 16_384] and len(asked) == 1


class _Converged:
    diagnostics = type("Fine", (), {"remedy": "", "converged": True})


@pytest.mark.parametrize(("events", "evaluable"), [([15] * 8, [60] * 8), ([0] * 5, [15, 20, 30, 7, 9]),
                                                   ([15, 20, 30, 7, 9], [15, 20, 30, 7, 9]),
                                                   ([90_000, 91_000, 85_000, 88_000], [100_000] * 4)])
def test_edges_converge_without_chains(events, evaluable) -> None:
    x = np.linspace(-1.0, 1.0, len(events))
    found = fitted(RateStudies(tuple(map(str, x)), events, evaluable), x)
    assert found.engine == IMPORTANCE and found.diagnostics.converged
