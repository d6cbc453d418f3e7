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
from analysis.inference.density import density_of
from analysis.inference.estimands import Estimate
from analysis.inference.grid import Grid, QuadratureFailed, solve
from analysis.inference.posterior import TOLERANCE, Posterior
from models import beta_binomial
from models.nested_beta_binomial import inner_only_log_likelihood

MEAN, NEW, RHO = "mean_rate", "new_study_rate", "rho"
OUTER, GIVEN, INNER = "outer", "inner given outer", "inner"
"""The three quantities: the outer rate, that of the inner event among the outer ones, and their product."""

WORST = 1e-4
_NEGLIGIBLE = 1e-15
_MOST_POINTS = 3_500  # of a grid; of a finer one every second point of either axis is enough
_MOST_SUMS = 5_000  # over unknown outer counts, at each pair of points
_WIDE, _NEAR = special.expit(np.linspace(-18.0, 18.0, 361)), np.linspace(-8.0, 8.0, 401)


@dataclass(frozen=True, eq=False)
class NestedPosterior:
    """Joint posterior of both parts.

    Parameters
    ----------
    outer, inner : Posterior
        Marginal posteriors of the outer rate, and of the inner one given the outer.
    values : two mappings of str to array, shape (s,) and (t,)
        mu and rho at the points of either grid that matter.
    joint : array, shape (s, t)
        Posterior probabilities of pairs of points; they add up to 1.
    coarse : two bool arrays, shape (s,) and (t,)
        Every second point of either axis.
    log_evidence, error : float
        As of a Grid.
    """

    outer: Posterior
    inner: Posterior
    values: tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]
    joint: np.ndarray
    coarse: tuple[np.ndarray, np.ndarray]
    log_evidence: float
    error: float

    def estimates(self, quantity: str) -> tuple[Estimate, ...]:
        """Mean rate over studies and rate of a new study; except of the product rho, too."""
        if quantity != INNER:
            return {OUTER: self.outer, GIVEN: self.inner}[quantity].estimates((MEAN, NEW, RHO))
        return self._mean_of_product, self._new_product

    @cached_property
    def _mean_of_product(self) -> Estimate:
        """Of each value of the inner mean the distribution of the outer one is a sum, read between its points."""
        outer, inner = (of["mu"] for of in self.values)
        mean = float(outer @ self.joint @ inner)
        sd = float(np.sqrt(outer**2 @ self.joint @ inner**2 - mean**2))
        order = np.argsort(outer)
        below = np.cumsum(self.joint[order], axis=0) - self.joint[order] / 2.0
        rates = np.clip(mean + sd * _NEAR, 0.0, 1.0)
        cdf = sum(np.interp(rates / rate, outer[order], column) for rate, column in zip(inner, below.T, strict=True))
        return self._estimate(MEAN, mean, sd, rates, cdf, "credible")

    @cached_property
    def _new_product(self) -> Estimate:
        """Of a new study's two independent rates: the second one in narrow cells, the first one read from a table."""
        values, pairs = self._sparse()
        (outer, outer_square), (inner, inner_square) = (_moments_of_new_study(of) for of in values)
        mean = float(outer @ pairs @ inner)
        sd = float(np.sqrt(outer_square @ pairs @ inner_square - mean**2))
        whole, part = pairs.sum(axis=1), pairs.sum(axis=0)
        rates = _lattice((whole @ outer, whole @ outer_square), (part @ inner, part @ inner_square),
                         (mean, sd**2 + mean**2))
        below, of_inner = (beta_binomial.new_study_cdf({name: of[name][:, None] for name in of}, rates)
                           for of in values)
        cells = np.concatenate([rates[:1], np.sqrt(rates[1:] * rates[:-1]), [1.0]])
        mass = pairs @ np.diff(of_inner, axis=1, prepend=0.0, append=1.0)
        cdf = sum(np.interp(rates / cell, rates, row, right=row_mass)
                  for cell, row, row_mass in zip(cells, mass.T @ below, mass.sum(axis=0), strict=True))
        return self._estimate(NEW, mean, sd, rates, cdf, "prediction")

    def _sparse(self) -> tuple[tuple[dict[str, np.ndarray], ...], np.ndarray]:
        values = tuple({name: of[name][kept] for name in of}
                       for of, kept in zip(self.values, self.coarse, strict=True))
        pairs = self.joint[np.ix_(*self.coarse)]
        return values, pairs / pairs.sum()

    def _estimate(self, name: str, mean: float, sd: float, rates: np.ndarray, cdf: np.ndarray,
                  interval: str) -> Estimate:
        level = self.outer.case.level
        lower, median, upper = np.interp([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0],
                                         np.maximum.accumulate(cdf), rates).tolist()
        return Estimate(name, None, None, "probability", "proportion", mean, sd, median, lower, upper, level, interval,
                        np.nan)


def _moments_of_new_study(of: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of a new study's rate, and of its square."""
    return of["mu"], of["mu"] ** 2 + of["mu"] * (1.0 - of["mu"]) * of["rho"]


def _lattice(*moments: tuple[float, float]) -> np.ndarray:
    """Rates from 0 to 1, dense where distributions with these means and mean squares are."""
    near = [mean + np.sqrt(max(square - mean**2, 0.0)) * _NEAR for mean, square in moments]
    return np.unique(np.concatenate([_WIDE, *near]).clip(_WIDE[0], _WIDE[-1]))


def nested_posterior(nesting: Nesting) -> NestedPosterior:
    """The joint posterior of an endpoint within its parent.

    Raises
    ------
    NoStudies
        When a part has no study.
    QuadratureFailed
        When the sums do not settle.
    """
    studies = nesting.studies
    _refuse_what_says_nothing(nesting)
    grids = [_bounded(solve(density_of(case.model, table, case.priors), tolerance=TOLERANCE))
             for case, table in ((nesting.outer, studies.outer), (nesting.inner, studies.inner))]
    kept = [grid.weights > _NEGLIGIBLE * grid.weights.max() for grid in grids]
    values = tuple({name: value[inside.ravel()] for name, value in grid.values.items()}
                   for grid, inside in zip(grids, kept, strict=True))
    coarse = tuple(_every_second(grid)[inside] for grid, inside in zip(grids, kept, strict=True))
    first, second = (grid.weights[inside] for grid, inside in zip(grids, kept, strict=True))
    log_joint = inner_only_log_likelihood(*values, studies.inner_only)
    top = float(log_joint.max())
    joint = np.exp(log_joint - top) * first[:, None] * second
    error = _error(joint, (first, second), values, coarse)
    if error > WORST:
        raise QuadratureFailed(f"the two parts are joined with an error of about {error:.2g}")
    total = float(joint.sum())
    joint /= total
    parts = [replace(grid, weights=_filled(inside, joint.sum(axis=1 - at)), error=max(error, grid.error))
             for at, (grid, inside) in enumerate(zip(grids, kept, strict=True))]
    return NestedPosterior(
        Posterior(nesting.outer, parts[0]), Posterior(nesting.inner.but(studies=studies.inner), parts[1]), values,
        joint, coarse, sum(grid.log_evidence for grid in grids) + top + float(np.log(total)), error)


def _refuse_what_says_nothing(nesting: Nesting) -> None:
    studies = nesting.studies
    outer, inner = (case.question.endpoint for case in (nesting.outer, nesting.inner))
    if not len(studies.outer):
        raise NoStudies(f"no study counts for {outer}")
    if not len(studies.inner) + len(studies.inner_only):
        raise NoStudies(f"no study counts for {inner} within {outer}")
    if int((studies.inner_only.evaluable - studies.inner_only.events + 1).sum()) > _MOST_SUMS:
        raise QuadratureFailed(f"more than {_MOST_SUMS:,} possible counts of {outer} in studies without it")


def _bounded(grid: Grid) -> Grid:
    """The grid, or every second point of either axis where it has very many."""
    while np.count_nonzero(grid.weights > _NEGLIGIBLE * grid.weights.max()) > _MOST_POINTS:
        location, heterogeneity, weights = (table[::2, ::2] for table in (grid.location, grid.heterogeneity,
                                                                          grid.weights))
        grid = replace(grid, a=grid.a[::2], b=grid.b[::2], step=2.0 * grid.step, location=location,
                       heterogeneity=heterogeneity, weights=weights / weights.sum(), error=grid.error ** (2.0 / 3.0))
    return grid


def _every_second(grid: Grid) -> np.ndarray:
    rows, columns = np.indices(grid.weights.shape)
    return (rows % 2 == 0) & (columns % 2 == 0)


def _filled(inside: np.ndarray, weights: np.ndarray) -> np.ndarray:
    table = np.zeros(inside.shape)
    table[inside] = weights
    return table


def _error(joint: np.ndarray, own: tuple[np.ndarray, np.ndarray], values: tuple[Mapping[str, np.ndarray], ...],
           coarse: tuple[np.ndarray, np.ndarray]) -> float:
    """Estimated error of the finer rule, as of a Grid: the change from the coarser one to the power of 3/2."""
    def summaries(pairs: np.ndarray, kept: tuple[np.ndarray, ...]) -> np.ndarray:
        total = pairs.sum()
        known = [np.log(total / np.prod([weights[inside].sum() for weights, inside in zip(own, kept, strict=True)]))]
        for at, (of, inside) in enumerate(zip(values, kept, strict=True)):
            for value in of.values():
                known += weighted.mean_and_sd(value[inside], pairs.sum(axis=1 - at) / total)
        return np.array(known)

    fine = summaries(joint, tuple(np.ones(len(inside), dtype=bool) for inside in coarse))
    change = np.abs(summaries(joint[np.ix_(*coarse)], coarse) - fine)
    return float(np.max(change / np.array([1.0, *np.repeat(fine[2::2], 2)]))) ** 1.5
