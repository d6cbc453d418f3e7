"""What is planned: plain values, which the command line reads."""

from dataclasses import dataclass

PREDICTIVE, ROBUST, UNIFORM = "predictive", "robust", "uniform"
ANALYSES = (ROBUST, PREDICTIVE, UNIFORM)

MOST_PATIENTS = 400
"""Patients of the largest trial: everything is enumerated, and sizes are tried one by one."""


@dataclass(frozen=True)
class Plan:
    """What is planned.

    Parameters
    ----------
    n : int
        Patients.
    threshold, confidence : float
        The trial succeeds where its rate lies beyond the threshold with this posterior probability.
    analysis : {"robust", "predictive", "uniform"}
        Prior of the analysis.
    robust : float
        Weight of the vague component.
    target : float
        Assurance for which a size is looked for.
    look : int or None
        Patients of an interim look.
    futility : float
        Predictive probability of success below which the look stops.
    months : float or None
        Of survival.
    """

    n: int
    threshold: float
    confidence: float = 0.95
    analysis: str = ROBUST
    robust: float = 0.2
    target: float = 0.8
    look: int | None = None
    futility: float = 0.05
    months: float | None = None
