"""All tables of an evidence directory in one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from analysis.evidence.problems import Problem
from analysis.evidence.records import (
    AuditCheck,
    ComparisonRule,
    Covariate,
    Fact,
    Reported,
    Scenario,
    Source,
    Subset,
    Total,
)
from analysis.evidence.rows import Endpoint, Response, Study, Survival


@dataclass(frozen=True)
class Evidence:
    """Everything an evidence directory holds, each table in the order of its file.

    Parameters
    ----------
    directory : Path
        Where it was read.
    sha256 : str
        Digest over the names and bytes of all tables read.
    notes : tuple of Problem
        What is suspicious but not wrong.
    """

    directory: Path
    sha256: str
    studies: tuple[Study, ...]
    endpoints: tuple[Endpoint, ...]
    responses: tuple[Response, ...] = ()
    survival: tuple[Survival, ...] = ()
    reported: tuple[Reported, ...] = ()
    totals: tuple[Total, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    sources: tuple[Source, ...] = ()
    facts: tuple[Fact, ...] = ()
    audit: tuple[AuditCheck, ...] = ()
    subsets: tuple[Subset, ...] = ()
    comparisons: tuple[ComparisonRule, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    notes: tuple[Problem, ...] = field(default=(), compare=False)

    def study(self, study_id: str) -> Study:
        """Return the study with this id; KeyError when there is none."""
        return self._studies_by_id[study_id]

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint with this name; KeyError when there is none."""
        return self._endpoints_by_name[name]

    @cached_property
    def _studies_by_id(self) -> Mapping[str, Study]:
        return {study.study_id: study for study in self.studies}

    @cached_property
    def _endpoints_by_name(self) -> Mapping[str, Endpoint]:
        return {endpoint.endpoint: endpoint for endpoint in self.endpoints}
