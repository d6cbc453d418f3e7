"""The step that a slope is told for: the one that covariates.csv states, or else a round one near one SD."""

import math
from dataclasses import dataclass

import numpy as np

from analysis.evidence import Covariate

_ROUND = (1.0, 2.0, 5.0, 10.0)
_FACTORS = (1.1, 1.2, 1.5, 2.0, 5.0, 10.0, 100.0, 1000.0)
_GROUPED = (1e3, 1e7)


@dataclass(frozen=True)
class Step:
    """One step of a covariate, on its transformed scale.

    Parameters
    ----------
    size : float
        What the printed ratio is per.
    prior_size : float
        What the prior of the slope is per: the same where the evidence states a step, else one standard deviation, so
        that the unit of the column does not matter.
    words : str
        The step as a reader sees it.
    """

    size: float
    prior_size: float
    words: str

    @property
    def per_prior_step(self) -> float:
        """Printed steps in one step of the prior: a slope of the prior's step is divided by it."""
        return self.prior_size / self.size


def step_of(covariate: Covariate, seen: np.ndarray, sd: float) -> Step:
    """The step of a covariate.

    A step is stated by a unit_size that is not 1, or by a unit with a unit_size. Where a column has two values, one
    step leads from one to the other.

    Parameters
    ----------
    seen : array
        The known cells on the transformed scale.
    sd : float
        Their standard deviation, 1 where they do not differ.
    """
    size, log10 = covariate.unit_size, covariate.transformation == "log10"
    if covariate.unit and (size is not None or log10):
        return Step(size or 1.0, size or 1.0, covariate.unit)
    if size not in (None, 1.0):
        return Step(size, size, f"{size:g} on the log10 scale" if log10 else amount(size))
    values = np.unique(seen)
    if len(values) == 2 and not log10:
        size = prior_size = float(values[1] - values[0])
    else:
        size, prior_size = (_fold(sd) if log10 else _round(sd)), sd
    words = f"{10.0**size:.4g}-fold" if log10 else amount(size)
    if covariate.unit:
        words = covariate.unit if size == 1.0 else f"{words} ({covariate.unit})"
    return Step(size, prior_size, words)


def amount(size: float) -> str:
    """A number with its thousands apart, such as 20,000."""
    low, high = _GROUPED
    return f"{size:,.10g}" if low <= size < high else f"{size:.4g}"


def _round(sd: float) -> float:
    """1, 2 or 5 times a power of ten, whichever is nearest to the SD as a factor."""
    exponent = math.floor(math.log10(sd))
    nearest = min(_ROUND, key=lambda digit: abs(math.log10(sd) - exponent - math.log10(digit)))
    # As text, since 10.0**-6 times 2 is not the number nearest to 2e-6.
    return float(f"{nearest:g}e{exponent}")


def _fold(sd: float) -> float:
    """Logarithm of the factor whose logarithm is nearest to the SD, as a factor."""
    return math.log10(min(_FACTORS, key=lambda factor: abs(math.log(sd / math.log10(factor)))))
