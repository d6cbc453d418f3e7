"""A fit without its draws: the rows that it adds to every table, small enough to hand from process to process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.cases.settings import Job
from analysis.results.comparison import Pooled

FAILED = "FAILED"


@dataclass(frozen=True)
class Record:
    """What one job leaves behind.

    Parameters
    ----------
    status : {"converged", "NOT CONVERGED", "FAILED", "no studies", "not pooled", "no density"}
        "FAILED" where the program stumbled, with the error in place of what the diagnostics say.
        "not pooled" where a fit beside the headline would count patients twice.
    estimates, studies, conversions, left_out : tuple of rows
        For the tables of these names; no estimates unless converged.
    diagnostics : row
    pooled : mapping of str to Pooled
        For the comparison with published numbers.
    agreement : tuple of rows
        For the table of this name; empty where there was one engine only.
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
    estimates: tuple[Mapping[str, Any], ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    studies: tuple[Mapping[str, Any], ...] = ()
    conversions: tuple[Mapping[str, Any], ...] = ()
    left_out: tuple[Mapping[str, Any], ...] = ()
    pooled: Mapping[str, Pooled] = field(default_factory=dict)
    agreement: tuple[Mapping[str, Any], ...] = ()
    log_evidence: float | None = None
    posterior: str = ""
    conflicts: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether there are studies but no result."""
        return self.status in ("NOT CONVERGED", FAILED)
