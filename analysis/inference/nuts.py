"""The only place that samples: compiles a model once for each shape of its inputs, then swaps the data."""

import gc
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from analysis.cases.settings import Sampler
from models.model import Draws, Model
from models.priors import Prior
from models.studies import Studies

if TYPE_CHECKING:
    import pymc as pm
    import xarray as xr

_compiled: dict[tuple, object] = {}
_KEPT_STATS = ("diverging", "energy", "depth")
_THREADS = "/proc/self/task"
_PATIENCE = 60.0  # seconds for chains to give up; each tries a few hundred starting points
_BLIND_WAIT = 5.0  # seconds, where threads cannot be listed


class SamplingFailed(RuntimeError):
    """The sampler could not start; no result exists."""


def sample(model: Model, studies: Studies, priors: Mapping[str, Prior], *, sampler: Sampler, seed: int,
           cores: int = 2) -> "tuple[xr.Dataset, xr.Dataset]":
    """Draws of the hyperparameters, and statistics of the sampler: from the density where that is the faster form.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        With dimensions (chain, draw). Where the plain model is sampled, the variables that hold its estimands are in
        the posterior, too.

    Raises
    ------
    SamplingFailed
        When no chain finds a starting point.
    """
    key = (model.name, frozenset(priors.items()))
    if model.marginal is None or model.sampled_as_built:
        # Such a graph has a variable for each study, and what the data are is part of it.
        return sample_graph(lambda: model.build(studies, priors), {}, key=(*key, studies.content),
                            keep=(*model.priors, *model.estimands.values()), sampler=sampler, seed=seed, cores=cores)
    return sample_graph(lambda: model.fast(studies, priors), model.marginal.data(studies), key=key,
                        keep=tuple(model.priors), sampler=sampler, seed=seed, cores=cores)


def sample_graph(build: Callable[[], "pm.Model"], inputs: Mapping[str, np.ndarray], *, key: tuple,
                 keep: tuple[str, ...], sampler: Sampler, seed: int, cores: int = 2) -> "tuple[xr.Dataset, xr.Dataset]":
    """Draws of some variables of a model, compiled once for each key, and statistics of the sampler.

    Parameters
    ----------
    build : callable
        Makes the model where it was not compiled yet.
    inputs : mapping of str to array
        The `pm.Data` by name.
    key : tuple
        All that makes one compiled model differ from another but the values of its data.
    keep : tuple of str
        Variables of the posterior; those that the model lacks are left out.

    Raises
    ------
    SamplingFailed
        When no chain finds a starting point.
    """
    import nutpie

    compiled = _compile(build, (*key, tuple(inputs))).with_data(**inputs)
    before, reason = _threads(), ""
    try:
        tree = nutpie.sample(compiled, draws=sampler.draws, tune=sampler.tune, chains=sampler.chains, cores=cores,
                             seed=seed, target_accept=sampler.target_accept, save_warmup=False, progress_bar=False)
    except RuntimeError as error:
        # Below its first line the message is a stack of addresses.
        reason = str(error).partition("\n")[0] or type(error).__name__
    if reason:
        _wait_for_chains(before)
        raise SamplingFailed(f"{key[0]}: the sampler stopped: {reason}")
    posterior, stats = tree["posterior"].dataset, tree["sample_stats"].dataset
    return (posterior[[name for name in dict.fromkeys(keep) if name in posterior]],
            stats[[name for name in _KEPT_STATS if name in stats]])


def _threads() -> frozenset[str]:
    """Ids of the threads of this process; empty where the system does not list them."""
    return frozenset(os.listdir(_THREADS)) if os.path.isdir(_THREADS) else frozenset()


def _wait_for_chains(before: frozenset[str]) -> None:
    """Wait until no thread is left that was not there before.

    One chain that cannot start ends the call of nutpie, while the threads of the others go on evaluating the compiled
    density. A process that ends meanwhile frees that code under them, and crashes.
    """
    if not before:
        time.sleep(_BLIND_WAIT)
        return
    end = time.monotonic() + _PATIENCE
    while _threads() - before and time.monotonic() < end:
        time.sleep(0.02)


def _compile(build: Callable[[], "pm.Model"], key: tuple) -> object:
    if key not in _compiled:
        import nutpie

        collects = gc.isenabled()
        # Rewriting graphs makes millions of objects that live on: looking for cycles among them, now or later, is vain.
        gc.disable()
        try:
            _compiled[key] = nutpie.compile_pymc_model(build())
        finally:
            gc.freeze()
            if collects:
                gc.enable()
    return _compiled[key]


def flat(posterior: "xr.Dataset") -> Draws:
    """Draws of each variable with the chains one after the other, shape (chain * draw, ...)."""
    return {str(name): np.ascontiguousarray(values.values.reshape(-1, *values.shape[2:]))
            for name, values in posterior.items()}
