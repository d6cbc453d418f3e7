"""The rows of power_scaling.csv: how the main estimand moves when the prior or the likelihood is raised to a power.

The prior p(theta)^alpha or the likelihood p(y | theta)^alpha re-weights the points of the exact grid, so nothing is
refitted and nothing is sampled. The measure is the change of the posterior mean in posterior standard deviations per
doubling of alpha, from alpha = 0.8 and 1.25, not the cumulative Jensen-Shannon distance of the reference: it has a
sign and a unit. It is linear in log alpha only as far as the two steps show.

Only the hyperparameters are scaled: study effects are integrated out, and their distribution is the model's.
Scaling cannot see a flat prior (a uniform density to any power is uniform), nor what another family of priors would
do: that is what the refits are for.

References
----------
Kallioinen N, Paananen T, Buerkner PC, Vehtari A. Stat Comput 2024;34:57, doi 10.1007/s11222-023-10366-5.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from analysis.cases.case import headline_case
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.distribution import distribution
from analysis.inference.grid import Grid
from analysis.inference.pooled import quantities_at
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, posterior_of
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, Row, columns
from analysis.results.tables import case_cells, priors_text
from models.backend import NUMBERS
from models.priors import Prior

ALPHAS = (0.8, 1.25)
LIKELIHOOD, BOTH = "likelihood", "prior"
POWER_SCALING = Layout("power_scaling.csv", "A prior or the likelihood of one headline raised to a power.", columns(
    "endpoint model tiers study_set k_studies n_patients",
    Column("scaled", "what is raised to a power: likelihood, prior (all), or one parameter's prior", "text", "Scaled"),
    Column("prior", "the priors that are scaled", "text", "Density"),
    Column("flat", "whether they are constant over the posterior, so that scaling cannot move anything",
           "flag flat: scaling cannot see it", "Note"),
    "estimand time_months", Column("alpha_low", "the lower power"), Column("alpha_high", "the higher power"),
    Column("mean", "posterior mean; empty where it need not exist", "estimate", "Mean{unit}"),
    Column("sd", "posterior standard deviation; empty where it need not exist", "spread", "Posterior SD{points}"),
    Column("mean_low", "posterior mean at the lower power"),
    Column("mean_high", "posterior mean at the higher power"), "median",
    Column("median_low", "posterior median at the lower power"),
    Column("median_high", "posterior median at the higher power"),
    Column("shift", "change of the mean in posterior standard deviations for each doubling of the power",
           "turned", "Shift of the mean, SD per doubling"),
    "status reason stamp"))


def power_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[Row]]:
    """Rows of one endpoint's headline: the likelihood, both priors together, and each prior; none without studies."""
    case = headline_case(evidence, base, endpoint)
    if not len(case.studies):
        return {}
    shared = {**case_cells(case, POWER_SCALING), "alpha_low": ALPHAS[0], "alpha_high": ALPHAS[1]}
    try:
        grid = posterior_of(case).grid
    except NO_POSTERIOR as error:
        return {POWER_SCALING.file: [{**shared, "scaled": BOTH, "status": NOT_COMPUTED, "reason": str(error)}]}
    (main,) = (quantity for quantity in quantities_at(grid, horizon=case.selection.horizon)
               if quantity.estimand == main_estimand(case))
    shared |= {"status": COMPUTED, "reason": ""}
    values = main.draws.reshape(grid.weights.shape)
    return {POWER_SCALING.file: [{**shared, **_scaled(grid, values, name, log_density)}
                                 for name, log_density in log_densities(grid).items()]}


def log_densities(grid: Grid) -> dict[str, np.ndarray]:
    """Log density of what can be scaled at each point of the grid, by name; shape (V, U) each.

    Priors are densities of the hyperparameters on their natural scale, without the Jacobian of the grid's own
    coordinates, which is no part of the prior.
    """
    density = grid.density
    places = dict(zip(density.names, (grid.location, grid.heterogeneity), strict=True))
    priors = {name: _natural_log_density(density.priors[name], value) for name, value in places.items()}
    return {LIKELIHOOD: _log_likelihood(grid), BOTH: sum(priors.values()), **priors}


def _natural_log_density(prior: Prior, value: np.ndarray) -> np.ndarray:
    """Log density of a natural value from that of the unconstrained one."""
    log_slope = {"real": np.zeros_like(value), "positive": value,
                 "unit": -np.logaddexp(0.0, value) - np.logaddexp(0.0, -value)}[prior.support]
    return prior.log_density(value) - log_slope


def _log_likelihood(grid: Grid) -> np.ndarray:
    density = grid.density
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = density.model.marginal.log_density(grid.values, density.inputs, on=NUMBERS)
    return np.where(np.isnan(values), -np.inf, values).reshape(grid.weights.shape)


def power_scaled(grid: Grid, log_density: np.ndarray, alpha: float) -> Grid:
    """The posterior with that density raised to the power alpha: the same points with other weights."""
    kept = grid.weights > 0.0
    exponent = np.where(kept, (alpha - 1.0) * np.where(kept, log_density, 0.0), -np.inf)
    weights = grid.weights * np.exp(exponent - exponent[kept].max())
    return replace(grid, weights=weights / weights.sum())


def _scaled(grid: Grid, values: np.ndarray, name: str, log_density: np.ndarray) -> dict[str, Any]:
    """The estimand, whose values at the points of the grid have shape (V, U), under both powers of one density."""
    low, high = (power_scaled(grid, log_density, alpha) for alpha in ALPHAS)
    low, middle, high = (distribution(scaled, values) for scaled in (low, grid, high))
    priors = {key: prior for key, prior in grid.density.priors.items() if name in (key, BOTH)}
    # Constant to rounding over the posterior: what a uniform density is.
    flat = name != LIKELIHOOD and float(np.ptp(log_density[grid.weights > 1e-12])) < 1e-9
    return {"scaled": name, "prior": priors_text(priors), "flat": flat,
            "mean": middle.mean, "sd": middle.sd, "mean_low": low.mean, "mean_high": high.mean,
            "median": float(middle.quantile(0.5)), "median_low": float(low.quantile(0.5)),
            "median_high": float(high.quantile(0.5)),
            "shift": (high.mean - low.mean) / middle.sd / float(np.log2(ALPHAS[1] / ALPHAS[0]))}
