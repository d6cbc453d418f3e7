"""All frequentist intervals of one set of studies: the front door of the package."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np

from analysis.frequentist import exact_beta_binomial, exact_normal, normal_normal
from analysis.frequentist.catalogue import Method, methods_of
from analysis.frequentist.estimates import Estimates, log_hazards, logits
from analysis.frequentist.interval import Interval, Limits, joined, rate, survival
from analysis.frequentist.maximum_likelihood import beta_binomial_mean, logit_normal_mean, logit_normal_median
from models.studies import HazardStudies, RateStudies, Studies

LEVEL = 0.95
HORIZON_MONTHS = 12.0
SEED = 1
TWO_STUDIES = "two studies: heterogeneity is hardly identified"
SIMULATED_STUDIES, SIMULATED_PATIENTS = 60, 5_000
"""More studies, or a larger one, would keep the simulated exact interval of the mean rate busy for many seconds."""
NOT_SIMULATED = Limits(math.nan, math.nan, math.nan, math.nan,
                       f"not computed above {SIMULATED_STUDIES} studies or {SIMULATED_PATIENTS:,} patients in one")
_INTERVALS = {"wald": normal_normal.wald, "hk": normal_normal.hartung_knapp}

Calculation = Callable[[], Limits]


def methods_for(studies: Studies, *, level: float = LEVEL, seed: int = SEED,
                horizon: float = HORIZON_MONTHS) -> tuple[Interval, ...]:
    """Every frequentist interval that applies, in the order of `catalogue.METHODS`.

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
    if isinstance(studies, RateStudies):
        return tuple(_rates(studies, level=level, seed=seed))
    return tuple(_survivals(studies, level=level, seed=seed, horizon=horizon))


def _rates(studies: RateStudies, *, level: float, seed: int) -> Iterator[Interval]:
    k = int(np.count_nonzero(studies.evaluable))
    if k == 0:
        raise ValueError("no study has a patient: there is nothing to pool")
    on_logits = logits(studies)
    on_counts: Mapping[str, Calculation] = {
        "exact_beta_binomial": partial(exact_beta_binomial.exact_interval, studies, level=level, seed=seed),
        "beta_binomial_ml": partial(beta_binomial_mean, studies, level=level),
        "logit_normal_ml_median": partial(logit_normal_median, studies, level=level),
        "logit_normal_ml_mean": partial(logit_normal_mean, studies, level=level)}
    for method in methods_of("rate"):
        if method.key == "exact_beta_binomial" and _too_large_to_simulate(studies):
            yield _interval(method, NOT_SIMULATED, level=level, k=k)
        elif method.key in on_counts:
            yield _interval(method, on_counts[method.key](), level=level, k=k)
        else:
            found = _on_estimates(method, on_logits, level=level, seed=seed).through(rate)
            yield _interval(method, found, level=level, k=k, note=on_logits.note)


def _too_large_to_simulate(studies: RateStudies) -> bool:
    return len(studies) > SIMULATED_STUDIES or int(studies.evaluable.max()) > SIMULATED_PATIENTS


def _survivals(studies: HazardStudies, *, level: float, seed: int, horizon: float) -> Iterator[Interval]:
    if len(studies) == 0:
        raise ValueError("no study: there is nothing to pool")
    estimates = log_hazards(studies)
    for method in methods_of("survival"):
        found = _on_estimates(method, estimates, level=level, seed=seed)
        yield _interval(method, found, level=level, k=len(estimates), note=estimates.note)
        yield _interval(method, found.through(partial(survival, months=horizon)), level=level, k=len(estimates),
                        note=estimates.note, months=horizon)


def _on_estimates(method: Method, estimates: Estimates, *, level: float, seed: int) -> Limits:
    """One of the normal-normal methods, on the scale of the estimates."""
    if method.key.endswith("exact_normal"):
        return exact_normal.exact_interval(estimates, level=level, seed=seed)
    estimator, interval = method.key.rsplit("_", 2)[1:]
    return _INTERVALS[interval](normal_normal.fit(estimates, estimator=estimator), level=level)


def _interval(method: Method, found: Limits, *, level: float, k: int, note: str = "",
              months: float | None = None) -> Interval:
    estimand = method.estimand if months is None else "survival"
    return Interval(method.key, method.label, estimand, "log hazard" if estimand == "log_hazard" else "probability",
                    found.estimate, found.lower, found.upper, level, found.heterogeneity,
                    "rho" if "beta_binomial" in method.key else "tau",
                    joined(found.note, TWO_STUDIES if k == 2 else "", note), months)


def paper_method(kind: str) -> Method:
    """The method of the reanalysed paper's kind for "rate" or "survival"."""
    return next(method for method in methods_of(kind) if method.of_the_paper)


def has_interval(interval: Interval) -> bool:
    """Whether the method gave limits: Hartung-Knapp gives none for one study."""
    return not (math.isnan(interval.lower) or math.isnan(interval.upper))
