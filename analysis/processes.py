"""Processes beside this one. Imports little, so that it can start before anything heavy is loaded here."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context

from analysis.evidence import Evidence
from analysis.streams import prepare

Submit = Callable[..., Future]
_received: list[Evidence] = []


@contextmanager
def helper(found: Evidence) -> Iterator[Submit]:
    """A process that lives as long as there is work for it; spawned, since the sampler runs threads.

    It gets the evidence once and loads the sampler at once, while the caller does the same.
    """
    pool = ProcessPoolExecutor(1, get_context("spawn"), _receive, (found,))
    try:
        pool.submit(_load_sampler)
        yield pool.submit
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def workers(count: int) -> Iterator[Submit]:
    """So many processes that live as long as there is work for them; spawned, for tasks that need no evidence."""
    pool = ProcessPoolExecutor(count, get_context("spawn"), _leave_interrupts_to_the_caller)
    try:
        yield pool.submit
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def evidence() -> Evidence:
    """In the helper process: the evidence that it was given."""
    return _received[0]


def _receive(found: Evidence) -> None:
    _leave_interrupts_to_the_caller()
    _received.append(found)


def _leave_interrupts_to_the_caller() -> None:
    # An interrupt reaches all processes; the first one says so and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()


def _load_sampler() -> None:
    import_module("analysis.pipeline")


def share_out[T](tasks: Sequence[tuple[Callable[..., T], tuple]], *, submit: Submit) -> list[T]:
    """Results of (function, arguments), in the order of the tasks; the helper begins in front, this process behind."""
    away = [submit(function, *arguments) for function, arguments in tasks]
    here = {at: tasks[at][0](*tasks[at][1]) for at in reversed(range(len(tasks))) if away[at].cancel()}
    return [here[at] if at in here else away[at].result() for at in range(len(tasks))]
