"""One part of a proposal: draws of heterogeneity, scale and coefficients from a nested approximation.

References
----------
Owen A, Zhou Y. J Am Stat Assoc 2000;95:135, doi 10.1080/01621459.2000.10473909 (mixtures as proposals).
"""

import numpy as np
from scipy import special, stats
from scipy.interpolate import make_interp_spline

from analysis.inference.proposal import Nodes

_FREEDOM = 4.0  # tails of rates near 0 or 1 are exponential, and wide
_HEATED = 0.9  # power of the grid's masses, whose tails the approximation may understate
_FINE, _FINE_SCALES = 240, 120
_LEAST = -60.0  # logs of masses below the highest: splines through less would swing


class Part:
    """A density of (a, log scale, coefficients): cut fine in the first two, a t distribution in the coefficients.

    Parameters
    ----------
    nodes : Nodes
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        log_mass = np.maximum(nodes.log_mass - nodes.log_mass.max(), _LEAST)
        self._edges = np.linspace(nodes.a[0], nodes.a[-1], _FINE + 1)
        fine = make_interp_spline(nodes.a, log_mass, k=3)(_middles(self._edges))
        self._one_scale = len(nodes.log_scale) == 1
        self._bounds = np.array([-0.5, 0.5])
        if not self._one_scale:
            self._bounds = np.linspace(nodes.log_scale[0], nodes.log_scale[-1], _FINE_SCALES + 1)
            fine = make_interp_spline(nodes.log_scale, fine, k=3, axis=1)(_middles(self._bounds))
        self._mass = normalised(np.exp(_HEATED * fine))

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
        marginal = self._mass.sum(axis=0)
        column, across = inverted(marginal[None, :], np.zeros(len(points), dtype=int), points[:, 1])
        row, place = inverted((self._mass / marginal).T, column, points[:, 0])
        a = self._edges[row] + (self._edges[1] - self._edges[0]) * place
        log_scale = np.zeros(len(points))
        if not self._one_scale:
            log_scale = self._bounds[column] + (self._bounds[1] - self._bounds[0]) * across
        mode, root = self._between(a, log_scale)
        z, stretch = special.ndtri(points[:, 2:-1]), _FREEDOM / stats.chi2.ppf(points[:, -1], _FREEDOM)
        return a, log_scale, mode + np.einsum("sde,se->sd", root, z * np.sqrt(stretch)[:, None])

    def log_density(self, a: np.ndarray, log_scale: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Log density of such draws, shape (s,)."""
        row = _cell(self._edges, a)[0]
        column = 0 if self._one_scale else _cell(self._bounds, log_scale)[0]
        area = (self._edges[1] - self._edges[0]) * (self._bounds[1] - self._bounds[0])
        mode, root = self._between(a, log_scale)
        moved = np.linalg.solve(root, (coefficients - mode)[..., None])[..., 0]
        size = moved.shape[1]
        constant = (special.gammaln((_FREEDOM + size) / 2.0) - special.gammaln(_FREEDOM / 2.0)
                    - 0.5 * size * np.log(np.pi * _FREEDOM))
        return (np.log(self._mass[row, column] / area) + constant
                - 0.5 * (_FREEDOM + size) * np.log1p((moved**2).sum(axis=1) / _FREEDOM)
                - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1))

    def _between(self, a: np.ndarray, log_scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Modes and roots between the nodes, linear in both coordinates."""
        nodes = self._nodes
        row, up = _cell(nodes.a, a)
        if self._one_scale:
            corners = [(row, 0, 1.0 - up), (row + 1, 0, up)]
        else:
            column, along = _cell(nodes.log_scale, log_scale)
            corners = [(row, column, (1.0 - up) * (1.0 - along)), (row + 1, column, up * (1.0 - along)),
                       (row, column + 1, (1.0 - up) * along), (row + 1, column + 1, up * along)]
        mode = sum(share[:, None] * nodes.mode[at, other] for at, other, share in corners)
        return mode, sum(share[:, None, None] * nodes.root[at, other] for at, other, share in corners)


def normalised(mass: np.ndarray) -> np.ndarray:
    """The masses divided by their sum."""
    return mass / mass.sum()


def inverted(mass: np.ndarray, which: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cell in which each probability falls, and how far into it, from 0 to 1; shape (s,) each.

    Parameters
    ----------
    mass : array, shape (r, m)
        One distribution in each row.
    which : int array, shape (s,)
        Row of each probability.
    probability : array, shape (s,)
    """
    total = np.concatenate([np.zeros((len(mass), 1)), np.cumsum(mass, axis=1)], axis=1)
    total /= total[:, -1:]
    cell = np.empty(len(probability), dtype=int)
    for row in np.unique(which):
        mine = which == row
        cell[mine] = np.searchsorted(total[row], probability[mine], side="right") - 1
    cell = np.clip(cell, 0, mass.shape[1] - 1)
    low, high = total[which, cell], total[which, cell + 1]
    return cell, np.clip((probability - low) / np.maximum(high - low, np.finfo(float).tiny), 0.0, 1.0)


def _middles(edges: np.ndarray) -> np.ndarray:
    return (edges[1:] + edges[:-1]) / 2.0


def _cell(edges: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which cell between evenly spaced edges holds each value, and how far into it."""
    place = np.clip((values - edges[0]) / (edges[1] - edges[0]), 0.0, len(edges) - 1.0)
    cell = np.minimum(place.astype(int), len(edges) - 2)
    return cell, place - cell
