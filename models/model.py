"""What every model file offers to the analysis, as one frozen value named MODEL, its density and its curve."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.system.errors import UsageError, one_line
from models.backend import GRAPH, Array
from models.coordinates import located
from models.priors import Prior
from models.studies import Studies

if TYPE_CHECKING:
    import pymc as pm

Draws = Mapping[str, np.ndarray]
"""Posterior draws of the hyperparameters by name, each of shape (s,)."""

OBLIGATORY = {"rate": ("mean_rate",), "survival": ("eta", "tau")}
"""Estimands that every model of a kind gives."""


class NeedsDensity(UsageError):
    """What was asked for needs a marginal density, and the model has none.

    Parameters
    ----------
    model : str
        Its name.
    """

    def __init__(self, model: str) -> None:
        super().__init__(model)  # alone, so that a helper process can hand it on
        self.model = model

    def __str__(self) -> str:
        return one_line(f"needs a density: model {self.model} has none")


@dataclass(frozen=True)
class Curve:
    """Survival curves of one family, decreasing in the effect.

    Parameters
    ----------
    survival : callable
        (draws, effects, months) -> probability to survive; draws of shape (s, ...) that broadcast with the effects.
    months_at : callable
        (draws, effects, probability) -> months at which survival is that; a thousand years where it never falls so low.
    effect_at : callable
        (draws, probability, months) -> effect of a study whose survival is that; infinite where none has it.
    constant_hazard : bool
        Whether the effect is the log of a constant hazard in events per person-month.
    """

    survival: Callable[[Mapping[str, np.ndarray], np.ndarray, float], np.ndarray]
    months_at: Callable[[Mapping[str, np.ndarray], np.ndarray, float], np.ndarray]
    effect_at: Callable[[Mapping[str, np.ndarray], np.ndarray | float, float], np.ndarray]
    constant_hazard: bool = False


@dataclass(frozen=True)
class Marginal:
    """The density of the hyperparameters, every study effect integrated out, and what follows from draws of them.

    The number of parameters never depends on the data, so that data can be swapped without compiling anew, and the
    geometry stays easy; effects are drawn afterwards from their exact conditional distribution.

    Parameters
    ----------
    data : callable
        studies -> arrays by the name of the `pm.Data` that they fill.
    log_density : callable
        (draws, inputs, on=backend) -> log likelihood over all studies without its constant, shape (...): what is
        sampled and what is integrated. `draws` has arrays of shape (...) by name, `inputs` is what `data` returns.
    log_constant : callable
        studies -> what `log_density` leaves out, for the log evidence.
    log_likelihood : callable
        (draws, studies) -> pointwise log likelihood, shape (s, k).
    conditional : callable
        (draws, inputs, on=backend) -> roughly the mean and the standard deviation of the location, on its
        unconstrained scale, given the other hyperparameters; shape (...).
    study_effects : callable
        (draws, studies, rng) -> study-specific effects on the natural scale (rate; log hazard), shape (s, k).
    new_study : callable
        (draws, rng) -> effect of one further exchangeable study, shape (s,).
    new_study_cdf : callable
        (draws, x) -> probability that the effect of one further exchangeable study is at most x; shapes broadcast.
    population : mapping of str to callable
        draws -> a summary that follows from them, shape (s,), by the name of its estimand. A rate model gives
        `mean_rate` and, where they mean something, `median_rate`, `rho` and `tau`; a survival model gives `eta` (the
        typical study's log hazard) and `tau`. A summary that is the same in every draw, such as no heterogeneity, is
        allowed.
    curve : Curve or None
        Of a survival model: how survival follows from a study's effect.
    tabulated : callable or None
        (inputs, values of the third hyperparameter by its name) -> `log_density` as a function of draws of the first
        two alone, in numbers: what it needs of the studies is worked out once.
    points_per_study : int
        Evaluations of a study's likelihood in one of `log_density`: what bounds the size of a batch.
    """

    data: Callable[[Studies], dict[str, np.ndarray]]
    log_density: Callable[..., Array]
    log_constant: Callable[[Studies], float]
    log_likelihood: Callable[[Draws, Studies], np.ndarray]
    conditional: Callable[..., tuple[Array, Array]]
    study_effects: Callable[[Draws, Studies, np.random.Generator], np.ndarray]
    new_study: Callable[[Draws, np.random.Generator], np.ndarray]
    new_study_cdf: Callable[[Draws, Array], np.ndarray]
    population: Mapping[str, Callable[[Draws], np.ndarray]]
    curve: Curve | None = None
    tabulated: Callable[[Mapping[str, np.ndarray], Mapping[str, float]], Callable[[Draws], np.ndarray]] | None = None
    points_per_study: int = 1

    def summaries(self, draws: Draws, only: Collection[str] | None = None) -> dict[str, np.ndarray]:
        """The named summaries of the population, or all, at each draw."""
        return {name: of(draws) for name, of in self.population.items() if only is None or name in only}


@dataclass(frozen=True)
class Model:
    """One model: the plain PyMC model and, where there is one, its marginal density.

    Parameters
    ----------
    name : str
        As on the command line.
    kind : {"rate", "survival"}
        The kind of endpoint.
    priors : mapping of str to Prior
        Default prior of each hyperparameter; its support is the one that a replacement must have. Where there is a
        density: first the location, then the heterogeneity, then at most one that all studies share.
    build : callable
        (studies, priors) -> pm.Model, as one writes it down: dimension `study`, an observed node for each way of
        reporting.
    estimands : mapping of str to str
        Variable of that model that holds an estimand, by the name of the estimand: at least `mean_rate`, or `eta` and
        `tau`. Further ones are `median_rate`, `rho`, `tau`, `new_study_rate` and `study_rate`; for survival
        `new_study_log_hazard` and `study_log_hazard`. Where there is a density, estimands come from there.
    summary, likelihood : str
        What it is in a few words, and its likelihood in one line, for tables.
    rank : int
        The model with the lowest rank of its kind is the headline.
    without_moments : tuple of str
        Estimands whose posterior mean need not exist; they are reported by their median and interval only.
    takes : type or None
        What studies it is about: RateStudies, HazardStudies or CurveStudies; None takes the first of its kind.
    sampled_as_built : bool
        Whether chains run on the plain model although there is a density, since that takes longer.
    marginal : Marginal or None
        Brings the exact engine, leave-one-out, comparison of models, checks of priors, and speed.

    Raises
    ------
    ValueError
        When the kind is unknown or an obligatory estimand has no name.
    """

    name: str
    kind: str
    priors: Mapping[str, Prior]
    build: Callable[[Studies, Mapping[str, Prior]], "pm.Model"]
    estimands: Mapping[str, str]
    summary: str = ""
    likelihood: str = ""
    rank: int = 100
    without_moments: tuple[str, ...] = ()
    takes: type | None = None
    sampled_as_built: bool = False
    marginal: Marginal | None = None

    def __post_init__(self) -> None:
        if self.kind not in OBLIGATORY:
            raise ValueError(f"kind is {self.kind!r}; it must be {' or '.join(OBLIGATORY)}")
        absent = [name for name in OBLIGATORY[self.kind] if name not in self.estimands]
        if absent:
            raise ValueError(f"estimands names no variable for {' and '.join(absent)}")

    @property
    def supports(self) -> dict[str, str]:
        """Support of each hyperparameter: real, positive or unit."""
        return {name: prior.support for name, prior in self.priors.items()}

    @property
    def density(self) -> Marginal:
        """The marginal density.

        Raises
        ------
        NeedsDensity
            When the model has none.
        """
        if self.marginal is None:
            raise NeedsDensity(self.name)
        return self.marginal

    def fast(self, studies: Studies, priors: Mapping[str, Prior]) -> "pm.Model":
        """The density as a PyMC model, its data as `pm.Data`: the same posterior of the hyperparameters as `build`."""
        import pymc as pm

        location, *others = self.priors
        with pm.Model() as model:
            inputs = {name: pm.Data(name, table) for name, table in self.density.data(studies).items()}
            draws = {name: priors[name].variable(name) for name in others}
            centre, spread = self.density.conditional(draws, inputs, on=GRAPH)
            draws[location] = located(location, priors[location], centre=centre, spread=spread)
            pm.Potential("log_likelihood", self.density.log_density(draws, inputs, on=GRAPH))
        return model

    def with_priors(self, replaced: Mapping[str, Prior]) -> dict[str, Prior]:
        """All priors, the named ones replaced.

        Raises
        ------
        ValueError
            When a name is no hyperparameter of this model, or the support is wrong.
        """
        return replaced_priors(self.priors, replaced, owner=self.name, prefix=f"{self.name}: ")


def replaced_priors(defaults: Mapping[str, Prior], replaced: Mapping[str, Prior], *, owner: str,
                    prefix: str = "") -> dict[str, Prior]:
    """All priors, the named ones replaced.

    Parameters
    ----------
    owner, prefix : str
        Who has no such parameter, and what stands before the name of one with another support, in messages.

    Raises
    ------
    ValueError
        When a name is not among the defaults, or the support is another one.
    """
    for name, prior in replaced.items():
        if name not in defaults:
            raise ValueError(f"{owner} has no parameter {name!r}; it has {', '.join(defaults)}")
        if prior.support != defaults[name].support:
            raise ValueError(f"{prefix}{name} needs a prior whose support is {defaults[name].support}, "
                             f"{prior} is {prior.support}")
    return {**defaults, **replaced}
