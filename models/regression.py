"""What a regression model file offers to the analysis, as one frozen value named REGRESSION, and what all share.

Slopes. One covariate at a time, beta ~ Normal(0, 0.5) per step: with 95 % an odds or hazard ratio between 0.38 and
2.7. A step is the one that the evidence states, or one standard deviation of the covariate where it states none.
Several together, beta_j = shrinkage z_j with z_j ~ Normal(0, 1) and shrinkage ~ HalfNormal(0.25): five to ten studies
cannot carry seven free slopes, and this scale gives seven slopes together 1.75 times the prior variance of one slope
alone. A single global scale is used because a scale for each slope as well (a horseshoe) needs more studies than there
are to tell which slope is not zero.

Intercept. It carries the prior of the model without covariates, for a study at the centre of all covariates: with
every slope zero the regression is that model, so the two differ by the slopes only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models import covariates
from models.backend import Array
from models.coordinates import located
from models.covariates import Covariates
from models.model import Draws, Model
from models.priors import Prior
from models.studies import Studies

if TYPE_CHECKING:
    import pymc as pm

PRIORS = {"beta": Prior("Normal", (0.0, 0.5)), "shrinkage": Prior("HalfNormal", (0.25,)), **covariates.PRIORS}
SUPPORTS = {"beta": "real", "shrinkage": "positive", **covariates.SUPPORTS}


@dataclass(frozen=True)
class Regression:
    """One regression model: a density of intercept, heterogeneity, slopes and the covariates' distributions.

    Study effects and missing cells are integrated out, so that the number of parameters depends on the number of
    covariates only and data can be swapped without compiling anew.

    Parameters
    ----------
    base : Model
        The model that it becomes where every slope is zero; gives name, kind and the first two priors.
    ratio : str
        What exp(beta) is, in words.
    effect : str
        What one study has, in words, such as "mean rate".
    data : callable
        (studies, covariates) -> arrays by the name of the `pm.Data` that they fill.
    log_density : callable
        (draws, inputs, on=backend) -> log likelihood of outcomes and observed cells without its constant, shape (...).
        `draws` has the two hyperparameters of the base model with shape (...) and beta, covariate_mean and
        covariate_sd with shape (..., p).
    build : callable
        (studies, covariates, priors, together=bool) -> pm.Model.
    intercept : callable
        draws -> linear predictor of a study at the centre of all covariates; shape (...).
    at_linear : callable
        (draws, studies, index, linear) -> log likelihood of study `index` where its linear predictor is `linear`;
        the heterogeneity has shape (s,), `linear` shape (s, g).
    natural : callable
        (linear, horizon) -> rate, or survival at the horizon, of the linear predictor; any shape.
    """

    base: Model
    ratio: str
    effect: str
    data: Callable[[Studies, Covariates], dict[str, np.ndarray]]
    log_density: Callable[..., Array]
    build: Callable[..., "pm.Model"]
    intercept: Callable[..., Array]
    at_linear: Callable[[Draws, Studies, int, np.ndarray], np.ndarray]
    natural: Callable[[np.ndarray, float | None], np.ndarray]

    @property
    def name(self) -> str:
        """Such as beta_binomial: the model of the studies around the regression."""
        return self.base.name

    @property
    def kind(self) -> str:
        """The kind of endpoint: rate or survival."""
        return self.base.kind

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
        supports = {**self.base.supports, **SUPPORTS}
        for name, prior in replaced.items():
            if name not in supports:
                raise ValueError(f"the regression has no parameter {name!r}; it has {', '.join(supports)}")
            if prior.support != supports[name]:
                raise ValueError(f"{name} needs a prior whose support is {supports[name]}, {prior} is {prior.support}")
        return {name: replaced.get(name, prior) for name, prior in self.priors.items()}


def slopes(priors: Mapping[str, Prior], cells: Any, steps: Any, size: int, *, together: bool) -> dict[str, Any]:
    """The variables beta, covariate_mean and covariate_sd of shape (size,) in the model that is being built.

    Parameters
    ----------
    cells : graph, shape (3, size)
        Number, mean and sum of squares of the observed cells: they say where a mean lies given its standard deviation.
    steps : graph, shape (size,)
        In standard deviations of the covariates: a slope of a far smaller step is far smaller than its prior expects.
    together : bool
        Whether the slopes share a scale.
    """
    import pymc as pm
    import pytensor.tensor as pt

    sd = priors["covariate_sd"].variable("covariate_sd", size=size)
    precision = 1.0 + cells[0] / sd**2
    mean = located("covariate_mean", priors["covariate_mean"], centre=cells[0] * cells[1] / sd**2 / precision,
                   spread=pt.sqrt(1.0 / precision), size=size)
    found = {"covariate_mean": mean, "covariate_sd": sd}
    spread = pt.minimum(1.0, steps)
    if not together:
        return {"beta": located("beta", priors["beta"], centre=0.0, spread=spread, size=size), **found}
    scale = priors["shrinkage"].variable("shrinkage")
    z = located("beta_z", Prior("Normal", (0.0, 1.0)), centre=0.0, spread=spread, size=size)
    return {"beta": pm.Deterministic("beta", scale * z), **found}
