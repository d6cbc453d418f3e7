"""Everything that an evidence directory holds, as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from analysis.evidence import types
from analysis.evidence.problems import Problem
from analysis.evidence.types import Endpoint, Response, Study, Survival


@dataclass(frozen=True)
class Evidence:
    """Everything an evidence directory holds, each table in the order of its file.

    Patients of one study, endpoint and cut are one row of `patients`, which says what they amount to.

    Parameters
    ----------
    directory : Path
        Where it was read.
    sha256 : str
        Digest over the names and bytes of all tables read; of one file, over its bytes, whatever its name.
    notes : tuple of Problem
        What is suspicious but not wrong.
    """

    directory: Path
    sha256: str
    studies: tuple[Study, ...]
    endpoints: tuple[Endpoint, ...]
    responses: tuple[Response, ...] = ()
    survival: tuple[Survival, ...] = ()
    patients: tuple[Survival, ...] = ()
    reported: tuple[types.Reported, ...] = ()
    totals: tuple[types.Total, ...] = ()
    scenarios: tuple[types.Scenario, ...] = ()
    sources: tuple[types.Source, ...] = ()
    facts: tuple[types.Fact, ...] = ()
    audit: tuple[types.AuditCheck, ...] = ()
    subsets: tuple[types.Subset, ...] = ()
    comparisons: tuple[types.ComparisonRule, ...] = ()
    covariates: tuple[types.Covariate, ...] = ()
    benchmarks: tuple[types.Benchmark, ...] = ()
    gaps: tuple[types.Gap, ...] = ()
    about: tuple[types.About, ...] = ()
    notes: tuple[Problem, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        tables = ("studies", "endpoints", "responses", "survival", "reported")
        counts = ", ".join(f"{len(getattr(self, name))} {name}" for name in tables)
        return f"Evidence({str(self.directory)!r}: {counts})"

    def notes_on(self, endpoint: str) -> tuple[Problem, ...]:
        """Notes that bear on one endpoint: on its rows, and on what is read of whole files."""
        return tuple(note for note in self.notes
                     if not note.subject or endpoint in note.subject.split(", ") or note.file == "endpoints.csv")

    @property
    def numbers(self) -> tuple[Response | Survival, ...]:
        """The rows that say what a study found, each table in its order."""
        return (*self.responses, *self.survival, *self.patients)

    def study(self, study_id: str) -> Study:
        """Return the study with this id; KeyError when there is none."""
        return self._studies_by_id[study_id]

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint with this name; KeyError when there is none."""
        return self._endpoints_by_name[name]

    def told(self, about: str, otherwise: str = "") -> str:
        """What about.csv says, such as the title of pages; other words where it says nothing."""
        return next((row.text for row in self.about if row.about == about), otherwise)

    def counts_person_time(self, endpoint: str) -> bool:
        """Whether all that studies say of an endpoint is events over person-time: a rate of events, and no curve."""
        rows = [row for row in (*self.survival, *self.patients) if row.endpoint == endpoint]
        return bool(rows) and all(row.person_months and not row.statistic and not row.patients for row in rows)

    @cached_property
    def _studies_by_id(self) -> Mapping[str, Study]:
        return {study.study_id: study for study in self.studies}

    @cached_property
    def _endpoints_by_name(self) -> Mapping[str, Endpoint]:
        return {endpoint.endpoint: endpoint for endpoint in self.endpoints}
