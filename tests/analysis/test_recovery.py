"""Planted hyperparameters are found again.

Which can be. Twelve studies of 20 to 80 patients determine the location well: the mean rate mu, the median
logit m and the log hazard eta, whose posterior is a few times narrower than the prior. The heterogeneity
(rho, tau) is learned from twelve effects only, so its interval is wide and leans on the prior; the planted
values lie in the middle of the prior, where an interval at a fixed truth covers at about its level. What
would show here is a wrong scale (variance for SD, rho for kappa, months for years), a lost Jacobian or a
mistaken standard error.

Bound. Each data set is one trial with 95 % coverage. Of 20, fewer than 16 are covered with probability
2.6e-3, and the seeds are fixed, so the bound is met or a change broke it. Medians of 20 posterior medians are
held to 4 standard errors of a median of 20, with the SD over data sets: 4 x 1.2533/sqrt(20) = 1.12 SD.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import special, stats

from analysis.inference.pooled import hyperparameters
from models.studies import HazardStudies, RateStudies, Studies
from tests.exact.solved import solved

_SETS, _STUDIES = 20, 12
_LEAST = int(stats.binom.ppf(0.003, _SETS, 0.95))


def _beta_counts(rng: np.random.Generator, truth: dict[str, float]) -> Studies:
    evaluable, kappa = rng.integers(20, 81, _STUDIES), 1.0 / truth["rho"] - 1.0
    rates = rng.beta(truth["mu"] * kappa, (1.0 - truth["mu"]) * kappa, _STUDIES)
    return RateStudies(_names(), rng.binomial(evaluable, rates), evaluable)


def _logit_counts(rng: np.random.Generator, truth: dict[str, float]) -> Studies:
    evaluable = rng.integers(20, 81, _STUDIES)
    rates = special.expit(rng.normal(truth["m"], truth["tau"], _STUDIES))
    return RateStudies(_names(), rng.binomial(evaluable, rates), evaluable)


def _hazards(rng: np.random.Generator, truth: dict[str, float]) -> Studies:
    """A third of the studies each reports an estimate, events in person-months, and events of 40 patients by a year."""
    effects, error = rng.normal(truth["eta"], truth["tau"], _STUDIES), rng.uniform(0.15, 0.35, _STUDIES)
    kind = np.arange(_STUDIES) % 3
    time = rng.uniform(200.0, 800.0, _STUDIES)
    by_landmark = rng.binomial(40, -np.expm1(-12.0 * np.exp(effects)))
    events = np.choose(kind, (0, rng.poisson(time * np.exp(effects)), by_landmark))
    months = np.choose(kind, (0.0, time, 12.0 * (40 - by_landmark)))
    return HazardStudies(_names(), rng.normal(effects, error), error, error, events, months, [40] * _STUDIES,
                         np.choose(kind, (0.0, 0.0, 12.0)))


def _names() -> list[str]:
    return [f"s{at}" for at in range(_STUDIES)]


@pytest.mark.parametrize(("name", "truth", "simulate"), [
    ("beta_binomial", {"mu": 0.8, "rho": 0.12}, _beta_counts),
    ("logit_normal", {"m": -1.0, "tau": 0.7}, _logit_counts),
    ("log_hazard", {"eta": -3.0, "tau": 0.4}, _hazards),
], ids=["beta_binomial", "logit_normal", "log_hazard"])
def test_planted_values_are_covered(name: str, truth: dict[str, float], simulate: Callable) -> None:
    """By quadrature; that chains give the same is tested where both are held against a third way."""
    rng = np.random.default_rng(2022)
    found = [hyperparameters(solved(name, simulate(rng, truth))) for _ in range(_SETS)]
    for parameter, planted in truth.items():
        low, middle, high = np.transpose([one[parameter].quantile(np.array([0.025, 0.5, 0.975])) for one in found])
        assert np.sum((low <= planted) & (planted <= high)) >= _LEAST, parameter
        assert abs(np.median(middle) - planted) < 1.12 * np.std(middle, ddof=1), (parameter, middle)
