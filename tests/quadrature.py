"""Posteriors by deterministic quadrature: a second route to every number, sharing no code with the models.

Both hyperparameters lie on a grid, location u against log heterogeneity v, whose range is found by zooming to
where the density is within e^-20 of its peak. For each v the range of u is its own, since with large
homogeneous studies the conditional width of u changes a thousandfold. Study effects are integrated by plain
sums over the interval in which neither the study's likelihood nor the normal density of the effect has fallen
by more than e^-45.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import interpolate, optimize, special, stats

_DEPTH = 20.0
_FALL = 45.0
_POINTS = 101
_PROBABILITIES = (0.025, 0.5, 0.975)
_NO_HETEROGENEITY = (
    1e-9  # of rho; log gamma differences at kappa = 1e9 are right to 1e-5, and n rho is below 1e-4
)

Density = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Grid:
    """Points of a posterior with their probabilities, and the log evidence of the data.

    Parameters
    ----------
    u, weight : array, shape (b, a)
        Values of u of each row increase.
    v : array, shape (b, 1)
    """

    u: np.ndarray
    v: np.ndarray
    weight: np.ndarray
    log_evidence: float

    def points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """u, v and weight of the points that carry all but 1e-5 of the mass, flat."""
        kept = self.weight > 1e-8 * self.weight.max()
        weight = self.weight[kept]
        return self.u[kept], np.broadcast_to(self.v, self.u.shape)[kept], weight / weight.sum()


@dataclass(frozen=True)
class Reference:
    """Mean, standard deviation and 2.5, 50 and 97.5 % quantiles of one quantity."""

    mean: float
    sd: float
    lower: float
    median: float
    upper: float


def integrate(
    density: Density,
    *,
    u_range: tuple[float, float],
    v_range: tuple[float, float],
    sizes: tuple[int, int] = (101, 161),
) -> Grid:
    """The posterior on a grid.

    Parameters
    ----------
    density : callable
        Log of the joint density of u and v (Jacobians included) for u of shape (a, b) and v of shape (a, 1).
    u_range, v_range : tuple of float
        Hold all of the mass.
    sizes : tuple of int
        Points of u for each v, and of v, on the final grid.
    """
    low, high = v_range
    for _ in range(3):
        v = np.linspace(low, high, 25)
        u, values = _along_u(density, v, u_range, 31)
        marginal = special.logsumexp(values, axis=1) + np.log(u[:, 1] - u[:, 0])
        near = np.flatnonzero(marginal > marginal.max() - _DEPTH)
        low, high = v[max(near[0] - 1, 0)], v[min(near[-1] + 1, len(v) - 1)]
    v = np.linspace(low, high, sizes[1])
    u, values = _along_u(density, v, u_range, sizes[0])
    mass = values + np.log(u[:, 1] - u[:, 0])[:, None] + np.log(v[1] - v[0])
    total = float(special.logsumexp(mass))
    return Grid(u, v[:, None], np.exp(mass - total), total)


def _along_u(
    density: Density, v: np.ndarray, u_range: tuple[float, float], size: int
) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full((len(v), 1), u_range[0]), np.full((len(v), 1), u_range[1])
    share = np.linspace(0.0, 1.0, 41)
    for _ in range(8):
        u = low + (high - low) * share
        values = density(u, v[:, None])
        before = high - low
        near = values > values.max(axis=1, keepdims=True) - _DEPTH
        first, last = near.argmax(axis=1), near.shape[1] - 1 - near[:, ::-1].argmax(axis=1)
        low = np.take_along_axis(u, np.maximum(first - 1, 0)[:, None], 1)
        high = np.take_along_axis(u, np.minimum(last + 1, near.shape[1] - 1)[:, None], 1)
        if np.all(high - low > 0.5 * before):
            break
    u = low + (high - low) * np.linspace(0.0, 1.0, size)
    return u, density(u, v[:, None])


def of_function(values: np.ndarray, grid: Grid) -> Reference:
    """Summary of a function of the hyperparameters from its values at the points or rows of a grid."""
    whole = np.broadcast_to(values, grid.u.shape)
    mean = float(np.sum(grid.weight * whole))
    spread = float(np.sqrt(np.sum(grid.weight * (whole - mean) ** 2)))
    steps = np.diff(whole, axis=1)
    if np.all(steps == 0.0):
        quantiles = _over_rows(whole[:, :1].T, grid.weight.sum(axis=1)[None])
    elif np.all(steps >= 0.0) or np.all(steps <= 0.0):
        quantiles = _over_rows(whole, grid.weight)
    else:
        # Rows overlap at random here, so that a step is a small part of a row.
        order = np.argsort(whole, axis=None)
        mass = grid.weight.ravel()[order]
        quantiles = np.interp(_PROBABILITIES, np.cumsum(mass) - 0.5 * mass, whole.ravel()[order])
    return Reference(mean, spread, *(float(value) for value in quantiles))


def _over_rows(values: np.ndarray, weight: np.ndarray) -> list[float]:
    """Quantiles of a mixture of rows along each of which the quantity is monotone and the weight smooth."""
    steps = np.arange(values.shape[1])
    masses = [interpolate.CubicSpline(steps, mass).antiderivative() for mass in weight]
    if values[0, -1] < values[0, 0]:
        masses = [lambda at, mass=mass: mass(steps[-1]) - mass(steps[-1] - at) for mass in masses]
        values = values[:, ::-1]

    def below(x: float) -> float:
        return sum(float(mass(_place(row, x))) for mass, row in zip(masses, values, strict=True))

    return [
        optimize.brentq(lambda x, p=p: below(x) - p, values.min(), values.max(), xtol=1e-9, rtol=1e-7)
        for p in _PROBABILITIES
    ]


def _place(row: np.ndarray, x: float) -> float:
    """Where x stands among the increasing values of a row, as an index with a fraction, by a quadratic."""
    at = float(np.interp(x, row, np.arange(len(row))))
    left = min(max(int(at), 1), len(row) - 2)
    before, middle, after = row[left - 1 : left + 2]
    if not before < middle < after or at in (0.0, len(row) - 1.0):
        return at
    slope, bend = (after - before) / 2.0, (after + before) / 2.0 - middle
    root = slope**2 + 4.0 * bend * (x - middle)
    found = left + 2.0 * (x - middle) / (slope + np.sqrt(max(root, 0.0)))
    return found if abs(found - at) < 0.5 else at


def of_mixture(
    mean: np.ndarray,
    square: np.ndarray,
    below: Callable[[float], np.ndarray],
    weight: np.ndarray,
    bracket: tuple[float, float],
) -> Reference:
    """Summary of a quantity with a distribution at each point: mean, mean square, distribution function."""
    first = float(weight @ mean)
    quantiles = [
        optimize.brentq(lambda x, p=p: float(weight @ below(x)) - p, *bracket, xtol=1e-12, rtol=1e-12)
        for p in _PROBABILITIES
    ]
    return Reference(first, float(np.sqrt(weight @ square - first**2)), *quantiles)


# Rates, beta-binomial: u = logit(mu), v = log(rho).


def beta_binomial(
    events: np.ndarray,
    evaluable: np.ndarray,
    *,
    mu: tuple[float, float] = (1.0, 1.0),
    rho: tuple[float, float] = (1.0, 4.0),
) -> Grid:
    """Posterior under Beta priors of mu and rho."""
    pairs, times = np.unique(np.stack([events, evaluable]), axis=1, return_counts=True)

    def density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        value = mu[0] * special.log_expit(u) + mu[1] * special.log_expit(-u) - special.betaln(*mu)
        value = value + rho[0] * v + (rho[1] - 1.0) * np.log1p(-np.exp(v)) - special.betaln(*rho)
        for y, n, count in zip(*pairs, times, strict=True):
            value = value + count * beta_binomial_log_pmf(y, n, u, v)
        return value

    return integrate(density, u_range=(-45.0, 45.0), v_range=(-30.0, -1e-9))


def beta_binomial_log_pmf(y: int, n: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Log probability of y of n at mu = expit(u), rho = exp(v); the binomial where rho is next to nothing."""
    rho = np.exp(v)
    kappa = (1.0 - rho) / np.maximum(rho, _NO_HETEROGENEITY)
    a, b = special.expit(u) * kappa, special.expit(-u) * kappa
    coefficient = -special.betaln(y + 1.0, n - y + 1.0) - np.log(n + 1.0)
    binomial = y * special.log_expit(u) + (n - y) * special.log_expit(-u)
    return coefficient + np.where(
        rho > _NO_HETEROGENEITY, _rising(a, y) + _rising(b, n - y) - _rising(a + b, n), binomial
    )


def _rising(a: np.ndarray, count: int) -> np.ndarray:
    """Log of a (a + 1) ... (a + count - 1)."""
    return special.gammaln(a + count) - special.gammaln(a) if count else np.zeros_like(a)


def beta_binomial_estimands(grid: Grid, events: np.ndarray, evaluable: np.ndarray) -> dict[str, Reference]:
    """All estimands of the beta-binomial, with the rates of the first three studies."""
    found = {"mean_rate": of_function(special.expit(grid.u), grid), "rho": of_function(np.exp(grid.v), grid)}
    a, b = _shapes(grid.u, grid.v)
    narrow = a + b > 1e8
    median = stats.beta.median(np.where(narrow, 1.0, a), np.where(narrow, 1.0, b))
    found["median_rate"] = of_function(np.where(narrow, special.expit(grid.u), median), grid)
    found["tau"] = of_function(np.sqrt(special.zeta(2.0, a) + special.zeta(2.0, b)), grid)
    u, v, weight = grid.points()
    a, b = _shapes(u, v)
    found["new_study_rate"] = _of_betas(a, b, weight)
    for index, (y, n) in enumerate(zip(events[:3], evaluable[:3], strict=True)):
        found[f"study_rate_{index}"] = _of_betas(a + y, b + (n - y), weight)
    return found


def _shapes(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kappa = -np.expm1(v) / np.exp(v)
    return special.expit(u) * kappa, special.expit(-u) * kappa


def _of_betas(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> Reference:
    mean = a / (a + b)
    return of_mixture(
        mean, mean * (a + 1.0) / (a + b + 1.0), lambda x: special.betainc(a, b, x), weight, (0.0, 1.0)
    )


# Effects with a normal distribution over studies: u = its mean, v = log(tau).


@dataclass(frozen=True)
class Piece:
    """A study's log likelihood of its effect on one interval, outside of which it is negligible."""

    value: Callable[[np.ndarray], np.ndarray]
    low: float
    high: float


Study = tuple[Piece, ...]


def binomial_study(y: int, n: int) -> Study:
    """y of n on the logit scale."""
    coefficient = -special.betaln(y + 1.0, n - y + 1.0) - np.log(n + 1.0)

    def value(theta: np.ndarray) -> np.ndarray:
        return coefficient + y * special.log_expit(theta) + (n - y) * special.log_expit(-theta)

    return (_piece(value, special.logit((y + 0.5) / (n + 1.0)), falls_left=y > 0, falls_right=y < n),)


def poisson_study(events: int, person_months: float) -> Study:
    """Events in person-months on the log hazard scale."""

    def value(theta: np.ndarray) -> np.ndarray:
        return (
            events * (theta + np.log(person_months))
            - person_months * np.exp(theta)
            - special.gammaln(events + 1.0)
        )

    return (_piece(value, np.log((events + 0.5) / person_months), falls_left=events > 0, falls_right=True),)


def landmark_study(events: float, person_months: float, months: float) -> Study:
    """Events among patients by a landmark, with the person-months of the others, on the log hazard scale."""
    patients = events + person_months / months
    coefficient = -special.betaln(events + 1.0, patients - events + 1.0) - np.log(patients + 1.0)

    def value(theta: np.ndarray) -> np.ndarray:
        survival = np.exp(-months * np.exp(theta))
        return coefficient + special.xlog1py(events, -survival) - person_months * np.exp(theta)

    guess = np.log(-np.log((person_months / months + 0.5) / (patients + 1.0)) / months)
    return (_piece(value, guess, falls_left=events > 0, falls_right=person_months > 0),)


def normal_study(estimate: float, below: float, above: float) -> Study:
    """An estimate with a standard error on each side, the density of a split normal in two pieces."""

    def side(scale: float) -> Callable[[np.ndarray], np.ndarray]:
        return lambda theta: (
            0.5 * np.log(2.0 / np.pi) - np.log(below + above) - 0.5 * ((theta - estimate) / scale) ** 2
        )

    return (
        Piece(side(below), estimate - 9.5 * below, estimate),
        Piece(side(above), estimate, estimate + 9.5 * above),
    )


def _piece(
    value: Callable[[np.ndarray], np.ndarray], guess: float, *, falls_left: bool, falls_right: bool
) -> Piece:
    top = value(guess)
    ends = [
        optimize.brentq(lambda x, s=sign: float(value(guess + s * np.exp(x)) - top + _FALL), -15.0, 6.5)
        if falls
        else np.inf
        for sign, falls in ((-1.0, falls_left), (1.0, falls_right))
    ]
    return Piece(value, guess - np.exp(ends[0]), guess + np.exp(ends[1]))


def moments(study: Study, centre: np.ndarray, tau: np.ndarray, *transforms: Callable) -> list[np.ndarray]:
    """Log of the marginal likelihood of a study, then the conditional mean of each transform of its effect.

    Parameters
    ----------
    study : tuple of Piece
    centre, tau : array, of one shape
    """
    logs, values = [], [[] for _ in transforms]
    for piece in study:
        low = np.maximum(piece.low, centre - 9.5 * tau)[..., None]
        high = np.minimum(piece.high, centre + 9.5 * tau)[..., None]
        empty = low >= high
        width = np.where(empty, 0.0, high - low)
        theta = np.where(empty, centre[..., None], low) + width * np.linspace(0.0, 1.0, _POINTS)
        # Simpson's rule, since a piece of a split normal ends at its peak.
        share = np.where(np.arange(_POINTS) % 2, 4.0, 2.0) / (3.0 * (_POINTS - 1))
        share[[0, -1]] /= 2.0
        height = (
            piece.value(theta)
            - 0.5 * ((theta - centre[..., None]) / tau[..., None]) ** 2
            - np.log(tau)[..., None]
            - 0.5 * np.log(2.0 * np.pi)
        )
        # Where the two intervals do not meet there is no mass; the value only has to lead the zoom to where
        # they do.
        logs.append(
            np.where(
                empty, -1e4 * (1.0 + low - high), height + np.log(share) + np.log(np.where(empty, 1.0, width))
            )
        )
        for kept, transform in zip(values, transforms, strict=True):
            kept.append(transform(theta))
    heights = np.concatenate(logs, axis=-1)
    top = heights.max(axis=-1, keepdims=True)
    mass = np.exp(heights - top)
    total = mass.sum(axis=-1)
    means = [(mass * np.concatenate(kept, axis=-1)).sum(axis=-1) / total for kept in values]
    return [top[..., 0] + np.log(total), *means]


def normal_effects(studies: list[Study], *, centre: tuple[float, float], tau: float) -> Grid:
    """Posterior under centre ~ Normal and tau ~ HalfNormal."""

    def density(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        value = stats.norm.logpdf(u, *centre) + stats.halfnorm.logpdf(np.exp(v), scale=tau) + v
        width = np.broadcast_to(np.exp(v), u.shape)
        for study in studies:
            value = value + moments(study, u, width)[0]
        return value

    return integrate(
        density,
        u_range=(centre[0] - 10.0 * centre[1], centre[0] + 10.0 * centre[1]),
        v_range=(-14.0, np.log(tau) + 2.0),
        sizes=(61, 81),
    )


def averages(
    transform: Callable[[np.ndarray], np.ndarray], u: np.ndarray, tau: np.ndarray
) -> list[np.ndarray]:
    """Mean and mean square of a transform of a new study's effect at each point, by a plain sum."""
    z = np.linspace(-10.0, 10.0, 401)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    centre, width = (np.array_split(part.ravel(), 40) for part in np.broadcast_arrays(u, tau))
    values = [transform(c[:, None] + t[:, None] * z) for c, t in zip(centre, width, strict=True)]
    return [np.concatenate([part**power @ weight for part in values]).reshape(u.shape) for power in (1, 2)]


def _of_new_study(grid: Grid, transform: Callable, inverse: Callable,
                  bounds: tuple[float, float] = (1e-12, 1.0 - 1e-12)) -> Reference:
    u, v, weight = grid.points()
    tau = np.exp(v)
    sign = 1.0 if transform(np.array(1.0)) > transform(np.array(0.0)) else -1.0
    return of_mixture(
        *averages(transform, u, tau),
        lambda x: special.ndtr(sign * (inverse(x) - u) / tau),
        weight,
        bounds,
    )


def logit_normal_estimands(grid: Grid, studies: list[Study]) -> dict[str, Reference]:
    """All estimands of the logit-normal, with m itself; the first three study_rate have only mean and SD."""
    tau = np.exp(grid.v)
    mean, square = averages(special.expit, grid.u, tau)
    found = {
        "m": of_function(grid.u, grid),
        "tau": of_function(tau, grid),
        "mean_rate": of_function(mean, grid),
        "median_rate": of_function(special.expit(grid.u), grid),
        "rho": of_function((square - mean**2) / (mean * (1.0 - mean)), grid),
        "new_study_rate": _of_new_study(grid, special.expit, special.logit),
    }
    return found | _study_moments(grid, studies, special.expit, "study_rate")


def log_hazard_estimands(grid: Grid, studies: list[Study], horizon: float) -> dict[str, Reference]:
    """All estimands of the log hazard model, with eta itself; names as in a fit."""
    eta, tau = grid.u, np.exp(grid.v)

    def survival(theta: np.ndarray) -> np.ndarray:
        return np.exp(-horizon * np.exp(np.minimum(theta, 600.0)))

    at = f"_{horizon:g}m"
    found = {
        "eta": of_function(eta, grid),
        "tau": of_function(tau, grid),
        "survival" + at: of_function(survival(eta), grid),
        "mean_survival" + at: of_function(averages(survival, eta, tau)[0], grid),
        "median_months": of_function(np.log(2.0) * np.exp(-eta), grid),
        # Survival falls as the log hazard rises, so its distribution function is that of minus the log
        # hazard.
        "new_study_survival" + at: _of_new_study(grid, survival, lambda x: np.log(-np.log(x) / horizon)),
    }
    # Events per 100 person-years; over studies the mean is that of a log-normal and heavy-tailed, so quantiles count.
    new = _of_new_study(grid, lambda theta: 1200.0 * np.exp(theta), lambda x: np.log(x / 1200.0), (1e-9, 1e9))
    found["hazard"] = of_function(1200.0 * np.exp(eta), grid)
    mean = of_function(1200.0 * np.exp(eta + tau**2 / 2.0), grid)
    found |= {name: Reference(np.nan, np.nan, row.lower, row.median, row.upper)
              for name, row in (("mean_hazard", mean), ("new_study_hazard", new))}
    for months in (12.0, 24.0):
        found[f"rmst_{months:g}m"] = of_function((1.0 - np.exp(-months * np.exp(eta))) / np.exp(eta), grid)
    found |= _study_moments(grid, studies, lambda theta: 1200.0 * np.exp(np.minimum(theta, 600.0)), "study_hazard")
    return found | _study_moments(grid, studies, survival, "study_survival" + at)


def _study_moments(grid: Grid, studies: list[Study], transform: Callable, name: str) -> dict[str, Reference]:
    found = {}
    u, v, weight = grid.points()
    for index, study in enumerate(studies[:3]):
        _, mean, square = moments(study, u, np.exp(v), transform, lambda theta: transform(theta) ** 2)
        first = float(weight @ mean)
        spread = float(np.sqrt(max(weight @ square - first**2, 0.0)))
        found[f"{name}_{index}"] = Reference(first, spread, np.nan, np.nan, np.nan)
    return found
