"""Frequentist estimates by plain numpy and scipy: inverse-variance pooling and maximum likelihood with profiles."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from tests.seen.facts import Counts

_Z = np.linspace(-8.0, 8.0, 201)
_W = stats.norm.pdf(_Z) / stats.norm.pdf(_Z).sum()


def estimates(studies: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Logits with 1/y + 1/(n - y), half an event added to both cells where one is empty; or log hazards."""
    if not isinstance(studies[0], Counts):
        found = np.array([study.estimate for study in studies])
        return found[:, 0], found[:, 1] ** 2
    y = np.array([study.events for study in studies], dtype=float)
    rest = np.array([study.n for study in studies]) - y
    half = 0.5 * ((y == 0) | (rest == 0))
    return np.log((y + half) / (rest + half)), 1 / (y + half) + 1 / (rest + half)


def tau2(name: str, y: np.ndarray, v: np.ndarray) -> float:
    if len(y) == 1:
        return 0.0
    w = 1 / v

    def spread(t: float) -> float:
        weight = 1 / (v + t)
        return float(weight @ (y - weight @ y / weight.sum()) ** 2)

    if name == "dl":
        return max(0.0, (spread(0.0) - (len(y) - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    if name == "pm":
        return optimize.brentq(lambda t: spread(t) - (len(y) - 1), 0, 50) if spread(0.0) > len(y) - 1 else 0.0

    def restricted(t: float) -> float:
        weight = 1 / (v + t)
        return float(np.log(v + t).sum() + np.log(weight.sum()) + spread(t))

    at = optimize.minimize_scalar(
        lambda x: restricted(x**2), bounds=(0, 3), method="bounded", options={"xatol": 1e-9}).x ** 2
    return at if restricted(at) < restricted(0.0) else 0.0


def weighted(name: str, interval: str, studies: Sequence[Any]) -> tuple[float, float, float, float]:
    """Estimate, limits and tau of an inverse-variance method on the link scale."""
    y, v = estimates(studies)
    t = tau2(name, y, v)
    weight = 1 / (v + t)
    mean = float(weight @ y / weight.sum())
    if interval == "wald":
        half = stats.norm.ppf(0.975) / math.sqrt(weight.sum())
    elif len(y) == 1:
        half = math.nan
    else:
        half = stats.t.ppf(0.975, len(y) - 1) * math.sqrt(weight @ (y - mean) ** 2 / ((len(y) - 1) * weight.sum()))
    return mean, mean - half, mean + half, math.sqrt(t) if len(y) > 1 else math.nan


def beta_binomial_log(studies: Sequence[Counts], mu: np.ndarray | float, rho: float) -> float:
    y, n = (np.array([getattr(study, name) for study in studies], dtype=float) for name in ("events", "n"))
    if rho < 1e-9:
        return float(stats.binom.logpmf(y, n, mu).sum())
    kappa = 1 / rho - 1
    return float(stats.betabinom.logpmf(y, n, mu * kappa, (1 - mu) * kappa).sum())


def logit_normal_log(studies: Sequence[Counts], m: float, tau: float) -> float:
    y, n = (np.array([getattr(study, name) for study in studies])[:, None] for name in ("events", "n"))
    return float(np.log(stats.binom.pmf(y, n, special.expit(m + tau * _Z)) @ _W).sum())


def logit_normal_mean(m: float, tau: float) -> float:
    return float(special.expit(m + tau * _Z) @ _W)


def profile(log: Callable[[float, float], float], at: float, spreads: tuple[float, float]) -> tuple[float, float]:
    """Largest log likelihood over the spread at one location, and that spread; its log is searched, and none at all."""
    best = optimize.minimize_scalar(
        lambda x: -log(at, math.exp(x)), bounds=spreads, method="bounded", options={"xatol": 1e-7})
    return max((-best.fun, math.exp(best.x)), (log(at, 0.0), 0.0))


LIKELIHOODS: dict[str, tuple[Callable[..., float], tuple[float, float]]] = {
    "beta_binomial_ml": (
        lambda studies, logit, rho: beta_binomial_log(studies, special.expit(logit), rho), (-12.0, -0.01)),
    "logit_normal_ml_median": (logit_normal_log, (-9.0, 1.6)),
    "logit_normal_ml_mean": (
        lambda studies, logit, tau: logit_normal_log(studies, _location(logit, tau), tau), (-9.0, 1.6)),
}


def _location(logit_mean: float, tau: float) -> float:
    return optimize.brentq(lambda m: logit_normal_mean(m, tau) - special.expit(logit_mean), -40, 40, xtol=1e-10)


def deviances(method: str, studies: Sequence[Counts], found: Sequence[float]) -> tuple[list[float], float]:
    """Deviance above its minimum at each of these rates, each profiled over the spread; and the spread at the first.

    0 at a maximum-likelihood estimate, 3.841 at its 95 % limits.
    """
    likelihood, spreads = LIKELIHOODS[method]
    log = partial(likelihood, studies)

    def at(logit: float) -> tuple[float, float]:
        return profile(log, logit, spreads) if len(studies) > 1 else (log(logit, 0.0), math.nan)

    centre = float(special.logit(found[0]))
    top = optimize.minimize_scalar(
        lambda x: -at(x)[0], bounds=(centre - 0.5, centre + 0.5), method="bounded", options={"xatol": 1e-5})
    return [-2 * (at(float(special.logit(one)))[0] + top.fun) for one in found], at(centre)[1]
