"""The exact posterior of a variant, summed up in the numbers that variants are compared by."""

from dataclasses import dataclass

import numpy as np

from analysis.chapters.sensitivity.variants import Variant
from analysis.inference.density import density_of
from analysis.inference.estimands import MAIN, NEW, Estimate, Quantity, heterogeneity_of
from analysis.inference.grid import Grid, solve
from analysis.inference.pooled import ExactQuantity, hyperparameters, pooled

TOLERANCE = 1e-6  # of a standard deviation: two hundred variants are compared to three digits


@dataclass(frozen=True)
class Summary:
    """Main estimand, prediction and heterogeneity of one posterior; `heterogeneity` names the last."""

    main: Estimate
    new: Estimate
    spread: Estimate
    heterogeneity: str


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
    spread = heterogeneity_of(grid.density.model)
    wanted = (MAIN[kind], NEW[kind], spread)
    found = {one.quantity.estimand: one for one in pooled(grid, horizon=horizon, only=wanted)}
    if spread not in found:
        own = Quantity(spread, np.empty(0), "hyperparameter", "")
        found[spread] = ExactQuantity(own, hyperparameters(grid)[spread])
    return Summary(*(found[name].estimate(level) for name in wanted), spread)
