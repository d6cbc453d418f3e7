"""Sums of a smooth function over the integers below each of many counts, as a short weighted sum.

The beta-binomial needs sum_i sum_{j < c_i} f(j) with f(j) = log(a + j theta) and a, theta >= 0. Written with tail
counts, #{i: c_i > j}, its cost no longer depends on the number of studies; here long runs of equal tail counts are
also replaced by a Gauss rule of the *discrete* uniform measure, so that the cost grows with the logarithm of the
counts only and a study of a million patients is no special case.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

ORDER = 12
"""Points of the Gauss rule, and the longest run that is summed term by term.

A run never reaches beyond twice its first term, so the singularity of f (at j <= 0) keeps a distance of three
half-widths: the error falls by (3 + sqrt 8)^2 = 34 with each point, and 12 points are below rounding.
"""


@dataclass(frozen=True)
class WeightedSum:
    """Points and weights with sum_m weight_m f(node_m) = sum_i sum_{j < count_i} f(j); shape (m,) each."""

    nodes: np.ndarray
    weights: np.ndarray


def below_counts(counts: np.ndarray) -> WeightedSum:
    """Points and weights for the sum over all integers below each count.

    Parameters
    ----------
    counts : int array, shape (k,)
        Non-negative counts; zero adds nothing.

    Returns
    -------
    WeightedSum
        At least one point (of weight zero where all counts are zero), since a graph bears no empty vector well.

    References
    ----------
    Gautschi W. Orthogonal Polynomials: Computation and Approximation. Oxford 2004 (discrete Chebyshev
    polynomials; Golub-Welsch).
    """
    ordered = np.sort(np.asarray(counts, dtype=np.int64).reshape(-1))
    top = int(ordered[-1]) if len(ordered) else 0
    if top == 0:
        return WeightedSum(np.zeros(1), np.zeros(1))
    doublings = ORDER * 2 ** np.arange(max(0, int(np.ceil(np.log2(top / ORDER))) + 1), dtype=np.int64)
    breaks = np.unique(np.concatenate([[0], ordered, doublings[doublings < top]]))
    starts, lengths = breaks[:-1], np.diff(breaks)
    above = len(ordered) - np.searchsorted(ordered, starts, side="right")
    short = lengths <= ORDER
    exact = np.repeat(starts[short], lengths[short]) + _ranges(lengths[short])
    offsets, rule = _discrete_gauss(lengths[~short])
    nodes = np.concatenate([exact.astype(float), (starts[~short, None] + offsets).ravel()])
    weights = np.concatenate([np.repeat(above[short], lengths[short]).astype(float),
                              (above[~short, None] * rule).ravel()])
    return WeightedSum(nodes, weights)


def log_binomial(n: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Log of the binomial coefficient n over y, elementwise."""
    return special.gammaln(n + 1.0) - special.gammaln(y + 1.0) - special.gammaln(n - y + 1.0)


def _ranges(lengths: np.ndarray) -> np.ndarray:
    """0..length-1 for each length, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def _discrete_gauss(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss rules for sums over 0..length-1, each length > ORDER; nodes and weights, shape (r, ORDER)."""
    size = lengths.astype(float)[:, None]
    k = np.arange(1, ORDER)
    off_diagonal = np.sqrt(k**2 * (size**2 - k**2) / (4.0 * (4.0 * k**2 - 1.0)))
    jacobi = np.zeros((len(lengths), ORDER, ORDER))
    jacobi[:, k, k - 1] = off_diagonal
    values, vectors = np.linalg.eigh(jacobi)
    return values + (size - 1.0) / 2.0, size * vectors[:, 0, :] ** 2
