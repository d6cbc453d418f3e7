"""Turns each study's printed survival statistics into points of one curve, as counts of patients between them.

Every statistic of one data cut is a point: survival at a landmark, a half at a median, and at the printed limits of a
median the survival at which the confidence band of the curve crosses a half: S there solves

    S -+ z f sqrt(S (1 - S) / n) = 1/2,

with f for censoring. An interval that is exactly symmetric is a program's estimate and its standard error, and no
crossing of bands. A median that was not reached says that survival was above a half at the end of follow-up. Events
over person-time enter where their patients have no point; beside strata with points they are one, at the mean
follow-up. Patients who are known one by one need no such reading: they enter as they are.

References
----------
Brookmeyer R, Crowley J. Biometrics 1982;38:29, doi 10.2307/2530286 (limits of a median from the band of the curve).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from analysis.evidence.types import Survival
from analysis.system.groups import grouped
from models.studies import CurveStudies

CENSORING = 1.25
"""Standard errors of Kaplan-Meier estimates exceed those without censoring by this factor in the median."""
APART = 1.0
"""Months; points of a curve that are nearer say the same twice."""

_SYMMETRIC = 0.011  # of the last printed digit of limits
_FILL = 12.0
_BLANKS = {"starts": 0.0, "ends": _FILL, "counts": 0.0, "seen": _FILL, "survivors": 0.0, "died": 0.0,
           "strata": (0.0, _FILL, 0.5)}
LANDMARK, MEDIAN, LOWER, UPPER = "landmark", "median", "lower limit of the median", "upper limit of the median"
PATIENTS = "Kaplan-Meier curve of the patients"
COUNTS = "events over person-time"
_FIRST = (LANDMARK, MEDIAN, LOWER, UPPER, PATIENTS, COUNTS)
_SHOWN = (3.0, 6.0, 12.0, 24.0, 36.0)


@dataclass(frozen=True)
class Point:
    """Survival of a study at a time, and what was printed of it; `stratum` where it is that of a part."""

    study_id: str
    months: float
    survival: float
    source: str
    patients: int
    stratum: str = ""


def points_of(rows: Sequence[Survival], *, factor: float = CENSORING) -> tuple[Point, ...]:
    """The points that enter, study after study in the order of time; of a stratum the one of its row.

    Of points nearer than a month, or that contradict one another, the first of landmark, median and limits stands.
    Patients who are known one by one enter themselves; their points are there to be shown.
    """
    points = []
    for of_study in grouped(rows, lambda row: row.study_id).values():
        printed = [point for row in of_study for point in _points(row, factor)]
        if any(point.stratum for point in printed):
            strata = grouped(printed, lambda point: point.stratum)
            points += [min(of_stratum, key=_preference) for of_stratum in strata.values()]
        else:
            points += _consistent(printed)
    return tuple(points)


def _points(row: Survival, factor: float) -> list[Point]:
    def point(months: float, survival: float, source: str) -> Point:
        return Point(row.study_id, months, survival, source, row.n, row.stratum)

    if row.patients:
        died, seen = _followed(row)
        last = max(months for months, _ in row.patients)
        return [point(months, kaplan_meier(died, seen, months)[0], PATIENTS) for months in _SHOWN if months <= last]
    if row.statistic == LANDMARK:
        return [point(row.time_months, row.estimate, LANDMARK)]
    if row.stratum and row.estimate is None and row.person_months:
        return [point(row.person_months / row.n, math.exp(-row.events / row.n), COUNTS)]
    if row.statistic != MEDIAN or row.estimate is None:
        return []
    points = [point(row.estimate, 0.5, MEDIAN)]
    if row.stratum or row.ci_low is None or (
            row.ci_high is not None and abs(row.ci_high + row.ci_low - 2.0 * row.estimate) <= _SYMMETRIC):
        return points
    z = float(special.ndtri(0.5 + row.ci_level / 2.0))
    q = (z * factor) ** 2 / row.n
    away = 0.5 * math.sqrt(q / (1.0 + q))
    if 0.0 < row.ci_low < row.estimate:
        points.append(point(row.ci_low, 0.5 + away, LOWER))
    if row.ci_high is not None and row.ci_high > row.estimate:
        points.append(point(row.ci_high, 0.5 - away, UPPER))
    return points


def _followed(row: Survival) -> tuple[np.ndarray, np.ndarray]:
    """Months of the events, and of the last sight of the other patients."""
    return tuple(np.array([months for months, event in row.patients if event is had]) for had in (True, False))


def kaplan_meier(died: np.ndarray, seen: np.ndarray, months: float) -> tuple[float, float]:
    """Survival at a time, and the number of patients without censoring whose share had the same variance (Greenwood).

    Parameters
    ----------
    died, seen : arrays
        Months of the events, and of the last sight of the other patients.
    """
    times, events = np.unique(died[died <= months], return_counts=True)
    at_risk = np.array([np.sum(died >= time) + np.sum(seen >= time) for time in times])
    survival = float(np.prod(1.0 - events / at_risk))
    if not 0.0 < survival < 1.0:
        return survival, float(len(died) + np.sum(seen >= months))
    return survival, float((1.0 - survival) / survival / np.sum(events / (at_risk * (at_risk - events))))


def _preference(point: Point) -> tuple[int, float]:
    return _FIRST.index(point.source), abs(point.months - _FILL)


def _consistent(points: Sequence[Point]) -> list[Point]:
    chosen: list[Point] = []
    for point in sorted(points, key=_preference):
        if all(abs(point.months - other.months) >= APART and not _contradicts(point, other) for other in chosen):
            chosen.append(point)
    return sorted(chosen, key=lambda point: point.months)


def _contradicts(point: Point, other: Point) -> bool:
    """Whether one of two points has more survival at a later time."""
    return (point.months - other.months) * (other.survival - point.survival) < 0.0


def contradicted_points(rows: Sequence[Survival]) -> list[str]:
    """A note on each printed point that is left out of a curve because another one of its study contradicts it."""
    notes = []
    for study_id, of_study in grouped(rows, lambda row: row.study_id).items():
        kept = points_of(of_study)
        printed = [point for row in of_study for point in _points(row, CENSORING) if point.source in (LANDMARK, MEDIAN)]
        for point in printed:
            against = next((other for other in kept if not point.stratum and _contradicts(point, other)), None)
            if point not in kept and against:
                notes.append(f"{study_id}: {_told(point)} contradicts {_told(against)}; its curve has no point there")
    return notes


def _told(point: Point) -> str:
    return f"survival of {100.0 * point.survival:.3g} % at {point.months:g} months"


def curve_studies(rows: Sequence[Survival], *, factor: float = CENSORING) -> CurveStudies:
    """The typed input of the models of curves; `factor` is that of the standard error, whose square divides patients.

    Parameters
    ----------
    rows : sequence of Survival
        Of one data cut for each study, its strata or the whole.
    """
    points = grouped(points_of(rows, factor=factor), lambda point: point.study_id)
    rows_of = grouped(rows, lambda row: row.study_id)
    studies = [_study(points.get(name, ()), of_study, factor) for name, of_study in rows_of.items()]
    padded = {name: _padded([study.get(name, ()) for study in studies], blank) for name, blank in _BLANKS.items()}
    singles = {name: [study.get(name, 0.0) for study in studies] for name in (
        "events", "months", "exposed", "bound_months", "bound_error", "mixed", "patients_each")}
    return CurveStudies(tuple(rows_of), **padded, **singles)


def _padded(columns: Sequence[Sequence[Any]], blank: Any) -> np.ndarray:
    """Columns of unequal length as rows of one array, filled up, with one cell at least."""
    width = max(map(len, columns), default=1) or 1
    filled = [[*column, *[blank] * (width - len(column))] for column in columns]
    return np.array(filled).reshape(len(columns), width, *np.shape(blank))


def _study(points: Sequence[Point], rows: Sequence[Survival], factor: float) -> dict[str, Any]:
    """The columns of one study that are not blank."""
    patients = sum(row.n for row in rows)
    if all(row.stratum and row.estimate is None for row in rows):  # counts of all strata add up
        return {"patients_each": patients, "events": float(sum(row.events for row in rows)),
                "months": sum(row.person_months for row in rows) / patients, "exposed": float(patients)}
    if any(row.stratum for row in rows):
        total = sum(point.patients for point in points)
        return {"patients_each": patients, "mixed": total / factor**2,
                "strata": [(point.patients / total, point.months, point.survival) for point in points]}
    study = {"patients_each": max(row.n for row in rows)}
    if rows[0].patients:
        died, seen = _followed(rows[0])
        last = min(max(months for months, _ in rows[0].patients), _FILL)
        return study | {"died": died, "seen": seen, "survivors": np.ones(len(seen)), "starts": [0.0], "ends": [last],
                        "counts": [0.0]}
    last, counted = 0.0, any(row.person_months is not None for row in rows)
    if points:
        ends, alive = [point.months for point in points], [point.survival for point in points]
        effective, last = [point.patients / factor**2 for point in points], ends[-1]
        counts = [patients * (before - after)
                  for patients, before, after in zip(effective, [1.0, *alive], alive, strict=False)]
        study |= {"starts": [0.0, *ends[:-1]], "ends": ends, "counts": counts, "seen": [last],
                  "survivors": [effective[-1] * alive[-1]]}
    for row in rows:
        # Each patient enters once: by points, else by events over person-time, else by a bound.
        if row.person_months is not None and not points:
            study |= {"events": float(row.events), "months": row.person_months / row.n, "exposed": float(row.n)}
        if row.median_not_reached and row.time_months and row.time_months > last and (points or not counted):
            study |= {"bound_months": row.time_months, "bound_error": factor / math.log(2.0) / math.sqrt(row.n)}
    return study
