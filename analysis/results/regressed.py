"""What the regressions of one endpoint leave behind."""

from dataclasses import dataclass
from typing import Any

from analysis.cases.settings import Job

Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Regressed:
    """What the regressions of one endpoint leave behind; every row is a plain mapping.

    Parameters
    ----------
    slopes, predictions, imputed, collinearity : tuple of rows
        With the columns of these names in `analysis.chapters.regression.rows`.
    left_out : tuple of rows
        As in left_out.csv.
    studies : tuple of rows
        As in studies.csv, with `values`: the natural value of each covariate by name, None where it is missing.
    priors : mapping of str to str
    """

    job: Job
    model: str
    ratio: str
    horizon: float | None
    n_studies: int
    n_patients: int
    priors: dict[str, str]
    warnings: tuple[str, ...]
    slopes: Rows
    predictions: Rows
    imputed: Rows
    collinearity: Rows
    studies: Rows
    left_out: Rows = ()

    @property
    def failed(self) -> Rows:
        """Slopes of fits that are no results."""
        return tuple(row for row in self.slopes if row["status"] == "NOT CONVERGED")

    @property
    def refused(self) -> Rows:
        """Slopes for which there are too few studies."""
        return tuple(row for row in self.slopes if row["refused"])
