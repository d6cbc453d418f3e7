"""Studies that report in every way, for all models of a kind."""

from collections.abc import Sequence

import numpy as np

from models.studies import HazardStudies, RateStudies
from tests import quadrature

RATES = RateStudies(("a", "b", "c", "d", "e"), [15, 0, 12, 9, 9], [60, 7, 12, 140, 140])


def hazards(estimates: Sequence[tuple], counts: Sequence[tuple]) -> HazardStudies:
    """Studies with (log hazard, error below, error above), then those with (events, person-months[, landmark])."""
    rows = np.array([(*row, 0.0, 0.0, 0.0) for row in estimates]
                    + [(np.nan, np.nan, np.nan, *row, 0.0)[:6] for row in counts])
    ids = [f"s{at}" for at in range(len(rows))]
    return HazardStudies(ids, *rows.T[:5], [10] * len(rows), rows.T[5])


NORMAL, SPLIT, COUNTS = (-2.8, 0.3, 0.3), (-2.2, 0.15, 0.6), (9.0, 180.5)
# Events, person-months and landmark: nobody of 6.4, everybody of 6.4, and 3 of 13 patients by 12 months.
LANDMARKS = [(0.0, 76.8, 12.0), (6.4, 0.0, 12.0), (3.0, 120.0, 12.0)]
MIXED = hazards([NORMAL, SPLIT], [COUNTS, (0.0, 25.0), *LANDMARKS])
INDEPENDENT = [quadrature.normal_study(*NORMAL), quadrature.normal_study(*SPLIT), quadrature.poisson_study(*COUNTS),
               quadrature.poisson_study(0, 25.0), *(quadrature.landmark_study(*row) for row in LANDMARKS)]
