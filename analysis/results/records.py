"""A fit without its draws: the rows that it adds to every table, small enough to hand from process to process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.cases.selection import choices
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.estimands import SPREADS
from analysis.results.table import Row

FAILED = "FAILED"


@dataclass(frozen=True)
class Record:
    """What one job leaves behind.

    Parameters
    ----------
    status : {"converged", "NOT CONVERGED", "FAILED", "no studies", "not pooled", "no density"}
        "FAILED" where the program stumbled, with the error in place of what the diagnostics say.
        "not pooled" where a fit beside the headline would count patients twice.
    estimates, studies, conversions, left_out, agreement : tuple of rows
        Of the tables of these names; no estimates unless converged, no agreement where there was one engine only.
    diagnostics : row
    chances : mapping of str to float
        Posterior probability of each published interval that the fit may answer, by `reported_id`.
    log_evidence : float or None
    posterior : str
        Name of the netCDF file, empty where none was written.
    conflicts : tuple of str
        Those of the warnings that tell of a prior in conflict with the data.
    """

    job: Job
    model: str
    status: str
    k_studies: int = 0
    n_patients: int = 0
    priors: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    estimates: tuple[Row, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    studies: tuple[Row, ...] = ()
    conversions: tuple[Row, ...] = ()
    left_out: tuple[Row, ...] = ()
    chances: Mapping[str, float] = field(default_factory=dict)
    agreement: tuple[Row, ...] = ()
    log_evidence: float | None = None
    posterior: str = ""
    conflicts: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there are studies but no result."""
        return self.status in ("NOT CONVERGED", FAILED)

    def name(self, evidence: Evidence) -> str:
        """Keys of endpoint, model and subset, and which rows count."""
        question = self.job.question
        return " ".join([question.endpoint, self.model, question.subset, *choices(evidence, question)])

    @property
    def heterogeneity(self) -> str:
        """The estimand that tells how much studies differ, rho or tau; empty where there is none."""
        return next((name for name in SPREADS if self.estimate(name)), "")

    def estimate(self, estimand: str, months: float | None = None) -> Row | None:
        """The pooled row of an estimand, None where there is none; one that has a time is at `months`, if given."""
        return next((row for row in self.estimates if row["estimand"] == estimand and row["study_id"] is None
                     and (months is None or row["time_months"] in (None, months))), None)
