"""Log-normal hazard regression of survival on covariates of the studies.

    log h_i ~ Normal(eta + sum_j beta_j x_ij, tau)
    eta ~ Normal(log(log 2 / 12), 2.5)      tau ~ HalfNormal(0.5)      beta_j ~ Normal(0, 0.5)

eta is the log hazard of the typical study at the centre of all covariates, tau the heterogeneity that the covariates
leave, and exp(beta_j) the hazard ratio of one step. What a study reports is as in `models.log_hazard`; slopes,
shrinkage and missing cells are those of `models.regression`.

Numerics. A missing cell adds a normal term to a log hazard that is normal already, so integrating it out widens the
study's tau to sqrt(tau^2 + sum_missing beta_j^2 s_j^2), without any quadrature.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from models import log_hazard
from models.backend import Array, Backend
from models.model import Draws
from models.priors import Prior
from models.regression import Covariates, Regression, covariate_effect, linear_predictor, log_density_cells
from models.studies import HazardStudies

if TYPE_CHECKING:
    import pymc as pm


def build(studies: HazardStudies, covariates: Covariates, priors: Mapping[str, Prior], *,
          together: bool = False) -> "pm.Model":
    """The model as it reads, with log hazards and missing cells as unknowns of their own; see `Regression.build`."""
    import pymc as pm

    with pm.Model(coords={"study": studies.study_ids, "covariate": covariates.names}) as model:
        eta = priors["eta"].variable("eta")
        tau = priors["tau"].variable("tau")
        effect = covariate_effect(covariates, priors, together=together)
        log_hazards = pm.Normal("log_hazard", eta + effect, tau, dims="study")
        log_hazard.observe(studies, log_hazards)
    return model


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
            centre, sd = linear_predictor(draws["eta"][..., None], draws, inputs[f"{name}_known"],
                                          inputs[f"{name}_absent"], on=on)
            width = on.sqrt(draws["tau"][..., None] ** 2 + sd**2)
            total = total + on.sum(density(centre, width, inputs[name], on=on), axis=-1)
    return total


def data(studies: HazardStudies, covariates: Covariates) -> dict[str, np.ndarray]:
    """The `pm.Data` by name: reports and cells, each only where a study has them."""
    inputs = log_hazard.data(studies)
    for name, rows in log_hazard.kinds(studies).items():
        inputs |= {f"{name}_known": covariates.known[rows], f"{name}_absent": covariates.absent[rows]}
    return {**inputs, "cells": covariates.summaries, "steps": covariates.steps}


REGRESSION = Regression(base=log_hazard.MODEL, ratio="hazard ratio", build=build, data=data, log_density=log_density)
