"""Log densities of compiled models at chosen hyperparameters, and Jacobians to compare them with."""

from collections.abc import Callable

import numpy as np
import pymc as pm
from pytensor.compile.mode import Mode
from scipy import special

REWRITTEN = Mode("py", "fast_run").excluding("fusion", "inplace")
"""The rewrites of what is sampled, each step evaluated by itself: for a few points compiling costs more."""


def log_density(model: pm.Model) -> Callable[..., float]:
    """The model's log density as a function of its unconstrained values by name."""
    compiled = model.compile_logp(mode="FAST_COMPILE")
    return lambda **point: float(
        compiled({name: np.asarray(value, dtype=float) for name, value in point.items()})
    )


def values_of(model: pm.Model, names: list[str]) -> Callable[..., dict[str, float]]:
    """The named variables and deterministics as functions of the model's unconstrained values by name."""
    inputs = model.value_vars
    outputs = model.replace_rvs_by_values([model[name] for name in names])
    function = model.compile_fn(outputs, inputs=inputs, on_unused_input="ignore", mode="FAST_COMPILE")
    return lambda **point: dict(zip(names, (float(value) for value in function(point)), strict=True))


def log_slope(function: Callable[[float], float], at: float) -> float:
    """Log of the absolute derivative by central differences with an error near 1e-9."""
    step = 1e-4
    slope = 8.0 * (function(at + step) - function(at - step)) - (
        function(at + 2 * step) - function(at - 2 * step)
    )
    return float(np.log(abs(slope / (12.0 * step))))


def log_jacobian_logodds(value: float) -> float:
    """Of expit at an unconstrained value."""
    return float(special.log_expit(value) + special.log_expit(-value))
