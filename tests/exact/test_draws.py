"""Draws from the grid have the exact distribution, and the two engines are held against each other."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.cases.settings import Sampler
from analysis.inference.diagnostics import LIMIT, Diagnostics, agreements, with_agreement
from analysis.inference.estimands import Quantity
from analysis.inference.grid import draw
from analysis.inference.pooled import pooled
from models import all_models
from tests.exact.rate_cases import CASES
from tests.exact.sampled import fit_rates

from .solved import hyperparameters, rates, solved


@pytest.mark.parametrize("model", ["beta_binomial", "logit_normal"])
@pytest.mark.parametrize("case", ["as_rbest", "all_successes", "homogeneous", "one_study"])
def test_draws_follow_the_distribution(model: str, case: str) -> None:
    grid = solved(model, rates(*CASES[case]))
    found = draw(grid, 20_000, np.random.default_rng(5))
    for name, exact in hyperparameters(grid).items():
        # Systematic sampling is at least as even as random sampling, so the usual test is on the safe side.
        assert stats.kstest(found[name], exact.cdf).pvalue > 1e-4, name
        assert found[name].std() == pytest.approx(exact.sd, rel=0.03)
    ranks = np.corrcoef(*(stats.rankdata(found[name]) for name in found))[0, 1]
    lag = [np.corrcoef(found[name][1:], found[name][:-1])[0, 1] for name in found]
    assert abs(ranks) < 1.0
    assert max(map(abs, lag)) < 0.03, "in random order"


@pytest.mark.parametrize("model", ["beta_binomial", "logit_normal"])
def test_prediction_is_that_of_simulated_studies(model: str) -> None:
    grid = solved(model, rates(*CASES["pritz_1997"]))
    rng = np.random.default_rng(6)
    simulated = all_models()[model].marginal.new_study(draw(grid, 40_000, rng), rng)
    exact = next(found for found in pooled(grid, horizon=12.0) if found.name == "new_study_rate")
    edges = exact.distribution.quantile(np.arange(1, 40) / 40)
    assert stats.chisquare(np.histogram(simulated, [0.0, *edges, 1.0])[0]).pvalue > 1e-4
    assert exact.distribution.cdf(edges) == pytest.approx(np.arange(1, 40) / 40, abs=1e-7)
    # 40,000 draws: standard errors of 1/200 and 1/280 of a standard deviation; four of them.
    assert simulated.mean() == pytest.approx(exact.distribution.mean, abs=0.02 * exact.distribution.sd)
    assert simulated.std() == pytest.approx(exact.distribution.sd, rel=0.02)


def _sampled(exact: list, rng: np.random.Generator, *, shift: float = 0.0) -> list[Quantity]:
    p = rng.random(20_000)
    return [Quantity(found.quantity.estimand, found.distribution.quantile(p) + shift * found.distribution.sd,
                     "probability", "proportion") for found in exact if found.quantity.estimand == "mean_rate"]


def test_engines_agree_on_draws_from_the_same_posterior_and_a_shift_is_seen() -> None:
    exact = pooled(solved("beta_binomial", rates(*CASES["as_rbest"])), horizon=12.0)
    right = agreements(_sampled(exact, np.random.default_rng(7)), exact, chains=4, level=0.95)
    assert [row.statistic for row in right] == ["mean", "median", "lower", "upper"]
    assert all(row.agrees for row in right)
    # A tenth of a standard deviation, 14 standard errors of the mean of 20,000 draws: no reader would notice it.
    wrong = agreements(_sampled(exact, np.random.default_rng(7), shift=0.1), exact, chains=4, level=0.95)
    assert not wrong[0].agrees
    judged = with_agreement(Diagnostics(), wrong, 1e-12)
    assert not judged.converged
    assert judged.max_engine_z > LIMIT
    assert "Monte-Carlo standard errors" in judged.failures[0]
    assert with_agreement(Diagnostics(), right, 1e-12).converged


def test_a_sampled_fit_carries_the_comparison(tmp_path: Path) -> None:
    fit = fit_rates(tmp_path, *CASES["as_rbest"], sampler=Sampler(draws=2000))
    assert fit.diagnostics.converged
    assert {row.estimand for row in fit.agreement} == {"mean_rate", "median_rate", "new_study_rate", "rho", "tau"}
    assert 0.0 < fit.diagnostics.max_engine_z <= LIMIT
    assert fit.diagnostics.quadrature_error < 1e-8


def test_a_wrong_sampler_has_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sampled density misses a study that the exact one has: the fit ends without estimates."""
    from analysis.inference import fitting

    right = fitting.sample
    monkeypatch.setattr(fitting, "sample", lambda model, studies, priors, **how: right(
        model, rates(studies.events[1:], studies.evaluable[1:]), priors, **how))
    fit = fit_rates(tmp_path, *CASES["pritz_1997"], sampler=Sampler(draws=2000))
    assert not fit.diagnostics.converged
    assert fit.estimates == ()
    assert "by quadrature" in fit.diagnostics.failures[0]


def test_both_engines_give_the_same_rows(tmp_path: Path) -> None:
    exact, sampled = (fit_rates(tmp_path / engine, *CASES["as_rbest"], engine=engine) for engine in ("exact", "nuts"))
    for one, other in zip(exact.estimates, sampled.estimates, strict=True):
        assert (one.estimand, one.study_id, one.scale, one.unit, one.interval) == (
            other.estimand, other.study_id, other.scale, other.unit, other.interval)
        if np.isfinite(one.sd):
            assert one.median == pytest.approx(other.median, abs=0.1 * one.sd)
