"""One queue of work for two processes; imports little, so that the other can start before this one is heavy."""

import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from typing import Any

from analysis.evidence.types import Evidence
from analysis.system.interrupts import undisturbed
from analysis.system.streams import QUIET_TRACKER, prepare

_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
_SAMPLER = ("analysis.runs.pipeline", "pymc", "nutpie", "arviz_stats.base")
_received: list[Evidence | None] = []


@contextmanager
def helper(evidence: Evidence) -> Iterator[Executor]:
    """One process that has the evidence; it loads the sampler at once, while the caller does the same."""
    with workers(1, evidence) as executor:
        executor.submit(_load_sampler)
        yield executor


@contextmanager
def workers(count: int, evidence: Evidence | None = None) -> Iterator[Executor]:
    """So many processes, which live as long as there is work for them; spawned, since the sampler runs threads.

    They end in the midst of their work when the block fails or this process ends, however it ends.
    """
    others = set(active_children())
    if QUIET_TRACKER not in os.environ.get("PYTHONWARNINGS", ""):
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), QUIET_TRACKER]))
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (evidence,))
    try:
        with undisturbed(), _deaf_children():
            for _ in range(count):
                pool.submit(int)  # starts a process
        yield pool
    except BaseException:
        for process in set(active_children()) - others:
            process.kill()
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


class Nobody(Executor):
    """Begins nothing, so that who waits for a result does the work: where no process can be started."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future:
        """A call that is never made."""
        return Future()


def evidence() -> Evidence | None:
    """In such a process: the evidence that it was given, once."""
    return _received[0]


@dataclass(frozen=True)
class Item:
    """A call whose first argument is the evidence.

    Parameters
    ----------
    function : callable
        Found by its name in a module, since another process may call it.
    arguments : tuple
        What follows the evidence; plain values.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


def work_off(items: Sequence[Item], evidence: Evidence, *, executor: Executor,
             finished: Callable[[Any], None] = lambda result: None) -> list[Any]:
    """Results of all items, in their order; the other process begins in front, this one behind.

    Parameters
    ----------
    finished : callable
        Called with each result as soon as this process knows of it.
    """
    away = {at: executor.submit(_in_helper, item.function, *item.arguments) for at, item in enumerate(items)}
    results: dict[int, Any] = {}

    def note(places: Iterable[int]) -> None:
        for at in places:
            results[at] = away.pop(at).result()
            finished(results[at])

    for at in reversed(range(len(items))):
        if at in away and away[at].cancel():
            del away[at]
            results[at] = items[at].function(evidence, *items[at].arguments)
            finished(results[at])
        note([place for place, future in away.items() if future.done()])
    note(list(away))
    return [results[at] for at in range(len(items))]


def _in_helper(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(evidence(), *arguments)


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


def _begin(evidence: Evidence | None) -> None:
    """In a new process: end with the caller, whatever happens, and keep what it gave."""
    # Linux ends an orphan even while a compiler keeps the interpreter from running the thread.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_process().pid:
        os._exit(1)
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    prepare()
    _received.append(evidence)


def _load_sampler() -> None:
    for module in _SAMPLER:
        import_module(module)


def _end_with_the_caller() -> None:
    parent_process().join()
    os._exit(1)
