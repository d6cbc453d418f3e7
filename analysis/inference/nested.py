"""The posterior of two nested rates by quadrature: two grids of two hyperparameters, weighted by what joins them.

Each pair has a posterior of its own from the studies that report it. They are joined by studies with the inner count
alone, whose likelihood is evaluated at every pair of points of both grids; the marginal posterior of either pair is
then its own grid with other weights, and everything that is known of a grid follows. The error is the change from the
sums over every second point, as for a single grid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special

from analysis.cases.case import NoStudies
from analysis.cases.nesting import Nesting
from analysis.inference import weighted
from analysis.inference.density import Density, density_of
from analysis.inference.estimands import Estimate, Quantity
from analysis.inference.grid import Grid, QuadratureFailed, solve
from analysis.inference.posterior import Posterior
from models import beta_binomial
from models.nested_beta_binomial import NestedStudies, inner_only_log_likelihood
from models.priors import Prior

MEAN, NEW, RHO = "mean_rate", "new_study_rate", "rho"
OUTER, GIVEN, INNER = "outer", "inner given outer", "inner"
"""The three quantities: the outer rate, that of the inner event among the outer ones, and their product."""

WORST = 1e-3  # posterior standard deviations: far below the digits that any table prints
_NEGLIGIBLE = 1e-15
_TOLERANCES, _MOST_POINTS = (1e-6, 1e-4), 5_000  # of a grid: pairs of points must fit into memory
_MOST_SUMS = 5_000  # over unknown outer counts, at each pair of points
_WIDE, _NEAR = special.expit(np.linspace(-18.0, 18.0, 361)), np.linspace(-8.0, 8.0, 401)


@dataclass(frozen=True, eq=False)
class Joint:
    """Joint posterior of the hyperparameters of both parts.

    Parameters
    ----------
    grids : two Grids
        Marginal posteriors of the outer pair, and of the pair of the inner event given the outer one.
    values : two mappings of str to array, shape (s,) and (t,)
        mu and rho at the points of either grid that matter.
    joint : array, shape (s, t)
        Posterior probabilities of pairs of points; they add up to 1.
    coarse : two bool arrays, shape (s,) and (t,)
        Every second point of either axis.
    log_evidence, error : float
        As of a Grid.
    """

    grids: tuple[Grid, Grid]
    values: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]
    joint: np.ndarray
    coarse: tuple[np.ndarray, np.ndarray]
    log_evidence: float
    error: float

    def inner_rate_cdf(self, rates: np.ndarray | float) -> np.ndarray:
        """Probability that the mean of the inner rate, a product, is at most so much.

        Of each value of the inner mean the distribution of the outer one is a sum, read between its points.
        """
        outer, inner = (of["mu"] for of in self.values)
        order = np.argsort(outer)
        below = np.cumsum(self.joint[order], axis=0) - self.joint[order] / 2.0
        return sum(np.interp(rates / rate, outer[order], column) for rate, column in zip(inner, below.T, strict=True))


@dataclass(frozen=True, eq=False)
class NestedPosterior(Joint):
    """The joint posterior of a question, with the estimates of each part.

    Parameters
    ----------
    outer, inner : Posterior
        Marginal posteriors of the outer rate, and of the inner one given the outer.
    """

    outer: Posterior
    inner: Posterior

    def estimates(self, quantity: str) -> tuple[Estimate, ...]:
        """Mean rate over studies and rate of a new study; except of the product rho, too."""
        if quantity != INNER:
            return {OUTER: self.outer, GIVEN: self.inner}[quantity].estimates((MEAN, NEW, RHO))
        return self._mean_of_product, self._new_product

    @cached_property
    def _mean_of_product(self) -> Estimate:
        outer, inner = (of["mu"] for of in self.values)
        mean = float(outer @ self.joint @ inner)
        sd = float(np.sqrt(outer**2 @ self.joint @ inner**2 - mean**2))
        rates = np.clip(mean + sd * _NEAR, 0.0, 1.0)
        return self._estimate(MEAN, mean, sd, rates, self.inner_rate_cdf(rates), "credible")

    @cached_property
    def _new_product(self) -> Estimate:
        """Of a new study's two independent rates: the second one in narrow cells, the first one read from a table."""
        values = [{name: value[kept, None] for name, value in of.items()}
                  for of, kept in zip(self.values, self.coarse, strict=True)]
        pairs = self.joint[np.ix_(*self.coarse)]
        pairs = pairs / pairs.sum()
        outer, inner = (np.hstack([of["mu"], of["mu"] ** 2 + of["mu"] * (1.0 - of["mu"]) * of["rho"]]) for of in values)
        moments = [pairs.sum(axis=1) @ outer, pairs.sum(axis=0) @ inner, np.diag(outer.T @ pairs @ inner)]
        spreads = [(mean, np.sqrt(max(square - mean**2, 0.0))) for mean, square in moments]
        near = [mean + sd * _NEAR for mean, sd in spreads]
        rates = np.unique(np.concatenate([_WIDE, *near]).clip(_WIDE[0], _WIDE[-1]))
        below, of_inner = (beta_binomial.new_study_cdf(of, rates) for of in values)
        cells = np.concatenate([rates[:1], np.sqrt(rates[1:] * rates[:-1]), [1.0]])
        mass = pairs @ np.diff(of_inner, axis=1, prepend=0.0, append=1.0)
        cdf = sum(np.interp(rates / cell, rates, row, right=row_mass)
                  for cell, row, row_mass in zip(cells, mass.T @ below, mass.sum(axis=0), strict=True))
        return self._estimate(NEW, *map(float, spreads[-1]), rates, cdf, "prediction")

    def _estimate(self, name: str, mean: float, sd: float, rates: np.ndarray, cdf: np.ndarray,
                  interval: str) -> Estimate:
        level = self.outer.case.level
        limits = np.interp(weighted.equal_tails(level), np.maximum.accumulate(cdf), rates)
        return Quantity(name, np.empty(0), "probability", "proportion", interval).estimate(limits, mean=mean, sd=sd,
                                                                                           level=level)


def nested_posterior(nesting: Nesting) -> NestedPosterior:
    """The joint posterior of an endpoint within its parent.

    Raises
    ------
    NoStudies
        When a part has no study.
    QuadratureFailed
        When the sums do not settle.
    """
    _refuse_what_says_nothing(nesting)
    studies = nesting.studies
    joint = joined(studies, nesting.priors)
    outer, inner = joint.grids
    return NestedPosterior(**vars(joint), outer=Posterior(nesting.outer, outer),
                           inner=Posterior(nesting.inner.but(studies=studies.inner), inner))


def joined(studies: NestedStudies, priors: Mapping[str, Prior]) -> Joint:
    """The joint posterior of such counts.

    Parameters
    ----------
    studies : NestedStudies
    priors : mapping of str to Prior
        mu and rho of both parts, by the names of the model.

    Raises
    ------
    QuadratureFailed
        When the sums do not settle.
    """
    model = beta_binomial.MODEL
    grids = [_grid(density_of(model, table, {name: priors[f"{name}_{part}"] for name in model.priors}))
             for part, table in (("outer", studies.outer), ("inner", studies.inner))]
    kept = [_matters(grid) for grid in grids]
    values = tuple({name: value[inside.ravel()] for name, value in grid.values.items()}
                   for grid, inside in zip(grids, kept, strict=True))
    coarse = tuple((np.indices(inside.shape) % 2 == 0).all(axis=0)[inside] for inside in kept)
    first, second = (grid.weights[inside] for grid, inside in zip(grids, kept, strict=True))
    log_joint = inner_only_log_likelihood(*values, studies.inner_only)
    top = float(log_joint.max())
    joint = np.exp(log_joint - top) * first[:, None] * second
    error = _error(joint, (first, second), values, coarse)
    if error > WORST:
        raise QuadratureFailed(f"the two parts are joined with an error of about {error:.2g}")
    total = float(joint.sum())
    joint /= total
    parts = []
    for at, (grid, inside) in enumerate(zip(grids, kept, strict=True)):
        weights = np.zeros(inside.shape)
        weights[inside] = joint.sum(axis=1 - at)
        parts.append(replace(grid, weights=weights, error=max(error, grid.error)))
    return Joint(tuple(parts), values, joint, coarse,
                 sum(grid.log_evidence for grid in grids) + top + float(np.log(total)), error)


def _refuse_what_says_nothing(nesting: Nesting) -> None:
    studies = nesting.studies
    outer, inner = (case.question.endpoint for case in (nesting.outer, nesting.inner))
    if not len(studies.outer):
        raise NoStudies(f"no study counts for {outer}")
    if not len(studies.inner) + len(studies.inner_only):
        raise NoStudies(f"no study counts for {inner} within {outer}")
    if int((studies.inner_only.evaluable - studies.inner_only.events + 1).sum()) > _MOST_SUMS:
        raise QuadratureFailed(f"more than {_MOST_SUMS:,} possible counts of {outer} in studies without it")


def _grid(density: Density) -> Grid:
    """The finest grid of a bounded number of points."""
    fine, rough = _TOLERANCES
    grid = solve(density, tolerance=fine)
    return grid if np.count_nonzero(_matters(grid)) <= _MOST_POINTS else solve(density, tolerance=rough)


def _matters(grid: Grid) -> np.ndarray:
    return grid.weights > _NEGLIGIBLE * grid.weights.max()


def _error(joint: np.ndarray, alone: tuple[np.ndarray, np.ndarray], values: tuple[Mapping[str, np.ndarray], ...],
           coarse: tuple[np.ndarray, np.ndarray]) -> float:
    """Estimated error of the finer rule, as of a Grid: the change from the coarser one to the power of 3/2."""
    def summaries(pairs: np.ndarray, kept: tuple[np.ndarray, ...]) -> np.ndarray:
        total = pairs.sum()
        apart = np.prod([weights[inside].sum() for weights, inside in zip(alone, kept, strict=True)])
        numbers = [np.log(total / apart)]
        for at, (of, inside) in enumerate(zip(values, kept, strict=True)):
            for value in of.values():
                numbers += weighted.mean_and_sd(value[inside], pairs.sum(axis=1 - at) / total)
        return np.array(numbers)

    fine = summaries(joint, tuple(np.ones(len(inside), dtype=bool) for inside in coarse))
    change = np.abs(summaries(joint[np.ix_(*coarse)], coarse) - fine)
    return float(np.max(change / np.array([1.0, *np.repeat(fine[2::2], 2)]))) ** 1.5
