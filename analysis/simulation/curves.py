"""From simulated patients to the statistics that a study prints: Kaplan-Meier curve, its bands, medians and landmarks.

Patients of a study have event times from its curve and are censored at a uniform time, as when they entered evenly
over a period. What is printed of them is what the real study printed: the same statistic, at the same time, with an
interval where there was one, rounded alike.

References
----------
Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457, doi 10.1080/01621459.1958.10501452.
Brookmeyer R, Crowley J. Biometrics 1982;38:29, doi 10.2307/2530286 (limits of a median).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from analysis.evidence.types import Survival

LOG_LOG, PLAIN = "log-log", "plain"
_MONTH_DIGITS, _SHARE_DIGITS = 1, 3
_Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Law:
    """Where patients come from: cumulative hazard exp(eta + tau z) (t/12)^shape, and when they are last seen.

    Parameters
    ----------
    survival : float
        At 12 months, of the typical study.
    shape, tau : float
    seen : (float, float)
        Months between which follow-up ends, evenly.
    band : {"log-log", "plain"}
        Scale on which programs form the band of a curve.
    """

    survival: float
    shape: float
    tau: float
    seen: tuple[float, float] = (6.0, 36.0)
    band: str = LOG_LOG

    def survival_at(self, months: float) -> float:
        """Survival of the typical study."""
        return float(self.survival ** ((months / 12.0) ** self.shape))


@dataclass(frozen=True)
class KaplanMeier:
    """A curve with its band: survival after each event time, and the limits there; shape (m,) each."""

    times: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    last: float

    def at(self, months: float) -> tuple[float, float, float]:
        """Survival and its limits at a time."""
        place = int(np.searchsorted(self.times, months, side="right")) - 1
        return (1.0, 1.0, 1.0) if place < 0 else tuple(
            float(curve[place]) for curve in (self.survival, self.lower, self.upper))

    def half_at(self, curve: np.ndarray) -> float | None:
        """The first event time at which half or less is left of a curve; None where it never is."""
        below = np.flatnonzero(curve <= 0.5)
        return float(self.times[below[0]]) if len(below) else None


def kaplan_meier(months: np.ndarray, had_event: np.ndarray, *, band: str = LOG_LOG) -> KaplanMeier:
    """The curve of patients who were followed for so many months, with its 95 % band; events come before censoring."""
    times = np.unique(months[had_event])
    at_risk = np.array([np.sum(months >= time) for time in times], dtype=float)
    events = np.array([np.sum(had_event & (months == time)) for time in times], dtype=float)
    survival = np.cumprod(1.0 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(events / (at_risk * (at_risk - events)))
        if band == PLAIN:
            away = _Z * survival * np.sqrt(variance)
            lower, upper = np.clip(survival - away, 0.0, 1.0), np.clip(survival + away, 0.0, 1.0)
        else:
            away = _Z * np.sqrt(variance) / np.abs(np.log(survival))
            lower, upper = survival ** np.exp(away), survival ** np.exp(-away)
    # After the last patient's event nothing is left, and neither has a variance.
    gone = survival == 0.0
    return KaplanMeier(times, survival, np.where(gone, 0.0, lower), np.where(gone, 0.0, upper), float(months.max()))


def printed(rows: Sequence[Survival], law: Law, rng: np.random.Generator) -> tuple[Survival, ...]:
    """The rows with statistics of simulated patients in the place of their own; strata as one group of patients."""
    replicated = []
    for study_id in dict.fromkeys(row.study_id for row in rows):
        of_study = [row for row in rows if row.study_id == study_id]
        if of_study[0].stratum:
            of_study = [replace(of_study[0], stratum="", n=sum(row.n for row in of_study))]
        effect = np.log(-np.log(law.survival)) + law.tau * rng.normal()
        size = max(row.n for row in of_study)
        event = 12.0 * (rng.exponential(size=size) / np.exp(effect)) ** (1.0 / law.shape)
        seen = rng.uniform(*law.seen, size=size)
        curve = kaplan_meier(np.minimum(event, seen), event <= seen, band=law.band)
        replicated += [_print(row, curve) for row in of_study]
    return tuple(replicated)


def _print(row: Survival, curve: KaplanMeier) -> Survival:
    with_interval = row.ci_low is not None
    if row.statistic == "landmark":
        values = [round(value, _SHARE_DIGITS) for value in curve.at(min(row.time_months, curve.last))]
        has = with_interval and 0.0 < values[0] < 1.0
        return replace(row, estimate=values[0], ci_low=values[1] if has else None, ci_high=values[2] if has else None,
                       upper_not_reached=False, ci_level=row.ci_level if has else None)
    median, low, high = (curve.half_at(band) for band in (curve.survival, curve.lower, curve.upper))
    if median is None:
        return replace(row, estimate=None, ci_low=None, ci_high=None, ci_level=None, upper_not_reached=True,
                       time_months=round(curve.last, _MONTH_DIGITS))
    rounded = [None if value is None else max(round(value, _MONTH_DIGITS), 0.1) for value in (median, low, high)]
    return replace(row, estimate=rounded[0], ci_low=rounded[1] if with_interval else None,
                   ci_high=rounded[2] if with_interval else None, ci_level=row.ci_level if with_interval else None,
                   upper_not_reached=with_interval and high is None)
