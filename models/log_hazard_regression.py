"""Log-normal hazard regression of survival on covariates of the studies.

    log h_i ~ Normal(eta + sum_j beta_j x_ij, tau)
    eta ~ Normal(log(log 2 / 12), 2.5)      tau ~ HalfNormal(0.5)      beta_j ~ Normal(0, 0.5)

eta is the log hazard of the typical study at the centre of all covariates, tau the heterogeneity that the covariates
leave, and exp(beta_j) the hazard ratio of one step. What a study reports is as in `models.log_hazard`; slopes,
shrinkage and missing cells are those of `models.regression` and `models.covariates`.

Numerics. A missing cell adds a normal term to a log hazard that is normal already, so integrating it out widens the
study's tau to sqrt(tau^2 + sum_missing beta_j^2 s_j^2), without any quadrature.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from models import log_hazard
from models.backend import GRAPH, NUMBERS, Array, Backend
from models.coordinates import located
from models.covariates import (
    Covariates,
    absent_cells,
    cell_table,
    known_cells,
    known_shift,
    log_density_cells,
    missing_shift,
)
from models.model import Draws
from models.priors import Prior
from models.regression import PRIORS as SLOPE_PRIORS
from models.regression import Regression, slopes
from models.studies import HazardStudies

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {**log_hazard.PRIORS, **SLOPE_PRIORS}


def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Log likelihood of reports and observed cells, without what depends on the counts only; shape (...).

    Parameters
    ----------
    draws : mapping of str to array
        eta and tau, shape (...); beta, covariate_mean and covariate_sd, shape (..., p).
    inputs : mapping of str to array
        As `data` returns them.
    """
    total = log_density_cells(draws, inputs["cells"], on=on)
    for name, density in log_hazard.DENSITIES.items():
        if name in inputs:
            mean, sd = missing_shift(draws, inputs[f"{name}_absent"], on=on)
            centre = draws["eta"][..., None] + known_shift(draws, inputs[f"{name}_known"]) + mean
            width = on.sqrt(draws["tau"][..., None] ** 2 + sd**2)
            total = total + on.sum(density(centre, width, inputs[name], on=on), axis=-1)
    return total


def data(studies: HazardStudies, covariates: Covariates) -> dict[str, np.ndarray]:
    """The model's `pm.Data` by name: reports and cells, each only where a study has them."""
    found, known, absent = log_hazard.data(studies), known_cells(covariates), absent_cells(covariates)
    for name, rows in log_hazard.kinds(studies).items():
        found[f"{name}_known"] = known[rows]
        found[f"{name}_absent"] = absent[rows]
    return {**found, "cells": cell_table(covariates), "steps": covariates.steps}


def build(studies: HazardStudies, covariates: Covariates, priors: Mapping[str, Prior] = PRIORS, *,
          together: bool = False) -> "pm.Model":
    """The model with its data in place.

    Parameters
    ----------
    studies : HazardStudies
    covariates : Covariates
        Of the same studies.
    priors : mapping of str to Prior
    together : bool
        Whether the slopes share a scale, `shrinkage`, in place of the prior of beta.
    """
    import pymc as pm

    with pm.Model() as model:
        inputs = {name: pm.Data(name, table) for name, table in data(studies, covariates).items()}
        draws = slopes(priors, inputs["cells"], inputs["steps"], len(covariates.names), together=together)
        draws["tau"] = priors["tau"].variable("tau")
        draws["eta"] = located("eta", priors["eta"], centre=float(log_hazard.PRIORS["eta"].arguments[0]), spread=1.0)
        pm.Potential("log_likelihood", log_density(draws, inputs, on=GRAPH))
    return model


def at_linear(draws: Draws, studies: HazardStudies, index: int, linear: np.ndarray) -> np.ndarray:
    """Log likelihood of one study, without its constant, at linear predictors of shape (s, g)."""
    own = {name: getattr(studies, name)[[index]] for name in studies.__dataclass_fields__ if name != "study_ids"}
    ((name, table),) = log_hazard.data(HazardStudies(("one",), **own)).items()
    return log_hazard.DENSITIES[name](linear[..., None], draws["tau"][:, None, None], table, on=NUMBERS)[..., 0]


def intercept_of(draws: Draws) -> Array:
    """eta; shape (...)."""
    return draws["eta"]


def _natural(linear: np.ndarray, horizon: float | None) -> np.ndarray:
    return np.exp(-horizon * np.exp(np.minimum(linear, 700.0)))


REGRESSION = Regression(base=log_hazard.MODEL, ratio="hazard ratio", effect="survival of the typical study", data=data,
                        log_density=log_density, build=build, intercept=intercept_of, at_linear=at_linear,
                        natural=_natural)
