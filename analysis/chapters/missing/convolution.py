"""The number of events in several unreported studies together, exactly: a convolution of beta-binomials.

With known sizes n_1..n_m and given (mu, rho) the unreported studies are independent, so that

    P(Y_1 + ... + Y_m = t) = sum over y_1 + ... + y_m = t of prod_i BetaBinomial(y_i; n_i, mu, rho).

All terms are positive, so plain sums of products keep every digit until they underflow. Where the result is too
small for that, next to mu = 0 or 1 far from the data, it is formed again from logarithms.
"""

from collections.abc import Callable, Sequence
from functools import partial, reduce

import numpy as np

from analysis.inference.density import Extra
from models.beta_binomial import count_log_probabilities
from models.model import Draws

MOST_PATIENTS = 600
"""Unreported patients beyond which the convolution is not made: it is quadratic in them, a second or two here."""

# Terms that underflow (below 1e-308) cannot add a digit to a sum above this.
_SAFE = 1e-200
_BATCH = 512  # points for which the tables of a few hundred patients stay in a processor's cache


class ImpossibleTotal(ValueError):
    """A total that no counts of the unreported studies add up to; the message says why."""


def sum_log_probability(draws: Draws, sizes: Sequence[int], *, total: int) -> np.ndarray:
    """Log probability that the studies have `total` events together, shape (s,).

    Parameters
    ----------
    draws : mapping of str to array, shape (s,)
        mu and rho.
    sizes : sequence of int
        Patients of each unreported study.
    total : int
        Their events together.

    Raises
    ------
    ImpossibleTotal
        When the total is negative or above the number of patients.
    """
    check_total(total, sizes)
    return np.concatenate([_log_probability(batch, sizes, total) for batch in _batches(draws)])


def total_likelihood(sizes: Sequence[int], *, total: int) -> Extra:
    """The further log likelihood that the total adds to the density of the known studies.

    Raises
    ------
    ImpossibleTotal
        When the total is negative or above the number of patients.
    """
    check_total(total, sizes)
    return partial(sum_log_probability, sizes=tuple(sizes), total=total)


def sum_probabilities(draws: Draws, sizes: Sequence[int]) -> np.ndarray:
    """Probability of each total from 0 to the number of patients; shape (N + 1, s)."""
    parts = []
    for batch in _batches(draws):
        tables = [np.exp(table) for table in count_log_probabilities(batch, sorted(sizes))]
        convolved = partial(_convolved, add=_add_products, most=sum(sizes))
        parts.append(reduce(convolved, tables, np.ones((1, len(batch["mu"])))))
    return np.concatenate(parts, axis=1)


def check_total(total: int, sizes: Sequence[int]) -> None:
    """Raise ImpossibleTotal, with the reason, when no counts of studies of these sizes add up to the total."""
    if total < 0:
        raise ImpossibleTotal(f"the known studies alone have {-total} more events than the published total")
    if total > sum(sizes):
        raise ImpossibleTotal(f"{total} events are left for {sum(sizes)} patients of the unreported studies")


def _batches(draws: Draws) -> list[dict[str, np.ndarray]]:
    size = len(draws["mu"])
    return [{name: draws[name][at:at + _BATCH] for name in ("mu", "rho")} for at in range(0, max(size, 1), _BATCH)]


def _log_probability(draws: Draws, sizes: Sequence[int], total: int) -> np.ndarray:
    logs = count_log_probabilities(draws, sizes)
    if 2 * total > sum(sizes):
        # Fewer partial sums matter when those without the event are counted.
        logs, total = [table[::-1] for table in logs], sum(sizes) - total
    plain = _at_total([np.exp(table) for table in logs], total, _add_products, np.ones((1, len(draws["mu"]))))
    with np.errstate(divide="ignore"):
        found = np.log(plain)
    small = plain < _SAFE
    if small.any():
        found[small] = _at_total([table[:, small] for table in logs], total, _add_logs, np.zeros((1, small.sum())))
    return found


Add = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def _add_products(sums: np.ndarray, table: np.ndarray, row: np.ndarray) -> None:
    sums += table * row


def _add_logs(sums: np.ndarray, table: np.ndarray, row: np.ndarray) -> None:
    np.logaddexp(sums, table + row, out=sums)


def _at_total(tables: list[np.ndarray], total: int, add: Add, nobody: np.ndarray) -> np.ndarray:
    """The row of the convolution at one total, probabilities or logs by what `add` does; shape (s,).

    Two halves are convolved up to the total, and of their convolution only the one row is formed.
    """
    ordered = sorted(tables, key=len)
    halves = [reduce(partial(_convolved, add=add, most=total), ordered[start::2], nobody) for start in (0, 1)]
    found = _nothing(add, nobody.shape)
    first, second = halves
    for events in range(max(0, total - len(first) + 1), min(total, len(second) - 1) + 1):
        add(found, first[[total - events]], second[events])
    return found[0]


def _convolved(first: np.ndarray, second: np.ndarray, *, add: Add, most: int) -> np.ndarray:
    """The convolution of two tables up to the row `most`."""
    long, short = (first, second) if len(first) >= len(second) else (second, first)
    sums = _nothing(add, (min(len(long) + len(short) - 2, most) + 1, long.shape[1]))
    for at, row in enumerate(short[:most + 1]):
        part = sums[at:at + len(long)]
        add(part, long[:len(part)], row)
    return sums


def _nothing(add: Add, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, 0.0 if add is _add_products else -np.inf)
