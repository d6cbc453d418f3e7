"""One estimate with a variance per study, the input of the normal-normal methods."""

from dataclasses import dataclass

import numpy as np

from analysis.frequentist.interval import joined
from models import log_hazard
from models.backend import NUMBERS
from models.studies import HazardStudies, RateStudies

UNEQUAL_ERRORS = "unequal standard errors replaced by their mean"
CORRECTED = "0.5 added to both cells of studies with an empty cell"
SMOOTHED_COUNTS = ("events and person-months enter as log((d + 0.5)/T) with standard error 1/sqrt(d + 0.5), counts at "
                   "a landmark as the log-log of (survivors + 0.5)/(n + 1)")


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates with sampling variances taken as known.

    Parameters
    ----------
    values, variances : array, shape (k,)
        On the link scale: logit of a rate, or log hazard per month.
    note : str
        What had to be done to the data.
    """

    values: np.ndarray
    variances: np.ndarray
    note: str = ""

    def __len__(self) -> int:
        return len(self.values)


def logits(studies: RateStudies) -> Estimates:
    """Logit of each observed rate with variance 1/events + 1/non-events; studies of nobody are left out.

    Where a cell is empty, 0.5 is added to both cells of that study and of no other.

    References
    ----------
    Gart JJ, Zweifel JR. Biometrika 1967;54:181, doi 10.1093/biomet/54.1-2.181.
    """
    kept = studies.evaluable > 0
    events = studies.events[kept].astype(float)
    others = studies.evaluable[kept] - events
    empty = (events == 0) | (others == 0)
    events, others = events + 0.5 * empty, others + 0.5 * empty
    return Estimates(np.log(events / others), 1.0 / events + 1.0 / others, CORRECTED if empty.any() else "")


def log_hazards(studies: HazardStudies) -> Estimates:
    """Log hazard per month of each study with its variance.

    A normal-normal method has room for one standard error: unequal ones are replaced by their mean, and counts by
    their smoothed logarithm.
    """
    values, variances = smoothed_log_hazards(studies)
    printed = studies.is_estimate
    variances[printed] = ((studies.se_lower + studies.se_upper)[printed] / 2.0) ** 2
    unequal = printed & (studies.se_lower != studies.se_upper)
    notes = ((UNEQUAL_ERRORS, unequal.any()), (SMOOTHED_COUNTS, not printed.all()))
    return Estimates(values, variances, joined(*(text for text, applies in notes if applies)))


def smoothed_log_hazards(studies: HazardStudies) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard per month of each study, counts by their smoothed logarithm, and its variance, shape (k,) each.

    The variance of an estimate is the product of its two standard errors.
    """
    rows = log_hazard.kinds(studies)
    values, variances = np.empty(len(studies)), np.empty(len(studies))
    for name, table in log_hazard.data(studies).items():
        values[rows[name]], variances[rows[name]] = log_hazard.rough(name, table, on=NUMBERS)
    return values, variances
