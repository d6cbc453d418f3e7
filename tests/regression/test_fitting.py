"""Slopes against maximum likelihood, planted slopes with missing cells, and engines that must agree."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from analysis.cases.settings import IMPORTANCE, NUTS
from analysis.inference.regression import draw_missing, fit
from models.studies import HazardStudies, RateStudies
from tests.references import peers

from .cases import HAZARDS, RATES, X, case, column, de_bruin, fitted, moments, simulated
from .test_units import as_a_column, regressed

# The estimates alone, since each kind of row takes as long to compile as all the rest.
ESTIMATES = HAZARDS.take(~HAZARDS.is_poisson)


def test_slope_of_de_bruin_under_a_flat_prior_is_near_maximum_likelihood() -> None:
    """The unit is ten points, so that the prior of the slope is a hundred of them wide."""
    studies, quality = de_bruin()
    reference = peers()["debruin_2009"]["betabinomial_ml"]
    regression = fitted(studies, (quality - quality.mean()) / 10.0, beta="Normal(0, 100)")
    mean, sd, error = np.array(moments(regression)) / 10.0
    assert regression.diagnostics.converged
    assert mean == pytest.approx(reference["coef"][2], abs=0.2 * reference["se"][2] + 4.0 * error)
    # The posterior also carries the uncertainty of rho, which the standard error does not.
    assert 0.9 < sd / reference["se"][2] < 1.4


def test_a_planted_slope_is_recovered_with_a_third_of_the_cells_missing() -> None:
    """Of 40 studies; a slope of 0.8 has posterior SD 0.1 then, so 4 of these is a generous band that excludes zero."""
    rng = np.random.default_rng(11)
    x = rng.normal(0.0, 1.0, 40)
    studies = simulated(x, 0.8, rng)
    regression = fitted(studies, np.where(np.arange(40) % 10 < 3, np.nan, x))
    mean, sd, _ = moments(regression)
    assert regression.diagnostics.converged and abs(mean - 0.8) < 4.0 * sd < mean and sd < 0.2
    hidden = draw_missing(regression, seed=1)
    truth = np.array([x[int(study[1:])] for study in hidden])
    lower, median, upper = np.quantile(np.stack(list(hidden.values())), [0.025, 0.5, 0.975], axis=1)
    # With a slope this steep the outcome says a good deal about a missing cell.
    assert len(truth) == 12 and np.corrcoef(truth, median)[0, 1] > 0.5
    assert sum((lower < truth) & (truth < upper)) >= 10  # 1 in 50 for 12 intervals of 95 %


def test_a_study_without_patients_and_covariate_changes_nothing() -> None:
    """A row of 0 of 0 with a missing cell takes the whole path of missing cells and must leave the slope alone."""
    studies, quality = de_bruin()
    x = (quality - quality.mean()) / 10.0
    empty = RateStudies((*studies.study_ids, "nobody"), [*studies.events, 0], [*studies.evaluable, 0])
    plain, padded = fitted(studies, x), fitted(empty, [*x, np.nan], seed=2)
    (mean, sd, error), (other_mean, other_sd, other_error) = moments(plain), moments(padded)
    assert abs(mean - other_mean) < 4.0 * np.hypot(error, other_error) and sd == pytest.approx(other_sd, rel=0.1)
    # Its imputed cell is a draw from the distribution of the others, whose mean is 0 and SD that of x, about 0.8.
    (hidden,) = draw_missing(padded, seed=2).values()
    assert abs(hidden.mean()) < 0.5 and 0.6 < hidden.std() < 1.4


def test_hazard_slope_of_precise_studies_is_that_of_least_squares() -> None:
    """Without heterogeneity and a wide prior the posterior mean is weighted least squares, for any covariate."""
    x, se, none = np.linspace(-1.5, 1.5, 12), np.full(12, 0.05), np.zeros(12)
    studies = HazardStudies(tuple(map(str, range(12))), -2.8 + 0.5 * x, se, se, none, none, np.full(12, 400))
    regression = fitted(studies, x, beta="Normal(0, 10)", tau="HalfNormal(0.001)")
    mean, sd, error = moments(regression)
    assert regression.diagnostics.converged
    wanted_sd = 0.05 / np.sqrt(np.sum(x**2))
    assert abs(mean - 0.5) < 4.0 * error + 0.01 * wanted_sd and sd == pytest.approx(wanted_sd, rel=0.08)


@pytest.mark.parametrize(("studies", "together"), [(RATES, False), (ESTIMATES, True)], ids=["one", "together"])
def test_weighted_draws_agree_with_chains(studies, together) -> None:
    """Six studies of which most miss a cell, and slopes of one covariate or of two that share a scale.

    Each likelihood and each prior of slopes once: compiling a pair takes 25 s, and neither knows of the other.
    """
    x = X[:len(studies)]
    columns = (column(x[:, 0]), column(x[:, 1], "z"))[:1 + together]
    chains, draws = (fit(case(studies, *columns, together=together, engine=engine)) for engine in (NUTS, IMPORTANCE))
    assert chains.diagnostics.converged and draws.diagnostics.converged
    assert (chains.engine, draws.engine) == (NUTS, IMPORTANCE)
    for name in ("beta", chains.case.regression.heterogeneity):
        mean, sd, error = moments(draws, name)
        sampled = chains.draws[name].reshape(len(chains.weights), -1)[:, 0]
        of_chains = array_stats.mcse(sampled.reshape(4, -1), method="mean", chain_axis=0, draw_axis=1)
        assert abs(sampled.mean() - mean) < 4.0 * np.hypot(of_chains, error), name
        assert sd == pytest.approx(sampled.std(), rel=0.1), name


def test_chains_take_dollars_as_well(tmp_path):
    """As those of one covariate above do, by the same compiled model."""
    weighted, chains = (regressed(tmp_path / engine, engine=engine) for engine in (IMPORTANCE, NUTS))
    as_a_column(chains)
    assert {row["engine"] for row in chains.slopes} == {NUTS}
    for row, other in zip(weighted.slopes, chains.slopes, strict=True):
        # Each has a Monte-Carlo error of at most 0.05 of the posterior SD.
        assert other["beta_mean"] == pytest.approx(row["beta_mean"], abs=0.2 * row["beta_sd"])
