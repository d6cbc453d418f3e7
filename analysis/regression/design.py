"""From the covariate columns of the evidence to numbers in units from a centre, and the rule for too few studies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.evidence import Covariate, Evidence
from analysis.selection import UsageError
from models.covariates import Covariates
from models.studies import HazardStudies, RateStudies, Studies

MIN_STUDIES = 4
MIN_OBSERVED = 3
MIN_VALUES = 2
_NO_TABLE = ("{directory} has no covariates.csv, so there is nothing to regress on; add one with the columns "
             "covariate, label and column (a column of studies.csv with numbers), and unit and unit_size where a step "
             "is not 1")


@dataclass(frozen=True)
class Column:
    """One covariate of the studies of one analysis.

    Parameters
    ----------
    covariate : Covariate
        Its row of covariates.csv.
    centre : float
        Mean of the observed cells on the transformed scale; NaN without one.
    values : float array, shape (k,)
        In units from the centre; NaN where the cell is missing.
    """

    covariate: Covariate
    centre: float
    values: np.ndarray

    @property
    def name(self) -> str:
        """Key of the covariate."""
        return self.covariate.covariate

    @property
    def missing(self) -> np.ndarray:
        """Which studies lack the cell; bool array, shape (k,)."""
        return np.isnan(self.values)

    def natural(self, values: np.ndarray) -> np.ndarray:
        """Values in units from the centre as they stand in studies.csv."""
        moved = self.centre + self.covariate.unit_size * values
        return 10.0**moved if self.covariate.transformation == "log10" else moved

    def refusal(self, endpoint: str) -> str:
        """Why there are too few studies for a slope, with what is there and what is needed; empty for enough."""
        seen = self.values[~self.missing]
        counts = ((len(self.values), MIN_STUDIES, f"studies with {endpoint}"),
                  (len(seen), MIN_OBSERVED, f"of these with {self.name}"),
                  (len(np.unique(seen)), MIN_VALUES, f"different values of {self.name}"))
        return next((f"{endpoint} on {self.name}: {have} {what}, at least {need} are needed"
                     for have, need, what in counts if have < need), "")

    @property
    def lone_study(self) -> bool:
        """Whether all observed cells but one are equal, so that the slope is that study against the rest."""
        _, counts = np.unique(self.values[~self.missing], return_counts=True)
        return len(counts) == 2 and counts.min() == 1


def covariates_of(evidence: Evidence, names: Sequence[str] = ()) -> tuple[Covariate, ...]:
    """The named covariates, or all of the evidence, in the order of the table.

    Raises
    ------
    UsageError
        When the evidence has no covariates, or not one of that name.
    """
    if not evidence.covariates:
        raise UsageError(_NO_TABLE.format(directory=evidence.directory))
    known = [row.covariate for row in evidence.covariates]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"unknown covariate {', '.join(map(repr, unknown))}; covariates.csv has {', '.join(known)}")
    return tuple(row for row in evidence.covariates if not names or row.covariate in names)


def column_of(evidence: Evidence, covariate: Covariate, study_ids: Sequence[str]) -> Column:
    """The covariate of some studies, centred at the mean of the observed cells."""
    cells = [evidence.study(study).columns.get(covariate.column, "") for study in study_ids]
    raw = np.array([float(cell) if cell else np.nan for cell in cells])
    moved = np.log10(raw) if covariate.transformation == "log10" else raw
    seen = moved[~np.isnan(moved)]
    centre = float(seen.mean()) if len(seen) else float("nan")
    return Column(covariate, centre, (moved - centre) / covariate.unit_size)


def as_covariates(columns: Sequence[Column], used: Sequence[bool]) -> Covariates:
    """The columns as a model takes them; one that is not used is zero everywhere, so that nothing depends on it."""
    values = [column.values if use else np.zeros(len(column.values))
              for column, use in zip(columns, used, strict=True)]
    return Covariates(tuple(column.name for column in columns), np.stack(values, axis=1))


def taken(studies: Studies, rows: np.ndarray) -> Studies:
    """Some of the studies, by a mask of shape (k,)."""
    chosen = np.flatnonzero(rows)
    ids = tuple(studies.study_ids[at] for at in chosen)
    if isinstance(studies, RateStudies):
        return RateStudies(ids, studies.events[chosen], studies.evaluable[chosen])
    columns = {name: getattr(studies, name)[chosen] for name in studies.__dataclass_fields__ if name != "study_ids"}
    return HazardStudies(ids, **columns)
