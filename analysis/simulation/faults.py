"""Deliberate errors of an analysis: the test of calibration has to find them, or it tests nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.priors import Prior
from models.studies import RateStudies, Studies

_THIRD = 3


_SHIFTS = {"positive": np.log(2.0), "unit": np.log(4.0)}


@dataclass(frozen=True)
class Doubled:
    """A prior of the heterogeneity that lets the between-study SD be twice as large.

    It stands where the density expects a `Prior`. An SD is doubled by a shift of its log by log 2; a heterogeneity
    between 0 and 1 is a share of variance, whose odds a doubled SD makes four times as large. That is the same error
    for every family.
    """

    prior: Prior

    @property
    def support(self) -> str:
        """Where the density is positive, as before."""
        return self.prior.support

    def log_density(self, value: np.ndarray) -> np.ndarray:
        """Log density of the unconstrained value."""
        return self.prior.log_density(value - _SHIFTS[self.support])


def seen_priors(priors: Mapping[str, Prior], fault: str | None) -> dict[str, Prior | Doubled]:
    """The priors that the analysis uses: those of the simulation, or with a doubled heterogeneity."""
    location, heterogeneity = priors
    wrong = fault == "prior"
    return {location: priors[location],
            heterogeneity: Doubled(priors[heterogeneity]) if wrong else priors[heterogeneity]}


def seen_studies(studies: Studies, fault: str | None) -> Studies:
    """The data that the analysis uses: those of the simulation, or misread ones."""
    if fault == "counts":
        return _misread(studies)
    if fault == "twice":
        return _doubled(studies)
    return studies


def _misread(studies: Studies) -> Studies:
    hit = np.arange(len(studies)) % _THIRD == 0
    if isinstance(studies, RateStudies):
        return replace(studies, events=np.where(hit, studies.evaluable - studies.events, studies.events))
    # The hazard is log 2 over the median: who takes the median for the mean loses log log 2.
    shift = np.where(hit, np.log(np.log(2.0)), 0.0)
    return replace(studies, log_hazard=studies.log_hazard - shift,
                   person_months=studies.person_months * np.exp(shift),
                   landmark_months=studies.landmark_months * np.exp(shift))


def _doubled(studies: Studies) -> Studies:
    if isinstance(studies, RateStudies):
        return replace(studies, events=2 * studies.events, evaluable=2 * studies.evaluable)
    return replace(studies, se_lower=studies.se_lower / np.sqrt(2.0), se_upper=studies.se_upper / np.sqrt(2.0),
                   events=2 * studies.events, person_months=2 * studies.person_months)
