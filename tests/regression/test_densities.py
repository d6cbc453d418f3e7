"""The density that is sampled and weighed against the plain PyMC models, whose unknown cells are integrated here."""

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats

from models import beta_binomial
from models.backend import NUMBERS
from models.beta_binomial_regression import REGRESSION as RATE
from models.log_hazard_regression import REGRESSION as SURVIVAL
from models.regression import Covariates, marginal_model
from models.studies import HazardStudies, RateStudies

from .cases import COVARIATES, HAZARDS, RATES, X

_DRAW = {"beta": np.array([0.6, -0.4]), "covariate_mean": np.array([0.1, -0.2]), "covariate_sd": np.array([0.8, 0.6])}
_LANDMARKS = HazardStudies(
    HAZARDS.study_ids, HAZARDS.log_hazard, HAZARDS.se_lower, HAZARDS.se_upper, [0, 5, 0, 12, 0, 0],
    [0, 120, 0, 180.0, 0, 0], HAZARDS.patients_each, [0, 12.0, 0, 0, 0, 0])
_MODELS = [pytest.param(RATE, RATES, {**_DRAW, "mu": np.array(0.7), "rho": np.array(0.12)}, id="rate"),
           pytest.param(SURVIVAL, _LANDMARKS, {**_DRAW, "eta": np.array(-2.8), "tau": np.array(0.5)}, id="survival")]
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def _plain(regression, studies, covariates, draw) -> float:
    """Log likelihood of the plain model at a draw: 9 points for each missing cell, a grid for the log hazards."""
    model = pm.do(regression.build(studies, covariates, regression.priors), draw)
    latent = [variable for variable in model.free_RVs if variable.name == "log_hazard"]
    terms = [*(variable for variable in model.observed_RVs if variable.name != "x_observed"), *latent]
    studies_of = [list(model.coords[model.named_vars_to_dims[variable.name][0]]) for variable in terms]
    rows = [[studies.study_ids.index(study) for study in each] for each in studies_of]
    logp = model.compile_logp(vars=[*terms, model["x_observed"]], sum=False, mode="FAST_COMPILE")
    column = np.nonzero(covariates.missing[:, covariates.incomplete])[1]
    mean, sd = (draw[name][column] for name in ("covariate_mean", "covariate_sd"))
    log_hazards = np.linspace(-5.4, -0.4, 61) if latent else np.zeros(1)
    each, weights = [], []
    for (first, second), weight in np.ndenumerate(np.outer(_WEIGHTS, _WEIGHTS)):
        cells = mean + sd * _POINTS[np.array([first, second])[column]]
        for theta in log_hazards:
            point = {"x_unobserved": cells, "log_hazard": np.full(len(studies), theta)}
            *values, observed = logp({name: point[name] for name in point if name in model.named_vars})
            each.append(np.zeros(len(studies)))
            for where, value in zip(rows, values, strict=True):
                each[-1][where] += value
            weights.append(weight)
    step = np.ptp(log_hazards) / 60 if latent else 1.0
    return float(special.logsumexp(each, axis=0, b=step * np.array(weights)[:, None]).sum() + observed.sum())


@pytest.mark.parametrize(("regression", "studies", "draw"), _MODELS)
def test_the_density_is_that_of_the_plain_model(regression, studies, draw) -> None:
    constant = regression.base.marginal.log_constant(studies)
    density = regression.log_density(draw, regression.data(studies, COVARIATES), on=NUMBERS) + constant
    # Rates of four studies are integrated by 15 points each.
    assert float(density) == pytest.approx(_plain(regression, studies, COVARIATES, draw), abs=1e-3)


@pytest.mark.filterwarnings("ignore:The following trace variables were implicitly frozen")
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("regression", "studies", "draw"), _MODELS)
def test_the_plain_model_is_one_that_pymc_knows(regression, studies, draw, together) -> None:
    """Named dims, observed nodes, and what PyMC makes of any model: prior and posterior predictive, log likelihood."""
    outcomes = {"events"} if regression is RATE else {"estimate", "events", "events_by_landmark"}
    with regression.build(studies, COVARIATES, regression.priors, together=together) as model:
        assert {"study", "covariate"} <= set(model.coords)
        prior = pm.sample_prior_predictive(draws=4, random_seed=1, compile_kwargs={"mode": "FAST_COMPILE"})
        if together:
            assert "shrinkage" in prior.prior
            return
        prior["posterior"] = prior["prior"]
        predicted = pm.sample_posterior_predictive(prior, var_names=sorted(outcomes), random_seed=1, progressbar=False,
                                                   compile_kwargs={"mode": "FAST_COMPILE"})
        pm.compute_log_likelihood(prior, progressbar=False)
    assert "beta" in pm.model_to_mermaid(model) and prior["prior"]["beta"].dims == ("chain", "draw", "covariate")
    assert set(predicted["posterior_predictive"].data_vars) == outcomes
    for group in (prior["prior_predictive"], prior["log_likelihood"]):
        assert set(group.data_vars) == {*outcomes, "x_observed"}
        assert sum(group[name].shape[-1] for name in outcomes) == len(studies)


@pytest.mark.parametrize("sd", [0.01, 0.3, 1.0, 2.5])
@pytest.mark.parametrize(("events", "n"), [(34, 43), (43, 43), (0, 43), (80, 100), (800, 1000), (6, 6)])
@pytest.mark.parametrize("rho", [1e-9, 0.05, 0.4])
def test_missing_cells_are_integrated_for_any_size_of_study(events, n, rho, sd) -> None:
    """One study whose only cell is missing: its linear predictor is Normal(logit 0.6, sd) a priori."""
    studies, gap = RateStudies(("one",), [events], [n]), Covariates(("x",), np.array([[np.nan]]))
    draws = {"mu": np.array(0.6), "rho": np.array(rho), "beta": np.ones(1), "covariate_mean": np.zeros(1),
             "covariate_sd": np.full(1, sd)}
    density = RATE.log_density(draws, RATE.data(studies, gap), on=NUMBERS) + beta_binomial.log_constant(studies)
    z = np.linspace(-30.0, 30.0, 20_001)
    moved = {"mu": special.expit(special.logit(0.6) + sd * z), "rho": np.full(z.size, rho)}
    moved["mu"] = np.clip(moved["mu"], 1e-15, 1.0 - 1e-15)
    values = beta_binomial.log_likelihood(moved, studies)[:, 0] + stats.norm.logpdf(z)
    assert float(density) == pytest.approx(special.logsumexp(values) + np.log(z[1] - z[0]), abs=0.01)


@pytest.mark.parametrize(("regression", "studies", "draw"), _MODELS)
def test_with_zero_slopes_it_is_the_model_without_covariates(regression, studies, draw) -> None:
    zero, base = {**draw, "beta": np.zeros(2)}, regression.base.marginal
    cells = sum(stats.norm.logpdf(X[~np.isnan(X[:, at]), at], draw["covariate_mean"][at],
                                  draw["covariate_sd"][at]).sum() for at in range(2))
    density = regression.log_density(zero, regression.data(studies, COVARIATES), on=NUMBERS) - cells
    assert float(density) == pytest.approx(float(base.log_density(draw, base.data(studies), on=NUMBERS)), abs=1e-8)


@pytest.mark.parametrize("steps", [(1.0, 1.0), (4e-5, 12.0)])
@pytest.mark.parametrize(("regression", "studies", "draw"), _MODELS)
def test_the_graph_is_the_density_and_the_prior_of_the_slopes(regression, studies, draw, steps) -> None:
    """Between two slopes the compiled log density moves by what numbers say, with all else at its initial point.

    Slopes of small steps are sampled in units of these: z is beta over the smaller of 1 and the step.
    """
    covariates, unit = Covariates(COVARIATES.names, X, np.array(steps)), np.minimum(steps, 1.0)
    model = marginal_model(regression, studies, covariates, regression.priors)
    start, others = model.initial_point(), [name for name in draw if name != "beta"]
    logp = model.compile_fn(model.logp(jacobian=False), inputs=model.value_vars, mode="FAST_COMPILE")
    natural = model.compile_fn(model.replace_rvs_by_values([model[name] for name in others]),
                               inputs=model.value_vars, on_unused_input="ignore", mode="FAST_COMPILE")

    def both(z: np.ndarray) -> tuple[float, float]:
        point, beta = {**start, "beta_z": z}, unit * z
        draws = {**dict(zip(others, natural(point), strict=True)), "beta": beta}
        numbers = regression.log_density(draws, regression.data(studies, covariates), on=NUMBERS)
        return float(logp(point)), float(numbers + stats.norm.logpdf(beta, 0.0, 0.5).sum())

    first, second = both(np.array([0.2, -0.3])), both(np.array([-0.7, 0.9]))
    assert abs(first[0] - second[0]) > 0.1
    assert first[0] - second[0] == pytest.approx(first[1] - second[1], abs=1e-8)


@pytest.mark.parametrize(("regression", "studies", "draw"), _MODELS)
def test_a_slope_of_two_steps_is_two_slopes(regression, studies, draw) -> None:
    """x = beta x_sd / step: a step of two standard deviations with twice the slope is the same model, gaps included."""
    twice = Covariates(COVARIATES.names, X, np.array([2.0, 1.0]))
    moved = {**draw, "beta": draw["beta"] * [2.0, 1.0]}
    densities = [float(regression.log_density(at, regression.data(studies, cells), on=NUMBERS))
                 for at, cells in ((moved, twice), (draw, COVARIATES))]
    assert densities[0] == pytest.approx(densities[1])


def test_cells_without_a_gap_have_no_distribution() -> None:
    full = Covariates(("constant", "gap"), np.array([[1.0, 0.5], [1.0, np.nan], [1.0, -0.5]]))
    assert full.summaries.tolist() == [[0.0, 2.0], [0.0, 0.0], [0.0, 0.5]]


def test_impossible_covariates_are_refused() -> None:
    for names, values in ((("x",), np.ones(3)), ((), np.ones((3, 0))), (("x",), np.array([[np.inf]]))):
        with pytest.raises(ValueError):
            Covariates(names, values)
    for steps in (np.zeros(1), np.array([np.inf]), np.ones(2)):
        with pytest.raises(ValueError):
            Covariates(("x",), np.ones((3, 1)), steps)
