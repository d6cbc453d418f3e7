"""Studies that report in every way, for all models of a kind."""

from models.studies import RateStudies
from tests import quadrature
from tests.exact.solved import hazards

RATES = RateStudies(("a", "b", "c", "d", "e"), [15, 0, 12, 9, 9], [60, 7, 12, 140, 140])
NORMAL, SPLIT, COUNTS = (-2.8, 0.3, 0.3), (-2.2, 0.15, 0.6), (9.0, 180.5)
# Events, person-months and landmark: nobody of 6.4, everybody of 6.4, and 3 of 13 patients by 12 months.
LANDMARKS = [(0.0, 76.8, 12.0), (6.4, 0.0, 12.0), (3.0, 120.0, 12.0)]
MIXED = hazards([NORMAL, SPLIT], [COUNTS, (0.0, 25.0), *LANDMARKS])
INDEPENDENT = [quadrature.normal_study(*NORMAL), quadrature.normal_study(*SPLIT), quadrature.poisson_study(*COUNTS),
               quadrature.poisson_study(0, 25.0), *(quadrature.landmark_study(*row) for row in LANDMARKS)]
