"""Draws study effects from their exact conditional distribution, given hyperparameters and the study's own data."""

import numpy as np

from models.backend import NUMBERS
from models.marginal import Concave, mode_and_spread

_CELLS = 48
_REACH = 7.0  # standard deviations of the approximation at the mode; skewed by tau = 5 and no event, 1e-3 lies beyond
_BATCH = 4_000_000


def draw_effects(likelihood: Concave, centre: np.ndarray, tau: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One draw of theta per study and draw of the hyperparameters, theta ~ Normal(centre, tau) given the data.

    The log density of z = (theta - centre)/tau is evaluated on a grid about its mode and joined by lines, and this
    density is inverted. Its quantiles are those of the true one to 3e-3 of a standard deviation.

    Parameters
    ----------
    likelihood : Concave
        Of k studies.
    centre, tau : array, shape (s,)
    rng : numpy.random.Generator

    Returns
    -------
    array, shape (s, k)
    """
    chosen = rng.random((len(centre), np.size(likelihood.guess)))
    batch = max(1, _BATCH // ((_CELLS + 1) * chosen.shape[1]))
    parts = [_invert(likelihood, centre[part], tau[part], chosen[part])
             for part in (slice(at, at + batch) for at in range(0, len(centre), batch))]
    return np.concatenate(parts)


def _invert(likelihood: Concave, centre: np.ndarray, tau: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    centre, tau = centre[:, None], tau[:, None]
    mode, spread = mode_and_spread(likelihood, centre, tau, on=NUMBERS)
    offsets = np.linspace(-_REACH, _REACH, _CELLS + 1)[:, None, None]
    z = mode + spread * offsets
    log_density = likelihood.value(centre + tau * z) - 0.5 * z**2
    left, right = log_density[:-1], log_density[1:]
    mass = np.exp(np.maximum(left, right) - log_density.max(axis=0)) * _mean_fall(np.abs(right - left))
    total = np.cumsum(mass, axis=0)
    target = chosen * total[-1]
    cell = np.minimum((total < target).sum(axis=0), _CELLS - 1)[None]
    of_cell = np.maximum(np.take_along_axis(mass, cell, 0)[0], np.finfo(float).tiny)
    share = np.clip((target - (np.take_along_axis(total, cell, 0)[0] - of_cell)) / of_cell, 0.0, 1.0)
    rise = np.take_along_axis(right - left, cell, 0)[0]
    offset = offsets[cell[0], 0, 0] + _fraction(share, rise) * (2.0 * _REACH / _CELLS)
    return centre + tau * (mode + spread * offset)


def _mean_fall(fall: np.ndarray) -> np.ndarray:
    """Mean of exp(-fall x) for x from 0 to 1."""
    return np.where(fall > 1e-8, -np.expm1(-fall) / np.maximum(fall, 1e-8), 1.0)


def _fraction(share: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """Where the integral of exp(rise x) from 0 reaches this share of the one to 1, reckoned from the higher end."""
    fall = np.maximum(np.abs(rise), 1e-8)
    from_top = np.where(rise > 0.0, 1.0 - share, share)
    place = -np.log1p(from_top * np.expm1(-fall)) / fall
    return np.where(rise > 0.0, 1.0 - place, place)
