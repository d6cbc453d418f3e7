"""Leave-one-out prediction without approximation: each study is masked in turn and the posterior solved anew.

The predictive density of a study given the others is the ratio of two evidences, p(y_i | y_-i) = p(y) / p(y_-i), so
that no importance sampling is needed. It is the marginal one: the study's own effect is integrated out, and the
question is how well a *new* study is predicted.

References
----------
Kullback S, Leibler RA. Ann Math Stat 1951;22:79, doi 10.1214/aoms/1177729694 (information).
Vehtari A, Gelman A, Gabry J. Stat Comput 2017;27:1413, doi 10.1007/s11222-016-9696-4 (elpd; its approximation).
Czado C, Gneiting T, Held L. Biometrics 2009;65:1254, doi 10.1111/j.1541-0420.2009.01191.x (PIT of counts, mid-p).
Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J. J Mach Learn Res 2024;25(72) (Pareto k).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.cases.case import Case
from analysis.inference.posterior import Posterior, posterior_of
from analysis.inference.prediction import NAMED_BELOW, events_of, two_sided
from models.integrals import NORMAL_NODES, NORMAL_WEIGHTS
from models.studies import HazardStudies, RateStudies, Studies

_PARETO_DRAWS = 4000
_known_pits: dict[tuple[object, ...], float] = {}


@dataclass(frozen=True)
class LeftOut:
    """One study predicted from the others.

    Parameters
    ----------
    index : int
    log_predictive : float
        Log predictive density of what the study reports (probability of its count; density of its log hazard).
    pit : float
        Predictive probability of less than what was reported, plus half the probability of just that (mid-p): of the
        count, or of survival.
    posterior : Posterior
        Without the study.
    """

    index: int
    log_predictive: float
    pit: float
    posterior: Posterior

    @property
    def tail(self) -> float:
        """Two-sided predictive probability of something at least as extreme: small is surprising."""
        return float(two_sided(self.pit))


def leave_one_out(case: Case) -> tuple[LeftOut, ...]:
    """Every study predicted from the others; with one study, from the prior alone.

    Raises
    ------
    QuadratureFailed
        When the sums of one posterior do not settle.
    """
    whole = posterior_of(case).log_evidence
    predictions = []
    for index in range(len(case.studies)):
        rest = posterior_of(case.but(studies=without(case.studies, index)))
        key = (*case.key, index)
        if key not in _known_pits:
            _known_pits[key] = pit(rest, case.studies.take([index]))
        predictions.append(LeftOut(index, whole - rest.log_evidence, _known_pits[key], rest))
    return tuple(predictions)


def without(studies: Studies, index: int) -> Studies:
    """All studies but one; without any study the posterior is the prior."""
    return studies.take(np.arange(len(studies)) != index)


def pit(posterior: Posterior, study: Studies) -> float:
    """Predictive mid-p of the one study: of its count, or of its survival, which is lower the higher its hazard."""
    if isinstance(study, RateStudies):
        return posterior.predict(int(study.evaluable[0])).pit(int(study.events[0]))
    return 1.0 - _pit_of_hazard(posterior, study)


def chance_named(posterior: Posterior, study: Studies) -> float:
    """Predictive probability that a study of this size is named: less than NAMED_BELOW for a count of few.

    A printed log hazard is continuous: exactly NAMED_BELOW. So is, nearly, a number of very many events.
    """
    if isinstance(study, RateStudies):
        return posterior.predict(int(study.evaluable[0])).chance_named
    if study.is_landmark[0]:
        months = float(study.landmark_months[0])
        return posterior.predict(max(round(study.events[0] + study.person_months[0] / months), 1), months).chance_named
    if study.is_poisson[0]:
        law = events_of(posterior.grid, float(study.person_months[0]))
        return law.chance_named if law.probabilities[-1] < NAMED_BELOW / 2.0 else NAMED_BELOW
    return NAMED_BELOW


def information(whole: Posterior, log_predictive: np.ndarray) -> np.ndarray:
    """Bits learned about the hyperparameters from each study when it comes last, shape (k,).

    The Kullback-Leibler divergence of the posterior with the study from the one without it is
    E[log p(y_i | hyperparameters)] - log p(y_i | others), the mean taken over the posterior with all studies.

    Parameters
    ----------
    whole : Posterior
        With all studies.
    log_predictive : array, shape (k,)
    """
    case, grid = whole.case, whole.grid
    weights = grid.weights.ravel()
    kept = weights > 0.0
    each = case.model.marginal.log_likelihood({name: value[kept] for name, value in grid.values.items()}, case.studies)
    # Where a weight is just above zero the likelihood may be minus infinity; it adds nothing.
    mean = weights[kept] @ np.where(np.isfinite(each), each, 0.0)
    return np.maximum(mean - log_predictive, 0.0) / np.log(2.0)


def pareto_k(whole: Posterior, *, seed: int) -> np.ndarray:
    """Pareto k of importance sampling for each study left out, from the marginal likelihood; shape (k,).

    The study's own effect is integrated out. On the conditional likelihood k exceeds 0.7 as a rule, and answers
    whether a study with a known effect can be left out. NaN for a study alone, whose posterior is all its own.
    """
    from arviz_stats.base import array_stats

    studies = whole.case.studies
    if len(studies) == 1:
        return np.full(1, np.nan)
    draws = whole.draw(_PARETO_DRAWS, np.random.default_rng(seed))
    each = whole.case.model.marginal.log_likelihood(draws, studies)
    return np.array([float(array_stats.psislw(column)[1]) for column in each.T])


def _pit_of_hazard(posterior: Posterior, study: HazardStudies) -> float:
    """An estimate with its own errors: split normal about a normally distributed log hazard; counts by their sums."""
    values, weights = posterior.points
    location, tau = (values[name] for name in posterior.case.model.priors)
    # Of many precise studies the law is a step from node to node: an even rule with small steps smooths it.
    theta = location[:, None] + tau[:, None] * NORMAL_NODES
    if study.is_poisson[0]:
        expected = study.person_months[0] * np.exp(np.minimum(theta, 300.0))
        d = study.events[0]
        below = special.pdtr(d - 1.0, expected) if d > 0 else np.zeros_like(expected)
        inside = below + 0.5 * (special.pdtr(d, expected) - below)
    elif study.is_landmark[0]:
        inside = _mid_p_of_landmark(study, theta)
    else:
        inside = _split_normal_cdf(study.log_hazard[0] - theta, study.se_lower[0], study.se_upper[0])
    return float(np.clip(weights @ (inside @ NORMAL_WEIGHTS), 0.0, 1.0))


def _mid_p_of_landmark(study: HazardStudies, theta: np.ndarray) -> np.ndarray:
    """Probability of fewer events by the landmark, plus half that of just as many, at log hazards theta."""
    d, months = study.events[0], study.landmark_months[0]
    rest, survival = study.person_months[0] / months, np.exp(-months * np.exp(np.minimum(theta, 300.0)))
    # The incomplete beta function is the binomial distribution function for effective numbers that are not whole, too.
    most = special.betainc(rest, d + 1.0, survival) if rest > 0 else np.ones_like(survival)
    below = special.betainc(rest + 1.0, d, survival) if d > 0 else np.zeros_like(survival)
    return 0.5 * (below + most)


def _split_normal_cdf(distance: np.ndarray, below: float, above: float) -> np.ndarray:
    """Probability that an estimate is at most theta + distance.

    The likelihood has the error `below` where theta lies below the estimate; as a law of the estimate given theta
    that is the error above theta.
    """
    total = below + above
    left = 2.0 * above / total * special.ndtr(distance / above)
    right = 1.0 - 2.0 * below / total * special.ndtr(-distance / below)
    return np.where(distance < 0.0, left, right)
