"""Marginal likelihoods of the two rate models, and profile-likelihood confidence intervals from them.

The densities are those of `models`; here they only get one signature, a location on the logit scale and a spread, so
that one search for the maximum and one profile serve both. The location is logit(mu) for the beta-binomial and m for
the logit-normal model, and may depend on covariates; the spread is theta = rho/(1 - rho) and tau.

For every location the likelihood is maximised over the whole range of the spread, zero included; the limits are the
locations at which this profile has fallen from its maximum by half a chi-square quantile with one degree of freedom.
A likelihood that still rises at plus or minus infinity has its estimate there (every patient, or none, has the event).
One study says nothing about heterogeneity: it is analysed with none, which is the binomial, and the note says so.

References
----------
Griffiths DA. Biometrics 1973;29:637, doi 10.2307/2529131 (beta-binomial).
Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046, doi 10.1002/sim.4040 (logit-normal).
Venzon DJ, Moolgavkar SH. Appl Stat 1988;37:87, doi 10.2307/2347496 (profile limits).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats
from scipy.optimize import elementwise

from analysis.frequentist.interval import Limits, joined, rate
from models import beta_binomial, logit_normal
from models.backend import NUMBERS
from models.studies import RateStudies
from models.sums import log_binomial

LARGEST_TAU = 10.0
"""Largest tau searched, on the logit scale. Beyond it every study's rate is practically 0 or 1."""
ONE_STUDY = "one study: binomial, heterogeneity is not identified"
ALL_EVENTS = "every patient has the event: the estimate lies on the boundary"
NO_EVENTS = "no patient has the event: the estimate lies on the boundary"
LARGEST = f"tau is searched up to {LARGEST_TAU:g}"
_THETA = np.concatenate([[0.0], np.geomspace(1e-9, 1e9, 61)])
_TAU = np.concatenate([[0.0], np.geomspace(1e-4, LARGEST_TAU, 41)])
_TINY = 1e-300
_ROUNDS, _ROUGH_ROUNDS, _POINTS, _CLOSE = 7, 4, 13, 1e-5
_NEAR = 0.2
_DOUBLINGS = 12  # of a distance of `_NEAR`: 800 is beyond the logit of the smallest probability that is a number
_MOST_STEPS, _SETTLED = 60, 1e-13
_PROBIT = 0.346  # squared ratio of the slopes at zero of the logistic curve and the normal one that is nearest to it
_NODES = np.linspace(-8.5, 8.5, 171)
_WEIGHTS = np.exp(-(_NODES**2) / 2.0) / np.exp(-(_NODES**2) / 2.0).sum()

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Log likelihood of locations and spreads of broadcastable shapes, of their common shape."""


@dataclass(frozen=True)
class RateLikelihood:
    """Log likelihood of a location and a spread, and the range of the spread.

    Parameters
    ----------
    value : callable
        Of location, shape (..., g) for g groups of equal covariates, and spread, shape (...); gives shape (...),
        binomial coefficients included.
    design : array, shape (g, p)
        Covariates of each group; the location of group i is design[i] @ coefficients.
    spreads : array, shape (s,)
        Grid of the whole range of the spread in increasing order, from zero; zero alone where there is one study.
    patients, events : array, shape (g,)
        Of each group, to know where to search.
    """

    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    design: np.ndarray
    spreads: np.ndarray
    patients: np.ndarray
    events: np.ndarray


def beta_binomial_likelihood(studies: RateStudies, *, design: np.ndarray | None = None) -> RateLikelihood:
    """Likelihood of logit(mu) and theta.

    Parameters
    ----------
    studies : RateStudies
    design : array, shape (k, p), or None
        Covariates of logit(mu_i), an intercept among them; None: one mean for all.
    """
    groups, which = _groups(studies, design)
    parts = [RateStudies(np.array(studies.study_ids)[mine], studies.events[mine], studies.evaluable[mine])
             for mine in which == np.arange(len(groups))[:, None]]
    tables = [beta_binomial.data(part)["sums"] for part in parts]
    owner = np.repeat(np.arange(len(groups)), [table.shape[1] for table in tables])
    table = np.concatenate(tables, axis=1)
    constant = float(log_binomial(studies.evaluable, studies.events).sum())

    def value(location: np.ndarray, spread: np.ndarray) -> np.ndarray:
        # Far from zero the mean rounds to 0 or 1, where a logarithm would be infinite times a count of zero.
        mean = np.clip(special.expit(location), _TINY, 1.0 - 1e-16)[..., owner]
        return constant + beta_binomial.finite_product(mean, spread[..., None], table, on=NUMBERS)

    return _likelihood(value, _THETA, studies, groups, which)


def logit_normal_likelihood(studies: RateStudies, *, design: np.ndarray | None = None) -> RateLikelihood:
    """Likelihood of m and tau; parameters as in `beta_binomial_likelihood`."""
    groups, which = _groups(studies, design)
    keyed = np.stack([which, studies.events, studies.evaluable])
    distinct, times = np.unique(keyed[:, studies.evaluable > 0], axis=1, return_counts=True)
    counts = distinct[1:].astype(float)
    constant = float(log_binomial(studies.evaluable, studies.events).sum())

    def value(location: np.ndarray, spread: np.ndarray) -> np.ndarray:
        each = logit_normal.log_density_each(location[..., distinct[0]], spread[..., None], counts, on=NUMBERS)
        return constant + each @ times

    return _likelihood(value, _TAU, studies, groups, which)


def _groups(studies: RateStudies, design: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of the design, and the row of each study."""
    rows = np.ones((len(studies), 1)) if design is None else np.asarray(design, dtype=float)
    if rows.ndim != 2 or len(rows) != len(studies) or not np.all(np.isfinite(rows)):
        raise ValueError(f"design of shape {rows.shape}: one finite row per study is needed, {len(studies)} in all")
    groups, which = np.unique(rows, axis=0, return_inverse=True)
    return groups, which.reshape(-1)


def _likelihood(value: Callable, spreads: np.ndarray, studies: RateStudies, groups: np.ndarray,
                which: np.ndarray) -> RateLikelihood:
    alone = np.count_nonzero(studies.evaluable) == 1
    patients, events = (np.bincount(which, weights=counts, minlength=len(groups))
                        for counts in (studies.evaluable, studies.events))
    return RateLikelihood(value, groups, np.zeros(1) if alone else spreads, patients, events)


def beta_binomial_mean(studies: RateStudies, *, level: float) -> Limits:
    """Mean rate mu on the probability scale with profile limits over rho; heterogeneity is the estimate of rho."""
    return beta_binomial_means([studies], level=level)[0]


def beta_binomial_means(sets: Sequence[RateStudies], *, level: float) -> list[Limits]:
    """`beta_binomial_mean` of each of several sets of as many studies, in one search for all."""
    likelihoods = [beta_binomial_likelihood(studies) for studies in sets]
    tables = [beta_binomial.data(studies)["sums"] for studies in sets]
    # Terms without weight fill up the shorter sums; log(1) is what they are made of.
    stacked = np.zeros((len(tables[0]), len(tables), max(table.shape[1] for table in tables)))
    stacked[0] = 1.0
    for at, table in enumerate(tables):
        stacked[:, at, :table.shape[1]] = table
    constants = np.array([log_binomial(studies.evaluable, studies.events).sum() for studies in sets])

    def surface(logit_mean: np.ndarray, theta: np.ndarray, which: np.ndarray) -> np.ndarray:
        mean = np.clip(special.expit(logit_mean), _TINY, 1.0 - 1e-16)[..., None]
        return constants[which] + beta_binomial.finite_product(mean, theta[..., None], stacked[:, which], on=NUMBERS)

    return [replace(limits, heterogeneity=limits.heterogeneity / (1.0 + limits.heterogeneity)).through(rate)
            for limits in _profile_intervals(likelihoods, surface, level=level)]


def logit_normal_median(studies: RateStudies, *, level: float) -> Limits:
    """Median rate expit(m) with profile limits over tau; heterogeneity is the estimate of tau."""
    return _logit_normal(studies, level=level)


def logit_normal_mean(studies: RateStudies, *, level: float) -> Limits:
    """Mean rate, the integral of expit over Normal(m, tau), with profile limits over tau.

    The estimate is the mean rate at the maximum; the limits come from the same likelihood with the mean rate in place
    of m, so they are no transform of the limits of the median.
    """
    return _logit_normal(studies, level=level, to_location=location_of_mean)


def _logit_normal(studies: RateStudies, *, level: float, to_location: Surface | None = None) -> Limits:
    likelihood = logit_normal_likelihood(studies)

    def surface(parameter: np.ndarray, tau: np.ndarray, which: np.ndarray) -> np.ndarray:
        location = to_location(parameter, tau) if to_location else parameter
        return likelihood.value(location[..., None], tau)

    (limits,) = _profile_intervals([likelihood], surface, level=level)
    return limits.through(rate)


def location_of_mean(logit_mean: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """The m at which a logit-normal law with standard deviation tau has the given mean.

    By Newton's method on the log of the rarer outcome, which keeps its digits near 1. It is concave in m, so that the
    method converges from anywhere; the start is exact for a normal curve in place of the logistic one.
    """
    target = np.abs(logit_mean)
    log_rarer = -np.logaddexp(0.0, target)
    m = target * np.sqrt(1.0 + _PROBIT * tau**2)
    for _ in range(_MOST_STEPS):
        rates = special.expit(tau[..., None] * _NODES - m[..., None])
        mean = rates @ _WEIGHTS
        step = (np.log(mean) - log_rarer) * mean / ((rates * (1.0 - rates)) @ _WEIGHTS)
        m = m + step
        if np.all(np.abs(step) <= _SETTLED * (1.0 + m)):
            break
    return np.copysign(m, logit_mean)


def profile(surface: Surface, location: np.ndarray | float, spreads: np.ndarray, *,
            rounds: int = _ROUNDS) -> tuple[np.ndarray, np.ndarray]:
    """The spread that maximises the likelihood at each location, and the log likelihood there.

    The best point of the grid is refined between its neighbours until they differ by 1e-5 of themselves, or so many
    rounds are over; the log likelihood is then the top of the parabola through the last three points, whose error is
    of third order in their distance.
    """
    location = np.asarray(location, dtype=float)[..., None]
    grid = np.broadcast_to(spreads, (*location.shape[:-1], len(spreads)))
    for remaining in reversed(range(rounds)):
        values = surface(location, grid)
        best = np.argmax(values, axis=-1)[..., None]
        around = np.clip(best + [-1, 0, 1], 0, grid.shape[-1] - 1)
        low, kept, high = np.moveaxis(np.take_along_axis(grid, around, axis=-1), -1, 0)
        if not remaining or np.all(high - low <= _CLOSE * high):
            break
        grid = np.linspace(low, high, _POINTS, axis=-1)
        # A grid that keeps the best point never loses likelihood. It takes the place of the nearest one: two points
        # at no distance would have no slope.
        nearest = np.argmin(np.abs(grid - kept[..., None]), axis=-1)[..., None]
        np.put_along_axis(grid, nearest, kept[..., None], axis=-1)
    return kept, parabola_top(np.stack([low, kept, high]),
                              np.moveaxis(np.take_along_axis(values, around, axis=-1), -1, 0))


def parabola_top(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Highest value of the parabola through three points of which the middle one is the highest; of that without it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        (left, right), rise, fall = np.diff(x, axis=0), (y[1] - y[0]) / (x[1] - x[0]), (y[1] - y[2]) / (x[2] - x[1])
        curvature = (rise + fall) / (left + right)
        slope = (rise * right - fall * left) / (left + right)
        return np.where(curvature > 0.0, y[1] + slope**2 / (4.0 * curvature), y[1])


def _profile_intervals(likelihoods: Sequence[RateLikelihood], surface: Callable[..., np.ndarray], *,
                       level: float) -> list[Limits]:
    """Estimate and profile limits of the location (logit scale) of each likelihood, with the spread at the maximum.

    Parameters
    ----------
    likelihoods : sequence of RateLikelihood
        Of one group each, with the same range of the spread.
    surface : callable
        From location, spread and place of the likelihood, of broadcastable shapes, to its log.
    """
    spreads = likelihoods[0].spreads
    patients, events = (np.array([getattr(likelihood, name)[0] for likelihood in likelihoods])
                        for name in ("patients", "events"))
    edges = (events == patients).astype(int) - (events == 0.0)

    def top(location: np.ndarray, which: np.ndarray, rounds: int = _ROUGH_ROUNDS) -> tuple[np.ndarray, np.ndarray]:
        return profile(lambda at, spread: surface(at, spread, which[..., None]), location, spreads, rounds=rounds)

    # At an edge the likelihood rises to 1 at that infinity, where every spread has the same.
    location, spread, highest = np.copysign(np.inf, edges), np.full(len(edges), np.nan), np.zeros(len(edges))
    start, inner = special.logit((events + 0.5) / (patients + 1.0)), np.flatnonzero(edges == 0)
    if len(inner):
        location[inner] = _maxima(lambda at, which: top(at, which)[1], start[inner], inner)
        spread[inner], highest[inner] = top(location[inner], inner, _ROUNDS)
    half = float(stats.chi2.ppf(level, 1)) / 2.0
    inside = np.where(edges == 0, location, start)
    lower, upper = _limits(lambda at, which: top(at, which)[1] - (highest - half)[which], inside, edges)
    alone = len(spreads) == 1
    return [Limits(float(location[at]), float(lower[at]), float(upper[at]), math.nan if alone else float(spread[at]),
                   joined(ONE_STUDY if alone else "", ("", ALL_EVENTS, NO_EVENTS)[edge],
                          LARGEST if spreads[-1] == LARGEST_TAU and (edge or spread[at] == LARGEST_TAU) else ""))
            for at, edge in enumerate(edges)]


def _maxima(profiled: Callable[..., np.ndarray], start: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Locations of the largest likelihoods."""
    def lost(location: np.ndarray, which: np.ndarray) -> np.ndarray:
        return -profiled(location, which)

    near = elementwise.bracket_minimum(lost, start, xl0=start - _NEAR, xr0=start + _NEAR, args=(which,))
    return elementwise.find_minimum(lost, near.bracket, args=(which,),
                                    tolerances={"xatol": 1e-9, "xrtol": 1e-9, "fatol": 0.0, "frtol": 0.0}).x


def _limits(excess: Callable[..., np.ndarray], inside: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each excess falls to zero on either side; infinite where it never does, and at an edge."""
    every = np.arange(len(edges))
    # With all patients alike the start may lie outside the interval; it is left towards the estimate.
    while np.any(outside := (edges != 0) & (excess(inside, every) <= 0.0)):
        inside = inside + edges * outside
    which, side = np.tile(every, 2), np.repeat([-1.0, 1.0], len(every))
    bounded = side != edges[which]
    distance = np.full(len(which), math.inf)

    def beyond(distance: np.ndarray, side: np.ndarray, which: np.ndarray) -> np.ndarray:
        return excess(inside[which] + side * distance, which)

    near = elementwise.bracket_root(beyond, 0.0, _NEAR, xmin=0.0, args=(side[bounded], which[bounded]),
                                    maxiter=_DOUBLINGS)
    reached = np.flatnonzero(bounded)[near.success]
    distance[reached] = elementwise.find_root(
        beyond, tuple(end[near.success] for end in near.bracket), args=(side[reached], which[reached]),
        tolerances={"xatol": 1e-10, "xrtol": 1e-10}).x
    lower, upper = np.split(inside[which] + side * distance, 2)
    return lower, upper
