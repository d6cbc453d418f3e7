"""Limits of every interval for a pooled rate, for many sets of studies of the same sizes at once.

The log likelihood of every count that a study can show is tabulated once on a grid of a location (logit of the mean or
of the median rate) and a spread (rho or tau). That of a set is then a sum of rows of the tables, and posterior and
profile limits follow from it: the intervals of `analysis.inference` and `analysis.frequentist` without their searches,
which a test holds against them. Intervals on logits are computed set by set, the exact one from fewer draws.

The location is 2 sinh(s/2) for evenly spaced s, so that sums over s converge at once; the spread is a multiple of t^2
for Gauss-Legendre points t, dense where there is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from scipy import special

from analysis.frequentist import exact_rate, normal
from analysis.frequentist.estimates import logits
from analysis.frequentist.likelihood import LARGEST_TAU, location_of_mean, parabola_top
from analysis.frequentist.methods import METHODS, Method
from models import beta_binomial, logit_normal
from models.backend import NUMBERS
from models.integrals import unit_rule
from models.studies import RateStudies
from models.sums import log_binomial

DRAWS, GRID = 1_000, 16
"""Of the exact interval on logits, for each set: the noise of its limits averages out over sets."""

MOST_COUNTS = 4_000
"""Of studies of different sizes together: 700 MB of tables."""

_S = 0.04 * np.arange(-110, 111)
_X = 2.0 * np.sinh(_S / 2.0)
_ROOTS, _ROOT_WEIGHTS = unit_rule(32)
_T = np.concatenate([[0.0], _ROOTS])  # the first is for profiles and has no weight in a posterior
_TESTED = 2.0 * np.sinh(np.arange(-35, 36) / 20.0)  # logits of the means that the exact test is asked for
_COUNTS, _SETS = 16, 64  # at once
_EDGE = 1e-12

POSTERIORS: tuple[Method, ...] = tuple(
    Method(f"{model}_posterior{suffix}", f"{words} posterior{of}", "rate", estimand, None, of_counts=True)
    for model, words, suffix, of, estimand in (
        ("beta_binomial", "Beta-binomial", "", "", "mean_rate"),
        ("logit_normal", "Logit-normal", "_mean", " of the mean", "mean_rate"),
        ("logit_normal", "Logit-normal", "_median", "", "median_rate")))
SCORED: Mapping[str, Method] = {method.key: method for method in (*POSTERIORS, *METHODS) if method.kind == "rate"}
"""Every interval by its key: credible ones under the models' default priors, then the frequentist ones."""


@dataclass(frozen=True)
class _Surface:
    """Log likelihood of every count of each study, and log prior, on the grid.

    Parameters
    ----------
    tables : sequence of array, shape (n + 1, U, V)
        Of each study of n patients.
    log_prior : array, shape (U, V)
        Weights of the quadrature included.
    """

    tables: Sequence[np.ndarray]
    log_prior: np.ndarray

    def limits(self, counts: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Equal-tailed posterior limits and profile limits on the logit scale, shape (2, r) each."""
        posteriors, profiles = [], []
        for part in np.array_split(counts, -(-len(counts) // _SETS)):
            likelihood = sum(table[part[:, study]] for study, table in enumerate(self.tables))
            posteriors.append(_at_level(_posterior(likelihood + self.log_prior), level))
            profiles.append(_at_level(_profile(likelihood), level))
        return np.concatenate(posteriors, axis=1), np.concatenate(profiles, axis=1)


def _posterior(log_mass: np.ndarray) -> np.ndarray:
    """Normal score of the posterior distribution function at each location; shape (r, U)."""
    mass = np.exp(log_mass - log_mass.max(axis=(1, 2), keepdims=True)).sum(axis=2)
    mass /= mass.sum(axis=1, keepdims=True)
    # The last term is that of Euler and Maclaurin: a sum up to a point within is off by it.
    below = np.cumsum(mass, axis=1) - mass / 2.0 - np.gradient(mass, axis=1) / 12.0
    return special.ndtri(np.clip(below, _EDGE, 1.0 - _EDGE))


def _profile(log_likelihood: np.ndarray) -> np.ndarray:
    """Signed root of twice what the profile lacks of its maximum, at each location; shape (r, U)."""
    over_spread = _highest(log_likelihood, _T)
    lacking = np.maximum(_highest(over_spread, _S)[:, None] - over_spread, 0.0)
    side = np.where(np.arange(len(_S)) < np.argmax(over_spread, axis=1)[:, None], -1.0, 1.0)
    return side * np.sqrt(2.0 * lacking)


def _highest(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Maximum along the last axis, by the parabola through the highest point and its neighbours."""
    around = np.clip(np.argmax(values, axis=-1)[..., None] + [-1, 0, 1], 0, len(points) - 1)
    return parabola_top(*(np.moveaxis(each, -1, 0) for each in (points[around],
                                                                np.take_along_axis(values, around, axis=-1))))


def _at_level(scores: np.ndarray, level: float) -> np.ndarray:
    """Locations at which a normal score, nearly linear in them, passes the quantiles; infinite where it does not."""
    quantile = special.ndtri(0.5 + level / 2.0)
    return np.array([np.interp([-quantile, quantile], row, _X, left=-np.inf, right=np.inf)
                     for row in np.maximum.accumulate(scores, axis=1)]).T


def _log_prior(model, location: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log prior mass at the points of the grid; the location may be that of a mean, as a function of the grid's."""
    (at, prior), (name, of_spread) = model.PRIORS.items()
    unit = of_spread.support == "unit"
    with np.errstate(divide="ignore"):
        value = special.logit(spread) if unit else np.log(spread)
        weights = np.concatenate([[0.0], _ROOT_WEIGHTS]) * 2.0 / (_T * (1.0 - spread * unit) + (_T == 0.0))
        return prior.log_density(location) + np.log(np.gradient(location, _S, axis=0)) + np.log(weights) + np.where(
            weights > 0.0, of_spread.log_density(value), 0.0)


@lru_cache(maxsize=1)
def _surfaces(sizes: tuple[int, ...]) -> dict[str, _Surface]:
    """Of the beta-binomial mean, and of mean and median of the logit-normal model, by the keys of their intervals."""
    mean, rho = (grid.ravel() for grid in np.meshgrid(special.expit(_X), _T**2, indexing="ij"))
    tables = beta_binomial.count_log_probabilities({"mu": mean, "rho": rho}, sizes)
    surfaces = {"beta_binomial_{}": _Surface([table.reshape(-1, len(_X), len(_T)) for table in tables],
                                             _log_prior(beta_binomial, _X[:, None], _T**2))}
    tau = LARGEST_TAU * _T**2
    for name, location in (("logit_normal_{}_mean", location_of_mean(*np.broadcast_arrays(_X[:, None], tau))),
                           ("logit_normal_{}_median", np.broadcast_to(_X[:, None], (len(_X), len(tau))))):
        of_size = {size: _logit_normal(size, location, tau) for size in set(sizes)}
        surfaces[name] = _Surface([of_size[size] for size in sizes], _log_prior(logit_normal, location, tau))
    return surfaces


def _logit_normal(size: int, location: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Log probability of each count from 0 to the size, shape (size + 1, U, V)."""
    parts = []
    for counts in np.array_split(np.arange(size + 1.0), -(-(size + 1) // _COUNTS)):
        each = logit_normal.log_density_each(location[..., None], tau[:, None], np.stack([counts, 0.0 * counts + size]),
                                             on=NUMBERS)
        parts.append(np.moveaxis(each + log_binomial(size, counts), -1, 0))
    return np.concatenate(parts)


def limits_of(sizes: Sequence[int], counts: np.ndarray, *, level: float, seed: int,
              means: Sequence[float] = ()) -> dict[str, np.ndarray]:
    """Limits of every interval on the probability scale, by its key; shape (2, r) each.

    Parameters
    ----------
    sizes : sequence of int, shape (k,)
    counts : int array, shape (r, k)
    means : sequence of float
        At which the exact interval of the mean rate is right: between others its limits are halfway.
    """
    limits = {"exact_beta_binomial": _exact(np.array(sizes), counts, level, seed, means),
              **_by_logits(sizes, counts, level, seed)}
    for key, surface in _surfaces(tuple(map(int, sizes))).items():
        limits[key.format("posterior")], limits[key.format("ml")] = surface.limits(counts, level)
    return {key: special.expit(limits[key]) for key in SCORED}


def _exact(sizes: np.ndarray, counts: np.ndarray, level: float, seed: int, means: Sequence[float]) -> np.ndarray:
    """From the outermost accepted means halfway to their neighbours, or to the end; NaN where none is accepted."""
    tested = np.unique(np.concatenate([_TESTED, special.logit(means)]))
    accepted = exact_rate.accepted(counts, sizes, special.expit(tested), level=level, seed=seed)
    middles = np.concatenate([[-np.inf], (tested[1:] + tested[:-1]) / 2.0, [np.inf]])
    ends = np.stack([middles[np.argmax(accepted, axis=1)], middles[len(tested) - np.argmax(accepted[:, ::-1], axis=1)]])
    return np.where(accepted.any(axis=1), ends, np.nan)


def _by_logits(sizes: Sequence[int], counts: np.ndarray, level: float, seed: int) -> dict[str, np.ndarray]:
    """Of the normal-normal methods, set by set."""
    methods = {key: method.limits for key, method in SCORED.items() if not method.of_counts}
    methods["logit_exact_normal"] = partial(normal.exact_interval, draws=DRAWS, grid=GRID)
    names, rows = tuple(map(str, range(len(sizes)))), []
    for number, events in enumerate(counts):
        estimates = logits(RateStudies(names, events, np.array(sizes)))
        every = [method(estimates, level=level, seed=seed + number) for method in methods.values()]
        rows.append([(limits.lower, limits.upper) for limits in every])
    return dict(zip(methods, np.transpose(rows, (1, 2, 0)), strict=True))
