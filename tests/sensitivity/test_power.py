"""Power-scaling by weights equals refits whose prior or likelihood is scaled in closed form."""

import numpy as np
import pytest

from analysis.chapters.sensitivity.rows import ALPHAS, POWER_SCALING, power_rows
from analysis.inference.density import density_of
from analysis.inference.grid import solve
from analysis.inference.pooled import hyperparameters
from analysis.inference.power_scaling import log_densities, power_scaled
from models import all_models
from models.backend import NUMBERS
from models.priors import Prior
from tests.casing import rows_of
from tests.exact.solved import hazards, rates
from tests.sensitivity.cases import JOB, evidence_of

RATES = rates([15, 26, 18, 4], [20, 30, 25, 12])
HAZARDS = hazards([(-2.5, 0.3, 0.3), (-3.1, 0.2, 0.25), (-2.8, 0.4, 0.4)])
MODELS = {"beta_binomial": (RATES, {"mu": Prior("Beta", (2.0, 3.0)), "rho": Prior("Beta", (0.5, 4.0))}),
          "logit_normal": (RATES, {"m": Prior("Normal", (0.5, 1.5)), "tau": Prior("HalfNormal", (1.0,))}),
          "log_hazard": (HAZARDS, {"eta": Prior("Normal", (-2.0, 1.0)), "tau": Prior("HalfNormal", (0.5,))})}


def scaled_prior(prior, alpha):
    """The normalised density of the prior to the power alpha."""
    a = prior.arguments
    return {"Beta": lambda: Prior("Beta", tuple(1.0 + alpha * (one - 1.0) for one in a)),
            "Normal": lambda: Prior("Normal", (a[0], a[1] / np.sqrt(alpha))),
            "HalfNormal": lambda: Prior("HalfNormal", (a[0] / np.sqrt(alpha),))}[prior.family]()


def moments_of(grid):
    """Mean and SD of both hyperparameters; of the log of a positive one, whose grid is even in it."""
    found = {}
    for name, values in grid.values.items():
        weights = grid.weights.ravel()
        mean = weights @ values
        found[name] = (mean, np.sqrt(weights @ (values - mean) ** 2))
    return found


def assert_same(grid, wanted):
    # Both grids are right to 1e-8 where they were placed; a scaled density sits a little beside its grid.
    for name, (mean, sd) in moments_of(wanted).items():
        found = moments_of(grid)[name]
        assert found[0] == pytest.approx(mean, abs=1e-4 * sd), name
        assert found[1] == pytest.approx(sd, rel=1e-4), name


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("name", MODELS)
def test_a_scaled_prior_is_a_refit_with_the_prior_of_that_power(name, alpha):
    studies, priors = MODELS[name]
    model = all_models()[name]
    grid = solve(density_of(model, studies, priors))
    densities = log_densities(grid)
    for scaled in (set(priors), {list(priors)[0]}, {list(priors)[1]}):
        key = "prior" if len(scaled) == 2 else next(iter(scaled))
        changed = {one: scaled_prior(prior, alpha) if one in scaled else prior for one, prior in priors.items()}
        assert_same(power_scaled(grid, densities[key], alpha), solve(density_of(model, studies, changed)))


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("name", MODELS)
def test_a_scaled_likelihood_is_a_refit_with_the_likelihood_of_that_power(name, alpha):
    studies, priors = MODELS[name]
    model = all_models()[name]
    inputs = model.marginal.data(studies)
    wanted = solve(density_of(model, studies, priors, extra=lambda values: (alpha - 1.0) * model.marginal.log_density(
        values, inputs, on=NUMBERS)))
    grid = solve(density_of(model, studies, priors))
    assert_same(power_scaled(grid, log_densities(grid)["likelihood"], alpha), wanted)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_without_heterogeneity_it_is_the_conjugate_posterior(alpha):
    # A prior that holds rho at 0 leaves 30 of 50 patients as one binomial.
    priors = {"mu": Prior("Beta", (3.0, 2.0)), "rho": Prior("Beta", (1.0, 1e9))}
    grid = solve(density_of(all_models()["beta_binomial"], rates([10, 20], [20, 30]), priors))
    found = hyperparameters(power_scaled(grid, log_densities(grid)["mu"], alpha))["mu"]
    a, b = 1.0 + alpha * 2.0 + 30.0, 1.0 + alpha * 1.0 + 20.0
    assert found.mean == pytest.approx(a / (a + b), abs=1e-6)
    assert found.sd == pytest.approx(np.sqrt(a * b / (a + b + 1.0)) / (a + b), rel=1e-4)


def test_rows_tell_each_density_and_that_a_flat_prior_cannot_be_scaled(tmp_path):
    rows = {row["scaled"]: row for row in rows_of(power_rows, POWER_SCALING, evidence_of(tmp_path), JOB, "cr")}
    assert list(rows) == ["likelihood", "prior", "mu", "rho"]
    assert all(set(row) == set(POWER_SCALING.names) for row in rows.values())
    assert rows["mu"]["flat"] and rows["mu"]["shift"] == pytest.approx(0.0, abs=1e-9)
    assert not rows["rho"]["flat"] and not rows["likelihood"]["flat"]
    assert rows["rho"]["shift"] == pytest.approx(rows["prior"]["shift"])
    row = rows["likelihood"]
    assert row["shift"] == pytest.approx((row["mean_high"] - row["mean_low"]) / row["sd"] / np.log2(1.25 / 0.8))
    assert (rows["prior"]["prior"], rows["mu"]["prior"]) == ("mu ~ Beta(1, 1); rho ~ Beta(1, 4)", "mu ~ Beta(1, 1)")


def test_survival_is_scaled_at_its_horizon_and_an_endpoint_without_studies_has_no_row(tmp_path):
    evidence = evidence_of(tmp_path)
    assert {row["time_months"] for row in rows_of(power_rows, POWER_SCALING, evidence, JOB, "pfs")} == {12.0}
    assert rows_of(power_rows, POWER_SCALING, evidence_of(tmp_path, survival=None), JOB, "pfs") == ()
