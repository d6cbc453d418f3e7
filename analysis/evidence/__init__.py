"""Evidence: read an evidence directory, check all of it, and return typed tables."""

from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError, Problem
from analysis.evidence.types import (
    AuditCheck,
    Columns,
    ComparisonRule,
    Covariate,
    Endpoint,
    Evidence,
    Fact,
    Reported,
    Response,
    Scenario,
    Source,
    Study,
    Subset,
    Survival,
    Total,
)

__all__ = [
    "AuditCheck", "Columns", "ComparisonRule", "Covariate", "Endpoint", "Evidence", "EvidenceError", "Fact", "Problem",
    "Reported", "Response", "Scenario", "Source", "Study", "Subset", "Survival", "Total", "load",
]
