"""All replicates, here or in several processes, and the verdict."""

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import attrgetter

import numpy as np

from analysis.simulation.batches import BATCHES, finished
from analysis.simulation.replicate import Replicate, Setting, run_replicates
from analysis.simulation.settings import FAMILY_LEVEL
from analysis.simulation.uniformity import bands, ecdf, uniformity


@dataclass(frozen=True)
class Verdict:
    """One quantity: whether its PIT is uniform."""

    name: str
    p_value: float
    max_deviation: float
    passed: bool


@dataclass(frozen=True)
class Calibration:
    """All replicates of one setting, in their order, with a verdict for each quantity."""

    setting: Setting
    replicates: tuple[Replicate, ...]

    @property
    def failures(self) -> tuple[Replicate, ...]:
        """Replicates without a posterior."""
        return tuple(replicate for replicate in self.replicates if replicate.failure)

    @property
    def passed(self) -> bool:
        """Whether every replicate has a posterior and every quantity is uniform."""
        return not self.failures and all(verdict.passed for verdict in self.verdicts)

    @cached_property
    def pits(self) -> dict[str, np.ndarray]:
        """PITs by quantity, of the replicates that did not fail."""
        return {name: np.array([replicate.pits[name] for replicate in self.replicates if not replicate.failure])
                for name in self.setting.quantities}

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each quantity."""
        return verdicts_on(self.pits)


def calibrate(setting: Setting, size: int, *, executor: Executor | None = None,
              tell: Callable[[int], None] = lambda done: None) -> Calibration:
    """Run the replicates 0, ..., size - 1; the result does not depend on where they run.

    Parameters
    ----------
    setting : Setting
    size : int
        Number of replicates.
    executor : Executor or None
        Runs the batches, at once as many as it has workers; None: here, one after the other.
    tell : callable
        Is told after each batch how many replicates are done.
    """
    edges = np.linspace(0, size, min(BATCHES, size) + 1).astype(int).tolist()
    replicates: list[Replicate] = []
    for batch in finished(run_replicates, [(setting, *span) for span in pairwise(edges)], executor):
        replicates += batch
        tell(len(replicates))
    return Calibration(setting, tuple(sorted(replicates, key=attrgetter("number"))))


def verdicts_on(pits: dict[str, np.ndarray]) -> tuple[Verdict, ...]:
    """A verdict for each quantity: together they pass a calibrated model with at least the family-wise level.

    Fewer than two values are no evidence of anything and do not pass.
    """
    least = (1.0 - FAMILY_LEVEL) / len(pits)
    verdicts = []
    for name, values in pits.items():
        p_value, max_deviation = uniformity(values) if len(values) >= 2 else (math.nan, math.nan)
        verdicts.append(Verdict(name, p_value, max_deviation, p_value >= least))
    return tuple(verdicts)


def ecdf_rows(calibration: Calibration) -> list[dict[str, str | float]]:
    """Empirical minus uniform distribution function of each quantity, with simultaneous bands.

    Columns quantity, pit, difference; lower_95 and upper_95 hold the function of one calibrated quantity with 95 %,
    lower_verdict and upper_verdict are the limits of the verdict.
    """
    pits, rows = calibration.pits, []
    level = 1.0 - (1.0 - FAMILY_LEVEL) / len(pits)
    names = ("difference", "lower_95", "upper_95", "lower_verdict", "upper_verdict")
    for quantity, values in pits.items():
        if len(values) < 2:
            continue
        inner, outer = bands(len(values), 0.95), bands(len(values), level)
        curves = (ecdf(values, inner.points), inner.lower, inner.upper, outer.lower, outer.upper)
        rows += [{"quantity": quantity, "pit": point, **dict(zip(names, column, strict=True))}
                 for point, column in zip(inner.points.tolist(), np.transpose(curves - inner.points).tolist(),
                                          strict=True)]
    return rows
