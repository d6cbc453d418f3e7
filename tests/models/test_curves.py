"""Models of curves from their points: the plain model is the density, and closed forms hold."""

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.inference.density import density_of
from analysis.inference.distribution import distribution
from analysis.inference.grid import Slices, solve
from models import all_models, integrals
from models.backend import NUMBERS
from models.curves import AT, NEVER, data, likelihood
from models.studies import CurveStudies

from .graphs import REWRITTEN

NAMES = ("weibull", "mixture_cure", "exponential")
POINTS = {"weibull": (-0.2, 0.3, 0.7), "mixture_cure": (-0.1, 0.4, 0.2), "exponential": (-0.4, 0.2)}
# Points and last patients; one study in two strata; events with person-months; a bound.
STUDIES = CurveStudies(
    ("points", "strata", "counts", "bound"), [[0, 6], [0, 0], [0, 0], [0, 0]], [[6, 14], [12, 12], [12, 12], [12, 12]],
    [[12, 9.6], [0, 0], [0, 0], [4, 0]], [[14], [12], [12], [12]], [[11], [0], [0], [12]], [0, 0, 6, 0], [0, 0, 9, 0],
    [0, 0, 15, 0], [0, 0, 0, 20], [0, 0, 0, 0.4], [[[0, 12, 0.5]] * 2, [[0.8, 20, 0.5], [0.2, 3, 0.5]],
                                                  [[0, 12, 0.5]] * 2, [[0, 12, 0.5]] * 2], [0, 20.0, 0, 0],
    [52, 40, 15, 25])


def draws_of(name: str, size: int = 1) -> dict[str, np.ndarray]:
    return {key: np.full(size, value) for key, value in zip(all_models()[name].priors, POINTS[name], strict=True)}


def survival(name: str, theta: float, months: np.ndarray) -> np.ndarray:
    """Straight from the formula of each model."""
    last = POINTS[name][-1]
    if name == "weibull":
        return np.exp(-np.exp(theta) * (months / 12.0) ** last)
    cured = last if name == "mixture_cure" else 0.0
    return cured + (1.0 - cured) * np.exp(-np.exp(theta) * months / 12.0)


def by_hand(name: str, theta: float) -> np.ndarray:
    """Log likelihood of each study, from survival alone."""
    def at(months: float) -> float:
        return float(survival(name, theta, np.array(months)))

    cured = POINTS[name][-1] if name == "mixture_cure" else 0.0
    shape = POINTS[name][-1] if name == "weibull" else 1.0

    def continued(months: float) -> float:
        """A stratum at a half then, at 12 months."""
        left = (0.5 - cured) / (1.0 - cured)
        return cured + (1.0 - cured) * left ** ((12.0 / months) ** shape)

    mixed = 0.8 * continued(20.0) + 0.2 * continued(3.0)
    log_half = np.log(-np.log((0.5 - cured) / (1.0 - cured))) - shape * np.log(20.0 / 12.0)
    return np.array([
        12 * np.log(1 - at(6)) + 9.6 * np.log(at(6) - at(14)) + 11 * np.log(at(14)),
        20 * (mixed * np.log(at(12) / mixed) + (1 - mixed) * np.log((1 - at(12)) / (1 - mixed))),
        6 * np.log(-np.log(at(9))) + 15 * np.log(at(9)),
        4 * np.log(1 - at(12)) + 12 * np.log(at(12)) + stats.norm.logcdf((log_half - theta) / 0.4)])


@pytest.mark.parametrize("name", NAMES)
def test_the_likelihood_is_the_one_of_survival(name: str) -> None:
    shared = {"weibull": (None, np.float64(0.7)), "mixture_cure": (np.float64(0.2), None)}.get(name, (None, None))
    each = likelihood(data(STUDIES), *shared, on=NUMBERS)
    for theta in (-1.5, -0.3, 0.8):
        np.testing.assert_allclose(each.value(np.full(4, theta)), by_hand(name, theta), rtol=1e-9)
        step = 1e-5
        rise = (each.value(np.full(4, theta + step)) - each.value(np.full(4, theta - step))) / (2 * step)
        np.testing.assert_allclose(each.slope(np.full(4, theta)), rise, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_effects_are_integrated_out(name: str) -> None:
    model, (eta, tau) = all_models()[name], POINTS[name][:2]
    exact = []
    for at in range(4):
        top = max(by_hand(name, eta + tau * z)[at] for z in np.linspace(-5, 5, 41))
        value, _ = integrate.quad(lambda z, at=at, top=top: np.exp(by_hand(name, eta + tau * z)[at] - top)
                                  * stats.norm.pdf(z), -9, 9, limit=200)
        exact.append(top + np.log(value))
    found = model.density.log_likelihood(draws_of(name), STUDIES)[0]
    np.testing.assert_allclose(found, exact, atol=1e-6)
    # With what is shared fixed, the value comes from a table.
    many = {key: np.append(values, values) for key, values in draws_of(name, 600).items()}
    inputs, fixed = model.density.data(STUDIES), dict(zip(list(model.priors)[2:], POINTS[name][2:], strict=True))
    np.testing.assert_allclose(model.density.tabulated(inputs, fixed)(many), np.sum(exact), atol=2e-5)
    np.testing.assert_allclose(model.density.log_density(many, inputs, on=NUMBERS), np.sum(exact), atol=1e-5)


def test_a_plateau_is_integrated_as_well() -> None:
    """A median of 19 months under a cured share of 0.4: where the effect is large the likelihood is flat, and is bent
    the other way on the way there. With the curvature of a concave one the last of these is off by 0.07.
    """
    studies = CurveStudies(("plateau",), [[0]], [[19.1]], [[11.2]], [[19.1]], [[11.2]], [0], [0], [0], [0], [0],
                           [[[0, 12, 0.5]]], [0], [35])
    each = likelihood(data(studies), np.float64(0.4), None, on=NUMBERS)
    z, model = np.linspace(-9.0, 9.0, 20_001), all_models()["mixture_cure"].density
    for eta, tau in ((0.0, 0.5), (0.5, 0.8), (0.8, 1.2)):
        exact = np.log(np.trapezoid(np.exp(each.value((eta + tau * z)[:, None])[:, 0]) * stats.norm.pdf(z), z))
        draws = {"eta12": np.array([eta]), "tau": np.array([tau]), "cured": np.array([0.4])}
        assert model.log_likelihood(draws, studies)[0, 0] == pytest.approx(exact, abs=1e-3)
        assert model.tabulated(data(studies), {"cured": 0.4})(draws)[0] == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_plain_model_has_the_same_likelihood(name: str) -> None:
    model = all_models()[name]
    graph = model.build(STUDIES, model.priors)
    point = dict(zip(graph.initial_point(), graph.initial_point().values(), strict=True))
    transforms = {"real": lambda x: x, "positive": np.log, "unit": lambda x: np.log(x / (1 - x))}
    for (key, prior), value in zip(model.priors.items(), POINTS[name], strict=True):
        inside = next(place for place in point if place == key or place.startswith(f"{key}_"))
        point[inside] = np.array(transforms[prior.support](value))
    priors = graph.compile_logp(vars=[graph[key] for key in (*model.priors, "z")], sum=True, mode=REWRITTEN)
    density = graph.compile_logp(mode=REWRITTEN)
    for z in (-1.0, 0.0, 1.3):
        point["z"] = np.full(4, z)
        whole = float(density(point)) - float(priors(point))
        theta = POINTS[name][0] + POINTS[name][1] * z
        # PyMC keeps the coefficient of Poisson counts: d log n - log d!.
        wanted = by_hand(name, theta).sum() + 6 * np.log(15) - np.log(720.0)
        assert whole == pytest.approx(wanted, rel=1e-6)


def test_curves_are_their_own_inverses() -> None:
    for name in NAMES:
        curve, draws = all_models()[name].density.curve, draws_of(name)
        for months in (3.0, 12.0, 30.0):
            value = curve.survival(draws, np.array([0.3]), months)
            assert value == pytest.approx(survival(name, 0.3, np.array([months])))
            assert curve.effect_at(draws, value, months) == pytest.approx(0.3)
            assert curve.months_at(draws, np.array([0.3]), value[0]) == pytest.approx(months)
    cured = {**draws_of("mixture_cure"), "cured": np.array([0.6])}
    assert all_models()["mixture_cure"].density.curve.months_at(cured, np.array([0.0]), 0.5) == NEVER


@pytest.mark.parametrize("name", ["weibull", "mixture_cure"])
def test_effects_of_very_many_studies_are_those_of_a_few(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More studies than fit into an array of all draws at once; the likelihood differs from draw to draw."""
    many, size = STUDIES.take(np.arange(40) % 4), 500
    monkeypatch.setattr(integrals, "_BATCH", integrals._BATCH // 6)
    assert integrals.draws_at_once(len(many)) < size
    draws = {key: value * np.linspace(0.9, 1.1, size) for key, value in draws_of(name, size).items()}
    density = all_models()[name].density
    effects = density.study_effects(draws, many, np.random.default_rng(1))
    assert effects.shape == (size, 40) and len(np.unique(effects[0])) == 40
    few = density.study_effects(draws, STUDIES, np.random.default_rng(2))
    error = 5.0 * few.std(axis=0) / np.sqrt(size)
    assert np.all(np.abs(effects.reshape(size, 10, 4).mean(axis=(0, 1)) - few.mean(axis=0)) < error)


def test_weibull_of_shape_one_is_exponential() -> None:
    """Two models, one of them integrated over slices: at a shape of one they are the same."""
    at_one = density_of(all_models()["exponential"], STUDIES, all_models()["exponential"].priors)
    weibull = all_models()["weibull"]
    held = density_of(weibull, STUDIES, weibull.priors)
    place, spread = np.linspace(-1, 1, 30), np.linspace(-3, 1, 30)
    fixed = type(held)(**{**vars(held), "fixed": {"shape": 1.0}})
    np.testing.assert_allclose(fixed(place, spread), at_one(place, spread), atol=2e-5)
    grid = solve(held, tolerance=1e-4)
    assert isinstance(grid, Slices) and grid.shares.sum() == pytest.approx(1.0)
    shape = distribution(grid, grid.values["shape"])
    by_mass = np.sum(grid.shares * np.array([part.values["shape"][0] for part in grid.grids]))
    assert shape.mean == pytest.approx(by_mass, rel=1e-6) and 0.4 < shape.quantile(0.5) < 1.5


def test_what_is_no_table_of_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="counts must have a finite row"):
        type(STUDIES)(**{**vars(STUDIES), "counts": -STUDIES.counts})
    assert AT == 12.0
