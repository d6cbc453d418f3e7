"""What a frequentist method says about one pooled quantity: an estimate with a confidence interval."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from scipy import special

INTERVAL_KIND = "confidence"


@dataclass(frozen=True)
class Interval:
    """A pooled estimate with its confidence interval.

    Parameters
    ----------
    method, label : str
        Key and name of a row of `catalogue.METHODS`.
    estimand : str
        Such as mean_rate, median_rate, log_hazard and survival; the names of the posteriors' estimates.
    scale : {"probability", "log hazard"}
    estimate, lower, upper : float
        On `scale`; NaN where the method gives none.
    level : float
        Confidence level; the interval is equal-tailed or comes from a two-sided test.
    heterogeneity : float
        Estimate of `heterogeneity_name`, "rho" or "tau" (link scale); NaN where it is not identified.
    note : str
        What a reader has to know about this very interval, such as that there is one study only.
    time_months : float or None
        Horizon of a survival probability.
    """

    method: str
    label: str
    estimand: str
    scale: str
    estimate: float
    lower: float
    upper: float
    level: float
    heterogeneity: float
    heterogeneity_name: str
    note: str = ""
    time_months: float | None = None

    @property
    def interval(self) -> str:
        """Kind of the interval, in the words of the estimates table."""
        return INTERVAL_KIND


@dataclass(frozen=True)
class Limits:
    """Estimate and limits of one parameter as a method finds them, on the method's own scale.

    Parameters
    ----------
    estimate, lower, upper : float
    heterogeneity : float
        tau on the same scale, or rho.
    note : str
    """

    estimate: float
    lower: float
    upper: float
    heterogeneity: float
    note: str = ""

    def through(self, transform: Callable[[float], float]) -> "Limits":
        """The same on another scale; a decreasing transform swaps the limits."""
        ends = transform(self.lower), transform(self.upper)
        ends = ends[::-1] if ends[0] > ends[1] else ends
        return replace(self, estimate=transform(self.estimate), lower=ends[0], upper=ends[1])


def rate(logit: float) -> float:
    """Probability of a logit, exactly 0 and 1 at minus and plus infinity."""
    return float(special.expit(logit))


def survival(log_hazard: float, *, months: float) -> float:
    """Probability to survive `months` under a constant hazard of exp(log_hazard) per month."""
    return math.exp(-months * math.exp(min(log_hazard, 700.0)))


def joined(*notes: str) -> str:
    """Notes as one text, without those that are empty."""
    return "; ".join(note for note in notes if note)
