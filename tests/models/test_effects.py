"""Study effects drawn afterwards have the conditional distribution that quadrature finds."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from models import log_hazard, logit_normal
from models.integrals import _fraction, _mean_fall
from models.studies import HazardStudies, RateStudies
from tests import quadrature

_DRAWS = 100_000


def _assert_distribution(values: np.ndarray, study: quadrature.Study, centre: float, tau: float) -> None:
    """Mean, SD and the mass below three points, from the same effect integrated by brute force."""
    at, width = np.array([centre]), np.array([tau])
    mean = float(quadrature.moments(study, at, width, lambda theta: theta)[1][0])
    variance = float(quadrature.moments(study, at, width, lambda theta: (theta - mean) ** 2)[1][0])
    spread = np.sqrt(variance)
    # Four standard errors of 100,000 draws (of an SD with kurtosis below 9: sqrt(2/s)), plus the stated 2e-3
    # SD.
    assert values.mean() == pytest.approx(mean, abs=(4.0 / np.sqrt(_DRAWS) + 3e-3) * spread)
    assert values.std() == pytest.approx(spread, rel=4.0 * np.sqrt(2.0 / _DRAWS) + 3e-3)
    for offset in (-1.5, 0.0, 1.5):
        # A smooth step, 1e-2 SD wide, is integrated well by 100 points; the mass moves by less than 0.004.
        edge = mean + offset * spread
        below = float(quadrature.moments(study, at, width, lambda theta,
                                         edge=edge: special.ndtr((edge - theta) / (0.2 * spread)))[1][0])
        smooth = special.ndtr((edge - values) / (0.2 * spread))
        assert smooth.mean() == pytest.approx(below, abs=4.0 * 0.5 / np.sqrt(_DRAWS) + 3e-3)


@pytest.mark.parametrize(
    ("y", "n", "m", "tau"),
    [
        (25, 100, -1.0, 0.4),
        (0, 20, -2.0, 1.0),
        (20, 20, 2.0, 1.5),
        (1, 1, 0.0, 3.0),
        (15, 60, -1.1, 0.01),
        (25_000, 100_000, 0.0, 1.0),
        (0, 1_000_000, -9.0, 2.0),
        (5, 10, 0.0, 1e-9),
        (0, 0, 0.3, 0.7),
    ],
)
def test_logit_effects(y: int, n: int, m: float, tau: float) -> None:
    draws = {"m": np.full(_DRAWS, m), "tau": np.full(_DRAWS, tau)}
    rates = logit_normal.study_effects(draws, RateStudies(("a",), [y], [n]), np.random.default_rng(1))[:, 0]
    if n:
        _assert_distribution(special.logit(rates), quadrature.binomial_study(y, n), m, tau)
    else:
        logits = special.logit(rates)
        assert logits.mean() == pytest.approx(m, abs=(4.0 / np.sqrt(_DRAWS) + 3e-3) * tau)
        assert logits.std() == pytest.approx(tau, rel=4.0 * np.sqrt(0.5 / _DRAWS) + 3e-3)


@pytest.mark.parametrize(("eta", "tau"), [(-3.0, 0.3), (-2.0, 1.0), (-2.2, 1e-8), (-1.0, 0.05)])
@pytest.mark.parametrize("row", [(-2.8, 0.3, 0.3), (-2.2, 0.15, 0.6), (9.0, 180.5), (0.0, 25.0)])
def test_hazard_effects(row: tuple[float, ...], eta: float, tau: float) -> None:
    draws = {"eta": np.full(_DRAWS, eta), "tau": np.full(_DRAWS, tau)}
    make: Callable = quadrature.normal_study if len(row) == 3 else quadrature.poisson_study
    columns = (*row, 0.0, 0.0) if len(row) == 3 else (np.nan, np.nan, np.nan, *row)
    studies = HazardStudies(("a",), *([value] for value in columns), [10])
    values = log_hazard.study_effects(draws, studies, np.random.default_rng(2))[:, 0]
    _assert_distribution(values, make(*row), eta, tau)


def test_each_draw_has_its_own_hyperparameters_and_each_study_its_own_column() -> None:
    draws = {"m": np.array([-2.0, 2.0] * 500), "tau": np.full(1000, 1e-6)}
    rates = logit_normal.study_effects(draws, RateStudies(("a", "b"), [5, 0], [10, 3]), np.random.default_rng(3))
    assert rates.shape == (1000, 2)
    np.testing.assert_allclose(rates, np.broadcast_to(special.expit(draws["m"])[:, None], (1000, 2)), atol=1e-5)


@pytest.mark.parametrize("rise", [-400.0, -3.0, -1e-3, 0.0, 1e-3, 3.0, 400.0])
def test_a_cell_is_inverted_on_its_own_side(rise: float) -> None:
    share = np.array([1e-9, 0.1, 0.5, 0.9, 1.0 - 1e-9])
    place = _fraction(share, np.full(5, rise))
    below = np.expm1(rise * place) / np.expm1(rise) if rise else place
    # Steps of 1e-8 stand in for a level cell, and 1 - share is rounded to 1e-16.
    np.testing.assert_allclose(below, share, rtol=1e-6, atol=1e-12)
    level = -np.expm1(-abs(rise)) / abs(rise) if rise else 1.0
    assert _mean_fall(np.array([abs(rise)]))[0] == pytest.approx(level, rel=1e-12)


class _Even:
    """Stands in for a generator: every probability once, so that nothing is left to chance."""

    def random(self, shape: tuple[int, int]) -> np.ndarray:
        return np.broadcast_to((np.arange(shape[0])[:, None] + 0.5) / shape[0], shape)


@pytest.mark.parametrize(("y", "n", "m", "tau"), [(25, 100, -1.0, 0.4), (0, 20, -2.0, 1.0), (15, 60, -1.1, 0.01),
                                                  (1, 1, 0.0, 3.0)])
def test_spread_of_effects_is_right_without_chance(y: int, n: int, m: float, tau: float) -> None:
    draws = {"m": np.full(_DRAWS, m), "tau": np.full(_DRAWS, tau)}
    logits = special.logit(logit_normal.study_effects(draws, RateStudies(("a",), [y], [n]), _Even())[:, 0])
    at, width, study = np.array([m]), np.array([tau]), quadrature.binomial_study(y, n)
    mean = float(quadrature.moments(study, at, width, lambda theta: theta)[1][0])
    spread = float(quadrature.moments(study, at, width, lambda theta: (theta - mean) ** 2)[1][0]) ** 0.5
    # Joining 49 points of the log density by lines moves the mean by up to 2.1e-3 SD and the SD by 1e-3;
    # joining those of the density widened the SD by 7e-3.
    assert logits.mean() == pytest.approx(mean, abs=3e-3 * spread)
    assert logits.std() == pytest.approx(spread, rel=3e-3)
