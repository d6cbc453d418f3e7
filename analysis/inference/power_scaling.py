"""A posterior whose prior or likelihood is raised to a power, without solving anything anew.

p(theta)^alpha or p(y | theta)^alpha re-weights the points of the quadrature. Only the hyperparameters are scaled: study
effects are integrated out, and their distribution is the model's.

References
----------
Kallioinen N, Paananen T, Buerkner PC, Vehtari A. Stat Comput 2024;34:57, doi 10.1007/s11222-023-10366-5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.inference.distribution import Distribution, distribution
from analysis.inference.grid import Grid
from analysis.inference.pooled import quantities_at
from analysis.inference.posterior import Posterior
from models.priors import Prior

LIKELIHOOD, BOTH = "likelihood", "prior"


@dataclass(frozen=True)
class Scaled:
    """An estimand when one density is raised to each of several powers.

    Parameters
    ----------
    name : str
        What is scaled: likelihood, prior (all of them), or the parameter of one prior.
    priors : mapping of str to Prior
        Those that are scaled.
    flat : bool
        Whether they are constant over the posterior, so that scaling cannot move anything.
    laws : tuple of Distribution
        Of the estimand at each power.
    """

    name: str
    priors: dict[str, Prior]
    flat: bool
    laws: tuple[Distribution, ...]


def power_scalings(posterior: Posterior, estimand: str, powers: Sequence[float]) -> Iterator[Scaled]:
    """The likelihood, all priors together and each prior raised to these powers."""
    grid = posterior.grid
    (main,) = (quantity for quantity in quantities_at(grid, horizon=posterior.case.selection.horizon)
               if quantity.estimand == estimand)
    values = main.draws.reshape(grid.weights.shape)
    for name, log_density in log_densities(grid).items():
        laws = tuple(distribution(power_scaled(grid, log_density, alpha), values) for alpha in powers)
        priors = {key: prior for key, prior in grid.density.priors.items() if name in (key, BOTH)}
        # Constant to rounding over the posterior: what a uniform density is.
        flat = name != LIKELIHOOD and float(np.ptp(log_density[grid.weights > 1e-12])) < 1e-9
        yield Scaled(name, priors, flat, laws)


def log_densities(grid: Grid) -> dict[str, np.ndarray]:
    """Log density of what can be scaled at each point of the grid, by name; shape (V, U) each.

    Priors are densities of the hyperparameters on their natural scale, without the Jacobian of the grid's own
    coordinates, which is no part of the prior.
    """
    density = grid.density
    places = dict(zip(density.names, (grid.location, grid.heterogeneity), strict=True))
    priors = {name: _natural_log_density(density.priors[name], value) for name, value in places.items()}
    return {LIKELIHOOD: _log_likelihood(grid), BOTH: sum(priors.values()), **priors}


def _natural_log_density(prior: Prior, value: np.ndarray) -> np.ndarray:
    """Log density of a natural value from that of the unconstrained one."""
    log_slope = {"real": np.zeros_like(value), "positive": value,
                 "unit": -np.logaddexp(0.0, value) - np.logaddexp(0.0, -value)}[prior.support]
    return prior.log_density(value) - log_slope


def _log_likelihood(grid: Grid) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = grid.density.log_likelihood(grid.values)
    return np.where(np.isnan(values), -np.inf, values).reshape(grid.weights.shape)


def power_scaled(grid: Grid, log_density: np.ndarray, alpha: float) -> Grid:
    """The posterior with that density raised to the power alpha: the same points with other weights."""
    kept = grid.weights > 0.0
    exponent = np.where(kept, (alpha - 1.0) * np.where(kept, log_density, 0.0), -np.inf)
    weights = grid.weights * np.exp(exponent - exponent[kept].max())
    return replace(grid, weights=weights / weights.sum())
