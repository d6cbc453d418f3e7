"""The frequentist methods in one table, and all their intervals of one set of studies."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from analysis.frequentist import exact_rate, normal
from analysis.frequentist.estimates import Estimates, log_hazards, logits
from analysis.frequentist.interval import Interval, Limits, joined, rate, survival
from analysis.frequentist.likelihood import beta_binomial_mean, logit_normal_mean, logit_normal_median
from models.studies import RateStudies, Studies

TWO_STUDIES = "two studies: heterogeneity is hardly identified"
SIMULATED_STUDIES, SIMULATED_PATIENTS = 60, 5_000
"""More studies, or a larger one, would keep the simulated exact interval of the mean rate busy for many seconds."""
NOT_SIMULATED = Limits(math.nan, math.nan, math.nan, math.nan,
                       f"not computed above {SIMULATED_STUDIES} studies or {SIMULATED_PATIENTS:,} patients in one")


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
    limits : callable
        (data, level=, seed=) -> Limits, of counts on the scale of rates, or of estimates on the link scale.
    of_counts : bool
        Whether the data are the counts of the studies, not an estimate of each with its variance.
    of_the_paper : bool
        Whether the reanalysed paper pooled this kind of endpoint in this way.
    """

    key: str
    label: str
    kind: str
    estimand: str
    limits: Callable[..., Limits]
    of_counts: bool = False
    of_the_paper: bool = False


def _exact_rate(studies: RateStudies, *, level: float, seed: int) -> Limits:
    if len(studies) > SIMULATED_STUDIES or int(studies.evaluable.max()) > SIMULATED_PATIENTS:
        return NOT_SIMULATED
    return exact_rate.exact_interval(studies, level=level, seed=seed)


def _unseeded(interval: Callable[..., Limits], estimator: str = "") -> Callable[..., Limits]:
    """A method that simulates nothing; with an estimator, of the mean that this one weights."""
    return lambda data, *, level, seed: interval(normal.fit(data, estimator=estimator) if estimator else data,
                                                 level=level)


def _weighted(kind: str, estimand: str, scale: str) -> Iterator[Method]:
    for estimator, name in (("dl", "DerSimonian-Laird"), ("reml", "REML"), ("pm", "Paule-Mandel")):
        for key, words, interval in (("wald", "Wald", normal.wald), ("hk", "Hartung-Knapp", normal.hartung_knapp)):
            yield Method(f"{scale.replace(' ', '_')}_{estimator}_{key}", f"{name} on {scale}s, {words}", kind, estimand,
                         _unseeded(interval, estimator))


METHODS: tuple[Method, ...] = (
    Method("exact_beta_binomial", "Exact beta-binomial, after Gronsbell et al.", "rate", "mean_rate", _exact_rate,
           of_counts=True, of_the_paper=True),
    Method("beta_binomial_ml", "Beta-binomial maximum likelihood, profile", "rate", "mean_rate",
           _unseeded(beta_binomial_mean), of_counts=True),
    Method("logit_normal_ml_median", "Logit-normal maximum likelihood, profile", "rate", "median_rate",
           _unseeded(logit_normal_median), of_counts=True),
    Method("logit_normal_ml_mean", "Logit-normal maximum likelihood, profile of the mean", "rate", "mean_rate",
           _unseeded(logit_normal_mean), of_counts=True),
    Method("logit_exact_normal", "Exact normal-normal on logits", "rate", "median_rate", normal.exact_interval),
    *_weighted("rate", "median_rate", "logit"),
    Method("log_hazard_exact_normal", "Exact normal-normal on log hazards", "survival", "log_hazard",
           normal.exact_interval, of_the_paper=True),
    *_weighted("survival", "log_hazard", "log hazard"),
)
BY_KEY: Mapping[str, Method] = {method.key: method for method in METHODS}


def methods_for(studies: Studies, *, level: float = 0.95, seed: int = 1, horizon: float = 12.0) -> tuple[Interval, ...]:
    """Every frequentist interval that applies, in the order of `METHODS`.

    Parameters
    ----------
    studies : RateStudies or HazardStudies
        Studies of nobody are left out.
    level : float
        Confidence level in (0, 1).
    seed : int
        Of the simulated null laws of the exact methods; the same seed gives the same limits.
    horizon : float
        Months of the survival probability that each log hazard is also given as.

    Raises
    ------
    ValueError
        When no study has a patient, or a number is out of range.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level = {level:g}: a confidence level lies between 0 and 1")
    if not horizon > 0.0:
        raise ValueError(f"horizon = {horizon:g} months: it must be positive")
    return tuple(_intervals(studies, level, seed, horizon))


def _intervals(studies: Studies, level: float, seed: int, horizon: float) -> Iterator[Interval]:
    kind, estimates = ("rate", logits(studies)) if isinstance(studies, RateStudies) else \
        ("survival", log_hazards(studies))
    if not len(estimates):
        raise ValueError(f"no study{' has a patient' if kind == 'rate' else ''}: there is nothing to pool")
    for method in (method for method in METHODS if method.kind == kind):
        limits = method.limits(studies if method.of_counts else estimates, level=level, seed=seed)
        if kind == "rate":
            yield _interval(method, limits if method.of_counts else limits.through(rate), estimates, level)
        else:
            yield _interval(method, limits, estimates, level)
            yield _interval(method, limits.through(partial(survival, months=horizon)), estimates, level, horizon)


def _interval(method: Method, limits: Limits, estimates: Estimates, level: float,
              months: float | None = None) -> Interval:
    estimand = method.estimand if months is None else "survival"
    note = joined(limits.note, TWO_STUDIES if len(estimates) == 2 else "", "" if method.of_counts else estimates.note)
    return Interval(**{**vars(limits), "note": note}, method=method.key, label=method.label, estimand=estimand,
                    scale="log hazard" if estimand == "log_hazard" else "probability", level=level,
                    heterogeneity_name="rho" if "beta_binomial" in method.key else "tau", time_months=months)
