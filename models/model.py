"""What every model file offers to the analysis, as one frozen value named MODEL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.backend import Array
from models.priors import Prior
from models.studies import Studies

if TYPE_CHECKING:
    import pymc as pm

Draws = Mapping[str, np.ndarray]
"""Posterior draws of the hyperparameters by name, each of shape (s,)."""


@dataclass(frozen=True)
class Model:
    """One model: a density with hyperparameters only, and what follows from draws of these.

    Study effects are integrated out of the density, so that the number of parameters never depends on the data
    (data can be swapped without compiling anew) and the geometry stays easy; the effects are drawn afterwards from
    their exact conditional distribution.

    Parameters
    ----------
    name : str
        As on the command line.
    kind : {"rate", "survival"}
        The kind of endpoint.
    summary, likelihood : str
        What it is in a few words, and its likelihood in one line, for tables.
    rank : int
        The model with the lowest rank of its kind is the headline.
    priors : mapping of str to Prior
        Default prior of each hyperparameter: first the location, then the heterogeneity.
    supports : mapping of str to str
        Support that a replacement prior must have: real, positive or unit.
    data : callable
        studies -> arrays by the name of the `pm.Data` that they fill.
    build : callable
        (studies, priors) -> pm.Model.
    log_likelihood : callable
        (draws, studies) -> pointwise marginal log likelihood, shape (s, k).
    study_effects : callable
        (draws, studies, rng) -> study-specific effects on the natural scale (rate; log hazard), shape (s, k).
    new_study : callable
        (draws, rng) -> effect of one further exchangeable study, shape (s,).
    population : callable
        draws -> deterministic summaries by estimand name, shape (s,) each. A rate model gives `mean_rate` and, where
        they mean something, `median_rate`, `rho` and `tau`; a survival model gives `eta` (the typical study's log
        hazard) and `tau`. A summary that is the same in every draw, such as no heterogeneity, is allowed.
    log_density : callable
        (draws, inputs, on=backend) -> log likelihood over all studies without its constant, shape (...): what is
        sampled and what is integrated. `draws` has arrays of shape (...) by name, `inputs` is what `data` returns.
    log_constant : callable
        studies -> what `log_density` leaves out, for the log evidence.
    conditional : callable
        (heterogeneity, inputs, on=backend) -> roughly the mean and the standard deviation of the location, on its
        unconstrained scale, given the heterogeneity; shape (...).
    new_study_cdf : callable
        (draws, x) -> probability that the effect of one further exchangeable study is at most x; shapes broadcast.
    without_moments : tuple of str
        Summaries whose posterior mean need not exist; they are reported by their median and interval only.
    points_per_study : int
        Evaluations of a study's likelihood in one of `log_density`: what bounds the size of a batch.
    """

    name: str
    kind: str
    summary: str
    likelihood: str
    rank: int
    priors: Mapping[str, Prior]
    supports: Mapping[str, str]
    data: Callable[[Studies], dict[str, np.ndarray]]
    build: Callable[[Studies, Mapping[str, Prior]], "pm.Model"]
    log_likelihood: Callable[[Draws, Studies], np.ndarray]
    study_effects: Callable[[Draws, Studies, np.random.Generator], np.ndarray]
    new_study: Callable[[Draws, np.random.Generator], np.ndarray]
    population: Callable[[Draws], dict[str, np.ndarray]]
    log_density: Callable[..., Array]
    log_constant: Callable[[Studies], float]
    conditional: Callable[..., tuple[Array, Array]]
    new_study_cdf: Callable[[Draws, Array], np.ndarray]
    without_moments: tuple[str, ...] = ()
    points_per_study: int = 1

    def with_priors(self, replaced: Mapping[str, Prior]) -> dict[str, Prior]:
        """All priors, the named ones replaced.

        Raises
        ------
        ValueError
            When a name is no hyperparameter of this model, or the support is wrong.
        """
        for name, prior in replaced.items():
            if name not in self.priors:
                raise ValueError(f"{self.name} has no parameter {name!r}; it has {', '.join(self.priors)}")
            if prior.support != self.supports[name]:
                raise ValueError(f"{self.name}: {name} needs a prior whose support is {self.supports[name]}, "
                                 f"{prior} is {prior.support}")
        return {name: replaced.get(name, prior) for name, prior in self.priors.items()}
