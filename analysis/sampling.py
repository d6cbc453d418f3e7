"""The only place that samples: compiles a model once for each shape of its inputs, then swaps the data."""

from collections.abc import Mapping

import numpy as np
import nutpie
import xarray as xr

from analysis.jobs import Sampler
from models.model import Draws, Model
from models.priors import Prior
from models.studies import Studies

_compiled: dict[tuple, object] = {}
_KEPT_STATS = ("diverging", "energy", "depth")


class SamplingFailed(RuntimeError):
    """The sampler could not start; no result exists."""


def sample(model: Model, studies: Studies, priors: Mapping[str, Prior], *, sampler: Sampler, seed: int,
           cores: int = 2) -> tuple[xr.Dataset, xr.Dataset]:
    """Draws of the hyperparameters, and statistics of the sampler.

    Returns
    -------
    posterior, sample_stats : xarray.Dataset
        With dimensions (chain, draw).

    Raises
    ------
    SamplingFailed
        When no chain finds a starting point.
    """
    inputs = model.data(studies)
    compiled = _compile(model, studies, priors, tuple(inputs)).with_data(**inputs)
    try:
        tree = nutpie.sample(compiled, draws=sampler.draws, tune=sampler.tune, chains=sampler.chains, cores=cores,
                             seed=seed, target_accept=sampler.target_accept, save_warmup=False, progress_bar=False)
    except RuntimeError as error:
        raise SamplingFailed(f"{model.name}: the sampler stopped: {error}") from error
    stats = tree["sample_stats"].dataset
    return (tree["posterior"].dataset[list(model.priors)],
            stats[[name for name in _KEPT_STATS if name in stats]])


def _compile(model: Model, studies: Studies, priors: Mapping[str, Prior], inputs: tuple[str, ...]) -> object:
    key = (model.name, tuple(sorted((name, prior.family, prior.arguments) for name, prior in priors.items())), inputs)
    if key not in _compiled:
        _compiled[key] = nutpie.compile_pymc_model(model.build(studies, priors))
    return _compiled[key]


def flat(posterior: xr.Dataset) -> Draws:
    """Draws of each hyperparameter with the chains one after the other, shape (chain * draw,)."""
    return {str(name): np.ascontiguousarray(values.values.reshape(-1)) for name, values in posterior.items()}
