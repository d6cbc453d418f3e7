"""Counts of several studies together: the exact distribution of their sum, and ways to spread a sum over them.

With known sizes n_1..n_m and given (mu, rho) the unreported studies are independent, so that

    P(Y_1 + ... + Y_m = t) = sum over y_1 + ... + y_m = t of prod_i BetaBinomial(y_i; n_i, mu, rho).

All terms are positive, so plain sums of products keep every digit until they underflow. Where the result is too
small for that, next to mu = 0 or 1 far from the data, it is formed again from logarithms.
"""

from collections.abc import Iterator, Sequence
from functools import partial, reduce

import numpy as np

from analysis.inference.posterior import Posterior
from analysis.inference.prediction import CountLaw
from models.beta_binomial import count_log_probabilities
from models.model import Draws

MOST_PATIENTS = 600
"""Unreported patients beyond which sums are not formed: the work is quadratic in them, a second or two here."""

# Terms that underflow (below 1e-308) cannot add a digit to a sum above this.
_SAFE = 1e-200
_BATCH = 512  # points for which the tables of a few hundred patients stay in a processor's cache
_NOBODY = (0, 0)  # two studies of nobody, so that each half of the studies has one


def impossible(total: int, sizes: Sequence[int]) -> str:
    """Why no counts of studies of these sizes add up to the total; empty where some do."""
    if total < 0:
        return f"the known studies alone have {-total} more events than the published total"
    if total > sum(sizes):
        return f"{total} events are left for {sum(sizes)} patients of the unreported studies"
    return ""


def sum_log_probability(draws: Draws, sizes: Sequence[int], *, total: int) -> np.ndarray:
    """Log probability that the studies have `total` events together, shape (s,).

    Parameters
    ----------
    draws : mapping of str to array, shape (s,)
        mu and rho.
    sizes : sequence of int
        Patients of each unreported study.
    total : int
        Their events together, a possible number of them.
    """
    return np.concatenate([_log_probability(batch, sizes, total) for batch in _batches(draws)])


def sum_probabilities(draws: Draws, sizes: Sequence[int]) -> np.ndarray:
    """Probability of each total from 0 to the number of patients N; shape (N + 1, s)."""
    convolved = partial(_convolved, most=sum(sizes))
    return np.concatenate([reduce(convolved, map(np.exp, count_log_probabilities(batch, (*_NOBODY, *sorted(sizes)))))
                           for batch in _batches(draws)], axis=1)


def predictive(posterior: Posterior, sizes: Sequence[int]) -> CountLaw:
    """The posterior predictive law of the total of further studies of these sizes."""
    values, weights = posterior.points
    return CountLaw(sum_probabilities(values, sizes) @ weights)


def tail_probabilities(probabilities: np.ndarray, total: int) -> dict[str, float]:
    """How surprising a total is under a predictive distribution: P(T = t), the mid-p of T <= t, and both tails."""
    mid_p = float(probabilities[:total].sum() + 0.5 * probabilities[total])
    above = float(probabilities[total + 1:].sum() + 0.5 * probabilities[total])
    return {"probability": float(probabilities[total]), "mid_p": mid_p, "two_sided": 2.0 * min(mid_p, above)}


def in_proportion(total: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """The most even split: shares in proportion to the sizes, whole numbers by largest remainder.

    Parameters
    ----------
    total : int
        0 to the sum of the sizes.
    sizes : sequence of int
        Patients of each study; no share exceeds its own.
    """
    patients = max(sum(sizes), 1)
    shares = [total * size // patients for size in sizes]
    order = sorted(range(len(sizes)), key=lambda at: (-(total * sizes[at] % patients), at))
    for at in order[:total - sum(shares)]:
        shares[at] += 1
    return tuple(shares)


def filled(total: int, sizes: Sequence[int], *, largest_first: bool) -> tuple[int, ...]:
    """A most uneven split: study after study has the event in all its patients until none is left.

    All studies but one are then at 0 or at all. With the largest first the unweighted mean of the study rates is the
    smallest that any split has, with the smallest first the largest.
    """
    shares = [0] * len(sizes)
    for at in sorted(range(len(sizes)), key=lambda at: sizes[at], reverse=largest_first):
        shares[at] = min(sizes[at], total)
        total -= shares[at]
    return tuple(shares)


def _batches(draws: Draws) -> Iterator[dict[str, np.ndarray]]:
    for at in range(0, max(len(draws["mu"]), 1), _BATCH):
        yield {name: draws[name][at:at + _BATCH] for name in ("mu", "rho")}


def _log_probability(draws: Draws, sizes: Sequence[int], total: int) -> np.ndarray:
    logs = count_log_probabilities(draws, (*_NOBODY, *sorted(sizes)))
    if 2 * total > sum(sizes):
        # Fewer partial sums matter when those without the event are counted.
        logs, total = [table[::-1] for table in logs], sum(sizes) - total
    plain = _at_total([np.exp(table) for table in logs], total)
    with np.errstate(divide="ignore"):
        log_probability = np.log(plain)
    small = plain < _SAFE
    if small.any():
        log_probability[small] = _at_total([table[:, small] for table in logs], total, logs=True)
    return log_probability


def _at_total(tables: Sequence[np.ndarray], total: int, *, logs: bool = False) -> np.ndarray:
    """The convolution at one total; shape (s,).

    Two halves of the studies are convolved up to the total, and of their convolution only the one row is formed.
    """
    first, second = (reduce(partial(_convolved, most=total, logs=logs), tables[start::2]) for start in (0, 1))
    events = np.arange(max(0, total - len(second) + 1), min(total, len(first) - 1) + 1)
    if logs:
        return np.logaddexp.reduce(first[events] + second[total - events], axis=0)
    return (first[events] * second[total - events]).sum(axis=0)


def _convolved(first: np.ndarray, second: np.ndarray, *, most: int, logs: bool = False) -> np.ndarray:
    """The convolution of two tables of probabilities, or of their logs, up to the row `most`."""
    short, long = sorted((first, second), key=len)
    sums = np.full((min(len(long) + len(short) - 2, most) + 1, long.shape[1]), -np.inf if logs else 0.0)
    for at, row in enumerate(short[:most + 1]):
        part = sums[at:at + len(long)]
        if logs:
            np.logaddexp(part, long[:len(part)] + row, out=part)
        else:
            part += long[:len(part)] * row
    return sums
