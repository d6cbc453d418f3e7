"""Exact interval for the mean rate of a beta-binomial model, after Gronsbell et al.: ours, not their program.

    y_i ~ BetaBinomial(n_i, mu, rho)

A Monte-Carlo test of mu is inverted. Its statistic compares a moment estimator with mu,

    T = (mu-hat - mu)^2 / SE^2,    SE^2 = mu (1 - mu) / sum_i w_i,    w_i = n_i / (1 + (n_i - 1) rho-hat),

where mu-hat = sum w_i p_i / sum w_i and rho-hat is the moment estimator from the sum of squares between studies, cut
to [0, 1]. The p-value of mu is the largest over rho, from none to all of the range. Two steps keep that useful:

- a pair (mu, rho) is excluded where the data are less like it than all but a share `SPENT` of its own data sets, by
  one of two measures that share `SPENT`: their probability, and its ratio to that under one common rate (low where
  the studies are too much alike). T is then tested at 1 - level - SPENT, so that the level holds. Without this, rho
  near 1, where each study shows all or nothing, is never ruled out, and the upper limit of a high rate is always 1.
  Above a level of 95 % a tenth of 1 - level is spent: `SPENT` would use up all of it;
- where all patients of all studies have (or lack) the event, nothing is known about rho and rho-hat is 1.

The simulated counts are those of the same uniform numbers for every mu and rho, so that the p-value is smooth. Each
study's uniform numbers are a Latin-hypercube sample, which leaves less noise than independent ones.

References
----------
Gronsbell J, Hong C, Nie L, Lu Y, Tian L. Stat Med 2020;39:252, doi 10.1002/sim.8396.
Kleinman JC. J Am Stat Assoc 1973;68:46, doi 10.1080/01621459.1973.10481332 (moment estimators).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from analysis.frequentist.interval import Limits
from models.beta_binomial import count_log_probabilities
from models.studies import RateStudies
from models.sums import log_binomial

SPENT = 0.005
DRAWS = 4_000
RHO = np.array([0.0, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9, 1.0])
ONE_STUDY = "one study: heterogeneity is not identified and taken as none"
_ELEMENTS, _FEWEST_DRAWS = 400_000, 1_000
_SCAN, _WIDTH = 24, 2e-4
_SCREENED, _BEYOND = 1_000, 40  # draws that a scan looks at first, and how many of them the test leaves out at least
_ANY = 1e-6  # less than the share of one draw
_TIE = 1e-9  # counts that give the same statistic differ by rounding only


@dataclass(frozen=True)
class _Test:
    """Observed counts of r sets, shape (r, k), sizes, shape (k,), and the uniform numbers of the simulation.

    `uniform` (s, k) holds each study's sorted numbers in a column, `order` (s, k) the place of each draw in them.
    `coefficients` are the logs of the binomial coefficients of each study's counts 0..n, one study after the other,
    and study i's begin at `starts[i]`.
    """

    events: np.ndarray
    sizes: np.ndarray
    uniform: np.ndarray
    order: np.ndarray
    coefficients: np.ndarray
    starts: np.ndarray
    rhos: np.ndarray
    spent: float


def exact_interval(studies: RateStudies, *, level: float, seed: int, draws: int = DRAWS) -> Limits:
    """Mean rate (moment estimator) with its exact limits on the probability scale; heterogeneity is rho-hat.

    Parameters
    ----------
    studies : RateStudies
    level : float
    seed : int
        The same seed gives the same limits.
    draws : int
        Simulated data sets for each mu and rho; fewer where there are very many studies.
    """
    test = _prepared(studies.events[None], studies.evaluable, level=level, seed=seed, draws=draws)
    (mean,), (rho,), _ = _moments(test.events, test.sizes)
    least = 1.0 - level - test.spent
    # Fewer draws and rhos exclude what is far off only: a pair that no draw is as unlike as.
    step = max(1, min(len(test.order) // _SCREENED, int(len(test.order) * least / _BEYOND)))
    quick = replace(test, order=test.order[::step], rhos=test.rhos[::2], spent=min(test.spent, _ANY))

    def accepts(mu: float) -> bool:
        return bool(_largest(test, mu, stop=least)[0] > least)

    def may_accept(mu: float) -> bool:
        return bool(_largest(quick, mu, stop=least / 2.0)[0] > least / 2.0)

    lower, upper = (_limit(accepts, may_accept, float(mean), end) for end in (0.0, 1.0))
    alone = len(test.sizes) == 1
    return Limits(float(mean), lower, upper, math.nan if alone else float(rho), ONE_STUDY if alone else "")


def accepted(events: np.ndarray, evaluable: np.ndarray, means: Sequence[float], *, level: float, seed: int,
             draws: int = DRAWS) -> np.ndarray:
    """Which of the means in (0, 1) lie in the interval of each of r sets of k studies; bool, shape (r, means).

    Parameters
    ----------
    events : int array, shape (r, k)
    evaluable : int array, shape (k,)
        The same for all sets, which share the simulated law.
    """
    test = _prepared(events, evaluable, level=level, seed=seed, draws=draws)
    least = 1.0 - level - test.spent
    return np.stack([_largest(test, mean, stop=least) > least for mean in means], axis=1)


def _prepared(events: np.ndarray, evaluable: np.ndarray, *, level: float, seed: int, draws: int) -> _Test:
    kept = evaluable > 0
    k = int(kept.sum())
    count = min(draws, max(_FEWEST_DRAWS, _ELEMENTS // max(k, 1)))
    rng = np.random.default_rng(seed)
    uniform = (np.arange(count)[:, None] + rng.random((count, k))) / count
    order = rng.permuted(np.tile(np.arange(count)[:, None], (1, k)), axis=0)
    events, sizes = events[:, kept], evaluable[kept]
    coefficients = np.concatenate([log_binomial(n, np.arange(n + 1)) for n in sizes])
    rhos, spent = (RHO[:1], 0.0) if k == 1 else (RHO, min(SPENT, (1.0 - level) / 10.0))
    return _Test(events, sizes, uniform, order, coefficients, np.cumsum(sizes + 1) - sizes - 1, rhos, spent)


def _largest(test: _Test, mu: float, *, stop: float) -> np.ndarray:
    """p-value of mu by each set, maximised over rho, shape (r,); the search ends once all exceed `stop`."""
    if not 0.0 < mu < 1.0:
        return np.where(test.events.sum(axis=1) == mu * test.sizes.sum(), 1.0, 0.0)
    mean, dispersion, total = _moments(test.events, test.sizes)
    observed = (mean - mu) ** 2 * total
    largest = np.zeros(len(observed))
    # The values near the estimate have the largest p-values as a rule, which ends the search of an accepted mu.
    for rho in test.rhos[np.argsort(np.abs(test.rhos - np.median(dispersion)), kind="stable")]:
        log_pmf = log_probabilities(test.sizes, mu, rho)
        counts = simulated(log_pmf, test.uniform, test.order)
        unlikely = [_share_below(drawn, own + _TIE) for drawn, own in
                    zip(_likeness(test, counts, log_pmf), _likeness(test, test.events, log_pmf), strict=True)]
        likely = np.minimum(*unlikely) >= test.spent / 2.0
        if not likely.any():
            continue
        means, _, totals = _moments(counts, test.sizes)
        p = _share_below(-((means - mu) ** 2) * totals, -observed * (1.0 - _TIE))
        largest = np.maximum(largest, np.where(likely, p, 0.0))
        if largest.min() > stop:
            break
    return largest


def _share_below(drawn: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Share of the drawn numbers that are at most each value; sorting them pays for many values only."""
    if len(values) == 1:
        return np.mean(drawn <= values, keepdims=True)
    return np.searchsorted(np.sort(drawn), values, side="right") / len(drawn)


def log_probabilities(sizes: np.ndarray, mu: float, rho: float) -> list[np.ndarray]:
    """Log probability of each count from 0 to n, shape (n + 1,) for each size n."""
    return [table[:, 0] for table in count_log_probabilities({"mu": np.array([mu]), "rho": np.array([rho])}, sizes)]


def simulated(log_pmf: Sequence[np.ndarray], uniform: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Counts at the given quantiles, int, shape (s, k): the inverse distribution function.

    Parameters
    ----------
    log_pmf : sequence of array
        From `log_probabilities`, of k studies.
    uniform, order : array, shape (s, k)
        Sorted numbers of each study, and for each draw the place of its own among them.
    """
    # Sums over studies are fast where the draws of a study lie side by side.
    counts = np.empty(order.shape, dtype=np.int64, order="F")
    for study, table in enumerate(log_pmf):
        begins = np.searchsorted(uniform[:, study], np.cumsum(np.exp(table))[:-1])
        at_sorted = np.cumsum(np.bincount(begins, minlength=len(uniform)))
        counts[:, study] = at_sorted[order[:, study]]
    return counts


def _likeness(test: _Test, counts: np.ndarray, log_pmf: Sequence[np.ndarray]) -> np.ndarray:
    """Two measures of how well (mu, rho) fits, low where it does not; shape (2, s).

    The log probability of the counts, and the log likelihood minus the largest one of a common rate.
    """
    patients, place = test.sizes.sum(), test.starts + counts
    rate = counts.sum(axis=1) / patients
    common = patients * (special.xlogy(rate, rate) + special.xlog1py(1.0 - rate, -rate))
    log_probability = np.concatenate(log_pmf)[place].sum(axis=1)
    return np.stack([log_probability, log_probability - test.coefficients[place].sum(axis=1) - common])


def _moments(counts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Moment estimators of the mean and of rho, and the sum of the weights n/(1 + (n - 1) rho); shape (s,) each."""
    patients = sizes.sum()
    crude = counts.sum(axis=1) / patients
    # Between-study squares: sum n (p - crude)^2.
    squares = np.maximum(counts**2 @ (1.0 / sizes) - patients * crude**2, 0.0)
    share = 1.0 - sizes / patients
    slope = float(share @ (sizes - 1.0))
    variance = crude * (1.0 - crude)
    unlike = (variance > 0.0) & (slope > 0.0)
    ratio = squares / np.where(unlike, variance, 1.0)
    rho = np.clip((ratio - share.sum()) / (slope if slope > 0.0 else 1.0), 0.0, 1.0)
    # Nothing is learnt about rho from patients who are all alike; patients one to a study cannot be correlated.
    rho = np.where(unlike, rho, 1.0 if slope > 0.0 else 0.0)
    weight = sizes / (1.0 + (sizes - 1.0) * rho[:, None])
    total = weight.sum(axis=1)
    return (weight * (counts / sizes)).sum(axis=1) / total, rho, total


def _limit(accepts: Callable[[float], bool], may_accept: Callable[[float], bool], centre: float, end: float) -> float:
    """Farthest accepted mean from the centre towards 0 or 1: a coarse scan of the whole side, then halving.

    Most of the side is far from what is accepted, which `may_accept` tells in less time.
    What is halved is a yes or no with the noise of a simulation: no root of a function.
    """
    if centre == end:
        return end
    logit = special.logit(np.clip([centre, end], 1e-6, 1.0 - 1e-6))
    scan = [centre, *special.expit(np.linspace(*logit, _SCAN + 1))[1:].tolist(), end]
    farthest = next(at for at in range(_SCAN, -1, -1) if at == 0 or (may_accept(scan[at]) and accepts(scan[at])))
    inside, outside = scan[farthest:farthest + 2]
    while abs(outside - inside) > _WIDTH * min(1.0, 4.0 * min(outside, 1.0 - outside) + 0.1):
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if accepts(middle) else (inside, middle)
    return inside
