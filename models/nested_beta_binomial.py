"""Two rates of which one is a part of the other: severe within any grade, MRD-negative within complete remission.

    outer_i ~ BetaBinomial(n_i, mu_outer, rho_outer)
    inner_i ~ BetaBinomial(outer_i, mu_inner, rho_inner)      the same priors for both pairs as in `beta_binomial`

mu_inner is the mean rate of the inner event among patients with the outer one; both vary between studies
independently, so that the inner event's mean rate is mu_outer mu_inner, never above that of the outer one. Of a study

    with both counts      the inner one is a count of the outer one's events; no events add nothing;
    with the outer alone  nothing is learned about the inner one;
    with the inner alone  the unknown outer count is summed over, from the inner count to all n patients.

The two pairs depend on one another through studies of the last kind only.

References
----------
Griffiths DA. Biometrics 1973;29:637, doi 10.2307/2529131 (the beta-binomial).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models import beta_binomial
from models.backend import Array
from models.model import Draws
from models.priors import Prior
from models.studies import RateStudies
from models.sums import log_binomial

if TYPE_CHECKING:
    import pymc as pm

NAME = "nested_beta_binomial"
PRIORS = {f"{name}_{part}": prior for part in ("outer", "inner") for name, prior in beta_binomial.PRIORS.items()}
_TINY = 1e-300


@dataclass(frozen=True)
class NestedStudies:
    """Counts of an outer event and of an inner one, which is a part of it.

    Parameters
    ----------
    outer : RateStudies
        Outer events among the patients.
    inner : RateStudies
        Inner events among the outer events of the same study.
    inner_only : RateStudies
        Inner events among the patients, of studies without an outer count.
    """

    outer: RateStudies
    inner: RateStudies
    inner_only: RateStudies


def build(studies: NestedStudies, priors: Mapping[str, Prior] = PRIORS) -> "pm.Model":
    """The model as one writes it down; an unknown outer count is summed over.

    Parameters
    ----------
    studies : NestedStudies
    priors : mapping of str to Prior
        For mu and rho of both parts, all on (0, 1).
    """
    import pymc as pm

    parts = {f"{name}_study": table.study_ids for name, table in vars(studies).items()}
    with pm.Model(coords=parts) as model:
        drawn = {name: priors[name].variable(name) for name in PRIORS}
        pm.Deterministic("inner_rate", drawn["mu_outer"] * drawn["mu_inner"])
        outer, inner = (_shapes(drawn[f"mu_{part}"], drawn[f"rho_{part}"]) for part in ("outer", "inner"))
        for name, shapes in (("outer", outer), ("inner", inner)):
            table = getattr(studies, name)
            pm.BetaBinomial(f"{name}_events", *shapes, n=table.evaluable, observed=table.events, dims=f"{name}_study")
        if len(studies.inner_only):
            pm.CustomDist("inner_only_events", *outer, *inner, studies.inner_only.evaluable, logp=_log_part,
                          random=_draw_part, signature="(),(),(),(),()->()", dtype="int64",
                          observed=studies.inner_only.events, dims="inner_only_study")
    return model


def _shapes(mu: Array, rho: Array) -> tuple[Array, Array]:
    kappa = (1.0 - rho) / rho
    return mu * kappa, (1.0 - mu) * kappa


def _log_part(events: Array, a: Array, b: Array, c: Array, d: Array, n: Array) -> Array:
    """Log probability of inner events among n patients, the outer count summed over."""
    import pymc as pm
    import pytensor.tensor as pt

    every = pt.arange(pt.max(n) + 1)
    within = (every >= events[..., None]) & (every <= n[..., None])
    count = pt.clip(every, events[..., None], n[..., None])
    terms = pm.logp(pm.BetaBinomial.dist(a, b, n=n[..., None]), count) \
        + pm.logp(pm.BetaBinomial.dist(c, d, n=count), events[..., None])
    return pt.logsumexp(pt.switch(within, terms, -np.inf), axis=-1)


def _draw_part(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, n: np.ndarray,
               rng: np.random.Generator | None = None, size: tuple[int, ...] | None = None) -> np.ndarray:
    return rng.binomial(rng.binomial(n, rng.beta(a, b, size)), rng.beta(c, d, size))


def inner_only_log_likelihood(outer: Draws, inner: Draws, studies: RateStudies) -> np.ndarray:
    """Log likelihood of the studies without an outer count at each pair of points, shape (s, t).

    Parameters
    ----------
    outer, inner : mapping of str to array, shape (s,) and (t,)
        mu and rho of either part.
    studies : RateStudies
        Inner events among the patients.
    """
    total = np.zeros((outer["mu"].size, inner["mu"].size))
    (y, n), times = np.unique(np.stack([studies.events, studies.evaluable]), axis=1, return_counts=True)
    for events, patients, often in zip(y, n, times, strict=True):
        counts = np.arange(events, patients + 1)
        had, had_not, any_of_them = beta_binomial.sums_below(inner, patients)
        part = had[events] + had_not[counts - events] - any_of_them[counts]
        part += log_binomial(counts, np.full_like(counts, events))[:, None]
        (whole,) = beta_binomial.count_log_probabilities(outer, [patients])
        total += often * np.log(np.maximum(np.exp(whole[events:]).T @ np.exp(part), _TINY))
    return total
