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
_MOST_SUMS = 5_000  # over unknown outer counts, at each pair of points
_LOGITS = np.linspace(-18.0, 18.0, 901)
_EDGES = special.expit(_LOGITS)


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
        kept = self.joint > 1e-7 * self.joint.max()
        weights = self.joint[kept] / self.joint[kept].sum()
        values = np.multiply.outer(self.values[0]["mu"], self.values[1]["mu"])[kept]
        mean, sd = weighted.mean_and_sd(values, weights)
        return self._estimate(MEAN, mean, sd, weighted.quantiles(values, weights, self._probabilities), "credible")

    @cached_property
    def _new_product(self) -> Estimate:
        """Of a new study's two independent rates, by a table of the second one's distribution in narrow cells."""
        (outer, inner), pairs = self._sparse()
        below, of_inner = (beta_binomial.new_study_cdf({name: of[name][:, None] for name in of}, _EDGES)
                           for of in (outer, inner))
        mass = np.diff(of_inner, axis=1, prepend=0.0, append=1.0)
        table = (pairs @ mass).T @ below
        cells = np.concatenate([[_LOGITS[0]], (_LOGITS[1:] + _LOGITS[:-1]) / 2.0, [_LOGITS[-1]]])
        cdf = np.zeros(len(_EDGES))
        for rate, row, whole in zip(special.expit(cells), table, pairs.sum(axis=0) @ mass, strict=True):
            first = np.minimum(_EDGES / rate, 1.0 - 1e-12)
            cdf += np.where(_EDGES < rate, np.interp(special.logit(first), _LOGITS, row), whole)
        first, second = (_moments_of_new_study(of) for of in (outer, inner))
        mean = float(first[0] @ pairs @ second[0])
        sd = float(np.sqrt(first[1] @ pairs @ second[1] - mean**2))
        limits = special.expit(np.interp(self._probabilities, np.maximum.accumulate(cdf), _LOGITS))
        return self._estimate(NEW, mean, sd, limits, "prediction")

    def _sparse(self) -> tuple[tuple[dict[str, np.ndarray], ...], np.ndarray]:
        values = tuple({name: of[name][kept] for name in of}
                       for of, kept in zip(self.values, self.coarse, strict=True))
        pairs = self.joint[np.ix_(*self.coarse)]
        return values, pairs / pairs.sum()

    @property
    def _probabilities(self) -> tuple[float, float, float]:
        level = self.outer.case.level
        return (1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0

    def _estimate(self, name: str, mean: float, sd: float, limits: np.ndarray, interval: str) -> Estimate:
        lower, median, upper = (float(limit) for limit in limits)
        return Estimate(name, None, None, "probability", "proportion", mean, sd, median, lower, upper,
                        self.outer.case.level, interval, np.nan)


def _moments_of_new_study(of: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of a new study's rate, and of its square."""
    return of["mu"], of["mu"] ** 2 + of["mu"] * (1.0 - of["mu"]) * of["rho"]


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
    grids = [solve(density_of(case.model, table, case.priors), tolerance=TOLERANCE)
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
