"""Beta-binomial model of a rate, the headline model for response and toxicity.

    y_i ~ BetaBinomial(n_i, mu, rho)        mu ~ Beta(1, 1)        rho ~ Beta(1, 4)

y_i of n_i patients of study i have the event; p_i ~ Beta(mu kappa, (1 - mu) kappa) is the study's own rate, mu its
mean over studies and rho = 1/(kappa + 1) the intraclass correlation, so Var p_i = mu (1 - mu) rho. The p_i are
integrated out.

Why these priors. mu is uniform: the pooled rate is what the data speak about. rho has mean 0.2 and leaves room for
none (the density is highest at rho = 0) as for very different studies; at mu = 0.8 the prior median of the standard
deviation of study rates is 0.16. No empirical prior exists for the heterogeneity of single-arm rates.

The density that is sampled and integrated. With theta = 1/kappa = rho/(1 - rho) the log likelihood of a study is

    log C(n, y) + sum_{j<y} log(mu + j theta) + sum_{j<n-y} log(1 - mu + j theta) - sum_{j<n} log(1 + j theta),

regular at theta = 0, where differences of log gamma functions at kappa lose every digit and chains get stuck. The
sums over studies depend on the counts only through a few points and weights (`models.sums`), which are the data of
the compiled model: 10,000 studies cost what 16 cost.

References
----------
Griffiths DA. Biometrics 1973;29:637, doi 10.2307/2529131 (the beta-binomial and its finite-product form).
"""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from models.backend import NUMBERS, Array, Backend, spaced
from models.model import Draws, Marginal, Model
from models.priors import Prior
from models.studies import RateStudies
from models.sums import below_counts, log_binomial

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {"mu": Prior("Beta", (1.0, 1.0)), "rho": Prior("Beta", (1.0, 4.0))}
_TINY = 1e-300
_MOST_SUMMED = 1_000  # patients; sums of more terms one by one would lose digits
_MOST_TERMS = 5_000_000  # of a sum at all draws; more would fill the memory
_KAPPA_OF_A_POINT = 1e10  # beyond it the beta distribution is narrower than 1e-5 and its median its mean


def build(studies: RateStudies, priors: Mapping[str, Prior] = PRIORS) -> "pm.Model":
    """The model as one writes it down.

    Parameters
    ----------
    studies : RateStudies
    priors : mapping of str to Prior
        For mu and rho, both on (0, 1).
    """
    import pymc as pm

    with pm.Model(coords={"study": studies.study_ids}) as model:
        mu, rho = priors["mu"].variable("mu"), priors["rho"].variable("rho")
        evaluable = pm.Data("evaluable", studies.evaluable, dims="study")
        kappa = (1.0 - rho) / rho
        pm.BetaBinomial("events", alpha=mu * kappa, beta=(1.0 - mu) * kappa, n=evaluable, observed=studies.events,
                        dims="study")
    return model


def finite_product(mu: Array, theta: Array, sums: Array, *, on: Backend) -> Array:
    """Log likelihood of (mu, theta = rho/(1 - rho)) over all studies, without the binomial coefficients.

    Parameters
    ----------
    mu, theta : array, broadcastable with (..., m)
    sums : array, shape (4, m)
        Rows b, c, j, w of the sum over m of w log(b + c mu + j theta); see `data`.
    """
    base, times_mu, times_theta, weight = (sums[row] for row in range(4))
    return on.sum(weight * on.log(base + times_mu * mu + times_theta * theta), axis=-1)


def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Log likelihood of mu and rho over all studies, without the binomial coefficients; shape (...)."""
    mu, rho = spaced(draws["mu"]), spaced(draws["rho"])
    return finite_product(mu, rho / (1.0 - rho), inputs["sums"], on=on)


def log_constant(studies: RateStudies) -> float:
    """The logs of the binomial coefficients."""
    return float(log_binomial(studies.evaluable, studies.events).sum())


def data(studies: RateStudies) -> dict[str, np.ndarray]:
    """The three sums of the likelihood as one table of points and weights, and the studies by their size."""
    y, n = studies.events, studies.evaluable
    blocks = []
    for base, times_mu, sign, counts in ((0.0, 1.0, 1.0, y), (1.0, -1.0, 1.0, n - y), (1.0, 0.0, -1.0, n)):
        total = below_counts(counts)
        size = len(total.nodes)
        blocks.append([np.full(size, base), np.full(size, times_mu), total.nodes, sign * total.weights])
    sizes, where = np.unique(n, return_inverse=True)
    rate_sums = np.bincount(where, weights=y / np.maximum(n, 1))
    return {"sums": np.concatenate(blocks, axis=1),
            "sizes": np.stack([sizes, np.bincount(where), rate_sums]).astype(float)}


def conditional(draws: Mapping[str, Array], inputs: Mapping[str, Array], *, on: Backend) -> tuple[Array, Array]:
    """About where logit(mu) lies given rho, and its standard deviation, from the weighted mean of observed rates."""
    sizes = inputs["sizes"]
    weight = sizes[0] / (1.0 + (sizes[0] - 1.0) * spaced(draws["rho"]))
    total = on.sum(weight * sizes[1], axis=-1)
    rate = (on.sum(weight * sizes[2], axis=-1) + 0.5) / (total + 1.0)
    return on.log(rate / (1.0 - rate)), 1.0 / on.sqrt(rate * (1.0 - rate) * (total + 1.0))


def log_likelihood(draws: Draws, studies: RateStudies) -> np.ndarray:
    """Marginal log likelihood of each study at each draw, shape (s, k)."""
    y, n = studies.events, studies.evaluable
    largest = int(n.max(initial=0))
    if largest <= _MOST_SUMMED and largest * draws["mu"].size <= _MOST_TERMS:
        had, had_not, any_of_them = sums_below(draws, largest)
        each = had[y] + had_not[n - y] - any_of_them[n]
    else:
        each = np.stack([log_density(draws, data(studies.take([at])), on=NUMBERS) for at in range(len(studies))])
    return each.T + log_binomial(n, y)


def count_log_probabilities(draws: Draws, sizes: Sequence[int]) -> list[np.ndarray]:
    """Log probability of each count from 0 to n for studies of these sizes; shape (n + 1, s) for each size n.

    Parameters
    ----------
    draws : mapping of str to array, shape (s,)
        mu and rho, both ends of (0, 1) included.
    sizes : sequence of int
        Patients of each study.
    """
    had, had_not, any_of_them = sums_below(draws, max(sizes, default=0))
    return [log_binomial(np.full(size + 1, size), np.arange(size + 1))[:, None]
            + had[:size + 1] + had_not[size::-1] - any_of_them[size] for size in sizes]


def sums_below(draws: Draws, size: int) -> list[np.ndarray]:
    """The three sums of the likelihood for every count up to that size, shape (size + 1, s) each.

    They share their terms, so that those of the largest study serve every count of every study.
    """
    below, theta, mu = np.arange(size, dtype=float)[:, None], _theta(draws), np.asarray(draws["mu"], dtype=float)
    with np.errstate(divide="ignore"):
        return [np.concatenate([np.zeros((1, mu.size)), np.cumsum(np.log(base + below * theta), axis=0)])
                for base in (mu, 1.0 - mu, np.ones_like(mu))]


def study_effects(draws: Draws, studies: RateStudies, rng: np.random.Generator) -> np.ndarray:
    """Rate of each study from its conjugate conditional Beta(mu kappa + y, (1 - mu) kappa + n - y); (s, k)."""
    a, b = _shapes(draws)
    # The bracket keeps a tiny shape positive where all patients have the event.
    return _beta(a[:, None] + studies.events, b[:, None] + (studies.evaluable - studies.events), rng)


def new_study(draws: Draws, rng: np.random.Generator) -> np.ndarray:
    """Rate of one further exchangeable study, Beta(mu kappa, (1 - mu) kappa); (s,)."""
    return _beta(*_shapes(draws), rng)


def new_study_cdf(draws: Draws, rate: Array) -> np.ndarray:
    """Probability that one further study's rate is at most `rate`, given each draw; shapes broadcast."""
    a, b = _shapes(draws)
    wide = a + b < _KAPPA_OF_A_POINT
    inside = special.betainc(np.where(wide, a, 1.0), np.where(wide, b, 1.0), rate)
    return np.where(wide, inside, draws["mu"] <= rate)


def _median_rate(draws: Draws) -> np.ndarray:
    a, b = _shapes(draws)
    wide = a + b < _KAPPA_OF_A_POINT
    return np.where(wide, special.betaincinv(np.where(wide, a, 1.0), np.where(wide, b, 1.0), 0.5), draws["mu"])


def _tau(draws: Draws) -> np.ndarray:
    """Standard deviation of logit p_i, sqrt(psi'(a) + psi'(b)).

    It grows like 1/(1 - mu) and 1/mu, so its posterior mean is infinite where no study shows the rarer outcome.
    """
    a, b = _shapes(draws)
    return np.sqrt(special.polygamma(1, a) + special.polygamma(1, b))


def _theta(draws: Draws) -> np.ndarray:
    return np.maximum(draws["rho"], _TINY) / np.maximum(1.0 - draws["rho"], _TINY)


def _shapes(draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    theta = _theta(draws)
    return np.maximum(draws["mu"], _TINY) / theta, np.maximum(1.0 - draws["mu"], _TINY) / theta


def _beta(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # Two gammas overflow where kappa is beyond all meaning; there the distribution is its mean.
    point = a + b > _KAPPA_OF_A_POINT
    return np.where(point, a / (a + b), rng.beta(np.where(point, 1.0, a), np.where(point, 1.0, b)))


MARGINAL = Marginal(data=data, log_density=log_density, log_constant=log_constant, log_likelihood=log_likelihood,
                    conditional=conditional, study_effects=study_effects, new_study=new_study,
                    new_study_cdf=new_study_cdf, population={
                        "mean_rate": lambda draws: draws["mu"], "median_rate": _median_rate,
                        "rho": lambda draws: draws["rho"], "tau": _tau})
MODEL = Model(name="beta_binomial", kind="rate", priors=PRIORS, build=build,
              estimands={"mean_rate": "mu", "rho": "rho"}, summary="Beta-binomial model of a rate",
              likelihood="y ~ BetaBinomial(n, mu, rho)", rank=0,
              without_moments=("tau",), marginal=MARGINAL)

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
