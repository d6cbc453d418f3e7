"""Prior distributions as values: they can be compared, printed, passed as arguments and typed on a command line."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
from scipy import special, stats

# Family: the PyMC distribution, the names of its parameters, which of them must be positive, and its support.
_FAMILIES = {
    "Normal": (pm.Normal, ("mu", "sigma"), ("sigma",), "real"),
    "StudentT": (pm.StudentT, ("nu", "mu", "sigma"), ("nu", "sigma"), "real"),
    "Cauchy": (pm.Cauchy, ("alpha", "beta"), ("beta",), "real"),
    "HalfNormal": (pm.HalfNormal, ("sigma",), ("sigma",), "positive"),
    "HalfStudentT": (pm.HalfStudentT, ("nu", "sigma"), ("nu", "sigma"), "positive"),
    "HalfCauchy": (pm.HalfCauchy, ("beta",), ("beta",), "positive"),
    "Exponential": (pm.Exponential, ("lam",), ("lam",), "positive"),
    "Gamma": (pm.Gamma, ("alpha", "beta"), ("alpha", "beta"), "positive"),
    "LogNormal": (pm.LogNormal, ("mu", "sigma"), ("sigma",), "positive"),
    "Beta": (pm.Beta, ("alpha", "beta"), ("alpha", "beta"), "unit"),
    "LogitNormal": (pm.LogitNormal, ("mu", "sigma"), ("sigma",), "unit"),
}


def _of_log(distribution: Callable[..., object]) -> Callable[..., np.ndarray]:
    """Density of log x from that of x > 0."""
    # exp(-746) is zero, where the density of a Gamma(0.3, 1) is infinite.
    return lambda value, *arguments: distribution(*arguments).logpdf(np.exp(np.clip(value, -700.0, 700.0))) + value


def _beta(logit: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return -alpha * np.logaddexp(0.0, -logit) - beta * np.logaddexp(0.0, logit) - special.betaln(alpha, beta)


# Log densities on the unconstrained scale. Half a t distribution is written as a t doubled.
_LOG_DENSITIES = {
    "Normal": lambda value, mu, sigma: stats.norm.logpdf(value, mu, sigma),
    "StudentT": lambda value, nu, mu, sigma: stats.t.logpdf(value, nu, mu, sigma),
    "Cauchy": lambda value, alpha, beta: stats.cauchy.logpdf(value, alpha, beta),
    "HalfNormal": _of_log(lambda sigma: stats.halfnorm(scale=sigma)),
    "HalfStudentT": lambda value, nu, sigma:
        np.log(2.0) + stats.t.logpdf(np.exp(np.minimum(value, 700.0)), nu, 0.0, sigma) + value,
    "HalfCauchy": _of_log(lambda beta: stats.halfcauchy(scale=beta)),
    "Exponential": _of_log(lambda lam: stats.expon(scale=1.0 / lam)),
    "Gamma": _of_log(lambda alpha, beta: stats.gamma(alpha, scale=1.0 / beta)),
    "LogNormal": lambda value, mu, sigma: stats.norm.logpdf(value, mu, sigma),
    "Beta": _beta,
    "LogitNormal": lambda value, mu, sigma: stats.norm.logpdf(value, mu, sigma),
}
# Independent values on the natural scale, from a generator.
_DRAWS = {
    "Normal": lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
    "StudentT": lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
    "Cauchy": lambda rng, size, alpha, beta: alpha + beta * rng.standard_cauchy(size),
    "HalfNormal": lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size)),
    "HalfStudentT": lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size)),
    "HalfCauchy": lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size)),
    "Exponential": lambda rng, size, lam: rng.exponential(1.0 / lam, size),
    "Gamma": lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size),
    "LogNormal": lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
    "Beta": lambda rng, size, alpha, beta: rng.beta(alpha, beta, size),
    "LogitNormal": lambda rng, size, mu, sigma: special.expit(rng.normal(mu, sigma, size)),
}
# A value rounded to a bound has no density; these are the numbers next to it.
_BOUNDS = {"real": (-np.inf, np.inf), "positive": (np.finfo(float).tiny, np.inf),
           "unit": (np.finfo(float).tiny, 1.0 - np.finfo(float).epsneg)}
_EXPRESSION = re.compile(r"\s*([A-Za-z]+)\s*\(([^()]*)\)\s*", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Prior:
    """A named distribution with numbers as arguments, such as Prior("Beta", (1.0, 4.0)).

    Raises
    ------
    ValueError
        When the family is unknown, or the arguments are not those of the family.
    """

    family: str
    arguments: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.family not in _FAMILIES:
            raise ValueError(f"unknown distribution {self.family!r}; known: {', '.join(sorted(_FAMILIES))}")
        _, names, positive, _ = _FAMILIES[self.family]
        if len(self.arguments) != len(names):
            raise ValueError(f"{self.family} takes {len(names)} numbers ({', '.join(names)}), "
                             f"{len(self.arguments)} given")
        for name, value in zip(names, self.arguments, strict=True):
            if not math.isfinite(value) or (name in positive and value <= 0):
                wanted = "positive and finite" if name in positive else "finite"
                raise ValueError(f"{self.family}: {name} = {value:g} must be {wanted}")

    @property
    def support(self) -> str:
        """Where the density is positive: real, positive or unit."""
        return _FAMILIES[self.family][3]

    def variable(self, name: str, *, size: int | None = None, dims: str | None = None) -> pm.Distribution:
        """The random variable of that name in the PyMC model that is being built, or a vector of that size or dims."""
        distribution, names, _, _ = _FAMILIES[self.family]
        return distribution(name, **dict(zip(names, self.arguments, strict=True)), shape=size, dims=dims)

    def distribution(self) -> pm.Distribution:
        """The distribution, outside any model."""
        distribution, names, _, _ = _FAMILIES[self.family]
        return distribution.dist(**dict(zip(names, self.arguments, strict=True)))

    def log_density(self, value: np.ndarray) -> np.ndarray:
        """Log prior density of the *unconstrained* value: itself, the log or the logit, by the support.

        The Jacobian is in it, so that nothing is lost next to a bound where the natural scale runs out of digits.
        """
        return _LOG_DENSITIES[self.family](np.asarray(value, dtype=float), *self.arguments)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Independent values on the *natural* scale, strictly inside the support; shape (size,)."""
        return np.clip(_DRAWS[self.family](rng, size, *self.arguments), *_BOUNDS[self.support])

    def exact(self) -> str:
        """As text with every digit, so that it can be read back."""
        return f"{self.family}({', '.join(map(repr, self.arguments))})"

    def __str__(self) -> str:
        return f"{self.family}({', '.join(f'{value:.6g}' for value in self.arguments)})"


def parse_prior(expression: str) -> Prior:
    """The prior that an expression such as "Beta(1, 4)" names; nothing is evaluated.

    Raises
    ------
    ValueError
        When it is no family name with numbers in brackets.
    """
    match = _EXPRESSION.fullmatch(expression)
    cells = [cell.strip() for cell in match[2].split(",")] if match else []
    if not match or not all(_NUMBER.fullmatch(cell) for cell in cells):
        raise ValueError(f"{expression!r} is no prior; write a distribution with numbers, such as Beta(1, 4)")
    return Prior(match[1], tuple(float(cell) for cell in cells))
