"""From the covariate columns of the evidence to standardised numbers, and the rule for too few studies.

Everything is fitted in standard deviations of the known cells from their mean, so that no result hangs on the unit in
which a column is written; `analysis.cases.steps` says what one step of a slope is to a reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cases.steps import Step, step_of
from analysis.evidence import Covariate, Evidence
from analysis.system.errors import UsageError
from models.covariates import Covariates
from models.studies import HazardStudies, RateStudies, Studies

MIN_STUDIES = 4
MIN_OBSERVED = 3
MIN_VALUES = 2
_DIGITS = 12  # of standardised numbers: the same column in another unit gives the same ones
_NO_TABLE = ("{directory} has no covariates.csv, so there is nothing to regress on; add one with the columns "
             "covariate, label and column (a column of studies.csv with numbers), and unit and unit_size for the "
             "step of a slope")


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
        In standard deviations from the centre; NaN where the cell is missing.
    sd : float
        Standard deviation of the observed cells on the transformed scale; 1 where they do not differ.
    step : Step
        What a slope is told for, on the transformed scale.
    """

    covariate: Covariate
    centre: float
    values: np.ndarray
    sd: float = 1.0
    step: Step = Step(1.0, 1.0, "")

    @property
    def name(self) -> str:
        """Key of the covariate."""
        return self.covariate.covariate

    @property
    def missing(self) -> np.ndarray:
        """Which studies lack the cell; bool array, shape (k,)."""
        return np.isnan(self.values)

    def natural(self, values: np.ndarray) -> np.ndarray:
        """Values in standard deviations from the centre as they stand in studies.csv."""
        moved = self.centre + self.sd * values
        return 10.0**moved if self.covariate.transformation == "log10" else moved

    @property
    def prior_step(self) -> float:
        """Size of the step that the prior of the slope is about, in standard deviations."""
        return float(f"{self.step.prior_size / self.sd:.{_DIGITS}g}")

    def refusal(self, endpoint: str, *, complete: bool = False) -> str:
        """Why there are too few studies for a slope, with what is there and what is needed; empty for enough.

        Parameters
        ----------
        complete : bool
            Whether the studies without the covariate were left out.
        """
        seen = self.values[~self.missing]
        studies = f"studies with {endpoint} and {self.name}" if complete else f"studies with {endpoint}"
        counts = ((len(self.values), MIN_STUDIES, studies),
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
    """The covariate of some studies, standardised by mean and standard deviation of the observed cells."""
    cells = [evidence.study(study).columns.get(covariate.column, "") for study in study_ids]
    raw = np.array([float(cell) if cell else np.nan for cell in cells])
    moved = np.log10(raw) if covariate.transformation == "log10" else raw
    seen = moved[~np.isnan(moved)]
    centre, sd = _centre_and_sd(seen)
    values = np.round((moved - centre) / sd, _DIGITS)
    return Column(covariate, centre, values, sd, step_of(covariate, seen, sd))


def _centre_and_sd(seen: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; NaN and 1 for no number, an SD of 1 where all are equal."""
    if not len(seen):
        return float("nan"), 1.0
    if len(np.unique(seen)) == 1:
        return float(seen[0]), 1.0
    # Squares of very large or small numbers leave what a computer holds.
    size = np.abs(seen).max()
    return float(size * np.mean(seen / size)), float(size * np.std(seen / size, ddof=1))


def as_covariates(columns: Sequence[Column], used: Sequence[bool]) -> Covariates:
    """The columns as a model takes them; one that is not used is zero everywhere, so that nothing depends on it."""
    values = [column.values if use else np.zeros(len(column.values))
              for column, use in zip(columns, used, strict=True)]
    return Covariates(tuple(column.name for column in columns), np.stack(values, axis=1),
                      np.array([column.prior_step for column in columns]))


def taken(studies: Studies, rows: np.ndarray) -> Studies:
    """Some of the studies, by a mask of shape (k,)."""
    chosen = np.flatnonzero(rows)
    ids = tuple(studies.study_ids[at] for at in chosen)
    if isinstance(studies, RateStudies):
        return RateStudies(ids, studies.events[chosen], studies.evaluable[chosen])
    columns = {name: getattr(studies, name)[chosen] for name in studies.__dataclass_fields__ if name != "study_ids"}
    return HazardStudies(ids, **columns)
