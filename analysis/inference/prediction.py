"""What studies of the same sizes would report: laws of counts by quadrature, and replicates of the data by draws.

A report is *named* where something at least as extreme has a two-sided predictive probability below 0.05.

References
----------
Czado C, Gneiting T, Held L. Biometrics 2009;65:1254, doi 10.1111/j.1541-0420.2009.01191.x (PIT of counts, mid-p).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import optimize

from analysis.cases.curves import kaplan_meier
from analysis.frequentist.estimates import smoothed_log_hazards
from analysis.inference.grid import Grid, Slices
from analysis.inference.weighted import equal_tails
from models import beta_binomial, log_hazard
from models.model import Draws, Model
from models.studies import CurveStudies, RateStudies, Studies

NAMED_BELOW = 0.05
MOST_EVENTS = 1000
"""Events in person-months beyond which one more or less is no matter."""

_MONTHS = (1e-4, 12_000.0)
_MOST_AT_ONCE = 5000  # patients; more would fill the memory
_CELLS, _CELLS_BY_ERROR = 256, 8  # of survival: at least so many, and 2.5 within a standard error of n patients
_NEGLIGIBLE = 1e-15


def two_sided(pit: np.ndarray | float) -> np.ndarray:
    """Two-sided predictive probability of something at least as extreme, of a mid-p: small is surprising."""
    return 2.0 * np.minimum(pit, 1.0 - np.asarray(pit))


@dataclass(frozen=True)
class Expectation:
    """A report within what was predicted.

    Parameters
    ----------
    median, lower, upper : float
        Of the predicted proportion.
    pit : float
        Mid-p: predictive probability of less, plus half that of just this.
    two_sided : float
        Predictive probability of something at least as extreme.
    named : bool
        Whether that is below NAMED_BELOW.
    chance_named : float
        Predictive probability of being named.
    log_predictive : float
        Log predictive probability of just this.
    """

    median: float
    lower: float
    upper: float
    pit: float
    two_sided: float
    named: bool
    chance_named: float
    log_predictive: float


@dataclass(frozen=True, eq=False)
class CountLaw:
    """The predictive distribution of the patients with an event among those of one further study.

    A number that is not whole, of effective patients, lies on the line between its neighbours.

    Parameters
    ----------
    probabilities : array, shape (n + 1,)
        Of 0 to n patients.
    """

    probabilities: np.ndarray

    @cached_property
    def pits(self) -> np.ndarray:
        """Mid-p of each count: the probability of fewer patients and half that of just as many; shape (n + 1,)."""
        return np.clip(np.cumsum(self.probabilities) - 0.5 * self.probabilities, 0.0, 1.0)

    def pit(self, count: float) -> float:
        """Mid-p of a count."""
        return float(np.interp(count, np.arange(len(self.pits)), self.pits))

    def log_probability(self, count: float) -> float:
        """Log predictive probability of a count."""
        with np.errstate(divide="ignore"):
            return float(np.interp(count, np.arange(len(self.pits)), np.log(self.probabilities)))

    def limits(self, level: float) -> np.ndarray:
        """Lower limit, median and upper limit: the smallest counts that these probabilities do not exceed."""
        counts = np.searchsorted(np.cumsum(self.probabilities), equal_tails(level))
        return np.minimum(counts, len(self.probabilities) - 1)

    def at_most(self, count: float) -> float:
        """Probability of no more than a count, which is none below zero."""
        below = np.minimum(np.cumsum(self.probabilities), 1.0)
        return float(np.interp(count, np.arange(-1, len(below)), [0.0, *below]))

    def at_least(self, count: float) -> float:
        """Probability of no fewer than a count."""
        probabilities = np.cumsum(self.probabilities[::-1])[::-1]
        return float(np.interp(count, np.arange(len(self.pits)), np.minimum(probabilities, 1.0)))

    def expectation(self, count: float, level: float) -> Expectation:
        """A count against this law, with limits at a level."""
        lower, median, upper = (self.limits(level) / (len(self.probabilities) - 1)).tolist()
        pit = self.pit(count)
        both = float(two_sided(pit))
        return Expectation(median, lower, upper, pit, both, both < NAMED_BELOW, self.chance_named,
                           self.log_probability(count))

    @property
    def named(self) -> np.ndarray:
        """Whether each count would be named; bool array, shape (n + 1,)."""
        return two_sided(self.pits) < NAMED_BELOW

    @property
    def chance_named(self) -> float:
        """Predictive probability of being named, which for few patients is less than NAMED_BELOW."""
        return float(self.probabilities[self.named].sum())


def counts_of(grid: Grid | Slices, n: int) -> CountLaw:
    """The law of the events among n patients of one further study, for a model of a rate."""
    model = grid.density.model
    values, weights = grid.sparse()
    if model is beta_binomial.MODEL and n <= _MOST_AT_ONCE:
        # All counts of one size share their terms, which makes a study of hundreds of patients cheap.
        return CountLaw(np.exp(beta_binomial.count_log_probabilities(values, [n])[0]) @ weights)
    counts = RateStudies([str(y) for y in range(n + 1)], np.arange(n + 1), np.full(n + 1, n))
    return CountLaw(weights @ np.exp(model.marginal.log_likelihood(values, counts)))


def survivors_of(grid: Grid | Slices, months: float, n: int, *, cells: int = _CELLS) -> CountLaw:
    """The law of those who are without the event then, among n patients of one further study.

    Survival of the study follows from its effect, whose distribution function is known at each point of the grid; the
    binomial law of n patients is summed over cells of survival. They are even in arcsin(sqrt(survival)), where that law
    is as wide everywhere: next to 1, where events are rare, survival within an even cell would differ by many of its
    standard errors. A cell with much of the mass is cut finer, in proportion.
    """
    from scipy import stats

    density, (values, weights) = grid.density.model.density, grid.sparse()

    def at_most(angles: np.ndarray) -> np.ndarray:
        # Survival falls with the effect: it is at most s where the effect is at least that of s.
        effects = density.curve.effect_at(values, np.sin(angles[:, None]) ** 2, months)
        return (1.0 - density.new_study_cdf(values, effects)) @ weights

    middle, mass = _cells(at_most, np.pi / 2.0, max(cells, math.ceil(_CELLS_BY_ERROR * math.sqrt(n))))
    return CountLaw(stats.binom.pmf(np.arange(n + 1)[:, None], n, np.sin(middle) ** 2) @ mass)


def events_of(grid: Grid | Slices, person_months: float) -> CountLaw:
    """The law of the events in so many person-months of one further study; those beyond `MOST_EVENTS` are one count.

    The Poisson law is summed over cells even in the square root of the expected number, where it is as wide everywhere.
    """
    from scipy import stats

    density, (values, weights) = grid.density.model.density, grid.sparse()

    def at_most(roots: np.ndarray) -> np.ndarray:
        return density.new_study_cdf(values, np.log(roots[:, None] ** 2 / person_months)) @ weights

    middle, mass = _cells(at_most, math.sqrt(2.0 * MOST_EVENTS), 2 * _CELLS)
    each = stats.poisson.pmf(np.arange(MOST_EVENTS + 1)[:, None], middle**2) @ mass
    return CountLaw(np.append(each, max(1.0 - each.sum(), 0.0)))


def _cells(at_most: Callable[[np.ndarray], np.ndarray], last: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Middles of cells from 0 to `last` that matter, and the mass in each; more beyond is in the last one."""
    def mass_between(edges: np.ndarray) -> np.ndarray:
        return np.maximum(np.diff(at_most(edges[1:-1]), prepend=0.0, append=1.0), 0.0)

    edges = np.linspace(0.0, last, count + 1)
    finer = 1 + (count * mass_between(edges)).astype(int)
    edges = np.interp(np.arange(finer.sum() + 1), np.cumsum([0, *finer]), edges)
    mass = mass_between(edges)
    kept = mass > _NEGLIGIBLE
    return ((edges[1:] + edges[:-1]) / 2.0)[kept], mass[kept]


def median_limits(grid: Grid | Slices, n: int, level: float) -> tuple[float, float, float]:
    """Lower limit, median and upper limit of the median time that a further study of n patients prints, months.

    A median is at most m months where no more than half of the patients are without the event then; infinite where
    that may never come, and no sooner than is looked for, minutes.
    """
    @cache
    def pit(log_months: float) -> float:
        # Half the cells move a mid-p by less than 1e-4, a log probability by 1e-3.
        return survivors_of(grid, float(np.exp(log_months)), n, cells=_CELLS // 2).pit(n / 2.0)

    def limit(probability: float) -> float:
        first, last = np.log(_MONTHS).tolist()
        if pit(first) >= probability:
            return _MONTHS[0]
        if pit(last) <= probability:
            return math.inf
        return float(np.exp(optimize.brentq(lambda log_months: pit(log_months) - probability, first, last, xtol=1e-4)))

    return tuple(map(limit, equal_tails(level)))


def outcome(studies: Studies) -> tuple[str, np.ndarray]:
    """Name and values, shape (k,), of what is compared with replicates: events, log hazards, or points of curves.

    Counts of survival studies become the log hazard that they amount to, half an event and half a patient added, so
    that all studies stand on one scale. Of a curve it is the point nearest to 12 months; strata continue under a
    constant hazard.
    """
    if isinstance(studies, RateStudies):
        return "events", studies.events
    if isinstance(studies, CurveStudies):
        return "survival", nearest_points(studies)[1]
    return "log_hazard", smoothed_log_hazards(studies)[0]


def nearest_points(studies: CurveStudies) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Months, survival and effective patients of one point of each curve, shape (k,) each; NaN where it has none.

    Of patients who are known one by one it is that of their Kaplan-Meier curve.
    """
    lost = np.cumsum(studies.counts, axis=1)
    total = lost[:, -1] + studies.survivors.sum(axis=1)
    # Rows are filled up with intervals from 0 in which nobody had the event.
    is_point = (studies.counts > 0.0) | (studies.starts > 0.0)
    is_point[:, 0] = total > 0.0
    nearest = np.argmin(np.where(is_point, np.abs(np.log(np.maximum(studies.ends, 1e-9) / 12.0)), np.inf), axis=1)
    at = np.arange(len(studies)), nearest
    with np.errstate(divide="ignore", invalid="ignore"):
        survival, months = 1.0 - lost[at] / total, studies.ends[at]
    for row in np.flatnonzero(studies.died.any(axis=1)):
        died, seen = studies.died[row], studies.seen[row][studies.survivors[row] > 0.0]
        survival[row], total[row] = kaplan_meier(died[died > 0.0], seen, months[row])
    share, time, alive = np.moveaxis(studies.strata, -1, 0)
    in_strata, mixed = studies.mixed > 0.0, (share * alive ** (12.0 / time)).sum(axis=1)
    survival, months, total = (np.where(in_strata, of_strata, of_points) for of_strata, of_points in (
        (mixed, survival), (12.0, months), (studies.mixed, total)))
    return months, survival, total


def replicates(model: Model, studies: Studies, draws: Draws, effects: np.ndarray,
               rng: np.random.Generator) -> np.ndarray:
    """What each study would report if these were its effects, as `outcome` tells it; shape (s, k).

    Parameters
    ----------
    studies : RateStudies, HazardStudies or CurveStudies
    draws : mapping of str to array, shape (s,)
        Hyperparameters, of which a curve may need one.
    effects : array, shape (s, k)
        Rates; log hazards; effects of curves.
    """
    if isinstance(studies, RateStudies):
        return rng.binomial(studies.evaluable, np.clip(effects, 0.0, 1.0))
    if isinstance(studies, CurveStudies):
        months, _, patients = nearest_points(studies)
        each, whole = {name: values[:, None] for name, values in draws.items()}, np.maximum(np.round(patients), 1.0)
        return rng.binomial(whole.astype(int), model.density.curve.survival(each, effects, months)) / whole
    values, rows = np.empty(effects.shape), log_hazard.kinds(studies)
    for name, table in log_hazard.data(studies).items():
        reports = log_hazard.replicate(name, table, effects[:, rows[name]], rng)
        values[:, rows[name]] = log_hazard.smoothed(name, table, reports)
    return values


def further_studies(model: Model, draws: Draws, count: int, rng: np.random.Generator) -> np.ndarray:
    """Effects of further exchangeable studies, shape (s, count): independent given the hyperparameters."""
    return np.stack([model.density.new_study(draws, rng) for _ in range(count)], axis=1)
