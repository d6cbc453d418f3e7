"""Turns each study's published survival statistic into a log hazard with its standard error, and says by which rule.

A constant hazard h per person-month links what is printed: a median m gives h = log 2 / m, survival S at t months
gives h = -log(S) / t. Printed intervals are symmetric on different scales, so the scale is read off the interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from analysis.evidence import Survival
from models.studies import HazardStudies

ASYMMETRY = 1.5
"""Arms of an interval that differ by more than this factor on every scale are kept apart (split normal)."""

NO_INTERVAL_FACTOR = 1.25
"""Printed intervals exceed the binomial formula, which ignores censoring, by this factor in the median."""

_STRATA_MONTHS = 12.0


@dataclass(frozen=True)
class Conversion:
    """One study's log hazard (log of events per person-month) and how it came about.

    Parameters
    ----------
    rows : tuple of int
        Lines of survival.csv.
    log_hazard, se_lower, se_upper : float
        The estimate and its standard error below and above; NaN for counts.
    events, person_months : float
        Poisson data, zero where the study reports an estimate.
    rule : str
        Where the standard error comes from.
    """

    study_id: str
    rows: tuple[int, ...]
    statistic: str
    definition: str
    tier: str
    patients: int
    log_hazard: float
    se_lower: float
    se_upper: float
    events: float
    person_months: float
    rule: str
    early: bool


def convert(rows: Sequence[Survival], *, factor: float = NO_INTERVAL_FACTOR) -> tuple[Conversion, ...]:
    """The log hazard of each study; several rows of one study are its strata and become one.

    Parameters
    ----------
    rows : sequence of Survival
        As selected: one row per study or per stratum.
    factor : float
        Multiplies the standard error where no interval is printed.
    """
    by_study: dict[str, list[Survival]] = {}
    for row in rows:
        by_study.setdefault(row.study_id, []).append(row)
    return tuple(_single(own[0], factor) if len(own) == 1 else _strata(own, factor) for own in by_study.values())


def as_studies(conversions: Sequence[Conversion]) -> HazardStudies:
    """The typed input of the model."""
    def column(name: str) -> list[float]:
        return [getattr(conversion, name) for conversion in conversions]

    return HazardStudies(tuple(column("study_id")), column("log_hazard"), column("se_lower"), column("se_upper"),
                         column("events"), column("person_months"), column("patients"))


def _single(row: Survival, factor: float) -> Conversion:
    if row.person_months is not None:
        return _conversion([row], math.nan, (math.nan, math.nan), "events and person-months (Poisson)",
                           events=float(row.events), person_months=row.person_months)
    value = _log_hazard(row)
    errors, rule = _standard_errors(row, factor)
    floor = 1.0 / math.sqrt(row.n)
    if min(errors) < floor:
        errors = tuple(max(error, floor) for error in errors)
        rule += f", not below 1/sqrt({row.n})"
    return _conversion([row], value, errors, rule)


def _conversion(rows: list[Survival], value: float, errors: tuple[float, float], rule: str, *,
                events: float = 0.0, person_months: float = 0.0) -> Conversion:
    first = rows[0]
    return Conversion(study_id=first.study_id, rows=tuple(row.row for row in rows),
                      statistic="; ".join(describe(row) for row in rows), definition=first.definition,
                      tier=max(row.tier for row in rows), patients=sum(row.n for row in rows), log_hazard=value,
                      se_lower=errors[0], se_upper=errors[1], events=events, person_months=person_months, rule=rule,
                      early=any(row.statistic == "landmark" and row.time_months < 6.0 for row in rows))


def describe(row: Survival) -> str:
    """A survival row in words, such as "median 12.9 months (8.7 to 23.4)"."""
    if row.person_months is not None:
        return f"{row.events} events in {row.person_months:g} person-months"
    if row.statistic == "median":
        text, scale, unit = f"median {row.estimate:g} months", 1.0, ""
    else:
        text, scale, unit = f"{100 * row.estimate:g} % at {row.time_months:g} months", 100.0, " %"
    if row.ci_low is not None:
        upper = "not reached" if row.ci_high is None else f"{scale * row.ci_high:g}{unit}"
        text += f" ({scale * row.ci_low:g} to {upper})"
    return f"{text} [{row.stratum}, n = {row.n}]" if row.stratum else text


def _log_hazard(row: Survival) -> float:
    if row.statistic == "median":
        return math.log(math.log(2.0)) - math.log(row.estimate)
    return math.log(-math.log(row.estimate)) - math.log(row.time_months)


def _standard_errors(row: Survival, factor: float) -> tuple[tuple[float, float], str]:
    """Standard errors (below, above) of the log hazard and the rule, before the floor."""
    bare = _without_interval(row, factor)
    if row.ci_low is None:
        return (bare, bare), f"no interval: {factor:g} x binomial"
    z = float(norm.ppf(0.5 + row.ci_level / 2.0))
    if row.ci_high is None:
        lower_arm = _arms(row, "log hazard")[1] / z
        if lower_arm >= bare:
            return (lower_arm, lower_arm), "upper limit not reached: lower limit, log scale"
        return (bare, bare), f"upper limit not reached: {factor:g} x binomial"
    return _from_interval(row, z)


def _from_interval(row: Survival, z: float) -> tuple[tuple[float, float], str]:
    slope = {"plain": _slope_plain(row), "log": _slope_log(row), "log hazard": 1.0}
    arms = {scale: tuple(arm for arm in _arms(row, scale)) for scale in slope if _usable(row, scale)}
    ratio = {scale: max(pair) / min(pair) if min(pair) > 0 else math.inf for scale, pair in arms.items()}
    best = min(ratio, key=ratio.__getitem__)
    if ratio[best] <= ASYMMETRY or not _usable(row, "log hazard"):
        error = sum(arms[best]) / (2.0 * z) * slope[best]
        return (error, error), f"interval, {_scale_name(row, best)} scale"
    below, above = (arm / z for arm in _arms(row, "log hazard"))
    return (below, above), "interval, split normal on the log hazard"


def _scale_name(row: Survival, scale: str) -> str:
    # The log hazard is the log of a median up to its sign, and the log-log of a survival probability.
    return {"log hazard": "log" if row.statistic == "median" else "log-log"}.get(scale, scale)


def _usable(row: Survival, scale: str) -> bool:
    if row.statistic == "median":
        return scale != "log"  # the log hazard scale is this one
    return scale == "plain" or (row.ci_low > 0.0 and row.ci_high < 1.0)


def _arms(row: Survival, scale: str) -> tuple[float, float]:
    """Lengths of the interval below and above the estimate of the log hazard, on the given scale."""
    value, low, high = row.estimate, row.ci_low, row.ci_high
    if scale == "plain":
        return high - value, value - low
    if row.statistic == "median" or scale == "log":
        return (math.inf if high is None else math.log(high / value)), math.log(value / low)
    transformed = [math.log(-math.log(number)) if 0.0 < number < 1.0 else math.copysign(math.inf, 0.5 - number)
                   for number in (low, value, high)]
    return transformed[1] - transformed[2], transformed[0] - transformed[1]


def _slope_plain(row: Survival) -> float:
    """Change of the log hazard per unit of the printed statistic."""
    return 1.0 / row.estimate if row.statistic == "median" else 1.0 / (row.estimate * abs(math.log(row.estimate)))


def _slope_log(row: Survival) -> float:
    return 1.0 if row.statistic == "median" else 1.0 / abs(math.log(row.estimate))


def _without_interval(row: Survival, factor: float) -> float:
    survival = 0.5 if row.statistic == "median" else row.estimate
    return factor * math.sqrt((1.0 - survival) / (row.n * survival * math.log(survival) ** 2))


def _strata(rows: list[Survival], factor: float) -> Conversion:
    """Strata mixed by their sizes: survival at 12 months, its variance by the delta method and the random split."""
    if all(row.person_months is not None for row in rows):
        return _conversion(rows, math.nan, (math.nan, math.nan), f"{len(rows)} strata added up (Poisson)",
                           events=float(sum(row.events for row in rows)),
                           person_months=sum(row.person_months for row in rows))
    parts = [_single(row, factor) if row.person_months is None else _rate_of_counts(row) for row in rows]
    total = sum(row.n for row in rows)
    weight = np.array([row.n / total for row in rows])
    hazard = np.exp([part.log_hazard for part in parts])
    error = np.array([(part.se_lower + part.se_upper) / 2.0 for part in parts])
    survival = np.exp(-_STRATA_MONTHS * hazard)
    mixed = float(weight @ survival)
    variance = float(np.sum((weight * survival * _STRATA_MONTHS * hazard * error) ** 2)
                     + (weight @ survival**2 - mixed**2) / total)
    value = math.log(-math.log(mixed) / _STRATA_MONTHS)
    spread = max(math.sqrt(variance) / (mixed * abs(math.log(mixed))), 1.0 / math.sqrt(total))
    rules = "; ".join(dict.fromkeys(part.rule for part in parts))
    return _conversion(rows, value, (spread, spread),
                       f"{len(rows)} strata mixed at {_STRATA_MONTHS:g} months ({rules})")


def _rate_of_counts(row: Survival) -> Conversion:
    """A stratum's events and person-months as an estimate, to be mixed with strata that print one."""
    smoothed = row.events + 0.5
    error = 1.0 / math.sqrt(smoothed)
    return _conversion([row], math.log(smoothed / row.person_months), (error, error), "events and person-months")
