"""Log hazard posteriors: recorded values, and quadrature for every kind of row alone and mixed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base import array_stats

from analysis.cases.settings import HEADLINE, more_careful
from analysis.inference import estimands
from analysis.inference.nuts import flat, sample
from models import all_models
from models.priors import Prior
from models.studies import HazardStudies
from tests import quadrature
from tests.references import recorded

from .sampled import assert_agrees, assert_clean, draws_of, fit_survival

MODEL = all_models()["log_hazard"]
_ETA = (float(np.log(np.log(2.0) / 12.0)), 2.5)


def _studies(normal: list[tuple[float, float, float]], counts: list[tuple[float, float]]) -> HazardStudies:
    total = len(normal) + len(counts)
    estimates = np.array([*normal, *[(np.nan, np.nan, np.nan)] * len(counts)]).reshape(-1, 3)
    rows = np.array([*[(0.0, 0.0)] * len(normal), *counts]).reshape(-1, 2)
    return HazardStudies([f"s{i}" for i in range(total)], *estimates.T, *rows.T, [20] * total)


def _compare(
    normal: list, counts: list, eta: tuple[float, float], tau: float, *, horizon: float = 12.0
) -> tuple[dict, dict]:
    """Sampled draws and the quadrature of all estimands."""
    studies = _studies(normal, counts)
    priors = {"eta": Prior("Normal", eta), "tau": Prior("HalfNormal", (tau,))}
    posterior, stats = sample(MODEL, studies, priors, sampler=HEADLINE, seed=5)
    if int(stats["diverging"].sum()):
        # As a fit does: a second and last attempt.
        posterior, stats = sample(MODEL, studies, priors, sampler=more_careful(HEADLINE, "careful"), seed=5)
    assert int(stats["diverging"].sum()) == 0
    draws = flat(posterior)
    rng = np.random.default_rng(8)
    quantities = estimands.survival_quantities(
        MODEL.marginal.summaries(draws),
        MODEL.marginal.study_effects(draws, studies, rng),
        MODEL.marginal.new_study(draws, rng),
        horizon=horizon,
    )
    sampled = {"eta": draws["eta"]}
    for quantity in quantities:
        columns = quantity.draws if quantity.draws.ndim == 2 else quantity.draws[:, None]
        for at, column in enumerate(columns.T):
            sampled[quantity.name if quantity.draws.ndim == 1 else f"{quantity.name}_{at}"] = column
    independent = [quadrature.normal_study(*row) for row in normal] + [
        quadrature.poisson_study(*row) for row in counts
    ]
    grid = quadrature.normal_effects(independent, centre=eta, tau=tau)
    expected = quadrature.log_hazard_estimands(grid, independent, horizon)
    return {name: values.reshape(HEADLINE.chains, -1) for name, values in sampled.items()}, expected


def _assert_recorded(name: str, draws: dict, expected: dict) -> None:
    for parameter in ("eta", "tau"):
        row, ours = recorded()[name][parameter], expected[parameter]
        for got, wanted in zip((ours.mean, ours.sd, ours.lower, ours.median, ours.upper), row, strict=True):
            # Four printed digits, and quantiles between grid points to 0.005 SD.
            assert wanted is None or got == pytest.approx(wanted, abs=1e-4 + 0.005 * ours.sd), parameter
        error = float(array_stats.mcse(draws[parameter], chain_axis=0, draw_axis=1, method="median"))
        assert row[3] is None or np.median(draws[parameter]) == pytest.approx(row[3], abs=4.0 * error + 1e-4)


def test_crins_2014() -> None:
    data = recorded()["crins_2014"]
    normal = [(y, v**0.5, v**0.5) for y, v in zip(data["estimates"], data["variances"], strict=True)]
    draws, expected = _compare(normal, [], (0.0, 4.0), 0.5, horizon=1.0)
    _assert_recorded("crins_2014", draws, expected)
    assert_agrees(draws, expected)
    # bayesmeta's interval of a new study is its shortest one, so it is tested by what it holds: 95 %. The
    # density of the new study is about 0.05 at its ends, 20,000 draws have a standard error of 0.0015, and
    # four of it.
    lower, _, upper = data["new_study"][2:]
    new = np.log(-np.log(draws["new_study_survival_1m"]))
    assert np.mean((lower < new) & (new < upper)) == pytest.approx(0.95, abs=0.006 + 1e-4)


def test_nielweise_2008() -> None:
    data = recorded()["nielweise_2008"]
    counts = list(zip(data["events"], data["exposure"], strict=True))
    draws, expected = _compare([], counts, (0.0, 5.0), 1.0, horizon=0.2)
    _assert_recorded("nielweise_2008", draws, expected)
    assert_agrees(
        {name: draws[name] for name in expected if "rmst" not in name},
        {name: value for name, value in expected.items() if "rmst" not in name},
    )


@pytest.mark.parametrize(
    ("normal", "counts"),
    [
        ([(-2.8, 0.3, 0.3)], []),
        ([(-2.8, 0.1, 0.6)], []),
        ([(-2.8, 0.3, 0.3), (-2.2, 0.4, 0.2)], []),
        ([(-2.8, 0.25, 0.25)] * 8, []),
        ([(-2.8, 0.02, 0.02)] * 3, []),
        ([(-2.8, 0.2, 0.5), (-3.3, 0.4, 0.4), (-2.1, 0.6, 0.2)], [(9, 180.5), (0, 25.0), (30, 900.0)]),
    ],
    ids=[
        "one_study",
        "one_split_normal",
        "two_studies",
        "homogeneous",
        "precise_and_homogeneous",
        "mixed",
    ],
)
def test_posterior_is_that_of_quadrature(normal: list, counts: list) -> None:
    assert_agrees(*_compare(normal, counts, _ETA, 0.5))


@pytest.fixture
def printed(tmp_path: Path) -> Callable:
    rows = [
        "median,,12.9,8.7,23.4,false,53,,",
        "landmark,12,0.5,,,false,30,,",
        "median,,18.2,15.9,,true,53,,",
        ",,,,,false,20,9,180.5",
        "landmark,12,1,,,false,10,,",
        "landmark,6,0,,,false,8,,",
    ]
    return fit_survival(tmp_path, rows)


def test_fit_from_published_statistics(printed: Callable) -> None:
    studies = printed.case.studies
    independent = [
        quadrature.poisson_study(studies.events[at], studies.person_months[at])
        if studies.is_poisson[at]
        else quadrature.landmark_study(studies.events[at], studies.person_months[at], studies.landmark_months[at])
        if studies.is_landmark[at]
        else quadrature.normal_study(studies.log_hazard[at], studies.se_lower[at], studies.se_upper[at])
        for at in range(len(studies))
    ]
    grid = quadrature.normal_effects(independent, centre=_ETA, tau=0.5)
    assert_clean(printed)
    assert_agrees(draws_of(printed), quadrature.log_hazard_estimands(grid, independent, 12.0))


def test_few_counts_and_none() -> None:
    # Under the priors of the other counts, so that nothing is compiled anew.
    assert_agrees(*_compare([], [(0, 30.0), (2, 3.0)], (0.0, 5.0), 1.0, horizon=6.0))
