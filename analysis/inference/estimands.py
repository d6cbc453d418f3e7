"""What a posterior says: named quantities with their scale, unit and kind of interval, from draws to a tidy table."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.inference.weighted import equal_tails
from models.curves import NEVER
from models.integrals import NORMAL_NODES, NORMAL_WEIGHTS, unit_rule
from models.log_hazard import CONSTANT_HAZARD
from models.model import Curve, Draws, Model
from models.studies import Studies

MAIN = {"rate": "mean_rate", "survival": "survival"}
NEW = {"rate": "new_study_rate", "survival": "new_study_survival"}
"""The pooled estimand that stands for an endpoint of a kind, and its prediction for a new study."""

OF_TYPICAL_CURVE = ("survival", "rmst", "median_months", "hazard")
"""What the curve of the typical study says, read at one place or another."""

OF_A_STUDY = ("study_rate", "study_survival")
"""What is shown of a single study, which may have other estimates, such as its hazard."""

SPREADS = ("rho", "tau")
"""Estimands that tell how much studies differ; the first one that a model gives is shown."""

_EFFECTS = {"rate": ("study_rate", "new_study_rate"), "survival": ("study_log_hazard", "new_study_log_hazard")}
_RATE = ("probability", "proportion")
RMST_MONTHS = (12.0, 24.0)
PER_100_PERSON_YEARS = 1200.0
"""Times a hazard per person-month gives events per 100 person-years."""
HAZARD_UNIT = "events per 100 person-years"
OF_CURVES = ("proportion", "months")
"""Units of what is not said to readers where all that studies report is events over person-time."""
_ROOTS, _ROOT_WEIGHTS = unit_rule(40)
_SHARED = {"shape": ("shape", "1"), "cured": _RATE}
"""Scale and unit of what all studies share."""


class _Named:
    """What goes by its estimand and, where it has one, its horizon."""

    estimand: str
    time_months: float | None

    @property
    def name(self) -> str:
        """The estimand with its horizon, unique within a fit among pooled ones."""
        return self.estimand if self.time_months is None else f"{self.estimand}_{self.time_months:g}m"


@dataclass(frozen=True)
class Quantity(_Named):
    """Draws of one estimand.

    Parameters
    ----------
    estimand : str
        One of the names of `LABELS`.
    draws : array, shape (s,) or (s, k)
        With a second axis: one column per study.
    scale, unit : str
        Such as probability and "proportion", time and months.
    interval : {"credible", "prediction"}
    time_months : float or None
        Where the estimand has a horizon.
    moments : bool
        False where the posterior mean need not exist: no mean, SD and Monte-Carlo error are given then.
    """

    estimand: str
    draws: np.ndarray
    scale: str
    unit: str
    interval: str = "credible"
    time_months: float | None = None
    moments: bool = True

    def estimate(self, limits: Iterable[float], *, mean: float, sd: float, level: float, mcse: float = np.nan,
                 study_id: str | None = None) -> "Estimate":
        """The tidy row from lower limit, median and upper limit; without moments where they need not exist.

        A median that is never reached is infinite.
        """
        lower, median, upper = (reached(value) if self.unit == "months" else float(value) for value in limits)
        mean, sd, mcse = (float(value) if self.moments else np.nan for value in (mean, sd, mcse))
        return Estimate(self.estimand, study_id, self.time_months, self.scale, self.unit, mean, sd, median, lower,
                        upper, level, self.interval, mcse)


@dataclass(frozen=True)
class Estimate(_Named):
    """One row of the estimates: a summary of one quantity, for one study or pooled.

    Parameters
    ----------
    mean, sd : float
        NaN where the posterior mean need not exist.
    lower, upper : float
        Equal-tailed limits at `level`; infinite where a median is never reached.
    mcse : float
        Monte-Carlo standard error of the mean.
    """

    estimand: str
    study_id: str | None
    time_months: float | None
    scale: str
    unit: str
    mean: float
    sd: float
    median: float
    lower: float
    upper: float
    level: float
    interval: str
    mcse: float


LABELS = {
    "mean_rate": "Mean rate over studies", "median_rate": "Median rate (the middle study)",
    "new_study_rate": "Rate of a new study", "study_rate": "Rate of each study, shrunken",
    "rho": "Intraclass correlation rho", "tau": "Between-study SD tau (link scale)",
    "survival": "Survival of the typical study", "mean_survival": "Mean survival over studies",
    "new_study_survival": "Survival in a new study", "study_survival": "Survival of each study, shrunken",
    "rmst": "Restricted mean survival time, typical study", "median_months": "Median survival, typical study",
    "hazard": "Hazard of the typical study", "mean_hazard": "Mean hazard over studies",
    "new_study_hazard": "Hazard in a new study", "study_hazard": "Hazard of each study, shrunken",
    "shape": "Shape of the curves (below 1: the hazard falls)", "cured": "Share without the event for good",
}


def heterogeneity_of(model: Model) -> str:
    """The estimand that tells how much studies differ; the model's last hyperparameter where it gives no `SPREADS`."""
    given = model.marginal.population if model.marginal else model.estimands
    return next((name for name in SPREADS if name in given), list(model.priors)[-1])


def quantities_of(model: Model, draws: Draws, studies: Studies, *, horizon: float, rng: np.random.Generator,
               each: bool = True) -> list[Quantity]:
    """All that a model says about its studies, at each draw.

    Parameters
    ----------
    draws : mapping of str to array, shape (s, ...)
        Hyperparameters; for a model without a density, the variables that hold its estimands, too.
    horizon : float
        Months at which survival is reported; not used for rates.
    each : bool
        Whether estimands of the single studies are wanted.
    """
    if model.marginal:
        effects = model.marginal.study_effects(draws, studies, rng) if each else None
        return of_effects(model, draws, effects, model.marginal.new_study(draws, rng), horizon=horizon)
    population = {name: draws[variable] for name, variable in model.estimands.items()}
    effects, new = (population.pop(name, None) for name in _EFFECTS[model.kind])
    effects = effects if each else None
    given = rate_quantities(population, effects, new) if model.kind == "rate" else \
        survival_quantities(population, effects, new, horizon=horizon)
    return _with_moments(model, given)


def of_effects(model: Model, draws: Draws, effects: np.ndarray | None, new: np.ndarray | None, *, horizon: float,
               only: Collection[str] | None = None) -> list[Quantity]:
    """Estimands of a model with a density: those of `rate_quantities` or `survival_quantities`.

    Parameters
    ----------
    draws : mapping of str to array, shape (s,)
        Hyperparameters.
    only : collection of str or None
        Estimands that are wanted at least; None takes all.
    """
    population = model.density.summaries(draws, None if model.kind == "survival" else only)
    given = rate_quantities(population, effects, new) if model.kind == "rate" else \
        survival_quantities(population, effects, new, horizon=horizon, curve=model.density.curve, draws=draws,
                            only=only)
    return _with_moments(model, given)


def _with_moments(model: Model, quantities: Sequence[Quantity]) -> list[Quantity]:
    return [replace(quantity, moments=quantity.estimand not in model.without_moments) for quantity in quantities]


def rate_quantities(population: Mapping[str, np.ndarray], effects: np.ndarray | None,
                    new: np.ndarray | None) -> list[Quantity]:
    """Estimands of a rate model.

    Parameters
    ----------
    population : mapping of str to array, shape (s,)
        mean_rate and, where the model has them, median_rate, rho and tau.
    effects : array, shape (s, k), or None
        Rate of each study.
    new : array, shape (s,), or None
        Rate of a new study.
    """
    given = {**population, "new_study_rate": new, "study_rate": effects}
    scales = {"mean_rate": _RATE, "median_rate": _RATE, "new_study_rate": (*_RATE, "prediction"),
              "rho": ("correlation", "1"), "tau": ("logit", "log odds"), "study_rate": _RATE}
    return [Quantity(name, given[name], *scale) for name, scale in scales.items() if given.get(name) is not None]


def survival_quantities(population: Mapping[str, np.ndarray], effects: np.ndarray | None, new: np.ndarray | None, *,
                        horizon: float, curve: Curve = CONSTANT_HAZARD, draws: Draws | None = None,
                        only: Collection[str] | None = None) -> list[Quantity]:
    """Estimands of a survival model.

    Parameters
    ----------
    population : mapping of str to array, shape (s,)
        eta (effect of the typical study), tau and, where the model has them, shape and cured.
    effects, new : array, shape (s, k) and (s,), or None
        Effect of each study and of a new one.
    horizon : float
        Months at which survival is reported.
    curve : Curve
    draws : mapping of str to array, shape (s,)
        Hyperparameters, of which the curve may need one.
    only : collection of str or None
        What is wanted; the mean over studies takes longest, and is left out where it is not.
    """
    eta, tau, draws = population["eta"], population["tau"], draws or population
    each = {name: values[:, None] for name, values in draws.items() if np.ndim(values) == 1}
    given = [_survival("survival", curve.survival(draws, eta, horizon), horizon)]
    if only is None or {"mean_survival", "new_study_survival"} & {*only}:
        mean, _ = mean_survival(curve, draws, eta, tau, horizon)
        given.append(_survival("mean_survival", mean, horizon))
    if new is not None:
        given.append(_survival("new_study_survival", curve.survival(draws, new, horizon), horizon, "prediction"))
    given.append(Quantity("median_months", curve.months_at(draws, eta, 0.5), "time", "months"))
    given += [Quantity("rmst", restricted_mean(curve, draws, eta, months), "time", "months", time_months=months)
              for months in RMST_MONTHS if only is None or "rmst" in only]
    given.append(Quantity("tau", tau, "log hazard", "log hazard"))
    given += [Quantity(name, population[name], *_SHARED[name]) for name in _SHARED if name in population]
    if curve.constant_hazard:
        # Of the typical study, on average over studies (the mean of a log-normal), and of a new study.
        given += [_hazard("hazard", eta), _hazard("mean_hazard", eta + tau**2 / 2.0)]
        given += [] if new is None else [_hazard("new_study_hazard", new, interval="prediction")]
    if effects is not None:
        given.append(_survival("study_survival", curve.survival(each, effects, horizon), horizon))
        given += [_hazard("study_hazard", effects)] if curve.constant_hazard else []
    return given


def mean_survival(curve: Curve, draws: Draws, eta: np.ndarray, tau: np.ndarray,
                  months: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean of survival, and of its square, over studies whose effects are Normal(eta, tau); shape (s,) each.

    The sum is off by about exp(-pi^2 / (tau step)) for exp(-exp(x)): 1e-11 at tau = 4.
    """
    each = {name: values[:, None] for name, values in draws.items() if np.ndim(values) == 1}
    # Beyond a tau of 50 the new study's survival is 0 or 1; the clip only keeps exp from overflowing.
    survival = curve.survival(each, np.clip(eta[:, None] + tau[:, None] * NORMAL_NODES, -700.0, 700.0), months)
    return survival @ NORMAL_WEIGHTS, survival**2 @ NORMAL_WEIGHTS


def restricted_mean(curve: Curve, draws: Draws, effects: np.ndarray, months: float) -> np.ndarray:
    """Mean survival time up to so many months, shape (s,).

    By Gauss-Legendre quadrature in the square root of time, in which a curve that starts like t^k with k >= 0.5 is
    smooth.
    """
    if curve.constant_hazard:
        hazard = np.exp(np.clip(effects, -700.0, 700.0))
        return -np.expm1(-months * hazard) / hazard
    return sum(weight * curve.survival(draws, effects, time) for time, weight in
               zip(months * _ROOTS**2, 2.0 * months * _ROOTS * _ROOT_WEIGHTS, strict=True))


def _survival(name: str, probability: np.ndarray, horizon: float, interval: str = "credible") -> Quantity:
    return Quantity(name, probability, *_RATE, interval, horizon)


def _hazard(name: str, log_hazard: np.ndarray, *, interval: str = "credible") -> Quantity:
    # No hazard is that large; the bound keeps squares within the range of numbers.
    return Quantity(name, PER_100_PERSON_YEARS * np.exp(np.minimum(log_hazard, 300.0)), "hazard", HAZARD_UNIT, interval)


def reached(months: float) -> float:
    """The months of a median, infinite where it is never reached."""
    return math.inf if math.isclose(months, NEVER) else float(months)


def summarise(quantity: Quantity, study_ids: tuple[str, ...], *, chains: int, level: float,
              independent: bool = False) -> list[Estimate]:
    """Tidy rows of one quantity: one, or one per study; `independent` draws need no autocorrelation for their error."""
    draws = quantity.draws if quantity.draws.ndim == 2 else quantity.draws[:, None]
    limits = np.quantile(draws, equal_tails(level), axis=0).T
    mean, spread = draws.mean(axis=0), draws.std(axis=0, ddof=1)
    if independent:
        error = spread / np.sqrt(len(draws))
    else:
        from arviz_stats.base import array_stats

        by_chain = draws.reshape(chains, -1, draws.shape[1])
        error = array_stats.mcse(by_chain, chain_axis=0, draw_axis=1, method="mean")
    return [quantity.estimate(limits[at], mean=mean[at], sd=spread[at], level=level, mcse=error[at], study_id=study_id)
            for at, study_id in enumerate(study_ids if quantity.draws.ndim == 2 else (None,))]
