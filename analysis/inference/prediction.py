"""What studies of the same sizes would report: replicates of the data, the way of reporting that of each study."""

import numpy as np

from models import log_hazard
from models.model import Draws, Model
from models.studies import RateStudies, Studies


def outcome(studies: Studies) -> tuple[str, np.ndarray]:
    """Name and values, shape (k,), of what is compared with replicates: events, or log hazards.

    Counts of survival studies become the log hazard that they amount to, half an event and half a patient added, so
    that all studies stand on one scale.
    """
    if isinstance(studies, RateStudies):
        return "events", studies.events
    values, rows = np.empty(len(studies)), log_hazard.kinds(studies)
    for name, table in log_hazard.data(studies).items():
        values[rows[name]] = log_hazard.smoothed(name, table, table[0])
    return "log_hazard", values


def replicates(studies: Studies, effects: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What each study would report if these were its effects, as `outcome` tells it; shape (s, k).

    Parameters
    ----------
    studies : RateStudies or HazardStudies
    effects : array, shape (s, k)
        Rates; log hazards.
    """
    if isinstance(studies, RateStudies):
        return rng.binomial(studies.evaluable, np.clip(effects, 0.0, 1.0))
    values, rows = np.empty(effects.shape), log_hazard.kinds(studies)
    for name, table in log_hazard.data(studies).items():
        reports = log_hazard.replicate(name, table, effects[:, rows[name]], rng)
        values[:, rows[name]] = log_hazard.smoothed(name, table, reports)
    return values


def further_studies(model: Model, draws: Draws, count: int, rng: np.random.Generator) -> np.ndarray:
    """Effects of further exchangeable studies, shape (s, count): independent given the hyperparameters."""
    return np.stack([model.density.new_study(draws, rng) for _ in range(count)], axis=1)
