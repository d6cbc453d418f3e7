"""What a frequentist method says about one pooled quantity: an estimate with a confidence interval."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from scipy import special


@dataclass(frozen=True)
class Limits:
    """Estimate and limits of one parameter as a method finds them, on the method's own scale.

    Parameters
    ----------
    estimate, lower, upper : float
        NaN where the method gives none.
    heterogeneity : float
        tau on the same scale, or rho; NaN where it is not identified.
    note : str
        What a reader has to know about this very interval, such as that there is one study only.
    """

    estimate: float
    lower: float
    upper: float
    heterogeneity: float
    note: str = ""

    def through(self, transform: Callable[[float], float]) -> Self:
        """The same on another scale; a decreasing transform swaps the limits."""
        lower, upper = sorted((transform(self.lower), transform(self.upper)))
        return replace(self, estimate=transform(self.estimate), lower=lower, upper=upper)


@dataclass(frozen=True, kw_only=True)
class Interval(Limits):
    """A pooled estimate with its confidence interval, on `scale`.

    Parameters
    ----------
    method, label : str
        Key and name of a row of `methods.METHODS`.
    estimand : str
        Such as mean_rate, median_rate, log_hazard and survival; the names of the posteriors' estimates.
    scale : {"probability", "log hazard"}
    level : float
        Confidence level; the interval is equal-tailed or comes from a two-sided test.
    heterogeneity_name : {"rho", "tau"}
        What `heterogeneity` estimates; tau on the link scale.
    time_months : float or None
        Horizon of a survival probability.
    interval : str
        Kind of the interval, in the words of the estimates table.
    """

    method: str
    label: str
    estimand: str
    scale: str
    level: float
    heterogeneity_name: str
    time_months: float | None = None
    interval: str = "confidence"


def rate(logit: float) -> float:
    """Probability of a logit, exactly 0 and 1 at minus and plus infinity."""
    return float(special.expit(logit))


def survival(log_hazard: float, *, months: float) -> float:
    """Probability to survive `months` under a constant hazard of exp(log_hazard) per month."""
    return math.exp(-months * math.exp(min(log_hazard, 700.0)))


def joined(*notes: str) -> str:
    """Notes as one text, without those that are empty."""
    return "; ".join(filter(None, notes))
