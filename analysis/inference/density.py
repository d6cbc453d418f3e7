"""The joint log density of two hyperparameters in coordinates without bounds, as quadrature sees it.

A third one, which all studies share, is fixed: quadrature goes from one of its values to the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from scipy import special

from models.backend import NUMBERS
from models.model import Model
from models.priors import Prior
from models.studies import Studies

Extra = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""A further log likelihood of the hyperparameters: natural values of shape (g,) to shape (g,)."""

# Next to rho = 1 the heterogeneity theta = rho/(1 - rho) must stay finite; logits of 36 are one in double precision.
_LOGIT_LIMIT = 36.0
_LOG_LIMIT = 300.0
_BATCH = 4_000_000


@dataclass(frozen=True)
class Density:
    """A model with its data and priors, ready to be evaluated at many points at once.

    Parameters
    ----------
    model : Model
    inputs : mapping of str to array
        `model.marginal.data` of the studies.
    priors : mapping of str to Prior
    constant : float
        Added to the log density, so that its integral is the evidence.
    extra : callable or None
        A further log likelihood.
    prior_place : (float, float)
        Median and half the width of the central 68 % of the location's prior, unconstrained.
    fixed : mapping of str to float
        Natural value of the third hyperparameter, by its name; empty where the model has two.
    """

    model: Model
    inputs: Mapping[str, np.ndarray]
    priors: Mapping[str, Prior]
    constant: float
    extra: Extra | None = None
    prior_place: tuple[float, float] = (0.0, np.inf)
    fixed: Mapping[str, float] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, str]:
        """Location and heterogeneity."""
        location, heterogeneity, *_ = self.model.priors
        return location, heterogeneity

    @property
    def shared(self) -> str:
        """The third hyperparameter while it is not fixed; empty where there is none."""
        return next((name for name in list(self.model.priors)[2:] if name not in self.fixed), "")

    def natural(self, location: np.ndarray, heterogeneity: np.ndarray) -> dict[str, np.ndarray]:
        """Values on the scale of the model from unconstrained ones."""
        values = {name: natural(value, self.priors[name].support)
                  for name, value in zip(self.names, (location, heterogeneity), strict=True)}
        return values | {name: np.full(np.shape(location), value) for name, value in self.fixed.items()}

    def placed(self, heterogeneity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """About where the unconstrained location lies given the unconstrained heterogeneity, and its spread."""
        name = self.names[1]
        draws = {name: natural(heterogeneity, self.priors[name].support),
                 **{key: np.full(np.shape(heterogeneity), value) for key, value in self.fixed.items()}}
        centre, spread = self.model.marginal.conditional(draws, self.inputs, on=NUMBERS)
        middle, width = self.prior_place
        share = 1.0 / (1.0 + (spread / width) ** 2)
        return share * centre + (1.0 - share) * middle, 1.0 / np.hypot(1.0 / spread, 1.0 / width)

    def log_prior(self, location: np.ndarray, heterogeneity: np.ndarray) -> np.ndarray:
        """Log prior density of the unconstrained values, Jacobians included."""
        first, second = self.names
        return self.priors[first].log_density(location) + self.priors[second].log_density(heterogeneity)

    @cached_property
    def log_likelihood(self) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
        """The log likelihood at natural values, without its constant."""
        marginal = self.model.marginal
        return marginal.tabulated(self.inputs, self.fixed) if marginal.tabulated else \
            partial(marginal.log_density, inputs=self.inputs, on=NUMBERS)

    def __call__(self, location: np.ndarray, heterogeneity: np.ndarray) -> np.ndarray:
        """Log of likelihood times prior at unconstrained values, shape (g,) each; -inf where it is not a number."""
        size = max((table.size for table in self.inputs.values()), default=0)
        batch = max(1, _BATCH // max(size, 1) // self.model.marginal.points_per_study)
        parts = [self._evaluate(location[at:at + batch], heterogeneity[at:at + batch])
                 for at in range(0, len(location), batch)]
        return np.concatenate(parts)

    def _evaluate(self, location: np.ndarray, heterogeneity: np.ndarray) -> np.ndarray:
        values = self.natural(location, heterogeneity)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            total = self.log_likelihood(values) + self.constant
            total = total + self.log_prior(location, heterogeneity)
            if self.extra is not None:
                total = total + self.extra(values)
        return np.where(np.isnan(total), -np.inf, total)


def density_of(model: Model, studies: Studies, priors: Mapping[str, Prior], *, extra: Extra | None = None) -> Density:
    """The density of a model for these studies and priors."""
    location = next(iter(model.priors))
    return Density(model, model.density.data(studies), priors, model.density.log_constant(studies), extra,
                   place_of(priors[location]))


def prior_median(prior: Prior) -> float:
    """Median of a prior on its natural scale."""
    return float(natural(np.array(place_of(prior, points=48_001)[0]), prior.support))


def place_of(prior: Prior, *, points: int = 2401) -> tuple[float, float]:
    """Median of a prior and half the width of its central 68 %, on the unconstrained scale."""
    stretched = np.linspace(-12.0, 12.0, points)
    values = np.sinh(stretched)
    with np.errstate(over="ignore"):
        mass = np.exp(prior.log_density(values)) * np.cosh(stretched)
    total = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    low, middle, high = np.interp([0.16, 0.5, 0.84], total, values)
    return float(middle), float(max((high - low) / 2.0, 1e-3))


def natural(value: np.ndarray, support: str) -> np.ndarray:
    """An unconstrained value on the natural scale of its support."""
    if support == "unit":
        return special.expit(np.clip(value, -700.0, _LOGIT_LIMIT))
    if support == "positive":
        return np.exp(np.clip(value, -700.0, _LOG_LIMIT))
    return value
