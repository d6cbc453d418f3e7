"""Batches of simulated data sets, here, in several processes or on a cluster, and their results as they come."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from analysis.runs.workers import cluster, workers

BATCHES = 40


def finished(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]],
             executor: Executor | None) -> Iterator[Any]:
    """Results of the calls as they come; without an executor here, one after the other."""
    if executor is None:
        yield from (function(*arguments) for arguments in calls)
    else:
        # Nobody else holds the calls: a cluster would work again for a result that it lost after handing it on.
        yield from (call.result() for call in as_completed([executor.submit(function, *each) for each in calls]))


def several(processes: int, size: int, scheduler: str | None = None) -> AbstractContextManager[Executor | None]:
    """The workers of a Dask scheduler, or so many processes beside this one; None instead of one.

    Never more processes than `size` replicates have batches.
    """
    if scheduler is not None:
        return cluster(scheduler)
    return workers(min(processes, BATCHES, size)) if processes > 1 else nullcontext()


def positive(text: str) -> int:
    """A number of replicates or processes, as an argument of a command."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return int(text)
