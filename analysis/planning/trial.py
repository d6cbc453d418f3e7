"""How a single-arm trial of n patients fares under a decision rule: everything by enumeration of its counts.

The trial succeeds where the posterior probability that its rate lies beyond a threshold, on the side that is good for
patients, is at least the confidence asked for. Survival at a time is the rate of patients without the event then, who
are counted as if nobody were lost before.

References
----------
O'Hagan A, Stevens JW, Campbell MJ. Pharm Stat 2005;4:187, doi 10.1002/pst.175 (assurance).
Lee JJ, Liu DD. Clin Trials 2008;5:93, doi 10.1177/1740774508089279 (predictive probability at an interim look).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from analysis.planning.mixtures import Mixture, cells_of
from analysis.planning.settings import MOST_PATIENTS

_CELLS = 600


@dataclass(frozen=True, eq=False)
class Rule:
    """When a trial succeeds.

    Parameters
    ----------
    prior : Mixture
        Of the analysis.
    threshold : float
        A rate, or survival.
    confidence : float
        Least posterior probability beyond the threshold.
    above : bool
        Whether beyond is above it: more patients are better.
    """

    prior: Mixture
    threshold: float
    confidence: float
    above: bool = True

    def chances(self, n: int) -> np.ndarray:
        """Posterior probability beyond the threshold for each count, shape (n + 1,)."""
        at_most = _posterior_cdf(self.prior, n, self.threshold)
        return 1.0 - at_most if self.above else at_most

    def succeeds(self, n: int) -> np.ndarray:
        """Whether each count of n patients is a success; bool array, shape (n + 1,)."""
        return self.chances(n) >= self.confidence

    def bound(self, n: int) -> int | None:
        """The smallest count of a success, or the largest where fewer are better; None where none is."""
        counts = np.flatnonzero(self.succeeds(n))
        return None if not len(counts) else int(counts[0] if self.above else counts[-1])


def counts_under(prior: Mixture, n: int) -> np.ndarray:
    """Probability of each count of n patients before any is seen, shape (n + 1,)."""
    if prior.family == "beta":
        return stats.betabinom.pmf(np.arange(n + 1)[:, None], n, prior.first, prior.second) @ prior.weights
    hazards, mass = _hazards(prior)
    return np.exp(_log_survivors(n, hazards)) @ mass


def success(rule: Rule, n: int, rates: Sequence[float]) -> np.ndarray:
    """Probability of success where the true rate is each of these."""
    return rule.succeeds(n) @ stats.binom.pmf(np.arange(n + 1)[:, None], n, np.asarray(rates, dtype=float))


def assurance(rule: Rule, n: int, design: Mixture) -> float:
    """Probability of success averaged over what the trial's rate may be."""
    return float(rule.succeeds(n) @ counts_under(design, n))


def size_for(rule: Rule, design: Mixture, target: float, *, most: int = MOST_PATIENTS) -> int | None:
    """The smallest trial from which on, up to `most` patients, assurance stays at the target; None where there is none.

    Assurance is a saw of n, so that a single size that reaches the target may be followed by ones that do not.
    """
    last_short = max((n for n in range(1, most + 1) if assurance(rule, n, design) < target), default=0)
    return last_short + 1 if last_short < most else None


@dataclass(frozen=True, eq=False)
class Interim:
    """A look after m of n patients, which ends a trial whose success has become too unlikely.

    Parameters
    ----------
    predictive : array, shape (m + 1,)
        Probability of success at the end for each count at the look, under the prior of the analysis.
    stops : bool array, shape (m + 1,)
    """

    m: int
    n: int
    predictive: np.ndarray
    stops: np.ndarray

    def chances(self, rule: Rule, rate: float) -> tuple[float, float, float]:
        """Probability of stopping and of success, and the expected number of patients, where this is the true rate."""
        first = stats.binom.pmf(np.arange(self.m + 1), self.m, rate)
        later = stats.binom.pmf(np.arange(self.n - self.m + 1), self.n - self.m, rate)
        wins = _windows(rule.succeeds(self.n), self.m) @ later
        stopped = float(first @ self.stops)
        return stopped, float(first @ (wins * ~self.stops)), self.n - stopped * (self.n - self.m)


def interim(rule: Rule, m: int, n: int, futility: float) -> Interim:
    """The look that stops where the predictive probability of success is below `futility`."""
    predictive = (_windows(rule.succeeds(n), m) * _later(rule.prior, m, n - m)).sum(axis=1)
    return Interim(m, n, predictive, predictive < futility)


def _windows(succeeds: np.ndarray, m: int) -> np.ndarray:
    """Whether y events at the look and z later ones are a success; shape (m + 1, n - m + 1)."""
    return np.lib.stride_tricks.sliding_window_view(succeeds, len(succeeds) - m)


def _later(prior: Mixture, m: int, more: int) -> np.ndarray:
    """Probability of each count of `more` patients after each count of m; shape (m + 1, more + 1)."""
    if prior.family == "beta":
        late = np.arange(more + 1)[:, None]
        weights, a, b = _updated(prior, m)
        return (weights[:, None] * stats.betabinom.pmf(late, more, a[:, None], b[:, None])).sum(axis=-1)
    hazards, weights = _reweighted(prior, m)
    return weights @ np.exp(_log_survivors(more, hazards)).T


def _hazards(prior: Mixture) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazards of cells with their probabilities, of a prior on the log cumulative hazard."""
    x, mass = cells_of(prior, _CELLS)
    return np.exp(x), mass


def _log_survivors(n: int, hazards: np.ndarray) -> np.ndarray:
    """Log probability of each count of survivors among n at each cumulative hazard, shape (n + 1, C).

    From the log of survival, which scipy's binomial law does not take: it overflows where nobody survives.
    """
    y = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
    return ways[:, None] - np.outer(y, hazards) + np.outer(n - y, np.log(-np.expm1(-hazards)))


def _reweighted(prior: Mixture, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazards of cells, shape (C,), with their probabilities after each count, shape (n + 1, C)."""
    hazards, mass = _hazards(prior)
    logs = _log_survivors(n, hazards)
    joint = np.exp(logs - logs.max(axis=1, keepdims=True)) * mass
    return hazards, joint / joint.sum(axis=1, keepdims=True)


def _posterior_cdf(prior: Mixture, n: int, threshold: float) -> np.ndarray:
    """Posterior probability of at most the threshold after each count, shape (n + 1,)."""
    if prior.family == "beta":
        weights, a, b = _updated(prior, n)
        return (weights * special.betainc(a, b, threshold)).sum(axis=1)
    hazards, weights = _reweighted(prior, n)
    x = np.log(hazards)
    # The threshold lies within a cell, of which the part above it counts.
    return weights @ np.clip((x - np.log(-np.log(threshold))) / (x[1] - x[0]) + 0.5, 0.0, 1.0)


def _updated(prior: Mixture, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights and parameters of a mixture of betas after each count of n patients, shape (n + 1, K) each."""
    y = np.arange(n + 1)[:, None]
    a, b = prior.first + y, prior.second + n - y
    weights = special.softmax(np.log(prior.weights) + special.betaln(a, b)
                              - special.betaln(prior.first, prior.second), axis=1)
    return weights, a, b
