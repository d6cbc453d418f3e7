"""The exact posterior of a variant, summed up in the numbers that variants are compared by."""

from dataclasses import dataclass

from analysis.estimands import Estimate
from analysis.exact.density import density_of
from analysis.exact.estimates import pooled
from analysis.exact.grid import Grid, solve
from analysis.sensitivity.variants import Variant

MAIN = {"rate": "mean_rate", "survival": "survival"}
NEW = {"rate": "new_study_rate", "survival": "new_study_survival"}
SPREAD = {"rate": "rho", "survival": "tau"}

TOLERANCE = 1e-6  # of a standard deviation: two hundred variants are compared to three digits


@dataclass(frozen=True)
class Summary:
    """Main estimand, prediction and heterogeneity of one posterior."""

    main: Estimate
    new: Estimate
    spread: Estimate


def posterior(variant: Variant) -> Grid:
    """The posterior of both hyperparameters.

    Raises
    ------
    QuadratureFailed
        When the sums do not settle.
    """
    return solve(density_of(variant.model, variant.studies, variant.priors), tolerance=TOLERANCE)


def summarise(grid: Grid, *, horizon: float, level: float) -> Summary:
    """The three estimands of a posterior, survival at `horizon` months, with intervals at `level`."""
    kind = grid.density.model.kind
    wanted = (MAIN[kind], NEW[kind], SPREAD[kind])
    found = {one.quantity.estimand: one.estimate(level) for one in pooled(grid, horizon=horizon, only=wanted)}
    return Summary(*(found[name] for name in wanted))
