"""Evidence: read an evidence directory, check all of it, and return typed tables."""

from analysis.evidence.bundle import Evidence
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError, Problem
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
from analysis.evidence.rows import Columns, Endpoint, Response, Study, Survival

__all__ = [
    "AuditCheck",
    "Columns",
    "ComparisonRule",
    "Covariate",
    "Endpoint",
    "Evidence",
    "EvidenceError",
    "Fact",
    "Problem",
    "Reported",
    "Response",
    "Scenario",
    "Source",
    "Study",
    "Subset",
    "Survival",
    "Total",
    "load",
]
