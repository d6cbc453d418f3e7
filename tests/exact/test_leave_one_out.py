"""Each study predicted from the others: identities, closed forms, and the approximation of another library."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy import special, stats

from analysis.chapters.models.rows import (
    DEFAULT,
    MATCHED,
    MATCHED_PRIORS,
    model_row,
    prior_spread,
    rivals_of,
)
from analysis.inference.density import density_of
from analysis.inference.grid import draw, solve
from analysis.inference.leave_one_out import leave_one_out, pit, without
from analysis.inference.posterior import posterior_of
from analysis.inference.prediction import counts_of
from models import all_models
from models.priors import Prior
from tests.casing import bare_case
from tests.exact.rate_cases import CASES

from .solved import hazards, rates, solved


@pytest.mark.parametrize("model", ["beta_binomial", "logit_normal"])
def test_predictive_probabilities_are_those_of_the_study_left_out(model: str) -> None:
    """The ratio of evidences, the mixture over the grid and draws say the same."""
    studies, known = rates(*CASES["pritz_1997"]), all_models()[model]
    found = leave_one_out(bare_case(known, studies))
    rng = np.random.default_rng(8)
    for at in (0, 4, 8):
        y, n = int(studies.events[at]), int(studies.evaluable[at])
        probability = counts_of(found[at].posterior.grid, n).probabilities
        assert probability.sum() == pytest.approx(1.0, abs=1e-6)
        assert np.log(probability[y]) == pytest.approx(found[at].log_predictive, abs=1e-4)
        assert found[at].pit == pytest.approx(probability[:y].sum() + probability[y] / 2, abs=1e-6)
        simulated = rng.binomial(n, known.marginal.new_study(draw(found[at].posterior.grid, 40_000, rng), rng))
        # 40,000 draws: four standard errors are at most 0.01.
        assert found[at].pit == pytest.approx(np.mean(simulated < y) + np.mean(simulated == y) / 2, abs=0.01)
        assert found[at].tail == pytest.approx(2 * min(found[at].pit, 1 - found[at].pit))


def test_elpd_is_near_that_of_pareto_smoothed_importance_sampling() -> None:
    studies, model = rates(*CASES["pritz_1997"]), all_models()["beta_binomial"]
    exact = sum(one.log_predictive for one in leave_one_out(bare_case(model, studies)))
    drawn = draw(solved("beta_binomial", studies), 4000, np.random.default_rng(9))
    each = model.marginal.log_likelihood(drawn, studies).reshape(4, 1000, -1)
    dims = {"events": (("chain", "draw", "study"), each)}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"mu": (("chain", "draw"), drawn["mu"].reshape(4, 1000))}),
                                  "log_likelihood": xr.Dataset(dims)})
    theirs = az.loo(tree, pointwise=True)
    assert float(np.max(theirs.pareto_k)) < 0.7
    # Importance sampling from 4,000 draws: a few hundredths.
    assert exact == pytest.approx(float(theirs.elpd), abs=0.1)


def test_one_study_is_predicted_by_the_prior_alone() -> None:
    """mu uniform: every count of n = 7 patients is equally likely, whatever rho."""
    model = all_models()["beta_binomial"]
    (found,) = leave_one_out(bare_case(model, rates([2], [7])))
    # With rho the law of y given mu keeps its mean; over a uniform mu and n = 1 it is 1/2 exactly.
    (single,) = leave_one_out(bare_case(model, rates([1], [1])))
    assert np.exp(single.log_predictive) == pytest.approx(0.5, abs=1e-8)
    assert single.pit == pytest.approx(0.75, abs=1e-6)
    probability = counts_of(found.posterior.grid, 7).probabilities
    assert probability == pytest.approx(probability[::-1], abs=1e-6)


@pytest.mark.parametrize("model", ["beta_binomial", "logit_normal"])
def test_without_any_study_the_posterior_is_the_prior(model: str) -> None:
    """The evidence of nothing is 1, and the mean rate is symmetric about a half under both priors."""
    grid = solved(model, without(rates([2], [7]), 0))
    assert grid.log_evidence == pytest.approx(0.0, abs=1e-9)
    assert counts_of(grid, 7).pit(3.5) == pytest.approx(0.5, abs=1e-6)


def test_masking_is_leaving_out() -> None:
    """0 of 0 patients in place of a study gives the posterior without it."""
    model, studies = all_models()["beta_binomial"], rates([5, 8, 3], [10, 12, 9])
    masked = rates([5, 0, 3], [10, 0, 9])
    one, other = (solve(density_of(model, rows, model.priors)) for rows in (without(studies, 1), masked))
    assert one.log_evidence == pytest.approx(other.log_evidence, abs=1e-9)
    assert studies.take([1]).study_ids == ("s1",)


@pytest.mark.parametrize(("row", "counts"), [((-2.4, 0.3, 0.3), []), ((-2.4, 0.5, 0.2), []), (None, [(3, 40.0)])])
def test_hazards_predict_their_own_report(row: tuple | None, counts: list) -> None:
    others = [(-3.0, 0.2, 0.2), (-2.5, 0.3, 0.3), (-3.4, 0.25, 0.25)]
    study = hazards([row] if row else [], counts)
    posterior = posterior_of(bare_case(all_models()["log_hazard"], hazards(others)))
    rng = np.random.default_rng(10)
    theta = all_models()["log_hazard"].marginal.new_study(posterior.draw(60_000, rng), rng)
    if row:
        below, above = row[1:]
        # A likelihood that is wider below the estimate is a law of the estimate that is wider above theta.
        high = rng.random(theta.size) < below / (below + above)
        half = np.abs(rng.standard_normal(theta.size))
        reported = theta + np.where(high, below * half, -above * half)
        expected = np.mean(reported >= row[0])
    else:
        reported = rng.poisson(40.0 * np.exp(theta))
        expected = np.mean(reported > 3) + np.mean(reported == 3) / 2
    # Less survival is a higher hazard, and more events.
    assert pit(posterior, study) == pytest.approx(expected, abs=0.009)


@pytest.mark.parametrize(("events", "rest"), [(0, 10), (10, 0), (3, 7)])
def test_counts_at_a_landmark_are_predicted_by_their_mid_p(events: int, rest: int) -> None:
    study = hazards([], [(events, 12.0 * rest, 12.0)])
    others = hazards([(-3.0, 0.2, 0.2), (-2.5, 0.3, 0.3), (-3.4, 0.25, 0.25)])
    posterior = posterior_of(bare_case(all_models()["log_hazard"], others))
    rng = np.random.default_rng(11)
    theta = all_models()["log_hazard"].marginal.new_study(posterior.draw(60_000, rng), rng)
    reported = rng.binomial(10, 1.0 - np.exp(-12.0 * np.exp(theta)))
    # Four standard errors of a proportion among 60,000.
    expected = np.mean(reported > events) + np.mean(reported == events) / 2
    assert pit(posterior, study) == pytest.approx(expected, abs=0.009)


def test_weights_follow_the_evidence_and_only_matched_priors_have_them() -> None:
    rivals = rivals_of(bare_case(all_models()["beta_binomial"], rates(*CASES["as_rbest"])))
    rows = [model_row(rival, rivals) for rival in rivals]
    default, matched = ([row for row in rows if row["which_priors"] == which] for which in (DEFAULT, MATCHED))
    assert not any("weight" in row for row in default)
    assert sum(row["weight"] for row in matched) == pytest.approx(1.0)
    assert matched[1]["weight"] == pytest.approx(special.expit(matched[1]["log_evidence"] - matched[0]["log_evidence"]))
    for rival, row in zip(rivals, rows, strict=True):
        assert row["elpd_loo"] == pytest.approx(sum(study.log_predictive for study in rival.left_out))
        assert 0.0 < row["pit_uniform_p"] <= 1.0
    for first, second in (default, matched):
        assert "elpd_difference" not in first and second["elpd_difference_se"] > 0.0
        assert second["elpd_difference"] == pytest.approx(second["elpd_loo"] - first["elpd_loo"])


def test_matched_priors_match() -> None:
    """Before the data the two models say the same of the pooled rate's logit and of the spread of rates at 0.8."""
    spreads = [prior_spread(name, list(priors.values())[1]) for name, priors in MATCHED_PRIORS.items()]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.01)
    # The default of the beta-binomial allows half as much again, which is why it gets no weight.
    assert prior_spread("beta_binomial", Prior("Beta", (1.0, 4.0))) > 1.4 * spreads[0]
    rho = stats.beta(1, 10).median()
    assert spreads[0] == pytest.approx(np.sqrt(0.16 * rho))
    assert MATCHED_PRIORS["beta_binomial"]["mu"].arguments == MATCHED_PRIORS["logit_normal"]["m"].arguments


@pytest.mark.parametrize("rows", [([(-2.8, 0.3, 0.3)], []), ([], [(10, 120.0)])])
def test_one_survival_study_is_predicted_from_the_prior(rows) -> None:
    """Its estimate is Normal(eta's centre, sqrt(sd^2 + tau^2 + error^2)) given tau; the sum over tau is plain."""
    model = all_models()["log_hazard"]
    (found,) = leave_one_out(bare_case(model, hazards(*rows)))
    centre, sd = model.priors["eta"].arguments
    tau = np.linspace(0.0, 4.0, 4001)
    mass = stats.halfnorm.pdf(tau, scale=model.priors["tau"].arguments[0])
    assert found.posterior.grid.log_evidence == pytest.approx(0.0, abs=1e-8)
    if rows[0]:
        estimate, spread = rows[0][0][0], np.sqrt(sd**2 + tau**2 + rows[0][0][1] ** 2)
        assert found.pit == pytest.approx(mass @ stats.norm.sf(estimate, centre, spread) / mass.sum(), abs=1e-5)
        density = mass @ stats.norm.pdf(estimate, centre, spread) / mass.sum()
        assert found.log_predictive == pytest.approx(np.log(density), abs=1e-4)
    else:
        # Ten events against a rate of 120 x, with log x so widely spread that it is nearly normal: a sum over both.
        log_rate = np.linspace(centre - 20.0, centre + 12.0, 4001)[:, None]
        width = np.sqrt(sd**2 + tau[::40] ** 2)
        weight = stats.norm.pdf(log_rate, centre, width) @ mass[::40]
        chance = stats.poisson.pmf(10, 120.0 * np.exp(log_rate[:, 0]))
        assert found.log_predictive == pytest.approx(np.log(chance @ weight / weight.sum()), abs=1e-3)
