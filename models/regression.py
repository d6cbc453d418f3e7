"""Regression on covariates of the studies: slopes, their shrinkage and missing cells, which both models share.

    linear_i = intercept + sum_j beta_j x_ij / step_j
    x_ij ~ Normal(m_j, s_j)      m_j ~ Normal(0, 1)      s_j ~ HalfNormal(1)        where covariate j has a missing cell

A covariate is standardised by centre and standard deviation of the cells that are known, so that these priors mean the
same in whatever unit a column is written; a slope belongs to one step, so many of these standard deviations long.

Slopes. One covariate at a time, beta ~ Normal(0, 0.5) per step: with 95 % an odds or hazard ratio between 0.38 and
2.7. A step is the one that the evidence states, or one standard deviation of the covariate where it states none.
Several together, beta_j = shrinkage z_j with z_j ~ Normal(0, 1) and shrinkage ~ HalfNormal(0.25): five to ten studies
cannot carry seven free slopes, and this scale gives seven slopes together 1.75 times the prior variance of one slope
alone. A single global scale is used because a scale for each slope as well (a horseshoe) needs more studies than there
are to tell which slope is not zero.

Intercept. It carries the prior of the model without covariates, for a study at the centre of all covariates: with
every slope zero the regression is that model, so the two differ by the slopes only.

Cells. A printed covariate describes the treated patients exactly and gets no measurement error. Percentages of 0 and
100 occur (nobody, or everybody, was transplanted before), where the logit is infinite, so cells are normal as they
are; the price is that a missing percentage may be imputed below 0 or above 100, which is reported with its probability.

Numerics. Given the slopes the missing cells make the linear predictor of a study normal, with the mean and the
standard deviation of `linear_predictor`. It needs one integral however many cells are missing, so the density that is
sampled and weighed has hyperparameters only: their number does not depend on the studies, and data can be swapped
without compiling anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings

import numpy as np
from scipy import special

from models.backend import GRAPH, HALF_LOG_2PI, NUMBERS, Array, Backend
from models.coordinates import located
from models.model import Draws, Model, replaced_priors
from models.priors import Prior
from models.studies import Studies

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {"beta": Prior("Normal", (0.0, 0.5)), "shrinkage": Prior("HalfNormal", (0.25,)),
          "covariate_mean": Prior("Normal", (0.0, 1.0)), "covariate_sd": Prior("HalfNormal", (1.0,))}
PER_COVARIATE = ("beta", "covariate_mean", "covariate_sd")
"""Hyperparameters of which each covariate has one; the others are two of the model without covariates."""
_TINY = 1e-18  # a variance that moves no digit, but keeps the slope of the root finite where every slope is zero


@dataclass(frozen=True)
class Covariates:
    """Cells of p covariates of k studies.

    Parameters
    ----------
    names : tuple of str, length p
    values : float array, shape (k, p)
        In standard deviations of each covariate from its centre; NaN marks a missing cell.
    steps : float array, shape (p,)
        Size of the step that the prior of each slope is about, in standard deviations; by default 1.

    Raises
    ------
    ValueError
        When the shapes do not fit, a value is infinite, or a step is not positive and finite.
    """

    names: tuple[str, ...]
    values: np.ndarray
    steps: np.ndarray | None = None

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        if values.ndim != 2 or values.shape[1] != len(self.names) or not self.names:
            raise ValueError(f"covariates of shape {values.shape} do not fit {len(self.names)} names")
        if np.isinf(values).any():
            raise ValueError("a covariate must be finite, or NaN where it is missing")
        steps = np.ones(len(self.names)) if self.steps is None else np.array(self.steps, dtype=float)
        if steps.shape != (len(self.names),) or not np.all((steps > 0.0) & np.isfinite(steps)):
            raise ValueError(f"steps {steps} must be {len(self.names)} positive numbers")
        for name, array in (("values", values), ("steps", steps)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "names", tuple(self.names))

    @property
    def missing(self) -> np.ndarray:
        """Which cells are missing; bool array, shape (k, p)."""
        return np.isnan(self.values)

    @property
    def incomplete(self) -> np.ndarray:
        """Indices of the covariates with a missing cell."""
        return np.flatnonzero(self.missing.any(axis=0))

    @property
    def known(self) -> np.ndarray:
        """The cells in steps, with zero for the missing ones; shape (k, p)."""
        return np.where(self.missing, 0.0, self.values) / self.steps

    @property
    def absent(self) -> np.ndarray:
        """Standard deviation of the covariate in steps for each missing cell, else zero; shape (k, p)."""
        return self.missing / self.steps

    @property
    def summaries(self) -> np.ndarray:
        """Number, mean and sum of squares about the mean of the observed cells of each covariate; shape (3, p).

        All are zero for a covariate without a missing cell: nothing depends on its distribution then, and a constant
        one would have a density without bound.
        """
        seen = ~self.missing & self.missing.any(axis=0)
        count = seen.sum(axis=0)
        mean = np.where(seen, self.values, 0.0).sum(axis=0) / np.maximum(count, 1)
        squares = np.where(seen, self.values - mean, 0.0) ** 2
        return np.stack([count, mean, squares.sum(axis=0)]).astype(float)


def covariate_effect(covariates: Covariates, priors: Mapping[str, Prior], *, together: bool) -> Any:
    """What its covariates add to the linear predictor of each study, in the PyMC model that is being built.

    Parameters
    ----------
    together : bool
        Whether the slopes share a scale, `shrinkage`, in place of the prior of beta.

    Returns
    -------
    graph, dims "study"
    """
    import pymc as pm
    import pytensor.tensor as pt

    if together:
        beta = pm.Normal("beta", 0.0, priors["shrinkage"].variable("shrinkage"), dims="covariate")
    else:
        beta = priors["beta"].variable("beta", dims="covariate")
    x = pm.Data("known", np.where(covariates.missing, 0.0, covariates.values), dims=("study", "covariate"))
    if incomplete := covariates.incomplete.tolist():
        pm.modelcontext(None).add_coord("incomplete", [covariates.names[at] for at in incomplete])
        mean = priors["covariate_mean"].variable("covariate_mean", dims="incomplete")
        sd = priors["covariate_sd"].variable("covariate_sd", dims="incomplete")
        with catch_warnings(action="ignore", category=pm.exceptions.ImputationWarning):
            cells = pm.Normal("x", mean, sd, observed=covariates.values[:, incomplete], dims=("study", "incomplete"))
        x = pt.set_subtensor(x[:, incomplete], cells)
    return (x / covariates.steps) @ beta


@dataclass(frozen=True)
class Regression:
    """What a regression model file offers to the analysis, as one frozen value named REGRESSION.

    Parameters
    ----------
    base : Model
        The model that it becomes where every slope is zero; gives name, kind and the first two priors.
    ratio : str
        What exp(beta) is, in words.
    build : callable
        (studies, covariates, priors, together=bool) -> pm.Model, as it reads, missing cells and effects included.
        `together` says whether the slopes share a scale, `shrinkage`, in place of the prior of beta.
    data : callable
        (studies, covariates) -> arrays by the name of the `pm.Data` that they fill in `marginal_model`.
    log_density : callable
        (draws, inputs, on=backend) -> log likelihood of outcomes and observed cells, missing cells and study effects
        integrated out, without its constant; shape (...). `draws` has the two hyperparameters of the base model with
        shape (...) and those of `PER_COVARIATE` with shape (..., p), `inputs` is what `data` returns.
    """

    base: Model
    ratio: str
    build: Callable[..., "pm.Model"]
    data: Callable[[Studies, Covariates], dict[str, np.ndarray]]
    log_density: Callable[..., Array]

    @property
    def location(self) -> str:
        """Name of the location hyperparameter."""
        return next(iter(self.base.priors))

    @property
    def heterogeneity(self) -> str:
        """Name of the heterogeneity hyperparameter."""
        return list(self.base.priors)[1]

    @property
    def priors(self) -> dict[str, Prior]:
        """Default prior of every hyperparameter."""
        return {**self.base.priors, **PRIORS}

    def with_priors(self, replaced: Mapping[str, Prior]) -> dict[str, Prior]:
        """All priors, the named ones replaced.

        Raises
        ------
        ValueError
            When a name is no hyperparameter of this model, or the support is wrong.
        """
        return replaced_priors(self.priors, replaced, owner="the regression")

    def intercept(self, draws: Draws) -> np.ndarray:
        """Linear predictor of a study at the centre of all covariates; shape (...)."""
        location = draws[self.location]
        return logit(location, on=NUMBERS) if self._is_rate else location

    def outcome(self, linear: np.ndarray, horizon: float | None) -> np.ndarray:
        """Rate, or survival at a horizon in months, of a linear predictor; any shape."""
        return special.expit(linear) if self._is_rate else np.exp(-horizon * np.exp(np.minimum(linear, 700.0)))

    def study_likelihood(self, alone: Studies) -> Callable[[Draws, np.ndarray], np.ndarray]:
        """Log likelihood of one study without its constant, as a function of draws and its linear predictor.

        The heterogeneity of the draws has shape (s,), linear predictor and log likelihood have shape (s, g).
        """
        inputs = self.base.marginal.data(alone)

        def log_likelihood(draws: Draws, linear: np.ndarray) -> np.ndarray:
            location = special.expit(linear) if self._is_rate else linear
            hyperparameters = {self.location: location, self.heterogeneity: draws[self.heterogeneity][:, None]}
            return self.base.marginal.log_density(hyperparameters, inputs, on=NUMBERS)

        return log_likelihood

    @property
    def _is_rate(self) -> bool:
        return self.base.priors[self.location].support == "unit"


def logit(rate: Array, *, on: Backend) -> Array:
    """Log odds of a rate; any shape."""
    return on.log(rate) - on.log1p(-rate)


def linear_predictor(intercept: Array, draws: Draws, known: Array, absent: Array, *,
                     on: Backend) -> tuple[Array, Array]:
    """Mean and standard deviation of each study's linear predictor over its missing cells; shape (..., k) each.

    Parameters
    ----------
    intercept : array, shape (..., 1)
    draws : mapping of str to array, shape (..., p)
    known, absent : array, shape (k, p)
        As in `Covariates`.
    """
    beta = draws["beta"]
    variance = (beta * draws["covariate_sd"]) ** 2 @ absent.T**2
    mean = intercept + beta @ known.T + (beta * draws["covariate_mean"]) @ absent.T
    return mean, on.sqrt(variance + _TINY)


def log_density_cells(draws: Draws, summaries: Array, *, on: Backend) -> Array:
    """Log density of the observed cells, from `Covariates.summaries`; shape (...)."""
    count, centre, squares = summaries[0], summaries[1], summaries[2]
    mean, sd = draws["covariate_mean"], draws["covariate_sd"]
    distance = squares + count * (centre - mean) ** 2
    return on.sum(-count * (on.log(sd) + HALF_LOG_2PI) - 0.5 * distance / sd**2, axis=-1)


def marginal_model(regression: Regression, studies: Studies, covariates: Covariates, priors: Mapping[str, Prior], *,
                   together: bool = False) -> "pm.Model":
    """The model that is sampled: missing cells and study effects are integrated out of its one density.

    Means are moved and scaled by what the cells say about them, given their standard deviation. A slope of a far
    smaller step than a standard deviation is far smaller than its prior expects, and is sampled in steps.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        inputs = {name: pm.Data(name, table) for name, table in regression.data(studies, covariates).items()}
        size, cells, spread = len(covariates.names), inputs["cells"], pt.minimum(1.0, inputs["steps"])
        sd = priors["covariate_sd"].variable("covariate_sd", size=size)
        precision = 1.0 + cells[0] / sd**2
        mean = located("covariate_mean", priors["covariate_mean"], centre=cells[0] * cells[1] / sd**2 / precision,
                       spread=pt.sqrt(1.0 / precision), size=size)
        if together:
            scale = priors["shrinkage"].variable("shrinkage")
            z = located("beta_z", Prior("Normal", (0.0, 1.0)), centre=0.0, spread=spread, size=size)
            beta = pm.Deterministic("beta", scale * z)
        else:
            beta = located("beta", priors["beta"], centre=0.0, spread=spread, size=size)
        name, default = regression.location, regression.base.priors[regression.location]
        heterogeneity = priors[regression.heterogeneity].variable(regression.heterogeneity)
        location = located(name, priors[name], centre=default.arguments[0] if default.support == "real" else 0.0,
                           spread=1.0)
        draws = {name: location, regression.heterogeneity: heterogeneity, "beta": beta, "covariate_mean": mean,
                 "covariate_sd": sd}
        pm.Potential("log_likelihood", regression.log_density(draws, inputs, on=GRAPH))
    return model
