"""Beta-binomial regression of a rate on covariates of the studies.

    y_i ~ BetaBinomial(n_i, mu_i, rho)      logit(mu_i) = logit(mu) + sum_j beta_j x_ij
    mu ~ Beta(1, 1)      rho ~ Beta(1, 4)      beta_j ~ Normal(0, 0.5)

mu is the mean rate of a study at the centre of all covariates, rho the heterogeneity that the covariates leave, and
exp(beta_j) the odds ratio of one step. A uniform mu is a standard logistic intercept, the same prior as without
covariates (`models.beta_binomial`); slopes, shrinkage and missing cells are those of `models.regression`.

Numerics. The finite-product form of the likelihood is used study by study. Where cells are missing, the likelihood is
averaged over the normal distribution of the linear predictor with a Gauss-Hermite rule, placed about where that
distribution and the study's own report agree. The report is taken as normal with the variance of its observed logit,
1/((n + 1) p (1 - p)), times 1 + (n - 1) rho; that is a placement only, so its error costs points, not truth. With 15
points the error of the log is below 0.004 for missing cells that spread a linear predictor by up to 2.5 logits.

References
----------
Pinheiro JC, Bates DM. J Comput Graph Stat 1995;4:12, doi 10.1080/10618600.1995.10474663 (placed quadrature).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from models import beta_binomial
from models.backend import Array, Backend
from models.beta_binomial import finite_product
from models.model import Draws
from models.priors import Prior
from models.regression import Covariates, Regression, covariate_effect, linear_predictor, log_density_cells, logit
from models.studies import RateStudies

if TYPE_CHECKING:
    import pymc as pm

POINTS = 15
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(POINTS)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum()) + _NODES**2 / 2.0


def build(studies: RateStudies, covariates: Covariates, priors: Mapping[str, Prior], *,
          together: bool = False) -> "pm.Model":
    """The model as it reads, with missing cells as unknowns of their own; see `models.regression.Regression.build`."""
    import pymc as pm

    with pm.Model(coords={"study": studies.study_ids, "covariate": covariates.names}) as model:
        mu = priors["mu"].variable("mu")
        rho = priors["rho"].variable("rho")
        linear = pm.math.logit(mu) + covariate_effect(covariates, priors, together=together)
        rate = pm.Deterministic("rate", pm.math.sigmoid(linear), dims="study")
        kappa = 1.0 / rho - 1.0
        pm.BetaBinomial("events", n=studies.evaluable, alpha=rate * kappa, beta=(1.0 - rate) * kappa,
                        observed=studies.events, dims="study")
    return model


def log_density(draws: Draws, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Log likelihood of counts and observed cells, without the binomial coefficients; shape (...).

    Parameters
    ----------
    draws : mapping of str to array
        mu and rho, shape (...); beta, covariate_mean and covariate_sd, shape (..., p).
    inputs : mapping of str to array
        As `data` returns them.
    """
    intercept, theta = logit(draws["mu"], on=on)[..., None], (draws["rho"] / (1.0 - draws["rho"]))[..., None]
    whole = _expit(intercept + draws["beta"] @ inputs["whole_known"].T, on=on)
    observed = finite_product(whole[..., inputs["whole_index"]], theta, inputs["whole_sums"], on=on)
    centre, sd = linear_predictor(intercept, draws, inputs["partial_known"], inputs["partial_absent"], on=on)
    integrated = _log_mean(centre, sd, theta, draws["rho"][..., None], inputs, on=on)
    return observed + on.sum(integrated, axis=-1) + log_density_cells(draws, inputs["cells"], on=on)


def _log_mean(centre: Array, sd: Array, theta: Array, rho: Array, inputs: Mapping[str, Array], *, on: Backend) -> Array:
    """Log of each partial study's likelihood, averaged over a Normal(centre, sd) linear predictor; shape (..., k).

    With z the linear predictor in standard deviations from its centre, points and weights are those of the product of
    Normal(z; 0, 1) and of the rough normal likelihood. They are held fixed, so the gradient is that of the integral.
    """
    rough = inputs["partial_rough"]
    variance = rough[1] * (1.0 + (rough[2] - 1.0) * rho)
    total = sd**2 + variance
    width = on.sqrt(variance / total)
    z = on.fixed((sd * (rough[0] - centre) / total)[..., None] + width[..., None] * _NODES)
    log_weights = _LOG_WEIGHTS - 0.5 * z**2 + on.fixed(on.log(width))[..., None]
    rates = _expit(centre[..., None] + sd[..., None] * z, on=on)
    sums = inputs["partial_sums"][:, :, None, :]
    each = finite_product(rates[..., None], theta[..., None, None], sums, on=on) + log_weights
    top = on.fixed(on.max(each, axis=-1))
    return top + on.log(on.sum(on.exp(each - top[..., None]), axis=-1))


def _expit(linear: Array, *, on: Backend) -> Array:
    return on.exp(-on.softplus(-linear))


def data(studies: RateStudies, covariates: Covariates) -> dict[str, np.ndarray]:
    """The `pm.Data` by name: whole studies, with points of all in one row, apart from those with a missing cell.

    What holds no mu, log(1 + j theta) for j below each number of patients, is summed over all studies at once. Since a
    graph bears no empty table well, a study without patients and cells stands for none.
    """
    partial = covariates.missing.any(axis=1)
    points = [_points(studies, at) for at in range(len(studies))]
    sums = beta_binomial.data(studies)["sums"]
    whole = [sums[:, sums[1] == 0.0], *(points[at] for at in np.flatnonzero(~partial))]
    tables = {"whole_known": covariates.known[~partial], "partial_known": covariates.known[partial],
              "partial_absent": covariates.absent[partial],
              "partial_counts": np.stack([studies.events, studies.evaluable], axis=1)[partial]}
    tables = {name: table if len(table) else np.zeros((1, table.shape[1])) for name, table in tables.items()}
    return {"whole_sums": np.concatenate(whole, axis=1),
            "whole_index": np.repeat([0, *range(len(whole) - 1)], [table.shape[1] for table in whole]),
            "partial_sums": _padded([points[at] for at in np.flatnonzero(partial)] or [np.empty((4, 0))]),
            "partial_rough": _rough(*tables.pop("partial_counts").T), **tables,
            "cells": covariates.summaries, "steps": covariates.steps}


def _points(studies: RateStudies, index: int) -> np.ndarray:
    """Points of one study that hold its mu."""
    sums = beta_binomial.data(studies.take([index]))["sums"]
    return sums[:, (sums[1] != 0.0) & (sums[3] != 0.0)]


def _padded(tables: list[np.ndarray]) -> np.ndarray:
    """Points of each study, filled up with points of weight zero; shape (4, k, m)."""
    filled = np.zeros((4, len(tables), max(1, *(table.shape[1] for table in tables))))
    filled[0] = 1.0
    for at, table in enumerate(tables):
        filled[:, at, :table.shape[1]] = table
    return filled


def _rough(events: np.ndarray, evaluable: np.ndarray) -> np.ndarray:
    """Logit of each observed rate, its binomial variance, and the patients; shape (3, k)."""
    rate = (events + 0.5) / (evaluable + 1.0)
    return np.stack([special.logit(rate), 1.0 / ((evaluable + 1.0) * rate * (1.0 - rate)), evaluable])


REGRESSION = Regression(base=beta_binomial.MODEL, ratio="odds ratio", build=build, data=data, log_density=log_density)
