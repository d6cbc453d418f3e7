"""Coordinates in which a sampler sees a hyperparameter, moved and scaled by what the other one implies.

Given the heterogeneity the location is known with a precision that follows from the data, from the whole sample size
at no heterogeneity to the number of studies at much. In its own coordinates that makes a funnel, in which chains
stick with large, homogeneous studies; in units of its conditional spread the two are nearly independent. The
posterior is the same: the density carries the Jacobian.
"""

from typing import Any

import numpy as np

from models.backend import NUMBERS, Array, Backend, spaced
from models.priors import Prior


def located(name: str, prior: Prior, *, centre: Any, spread: Any, size: int | None = None) -> Any:
    """The hyperparameter as centre + spread z with z sampled; on the logit scale where the prior is one of (0, 1).

    Parameters
    ----------
    name : str
        Of the hyperparameter; z is called `name_z`.
    prior : Prior
        With support real or unit.
    centre, spread : scalar graphs
        Roughly the conditional mean and standard deviation, functions of the heterogeneity and of the data.
    size : int or None
        For a vector of such hyperparameters, whose centre and spread are vectors as well.

    Returns
    -------
    The variable, with its prior and the Jacobian already in the model.
    """
    import pymc as pm
    import pytensor.tensor as pt

    value = centre + spread * pm.Flat(f"{name}_z", shape=size)
    log_jacobian = pt.log(spread)
    if prior.support == "unit":
        log_jacobian = log_jacobian - pt.softplus(value) - pt.softplus(-value)
        value = pt.sigmoid(value)
    variable = pm.Deterministic(name, value)
    pm.Potential(f"{name}_prior", pm.logp(prior.distribution(), variable) + log_jacobian)
    return variable


def conditional_location(tau: Array, rows: list[tuple[Array, Array, Array]], *, on: Backend) -> tuple[Array, Array]:
    """Mean and standard deviation of the location given tau, if every study were a normal estimate; shape (...).

    Parameters
    ----------
    tau : array, shape (...)
        Between-study standard deviation.
    rows : list of (estimate, variance, times)
        Of shape (k,) each; `times` is how often the study occurs. Without any study the location could be anywhere.
    """
    if not rows or (on is NUMBERS and not sum(estimate.shape[-1] for estimate, _, _ in rows)):
        return 0.0 * tau, np.inf + 0.0 * tau
    weights = [times / (variance + spaced(tau) ** 2) for _, variance, times in rows]
    total = sum(on.sum(weight, axis=-1) for weight in weights)
    centre = sum(on.sum(weight * row[0], axis=-1) for weight, row in zip(weights, rows, strict=True)) / total
    return centre, 1.0 / on.sqrt(total)
