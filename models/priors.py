"""Prior distributions as values: they can be compared, printed, passed as arguments and typed on a command line."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    import pymc as pm

# Family, which is also its name in PyMC: the names of its parameters, which must be positive, and its support.
_FAMILIES = {
    "Normal": (("mu", "sigma"), ("sigma",), "real"),
    "StudentT": (("nu", "mu", "sigma"), ("nu", "sigma"), "real"),
    "Cauchy": (("alpha", "beta"), ("beta",), "real"),
    "HalfNormal": (("sigma",), ("sigma",), "positive"),
    "HalfStudentT": (("nu", "sigma"), ("nu", "sigma"), "positive"),
    "HalfCauchy": (("beta",), ("beta",), "positive"),
    "Exponential": (("lam",), ("lam",), "positive"),
    "Gamma": (("alpha", "beta"), ("alpha", "beta"), "positive"),
    "LogNormal": (("mu", "sigma"), ("sigma",), "positive"),
    "Beta": (("alpha", "beta"), ("alpha", "beta"), "unit"),
    "LogitNormal": (("mu", "sigma"), ("sigma",), "unit"),
}


def _of_log(log_density: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Log density of log x from that of x > 0."""
    # exp(-746) is zero, where the density of a Gamma(0.3, 1) is infinite.
    return lambda value, *arguments: log_density(np.exp(np.clip(value, -700.0, 700.0)), *arguments) + value


def _normal(value: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    return -((value - mu) / sigma) ** 2 / 2.0 - _HALF_LOG_2PI - np.log(sigma)


def _student_t(value: np.ndarray, nu: float, mu: float, sigma: float) -> np.ndarray:
    constant = np.log(special.poch(0.5 * nu, 0.5)) - 0.5 * (np.log(nu) + np.log(np.pi))
    return constant - (nu + 1.0) / 2.0 * np.log1p(((value - mu) / sigma) ** 2 / nu) - np.log(sigma)


def _cauchy(value: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    # Squares of large numbers overflow.
    z = np.abs((value - alpha) / beta)
    far = np.maximum(z, 1.0)
    log_square = np.where(z < 1.0, np.log1p(np.minimum(z, 1.0) ** 2), 2.0 * np.log(far) + np.log1p((1.0 / far) ** 2))
    return -np.log(np.pi) - log_square - np.log(beta)


def _gamma(value: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return special.xlogy(alpha - 1.0, beta * value) - beta * value - special.gammaln(alpha) + np.log(beta)


def _beta(logit: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return -alpha * np.logaddexp(0.0, -logit) - beta * np.logaddexp(0.0, logit) - special.betaln(alpha, beta)


# Log densities on the unconstrained scale.
_LOG_DENSITIES = {
    "Normal": _normal,
    "StudentT": _student_t,
    "Cauchy": _cauchy,
    "HalfNormal": _of_log(lambda value, sigma: 0.5 * np.log(2.0 / np.pi) - (value / sigma) ** 2 / 2.0 - np.log(sigma)),
    "HalfStudentT": _of_log(lambda value, nu, sigma: np.log(2.0) + _student_t(value, nu, 0.0, sigma)),
    "HalfCauchy": _of_log(lambda value, beta: np.log(2.0 / np.pi) - np.log1p((value / beta) ** 2) - np.log(beta)),
    "Exponential": _of_log(lambda value, lam: np.log(lam) - lam * value),
    "Gamma": _of_log(_gamma),
    "LogNormal": _normal,
    "Beta": _beta,
    "LogitNormal": _normal,
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
_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
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
        names, positive, _ = _FAMILIES[self.family]
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
        return _FAMILIES[self.family][2]

    def variable(self, name: str, *, size: int | None = None, dims: str | None = None) -> "pm.Distribution":
        """The random variable of that name in the PyMC model that is being built, or a vector of that size or dims."""
        return self._family()(name, **self._named(), shape=size, dims=dims)

    def distribution(self) -> "pm.Distribution":
        """The distribution, outside any model."""
        return self._family().dist(**self._named())

    def _family(self) -> "type[pm.Distribution]":
        import pymc as pm
        return getattr(pm, self.family)

    def _named(self) -> dict[str, float]:
        return dict(zip(_FAMILIES[self.family][0], self.arguments, strict=True))

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
