"""Logit-normal model of a rate, the alternative to the beta-binomial.

    y_i ~ Binomial(n_i, expit(theta_i))     theta_i ~ Normal(m, tau)     m ~ Normal(0, 2)     tau ~ HalfNormal(1)

theta_i is the logit of study i's rate, m the logit of the median rate and tau the standard deviation of logits over
studies. The mean rate is the integral of expit(theta) over Normal(m, tau); it is not expit(m).

Why these priors. m ~ Normal(0, 2) holds the median rate between 0.02 and 0.98 with 95 %. tau ~ HalfNormal(1) has
median 0.67; at tau = 1 the rates of similar studies range from 0.34 to 0.97 around 0.8, and more than that would
not be called one population. They are weaker about the mean and stronger about the heterogeneity than those of
the beta-binomial: with no event at all the two families differ by their priors.

The density that is sampled and integrated. The theta_i are integrated out (`models.integrals`): two parameters remain,
there is no funnel, and equal pairs (y, n) are evaluated once.

References
----------
Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046, doi 10.1002/sim.4040.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from models.backend import NUMBERS, Array, Backend, spaced
from models.coordinates import conditional_location
from models.integrals import NORMAL_NODES, NORMAL_WEIGHTS, POINTS, Concave, draw_effects, log_marginal
from models.model import Draws, Marginal, Model
from models.priors import Prior
from models.studies import RateStudies
from models.sums import log_binomial

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {"m": Prior("Normal", (0.0, 2.0)), "tau": Prior("HalfNormal", (1.0,))}
_TINY = 1e-300


def build(studies: RateStudies, priors: Mapping[str, Prior] = PRIORS) -> "pm.Model":
    """The model as one writes it down, every study's logit a parameter.

    Parameters
    ----------
    studies : RateStudies
    priors : mapping of str to Prior
        For m (logit scale) and tau (> 0, logit scale).
    """
    import pymc as pm

    with pm.Model(coords={"study": studies.study_ids}) as model:
        m, tau = priors["m"].variable("m"), priors["tau"].variable("tau")
        evaluable = pm.Data("evaluable", studies.evaluable, dims="study")
        z = pm.Normal("z", 0.0, 1.0, dims="study")
        rate = pm.Deterministic("study_rate", pm.math.sigmoid(m + tau * z), dims="study")
        pm.Binomial("events", n=evaluable, p=rate, observed=studies.events, dims="study")
        pm.Deterministic("median_rate", pm.math.sigmoid(m))
        pm.Deterministic("mean_rate", (pm.math.sigmoid(m + tau * NORMAL_NODES) * NORMAL_WEIGHTS).sum())
    return model


def likelihood(events: Array, evaluable: Array, *, on: Backend) -> Concave:
    """Binomial log likelihood of each study as a function of its logit, without the coefficient."""
    def rate(theta: Array) -> Array:
        return 1.0 / (1.0 + on.exp(-on.clip(theta, -700.0, 700.0)))

    def curvature(theta: Array) -> Array:
        p = rate(theta)
        return evaluable * p * (1.0 - p)

    smoothed = (events + 0.5) / (evaluable + 1.0)
    return Concave(value=lambda theta: events * theta - evaluable * on.softplus(theta),
                   slope=lambda theta: events - evaluable * rate(theta), curvature=curvature,
                   guess=on.log(smoothed) - on.log1p(-smoothed),
                   guess_variance=1.0 / ((evaluable + 1.0) * smoothed * (1.0 - smoothed)))


def log_density_each(m: Array, tau: Array, counts: Array, *, on: Backend) -> Array:
    """Marginal log likelihood of each study without its binomial coefficient, shape (..., k).

    Parameters
    ----------
    m, tau : array, broadcastable with (..., k)
    counts : array, shape (2 or more, k)
        Rows events and evaluable.
    """
    return log_marginal(likelihood(counts[0], counts[1], on=on), m, tau, on=on)


def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Log likelihood of m and tau over all studies, without the binomial coefficients; shape (...)."""
    counts = inputs["counts"]
    each = log_density_each(spaced(draws["m"]), spaced(draws["tau"]), counts, on=on)
    return on.sum(counts[2] * each, axis=-1)


def log_constant(studies: RateStudies) -> float:
    """The logs of the binomial coefficients."""
    return float(log_binomial(studies.evaluable, studies.events).sum())


def conditional(draws: Mapping[str, Array], inputs: Mapping[str, Array], *, on: Backend) -> tuple[Array, Array]:
    """About where m lies given tau, and its standard deviation."""
    counts = inputs["counts"]
    rough = likelihood(counts[0], counts[1], on=on)
    return conditional_location(draws["tau"], [(rough.guess, rough.guess_variance, counts[2])], on=on)


def data(studies: RateStudies) -> dict[str, np.ndarray]:
    """Distinct pairs (events, evaluable) and how often each occurs, as rows."""
    pairs = np.stack([studies.events, studies.evaluable])
    distinct, times = np.unique(pairs, axis=1, return_counts=True)
    return {"counts": np.concatenate([distinct, times[None]]).astype(float)}


def log_likelihood(draws: Draws, studies: RateStudies) -> np.ndarray:
    """Marginal log likelihood of each study at each draw, shape (s, k)."""
    counts = np.stack([studies.events, studies.evaluable]).astype(float)
    values = log_density_each(draws["m"][:, None], draws["tau"][:, None], counts, on=NUMBERS)
    return values + log_binomial(studies.evaluable, studies.events)


def study_effects(draws: Draws, studies: RateStudies, rng: np.random.Generator) -> np.ndarray:
    """Rate of each study given the hyperparameters and its own counts, shape (s, k)."""
    concave = likelihood(studies.events.astype(float), studies.evaluable.astype(float), on=NUMBERS)
    return special.expit(draw_effects(concave, draws["m"], draws["tau"], rng))


def new_study(draws: Draws, rng: np.random.Generator) -> np.ndarray:
    """Rate of one further exchangeable study, shape (s,)."""
    return special.expit(rng.normal(draws["m"], draws["tau"]))


def new_study_cdf(draws: Draws, rate: Array) -> np.ndarray:
    """Probability that one further study's rate is at most `rate`, given each draw; shapes broadcast."""
    return special.ndtr((special.logit(rate) - draws["m"]) / np.maximum(draws["tau"], _TINY))


def _rare(draws: Draws) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Side, rates of the rarer outcome at the nodes, and their mean; next to one its complement would round away.

    The sum is off by exp(-2 pi^2 / (tau step)) for a logistic curve: 1e-16 at tau = 5, 3e-9 at tau = 10.
    """
    side = np.where(draws["m"] > 0.0, -1.0, 1.0)
    rates = special.expit(side[:, None] * (draws["m"][:, None] + draws["tau"][:, None] * NORMAL_NODES))
    return side, rates, rates @ NORMAL_WEIGHTS


def _mean_rate(draws: Draws) -> np.ndarray:
    """The integral of the rate over studies."""
    side, _, rare = _rare(draws)
    return np.where(side < 0.0, 1.0 - rare, rare)


def _rho(draws: Draws) -> np.ndarray:
    """Var p / (E p (1 - E p))."""
    _, rates, rare = _rare(draws)
    return (rates - rare[:, None]) ** 2 @ NORMAL_WEIGHTS / np.maximum(rare * (1.0 - rare), np.finfo(float).tiny)


MARGINAL = Marginal(data=data, log_density=log_density, log_constant=log_constant, log_likelihood=log_likelihood,
                    conditional=conditional, study_effects=study_effects, new_study=new_study,
                    new_study_cdf=new_study_cdf, points_per_study=POINTS, population={
                        "mean_rate": _mean_rate, "median_rate": lambda draws: special.expit(draws["m"]), "rho": _rho,
                        "tau": lambda draws: draws["tau"]})
MODEL = Model(name="logit_normal", kind="rate", priors=PRIORS, build=build,
              estimands={"mean_rate": "mean_rate", "median_rate": "median_rate", "tau": "tau",
                         "study_rate": "study_rate"},
              summary="Logit-normal model of a rate",
              likelihood="y ~ Binomial(n, expit(theta)), theta ~ Normal(m, tau)", rank=1, marginal=MARGINAL)

if __name__ == "__main__":
    from analysis.__main__ import run_model
    sys.exit(run_model(MODEL.name))
