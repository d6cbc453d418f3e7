"""The frequentist methods in one table: what each is called, what it estimates, and which are the paper's kind."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """One frequentist method.

    Parameters
    ----------
    key : str
        Unique name, the `method` of its intervals.
    label : str
        Name for tables and figures.
    kind : {"rate", "survival"}
    estimand : str
        What the interval is about: mean_rate, median_rate, or log_hazard (from which survival follows).
    of_the_paper : bool
        Whether the reanalysed paper pooled this kind of endpoint in this way.
    """

    key: str
    label: str
    kind: str
    estimand: str
    of_the_paper: bool = False


_ESTIMATORS = {"dl": "DerSimonian-Laird", "reml": "REML", "pm": "Paule-Mandel"}
_INTERVALS = {"wald": "Wald", "hk": "Hartung-Knapp"}


def _weighted(kind: str, estimand: str, scale: str) -> tuple[Method, ...]:
    return tuple(Method(f"{scale.replace(' ', '_')}_{key}_{interval}", f"{name} on {scale}s, {words}", kind, estimand)
                 for key, name in _ESTIMATORS.items() for interval, words in _INTERVALS.items())


METHODS: tuple[Method, ...] = (
    Method("exact_beta_binomial", "Exact beta-binomial, after Gronsbell et al.", "rate", "mean_rate", True),
    Method("beta_binomial_ml", "Beta-binomial maximum likelihood, profile", "rate", "mean_rate"),
    Method("logit_normal_ml_median", "Logit-normal maximum likelihood, profile", "rate", "median_rate"),
    Method("logit_normal_ml_mean", "Logit-normal maximum likelihood, profile of the mean", "rate", "mean_rate"),
    Method("logit_exact_normal", "Exact normal-normal on logits", "rate", "median_rate"),
    *_weighted("rate", "median_rate", "logit"),
    Method("log_hazard_exact_normal", "Exact normal-normal on log hazards", "survival", "log_hazard", True),
    *_weighted("survival", "log_hazard", "log hazard"),
)

BY_KEY: Mapping[str, Method] = {method.key: method for method in METHODS}


def methods_of(kind: str) -> tuple[Method, ...]:
    """The methods for rates or for survival, in the order of tables."""
    return tuple(method for method in METHODS if method.kind == kind)
