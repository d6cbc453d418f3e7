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


@dataclass(frozen=True)
class _Family:
    """A distribution that PyMC has under the same name, with the same arguments.

    Parameters
    ----------
    arguments : tuple of str
        A star marks those that must be positive.
    support : {"real", "positive", "unit"}
    log_density : callable
        (unconstrained value, *arguments) -> log density there, the Jacobian included.
    draw : callable
        (rng, size, *arguments) -> values on the natural scale.
    """

    arguments: tuple[str, ...]
    support: str
    log_density: Callable[..., np.ndarray]
    draw: Callable[..., np.ndarray]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name.lstrip("*") for name in self.arguments)


def _normal(value: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    return -0.5 * ((value - mu) / sigma) ** 2 - math.log(sigma) - 0.5 * math.log(2.0 * math.pi)


def _student_t(value: np.ndarray, nu: float, mu: float, sigma: float) -> np.ndarray:
    constant = math.lgamma((nu + 1.0) / 2.0) - math.lgamma(nu / 2.0) - 0.5 * math.log(nu * math.pi) - math.log(sigma)
    return constant - (nu + 1.0) / 2.0 * np.log1p(((value - mu) / sigma) ** 2 / nu)


def _cauchy(value: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    # Squares of large numbers overflow.
    z = np.abs((value - alpha) / beta)
    far = np.maximum(z, 1.0)
    log_square = np.where(z < 1.0, np.log1p(np.minimum(z, 1.0) ** 2), 2.0 * np.log(far) + np.log1p((1.0 / far) ** 2))
    return -math.log(math.pi) - log_square - math.log(beta)


def _gamma(log: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return alpha * (math.log(beta) + log) - math.lgamma(alpha) - beta * np.exp(np.minimum(log, 700.0))


def _beta(logit: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return -alpha * np.logaddexp(0.0, -logit) - beta * np.logaddexp(0.0, logit) - special.betaln(alpha, beta)


def _half(log_density: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Density of log |x| from a density of x that is symmetric about zero; none where x is beyond all numbers."""
    def of_log(log: np.ndarray, *arguments: float) -> np.ndarray:
        *shape, scale = arguments
        with np.errstate(over="ignore"):
            density = math.log(2.0) + log_density(np.exp(np.minimum(log, 700.0)), *shape, 0.0, scale) + log
        return np.where(log > 700.0, -np.inf, density)
    return of_log


_FAMILIES = {
    "Normal": _Family(("mu", "*sigma"), "real", _normal,
                      lambda rng, size, mu, sigma: rng.normal(mu, sigma, size)),
    "StudentT": _Family(("*nu", "mu", "*sigma"), "real", _student_t,
                        lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size)),
    "Cauchy": _Family(("alpha", "*beta"), "real", _cauchy,
                      lambda rng, size, alpha, beta: alpha + beta * rng.standard_cauchy(size)),
    "HalfNormal": _Family(("*sigma",), "positive", _half(_normal),
                          lambda rng, size, sigma: np.abs(rng.normal(0.0, sigma, size))),
    "HalfStudentT": _Family(("*nu", "*sigma"), "positive", _half(_student_t),
                            lambda rng, size, nu, sigma: np.abs(sigma * rng.standard_t(nu, size))),
    "HalfCauchy": _Family(("*beta",), "positive", _half(_cauchy),
                          lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size))),
    "Exponential": _Family(("*lam",), "positive", lambda log, lam: _gamma(log, 1.0, lam),
                           lambda rng, size, lam: rng.exponential(1.0 / lam, size)),
    "Gamma": _Family(("*alpha", "*beta"), "positive", _gamma,
                     lambda rng, size, alpha, beta: rng.gamma(alpha, 1.0 / beta, size)),
    "LogNormal": _Family(("mu", "*sigma"), "positive", _normal,
                         lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size)),
    "Beta": _Family(("*alpha", "*beta"), "unit", _beta,
                    lambda rng, size, alpha, beta: rng.beta(alpha, beta, size)),
    "LogitNormal": _Family(("mu", "*sigma"), "unit", _normal,
                           lambda rng, size, mu, sigma: special.expit(rng.normal(mu, sigma, size))),
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
        family = _FAMILIES[self.family]
        if len(self.arguments) != len(family.names):
            raise ValueError(f"{self.family} takes {len(family.names)} numbers ({', '.join(family.names)}), "
                             f"{len(self.arguments)} given")
        for marked, name, value in zip(family.arguments, family.names, self.arguments, strict=True):
            positive = marked != name
            if not math.isfinite(value) or (positive and value <= 0):
                wanted = "positive and finite" if positive else "finite"
                raise ValueError(f"{self.family}: {name} = {value:g} must be {wanted}")

    @property
    def support(self) -> str:
        """Where the density is positive: real, positive or unit."""
        return _FAMILIES[self.family].support

    def variable(self, name: str, *, size: int | None = None, dims: str | None = None) -> "pm.Distribution":
        """The random variable of that name in the PyMC model that is being built, or a vector of that size or dims."""
        import pymc as pm

        return getattr(pm, self.family)(name, **self._named_arguments(), shape=size, dims=dims)

    def distribution(self) -> "pm.Distribution":
        """The distribution, outside any model."""
        import pymc as pm

        return getattr(pm, self.family).dist(**self._named_arguments())

    def _named_arguments(self) -> dict[str, float]:
        return dict(zip(_FAMILIES[self.family].names, self.arguments, strict=True))

    def log_density(self, value: np.ndarray) -> np.ndarray:
        """Log prior density of the *unconstrained* value: itself, the log or the logit, by the support.

        The Jacobian is in it, so that nothing is lost next to a bound where the natural scale runs out of digits.
        """
        return _FAMILIES[self.family].log_density(np.asarray(value, dtype=float), *self.arguments)

    def log_density_at(self, value: np.ndarray) -> np.ndarray:
        """Log prior density of the *natural* value."""
        if self.support == "real":
            return self.log_density(value)
        if self.support == "positive":
            return self.log_density(np.log(value)) - np.log(value)
        logit = special.logit(value)
        return self.log_density(logit) - special.log_expit(logit) - special.log_expit(-logit)

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Independent values on the *natural* scale, strictly inside the support; shape (size,)."""
        return np.clip(_FAMILIES[self.family].draw(rng, size, *self.arguments), *_BOUNDS[self.support])

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
