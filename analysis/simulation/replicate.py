"""One replicate: truth from the prior, data, exact posterior, and where the truth lies in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.cases.settings import derive_seed
from analysis.inference.density import density_of
from analysis.inference.distribution import distribution
from analysis.inference.estimands import of_effects
from analysis.inference.grid import Grid, QuadratureFailed, draw, solve
from analysis.inference.pooled import hyperparameters, pooled
from analysis.simulation.nested import QUANTITIES, nested_pits
from analysis.simulation.studies import Design, SimulationFailed, seen_priors, seen_studies, simulate
from models import all_models
from models.backend import NUMBERS
from models.model import Model
from models.priors import Prior
from models.studies import Studies

LOG_LIKELIHOOD = "log_likelihood"
_DRAWS = 400
_SMALLEST = 1e-16
_ROUGH = 1e-3  # slices of three hyperparameters lie between one another
_POOLED = {"rate": ("mean_rate", "new_study_rate"), "survival": ("mean_survival", "new_study_survival")}
_OWN = {"rate": "study_rate", "survival": "study_survival"}


@dataclass(frozen=True)
class Setting:
    """What is calibrated; a plain value that crosses process borders.

    Parameters
    ----------
    model : str
    design : Design
    priors : mapping of str to Prior
        From which the truth is drawn.
    seed : int
    fault : str or None
        A deliberate error of the analysis, by its name in `FAULTS`.
    """

    model: str
    design: Design
    priors: Mapping[str, Prior]
    seed: int
    fault: str | None = None

    @property
    def quantities(self) -> tuple[str, ...]:
        """Those looked at: hyperparameters, pooled mean, new study, one study, joint log likelihood."""
        if self.design.kind == "nested":
            return QUANTITIES
        model = all_models()[self.model]
        return (*model.priors, *_POOLED[model.kind], _OWN[model.kind], LOG_LIKELIHOOD)


@dataclass(frozen=True)
class Replicate:
    """PIT of each quantity; none where the replicate failed, with the reason.

    `study_id` is the study whose own effect was looked at: they take turns.
    """

    number: int
    study_id: str
    pits: Mapping[str, float]
    failure: str = ""


def rank_step(name: str) -> float:
    """By how much one draw moves the PIT of a quantity that is ranked among draws; 0 for the others."""
    return 1.0 / (_DRAWS + 1) if name in _OWN.values() else 0.0


def run_replicates(setting: Setting, first: int, after: int) -> list[Replicate]:
    """The replicates first, ..., after - 1; each has a random stream of its own, so that any split gives the same."""
    return [run_replicate(setting, number) for number in range(first, after)]


def run_replicate(setting: Setting, number: int) -> Replicate:
    """One replicate, by its number."""
    design, seed = setting.design, derive_seed(setting.seed, "calibrate", setting.model, setting.design.endpoint)
    rng = np.random.default_rng([seed, number])
    if design.kind == "nested":
        try:
            return Replicate(number, "", nested_pits(design.studies, setting.priors, rng))
        except QuadratureFailed as error:
            return Replicate(number, "", {}, str(error))
    model = all_models()[setting.model]
    turn = number % len(design.studies)
    study_id = design.studies.study_ids[turn]
    try:
        # Tails of a prior may overflow; what comes of it is checked at the end.
        with np.errstate(all="ignore"):
            truth, studies = _draw_truth(model, setting, turn, rng)
            seen = seen_studies(studies, setting.fault)
            density = density_of(model, seen, seen_priors(setting.priors, setting.fault))
            grid = solve(density, tolerance=_ROUGH) if density.shared else solve(density)
            pits = _pits(grid, truth, seen, turn, design.horizon, rng)
    except (SimulationFailed, QuadratureFailed) as error:
        return Replicate(number, study_id, {}, str(error))
    lost = [name for name, value in pits.items() if not np.isfinite(value)]
    return Replicate(number, study_id, {} if lost else pits, f"no number for {', '.join(lost)}" if lost else "")


def _draw_truth(model: Model, setting: Setting, turn: int,
                rng: np.random.Generator) -> tuple[dict[str, np.ndarray], Studies]:
    """Hyperparameters and estimands, shape (1,) or (1, 1) each, and the data of all studies."""
    design, values = setting.design, {name: prior.draw(1, rng) for name, prior in setting.priors.items()}
    each = {name: np.repeat(value, len(design.studies)) for name, value in values.items()}
    effects = model.marginal.new_study(each, rng)
    studies = simulate(design, effects, rng, curve=model.density.curve, draws=values, fault=setting.fault)
    new = model.marginal.new_study(values, rng)
    return {**_estimands(model, values, effects[None, [turn]], new, design.horizon), **values}, studies


def _estimands(model: Model, draws: Mapping[str, np.ndarray], effects: np.ndarray, new: np.ndarray,
               horizon: float | None) -> dict[str, np.ndarray]:
    return {quantity.estimand: quantity.draws
            for quantity in of_effects(model, draws, effects, new, horizon=horizon or 0.0)}


def _pits(grid: Grid, truth: Mapping[str, np.ndarray], seen: Studies, turn: int, horizon: float | None,
          rng: np.random.Generator) -> dict[str, float]:
    model, density = grid.density.model, grid.density
    exact = hyperparameters(grid) | {item.quantity.estimand: item.distribution
                                     for item in pooled(grid, horizon=horizon or 0.0, only=_POOLED[model.kind])}
    pits = {name: pit(posterior.cdf, float(truth[name][0]), rng) for name, posterior in exact.items()}
    draws, name = draw(grid, _DRAWS, rng), _OWN[model.kind]
    effects = model.marginal.study_effects(draws, seen, rng)
    of_study = _estimands(model, draws, effects[:, [turn]], model.marginal.new_study(draws, rng), horizon)[name]
    pits[name] = rank_pit(of_study[:, 0], float(truth[name][0, 0]), rng)
    true_value = model.marginal.log_density({name: truth[name] for name in model.priors}, density.inputs, on=NUMBERS)[0]
    pits[LOG_LIKELIHOOD] = pit(distribution(grid, log_likelihoods(grid)).cdf, float(true_value + density.constant), rng)
    return pits


def log_likelihoods(grid: Grid) -> np.ndarray:
    """Joint log likelihood at the points of the grid, shape (V, U); NaN where no mass is."""
    parts = []
    for part in grid.grids:
        kept = part.weights > _SMALLEST
        location, heterogeneity = part.location[kept], part.heterogeneity[kept]
        values = np.full(part.weights.shape, np.nan)
        values[kept] = part.density(location, heterogeneity) - part.density.log_prior(location, heterogeneity)
        parts.append(values)
    return parts[0] if len(parts) == 1 else np.concatenate([values.ravel() for values in parts])


def pit(cdf: Callable[[float], np.ndarray], value: float, rng: np.random.Generator) -> float:
    """Posterior probability below the value, and a random part of that at it.

    Values next to a rate of 1 are rounded to it, so that even a continuous quantity has ties.
    """
    # The only quantities that reach 0 are rates and survival, which cannot be less.
    below = 0.0 if value == 0.0 else float(cdf(np.nextafter(value, -np.inf)))
    return below + rng.random() * (float(cdf(value)) - below)


def rank_pit(draws: np.ndarray, value: float, rng: np.random.Generator) -> float:
    """Rank of the value among draws of shape (s,), ties in random order, as a number between 0 and 1."""
    less, equal = np.sum(draws < value), np.sum(draws == value)
    return float((less + rng.random() * (equal + 1)) / (len(draws) + 1))
