"""Where the posterior of a regression lies: a Laplace approximation nested in a grid of its scale parameters.

A regression is close to normal in intercept and slopes once heterogeneity and the scale of the slopes are given, and
far from it in these two, whose marginals are skewed and reach to their bounds. So the two are kept on a grid: at each
point Newton's method finds the mode of intercept and slopes, and the Laplace approximation its mass. Everything here
is a proposal only. `analysis.inference.importance` weighs draws from it with the density that is also sampled, so an
error costs precision, which is measured, and no truth.

References
----------
Rue H, Martino S, Chopin N. J R Stat Soc B 2009;71:319, doi 10.1111/j.1467-9868.2008.00700.x (nested Laplace).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from analysis.cases.regressions import RegressionCase
from analysis.inference.density import Density
from analysis.inference.grid import QuadratureFailed, centre_and_spread
from models.model import Draws
from models.priors import Prior
from models.regression import Covariates

HETEROGENEITIES = 31
_REACH = 4.5  # of the stretched coordinate: 45 standard deviations
_SCAN, _SCAN_LEVEL, _ENOUGH, _ZOOMS = np.linspace(-25.0, 12.0, 38), 12.0, 8, 4
_LINEAR_STEP, _FARTHEST = 0.15, 30.0
_BEYOND = 6.0  # linear predictors tabulated on either side of where studies lie
_NEWTON_STEPS, _LONGEST, _SETTLED = 40, 2.0, 1e-4
_FLAT = 1e-6  # curvature where a density is not concave
_DIFFERENCE = 1e-3
_SCALE_STEP, _MOST_SCALES = 0.7, 40
_SCALE_BELOW, _SCALE_ABOVE = 6.0, 2.0  # logs below and above the typical scale of the slopes under its prior


@dataclass(frozen=True)
class Nodes:
    """The approximation on A heterogeneities by Q scales of the slopes, with d = 1 + p coefficients.

    Parameters
    ----------
    a : array, shape (A,)
        Stretched coordinate of the heterogeneity v = centre + scale sinh(a), which has no bounds.
    centre, scale : float
    log_scale : array, shape (Q,)
        Log scale of the slopes; the one value 0 where they have a prior each.
    mode : array, shape (A, Q, d)
        Intercept, on the scale on which its prior has no bounds, and slopes per standard deviation of the covariate in
        units of their scale.
    root : array, shape (A, Q, d, d)
        Cholesky factor of the covariance at the mode.
    log_mass : array, shape (A, Q)
        Log of the approximate posterior mass per unit of both coordinates, but for a constant.
    """

    a: np.ndarray
    centre: float
    scale: float
    log_scale: np.ndarray
    mode: np.ndarray
    root: np.ndarray
    log_mass: np.ndarray


def nested_laplace(case: RegressionCase, density: Density) -> list[Nodes]:
    """The nested approximation; where cells are missing also the one by the studies that have all of theirs.

    What a study with a missing cell says is bounded, while the approximation to it may be far off: it may agree with
    the others for one value of the cell only. So the posterior without these studies is a proposal as well.

    Parameters
    ----------
    density : Density
        Of the same studies without covariates.

    Raises
    ------
    QuadratureFailed
        When no place is found.
    """
    covariates = case.covariates
    partial = covariates.missing.any(axis=1)
    kept = [np.ones(len(partial)), (~partial).astype(float)][:1 + partial.any()]
    study_likelihoods = [case.regression.study_likelihood(case.studies.take([at])) for at in range(len(partial))]

    def at(v: np.ndarray, log_scale: np.ndarray) -> list[Nodes]:
        terms = _Terms(study_likelihoods, density, v)
        return [_nodes(case, covariates, terms, share, log_scale) for share in kept]

    log_scale = np.zeros(1)
    if case.together:
        log_scale = _widened(_scales(case.priors["shrinkage"]), lambda wider: at(_SCAN, wider))
    centre, scale = _place(lambda v: [nodes.log_mass for nodes in at(v, log_scale)])
    a = np.linspace(-_REACH, _REACH, HETEROGENEITIES)
    return [replace(nodes, a=a, centre=centre, scale=scale, log_mass=nodes.log_mass + np.log(np.cosh(a))[:, None])
            for nodes in at(centre + scale * np.sinh(a), log_scale)]


def _scales(prior: Prior) -> np.ndarray:
    """Logs of scales of the slopes: all but a thousandth of the prior on either side, and a window at least."""
    wide = np.linspace(-120.0, 40.0, 16_001)
    mass = np.exp(prior.log_density(wide))
    low, middle, high = np.interp([1e-3, 0.5, 1.0 - 1e-3], np.cumsum(mass) / mass.sum(), wide)
    low, high = min(low, middle - _SCALE_BELOW), max(high, middle + _SCALE_ABOVE)
    return np.linspace(low, high, min(_MOST_SCALES, 1 + int(np.ceil((high - low) / _SCALE_STEP))))


def _widened(log_scale: np.ndarray, at: Callable[[np.ndarray], list[Nodes]]) -> np.ndarray:
    """The scales with larger ones added while these hold mass: slopes may be larger than their prior expects.

    Smaller ones are no matter: slopes next to zero are all alike.
    """
    for _ in range(_MOST_SCALES):
        tops = [nodes.log_mass.max(axis=0) for nodes in at(log_scale)]
        if all(top[-1] < top.max() - _SCAN_LEVEL for top in tops):
            break
        log_scale = np.append(log_scale, 2.0 * log_scale[-1] - log_scale[-2])
    return log_scale


def _place(log_masses: Callable[[np.ndarray], list[np.ndarray]]) -> tuple[float, float]:
    """Mean and standard deviation of the unconstrained heterogeneity, from ever narrower scans.

    A covariate may explain the heterogeneity, so that it lies where the studies without covariates leave none.
    """
    v = _SCAN
    for _ in range(_ZOOMS):
        marginal = np.max([special.logsumexp(mass, axis=1) - mass.max() for mass in log_masses(v)], axis=0)
        if not np.all(np.isfinite(marginal)):
            raise QuadratureFailed("the regression has no place to start from")
        inside = np.flatnonzero(marginal > marginal.max() - _SCAN_LEVEL)
        if len(inside) >= _ENOUGH:
            break
        v = np.linspace(v[max(inside[0] - 1, 0)], v[min(inside[-1] + 1, len(v) - 1)], len(_SCAN))
    return centre_and_spread(v, marginal)


def log_prior_of_slopes(case: RegressionCase, slopes: np.ndarray) -> np.ndarray:
    """Log prior density of slopes per step, in units of their scale where they share one; any shape."""
    return (Prior("Normal", (0.0, 1.0)) if case.together else case.priors["beta"]).log_density(slopes)


def _nodes(case: RegressionCase, covariates: Covariates, terms: "_Terms", kept: np.ndarray,
           log_scale: np.ndarray) -> Nodes:
    """The approximation at the terms' heterogeneities, which stand in the place of `a`."""
    priors, regression = case.priors, case.regression
    cells = np.where(covariates.missing, np.nanmean(covariates.values, axis=0), covariates.values)
    widths = covariates.missing * np.nanstd(covariates.values, axis=0)
    scale = np.exp(log_scale)[:, None, None]

    def log_prior(w: np.ndarray) -> np.ndarray:
        location = priors[regression.location].log_density(w[..., :1])
        return np.concatenate([location, log_prior_of_slopes(case, w[..., 1:] * covariates.steps)], axis=-1)

    design = np.concatenate([np.ones((len(log_scale), len(cells), 1)), scale * cells], axis=-1)
    w = np.zeros((len(terms.v), len(log_scale), design.shape[-1]))
    w[..., 0] = terms.middle[:, None]
    for _ in range(_NEWTON_STEPS):
        slope, curvature = _slope_and_curvature(log_prior, w)
        first, second = terms.slopes(design, scale * widths, w)
        gradient = np.einsum("qkd,aqk->aqd", design, kept * first) + slope
        hessian = np.einsum("qkd,aqk,qke->aqde", design, kept * second, design)
        hessian += curvature[..., None] * np.eye(w.shape[-1])
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        step *= np.minimum(1.0, _LONGEST / np.maximum(np.abs(step).max(axis=-1, keepdims=True), 1e-300))
        w = w + step
        if np.abs(step).max() < _SETTLED:
            break
    log_mass = terms.values(design, w) @ kept + log_prior(w).sum(axis=-1) - 0.5 * np.linalg.slogdet(hessian)[1]
    log_mass += priors[regression.heterogeneity].log_density(terms.v)[:, None]
    if case.together:
        log_mass += priors["shrinkage"].log_density(log_scale)
    return Nodes(terms.v, 0.0, 1.0, log_scale, w, np.linalg.cholesky(np.linalg.inv(hessian)), log_mass)


def _slope_and_curvature(log_prior: Callable[[np.ndarray], np.ndarray], w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First derivative and negative second one of the log prior of each coefficient, by differences."""
    below, here, above = log_prior(w - _DIFFERENCE), log_prior(w), log_prior(w + _DIFFERENCE)
    return ((above - below) / (2.0 * _DIFFERENCE),
            np.maximum(-(above - 2.0 * here + below) / _DIFFERENCE**2, _FLAT))


class _Terms:
    """Log likelihood of each study as a table over linear predictors, one table for each heterogeneity."""

    def __init__(self, study_likelihoods: Sequence[Callable[[Draws, np.ndarray], np.ndarray]], density: Density,
                 v: np.ndarray) -> None:
        self.v, self._likelihoods = v, study_likelihoods
        self.middle, spread = density.placed(v)
        low = max((self.middle - spread).min() - _BEYOND, -_FARTHEST)
        high = min((self.middle + spread).max() + _BEYOND, _FARTHEST)
        if not high - low > 2.0 * _LINEAR_STEP:
            raise QuadratureFailed("the location lies beyond all rates and hazards")
        linear = np.arange(low, high, _LINEAR_STEP)
        self._draws = density.natural(self.middle, v)
        table = np.stack([likelihood(self._draws, np.broadcast_to(linear, (len(v), len(linear))))
                          for likelihood in study_likelihoods], axis=1)
        self._start, self._slope = linear[0], np.gradient(table, _LINEAR_STEP, axis=-1)
        self._curvature = np.maximum(-np.gradient(self._slope, _LINEAR_STEP, axis=-1), 0.0)

    def slopes(self, design: np.ndarray, widths: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First derivative and negative second one of each study's term, shape (A, Q, k).

        A missing cell makes the linear predictor uncertain, which weakens what the study says about it.
        """
        linear = np.einsum("qkd,aqd->aqk", design, w)
        variance = np.einsum("qkp,aqp->aqk", widths**2, w[..., 1:] ** 2)
        first, second = self._interpolated(self._slope, linear), self._interpolated(self._curvature, linear)
        weaker = 1.0 + second * variance
        return first / weaker, second / weaker

    def values(self, design: np.ndarray, w: np.ndarray) -> np.ndarray:
        """The terms themselves, shape (A, Q, k): large studies bend too much between the points of a table."""
        linear = np.clip(np.einsum("qkd,aqd->aqk", design, w), -_FARTHEST, _FARTHEST)
        return np.stack([likelihood(self._draws, linear[..., at]) for at, likelihood in enumerate(self._likelihoods)],
                        axis=-1)

    def _interpolated(self, table: np.ndarray, linear: np.ndarray) -> np.ndarray:
        place = np.clip((linear - self._start) / _LINEAR_STEP, 0.0, table.shape[-1] - 1.001)
        left = place.astype(int)
        rows, studies = np.arange(len(table))[:, None, None], np.arange(table.shape[1])
        share = place - left
        return (1.0 - share) * table[rows, studies, left] + share * table[rows, studies, left + 1]
