"""From the covariate columns of the evidence to standardised numbers, with the step that a slope is told for.

Everything is fitted in standard deviations of the known cells from their mean, so that no result hangs on the unit in
which a column is written. The step of a slope is the one that covariates.csv states, or else a round one near one
standard deviation.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.evidence.directory import Evidence
from analysis.evidence.types import Covariate
from analysis.system.errors import UsageError

MIN_STUDIES = 4
MIN_OBSERVED = 3
MIN_VALUES = 2
_DIGITS = 12  # of standardised numbers: the same column in another unit gives the same ones
_ROUND = (1.0, 2.0, 5.0, 10.0)
_FACTORS = (1.1, 1.2, 1.5, 2.0, 5.0, 10.0, 100.0, 1000.0)
_GROUPED = (1e3, 1e7)
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
    unit : str
        The step that a slope is printed for, in words.
    unit_size : float
        Its size, on the transformed scale.
    prior_size : float
        Size of the step that the prior of the slope is per: the same where the evidence states a step, else one
        standard deviation, so that the unit of the column does not matter.
    """

    covariate: Covariate
    centre: float
    values: np.ndarray
    sd: float = 1.0
    unit: str = ""
    unit_size: float = 1.0
    prior_size: float = 1.0

    @property
    def name(self) -> str:
        """Key of the covariate."""
        return self.covariate.covariate

    @property
    def missing(self) -> np.ndarray:
        """Which studies lack the cell; bool array, shape (k,)."""
        return np.isnan(self.values)

    @property
    def prior_step(self) -> float:
        """Size of the step that the prior of the slope is per, in standard deviations."""
        return float(f"{self.prior_size / self.sd:.{_DIGITS}g}")

    @property
    def units_per_prior_step(self) -> float:
        """A slope per step of the prior is divided by it to be one per printed unit."""
        return self.prior_size / self.unit_size

    @property
    def lone_study(self) -> bool:
        """Whether all observed cells but one are equal, so that the slope is that study against the rest."""
        _, counts = np.unique(self.values[~self.missing], return_counts=True)
        return len(counts) == 2 and bool(counts.min() == 1)

    def natural(self, values: np.ndarray) -> np.ndarray:
        """Values in standard deviations from the centre as they stand in studies.csv."""
        moved = self.centre + self.sd * values
        return 10.0**moved if self.covariate.transformation == "log10" else moved

    def refusal(self, *, complete: bool = False) -> str:
        """Why there are too few studies of an endpoint for a slope, and how many are needed; empty for enough.

        Parameters
        ----------
        complete : bool
            Whether the studies without the covariate were left out.
        """
        seen = self.values[~self.missing]
        counts = ((len(self.values), MIN_STUDIES, "studies with both" if complete else "studies"),
                  (len(seen), MIN_OBSERVED, "studies with the covariate"),
                  (len(np.unique(seen)), MIN_VALUES, "different values"))
        return next((f"too few {what}: {have}, at least {need} are needed"
                     for have, need, what in counts if have < need), "")


def covariates_of(evidence: Evidence, names: Sequence[str] = ()) -> tuple[Covariate, ...]:
    """The named covariates, or all of the evidence, in the order of the table.

    Raises
    ------
    UsageError
        When the evidence has no covariates, or not one of that name.
    """
    if not evidence.covariates:
        raise UsageError(_NO_TABLE.format(directory=evidence.directory))
    defined = [covariate.covariate for covariate in evidence.covariates]
    unknown = [name for name in names if name not in defined]
    if unknown:
        raise UsageError(f"unknown covariate {', '.join(map(repr, unknown))}; covariates.csv has {', '.join(defined)}")
    return tuple(covariate for covariate in evidence.covariates if not names or covariate.covariate in names)


def cell_of(evidence: Evidence, covariate: Covariate, study_id: str) -> float | None:
    """The number in studies.csv, None for an empty cell."""
    cell = evidence.study(study_id).columns.get(covariate.column, "")
    return float(cell) if cell else None


def column_of(evidence: Evidence, covariate: Covariate, study_ids: Sequence[str]) -> Column:
    """The covariate of some studies, standardised by mean and standard deviation of the observed cells."""
    raw = np.array([cell_of(evidence, covariate, study_id) for study_id in study_ids], dtype=float)
    moved = np.log10(raw) if covariate.transformation == "log10" else raw
    seen = moved[~np.isnan(moved)]
    centre, sd = _centre_and_sd(seen)
    return Column(covariate, centre, np.round((moved - centre) / sd, _DIGITS), sd, *unit_of(covariate, seen, sd))


def _centre_and_sd(seen: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; NaN and 1 for no number, an SD of 1 where all are equal."""
    if not len(seen):
        return float("nan"), 1.0
    if len(np.unique(seen)) == 1:
        return float(seen[0]), 1.0
    # Squares of very large or small numbers leave what a computer holds.
    size = np.abs(seen).max()
    return float(size * np.mean(seen / size)), float(size * np.std(seen / size, ddof=1))


def unit_of(covariate: Covariate, seen: np.ndarray, sd: float) -> tuple[str, float, float]:
    """The step of a covariate in words, its size, and the size of the step that the prior of its slope is per.

    A step is stated by a unit_size that is not 1, or by a unit with a unit_size. Where a column has two values, one
    step leads from one to the other.

    Parameters
    ----------
    seen : array
        The known cells on the transformed scale.
    sd : float
        Their standard deviation, 1 where they do not differ.
    """
    size, log10 = covariate.unit_size, covariate.transformation == "log10"
    if covariate.unit and (size is not None or log10):
        return covariate.unit, size or 1.0, size or 1.0
    if size not in (None, 1.0):
        return f"{size:g} on the log10 scale" if log10 else amount(size), size, size
    values = np.unique(seen)
    if len(values) == 2 and not log10:
        size = prior_size = float(values[1] - values[0])
    else:
        size, prior_size = (_log_factor_near(sd) if log10 else _round_number_near(sd)), sd
    words = f"{10.0**size:.4g}-fold" if log10 else amount(size)
    if covariate.unit:
        words = covariate.unit if size == 1.0 else f"{words} ({covariate.unit})"
    return words, size, prior_size


def amount(size: float) -> str:
    """A number with its thousands apart, such as 20,000."""
    low, high = _GROUPED
    return f"{size:,.10g}" if low <= size < high else f"{size:.4g}"


def _round_number_near(sd: float) -> float:
    """1, 2 or 5 times a power of ten, whichever is nearest to the SD as a factor."""
    exponent = math.floor(math.log10(sd))
    nearest = min(_ROUND, key=lambda digit: abs(math.log10(sd) - exponent - math.log10(digit)))
    # As text, since 10.0**-6 times 2 is not the number nearest to 2e-6.
    return float(f"{nearest:g}e{exponent}")


def _log_factor_near(sd: float) -> float:
    return math.log10(min(_FACTORS, key=lambda factor: abs(math.log(sd / math.log10(factor)))))
