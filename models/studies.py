"""Typed inputs of the models: what each study of one analysis contributes, with nothing left to look up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np


def _column(values: Sequence[float] | np.ndarray, dtype: type) -> np.ndarray:
    column = np.array(values, dtype=float).reshape(-1)
    if dtype is np.int64 and not np.all(np.isfinite(column) & (column == np.floor(column))):
        raise ValueError("counts must be whole numbers")
    return column.astype(dtype)


class _Columns:
    """What tables of studies share, whatever their columns are."""

    study_ids: tuple[str, ...]
    patients_each: np.ndarray

    def _freeze(self, **columns: np.ndarray) -> None:
        """Set read-only columns, and the names as a tuple."""
        object.__setattr__(self, "study_ids", tuple(self.study_ids))
        for name, column in columns.items():
            column.setflags(write=False)
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.study_ids)

    def take(self, kept: np.ndarray | Sequence[int] | slice) -> Self:
        """Some of the studies: where a bool array of shape (k,) says so, or by their places."""
        columns = {name: getattr(self, name)[kept] for name in self.__dataclass_fields__ if name != "study_ids"}
        return replace(self, study_ids=tuple(np.array(self.study_ids, dtype=object)[kept]), **columns)

    @property
    def content(self) -> str:
        """The numbers of the studies as text: the same for any question that they answer."""
        columns = {name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}
        # Seeds of evidence without such rows do not depend on whether the model knows them.
        return repr([column.tolist() for name, column in columns.items()
                     if name not in ("landmark_months", "died") or column.any()])

    @property
    def sizes(self) -> np.ndarray:
        """Patients of each study, shape (k,)."""
        return self.patients_each

    @property
    def patients(self) -> int:
        """Patients over all studies."""
        return int(self.sizes.sum())


@dataclass(frozen=True)
class RateStudies(_Columns):
    """Counts of one binary endpoint, one row per study.

    Parameters
    ----------
    study_ids : sequence of str, shape (k,)
    events : int array, shape (k,)
        Patients with the event, 0 <= events <= evaluable.
    evaluable : int array, shape (k,)
        Patients at risk, >= 0. A row of 0 of 0 adds nothing to the likelihood and so leaves its study out.

    Raises
    ------
    ValueError
        When shapes differ or a count is impossible.
    """

    study_ids: tuple[str, ...]
    events: np.ndarray
    evaluable: np.ndarray

    def __post_init__(self) -> None:
        self._freeze(events=_column(self.events, np.int64), evaluable=_column(self.evaluable, np.int64))
        if not len(self.study_ids) == len(self.events) == len(self.evaluable):
            raise ValueError(f"{len(self.study_ids)} studies, {len(self.events)} event counts and "
                             f"{len(self.evaluable)} evaluable counts: one of each per study is needed")
        if np.any(self.events < 0) or np.any(self.events > self.evaluable):
            raise ValueError("events must lie between 0 and evaluable in every study")

    @property
    def sizes(self) -> np.ndarray:
        """Patients of each study, shape (k,)."""
        return self.evaluable


@dataclass(frozen=True)
class HazardStudies(_Columns):
    """What each study says about its log hazard (log of events per person-month), one row per study.

    A study is an estimate with a standard error for each direction, or events and person-months, or a count at a
    landmark: patients who had the event by then, and the person-months of those who had not.

    Parameters
    ----------
    study_ids : sequence of str, shape (k,)
    log_hazard : float array, shape (k,)
        Estimate; not used for counts.
    se_lower, se_upper : float array, shape (k,)
        Standard error below and above the estimate (equal: a normal likelihood), > 0.
    events, person_months : float array, shape (k,)
        Counts. With `landmark_months` zero, Poisson data; both zero mark a row that is an estimate.
    patients_each : int array, shape (k,)
        Patients behind each row, for counting only.
    landmark_months : float array, shape (k,), or None
        Where positive: `events` are those by this month, `person_months` those of the patients without, up to it. None:
        nowhere.

    Raises
    ------
    ValueError
        When shapes differ, a standard error is not positive and finite, or another number is impossible.
    """

    study_ids: tuple[str, ...]
    log_hazard: np.ndarray
    se_lower: np.ndarray
    se_upper: np.ndarray
    events: np.ndarray
    person_months: np.ndarray
    patients_each: np.ndarray
    landmark_months: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.landmark_months is None:
            self._freeze(landmark_months=np.zeros(len(self.study_ids)))
        self._freeze(patients_each=_column(self.patients_each, np.int64), **{
            name: _column(getattr(self, name), float)
            for name in ("log_hazard", "se_lower", "se_upper", "events", "person_months", "landmark_months")})
        sizes = {len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(sizes) != 1:
            raise ValueError(f"columns of different length: {sorted(sizes)}")
        errors = np.concatenate([self.se_lower, self.se_upper])[np.tile(self.is_estimate, 2)]
        if not np.all((errors > 0) & np.isfinite(errors)):
            raise ValueError("standard errors must be positive and finite")
        if not np.all(np.isfinite(self.log_hazard[self.is_estimate])):
            raise ValueError("log hazards must be finite")
        for name in ("person_months", "landmark_months"):
            months = getattr(self, name)
            if not np.all((months >= 0) & np.isfinite(months)):
                raise ValueError(f"{name.replace('_', '-')} must be finite and not negative")
        if not np.all((self.events >= 0) & np.isfinite(self.events)):
            raise ValueError("events must be finite and not negative")

    @property
    def is_poisson(self) -> np.ndarray:
        """Which rows are events and person-months; bool array, shape (k,)."""
        return (self.person_months > 0) & ~self.is_landmark

    @property
    def is_landmark(self) -> np.ndarray:
        """Which rows are counts at a landmark; bool array, shape (k,)."""
        return self.landmark_months > 0

    @property
    def is_estimate(self) -> np.ndarray:
        """Which rows are estimates with standard errors; bool array, shape (k,)."""
        return ~(self.is_poisson | self.is_landmark)


@dataclass(frozen=True)
class CurveStudies(_Columns):
    """Points of each study's survival curve as counts of patients, one row per study.

    Counts are effective numbers and need not be whole: censoring makes a curve of n patients worth fewer. Rows are
    filled up with counts of zero.

    Parameters
    ----------
    study_ids : sequence of str, shape (k,)
    starts, ends, counts : float array, shape (k, J)
        Patients who had the event between two times, months.
    seen, survivors : float array, shape (k, R)
        Patients without the event when last seen, and the months of that.
    events, months, exposed : float array, shape (k,)
        Events of so many patients who were followed for so many months each, on average; zero for none.
    bound_months, bound_error : float array, shape (k,)
        Where positive: at these months more than half were without the event, with the standard error of the log
        cumulative hazard there.
    strata : float array, shape (k, G, 3)
        Share of a stratum, months and survival then; of strata the study's survival at 12 months is mixed.
    mixed : float array, shape (k,)
        Patients behind the mixed survival; zero where a study is not in strata.
    patients_each : int array, shape (k,)
        Patients behind each row, for counting only.
    died : float array, shape (k, E), or None
        Months of each event whose time is known; zero for none. None: nowhere. Patients who were seen without it
        stand in `seen` with one survivor each.

    Raises
    ------
    ValueError
        When a number is not finite or negative.
    """

    study_ids: tuple[str, ...]
    starts: np.ndarray
    ends: np.ndarray
    counts: np.ndarray
    seen: np.ndarray
    survivors: np.ndarray
    events: np.ndarray
    months: np.ndarray
    exposed: np.ndarray
    bound_months: np.ndarray
    bound_error: np.ndarray
    strata: np.ndarray
    mixed: np.ndarray
    patients_each: np.ndarray
    died: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.died is None:
            self._freeze(died=np.zeros((len(self.study_ids), 1)))
        for name in list(self.__dataclass_fields__)[1:]:
            column = np.array(getattr(self, name), dtype=np.int64 if name == "patients_each" else float)
            if len(column) != len(self.study_ids) or not np.all((column >= 0) & np.isfinite(column)):
                raise ValueError(f"{name} must have a finite row for each study, of numbers not below zero")
            self._freeze(**{name: column})


Studies = RateStudies | HazardStudies | CurveStudies
