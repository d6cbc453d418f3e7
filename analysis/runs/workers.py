"""Processes beside this one. Imports little, so that it can start before anything heavy is loaded here."""

import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process

from analysis.evidence import Evidence
from analysis.system.interrupts import undisturbed
from analysis.system.streams import QUIET_TRACKER, prepare

Submit = Callable[..., Future]
_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
_received: list[Evidence] = []


@contextmanager
def helper(found: Evidence) -> Iterator[Submit]:
    """A process that lives as long as there is work for it; spawned, since the sampler runs threads.

    It gets the evidence once and loads the sampler at once, while the caller does the same.
    """
    with _pool(1, _receive, found) as pool:
        pool.submit(_load_sampler)
        yield pool.submit


@contextmanager
def workers(count: int) -> Iterator[Submit]:
    """So many processes that live as long as there is work for them; spawned, for tasks that need no evidence."""
    with _pool(count, _live_with_the_caller) as pool:
        yield pool.submit


@contextmanager
def _pool(count: int, begin: Callable[..., None], *arguments: object) -> Iterator[ProcessPoolExecutor]:
    """Processes that end in the midst of their work when the block fails or this process ends, however it ends."""
    others = set(active_children())
    if QUIET_TRACKER not in os.environ.get("PYTHONWARNINGS", ""):
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), QUIET_TRACKER]))
    pool = ProcessPoolExecutor(count, get_context("spawn"), begin, arguments)
    try:
        with undisturbed(), _deaf_children():
            for _ in range(count):
                pool.submit(_nothing)
        yield pool
    except BaseException:
        for process in set(active_children()) - others:
            process.kill()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that start here never hear an interrupt: it reaches all, and the first one says so and ends the others.

    The signal mask is inherited, so that they are deaf from their first instruction on.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _nothing() -> None:
    """Start a process."""


def evidence() -> Evidence:
    """In the helper process: the evidence that it was given."""
    return _received[0]


def _receive(found: Evidence) -> None:
    _live_with_the_caller()
    _received.append(found)


def _live_with_the_caller() -> None:
    # Linux ends an orphan even while a compiler keeps the interpreter from running the thread.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_process().pid:
        os._exit(1)
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    prepare()


def _end_with_the_caller() -> None:
    parent_process().join()
    os._exit(1)


def _load_sampler() -> None:
    import_module("analysis.runs.pipeline")


def share_out[T](tasks: Sequence[tuple[Callable[..., T], tuple]], *, submit: Submit) -> list[T]:
    """Results of (function, arguments), in the order of the tasks; the helper begins in front, this process behind."""
    away = [submit(function, *arguments) for function, arguments in tasks]
    here = {at: tasks[at][0](*tasks[at][1]) for at in reversed(range(len(tasks))) if away[at].cancel()}
    return [here[at] if at in here else away[at].result() for at in range(len(tasks))]
