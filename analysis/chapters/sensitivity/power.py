"""The rows of power_scaling.csv: how the main estimand moves when the prior or the likelihood is raised to a power.

The prior p(theta)^alpha or the likelihood p(y | theta)^alpha re-weights the points of the exact grid, so nothing is
refitted and nothing is sampled. The measure is the change of the posterior mean in posterior standard deviations per
doubling of alpha, from alpha = 0.8 and 1.25, not the cumulative Jensen-Shannon distance of the reference: it has a
sign and a unit. It is linear in log alpha only as far as the two steps show.

Scaling cannot see a flat prior (a uniform density to any power is uniform), nor what another family of priors would
do: that is what the refits are for.

References
----------
Kallioinen N, Paananen T, Buerkner PC, Vehtari A. Stat Comput 2024;34:57, doi 10.1007/s11222-023-10366-5.
"""

from typing import Any

import numpy as np

from analysis.cases.case import headline_case
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, posterior_of
from analysis.inference.power_scaling import BOTH, Scaled, power_scalings
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, Row, columns
from analysis.results.tables import case_cells, priors_text

ALPHAS = (0.8, 1.25)
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
        posterior = posterior_of(case)
    except NO_POSTERIOR as error:
        return {POWER_SCALING.file: [{**shared, "scaled": BOTH, "status": NOT_COMPUTED, "reason": str(error)}]}
    scalings = power_scalings(posterior, main_estimand(case), (ALPHAS[0], 1.0, ALPHAS[1]))
    return {POWER_SCALING.file: [{**shared, "status": COMPUTED, "reason": "", **_cells(scaled)} for scaled in scalings]}


def _cells(scaled: Scaled) -> dict[str, Any]:
    low, middle, high = scaled.laws
    return {"scaled": scaled.name, "prior": priors_text(scaled.priors), "flat": scaled.flat,
            "mean": middle.mean, "sd": middle.sd, "mean_low": low.mean, "mean_high": high.mean,
            "median": float(middle.quantile(0.5)), "median_low": float(low.quantile(0.5)),
            "median_high": float(high.quantile(0.5)),
            "shift": (high.mean - low.mean) / middle.sd / float(np.log2(ALPHAS[1] / ALPHAS[0]))}
