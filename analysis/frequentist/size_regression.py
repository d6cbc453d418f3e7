"""Regressions of study estimates on 1/sqrt(n): whether small studies tell another story than large ones.

The size of a study is known without error and is no function of its outcome. Classical funnel tests regress on the
estimated standard error instead, which for a proportion is a function of the estimate itself: without any bias they
reject far more often than they should once the rate is near 0 or 1.

    rates:       y_i ~ BetaBinomial(n_i, mu_i, rho),  logit mu_i = a + b/sqrt(n_i),  by maximum likelihood
    log hazards: l_i ~ Normal(a + b/sqrt(n_i), s_i^2 + tau^2),                       by restricted maximum likelihood

References
----------
Egger M, Davey Smith G, Schneider M, Minder C. BMJ 1997;315:629, doi 10.1136/bmj.315.7109.629.
Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L. JAMA 2006;295:676, doi 10.1001/jama.295.6.676 (on 1/n).
Macaskill P, Walter SD, Irwig L. Stat Med 2001;20:641, doi 10.1002/sim.698 (on n, and the levels of such tests).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.frequentist.estimates import Estimates, log_hazards, logits
from analysis.frequentist.likelihoods import beta_binomial_likelihood
from analysis.frequentist.regression import regress
from models.studies import HazardStudies, RateStudies, Studies

FEWEST = 5
"""Studies below which no regression is made: two coefficients and a spread need more than two further studies."""


class NoRegression(ValueError):
    """The regression cannot be made; the message says why."""


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
    patients = studies.evaluable if isinstance(studies, RateStudies) else studies.patients_each
    used = int(np.count_nonzero(patients))
    if used < FEWEST:
        raise NoRegression(f"{used} {'study' if used == 1 else 'studies'}, fewer than {FEWEST}")
    if len(patients) != used:
        raise NoRegression("a study has no patients")
    if np.ptp(patients) == 0:
        raise NoRegression("all studies have the same size")
    design = np.stack([np.ones(len(patients)), 1.0 / np.sqrt(patients)], axis=1)
    found = _of_hazards(studies, design) if isinstance(studies, HazardStudies) else _of_rates(studies, design)
    if not (math.isfinite(found[0]) and math.isfinite(found[1]) and found[1] > 0.0):
        raise NoRegression("the likelihood has no maximum with a curvature: large and small studies are separated")
    value, se = found
    return Slope(value, se, used)


def _of_rates(studies: RateStudies, design: np.ndarray) -> tuple[float, float]:
    try:
        with np.errstate(invalid="ignore"):
            found = regress(beta_binomial_likelihood(studies, design=design))
    except np.linalg.LinAlgError as error:
        raise NoRegression("the likelihood is flat") from error
    except ValueError as error:
        raise NoRegression(str(error)) from error
    return float(found.coefficients[1]), float(found.standard_errors[1])


def _of_hazards(studies: HazardStudies, design: np.ndarray) -> tuple[float, float]:
    return normal_slope(log_hazards(studies), design)


def normal_slope(estimates: Estimates, design: np.ndarray) -> tuple[float, float]:
    """Last coefficient of a random-effects regression and its standard error, tau^2 by restricted maximum likelihood.

    Parameters
    ----------
    design : array, shape (k, p)
    """
    y, v = estimates.values, estimates.variances
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 10.0, 400)]) * float(np.var(y) + v.max())
    tau2 = grid[int(np.argmax([_restricted(value, y, v, design) for value in grid]))]
    weighted = design / (v + tau2)[:, None]
    covariance = np.linalg.inv(design.T @ weighted)
    return float((covariance @ (weighted.T @ y))[-1]), float(math.sqrt(covariance[-1, -1]))


def _restricted(tau2: float, y: np.ndarray, v: np.ndarray, design: np.ndarray) -> float:
    """Restricted log likelihood of tau^2, without its constant."""
    weight = 1.0 / (v + tau2)
    information = design.T @ (design * weight[:, None])
    rest = y - design @ np.linalg.solve(information, design.T @ (weight * y))
    return 0.5 * float(np.sum(np.log(weight)) - np.linalg.slogdet(information)[1] - weight @ rest**2)


def egger_two_sided(studies: Studies) -> float:
    """P-value of Egger's regression of estimates over standard errors on the inverse standard errors.

    It stands here to be compared with: on proportions it does not hold its level. NaN with fewer than three studies,
    or where all standard errors are equal.
    """
    estimates = logits(studies) if isinstance(studies, RateStudies) else log_hazards(studies)
    errors = np.sqrt(estimates.variances)
    if len(errors) < 3 or np.ptp(errors) == 0.0:
        return math.nan
    found = stats.linregress(1.0 / errors, estimates.values / errors)
    if found.intercept_stderr == 0.0:
        return math.nan
    return float(2.0 * stats.t.sf(abs(found.intercept / found.intercept_stderr), len(errors) - 2))
