"""Posteriors of models whose effects have a normal distribution over studies: u = its mean, v = log(tau).

Study effects are integrated by plain sums over the interval in which neither the study's likelihood nor the normal
density of the effect has fallen by more than e^-45.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize, special, stats

from tests.quadrature.grid import Grid, Reference, integrate, of_function, of_mixture

_FALL = 45.0
_POINTS = 101


@dataclass(frozen=True)
class Piece:
    """A study's log likelihood of its effect on one interval, outside of which it is negligible."""

    value: Callable[[np.ndarray], np.ndarray]
    low: float
    high: float


Study = tuple[Piece, ...]


@cache
def binomial_study(y: int, n: int) -> Study:
    """y of n on the logit scale."""
    coefficient = -special.betaln(y + 1.0, n - y + 1.0) - np.log(n + 1.0)

    def value(theta: np.ndarray) -> np.ndarray:
        return coefficient + y * special.log_expit(theta) + (n - y) * special.log_expit(-theta)

    return (_piece(value, special.logit((y + 0.5) / (n + 1.0)), falls_left=y > 0, falls_right=y < n),)


@cache
def poisson_study(events: int, person_months: float) -> Study:
    """Events in person-months on the log hazard scale."""

    def value(theta: np.ndarray) -> np.ndarray:
        return events * (theta + np.log(person_months)) - person_months * np.exp(theta) - special.gammaln(events + 1.0)

    return (_piece(value, np.log((events + 0.5) / person_months), falls_left=events > 0, falls_right=True),)


@cache
def landmark_study(events: float, person_months: float, months: float) -> Study:
    """Events among patients by a landmark, with the person-months of the others, on the log hazard scale."""
    patients = events + person_months / months
    coefficient = -special.betaln(events + 1.0, patients - events + 1.0) - np.log(patients + 1.0)

    def value(theta: np.ndarray) -> np.ndarray:
        survival = np.exp(-months * np.exp(theta))
        return coefficient + special.xlog1py(events, -survival) - person_months * np.exp(theta)

    guess = np.log(-np.log((person_months / months + 0.5) / (patients + 1.0)) / months)
    return (_piece(value, guess, falls_left=events > 0, falls_right=person_months > 0),)


@cache
def normal_study(estimate: float, below: float, above: float) -> Study:
    """An estimate with a standard error on each side, the density of a split normal in two pieces."""

    def side(scale: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda theta: 0.5 * np.log(2.0 / np.pi) - np.log(below + above) - 0.5 * ((theta - estimate) / scale) ** 2

    return (Piece(side(below), estimate - 9.5 * below, estimate), Piece(side(above), estimate, estimate + 9.5 * above))


def _piece(value: Callable[[np.ndarray], np.ndarray], guess: float, *, falls_left: bool, falls_right: bool) -> Piece:
    top = value(guess)
    ends = [optimize.brentq(lambda x, s=sign: float(value(guess + s * np.exp(x)) - top + _FALL), -15.0, 6.5)
            if falls else np.inf for sign, falls in ((-1.0, falls_left), (1.0, falls_right))]
    return Piece(value, guess - np.exp(ends[0]), guess + np.exp(ends[1]))


def moments(study: Study, centre: np.ndarray, tau: np.ndarray, *transforms: Callable) -> list[np.ndarray]:
    """Log of the marginal likelihood of a study, then the conditional mean of each transform of its effect.

    Parameters
    ----------
    study : tuple of Piece
    centre, tau : array, of one shape
    """
    logs, values = [], [[] for _ in transforms]
    for piece in study:
        low = np.maximum(piece.low, centre - 9.5 * tau)[..., None]
        high = np.minimum(piece.high, centre + 9.5 * tau)[..., None]
        empty = low >= high
        width = np.where(empty, 0.0, high - low)
        theta = np.where(empty, centre[..., None], low) + width * np.linspace(0.0, 1.0, _POINTS)
        # Simpson's rule, since a piece of a split normal ends at its peak.
        share = np.where(np.arange(_POINTS) % 2, 4.0, 2.0) / (3.0 * (_POINTS - 1))
        share[[0, -1]] /= 2.0
        height = (piece.value(theta) - 0.5 * ((theta - centre[..., None]) / tau[..., None]) ** 2
                  - np.log(tau)[..., None] - 0.5 * np.log(2.0 * np.pi))
        # Where the two intervals do not meet there is no mass; the value only has to lead the zoom to where they do.
        logs.append(np.where(empty, -1e4 * (1.0 + low - high), height + np.log(share)
                             + np.log(np.where(empty, 1.0, width))))
        for kept, transform in zip(values, transforms, strict=True):
            kept.append(transform(theta))
    heights = np.concatenate(logs, axis=-1)
    top = heights.max(axis=-1, keepdims=True)
    mass = np.exp(heights - top)
    total = mass.sum(axis=-1)
    means = [(mass * np.concatenate(kept, axis=-1)).sum(axis=-1) / total for kept in values]
    return [top[..., 0] + np.log(total), *means]


def normal_effects(studies: list[Study], *, centre: tuple[float, float], tau: float) -> Grid:
    """Posterior under centre ~ Normal and tau ~ HalfNormal."""

    def density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        value = stats.norm.logpdf(u, *centre) + stats.halfnorm.logpdf(np.exp(v), scale=tau) + v
        width = np.broadcast_to(np.exp(v), u.shape)
        for study, times in Counter(studies).items():
            value = value + times * moments(study, u, width)[0]
        return value

    return integrate(density, u_range=(centre[0] - 10.0 * centre[1], centre[0] + 10.0 * centre[1]),
                     v_range=(-14.0, np.log(tau) + 2.0), sizes=(61, 81))


def averages(transform: Callable[[np.ndarray], np.ndarray], u: np.ndarray, tau: np.ndarray) -> list[np.ndarray]:
    """Mean and mean square of a transform of a new study's effect at each point, by a plain sum."""
    z = np.linspace(-10.0, 10.0, 401)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    centre, width = (np.array_split(part.ravel(), 40) for part in np.broadcast_arrays(u, tau))
    values = [transform(c[:, None] + t[:, None] * z) for c, t in zip(centre, width, strict=True)]
    return [np.concatenate([part**power @ weight for part in values]).reshape(u.shape) for power in (1, 2)]


def _of_new_study(grid: Grid, transform: Callable, inverse: Callable,
                  bounds: tuple[float, float] = (1e-12, 1.0 - 1e-12)) -> Reference:
    u, v, weight = grid.points()
    tau = np.exp(v)
    sign = 1.0 if transform(np.array(1.0)) > transform(np.array(0.0)) else -1.0
    return of_mixture(*averages(transform, u, tau), lambda x: special.ndtr(sign * (inverse(x) - u) / tau),
                      weight, bounds)


def logit_normal_estimands(grid: Grid, studies: list[Study]) -> dict[str, Reference]:
    """All estimands of the logit-normal, with m itself; the first three study_rate have only mean and SD."""
    tau = np.exp(grid.v)
    mean, square = averages(special.expit, grid.u, tau)
    found = {"m": of_function(grid.u, grid), "tau": of_function(tau, grid),
             "mean_rate": of_function(mean, grid), "median_rate": of_function(special.expit(grid.u), grid),
             "rho": of_function((square - mean**2) / (mean * (1.0 - mean)), grid),
             "new_study_rate": _of_new_study(grid, special.expit, special.logit)}
    return found | _study_moments(grid, studies, special.expit, "study_rate")


def log_hazard_estimands(grid: Grid, studies: list[Study], horizon: float) -> dict[str, Reference]:
    """All estimands of the log hazard model, with eta itself; names as in a fit."""
    eta, tau = grid.u, np.exp(grid.v)

    def survival(theta: np.ndarray) -> np.ndarray:
        return np.exp(-horizon * np.exp(np.minimum(theta, 600.0)))

    at = f"_{horizon:g}m"
    found = {
        "eta": of_function(eta, grid),
        "tau": of_function(tau, grid),
        "survival" + at: of_function(survival(eta), grid),
        "mean_survival" + at: of_function(averages(survival, eta, tau)[0], grid),
        "median_months": of_function(np.log(2.0) * np.exp(-eta), grid),
        # Survival falls as the log hazard rises, so its distribution function is that of minus the log hazard.
        "new_study_survival" + at: _of_new_study(grid, survival, lambda x: np.log(-np.log(x) / horizon)),
    }
    # Events per 100 person-years; over studies the mean is that of a log-normal and heavy-tailed, so quantiles count.
    new = _of_new_study(grid, lambda theta: 1200.0 * np.exp(theta), lambda x: np.log(x / 1200.0), (1e-9, 1e9))
    found["hazard"] = of_function(1200.0 * np.exp(eta), grid)
    mean = of_function(1200.0 * np.exp(eta + tau**2 / 2.0), grid)
    found |= {name: Reference(np.nan, np.nan, row.lower, row.median, row.upper)
              for name, row in (("mean_hazard", mean), ("new_study_hazard", new))}
    for months in (12.0, 24.0):
        found[f"rmst_{months:g}m"] = of_function((1.0 - np.exp(-months * np.exp(eta))) / np.exp(eta), grid)
    found |= _study_moments(grid, studies, lambda theta: 1200.0 * np.exp(np.minimum(theta, 600.0)), "study_hazard")
    return found | _study_moments(grid, studies, survival, "study_survival" + at)


def _study_moments(grid: Grid, studies: list[Study], transform: Callable, name: str) -> dict[str, Reference]:
    found = {}
    u, v, weight = grid.points()
    for index, study in enumerate(studies[:3]):
        _, mean, square = moments(study, u, np.exp(v), transform, lambda theta: transform(theta) ** 2)
        first = float(weight @ mean)
        spread = float(np.sqrt(max(weight @ square - first**2, 0.0)))
        found[f"{name}_{index}"] = Reference(first, spread, np.nan, np.nan, np.nan)
    return found
