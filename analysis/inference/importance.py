"""Independent weighted draws from the posterior of a regression, without a chain.

Points of a scrambled Sobol sequence become draws of the nested approximation (`analysis.inference.laplace`), with
tails of a t distribution, and of the distribution of observed cells. Each is weighed with the density that nutpie
samples, evaluated by numpy. The weights are Pareto-smoothed; the shape of their tail (k) says whether the weighted
draws may be trusted at all, and their Monte-Carlo errors are those of independent draws, which a Sobol sequence does
not exceed in practice.

References
----------
Vehtari A et al. J Mach Learn Res 2024;25:72, doi 10.48550/arXiv.1507.02646 (Pareto-smoothed importance sampling).
Owen AB. Monte Carlo theory, methods and examples. 2013, chapters 9 and 17 (importance sampling; scrambled nets).
Owen A, Zhou Y. J Am Stat Assoc 2000;95:135, doi 10.1080/01621459.2000.10473909 (mixtures as proposals).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from scipy import special, stats
from scipy.interpolate import RegularGridInterpolator, make_interp_spline

from analysis.cases.regressions import RegressionCase
from analysis.inference.density import Density
from analysis.inference.laplace import Nodes, log_prior_of_slopes, nested_laplace
from models.backend import NUMBERS
from models.model import Draws
from models.priors import Prior
from models.regression import Covariates

_FREEDOM = 4.0  # tails of rates near 0 or 1 are exponential, and wide
_HEATED = 0.9  # power of the grid's masses, whose tails the approximation may understate
_HEATED_CELLS = 0.6  # of the masses of a covariate's standard deviation: what studies report may favour a large one
_FINE, _FINE_SCALES, _CELL_STEPS = 240, 120, 600
_LEAST = -60.0  # logs of masses below the highest: splines through less would swing
_EVERY = 3  # one draw in so many comes from the studies without a missing cell
_NEGLIGIBLE = 1e-12
_AT_ONCE = 150_000  # draws times numbers of the largest input: what is made of them stays near the processor


@dataclass(frozen=True)
class Weighted:
    """Draws with weights; those of negligible weight are left out.

    Parameters
    ----------
    draws : mapping of str to array
        As a regression's density takes them. The cells of a column without a missing one have mean 0 and standard
        deviation 1, on which nothing hangs.
    weights : array, shape (s,)
        They add up to 1.
    pareto_k : float
        Shape of the weights' tail; NaN where no point has a density.
    """

    draws: Draws
    weights: np.ndarray
    pareto_k: float


def importance_draws(case: RegressionCase, density: Density, *, size: int) -> Weighted:
    """Weighted draws of one regression.

    Parameters
    ----------
    density : Density
        Of the same studies without covariates.
    size : int
        Number of draws, a power of 2.

    Raises
    ------
    QuadratureFailed
        When there is no place to start from.
    """
    covariates, priors = case.covariates, case.priors
    incomplete, dimension = covariates.incomplete, 3 + 1 + len(covariates.names)
    parts = [Part(nodes) for nodes in nested_laplace(case, density)]
    sobol = stats.qmc.Sobol(dimension + 2 * len(incomplete), rng=np.random.default_rng([case.seed, 5]))
    points = np.clip(sobol.random(size), 1e-12, 1.0 - 1e-12)
    a, log_scale, coefficients, log_proposal = _mixed(parts, points[:, :dimension])
    mean, sd, log_cells = _cells(covariates, priors["covariate_sd"], points[:, dimension:])
    location, heterogeneity = coefficients[:, 0], parts[0].heterogeneity(a)
    slopes = coefficients[:, 1:] * covariates.steps
    draws = {**density.natural(location, heterogeneity), "beta": np.exp(log_scale)[:, None] * slopes,
             "covariate_mean": mean, "covariate_sd": sd}
    log_prior = density.log_prior(location, heterogeneity) + np.log(np.cosh(a))
    log_prior += log_prior_of_slopes(case, slopes).sum(axis=1)
    log_prior += priors["covariate_mean"].log_density(mean[:, incomplete]).sum(axis=1)
    log_prior += priors["covariate_sd"].log_density(np.log(sd[:, incomplete])).sum(axis=1)
    if case.together:
        log_prior += priors["shrinkage"].log_density(log_scale)
    log_target = log_prior + _log_likelihood(case, draws)
    return _smoothed(draws, np.where(np.isfinite(log_target), log_target - log_proposal - log_cells, -np.inf))


def _log_likelihood(case: RegressionCase, draws: Draws) -> np.ndarray:
    inputs = case.regression.data(case.studies, case.covariates)
    size = max(1, _AT_ONCE // max(table.size for table in inputs.values()))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.concatenate([
            case.regression.log_density({name: values[at:at + size] for name, values in draws.items()}, inputs,
                                        on=NUMBERS) for at in range(0, len(draws["beta"]), size)])


def _smoothed(draws: Draws, log_weights: np.ndarray) -> Weighted:
    top = log_weights.max()
    if not np.isfinite(top):
        return Weighted(draws, np.full(len(log_weights), 1.0 / len(log_weights)), np.nan)
    # psislw takes the negative: log likelihoods, whose inverse weighs a study left out.
    smooth, k = array_stats.psislw(np.minimum(top - log_weights, 700.0))
    weights = np.where(np.isfinite(log_weights), np.exp(smooth - smooth.max()), 0.0)
    # Far out a rate is 0 or 1 to the last digit and has no logit; such draws weigh nothing.
    kept = weights > _NEGLIGIBLE
    return Weighted({name: values[kept] for name, values in draws.items()}, weights[kept] / weights[kept].sum(),
                    float(k))


class Part:
    """A density of (a, log scale, coefficients): cut fine in the first two, a t distribution in the coefficients."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes, self._one_scale = nodes, len(nodes.log_scale) == 1
        log_mass = np.maximum(nodes.log_mass - nodes.log_mass.max(), _LEAST)
        self._edges, self._bounds = np.linspace(nodes.a[0], nodes.a[-1], _FINE + 1), np.array([-0.5, 0.5])
        log_mass = make_interp_spline(nodes.a, log_mass, k=3)(_middles(self._edges))
        axes, mode, root = (nodes.a,), nodes.mode[:, 0], nodes.root[:, 0]
        if not self._one_scale:
            self._bounds = np.linspace(nodes.log_scale[0], nodes.log_scale[-1], _FINE_SCALES + 1)
            log_mass = make_interp_spline(nodes.log_scale, log_mass, k=3, axis=1)(_middles(self._bounds))
            axes, mode, root = (nodes.a, nodes.log_scale), nodes.mode, nodes.root
        mass = np.exp(_HEATED * log_mass)
        self._mass = mass / mass.sum()
        self._mode, self._root = (RegularGridInterpolator(axes, table) for table in (mode, root))

    def heterogeneity(self, a: np.ndarray) -> np.ndarray:
        """The unconstrained heterogeneity at stretched coordinates."""
        return self._nodes.centre + self._nodes.scale * np.sinh(a)

    def draw(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Heterogeneity's coordinate and log scale, shape (s,) each, and coefficients, shape (s, d).

        Parameters
        ----------
        points : array, shape (s, 3 + d)
            Uniform on (0, 1).
        """
        log_scale = _quantiles(self._mass.sum(axis=0), self._bounds, points[:, 1])
        column, a = _cell(self._bounds, log_scale), np.empty(len(points))
        for at in np.unique(column):
            a[column == at] = _quantiles(self._mass[:, at], self._edges, points[column == at, 0])
        log_scale = np.zeros(len(points)) if self._one_scale else log_scale
        mode, root = self._between(a, log_scale)
        z, stretch = special.ndtri(points[:, 2:-1]), _FREEDOM / stats.chi2.ppf(points[:, -1], _FREEDOM)
        return a, log_scale, mode + np.einsum("sde,se->sd", root, z * np.sqrt(stretch)[:, None])

    def log_density(self, a: np.ndarray, log_scale: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Log density of such draws, shape (s,)."""
        area = (self._edges[1] - self._edges[0]) * (self._bounds[1] - self._bounds[0])
        mass = self._mass[_cell(self._edges, a), _cell(self._bounds, log_scale)]
        mode, root = self._between(a, log_scale)
        standard = np.linalg.solve(root, (coefficients - mode)[..., None])[..., 0]
        tails = stats.multivariate_t(df=_FREEDOM, shape=np.eye(mode.shape[1])).logpdf(standard)
        return np.log(mass / area) + tails - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)

    def _between(self, a: np.ndarray, log_scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = a[:, None] if self._one_scale else np.stack([a, log_scale], axis=1)
        return self._mode(place), self._root(place)


def _quantiles(mass: np.ndarray, edges: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where the distribution function of a histogram reaches the points; mass of any sum."""
    below = np.concatenate([[0.0], np.cumsum(mass)])
    return np.interp(points, below / below[-1], edges)


def _middles(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2.0


def _cell(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which cell between evenly spaced edges holds each value."""
    return np.clip((values - edges[0]) / (edges[1] - edges[0]), 0.0, len(edges) - 2.0).astype(int)


def _mixed(parts: Sequence[Part], points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Heterogeneity, scale and coefficients drawn from the parts in turn, and the log density of their mixture."""
    draws, shares = parts[0].draw(points), [1.0]
    if len(parts) > 1:
        # The points of a Sobol sequence come in pairs; an odd stride leaves each part a well-spread share.
        second, shares = np.arange(len(points)) % _EVERY == _EVERY - 1, [1.0 - 1.0 / _EVERY, 1.0 / _EVERY]
        draws = tuple(np.where(second if first.ndim == 1 else second[:, None], other, first)
                      for first, other in zip(draws, parts[1].draw(points), strict=True))
    log_densities = [part.log_density(*draws) for part in parts]
    return *draws, special.logsumexp(log_densities, axis=0, b=np.array(shares)[:, None])


def _cells(covariates: Covariates, prior: Prior, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column from its observed cells, shape (s, p) each, and their log density.

    The mean is drawn as under a flat prior, which is wider than any posterior; the weights carry the prior.
    """
    size = len(points), len(covariates.names)
    mean, sd, total = np.zeros(size), np.ones(size), np.zeros(len(points))
    for place, at in enumerate(covariates.incomplete):
        count, centre, squares = covariates.summaries[:, at]
        guess = 0.5 * np.log(squares / count)
        edges = np.linspace(min(guess, 0.0) - 6.0, max(guess, 0.0) + 4.0, _CELL_STEPS + 1)
        log_sd = _middles(edges)
        log_mass = prior.log_density(log_sd) - (count - 1.0) * log_sd - 0.5 * squares * np.exp(-2.0 * log_sd)
        of_log_sd = stats.rv_histogram((np.exp(_HEATED_CELLS * (log_mass - log_mass.max())), edges))
        drawn = of_log_sd.ppf(points[:, 2 * place])
        sd[:, at] = np.exp(drawn)
        of_mean = stats.norm(centre, sd[:, at] / np.sqrt(count))
        mean[:, at] = of_mean.ppf(points[:, 2 * place + 1])
        total += of_log_sd.logpdf(drawn) + of_mean.logpdf(mean[:, at])
    return mean, sd, total
