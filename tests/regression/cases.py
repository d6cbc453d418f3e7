"""Invented studies with covariates, and public data, for the regression tests."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from analysis.cases.covariates import Column
from analysis.cases.regressions import ONE, TOGETHER, RegressionCase, regression_of
from analysis.cases.settings import IMPORTANCE, REGRESSION, Job, Question
from analysis.evidence.types import Covariate
from analysis.inference import weighted
from analysis.inference.regression import RegressionFit, fit
from models.priors import parse_prior
from models.regression import Covariates
from models.studies import HazardStudies, RateStudies
from tests.casing import bare_case
from tests.references import peers

RATES = RateStudies(tuple("abcdef"), [5, 17, 30, 2, 44, 9], [8, 20, 40, 2, 71, 10])
HAZARDS = HazardStudies(tuple("abcdef"), [-3.0, -2.5, -3.4, 0.0, -2.2, -2.9], [0.2, 0.3, 0.25, 1.0, 0.4, 0.2],
                        [0.3, 0.3, 0.25, 1.0, 0.2, 0.2], [0, 0, 0, 12, 0, 0], [0, 0, 0, 180.0, 0, 0],
                        [20, 15, 30, 25, 18, 40])
X = np.array([[-0.9, 0.4], [0.3, np.nan], [np.nan, -1.0], [1.2, np.nan], [np.nan, np.nan], [-0.6, 0.6]])
COVARIATES = Covariates(("first", "second"), X)


def covariate(name: str = "x", **cells: object) -> Covariate:
    known = {"row": 2, "label": name, "column": name, "unit": "", "unit_size": 1.0, "transformation": "identity",
             "lowest": None, "highest": None, "note": ""}
    return Covariate(covariate=name, **{**known, **cells})


def column(values: Sequence[float], name: str = "x") -> Column:
    """Values as they are, from a centre of zero."""
    return Column(covariate(name), 0.0, np.asarray(values, dtype=float))


def case(studies: RateStudies | HazardStudies, *columns: Column, together: bool = False,
         engine: str = IMPORTANCE, seed: int = 1, **priors: str) -> RegressionCase:
    regression = regression_of("rate" if isinstance(studies, RateStudies) else "survival")
    known = regression.with_priors({name: parse_prior(text) for name, text in priors.items()})
    job = Job(Question("y"), sampler=REGRESSION, seed=seed, engine=engine)
    without = replace(bare_case(regression.base, studies, {name: known[name] for name in regression.base.priors}),
                      job=job)
    return RegressionCase(without, TOGETHER if together else ONE, regression, known, columns, (True,) * len(columns))


def fitted(studies: RateStudies | HazardStudies, values: Sequence[float], *, seed: int = 1,
           **priors: str) -> RegressionFit:
    return fit(case(studies, column(values), seed=seed, **priors))


def moments(regression: RegressionFit, name: str = "beta") -> tuple[float, float, float]:
    """Mean and standard deviation of weighted draws of one number, and the Monte-Carlo error of the mean."""
    draws = regression.draws[name].reshape(len(regression.weights), -1)[:, 0]
    return *weighted.mean_and_sd(draws, regression.weights), weighted.mcse_mean(draws, regression.weights)


def simulated(x: np.ndarray, slope: float, rng: np.random.Generator, *, mu: float = 0.7, rho: float = 0.05,
              n: int = 40) -> RateStudies:
    rate = special.expit(special.logit(mu) + slope * x)
    kappa = 1.0 / rho - 1.0
    events = rng.binomial(n, rng.beta(rate * kappa, (1.0 - rate) * kappa))
    return RateStudies(tuple(f"s{at}" for at in range(len(x))), events, np.full(len(x), n))


def de_bruin() -> tuple[RateStudies, np.ndarray]:
    data = peers()["debruin_2009"]
    return RateStudies(tuple(data["study"]), data["events"], data["evaluable"]), np.array(data["covariate"])
