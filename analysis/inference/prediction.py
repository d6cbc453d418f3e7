"""What studies of the same sizes would report: replicates of the data, the way of reporting that of each study."""

import numpy as np

from models import log_hazard
from models.model import Draws, Model
from models.studies import CurveStudies, RateStudies, Studies


def outcome(studies: Studies) -> tuple[str, np.ndarray]:
    """Name and values, shape (k,), of what is compared with replicates: events, log hazards, or points of curves.

    Counts of survival studies become the log hazard that they amount to, half an event and half a patient added, so
    that all studies stand on one scale. Of a curve it is the point nearest to 12 months; strata continue under a
    constant hazard.
    """
    if isinstance(studies, RateStudies):
        return "events", studies.events
    if isinstance(studies, CurveStudies):
        return "survival", _nearest_points(studies)[1]
    values, rows = np.empty(len(studies)), log_hazard.kinds(studies)
    for name, table in log_hazard.data(studies).items():
        values[rows[name]] = log_hazard.smoothed(name, table, table[0])
    return "log_hazard", values


def _nearest_points(studies: CurveStudies) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Months, survival and effective patients of one point of each curve, shape (k,) each."""
    lost = np.cumsum(studies.counts, axis=1)
    total = lost[:, -1] + studies.survivors.sum(axis=1)
    known = studies.counts.cumsum(axis=1) > 0.0
    nearest = np.argmin(np.where(known, np.abs(np.log(np.maximum(studies.ends, 1e-9) / 12.0)), np.inf), axis=1)
    at = np.arange(len(studies)), nearest
    with np.errstate(divide="ignore", invalid="ignore"):
        survival, months = 1.0 - lost[at] / total, studies.ends[at]
    share, time, alive = np.moveaxis(studies.strata, -1, 0)
    in_strata, mixed = studies.mixed > 0.0, (share * alive ** (12.0 / time)).sum(axis=1)
    survival, months, total = (np.where(in_strata, of_strata, of_points) for of_strata, of_points in (
        (mixed, survival), (12.0, months), (studies.mixed, total)))
    return months, survival, total


def replicates(model: Model, studies: Studies, draws: Draws, effects: np.ndarray,
               rng: np.random.Generator) -> np.ndarray:
    """What each study would report if these were its effects, as `outcome` tells it; shape (s, k).

    Parameters
    ----------
    studies : RateStudies, HazardStudies or CurveStudies
    draws : mapping of str to array, shape (s,)
        Hyperparameters, of which a curve may need one.
    effects : array, shape (s, k)
        Rates; log hazards; effects of curves.
    """
    if isinstance(studies, RateStudies):
        return rng.binomial(studies.evaluable, np.clip(effects, 0.0, 1.0))
    if isinstance(studies, CurveStudies):
        months, _, patients = _nearest_points(studies)
        each, whole = {name: values[:, None] for name, values in draws.items()}, np.maximum(np.round(patients), 1.0)
        return rng.binomial(whole.astype(int), model.density.curve.survival(each, effects, months)) / whole
    values, rows = np.empty(effects.shape), log_hazard.kinds(studies)
    for name, table in log_hazard.data(studies).items():
        reports = log_hazard.replicate(name, table, effects[:, rows[name]], rng)
        values[:, rows[name]] = log_hazard.smoothed(name, table, reports)
    return values


def further_studies(model: Model, draws: Draws, count: int, rng: np.random.Generator) -> np.ndarray:
    """Effects of further exchangeable studies, shape (s, count): independent given the hyperparameters."""
    return np.stack([model.density.new_study(draws, rng) for _ in range(count)], axis=1)
