"""Public data sets that several tests share."""

import numpy as np

from analysis.frequentist.estimates import Estimates
from models.studies import RateStudies
from tests.references import peers

# dat.bcg of metadat: events and non-events of the vaccinated and of the control group.
BCG = np.array([
    [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
    [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232], [17, 1699, 65, 1600],
    [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825]], dtype=float)


def studies(events, evaluable) -> RateStudies:
    return RateStudies(tuple(map(str, range(len(events)))), events, evaluable)


def of_peer(name: str) -> RateStudies:
    data = peers()[name]
    return RateStudies(tuple(data["study"]), data["events"], data["evaluable"])


def bcg(k: int) -> Estimates:
    """Log risk ratios of the first k trials with their variances."""
    a, b, c, d = BCG[:k].T
    return Estimates(np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


HOMOGENEOUS = studies([15] * 8, [60] * 8)
ALL_EVENTS = studies([15, 20, 30, 7], [15, 20, 30, 7])
NO_EVENTS = studies([0] * 4, [15, 20, 30, 7])
ONE = studies([8], [10])
TWO = studies([8, 15], [10, 40])
LARGE = studies([90_000, 91_000, 85_000], [100_000] * 3)
MIXED = studies([5, 17, 30, 2, 44, 9], [8, 20, 40, 2, 71, 10])
MIRRORED = studies([3, 3, 10, 0, 27, 1], [8, 20, 40, 2, 71, 10])
EDGES = {"homogeneous": HOMOGENEOUS, "all": ALL_EVENTS, "none": NO_EVENTS, "one": ONE, "two": TWO, "mixed": MIXED}
