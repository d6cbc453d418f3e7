"""The marginal likelihoods of the two rate models as functions of a location on the logit scale and a spread.

The densities are those of `models`; here they only get one signature, so that one search for the maximum and one
profile serve both. The location is logit(mu) for the beta-binomial and m for the logit-normal model, and may depend
on covariates; the spread is theta = rho/(1 - rho) and tau.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from models import beta_binomial, logit_normal
from models.backend import NUMBERS
from models.studies import RateStudies
from models.sums import log_binomial

LARGEST_TAU = 10.0
"""Largest tau searched, on the logit scale. Beyond it every study's rate is practically 0 or 1."""
_THETA = np.concatenate([[0.0], np.geomspace(1e-9, 1e9, 61)])
_TAU = np.concatenate([[0.0], np.geomspace(1e-4, LARGEST_TAU, 41)])
_TINY = 1e-300


@dataclass(frozen=True)
class RateLikelihood:
    """Log likelihood of a location and a spread, and the range of the spread.

    Parameters
    ----------
    value : callable
        Of location, shape (..., g) for g groups of equal covariates, and spread, shape (...); gives shape (...),
        binomial coefficients included.
    design : array, shape (g, p)
        Covariates of each group; the location of group i is design[i] @ coefficients.
    spreads : array, shape (s,)
        Grid of the whole range of the spread in increasing order, from zero.
    patients, events : array, shape (g,)
        Of each group, to know where to search.
    """

    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    design: np.ndarray
    spreads: np.ndarray
    patients: np.ndarray
    events: np.ndarray


def beta_binomial_likelihood(studies: RateStudies, *, design: np.ndarray | None = None) -> RateLikelihood:
    """Likelihood of logit(mu) and theta.

    Parameters
    ----------
    studies : RateStudies
    design : array, shape (k, p), or None
        Covariates of logit(mu_i), an intercept among them; None: one mean for all.
    """
    groups, which = _groups(studies, design)
    tables = [beta_binomial.data(_only(studies, which == group))["sums"] for group in range(len(groups))]
    owner = np.repeat(np.arange(len(groups)), [table.shape[1] for table in tables])
    table = np.concatenate(tables, axis=1)
    constant = float(log_binomial(studies.evaluable, studies.events).sum())

    def value(location: np.ndarray, spread: np.ndarray) -> np.ndarray:
        # Far from zero the mean rounds to 0 or 1, where a logarithm would be infinite times a count of zero.
        mean = np.clip(special.expit(location), _TINY, 1.0 - 1e-16)[..., owner]
        return constant + beta_binomial.finite_product(mean, spread[..., None], table, on=NUMBERS)

    return RateLikelihood(value, groups, _THETA, *_totals(studies, which, len(groups)))


def logit_normal_likelihood(studies: RateStudies, *, design: np.ndarray | None = None) -> RateLikelihood:
    """Likelihood of m and tau; parameters as in `beta_binomial_likelihood`."""
    groups, which = _groups(studies, design)
    keyed = np.stack([which, studies.events, studies.evaluable])
    distinct, times = np.unique(keyed[:, studies.evaluable > 0], axis=1, return_counts=True)
    counts = distinct[1:].astype(float)
    constant = float(log_binomial(studies.evaluable, studies.events).sum())

    def value(location: np.ndarray, spread: np.ndarray) -> np.ndarray:
        each = logit_normal.log_density_each(location[..., distinct[0]], spread[..., None], counts, on=NUMBERS)
        return constant + each @ times

    return RateLikelihood(value, groups, _TAU, *_totals(studies, which, len(groups)))


def _groups(studies: RateStudies, design: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of the design, and the row of each study."""
    rows = np.ones((len(studies), 1)) if design is None else np.asarray(design, dtype=float)
    if rows.ndim != 2 or len(rows) != len(studies) or not np.all(np.isfinite(rows)):
        raise ValueError(f"design of shape {rows.shape}: one finite row per study is needed, {len(studies)} in all")
    groups, which = np.unique(rows, axis=0, return_inverse=True)
    return groups, which.reshape(-1)


def _only(studies: RateStudies, kept: np.ndarray) -> RateStudies:
    ids = tuple(name for name, keep in zip(studies.study_ids, kept, strict=True) if keep)
    return RateStudies(ids, studies.events[kept], studies.evaluable[kept])


def _totals(studies: RateStudies, which: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    return (np.bincount(which, weights=studies.evaluable, minlength=size),
            np.bincount(which, weights=studies.events, minlength=size))
