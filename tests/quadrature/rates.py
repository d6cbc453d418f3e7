"""Posteriors of the beta-binomial: u = logit(mu), v = log(rho)."""

import numpy as np
from scipy import special, stats

from tests.quadrature.grid import Grid, Reference, integrate, of_function, of_mixture

_NO_HETEROGENEITY = 1e-9  # of rho; log gamma differences at kappa = 1e9 are right to 1e-5, and n rho is below 1e-4


def beta_binomial(events: np.ndarray, evaluable: np.ndarray, *, mu: tuple[float, float] = (1.0, 1.0),
                  rho: tuple[float, float] = (1.0, 4.0)) -> Grid:
    """Posterior under Beta priors of mu and rho."""
    pairs, times = np.unique(np.stack([events, evaluable]), axis=1, return_counts=True)

    def density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        value = mu[0] * special.log_expit(u) + mu[1] * special.log_expit(-u) - special.betaln(*mu)
        value = value + rho[0] * v + (rho[1] - 1.0) * np.log1p(-np.exp(v)) - special.betaln(*rho)
        for y, n, count in zip(*pairs, times, strict=True):
            value = value + count * beta_binomial_log_pmf(y, n, u, v)
        return value

    return integrate(density, u_range=(-45.0, 45.0), v_range=(-30.0, -1e-9))


def beta_binomial_log_pmf(y: int, n: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Log probability of y of n at mu = expit(u), rho = exp(v); the binomial where rho is next to nothing."""
    rho = np.exp(v)
    kappa = (1.0 - rho) / np.maximum(rho, _NO_HETEROGENEITY)
    a, b = special.expit(u) * kappa, special.expit(-u) * kappa
    coefficient = -special.betaln(y + 1.0, n - y + 1.0) - np.log(n + 1.0)
    binomial = y * special.log_expit(u) + (n - y) * special.log_expit(-u)
    return coefficient + np.where(rho > _NO_HETEROGENEITY, _rising(a, y) + _rising(b, n - y)
                                  - _rising(a + b, n), binomial)


def _rising(a: np.ndarray, count: int) -> np.ndarray:
    """Log of a (a + 1) ... (a + count - 1)."""
    return special.gammaln(a + count) - special.gammaln(a) if count else np.zeros_like(a)


def beta_binomial_estimands(grid: Grid, events: np.ndarray, evaluable: np.ndarray) -> dict[str, Reference]:
    """All estimands of the beta-binomial, with the rates of the first three studies."""
    found = {"mean_rate": of_function(special.expit(grid.u), grid), "rho": of_function(np.exp(grid.v), grid)}
    a, b = _shapes(grid.u, grid.v)
    narrow = a + b > 1e8
    median = stats.beta.median(np.where(narrow, 1.0, a), np.where(narrow, 1.0, b))
    found["median_rate"] = of_function(np.where(narrow, special.expit(grid.u), median), grid)
    found["tau"] = of_function(np.sqrt(special.zeta(2.0, a) + special.zeta(2.0, b)), grid)
    u, v, weight = grid.points()
    a, b = _shapes(u, v)
    found["new_study_rate"] = _of_betas(a, b, weight)
    for index, (y, n) in enumerate(zip(events[:3], evaluable[:3], strict=True)):
        found[f"study_rate_{index}"] = _of_betas(a + y, b + (n - y), weight)
    return found


def _shapes(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kappa = -np.expm1(v) / np.exp(v)
    return special.expit(u) * kappa, special.expit(-u) * kappa


def _of_betas(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> Reference:
    mean = a / (a + b)
    return of_mixture(mean, mean * (a + 1.0) / (a + b + 1.0), lambda x: special.betainc(a, b, x), weight, (0.0, 1.0))
