"""What a run hands on: its fits, their comparison with the published numbers, and the tables beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis.cases.settings import Job
from analysis.evidence.types import Evidence
from analysis.results.comparison import Comparison
from analysis.results.numbers import PERCENT, Scale, scale_of
from analysis.results.records import Record
from analysis.results.table import Layout, Table
from analysis.system.failures import Failure

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Results:
    """The tables of a run.

    Parameters
    ----------
    records : tuple of Record
        One per fit, in the order of the plan.
    comparisons : tuple of Comparison
        One per row of reported.csv.
    stamp : str
        Empty, or QUICK where the chains are short.
    side : mapping of str to (columns, rows)
        Tables beside the fits, by file name; see `analysis.runs.side` and `analysis.runs.dependence`.
    regressions : tuple of Regressed
        One per endpoint, where the evidence has covariates.
    failures : tuple of Failure
        Parts beside the fits that ended in an unexpected error.
    """

    evidence: Evidence
    base: Job
    records: tuple[Record, ...]
    comparisons: tuple[Comparison, ...]
    stamp: str = ""
    tables: Mapping[str, Table] = field(default_factory=dict)
    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def rows(self, file: str) -> tuple[Mapping[str, Any], ...]:
        """Rows of a table; none where it was not made."""
        return self.tables[file].rows if file in self.tables else ()

    def frame(self, layout: Layout) -> "pd.DataFrame":
        """A table with typed columns; without rows where it was not made."""
        return self.tables.get(layout.file, layout.table(())).frame

    def scale(self, endpoint: str) -> Scale:
        """The unit in which an endpoint's rates are read, from its headline estimate, or else its studies' counts."""
        found = self.headline(endpoint) if any(one.job.question.endpoint == endpoint for one in self.records) else None
        if found is None:
            return PERCENT
        pooled = next((row["median"] for row in found.estimates if row["scale"] == "probability"), None)
        patients = sum(row["n"] for row in found.studies)
        crude = sum(row["raw"] * row["n"] for row in found.studies) / patients if patients else None
        return scale_of(pooled if pooled is not None else crude)

    @property
    def failed(self) -> tuple[Record, ...]:
        """Fits that are no results."""
        return tuple(record for record in self.records if record.failed)

    def headline(self, endpoint: str, subset: str = "all") -> Record | None:
        """The headline fit of an endpoint, None where the evidence has none."""
        return next((found for found in self.records if found.job.question.endpoint == endpoint
                     and found.job.question.subset == subset
                     and found.job.question.tiers == self.base.question.tiers
                     and found.job.question.early_landmarks
                     and found.model == self._first_model(endpoint)), None)

    def _first_model(self, endpoint: str) -> str:
        return next(found.model for found in self.records if found.job.question.endpoint == endpoint)
