"""The estimands of a model from a posterior grid: the same names, scales and intervals as from draws."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from analysis.inference import estimands
from analysis.inference.distribution import Distribution, distribution, mixture, moments
from analysis.inference.estimands import Estimate, Quantity
from analysis.inference.grid import Grid, Slices

# E p^2 is the integral of 2 p (1 - F(p)) over 0..1.
_NODES, _WEIGHTS = (0.5 * (x + shift) for x, shift in zip(np.polynomial.legendre.leggauss(64), (1.0, 0.0), strict=True))


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
        lower, median, upper = self.distribution.quantile(np.array([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]))
        mean, sd = (self.distribution.mean, self.distribution.sd) if self.quantity.moments else (np.nan, np.nan)
        return Estimate(self.quantity.estimand, None, self.quantity.time_months, self.quantity.scale,
                        self.quantity.unit, mean=mean, sd=sd, median=float(median), lower=float(lower),
                        upper=float(upper), level=level, interval=self.quantity.interval, mcse=np.nan)


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
    model, found = grid.density.model, []
    at_points = quantities_at(grid, horizon=horizon, only=None if only is None else {*only, *_FOR_PREDICTION})
    for quantity in at_points:
        if only is not None and quantity.estimand not in only:
            continue
        if quantity.interval == "prediction":
            values = _new_rate(grid, at_points) if quantity.estimand == "new_study_rate" else \
                _new_hazard(grid) if quantity.estimand == "new_study_hazard" else \
                _new_survival(grid, horizon)
        else:
            values = distribution(grid, quantity.draws)
        moments_exist = quantity.estimand not in model.without_moments
        found.append(ExactQuantity(Quantity(quantity.estimand, np.empty(0), quantity.scale, quantity.unit,
                                            quantity.interval, quantity.time_months, moments_exist), values))
    return tuple(found)


def hyperparameters(grid: Grid | Slices) -> dict[str, Distribution]:
    """The exact distributions of the hyperparameters."""
    return {name: distribution(grid, values) for name, values in grid.values.items()}


def _values(at_points: list[Quantity], estimand: str) -> np.ndarray | None:
    return next((quantity.draws for quantity in at_points if quantity.estimand == estimand), None)


def _new_rate(grid: Grid | Slices, at_points: list[Quantity]) -> Distribution:
    mean_rate, rho, tau = (_values(at_points, name) for name in ("mean_rate", "rho", "tau"))
    weights = grid.weights.ravel()
    mean, _ = moments(weights, mean_rate)
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


def _new_hazard(grid: Grid | Slices) -> Distribution:
    """On the log scale, where its distribution is known; its mean need not exist."""
    weights, (location, tau) = grid.weights.ravel(), (values.ravel() for values in grid.values.values())
    mean, sd = moments(weights, location)
    log = mixture(grid, grid.density.model.marginal.new_study_cdf, tau.reshape(grid.weights.shape), mean=mean,
                  sd=float(np.sqrt(sd**2 + weights @ tau**2)), low=-700.0, high=300.0)

    def log_of(hazard: np.ndarray | float) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(hazard, 0.0) / estimands.PER_100_PERSON_YEARS)

    return Distribution(np.nan, np.nan, lambda hazard: log.cdf(log_of(hazard)),
                        lambda p: estimands.PER_100_PERSON_YEARS * np.exp(log.quantile(p)))
