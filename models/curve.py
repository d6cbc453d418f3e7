"""How a study's survival curve follows from its effect, one number, and from what all studies share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

_LARGEST = 700.0


@dataclass(frozen=True)
class Curve:
    """Survival curves of one family, decreasing in the effect.

    Parameters
    ----------
    survival : callable
        (draws, effects, months) -> probability to survive; draws of shape (s, ...) that broadcast with the effects.
    months_at : callable
        (draws, effects, probability) -> months at which survival is that; a thousand years where it never falls so low.
    effect_at : callable
        (draws, probability, months) -> effect of a study whose survival is that; infinite where none has it.
    constant_hazard : bool
        Whether the effect is the log of a constant hazard in events per person-month.
    """

    survival: Callable[[Mapping[str, np.ndarray], np.ndarray, float], np.ndarray]
    months_at: Callable[[Mapping[str, np.ndarray], np.ndarray, float], np.ndarray]
    effect_at: Callable[[Mapping[str, np.ndarray], np.ndarray | float, float], np.ndarray]
    constant_hazard: bool = False


def _survival(draws: Mapping[str, np.ndarray], log_hazard: np.ndarray, months: float) -> np.ndarray:
    return np.exp(-months * np.exp(np.minimum(log_hazard, _LARGEST)))


def _effect_at(draws: Mapping[str, np.ndarray], probability: np.ndarray | float, months: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(-np.log(probability)) - np.log(months)


CONSTANT_HAZARD = Curve(
    _survival, lambda draws, log_hazard, probability: -np.log(probability) * np.exp(-log_hazard), _effect_at,
    constant_hazard=True)
"""Exponential survival, S(t) = exp(-h t); the effect is log h."""
