"""The predictive distribution of a new study as a mixture of betas or normals, and its effective sample sizes.

A rate becomes a mixture of beta distributions, survival one of normal distributions of the log cumulative hazard at its
time. The predictive distribution is known exactly as probabilities of cells; the mixture is the one whose probabilities
of the same cells diverge least from them (Kullback-Leibler), with as few components as come near enough.

References
----------
Schmidli H et al. Biometrics 2014;70:1023, doi 10.1111/biom.12242 (mixtures as priors, robust component).
Neuenschwander B et al. Biometrics 2020;76:578, doi 10.1111/biom.13252 (expected local-information-ratio).
Morita S, Thall PF, Mueller P. Biometrics 2008;64:595, doi 10.1111/j.1541-0420.2007.00888.x (prior information).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy import optimize, special

NEAR = 1e-3
"""Divergence, in nats, below which no further component is added."""

MOST_COMPONENTS = 4
_NODES = 4000
_FARTHEST, _RATIO_NODES = 700.0, 2001  # of a logit: further out rates and rests are no numbers
WIDEST = 36.0  # of a logit, above which a rate is no other number than 1, or of a log cumulative hazard


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of beta distributions of a rate, or of normal ones of a log cumulative hazard.

    Parameters
    ----------
    family : {"beta", "normal"}
    weights, first, second : array, shape (K,)
        a and b of betas; mean and standard deviation of normals.
    divergence : float or None
        From the predictive distribution, nats; None where it is not one's approximation.
    """

    family: str
    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray
    divergence: float | None = None

    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Distribution function at rates, or at log cumulative hazards."""
        x = np.asarray(values, dtype=float)[..., None]
        parts = special.betainc(self.first, self.second, x) if self.family == "beta" else \
            special.ndtr((x - self.first) / self.second)
        return parts @ self.weights

    @cached_property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        a, b = self.first, self.second
        means, variances = (a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1.0))) if self.family == "beta" else (a, b**2)
        mean = float(self.weights @ means)
        return mean, float(np.sqrt(self.weights @ (variances + (means - mean) ** 2)))

    def robust(self, weight: float) -> Self:
        """With a component of this weight that says as much as one patient does: uniform rates, or unit information."""
        if weight == 0.0:
            return self
        # A log cumulative hazard of one patient has a standard deviation of about 1 / sqrt(events), here one event.
        vague = (1.0, 1.0) if self.family == "beta" else (self.moments[0], 1.0)
        return replace(self, weights=np.append(self.weights * (1.0 - weight), weight), divergence=None,
                       first=np.append(self.first, vague[0]), second=np.append(self.second, vague[1]))

    def _information(self, values: np.ndarray) -> np.ndarray:
        """Minus the second derivative of the log density."""
        x = values[..., None]
        if self.family == "beta":
            a, b = self.first - 1.0, self.second - 1.0
            slopes, curvatures = a / x - b / (1.0 - x), -a / x**2 - b / (1.0 - x) ** 2
            parts = special.xlogy(a, x) + special.xlog1py(b, -x) - special.betaln(self.first, self.second)
        else:
            slopes, curvatures = (self.first - x) / self.second**2, -1.0 / self.second**2
            parts = -0.5 * ((x - self.first) / self.second) ** 2 - np.log(self.second)
        shares = self.weights * np.exp(parts - parts.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        slope = (shares * slopes).sum(axis=-1)
        return slope**2 - (shares * (slopes**2 + curvatures)).sum(axis=-1)


def unit_information(family: str, values: np.ndarray) -> np.ndarray:
    """Expected information of one patient: of a rate, or of a log cumulative hazard in whether the event has come."""
    if family == "beta":
        return 1.0 / (values * (1.0 - values))
    hazard = np.exp(values)
    # S = exp(-H): (dS/d log H)^2 / (S (1 - S)).
    return hazard**2 / np.expm1(hazard)


def effective_sizes(mixture: Mixture) -> dict[str, float | None]:
    """Patients that the prior is worth: by local information (elir), by its variance (moment), at its mean (morita).

    A normal of the log cumulative hazard has no elir: where hardly anybody survives a patient has no information, and
    the mean of 1 / information, E[exp(H)] / H^2 in order of size, is infinite under any normal of log H. Nor has a
    mixture with a beta whose a or b is 1 or less: at a rate of 0 or 1 its mean is infinite.
    """
    mean, sd = mixture.moments
    if mixture.family == "beta":
        mean = min(mean, float(np.nextafter(1.0, 0.0)))
    at_mean = np.array([mean])
    unit = float(unit_information(mixture.family, at_mean)[0])
    information = float(mixture._information(at_mean)[0])
    if mixture.family == "normal":
        return {"elir": None, "moment": 1.0 / (sd**2 * unit), "morita": information / unit}
    # The information of a beta without observations, a and b near 0, is taken off.
    nothing = -1.0 / mean**2 - 1.0 / (1.0 - mean) ** 2
    return {"elir": _local_information_ratio(mixture), "moment": mean * (1.0 - mean) / sd**2 - 1.0,
            "morita": (information - nothing) / unit}


def _local_information_ratio(mixture: Mixture) -> float | None:
    """Mean over betas of their local information over a patient's; None where it is infinite.

    Each beta is summed over logits, in steps of its own width and from logs: with a or b near 1 the mean comes from
    rates that are next to 0 or 1.
    """
    if min(mixture.first.min(), mixture.second.min()) <= 1.0:
        return None
    return float(sum(weight * _ratio_under(a, b, mixture)
                     for weight, a, b in zip(mixture.weights, mixture.first, mixture.second, strict=True)))


def _ratio_under(a: float, b: float, mixture: Mixture) -> float:
    """Mean over one beta of the local information of the mixture over a patient's, 1 / (rate rest)."""
    width = np.sqrt(1.0 / a + 1.0 / b)
    furthest = np.arcsinh(_FARTHEST / width)
    t, step = np.linspace(-furthest, furthest, _RATIO_NODES, retstep=True)
    x = special.logit(a / (a + b)) + width * np.sinh(t)
    log_rate, log_rest = special.log_expit(x), special.log_expit(-x)
    log_mass = a * log_rate + b * log_rest + np.log(width * np.cosh(t) * step)
    log_mass -= special.logsumexp(log_mass)
    inside = np.abs(x) <= _FARTHEST
    return float(_local_information(mixture, x[inside]) @ np.exp((log_mass - log_rate - log_rest)[inside]))


def _local_information(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    """Minus the second derivative of the log density of betas, times the squares of rate and rest, at logits."""
    log_rate, log_rest = special.log_expit(x[:, None]), special.log_expit(-x[:, None])
    a, b = mixture.first - 1.0, mixture.second - 1.0
    shares = special.softmax(np.log(mixture.weights) + a * log_rate + b * log_rest
                             - special.betaln(mixture.first, mixture.second), axis=1)
    up, down = a * np.exp(log_rest), b * np.exp(log_rate)
    # Slope and curvature of each density relative to it, times rate and rest, which keeps them finite.
    slopes = up - down
    curvatures = slopes**2 - up * np.exp(log_rest) - down * np.exp(log_rate)
    return (shares * slopes).sum(axis=1) ** 2 - (shares * curvatures).sum(axis=1)


def cells_of(mixture: Mixture, count: int = _NODES) -> tuple[np.ndarray, np.ndarray]:
    """Points of a mixture and their probabilities, dense where it is; shape (c,) each."""
    low, high = (_quantile(mixture, p) for p in (1e-9, 1.0 - 1e-9))
    edges = np.linspace(low, high, count + 1)
    middle = (edges[1:] + edges[:-1]) / 2.0
    if mixture.family == "beta":
        edges, middle = special.expit(edges), special.expit(middle)
    return middle, np.diff(mixture.cdf(edges[1:-1]), prepend=0.0, append=1.0)


def _quantile(mixture: Mixture, probability: float) -> float:
    """A quantile, of rates on the logit scale; no further out than is looked."""
    back = special.expit if mixture.family == "beta" else (lambda x: x)

    def above(x: float) -> float:
        return float(mixture.cdf(back(x))) - probability

    beyond = next((end for end, sign in ((-WIDEST, 1.0), (WIDEST, -1.0)) if sign * above(end) >= 0.0), None)
    return optimize.brentq(above, -WIDEST, WIDEST) if beyond is None else beyond


@dataclass(frozen=True, eq=False)
class Predictive:
    """The exact distribution of a new study's rate or log cumulative hazard, as probabilities of cells.

    Parameters
    ----------
    edges : array, shape (C - 1,)
        Inner edges, even on the scale of the logit or of the log cumulative hazard; the outer cells reach to the ends.
    mass : array, shape (C,)
    """

    family: str
    edges: np.ndarray
    mass: np.ndarray


def _residuals(exact: Predictive, mixture: Mixture) -> np.ndarray:
    """Deviance residuals of the cells, whose squares add up to the divergence of Kullback and Leibler."""
    masses = np.maximum(np.diff(mixture.cdf(exact.edges), prepend=0.0, append=1.0), 1e-300)
    deviance = special.rel_entr(exact.mass, masses) - exact.mass + masses
    return np.sign(exact.mass - masses) * np.sqrt(np.maximum(deviance, 0.0))


def fitted(exact: Predictive) -> Mixture:
    """The mixture with the fewest components whose divergence is below `NEAR`, or the nearest of at most four."""
    best = coordinates = None
    for count in range(1, MOST_COMPONENTS + 1):
        candidate, coordinates = _fit(exact, count, coordinates)
        if best is None or candidate.divergence < best.divergence:
            best = candidate
        if best.divergence < NEAR:
            break
    order = np.argsort(-best.weights)
    return replace(best, **{name: getattr(best, name)[order] for name in ("weights", "first", "second")})


def _fit(exact: Predictive, count: int, smaller: np.ndarray | None) -> tuple[Mixture, np.ndarray]:
    """The nearest mixture of so many components with its coordinates, from chance and from those of a smaller one."""
    rng = np.random.default_rng(count)
    on = special.logit(exact.edges) if exact.family == "beta" else exact.edges
    middle = np.concatenate([on[:1], (on[1:] + on[:-1]) / 2.0, on[-1:]])
    centre = float(middle @ exact.mass)
    # All of a distribution may lie in one cell, and what is narrower than one cannot be told.
    narrowest = float(on[1] - on[0]) / 2.0
    spread = max(float(np.sqrt((middle - centre) ** 2 @ exact.mass)), narrowest)
    to = _beta_of if exact.family == "beta" else _normal_of

    def mixture_at(x: np.ndarray) -> Mixture:
        weights = special.softmax(np.append(x[2 * count:], 0.0))
        log_spreads = np.maximum(x[count:2 * count], np.log(narrowest))
        return Mixture(exact.family, weights, *to(x[:count], log_spreads))

    starts = [np.concatenate([centre + spread * rng.normal(0.0, 0.5 * (count > 1), count),
                              np.log(spread) + rng.normal(0.0, 0.6, count) * (count > 1), np.zeros(count - 1)])
              for _ in range(2 if count > 1 else 1)]
    fits = [optimize.least_squares(lambda x: _residuals(exact, mixture_at(x)), start, xtol=1e-6, ftol=1e-6, max_nfev=60)
            for start in [*starts, *_split(smaller)]]
    nearest = min(fits, key=lambda result: result.cost)
    return replace(mixture_at(nearest.x), divergence=2.0 * float(nearest.cost)), nearest.x


def _split(smaller: np.ndarray | None) -> Iterator[np.ndarray]:
    """Coordinates with one component of a smaller mixture in two halves, for each of its components."""
    if smaller is None:
        return
    count = (len(smaller) + 1) // 3
    middle, log_spread, logits = smaller[:count], smaller[count:2 * count], np.append(smaller[2 * count:], 0.0)
    for at in range(count):
        apart = 0.5 * np.exp(log_spread[at])
        halves = np.append(logits, logits[at]) - np.log(2.0) * np.append(np.arange(count) == at, True)
        yield np.concatenate([np.append(middle + apart * (np.arange(count) == at), middle[at] - apart),
                              np.append(log_spread, log_spread[at]), (halves - halves[-1])[:-1]])


def _beta_of(logit: np.ndarray, log_spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parameters a and b of betas by the logit of their mean and the log of their spread on the logit scale."""
    mean = special.expit(np.clip(logit, -WIDEST, WIDEST))
    size = np.exp(np.clip(-2.0 * log_spread, -10.0, 25.0)) / np.maximum(mean * (1.0 - mean), 1e-12)
    return np.maximum(mean * size, 1e-6), np.maximum((1.0 - mean) * size, 1e-6)


def _normal_of(mean: np.ndarray, log_sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return mean, np.exp(np.clip(log_sd, -12.0, 6.0))
