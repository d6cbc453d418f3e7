"""The headline of each endpoint by plain sums: its model, priors and estimand, and what it predicts of a study."""

import numpy as np
from scipy import special, stats

from models import all_models
from tests.seen.facts import Counts, studies_of
from tests.seen.posterior import DEFAULTS, Plane, posterior

MAIN = {"cr": "mean_rate", "tox": "mean_rate", "os": "survival"}
HEADLINE = {"cr": "beta_binomial", "tox": "beta_binomial", "os": "log_hazard"}
SPREAD = {"cr": "rho", "tox": "rho", "os": "tau"}


def months(endpoint: str) -> float | None:
    return 12.0 if endpoint == "os" else None


def headline(endpoint: str, studies=None) -> Plane:
    given = DEFAULTS.get(HEADLINE[endpoint]) or hazard_priors()
    return posterior(HEADLINE[endpoint], studies_of(endpoint) if studies is None else studies, given)


def hazard_priors() -> dict[str, str]:
    """The survival model's priors as it states them; that they are sensible is another test's business."""
    return {name: prior.exact() for name, prior in all_models()["log_hazard"].priors.items()}


def pit_of(plane: Plane, study) -> float:
    """Predictive mid-p of a study's count, or of its log hazard, given the others."""
    location, spread, weight = plane.points()
    if isinstance(study, Counts) and plane.model == "beta_binomial":
        kappa = 1 / spread - 1
        shape = (study.n, location * kappa, (1 - location) * kappa)
        pmf = stats.betabinom.pmf(np.arange(study.events + 1)[:, None], *shape)
        return float(weight @ (pmf[:-1].sum(axis=0) + pmf[-1] / 2))
    z = np.linspace(-6, 6, 49)
    rule = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    theta = location[:, None] + spread[:, None] * z
    if isinstance(study, Counts):
        ends = [special.bdtr(y, study.n, special.expit(theta)) if y >= 0 else 0.0
                for y in (study.events - 1, study.events)]
        inside = sum(ends) / 2
    elif study.months:
        expected = study.months * np.exp(theta)
        inside = (special.pdtr(study.events - 1, expected) + special.pdtr(study.events, expected)) / 2
    else:
        return float(weight @ special.ndtr((study.value - location) / np.hypot(spread, study.below)))
    return float(weight @ (inside @ rule))
