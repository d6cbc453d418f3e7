"""The headline of each endpoint by plain sums: its model and estimand, and what it predicts of a study."""

from typing import Any

import numpy as np
from scipy import special, stats

from tests.seen.facts import Counts, studies_of
from tests.seen.posterior import Plane, posterior

MAIN = {"cr": "mean_rate", "tox": "mean_rate", "os": "survival"}
HEADLINE = {"cr": "beta_binomial", "tox": "beta_binomial", "os": "log_hazard"}
SPREAD = {"cr": "rho", "tox": "rho", "os": "tau"}


def months(endpoint: str) -> float | None:
    return 12.0 if endpoint == "os" else None


def question(endpoint: str) -> dict[str, Any]:
    """Endpoint, model and main estimand by the names of their columns."""
    return {"endpoint": endpoint, "model": HEADLINE[endpoint], "estimand": MAIN[endpoint],
            "time_months": months(endpoint)}


def headline(endpoint: str, studies=None) -> Plane:
    return posterior(HEADLINE[endpoint], studies_of(endpoint) if studies is None else studies)


def main_limits(plane: Plane, endpoint: str) -> tuple[float, float, float]:
    """Median and limits of the main estimand."""
    return plane.limits(MAIN[endpoint], months(endpoint))


def law(plane: Plane, n: int, most: int | None = None) -> np.ndarray:
    """Probabilities of 0 to n events, or to `most` of them, of a further study."""
    location, spread, weight = plane.points()
    kappa = 1 / spread - 1
    counts = np.arange((n if most is None else most) + 1)[:, None]
    return stats.betabinom.pmf(counts, n, location * kappa, (1 - location) * kappa) @ weight


def pit_of(plane: Plane, study) -> float:
    """Predictive mid-p of a study's count, or of its survival, given the others."""
    if isinstance(study, Counts) and plane.model == "beta_binomial":
        mass = law(plane, study.n, study.events)
        return float(mass[:-1].sum() + mass[-1] / 2)
    location, spread, weight = plane.points()
    z = np.linspace(-6, 6, 49)
    rule = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    theta = location[:, None] + spread[:, None] * z
    if isinstance(study, Counts):
        ends = [special.bdtr(y, study.n, special.expit(theta)) if y >= 0 else 0.0
                for y in (study.events - 1, study.events)]
        inside = sum(ends) / 2
    elif study.months:
        expected = study.months * np.exp(theta)
        inside = 1 - (special.pdtr(study.events - 1, expected) + special.pdtr(study.events, expected)) / 2
    else:
        return float(weight @ special.ndtr((location - study.value) / np.hypot(spread, study.below)))
    return float(weight @ (inside @ rule))
