"""Log densities against quadrature over the missing cells with scipy's distributions, and against the models."""

import numpy as np
import pytest
from scipy import special, stats

from models import beta_binomial, beta_binomial_regression, log_hazard, log_hazard_regression
from models.backend import NUMBERS
from models.covariates import Covariates, cell_table
from models.studies import RateStudies

from .cases import COVARIATES, HAZARDS, RATES, X

_DRAW = {"beta": np.array([0.6, -0.4]), "covariate_mean": np.array([0.1, -0.2]), "covariate_sd": np.array([0.8, 0.6])}
_RATE_DRAW = {**_DRAW, "mu": np.array(0.7), "rho": np.array(0.12)}
_HAZARD_DRAW = {**_DRAW, "eta": np.array(-2.8), "tau": np.array(0.3)}


def _cells(values: np.ndarray) -> float:
    return sum(stats.norm.logpdf(values[~np.isnan(values[:, at]), at], _DRAW["covariate_mean"][at],
                                 _DRAW["covariate_sd"][at]).sum() for at in range(values.shape[1]))


def _integrated(likelihood, cells: np.ndarray) -> float:
    """Mean of the likelihood over the missing cells of one study, on a fine grid of each in turn."""
    points, weights = np.polynomial.legendre.leggauss(300)
    grids = []
    for at, cell in enumerate(cells):
        m, s = _DRAW["covariate_mean"][at], _DRAW["covariate_sd"][at]
        x = m + 9.0 * s * points
        grids.append((x, 9.0 * s * weights * stats.norm.pdf(x, m, s)) if np.isnan(cell) else
                     (np.array([cell]), np.ones(1)))
    shift = _DRAW["beta"][0] * grids[0][0][:, None] + _DRAW["beta"][1] * grids[1][0]
    return float(np.log(np.sum(grids[0][1][:, None] * grids[1][1] * likelihood(shift))))


def test_rates_agree_with_scipy_integrated_over_the_missing_cells() -> None:
    inputs = beta_binomial_regression.data(RATES, COVARIATES)
    kappa = 1.0 / 0.12 - 1.0

    def study(at: int, shift: np.ndarray) -> np.ndarray:
        rate = special.expit(special.logit(0.7) + shift)
        return stats.betabinom.pmf(RATES.events[at], RATES.evaluable[at], rate * kappa, (1.0 - rate) * kappa)

    wanted = _cells(X) + sum(_integrated(lambda shift, at=at: study(at, shift), X[at]) for at in range(6))
    found = beta_binomial_regression.log_density(_RATE_DRAW, inputs, on=NUMBERS) + beta_binomial.log_constant(RATES)
    # Four studies are integrated by 15 points each.
    assert float(found) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("sd", [0.01, 0.3, 1.0, 2.5])
@pytest.mark.parametrize(("events", "n"), [(34, 43), (43, 43), (0, 43), (80, 100), (800, 1000), (6, 6)])
@pytest.mark.parametrize("rho", [1e-9, 0.05, 0.4])
def test_missing_cells_are_integrated_for_any_size_of_study(events, n, rho, sd) -> None:
    """One study whose only cell is missing: its linear predictor is Normal(logit 0.6, sd) a priori."""
    studies, gap = RateStudies(("one",), [events], [n]), Covariates(("x",), np.array([[np.nan]]))
    draws = {"mu": np.array(0.6), "rho": np.array(rho), "beta": np.ones(1), "covariate_mean": np.zeros(1),
             "covariate_sd": np.full(1, sd)}
    inputs = beta_binomial_regression.data(studies, gap)
    found = beta_binomial_regression.log_density(draws, inputs, on=NUMBERS) + beta_binomial.log_constant(studies)
    z = np.linspace(-30.0, 30.0, 60_001)
    moved = {"mu": special.expit(special.logit(0.6) + sd * z), "rho": np.full(z.size, rho)}
    moved["mu"] = np.clip(moved["mu"], 1e-15, 1.0 - 1e-15)
    values = beta_binomial.log_likelihood(moved, studies)[:, 0] + stats.norm.logpdf(z)
    wanted = special.logsumexp(values) + np.log(z[1] - z[0])
    assert float(found) == pytest.approx(wanted, abs=0.01)


def test_hazards_agree_with_quadrature_over_the_missing_cells() -> None:
    inputs = log_hazard_regression.data(HAZARDS, COVARIATES)
    draws = {"eta": np.array([-2.8]), "tau": np.array([0.3])}

    def study(at: int, shift: np.ndarray) -> np.ndarray:
        moved = {"eta": -2.8 + shift.ravel(), "tau": np.full(shift.size, 0.3)}
        return np.exp(log_hazard.log_likelihood(moved, HAZARDS)[:, at]).reshape(shift.shape)

    wanted = _cells(X) + sum(_integrated(lambda shift, at=at: study(at, shift), X[at]) for at in range(6))
    found = log_hazard_regression.log_density(_HAZARD_DRAW, inputs, on=NUMBERS) + log_hazard.log_constant(HAZARDS)
    # The missing cells need no quadrature; counts keep the 25 points of their study effect.
    assert float(found) == pytest.approx(wanted, abs=1e-6)
    assert np.isfinite(log_hazard.log_likelihood(draws, HAZARDS)).all()


@pytest.mark.parametrize(("module", "base", "studies", "draw"), [
    (beta_binomial_regression, beta_binomial, RATES, {"mu": 0.7, "rho": 0.12}),
    (log_hazard_regression, log_hazard, HAZARDS, {"eta": -2.8, "tau": 0.3}),
])
def test_with_zero_slopes_it_is_the_model_without_covariates(module, base, studies, draw) -> None:
    draws = {name: np.array(value) for name, value in draw.items()}
    zero = {**draws, **_DRAW, "beta": np.zeros(2)}
    found = module.log_density(zero, module.data(studies, COVARIATES), on=NUMBERS) - _cells(X)
    assert float(found) == pytest.approx(float(base.log_density(draws, base.data(studies), on=NUMBERS)), abs=1e-8)


@pytest.mark.parametrize("steps", [(1.0, 1.0), (4e-5, 12.0)])
@pytest.mark.parametrize(("module", "studies", "draw"), [(beta_binomial_regression, RATES, _RATE_DRAW),
                                                         (log_hazard_regression, HAZARDS, _HAZARD_DRAW)])
def test_the_graph_is_the_density_and_the_prior_of_the_slopes(module, studies, draw, steps) -> None:
    """Between two slopes the compiled log density moves by what numbers say, with all else at its initial point.

    Slopes of small steps are sampled in units of these: z is beta over the smaller of 1 and the step.
    """
    covariates = Covariates(COVARIATES.names, X, np.array(steps))
    model, inputs, unit = module.build(studies, covariates), module.data(studies, covariates), np.minimum(steps, 1.0)
    start, others = model.initial_point(), [name for name in draw if name != "beta"]
    logp = model.compile_fn(model.logp(jacobian=False), inputs=model.value_vars)
    natural = model.compile_fn(model.replace_rvs_by_values([model[name] for name in others]),
                               inputs=model.value_vars, on_unused_input="ignore")

    def both(z: np.ndarray) -> tuple[float, float]:
        point, beta = {**start, "beta_z": z}, unit * z
        own = dict(zip(others, natural(point), strict=True))
        numbers = module.log_density({**own, "beta": beta}, inputs, on=NUMBERS)
        return float(logp(point)), float(numbers + stats.norm.logpdf(beta, 0.0, 0.5).sum())

    first, second = both(np.array([0.2, -0.3])), both(np.array([-0.7, 0.9]))
    assert abs(first[0] - second[0]) > 0.1
    assert first[0] - second[0] == pytest.approx(first[1] - second[1], abs=1e-8)


@pytest.mark.parametrize(("module", "studies", "draw"), [(beta_binomial_regression, RATES, _RATE_DRAW),
                                                         (log_hazard_regression, HAZARDS, _HAZARD_DRAW)])
def test_a_slope_of_two_steps_is_two_slopes(module, studies, draw) -> None:
    """x = beta x_sd / step: a step of two standard deviations with twice the slope is the same model, gaps included."""
    twice = Covariates(COVARIATES.names, X, np.array([2.0, 1.0]))
    moved = {**draw, "beta": draw["beta"] * [2.0, 1.0]}
    found = module.log_density(moved, module.data(studies, twice), on=NUMBERS)
    assert float(found) == pytest.approx(float(module.log_density(draw, module.data(studies, COVARIATES), on=NUMBERS)))


def test_cells_without_a_gap_have_no_distribution() -> None:
    full = Covariates(("constant", "gap"), np.array([[1.0, 0.5], [1.0, np.nan], [1.0, -0.5]]))
    assert cell_table(full).tolist() == [[0.0, 2.0], [0.0, 0.0], [0.0, 0.5]]


def test_impossible_covariates_are_refused() -> None:
    for names, values in ((("x",), np.ones(3)), ((), np.ones((3, 0))), (("x",), np.array([[np.inf]]))):
        with pytest.raises(ValueError):
            Covariates(names, values)
    for steps in (np.zeros(1), np.array([np.inf]), np.ones(2)):
        with pytest.raises(ValueError):
            Covariates(("x",), np.ones((3, 1)), steps)
