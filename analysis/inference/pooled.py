"""The estimands of a model from a posterior grid: the same names, scales and intervals as from draws."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.inference import estimands
from analysis.inference.distribution import Distribution, between_slices, distribution, mixture, quantiles, shared_cells
from analysis.inference.estimands import Estimate, Quantity
from analysis.inference.grid import Grid, Slices
from analysis.inference.weighted import equal_tails, mean_and_sd
from models.curves import NEVER
from models.integrals import unit_rule

# E p^2 is the integral of 2 p (1 - F(p)) over 0..1.
_NODES, _WEIGHTS = unit_rule(64)
_SOONEST, _ROOT_ERROR = 1e-3, 1e-8  # months, and of a probability
_FOR_PREDICTION = ("mean_rate", "rho", "eta", "tau")
"""Summaries on which the distribution of a new study's effect rests."""


@dataclass(frozen=True)
class ExactQuantity:
    """One pooled estimand with its exact distribution; `quantity` carries its name, scale and kind of interval."""

    quantity: Quantity
    distribution: Distribution

    @property
    def name(self) -> str:
        """The estimand with its horizon, unique within a fit."""
        return self.quantity.name

    def estimate(self, level: float) -> Estimate:
        """The tidy row; the Monte-Carlo error is NaN, since there is none."""
        law = self.distribution
        return self.quantity.estimate(law.quantile(equal_tails(level)), mean=law.mean, sd=law.sd, level=level)


def quantities_at(grid: Grid | Slices, *, horizon: float, only: Collection[str] | None = None) -> list[Quantity]:
    """The pooled estimands at the points of the grid, or those that are wanted; the prediction without values."""
    unknown = np.full(grid.weights.size, np.nan)
    return estimands.of_effects(grid.density.model, grid.values, None, unknown, horizon=horizon, only=only)


def pooled(grid: Grid | Slices, *, horizon: float, only: Collection[str] | None = None) -> tuple[ExactQuantity, ...]:
    """Every pooled estimand with its exact distribution.

    Parameters
    ----------
    grid : Grid
    horizon : float
        Months at which survival is reported; not used for rates.
    only : collection of str or None
        Estimands that are wanted; None takes all.
    """
    at_points = quantities_at(grid, horizon=horizon, only=None if only is None else {*only, *_FOR_PREDICTION})
    values = {quantity.estimand: quantity.draws for quantity in at_points}
    return tuple(ExactQuantity(replace(quantity, draws=np.empty(0)), _distribution(grid, quantity, values, horizon))
                 for quantity in at_points if only is None or quantity.estimand in only)


def _distribution(grid: Grid | Slices, quantity: Quantity, values: Mapping[str, np.ndarray],
                  horizon: float) -> Distribution:
    if quantity.estimand == "new_study_rate":
        return _new_rate(grid, values)
    if quantity.estimand == "new_study_survival":
        return _new_survival(grid, horizon)
    if quantity.estimand == "new_study_hazard":
        return _new_hazard(grid)
    if quantity.estimand == "median_months" and "cured" in grid.density.priors and len(grid.grids) > 1:
        return _median_of_cured(grid)
    return distribution(grid, quantity.draws)


def hyperparameters(grid: Grid | Slices) -> dict[str, Distribution]:
    """The exact distributions of the hyperparameters."""
    return {name: distribution(grid, values) for name, values in grid.values.items()}


def _new_rate(grid: Grid | Slices, values: Mapping[str, np.ndarray]) -> Distribution:
    mean_rate, rho, tau = (values.get(name) for name in ("mean_rate", "rho", "tau"))
    weights = grid.weights.ravel()
    mean, _ = mean_and_sd(mean_rate, weights)
    # A model need not say how far apart its studies are: without tau every location is interpolated.
    spread = np.zeros(grid.weights.size) if tau is None else tau
    cdf = grid.density.model.marginal.new_study_cdf
    if rho is None:
        below = mixture(grid, cdf, spread, mean=mean, sd=np.nan, low=0.0, high=1.0).cdf(_NODES)
        square = 1.0 - float(_WEIGHTS @ (2.0 * _NODES * below)) - mean**2
    else:
        # Var p = rho E p (1 - E p) in a study with these hyperparameters.
        square = float(weights @ (rho * mean_rate * (1.0 - mean_rate) + mean_rate**2)) - mean**2
    # Rounding may leave a negative difference.
    return mixture(grid, cdf, spread, mean=mean, sd=float(np.sqrt(max(square, 0.0))), low=0.0, high=1.0)


def _new_survival(grid: Grid | Slices, horizon: float) -> Distribution:
    weights, values, marginal = grid.weights.ravel(), grid.values, grid.density.model.marginal
    tau, eta = (marginal.population[name](values) for name in ("tau", "eta"))
    means = estimands.mean_survival(marginal.curve, values, eta, tau, horizon)
    mean, square = (float(weights @ moment) for moment in means)

    def cdf(values: dict[str, np.ndarray], survival: float) -> np.ndarray:
        return 1.0 - marginal.new_study_cdf(values, marginal.curve.effect_at(values, survival, horizon))

    return mixture(grid, cdf, tau, mean=mean, sd=float(np.sqrt(max(square - mean**2, 0.0))), low=0.0, high=1.0)


def _median_of_cured(grid: Slices) -> Distribution:
    """Months at which half of the patients of the typical study had the event; those of `NEVER` where more are cured.

    It is no more than m months where the effect is at least what survival of a half then asks for. That grows without
    bound as the cured share comes to a half: the distribution of the effect is therefore interpolated between the
    slices of that share, which are coarser than the distance within which the median jumps.
    """
    marginal, (parts, cured, mass) = grid.density.model.density, shared_cells(grid, "cured")
    effects = [distribution(part, marginal.population["eta"](part.values)) for part in parts]

    def no_later(log_months: float) -> float:
        least = marginal.curve.effect_at({"cured": cured}, 0.5, np.exp(log_months))
        return float(mass @ (1.0 - between_slices(effects, least)))

    def below(log_months: np.ndarray | float) -> np.ndarray:
        return np.reshape([no_later(value) for value in np.ravel(log_months).tolist()], np.shape(log_months))

    first, last = np.log(_SOONEST), np.log(NEVER)
    return Distribution(np.nan, np.nan, lambda months: below(np.log(np.maximum(months, _SOONEST))),
                        lambda p: np.exp(quantiles(below, p, first, last, error=_ROOT_ERROR)))


def _new_hazard(grid: Grid | Slices) -> Distribution:
    """On the log scale, where its distribution is known; its mean need not exist."""
    weights, (location, tau) = grid.weights.ravel(), (values.ravel() for values in grid.values.values())
    mean, sd = mean_and_sd(location, weights)
    log = mixture(grid, grid.density.model.marginal.new_study_cdf, tau.reshape(grid.weights.shape), mean=mean,
                  sd=float(np.sqrt(sd**2 + weights @ tau**2)), low=-700.0, high=300.0)

    def log_of(hazard: np.ndarray | float) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(hazard, 0.0) / estimands.PER_100_PERSON_YEARS)

    return Distribution(np.nan, np.nan, lambda hazard: log.cdf(log_of(hazard)),
                        lambda p: estimands.PER_100_PERSON_YEARS * np.exp(log.quantile(p)))
