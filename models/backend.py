"""The few array operations that the densities need, for numbers and for graphs: each density is written once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import special

Array = Any
"""A numpy array or a PyTensor variable."""


HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
"""What the log density of a normal distribution lacks without its constant."""


@dataclass(frozen=True)
class Backend:
    """Array operations under one set of names.

    `fixed` marks a value whose gradient is not followed; `log_ndtr` is the log of the normal distribution function.
    """

    log: Callable[..., Array]
    log1p: Callable[..., Array]
    exp: Callable[..., Array]
    expm1: Callable[..., Array]
    sqrt: Callable[..., Array]
    logaddexp: Callable[..., Array]
    softplus: Callable[[Array], Array]
    clip: Callable[..., Array]
    sum: Callable[..., Array]
    max: Callable[..., Array]
    log_ndtr: Callable[[Array], Array]
    fixed: Callable[[Array], Array]


NUMBERS = Backend(np.log, np.log1p, np.exp, np.expm1, np.sqrt, np.logaddexp, lambda value: np.logaddexp(0.0, value),
                  np.clip, np.sum, np.max, special.log_ndtr, lambda value: value)


class _OnUse:
    """Operations on graphs; PyTensor, which takes a second to load, is loaded by the first one that is used."""

    def __getattr__(self, name: str) -> Callable[..., Array]:
        return getattr(_graph(), name)


GRAPH = _OnUse()


@cache
def _graph() -> Backend:
    import pytensor.tensor as pt
    from pytensor.gradient import disconnected_grad

    def log_ndtr(z: Array) -> Array:
        # Each branch sees only arguments that it can bear: the gradient of the branch not taken must stay finite.
        left, right = pt.minimum(z, -1.0), pt.maximum(z, -1.0)
        in_tail = pt.log(0.5 * pt.erfcx(-left / np.sqrt(2.0))) - 0.5 * left**2
        return pt.switch(z < -1.0, in_tail, pt.log1p(-0.5 * pt.erfc(right / np.sqrt(2.0))))

    return Backend(pt.log, pt.log1p, pt.exp, pt.expm1, pt.sqrt, pt.logaddexp, pt.softplus, pt.clip, pt.sum, pt.max,
                   log_ndtr, disconnected_grad)


def spaced(hyperparameter: Array) -> Array:
    """A hyperparameter of shape (...) with a last axis, so that it broadcasts with studies or points; scalars as is."""
    return hyperparameter[..., None] if hyperparameter.ndim else hyperparameter
