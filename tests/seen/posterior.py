"""Posteriors by plain sums over a fixed plane of both hyperparameters: slow to write down wrong, and all in scipy.

Each study's marginal likelihood is one array on the plane, computed once; a posterior is their product with the
priors. Steps are far below a posterior standard deviation, so that means are right to 1e-5 and quantiles to 3e-4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from scipy import interpolate, ndimage, special, stats

from models import all_models
from tests.seen.facts import Counts

U = {
    "beta_binomial": np.linspace(-8.0, 8.0, 401),
    "logit_normal": np.linspace(-8.0, 8.0, 201),
    "log_hazard": np.linspace(-7.0, 1.0, 321),
}
V = {
    "beta_binomial": np.linspace(-13.0, 6.0, 261),
    "logit_normal": np.linspace(-9.0, 2.4, 171),
    "log_hazard": np.linspace(-12.0, 1.8, 231),
}
"""Logit of mu and of rho; m and log tau; eta and log tau."""

_Z = np.linspace(-7.0, 7.0, 141)
_W = stats.norm.pdf(_Z) / stats.norm.pdf(_Z).sum()


def arguments(text: str) -> list[float]:
    """The numbers of a prior in words."""
    return [float(part) for part in text.partition("(")[2].rstrip(")").split(",")]


def prior(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """Log density of a prior on its natural scale, from its words."""
    family, a = text.partition("(")[0], arguments(text)
    return {"Beta": lambda x: stats.beta.logpdf(x, *a), "Normal": lambda x: stats.norm.logpdf(x, *a),
            "HalfNormal": lambda x: stats.halfnorm.logpdf(x, scale=a[0]),
            "HalfCauchy": lambda x: stats.halfcauchy.logpdf(x, scale=a[0]),
            "LogitNormal": lambda x: stats.norm.logpdf(special.logit(x), *a) - np.log(x) - np.log1p(-x)}[family]


def priors(text: str) -> dict[str, str]:
    """Such as "mu ~ Beta(1, 1); rho ~ Beta(1, 4)" by name."""
    return dict(part.split(" ~ ") for part in text.split("; "))


DEFAULTS = {"beta_binomial": {"mu": "Beta(1, 1)", "rho": "Beta(1, 4)"},
            "logit_normal": {"m": "Normal(0, 2)", "tau": "HalfNormal(1)"},
            "log_hazard": {name: prior.exact() for name, prior in all_models()["log_hazard"].priors.items()}}
"""Those of survival as the model states them: that they are sensible is another test's business."""


def log_prior(model: str, given: Sequence[str], u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Log density of two priors in words, location first, at coordinates of the plane."""
    if model == "beta_binomial":
        stretch = sum(special.log_expit(x) for x in (u, -u, v, -v))
        return prior(given[0])(special.expit(u)) + prior(given[1])(special.expit(v)) + stretch
    return prior(given[0])(u) + prior(given[1])(np.exp(v)) + v


def data_of(study: Any) -> tuple[Any, ...]:
    """What the likelihood of a study hangs on: its kind and its numbers."""
    if isinstance(study, Counts):
        return "counts", study.events, study.n
    return ("poisson", study.events, study.months) if study.months else ("estimate", study.value, study.below)


def log_likelihood(model: str, data: tuple[Any, ...], u: np.ndarray, v: np.ndarray, *, every: int = 1) -> np.ndarray:
    """Log marginal likelihood of one study at coordinates of the plane, from every such node of its effect."""
    kind, y, n = data
    if model == "beta_binomial":
        kappa = np.exp(-v)  # (1 - rho) / rho
        a, b = special.expit(u) * kappa, special.expit(-u) * kappa
        return (special.betaln(a + y, b + n - y) - special.betaln(a, b) - special.betaln(y + 1, n - y + 1)
                - np.log(n + 1))
    tau = np.exp(v)
    if kind == "estimate":
        return stats.norm.logpdf(y, u, np.sqrt(n**2 + tau**2))
    theta = u[..., None] + tau[..., None] * _Z[::every]
    if kind == "counts":
        each = (stats.binom.logpmf(y, n, 0.5) + n * np.log(2.0) + y * special.log_expit(theta) + (n - y)
                * special.log_expit(-theta))
    else:
        each = y * (theta + np.log(n)) - n * np.exp(theta) - special.gammaln(y + 1)
    return special.logsumexp(each, b=every * _W[::every], axis=-1)


@cache
def _on_plane(model: str, data: tuple[Any, ...]) -> np.ndarray:
    return log_likelihood(model, data, U[model][None, :], V[model][:, None])


def likelihood(model: str, study: Any) -> np.ndarray:
    """Log marginal likelihood of one study on the plane, shape (v, u)."""
    return _on_plane(model, data_of(study))


@dataclass(frozen=True)
class Plane:
    """A posterior: weights on the plane, shape (v, u), and its log evidence."""

    model: str
    weights: np.ndarray
    log_evidence: float
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def at(self) -> tuple[np.ndarray, np.ndarray]:
        """Location and heterogeneity on their natural scales, shape (v, u)."""
        return _at(self.model)

    def values(self, name: str, months: float | None = None) -> np.ndarray:
        return _values(self.model, name, months)

    def mean(self, name: str, months: float | None = None) -> float:
        return float((self.weights * self.values(name, months)).sum())

    def sd(self, name: str, months: float | None = None) -> float:
        values = self.values(name, months)
        return float(np.sqrt((self.weights * (values - (self.weights * values).sum()) ** 2).sum()))

    def quantile(self, name: str, p: float, months: float | None = None) -> float:
        return float(self.quantiles(name, np.array([p]), months)[0])

    def quantiles(self, name: str, p: np.ndarray, months: float | None = None) -> np.ndarray:
        values = self.values(name, months)
        for axis in (0, 1):
            if np.all(values == values.take([0], axis)):
                return _smooth(values.take(0, axis), self.weights.sum(axis), p)
        if (name, months) not in self._kept:
            fine, mass = _refined(values, self.weights)
            order = np.argsort(fine)
            self._kept[name, months] = np.cumsum(mass[order]) - 0.5 * mass[order], fine[order]
        return np.interp(p, *self._kept[name, months])

    def limits(self, name: str, months: float | None = None, level: float = 0.95) -> tuple[float, float, float]:
        """Median, lower and upper limit."""
        return tuple(self.quantile(name, p, months) for p in (0.5, (1 - level) / 2, (1 + level) / 2))

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Location, heterogeneity and weight of every second row's points that matter, flat."""
        if "points" not in self._kept:
            along = 1 if self.model == "logit_normal" else 2  # whose own steps are the widest
            location, spread = (part[::2, ::along].ravel() for part in self.at)
            weight = self.weights[::2, ::along].ravel()
            kept = weight > 3e-6 * weight.max()
            self._kept["points"] = location[kept], spread[kept], weight[kept] / weight[kept].sum()
        return self._kept["points"]

    def new_below(self, x: float, months: float | None = None) -> float:
        """Probability that a further study's rate, or survival at `months`, is below x."""
        location, spread, weight = self.points()
        if self.model == "beta_binomial":
            kappa = 1 / spread - 1
            return float(weight @ special.betainc(location * kappa, (1 - location) * kappa, x))
        if self.model == "logit_normal":
            return float(weight @ special.ndtr((special.logit(x) - location) / spread))
        return float(weight @ special.ndtr(-(np.log(-np.log(x) / months) - location) / spread))

    def study_below(self, study: Any, x: float, months: float | None = None) -> float:
        """Probability that the own rate, or survival, of a study of this posterior is below x."""
        location, spread, weight = self.points()
        if self.model == "beta_binomial":
            kappa = 1 / spread - 1
            return float(weight @ special.betainc(location * kappa + study.events, (1 - location) * kappa + study.n
                                                  - study.events, x))
        theta, mass = self._effects(study, location, spread)
        inside = theta < special.logit(x) if isinstance(study, Counts) else theta > np.log(-np.log(x) / months)
        return float(weight @ (mass * inside).sum(axis=1))

    def _effects(self, study: Any, location: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of a study's own effect at each point, and their probabilities."""
        if study.study_id not in self._kept:
            theta = location[:, None] + spread[:, None] * _Z
            if isinstance(study, Counts):
                log = study.events * special.log_expit(theta) + (study.n - study.events) * special.log_expit(-theta)
            elif study.months:
                log = study.events * theta - study.months * np.exp(theta)
            else:
                log = -0.5 * ((theta - study.value) / study.below) ** 2
            mass = np.exp(log - log.max(axis=1, keepdims=True)) * _W
            self._kept[study.study_id] = theta, mass / mass.sum(axis=1, keepdims=True)
        return self._kept[study.study_id]


@cache
def _at(model: str) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.broadcast_arrays(U[model][None, :], V[model][:, None])
    return (special.expit(u), special.expit(v)) if model == "beta_binomial" else (u, np.exp(v))


@cache
def _values(model: str, name: str, months: float | None) -> np.ndarray:
    location, spread = _at(model)
    return _VALUES[model][name](location, spread, months) if name in _VALUES[model] else spread


def _smooth(values: np.ndarray, mass: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Quantiles of a function of one hyperparameter: the mass between steps by a spline."""
    steps = np.arange(len(mass))
    dense = np.linspace(0, steps[-1], 40 * len(mass))
    below = interpolate.CubicSpline(steps, mass).antiderivative()(dense)
    inside = np.interp((1 - p if values[-1] < values[0] else p) * below[-1], np.maximum.accumulate(below), dense)
    return interpolate.CubicSpline(steps, values)(inside)


def _refined(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and weights where the mass is, on steps a third as long, flat."""
    kept = np.nonzero(weights > 1e-7 * weights.max())
    box = tuple(slice(max(at.min() - 2, 0), at.max() + 3) for at in kept)
    fine, mass = (ndimage.zoom(part[box], 3, order=3, mode="nearest", grid_mode=False).ravel()
                  for part in (values, weights))
    mass = np.maximum(mass, 0.0)
    return fine, mass / mass.sum()


def _logit_normal_mean(m: np.ndarray, tau: np.ndarray, power: int = 1) -> np.ndarray:
    return (special.expit(m[..., None] + tau[..., None] * _Z) ** power) @ _W


def _logit_normal_rho(m: np.ndarray, tau: np.ndarray) -> np.ndarray:
    mean = _logit_normal_mean(m, tau)
    return (_logit_normal_mean(m, tau, 2) - mean**2) / (mean * (1 - mean))


def _median_of_beta(mu: np.ndarray, rho: np.ndarray) -> np.ndarray:
    kappa = 1 / rho - 1
    # Where all studies are alike the median is the mean; where they are 0 or 1 it has left double precision.
    return np.where(kappa > 1e4, mu, special.betaincinv(mu * kappa, (1 - mu) * kappa, 0.5))


def _tau_of_beta(mu: np.ndarray, rho: np.ndarray) -> np.ndarray:
    kappa = 1 / rho - 1
    return np.sqrt(special.polygamma(1, mu * kappa) + special.polygamma(1, (1 - mu) * kappa))


_VALUES: dict[str, dict[str, Callable[..., np.ndarray]]] = {
    "beta_binomial": {
        "mean_rate": lambda mu, rho, t: mu,
        "median_rate": lambda mu, rho, t: _median_of_beta(mu, rho),
        "tau": lambda mu, rho, t: _tau_of_beta(mu, rho),
    },
    "logit_normal": {
        "mean_rate": lambda m, tau, t: _logit_normal_mean(m, tau),
        "median_rate": lambda m, tau, t: special.expit(m),
        "rho": lambda m, tau, t: _logit_normal_rho(m, tau),
    },
    "log_hazard": {
        "survival": lambda eta, tau, t: np.exp(-t * np.exp(eta)),
        "mean_survival": lambda eta, tau, t: np.exp(-t * np.exp(eta[..., None] + tau[..., None] * _Z)) @ _W,
        "median_months": lambda eta, tau, t: np.log(2) * np.exp(-eta),
        "rmst": lambda eta, tau, t: (1 - np.exp(-t * np.exp(eta))) / np.exp(eta),
        "hazard": lambda eta, tau, t: 1200 * np.exp(eta),
        "mean_hazard": lambda eta, tau, t: 1200 * np.exp(eta + tau**2 / 2),
    },
}


def posterior(model: str, studies: Sequence[Any], given: dict[str, str] | None = None, *,
              extra: np.ndarray | None = None) -> Plane:
    """The posterior under priors in words by name, location first; under the defaults where none are given."""
    given = given or DEFAULTS[model]
    return (_posterior(model, tuple(studies), tuple(given.values())) if extra is None
            else _made(model, tuple(studies), tuple(given.values()), extra))


@cache
def _posterior(model: str, studies: tuple[Any, ...], given: tuple[str, ...]) -> Plane:
    return _made(model, studies, given, 0.0)


def _made(model: str, studies: tuple[Any, ...], given: tuple[str, ...], extra: Any) -> Plane:
    log = log_prior(model, given, U[model][None, :], V[model][:, None]) + extra
    log = log + sum(likelihood(model, study) for study in studies)
    cell = (U[model][1] - U[model][0]) * (V[model][1] - V[model][0])
    top = log.max()
    weights = np.exp(log - top)
    return Plane(model, weights / weights.sum(), float(np.log(weights.sum() * cell) + top))
