"""Fits of very many studies: their estimates are made in batches from fewer draws, and no draw of them is kept.

With 100,000 studies and 20,000 draws the draws alone are 16 GB, and the pointwise log likelihood another 16.
"""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.inference.estimands import Estimate, Quantity, summarise
from analysis.system.progress import Progress
from models.model import Draws
from models.studies import Studies

MANY = 2_000
"""Studies above which a fit keeps nothing study by study but the estimates."""

DRAWS = 2_000
_BATCH = 500


def is_many(studies: Studies) -> bool:
    """Whether there are more studies than a fit keeps draws of."""
    return len(studies) > MANY


def warnings_of(studies: Studies) -> list[str]:
    """What a reader of a fit of very many studies should know; nothing for others."""
    return [f"{len(studies):,} studies: each one's estimate rests on {DRAWS:,} draws, and a saved posterior holds "
            "neither them nor the pointwise log likelihood"] if is_many(studies) else []


def estimates_of_many(quantities_of: Callable[[Draws, Studies], Sequence[Quantity]], draws: Draws, studies: Studies, *,
                      chains: int, level: float) -> list[Estimate]:
    """The estimate of each study, with progress on standard error.

    Parameters
    ----------
    quantities_of : callable
        From draws of the hyperparameters and some of the studies to quantities.
    draws : mapping of str to array, shape (s,)
        Of all chains, one after the other.
    """
    fewer = {name: _spaced(values, chains) for name, values in draws.items()}
    found: list[Estimate] = []
    at = np.arange(len(studies))
    progress = Progress(-(-len(studies) // _BATCH))
    for start in range(0, len(studies), _BATCH):
        part = studies.take((at >= start) & (at < start + _BATCH))
        for quantity in (one for one in quantities_of(fewer, part) if one.draws.ndim == 2):
            found += summarise(quantity, part.study_ids, chains=chains, level=level)
        progress.step(f"estimates of {min(start + _BATCH, len(studies)):,} of {len(studies):,} studies")
    progress.close()
    return found


def _spaced(values: np.ndarray, chains: int) -> np.ndarray:
    """About DRAWS of the draws, evenly spaced in each chain."""
    by_chain = values.reshape(chains, -1)
    step = max(1, by_chain.shape[1] * chains // DRAWS)
    return by_chain[:, ::step].ravel()
