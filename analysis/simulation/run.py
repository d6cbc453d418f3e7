"""All replicates, here or in several processes, and the verdict."""

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass

import numpy as np

from analysis.runs.workers import workers
from analysis.simulation.replicate import Replicate, Setting, quantity_names, run_replicates
from analysis.simulation.settings import FAMILY_LEVEL
from analysis.simulation.uniformity import bands, ecdf, uniformity
from models import all_models

BATCHES = 40
BAND_LEVEL = 0.95


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
    verdicts: tuple[Verdict, ...]

    @property
    def failures(self) -> tuple[Replicate, ...]:
        """Replicates without a posterior."""
        return tuple(replicate for replicate in self.replicates if replicate.failure)

    @property
    def passed(self) -> bool:
        """Whether every replicate has a posterior and every quantity is uniform."""
        return not self.failures and all(verdict.passed for verdict in self.verdicts)

    @property
    def pits(self) -> dict[str, np.ndarray]:
        """PITs by quantity, of the replicates that did not fail."""
        names = quantity_names(all_models()[self.setting.model])
        return {name: np.array([replicate.pits[name] for replicate in self.replicates if not replicate.failure])
                for name in names}


def calibrate(setting: Setting, size: int, *, processes: int = 1,
              tell: Callable[[int], None] = lambda done: None) -> Calibration:
    """Run the replicates 0, ..., size - 1; the result does not depend on the number of processes.

    Parameters
    ----------
    setting : Setting
    size : int
        Number of replicates.
    processes : int
    tell : callable
        Is told after each batch how many replicates are done.
    """
    edges = np.linspace(0, size, min(BATCHES, size) + 1).astype(int).tolist()
    spans = list(zip(edges[:-1], edges[1:], strict=True))
    found: dict[int, list[Replicate]] = {}
    for first, batch in _batches(setting, spans, processes):
        found[first] = batch
        tell(sum(map(len, found.values())))
    replicates = tuple(replicate for first in sorted(found) for replicate in found[first])
    calibration = Calibration(setting, replicates, ())
    return Calibration(setting, replicates, verdicts_on(calibration.pits))


def _batches(setting: Setting, spans: list[tuple[int, int]],
             processes: int) -> Iterator[tuple[int, list[Replicate]]]:
    """Batches by their first replicate, as they are finished."""
    if processes == 1:
        yield from ((span[0], run_replicates(setting, *span)) for span in spans)
        return
    with workers(min(processes, len(spans))) as executor:
        pending = {executor.submit(run_replicates, setting, *span): span[0] for span in spans}
        yield from ((pending[done], done.result()) for done in as_completed(pending))


def verdicts_on(pits: dict[str, np.ndarray]) -> tuple[Verdict, ...]:
    """A verdict for each quantity: together they pass a calibrated model with at least the family-wise level.

    Fewer than two values are no evidence of anything and do not pass.
    """
    least = (1.0 - FAMILY_LEVEL) / len(pits)
    verdicts = []
    for name, values in pits.items():
        if len(values) < 2:
            verdicts.append(Verdict(name, float("nan"), float("nan"), False))
            continue
        result = uniformity(values)
        verdicts.append(Verdict(name, result.p_value, result.max_deviation, result.p_value >= least))
    return tuple(verdicts)


def ecdf_rows(calibration: Calibration) -> list[dict[str, str | float]]:
    """Empirical minus uniform distribution function of each quantity, with simultaneous bands.

    Columns quantity, pit, difference; lower_95 and upper_95 hold the function of one calibrated quantity with 95 %,
    lower_verdict and upper_verdict are the limits of the verdict.
    """
    level, rows = 1.0 - (1.0 - FAMILY_LEVEL) / len(calibration.pits), []
    for name, values in calibration.pits.items():
        if len(values) < 2:
            continue
        inner, outer = bands(len(values), BAND_LEVEL), bands(len(values), level)
        columns = (inner.points, ecdf(values, inner.points), inner.lower, inner.upper, outer.lower, outer.upper)
        for point, *others in zip(*(column.tolist() for column in columns), strict=True):
            share, low, high, least, most = (value - point for value in others)
            rows.append({"quantity": name, "pit": point, "difference": share, "lower_95": low, "upper_95": high,
                         "lower_verdict": least, "upper_verdict": most})
    return rows
