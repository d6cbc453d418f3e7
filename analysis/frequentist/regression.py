"""Regressions of study estimates on covariates, and on 1/sqrt(n): whether small studies tell another story.

    rates:       y_i ~ BetaBinomial(n_i, mu_i, rho),  logit mu_i = x_i b,   by maximum likelihood (or logit-normal)
    log hazards: l_i ~ Normal(x_i b, s_i^2 + tau^2),                        by restricted maximum likelihood

The size of a study is known without error and is no function of its outcome. Classical funnel tests regress on the
estimated standard error instead, which for a proportion is a function of the estimate itself: without any bias they
reject far more often than they should once the rate is near 0 or 1.

Standard errors of a maximum come from the inverse of the observed information in the coefficients and the logarithm
of the spread; where the spread is zero, on the boundary, from that in the coefficients alone.

References
----------
Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629, doi 10.1136/bmj.315.7109.629.
Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L. JAMA 2006;295:676, doi 10.1001/jama.295.6.676 (on 1/n).
Macaskill P, Walter SD, Irwig L. Stat Med 2001;20:641, doi 10.1002/sim.698 (on n, and the levels of such tests).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from analysis.frequentist.estimates import Estimates, log_hazards, logits
from analysis.frequentist.likelihood import RateLikelihood, beta_binomial_likelihood, profile
from analysis.frequentist.normal import restricted_log_likelihood
from models.studies import RateStudies, Studies

FEWEST = 5
"""Studies below which no regression is made: two coefficients and a spread need more than two further studies."""
_STEP = 1e-3  # of a standardised coefficient: a fourth-order error of 1e-6 and rounding of 1e-8
_NO_SPREAD = 1e-6
_FLAT = 1e3  # standard error of a slope per SD of the covariate, where rounding is all that curves the likelihood


class NoRegression(ValueError):
    """The regression cannot be made; the message says why."""


@dataclass(frozen=True)
class RegressionFit:
    """Coefficients on the logit scale with the heterogeneity that is left.

    Parameters
    ----------
    coefficients, standard_errors : array, shape (p,)
    spread : float
        tau, or theta = rho/(1 - rho); zero on the boundary.
    log_likelihood : float
    """

    coefficients: np.ndarray
    standard_errors: np.ndarray
    spread: float
    log_likelihood: float


@dataclass(frozen=True)
class Slope:
    """Change of the logit of the mean rate, or of the log hazard, per unit of 1/sqrt(n).

    Parameters
    ----------
    value, se : float
    k : int
        Studies.
    """

    value: float
    se: float
    k: int

    @property
    def two_sided(self) -> float:
        """P-value of no slope by the normal distribution: about level with ten studies, too small with five."""
        return float(2.0 * stats.norm.sf(abs(self.value) / self.se))

    @property
    def two_sided_t(self) -> float:
        """P-value of no slope by the t distribution with k - 2 degrees of freedom: too large rather than too small."""
        return float(2.0 * stats.t.sf(abs(self.value) / self.se, self.k - 2))

    @property
    def detectable(self) -> float:
        """Size of a slope that this standard error finds at the level 0.05 with a probability of 0.8."""
        return float(stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * self.se

    def limits(self, *, level: float) -> tuple[float, float]:
        """Wald confidence limits."""
        half = float(stats.norm.ppf(0.5 + level / 2.0)) * self.se
        return self.value - half, self.value + half


def slope_on_size(studies: Studies) -> Slope:
    """The regression on 1/sqrt(n).

    Raises
    ------
    NoRegression
        With fewer than five studies, with studies of one size, or where no maximum of the likelihood exists.
    """
    rates = isinstance(studies, RateStudies)
    patients = studies.evaluable if rates else studies.patients_each
    used = int(np.count_nonzero(patients))
    if used < FEWEST:
        raise NoRegression(f"{used} {'study' if used == 1 else 'studies'}, fewer than {FEWEST}")
    if len(patients) != used:
        raise NoRegression("a study has no patients")
    if np.ptp(patients) == 0:
        raise NoRegression("all studies have the same size")
    design = np.stack([np.ones(used), 1.0 / np.sqrt(patients)], axis=1)
    value, se = _slope_of_rates(studies, design) if rates else normal_slope(log_hazards(studies), design)
    if not (math.isfinite(value) and 0.0 < se * np.std(design[:, 1]) < _FLAT):
        raise NoRegression("the likelihood has no maximum with a curvature: large and small studies are separated")
    return Slope(value, se, used)


def _slope_of_rates(studies: RateStudies, design: np.ndarray) -> tuple[float, float]:
    try:
        with np.errstate(invalid="ignore"):
            fit = regress(beta_binomial_likelihood(studies, design=design))
    except np.linalg.LinAlgError as error:
        raise NoRegression("the likelihood is flat") from error
    except ValueError as error:
        raise NoRegression(str(error)) from error
    return float(fit.coefficients[1]), float(fit.standard_errors[1])


def normal_slope(estimates: Estimates, design: np.ndarray) -> tuple[float, float]:
    """Last coefficient of a random-effects regression and its standard error, tau^2 by restricted maximum likelihood.

    Parameters
    ----------
    design : array, shape (k, p)
    """
    y, v = estimates.values, estimates.variances
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 10.0, 400)]) * float(np.var(y) + v.max())
    best = int(np.argmax(restricted_log_likelihood(grid, estimates, design)))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    tau2 = optimize.minimize_scalar(
        lambda value: -float(restricted_log_likelihood(np.array([value]), estimates, design)[0]), bounds=around,
        method="bounded", options={"xatol": 1e-9 * around[1]}).x if best else 0.0
    weighted = design / (v + tau2)[:, None]
    covariance = np.linalg.inv(design.T @ weighted)
    return float((covariance @ (weighted.T @ y))[-1]), float(math.sqrt(covariance[-1, -1]))


def egger_two_sided(studies: Studies) -> float:
    """P-value of Egger's regression of estimates over standard errors on the inverse standard errors.

    It stands here to be compared with: on proportions it does not hold its level. NaN with fewer than three studies,
    or where all standard errors are equal.
    """
    estimates = logits(studies) if isinstance(studies, RateStudies) else log_hazards(studies)
    errors = np.sqrt(estimates.variances)
    if len(errors) < 3 or np.ptp(errors) == 0.0:
        return math.nan
    line = stats.linregress(1.0 / errors, estimates.values / errors)
    if line.intercept_stderr == 0.0:
        return math.nan
    return float(2.0 * stats.t.sf(abs(line.intercept / line.intercept_stderr), len(errors) - 2))


def regress(likelihood: RateLikelihood) -> RegressionFit:
    """Maximum-likelihood coefficients of the design in the likelihood.

    Raises
    ------
    ValueError
        When the design is collinear, or all patients have (or lack) the event, so that no maximum exists.
    """
    design = likelihood.design
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("the columns of the design are collinear: no coefficient is determined")
    events, patients = likelihood.events.sum(), likelihood.patients.sum()
    if events in (0, patients):
        raise ValueError(f"{events:.0f} of {patients:.0f} patients have the event: the likelihood has no maximum")
    # Orthogonal columns of unit spread make one step width fit all coefficients.
    basis, triangle = np.linalg.qr(design)
    scale = math.sqrt(len(design))
    basis, triangle = basis * scale, triangle / scale

    def value(beta: np.ndarray, spread: float) -> float:
        return float(likelihood.value(basis @ beta, np.array(spread)))

    def value_at(point: np.ndarray) -> float:
        """Log likelihood of coefficients and, behind them, the logarithm of the spread."""
        return value(point[:-1], math.exp(min(point[-1], 50.0)))

    beta, spread = _maximum(likelihood, basis, value, value_at)
    information = -_second_derivatives(value_at, np.append(beta, math.log(spread))) if spread > 0.0 else \
        -_second_derivatives(lambda point: value(point, 0.0), beta)
    back, size = np.linalg.inv(triangle), design.shape[1]
    variance = back @ np.linalg.inv(information)[:size, :size] @ back.T
    return RegressionFit(back @ beta, np.sqrt(np.diag(variance)), spread, value(beta, spread))


def _maximum(likelihood: RateLikelihood, basis: np.ndarray, value: Callable[[np.ndarray, float], float],
             value_at: Callable[[np.ndarray], float]) -> tuple[np.ndarray, float]:
    """Coefficients of the basis and the spread: by turns between both until nothing moves, then jointly."""
    observed = special.logit((likelihood.events + 0.5) / (likelihood.patients + 1.0))
    root = np.sqrt(likelihood.patients)
    beta, spread = np.linalg.lstsq(basis * root[:, None], observed * root, rcond=None)[0], 0.0
    for _ in range(3):
        spread = float(profile(lambda _, grid, at=beta: likelihood.value(basis @ at, grid), 0.0, likelihood.spreads)[0])
        beta = _minimum(lambda point, at=spread: -value(point, at), beta)
    if spread <= _NO_SPREAD:
        return _minimum(lambda point: -value(point, 0.0), beta), 0.0
    joint = _minimum(lambda point: -value_at(point), np.append(beta, math.log(spread)))
    return joint[:-1], math.exp(joint[-1])


def _minimum(function: Callable[[np.ndarray], float], start: np.ndarray) -> np.ndarray:
    rough = optimize.minimize(function, start, method="BFGS", options={"gtol": 1e-6}).x
    simplex = np.concatenate([rough[None], rough + 1e-3 * np.eye(len(rough))])
    return optimize.minimize(function, rough, method="Nelder-Mead", options={
        "xatol": 1e-8, "fatol": 1e-11, "maxiter": 4000, "initial_simplex": simplex}).x


def _second_derivatives(value: Callable[[np.ndarray], float], point: np.ndarray) -> np.ndarray:
    """Matrix of second derivatives by central differences."""
    steps = _STEP * np.eye(len(point))
    return np.array([[(value(point + a + b) - value(point + a - b) - value(point - a + b) + value(point - a - b))
                      / (4.0 * _STEP**2) for b in steps] for a in steps])
