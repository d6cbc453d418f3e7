"""Data as the studies of a design would report them, if their effects were known."""

from dataclasses import replace

import numpy as np

from analysis.simulation.design import Design
from models.studies import HazardStudies, RateStudies, Studies

_MOST_EVENTS = 1e15  # beyond it whole numbers are no longer told apart


class SimulationFailed(RuntimeError):
    """The prior asks for data that no computer number holds."""


def simulate(design: Design, effects: np.ndarray, rng: np.random.Generator) -> Studies:
    """Data of every study of the design.

    Parameters
    ----------
    design : Design
        Of k studies.
    effects : array, shape (k,)
        Rate of each study; log hazard (log of events per person-month) for survival.
    rng : numpy.random.Generator

    Raises
    ------
    SimulationFailed
        When an effect is not finite, or a study would have more than 1e15 events.
    """
    if not np.all(np.isfinite(effects)):
        raise SimulationFailed("the prior allows effects that are not finite")
    if isinstance(design.studies, RateStudies):
        return replace(design.studies, events=rng.binomial(design.studies.evaluable, effects))
    return _survival(design.studies, effects, rng)


def _survival(studies: HazardStudies, effects: np.ndarray, rng: np.random.Generator) -> HazardStudies:
    """Split normal estimates, Poisson counts, and binomial counts at landmarks.

    The likelihood of log h is normal with one standard error where log h lies below the estimate and another where it
    lies above. As a function of the estimate it is a density with the same two sides, with the share
    se_lower / (se_lower + se_upper) above log h (Wallis 2014, doi 10.1214/13-STS417).
    """
    poisson, landmark, counts = studies.is_poisson, studies.is_landmark, ~studies.is_estimate
    with np.errstate(over="ignore"):
        expected = np.where(poisson, np.exp(effects) * studies.person_months, 0.0)
    if np.any(expected > _MOST_EVENTS):
        raise SimulationFailed(f"the prior allows {expected.max():.3g} events in a study")
    total = np.where(counts, 1.0, studies.se_lower + studies.se_upper)
    above = rng.random(len(studies)) * total < studies.se_lower
    distance = np.abs(rng.normal(size=len(studies)))
    estimate = effects + np.where(above, studies.se_lower, -studies.se_upper) * distance
    events, months = rng.poisson(expected).astype(float), studies.person_months.copy()
    at = studies.landmark_months[landmark]
    patients = np.round(months[landmark] / at).astype(int)
    events[landmark] = rng.binomial(patients, -np.expm1(-at * np.exp(np.minimum(effects[landmark], 700.0))))
    months[landmark] = (patients - events[landmark]) * at
    return replace(studies, log_hazard=np.where(counts, 0.0, estimate), events=events, person_months=months)
