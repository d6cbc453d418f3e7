"""Studies of a calibration: a design without what it found, data that it would report, and views of these with a fault.

A design is how large each study is and how precisely it reports. The faults are deliberate errors of an analysis: the
test of calibration has to find them, or it tests nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import special

from analysis.cases.case import NoStudies, model_for, no_study, typed_studies
from analysis.cases.curves import CENSORING, curve_studies
from analysis.cases.hazards import as_studies, convert
from analysis.cases.reports import new_report
from analysis.cases.selection import Selection, candidates, refuse_shared_patients
from analysis.cases.settings import Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Survival
from analysis.simulation.nested import design_of_patients, patients_of
from models import all_models
from models.model import Curve
from models.nested_beta_binomial import NestedStudies
from models.priors import Prior
from models.studies import CurveStudies, HazardStudies, RateStudies, Studies

_COLUMNS = {"rate": ("evaluable",), "curve": ("ends", "patients_each"),
            "survival": ("se_lower", "se_upper", "person_months", "landmark_months", "patients_each")}
_FURTHEST = 600.0  # of log hazards whose medians are numbers
_MOST_EVENTS = 1e15  # beyond it whole numbers are no longer told apart
_SHIFTS = {"positive": np.log(2.0), "unit": np.log(4.0)}
LEVEL, _WRONG, _HORIZON = 0.95, float(2.0 * special.ndtr(1.0) - 1.0), 12.0
_ARMS = np.array([0.0, -1.0, 1.0]) * special.ndtri(0.5 + LEVEL / 2.0)


class SimulationFailed(RuntimeError):
    """The prior asks for data that no computer number holds."""


@dataclass(frozen=True)
class Design:
    """Studies of one endpoint with their outcomes blanked.

    Parameters
    ----------
    kind : {"rate", "survival", "curve", "nested"}
    endpoint : str
    horizon : float or None
        Months at which survival is reported.
    studies : RateStudies, HazardStudies, CurveStudies or NestedStudies
        Of k studies, with no event and log hazards of 0.
    """

    kind: str
    endpoint: str
    horizon: float | None
    studies: Studies | NestedStudies

    def plain(self) -> dict[str, Any]:
        """As numbers and text, from which `design_from` makes it again."""
        if isinstance(self.studies, NestedStudies):
            return {"kind": self.kind, **{part: patients_of(table) for part, table in vars(self.studies).items()}}
        columns = {name: getattr(self.studies, name).tolist() for name in _COLUMNS[self.kind]}
        if isinstance(self.studies, CurveStudies):
            columns["ends"] = _times(self.studies)
        return {"kind": self.kind, "horizon_months": self.horizon, "study_ids": list(self.studies.study_ids), **columns}


def select_design(evidence: Evidence, model_name: str, question: Question) -> Selection:
    """The rows of the question; without an endpoint in it, of the endpoint of the model's kind with most studies.

    Raises
    ------
    UsageError
        When model, endpoint or subset do not exist or do not go together, or no row answers the question.
    """
    kind = all_models()[model_name].kind if model_name in all_models() else "rate"
    names = [question.endpoint] if question.endpoint else [
        endpoint.endpoint for endpoint in evidence.endpoints if endpoint.kind == kind]
    selections = [candidates(evidence, replace(question, endpoint=name)) for name in names]
    model_for(selections[0].endpoint.kind if selections else kind, model_name)
    # The first of those with most studies, in the order of the table.
    largest = max(selections, key=lambda selection: len(selection.study_ids), default=None)
    if largest is None or not largest.rows:
        raise NoStudies(no_study(question, selections, question.endpoint or f"a {kind} endpoint"))
    refuse_shared_patients(evidence, (largest,))
    return largest


def design_of(selection: Selection, *, takes: type | None = None) -> Design:
    """The design of the rows that answer a question; `takes` is that of the model."""
    endpoint = selection.endpoint
    studies, _ = typed_studies(selection, takes=takes)
    horizon = selection.horizon if endpoint.kind == "survival" else None
    kind = "curve" if takes is CurveStudies else endpoint.kind
    columns = vars(studies) | ({"ends": _times(studies)} if kind == "curve" else {})
    return Design(kind, endpoint.endpoint, horizon, _blank(kind, studies.study_ids, columns))


def design_from(plain: Mapping[str, Any], *, endpoint: str) -> Design:
    """The design whose `plain` this is."""
    if plain["kind"] == "nested":
        return Design("nested", endpoint, None, design_of_patients(plain))
    return Design(plain["kind"], endpoint, plain["horizon_months"],
                  _blank(plain["kind"], tuple(plain["study_ids"]), plain))


def _times(studies: CurveStudies) -> list[list[float]]:
    """Months of the points of each curve, in order; 12 where a study has none.

    Rows are filled up with points that start at 0, as only a first one does.
    """
    return [ends[(starts > 0.0) | (np.arange(len(ends)) == 0)].tolist()
            for starts, ends in zip(studies.starts, studies.ends, strict=True)]


def _blank(kind: str, study_ids: tuple[str, ...], columns: Mapping[str, Any]) -> Studies:
    none = np.zeros(len(study_ids))
    if kind == "rate":
        return RateStudies(study_ids, none, columns["evaluable"])
    if kind == "curve":
        return curve_studies([_landmark(study_id, time, int(patients), 0.5) for study_id, times, patients in zip(
            study_ids, columns["ends"], columns["patients_each"], strict=True) for time in sorted(set(times))])
    # A row of counts has no standard error; a NaN would not survive being written down.
    below, above = (np.nan_to_num(np.array(columns[name], dtype=float)) for name in ("se_lower", "se_upper"))
    events, landmark = (np.array(columns.get(name, none), dtype=float) for name in ("events", "landmark_months"))
    months, at = np.array(columns["person_months"], dtype=float), landmark > 0.0
    # Who had the event is part of what was found: all patients, in whole numbers, are as if without it.
    months[at] = np.maximum(np.round(events[at] + months[at] / landmark[at]), 1.0) * landmark[at]
    return HazardStudies(study_ids, none, below, above, none, months, columns["patients_each"], landmark)


def simulate(design: Design, effects: np.ndarray, rng: np.random.Generator, *, curve: Curve | None = None,
             draws: Mapping[str, np.ndarray] = MappingProxyType({}), fault: str | None = None) -> Studies:
    """Data of every study of the design, as it would print them if its effect were known, read as the analysis does.

    Parameters
    ----------
    design : Design
        Of k studies.
    effects : array, shape (k,)
        Rate of each study; log hazard (log of events per person-month) for survival.
    rng : numpy.random.Generator
    curve, draws : Curve, mapping of str to array
        How survival follows from an effect, and the hyperparameters, where the design is one of curves.
    fault : str or None
        "level" reads printed intervals at a wrong level.

    Raises
    ------
    SimulationFailed
        When an effect is not finite, or a study would have more than 1e15 events.
    """
    if not np.all(np.isfinite(effects)):
        raise SimulationFailed("the prior allows effects that are not finite")
    if isinstance(design.studies, RateStudies):
        return replace(design.studies, events=rng.binomial(design.studies.evaluable, effects))
    if isinstance(design.studies, CurveStudies):
        return _points(design.studies, effects, curve, draws, rng)
    return _reread(_survival(design.studies, effects, rng), level=_WRONG if fault == "level" else LEVEL)


def _points(studies: CurveStudies, effects: np.ndarray, curve: Curve, draws: Mapping[str, np.ndarray],
            rng: np.random.Generator) -> CurveStudies:
    """Survival at the landmarks of each curve, printed and read back."""
    rows = []
    for study_id, times, size, effect in zip(studies.study_ids, _times(studies), studies.patients_each, effects,
                                             strict=True):
        whole, alive, last = max(round(size / CENSORING**2), 1), None, 1.0
        for time in times:
            survival = float(curve.survival(draws, np.array([effect]), time)[0])
            alive = rng.binomial(whole if alive is None else alive, min(survival / last, 1.0) if last > 0.0 else 0.0)
            last = survival
            rows.append(_landmark(study_id, time, whole * CENSORING**2, alive / whole))
    return curve_studies(rows)


def _landmark(study_id: str, months: float, patients: float, survival: float) -> Survival:
    """A row of survival at a time without an interval."""
    return replace(new_report("", "survival", landmark=float(months), survival=survival, n=patients),
                   study_id=study_id)


def _reread(studies: HazardStudies, *, level: float) -> HazardStudies:
    """What studies print, medians with intervals of 95 %, and as the analysis reads it at a level.

    Estimates with two errors, and counts, are handed on: they are not printed as a median.
    """
    plain = studies.is_estimate & (studies.se_lower == studies.se_upper)
    if np.any((np.abs(studies.log_hazard) + 2.0 * studies.se_lower)[plain] > _FURTHEST):
        raise SimulationFailed("the prior allows medians that nobody could print")
    rows = [replace(_landmark(name, 0.0, int(size), 0.0), statistic="median", time_months=None, ci_level=level,
                    **dict(zip(("estimate", "ci_low", "ci_high"), np.log(2.0) * np.exp(-value + error * _ARMS),
                               strict=True)))
            for name, size, value, error in zip(*(np.array(column, dtype=object)[plain] for column in (
                studies.study_ids, studies.patients_each, studies.log_hazard, studies.se_lower)), strict=True)]
    if not rows:
        return studies
    read, columns = as_studies(convert(rows, horizon=_HORIZON)), {}
    for name in ("log_hazard", "se_lower", "se_upper"):
        columns[name] = getattr(studies, name).copy()
        columns[name][plain] = getattr(read, name)
    return replace(studies, **columns)


def _survival(studies: HazardStudies, effects: np.ndarray, rng: np.random.Generator) -> HazardStudies:
    """Split normal estimates, Poisson counts, and binomial counts at landmarks.

    The likelihood of log h is normal with one standard error where log h lies below the estimate and another where it
    lies above. As a function of the estimate it is a density with the same two sides, with the share
    se_lower / (se_lower + se_upper) above log h (Wallis 2014, doi 10.1214/13-STS417).
    """
    landmark, counts = studies.is_landmark, ~studies.is_estimate
    with np.errstate(over="ignore"):
        expected = np.where(studies.is_poisson, np.exp(effects) * studies.person_months, 0.0)
    if np.any(expected > _MOST_EVENTS):
        raise SimulationFailed(f"the prior allows {expected.max():.3g} events in a study")
    total = np.where(counts, 1.0, studies.se_lower + studies.se_upper)
    above = rng.random(len(studies)) * total < studies.se_lower
    distance = np.abs(rng.normal(size=len(studies)))
    estimate = effects + np.where(above, studies.se_lower, -studies.se_upper) * distance
    events, months = rng.poisson(expected).astype(float), studies.person_months.copy()
    at = studies.landmark_months[landmark]
    patients = np.round(months[landmark] / at).astype(int)
    events[landmark] = rng.binomial(patients, -np.expm1(-at * np.exp(np.minimum(effects[landmark], 700.0))))
    months[landmark] = (patients - events[landmark]) * at
    return replace(studies, log_hazard=np.where(counts, 0.0, estimate), events=events, person_months=months)


@dataclass(frozen=True)
class Doubled:
    """A prior of the heterogeneity that lets the between-study SD be twice as large.

    It stands where the density expects a `Prior`. An SD is doubled by a shift of its log by log 2; a heterogeneity
    between 0 and 1 is a share of variance, whose odds a doubled SD makes four times as large. That is the same error
    for every family.
    """

    prior: Prior

    @property
    def support(self) -> str:
        """Where the density is positive, as before."""
        return self.prior.support

    def log_density(self, value: np.ndarray) -> np.ndarray:
        """Log density of the unconstrained value."""
        return self.prior.log_density(value - _SHIFTS[self.support])


def seen_priors(priors: Mapping[str, Prior], fault: str | None) -> dict[str, Prior | Doubled]:
    """The priors that the analysis uses: those of the simulation, or with a doubled heterogeneity."""
    heterogeneity = list(priors)[1]
    return dict(priors) | ({heterogeneity: Doubled(priors[heterogeneity])} if fault == "prior" else {})


def seen_studies(studies: Studies, fault: str | None) -> Studies:
    """The data that the analysis uses: those of the simulation, misread ones, or with every patient twice."""
    misread = np.arange(len(studies)) % 3 == 0
    if isinstance(studies, RateStudies):
        seen = {"counts": {"events": np.where(misread, studies.evaluable - studies.events, studies.events)},
                "twice": {"events": 2 * studies.events, "evaluable": 2 * studies.evaluable}}
    elif isinstance(studies, CurveStudies):
        factor, fewer = np.where(misread, np.log(2.0), 1.0)[:, None], _ARMS[2] ** -2
        seen = {"counts": {name: getattr(studies, name) * factor for name in ("starts", "ends", "seen")},
                "twice": {"counts": studies.counts * 2.0, "survivors": studies.survivors * 2.0},
                "level": {"counts": studies.counts * fewer, "survivors": studies.survivors * fewer}}
    else:
        # The hazard is log 2 over the median: who takes the median for the mean loses log log 2.
        shift = np.where(misread, np.log(np.log(2.0)), 0.0)
        seen = {"counts": {"log_hazard": studies.log_hazard - shift,
                           "person_months": studies.person_months * np.exp(shift),
                           "landmark_months": studies.landmark_months * np.exp(shift)},
                "twice": {"se_lower": studies.se_lower / np.sqrt(2.0), "se_upper": studies.se_upper / np.sqrt(2.0),
                          "events": 2 * studies.events, "person_months": 2 * studies.person_months}}
    return replace(studies, **seen[fault]) if fault in seen else studies
