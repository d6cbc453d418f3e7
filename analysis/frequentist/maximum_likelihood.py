"""Maximum likelihood of the beta-binomial and the logit-normal model with profile-likelihood confidence intervals.

One study says nothing about heterogeneity: it is analysed with none, which is the binomial, and the note says so.

References
----------
Griffiths DA. Biometrics 1973;29:637, doi 10.2307/2529131 (beta-binomial).
Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046, doi 10.1002/sim.4040 (logit-normal).
"""

import math

import numpy as np
from scipy import special

from analysis.frequentist.interval import Limits, joined, rate
from analysis.frequentist.likelihoods import (
    LARGEST_TAU,
    RateLikelihood,
    beta_binomial_likelihood,
    logit_normal_likelihood,
)
from analysis.frequentist.profile import Maximum, Surface, maximum, profile_limits
from models.studies import RateStudies

ONE_STUDY = "one study: binomial, heterogeneity is not identified"
ALL_EVENTS = "every patient has the event: the estimate lies on the boundary"
NO_EVENTS = "no patient has the event: the estimate lies on the boundary"
LARGEST = f"tau is searched up to {LARGEST_TAU:g}"
_MOST_STEPS, _SETTLED = 60, 1e-13
_PROBIT = 0.346  # squared ratio of the slopes at zero of the logistic curve and the normal one that is nearest to it
_NODES = np.linspace(-8.5, 8.5, 171)
_WEIGHTS = np.exp(-(_NODES**2) / 2.0) / np.exp(-(_NODES**2) / 2.0).sum()


def beta_binomial_mean(studies: RateStudies, *, level: float) -> Limits:
    """Mean rate mu on the probability scale with profile limits over rho; heterogeneity is the estimate of rho."""
    found = _location(beta_binomial_likelihood(studies), studies, level=level)
    return _with_rho(found).through(rate)


def logit_normal_median(studies: RateStudies, *, level: float) -> Limits:
    """Median rate expit(m) with profile limits over tau; heterogeneity is the estimate of tau."""
    return _location(logit_normal_likelihood(studies), studies, level=level).through(rate)


def logit_normal_mean(studies: RateStudies, *, level: float) -> Limits:
    """Mean rate, the integral of expit over Normal(m, tau), with profile limits over tau.

    The estimate is the mean rate at the maximum; the limits come from the same likelihood with the mean rate in place
    of m, so they are no transform of the limits of the median.
    """
    likelihood = logit_normal_likelihood(studies)
    return _location(likelihood, studies, level=level, of_mean=True).through(rate)


def mean_rate(m: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Integral of expit over Normal(m, tau), any shape."""
    return special.expit(np.asarray(m)[..., None] + np.asarray(tau)[..., None] * _NODES) @ _WEIGHTS


def location_of_mean(logit_mean: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """The m at which a logit-normal law with standard deviation tau has the given mean.

    Jensen's inequality puts m farther from zero than the logit of the mean, and by no more than tau^2/2 + log 2; within
    these bounds Newton's method on the log of the rarer outcome, which is nearly linear and keeps its digits near 1.
    """
    target = np.abs(logit_mean)
    low, high = target, target + tau**2 / 2.0 + 1.0
    wanted = -np.logaddexp(0.0, target)
    middle = np.minimum(target * np.sqrt(1.0 + _PROBIT * tau**2), high)  # as if the logistic curve were a normal one
    for _ in range(_MOST_STEPS):
        rates = special.expit(-middle[..., None] + np.asarray(tau)[..., None] * _NODES)
        mean, slope = rates @ _WEIGHTS, (rates * (1.0 - rates)) @ _WEIGHTS
        excess = np.log(mean) - wanted
        low, high = np.where(excess > 0.0, middle, low), np.where(excess > 0.0, high, middle)
        newton = middle + excess * mean / slope
        following = np.where((newton > low) & (newton < high), newton, (low + high) / 2.0)
        settled = np.all(np.abs(following - middle) <= _SETTLED * (1.0 + middle))
        middle = following
        if settled:
            break
    return np.copysign(middle, logit_mean)


def _location(likelihood: RateLikelihood, studies: RateStudies, *, level: float, of_mean: bool = False) -> Limits:
    """Estimate and profile limits of the location (logit scale), with the spread at the maximum."""
    one = np.count_nonzero(studies.evaluable) == 1
    spreads = np.zeros(1) if one else likelihood.spreads
    surface = _surface(likelihood, of_mean=of_mean)
    patients, events = float(likelihood.patients[0]), float(likelihood.events[0])
    start = float(special.logit((events + 0.5) / (patients + 1.0)))
    edge = int(events == patients) - int(events == 0.0)
    best = maximum(surface, spreads, start=start, edge=edge)
    lower, upper = profile_limits(surface, spreads, best, start=start, level=level)
    at_edge = {1: ALL_EVENTS, -1: NO_EVENTS, 0: ""}[edge]
    capped = LARGEST if not one and spreads[-1] == LARGEST_TAU and edge else ""
    return Limits(best.location, lower, upper, _spread(best, one=one, edge=edge),
                  joined(ONE_STUDY if one else "", at_edge, capped))


def _spread(best: Maximum, *, one: bool, edge: int) -> float:
    # At an infinite location every spread has the same likelihood.
    return math.nan if one or edge else best.spread


def _surface(likelihood: RateLikelihood, *, of_mean: bool) -> Surface:
    def surface(location: np.ndarray, spread: np.ndarray) -> np.ndarray:
        centre = location_of_mean(location, spread) if of_mean else location
        return likelihood.value(centre[..., None], spread)
    return surface


def _with_rho(found: Limits) -> Limits:
    theta = found.heterogeneity
    return Limits(found.estimate, found.lower, found.upper, theta / (1.0 + theta), found.note)
