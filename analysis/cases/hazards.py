"""Turns each study's published survival statistic into a log hazard with its standard error, and says by which rule.

A constant hazard h per person-month links what is printed: a median m gives h = log 2 / m, survival S at t months
gives h = -log(S) / t. Survival of 100 or 0 % has no log hazard; it is a count of patients at the landmark. Printed
intervals are symmetric on different scales, so the scale is read off the interval. A limit of 0 or 1, or at the
estimate, is where an interval was cut: only the other limit says how wide it was.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.cases.selection import is_early
from analysis.evidence.types import Survival
from analysis.system.groups import grouped
from models import log_hazard
from models.backend import NUMBERS
from models.studies import HazardStudies

ASYMMETRY = 1.5
"""Arms of an interval that differ by more than this factor on every scale are kept apart (split normal)."""

_LONG = 1200.0  # person-months that are read as person-years
_ROUNDING = {"landmark": 0.005, "median": 0.05}
"""Half a unit of the last printed digit: a limit so near a border may have been printed as the border."""

_TRANSFORMS: dict[str, Callable[[float], float]] = {
    "plain": float, "log": math.log, "log-log": lambda survival: math.log(-math.log(survival))}
_SCALES = {"median": ("plain", "log"), "landmark": ("plain", "log", "log-log")}
_HAZARD_SCALE = {"median": "log", "landmark": "log-log"}
"""The log hazard is the log of a median up to its sign, and the log-log of a survival probability."""


def standard_errors(row: Survival, factor: float) -> tuple[tuple[float, float], str]:
    """Standard errors (below, above) of the log hazard and the rule, before the floor."""
    bare = _without_interval(row, factor)

    def binomial(reason: str) -> tuple[tuple[float, float], str]:
        return (bare, bare), f"{reason}: {factor:g} x binomial"

    if row.ci_low is None:
        return binomial("no interval")
    z = float(special.ndtri(0.5 + row.ci_level / 2.0))
    low_cut = _is_cut(row, row.ci_low)
    if row.ci_high is None:
        lower_arm = 0.0 if low_cut else _arm(row, row.ci_low, _HAZARD_SCALE[row.statistic]) / z
        if lower_arm >= bare:
            return (lower_arm, lower_arm), "upper limit not reached: lower limit, log scale"
        return binomial("upper limit not reached")
    high_cut = _is_cut(row, row.ci_high)
    if low_cut and high_cut:
        return binomial("both limits are cut")
    if low_cut:
        return _from_one_limit(row, z, kept=row.ci_high, cut=row.ci_low)
    if high_cut:
        return _from_one_limit(row, z, kept=row.ci_low, cut=row.ci_high)
    return _from_interval(row, z)


def _is_cut(row: Survival, limit: float) -> bool:
    """Whether an interval was cut there: at the border of what the statistic can be, beyond it, or at the estimate."""
    return limit <= 0.0 or limit == row.estimate or (row.statistic == "landmark" and limit >= 1.0)


def _from_one_limit(row: Survival, z: float, *, kept: float, cut: float) -> tuple[tuple[float, float], str]:
    """The error from the limit that was not cut.

    Its scale is one on which the other limit, as far from the estimate, would lie at the border or beyond it; of
    several, and of all where none would or the cut is at the estimate, the one of the largest error.
    """
    errors = {scale: _arm(row, kept, scale) / z * _slope(row, scale) for scale in _SCALES[row.statistic]}
    at_border = [scale for scale in errors if _reaches(row, scale, kept, cut)]
    best = max(at_border or errors, key=errors.__getitem__)
    side = "upper" if kept > row.estimate else "lower"
    return (errors[best], errors[best]), f"the other limit is cut at {cut:g}: {side} limit alone, {best} scale"


def _reaches(row: Survival, scale: str, kept: float, cut: float) -> bool:
    """Whether the mirror image of a limit lies where an interval is cut, within rounding."""
    if cut == row.estimate:
        return False
    slack = _ROUNDING[row.statistic]
    on = _TRANSFORMS[scale]
    border, middle = on(1.0 - slack if cut > row.estimate else slack), on(row.estimate)
    return (2.0 * middle - on(kept) - border) * (border - middle) >= 0.0


def _from_interval(row: Survival, z: float) -> tuple[tuple[float, float], str]:
    arms = {scale: (_arm(row, row.ci_high, scale), _arm(row, row.ci_low, scale)) for scale in _SCALES[row.statistic]}
    ratio = {scale: max(pair) / min(pair) if min(pair) > 0 else math.inf for scale, pair in arms.items()}
    best = min(ratio, key=ratio.__getitem__)
    if ratio[best] <= ASYMMETRY:
        error = sum(arms[best]) / (2.0 * z) * _slope(row, best)
        return (error, error), f"interval, {best} scale"
    below, above = (arm / z for arm in arms[_HAZARD_SCALE[row.statistic]])
    return (below, above), "interval, split normal on the log hazard"


def _arm(row: Survival, limit: float, scale: str) -> float:
    """Length from the estimate to a limit on the given scale."""
    on = _TRANSFORMS[scale]
    return abs(on(limit) - on(row.estimate))


def _slope(row: Survival, scale: str) -> float:
    """Change of the log hazard per unit of the given scale."""
    if scale == _HAZARD_SCALE[row.statistic]:
        return 1.0
    plain = 1.0 / row.estimate if scale == "plain" else 1.0
    return plain if row.statistic == "median" else plain / abs(math.log(row.estimate))


def _without_interval(row: Survival, factor: float) -> float:
    survival = 0.5 if row.statistic == "median" else row.estimate
    return factor * math.sqrt((1.0 - survival) / (row.n * survival)) / abs(math.log(survival))


NO_INTERVAL_FACTOR = 1.25
"""Printed intervals exceed the binomial formula, which ignores censoring, by this factor in the median."""

LARGEST_ERROR = 100.0
"""Standard error of a log hazard beyond which nothing is said; it keeps squares within the range of numbers."""


@dataclass(frozen=True)
class Conversion:
    """One study's log hazard (log of events per person-month) and how it came about.

    Parameters
    ----------
    rows : tuple of int
        Lines of survival.csv.
    log_hazard, se_lower, se_upper : float
        The estimate and its standard error below and above; NaN for counts.
    rule : str
        Where the standard error comes from.
    effective : float
        Patients without censoring whose binomial error would be the mean of both; NaN for counts.
    events, person_months : float
        Counts, zero where the study reports an estimate.
    landmark_months : float
        Where positive, `events` are those by this month and `person_months` those of the other patients up to it.
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
    rule: str
    early: bool
    effective: float
    events: float = 0.0
    person_months: float = 0.0
    landmark_months: float = 0.0


def convert(rows: Sequence[Survival], *, horizon: float,
            factor: float = NO_INTERVAL_FACTOR) -> tuple[Conversion, ...]:
    """The log hazard of each study; several rows of one study are its strata and become one.

    Parameters
    ----------
    rows : sequence of Survival
        As selected: one row per study or per stratum.
    horizon : float
        Months at which survival is read: strata are mixed there.
    factor : float
        Multiplies the standard error where no interval is printed.
    """
    return tuple(_strata(of_study, horizon, factor) if of_study[1:] else _single(of_study[0], horizon, factor)
                 for of_study in grouped(rows, lambda row: row.study_id).values())


def as_studies(conversions: Sequence[Conversion]) -> HazardStudies:
    """The typed input of the model."""
    names = ("study_id", "log_hazard", "se_lower", "se_upper", "events", "person_months", "patients", "landmark_months")
    return HazardStudies(*([getattr(conversion, name) for conversion in conversions] for name in names))


def _single(row: Survival, horizon: float, factor: float) -> Conversion:
    if row.person_months is not None:
        return _conversion([row], horizon, "events and person-months (Poisson)", events=float(row.events),
                           person_months=row.person_months)
    if row.statistic == "landmark" and row.estimate in (0.0, 1.0):
        return _all_or_none(row, horizon, factor)
    errors, rule = standard_errors(row, factor)
    floor = 1.0 / math.sqrt(row.n)
    if min(errors) < floor:
        errors = tuple(max(error, floor) for error in errors)
        rule += f", not below 1/sqrt({row.n})"
    return _conversion([row], horizon, rule, log_hazard=_log_hazard(row), errors=errors)


def _all_or_none(row: Survival, horizon: float, factor: float) -> Conversion:
    """Nobody, or everybody, had the event by the landmark.

    Without an interval that is a count of n / factor^2 patients, as the standard error of any other estimate is factor
    times the binomial one. A printed limit is read as the exact binomial one: m patients of whom none had the event
    make survival L the lower limit where L^m = alpha / 2. Never more than n patients.
    """
    nobody = row.estimate == 1.0
    limit = row.ci_low if nobody else row.ci_high
    if limit is None or not 0.0 < limit < 1.0:
        patients, source = row.n / factor**2, f"{row.n}/{factor:g}^2"
    else:
        share = math.log(limit) if nobody else math.log1p(-limit)
        patients = min(float(row.n), math.log((1.0 - row.ci_level) / 2.0) / share)
        source = f"from the printed limit, at most {row.n}"
    rule = f"{'no' if nobody else 'every'} patient had the event by {row.time_months:g} months: a count of " \
           f"{patients:.3g} patients ({source})"
    months = patients * row.time_months if nobody else 0.0
    return _conversion([row], horizon, rule, events=0.0 if nobody else patients, person_months=months,
                       landmark_months=row.time_months)


def _conversion(rows: list[Survival], horizon: float, rule: str, *, log_hazard: float = math.nan,
                errors: tuple[float, float] = (math.nan, math.nan), **counts: float) -> Conversion:
    first = rows[0]
    months = horizon if rows[1:] else first.time_months if first.statistic == "landmark" else first.estimate
    lower, upper = (min(error, LARGEST_ERROR) for error in errors)
    return Conversion(study_id=first.study_id, rows=tuple(row.row for row in rows),
                      statistic="; ".join(describe(row) for row in rows), definition=first.definition,
                      tier=max(row.tier for row in rows), patients=sum(row.n for row in rows), log_hazard=log_hazard,
                      se_lower=lower, se_upper=upper, rule=rule, early=any(is_early(row, horizon) for row in rows),
                      effective=_effective(log_hazard, months or math.nan, (lower + upper) / 2.0), **counts)


def _effective(log_hazard: float, months: float, error: float) -> float:
    """Patients without censoring whose survival at these months has this error on the log hazard."""
    cumulative = math.exp(min(max(log_hazard + math.log(months), -200.0), 6.5))  # what follows stays a number
    return math.expm1(cumulative) / (cumulative * error) ** 2


def effective_notes(rows: Sequence[Survival], conversions: Sequence[Conversion]) -> list[str]:
    """Studies whose printed interval of a landmark has the error of fewer patients than the usual censoring leaves."""
    by_study, notes = {row.study_id: row for row in rows}, []
    for conversion in conversions:
        row, usual = by_study[conversion.study_id], conversion.patients / NO_INTERVAL_FACTOR**2
        # Limits in whole per cents leave a twentieth of the number open.
        if (len(conversion.rows) == 1 and row.statistic == "landmark" and row.ci_low is not None
                and conversion.effective < 0.95 * usual):
            notes.append(f"{row.study_id}: the interval of {conversion.statistic} has the error of "
                         f"{conversion.effective:.0f} patients without censoring, where the usual censoring leaves "
                         f"{usual:.0f} of {conversion.patients}")
    return notes


def describe(row: Survival) -> str:
    """A survival row in words, such as "median 12.9 months (8.7 to 23.4)"."""
    if row.person_months is not None:
        unit, months = ("years", 12.0) if row.person_months >= _LONG else ("months", 1.0)
        text = f"{row.events:,} events in {round(row.person_months / months, 1):,.12g} person-{unit}"
        return f"{text}, patient by patient" if row.patients else text
    if row.median_not_reached:
        return "median not reached" + (f" in {row.time_months:g} months" if row.time_months else "")
    if row.statistic == "median":
        text, scale, unit = f"median {row.estimate:g} months", 1.0, ""
    else:
        text, scale, unit = f"{100 * row.estimate:g} % at {row.time_months:g} months", 100.0, " %"
    if row.ci_low is not None:
        upper = "not reached" if row.ci_high is None else f"{scale * row.ci_high:g}{unit}"
        text += f" ({scale * row.ci_low:g} to {upper})"
    return f"{text} [{row.stratum.replace('_', ' ')}, n = {row.n}]" if row.stratum else text


def _log_hazard(row: Survival) -> float:
    if row.statistic == "median":
        return math.log(math.log(2.0)) - math.log(row.estimate)
    return math.log(-math.log(row.estimate)) - math.log(row.time_months)


def _strata(rows: list[Survival], horizon: float, factor: float) -> Conversion:
    """Strata mixed by their sizes: survival at the horizon, its variance by the delta method and the random split."""
    parts = [_single(row, horizon, factor) for row in rows]
    if all(math.isnan(part.log_hazard) for part in parts):
        together = _added_up(rows, horizon, parts)
        if together:
            return together
    total = sum(row.n for row in rows)
    weight = np.array([row.n / total for row in rows])
    log_hazards, error = np.array([_as_estimate(part) for part in parts]).T
    # Cumulative hazards, and survival as a ratio to its mean: survival itself may be no number that a computer holds.
    cumulative = horizon * np.exp(np.minimum(log_hazards, 700.0))
    beyond = cumulative - cumulative.min()
    shift = np.log1p(weight @ np.expm1(-beyond))
    ratio, mixed = np.expm1(-beyond - shift), float(cumulative.min() - shift)
    within = np.linalg.norm(weight * (1.0 + ratio) * (cumulative / mixed) * error)
    spread = max(math.hypot(within, math.sqrt(weight @ ratio**2 / total) / mixed), 1.0 / math.sqrt(total))
    rules = "; ".join(dict.fromkeys(part.rule for part in parts))
    return _conversion(rows, horizon, f"{len(rows)} strata mixed at {horizon:g} months ({rules})",
                       log_hazard=math.log(mixed) - math.log(horizon), errors=(spread, spread))


def _added_up(rows: list[Survival], horizon: float, parts: list[Conversion]) -> Conversion | None:
    """Counts of all strata as one count, where one describes them."""
    events, months = sum(part.events for part in parts), sum(part.person_months for part in parts)
    if not events or all(not part.landmark_months for part in parts):
        return _conversion(rows, horizon, f"{len(rows)} strata added up (Poisson)", events=events, person_months=months)
    if not months:
        last = max(part.landmark_months for part in parts)
        rule = f"{len(rows)} strata added up: every patient had the event by {last:g} months"
        return _conversion(rows, horizon, rule, events=events, landmark_months=last)
    return None


def _as_estimate(part: Conversion) -> tuple[float, float]:
    """Log hazard and standard error of a stratum, of counts roughly, to be mixed with strata that print an estimate."""
    if not math.isnan(part.log_hazard):
        return part.log_hazard, (part.se_lower + part.se_upper) / 2.0
    ((name, table),) = log_hazard.data(as_studies([part])).items()
    (value,), (variance,) = log_hazard.rough(name, table, on=NUMBERS)
    return float(value), math.sqrt(variance)
