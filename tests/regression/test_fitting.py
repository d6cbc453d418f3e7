"""Slopes against maximum likelihood, planted slopes with missing cells, and fits that must agree."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from analysis.cases.selection import Question
from analysis.cases.settings import IMPORTANCE, NUTS, REGRESSION, Job
from analysis.inference import weighted
from analysis.inference.imputation import draw_missing
from analysis.inference.regression import ONE, TOGETHER, Task, fit, regression_of
from models.studies import HazardStudies, RateStudies
from tests.references import peers

from .cases import HAZARDS, RATES, X, column, de_bruin, fitted, simulated


def _mcse(draws: np.ndarray) -> float:
    return float(array_stats.mcse(draws.reshape(4, -1), method="mean", chain_axis=0, draw_axis=1))


def test_slope_of_de_bruin_under_a_flat_prior_is_near_maximum_likelihood() -> None:
    """The unit is ten points, so that the prior of the slope is a hundred of them wide."""
    studies, quality = de_bruin()
    reference = peers()["debruin_2009"]["betabinomial_ml"]
    found = fitted(studies, (quality - quality.mean()) / 10.0, priors=(("beta", "Normal(0, 100)"),))
    assert found.diagnostics.converged
    slope = found.draws["beta"].ravel() / 10.0
    assert slope.mean() == pytest.approx(reference["coef"][2], abs=0.2 * reference["se"][2] + 4.0 * _mcse(slope))
    # The posterior also carries the uncertainty of rho, which the standard error does not.
    assert 0.9 < slope.std() / reference["se"][2] < 1.4


def test_a_planted_slope_is_recovered_with_a_third_of_the_cells_missing() -> None:
    """Of 40 studies; a slope of 0.8 has posterior SD 0.1 then, so 4 of these is a generous band that excludes zero."""
    rng = np.random.default_rng(11)
    x = rng.normal(0.0, 1.0, 40)
    studies = simulated(x, 0.8, rng)
    seen = np.where(np.arange(40) % 10 < 3, np.nan, x)
    found = fitted(studies, seen)
    assert found.diagnostics.converged
    beta = found.draws["beta"].ravel()
    assert abs(beta.mean() - 0.8) < 4.0 * beta.std() and beta.std() < 0.2
    assert beta.mean() / beta.std() > 4.0
    hidden = draw_missing(found, seed=1)
    truth = np.array([x[int(study[1:])] for study in hidden])
    medians = np.array([np.median(values) for values in hidden.values()])
    # With a slope this steep the outcome says a good deal about a missing cell.
    assert len(truth) == 12 and np.corrcoef(truth, medians)[0, 1] > 0.5
    inside = [np.quantile(values, 0.025) < value < np.quantile(values, 0.975)
              for values, value in zip(hidden.values(), truth, strict=True)]
    assert sum(inside) >= 10  # 1 in 50 for 12 intervals of 95 %


def test_a_study_without_patients_and_covariate_changes_nothing() -> None:
    """A row of 0 of 0 with a missing cell takes the whole path of missing cells and must leave the slope alone."""
    studies, quality = de_bruin()
    x = (quality - quality.mean()) / 10.0
    empty = RateStudies((*studies.study_ids, "nobody"), [*studies.events, 0], [*studies.evaluable, 0])
    plain, padded = fitted(studies, x), fitted(empty, [*x, np.nan], seed=2)
    one, other = plain.draws["beta"].ravel(), padded.draws["beta"].ravel()
    assert abs(one.mean() - other.mean()) < 4.0 * np.hypot(_mcse(one), _mcse(other))
    assert one.std() == pytest.approx(other.std(), rel=0.1)
    # Its imputed cell is a draw from the distribution of the others, whose mean is 0 and SD that of x, about 0.8.
    (hidden,) = draw_missing(padded, seed=2).values()
    assert abs(hidden.mean()) < 0.5 and 0.6 < hidden.std() < 1.4


def test_hazard_slope_of_precise_studies_is_that_of_least_squares() -> None:
    """Without heterogeneity and a wide prior the posterior mean is weighted least squares, for any covariate."""
    x = np.linspace(-1.5, 1.5, 12)
    truth = -2.8 + 0.5 * x
    se = np.full(12, 0.05)
    nothing = np.zeros(12)
    studies = HazardStudies(tuple(map(str, range(12))), truth, se, se, nothing, nothing, np.full(12, 400))
    found = fitted(studies, x, priors=(("beta", "Normal(0, 10)"), ("tau", "HalfNormal(0.001)")))
    beta = found.draws["beta"].ravel()
    wanted_sd = 0.05 / np.sqrt(np.sum(x**2))
    assert found.diagnostics.converged
    assert abs(beta.mean() - 0.5) < 4.0 * _mcse(beta) + 0.01 * wanted_sd
    assert beta.std() == pytest.approx(wanted_sd, rel=0.08)


@pytest.mark.parametrize("together", [False, True], ids=["one", "together"])
@pytest.mark.parametrize("studies", [RATES, HAZARDS], ids=["rate", "survival"])
def test_weighted_draws_agree_with_chains(studies, together) -> None:
    """Six studies of which most miss a cell, and slopes of one covariate or of two that share a scale."""
    kind = "rate" if studies is RATES else "survival"
    columns = (column(X[:, 0]), column(X[:, 1], "z"))[:1 + together]
    task = Task(TOGETHER if together else ONE, regression_of(kind), studies, columns, (True,) * len(columns))
    chains, draws = (fit(task, Job(Question("y"), sampler=REGRESSION, engine=engine)) for engine in (NUTS, IMPORTANCE))
    assert chains.diagnostics.converged and draws.diagnostics.converged
    assert (chains.engine, draws.engine) == (NUTS, IMPORTANCE)
    for name in ("beta", regression_of(kind).heterogeneity):
        sampled, weighed = (found.draws[name].reshape(len(found.weights), -1)[:, 0] for found in (chains, draws))
        mean, sd = weighted.mean_and_sd(weighed, draws.weights)
        error = np.hypot(_mcse(sampled), weighted.mcse_mean(weighed, draws.weights))
        assert abs(sampled.mean() - mean) < 4.0 * error, name
        assert sd == pytest.approx(sampled.std(), rel=0.1), name
