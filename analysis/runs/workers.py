"""One queue of work for two processes; imports little, so that the other can start before this one is heavy."""

import ctypes
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from typing import Any

from analysis.evidence.directory import Evidence
from analysis.system.errors import UsageError
from analysis.system.interrupts import undisturbed
from analysis.system.streams import QUIET_TRACKER, prepare
from analysis.system.surroundings import keep_freed_memory

_PATIENCE = 5.0  # seconds until a scheduler answers
_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
_PRELOADED = ("analysis.runs.pipeline", "arviz_stats.base")
_received: list[Evidence | None] = []


@contextmanager
def helper(evidence: Evidence) -> Iterator[Executor]:
    """One process that has the evidence; it loads what all its work needs at once, while the caller does the same."""
    with workers(1, evidence) as executor:
        executor.submit(_preload)
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


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler, which go on when the block ends.

    Dask pickles what it sends: name a scheduler of your own only.

    Raises
    ------
    UsageError
        When `distributed` is not installed, or no worker that can run this program is found at the address.
    """
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
    except ImportError:
        raise UsageError("--scheduler needs the package distributed: python -m pip install distributed") from None
    try:
        # An address where nobody is fails at once, which a client would try again and again.
        socket.create_connection(get_address_host_port(address), _PATIENCE).close()
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError):
        raise UsageError(f"--scheduler {address}: no Dask scheduler answers there; `dask scheduler` prints the "
                         "address of the one that it starts") from None
    with client:
        if not client.nthreads():
            raise UsageError(f"--scheduler {address}: it has no worker; start one with `dask worker {address}`")
        try:
            # By a function that every Python has: one of ours would end a worker that has not this program.
            for run in (client.run, client.run_on_scheduler):
                run(import_module, __name__)
        except ImportError as error:
            raise UsageError(f"--scheduler {address}: {error}; install this program where the scheduler and its "
                             "workers run") from None
        yield client.get_executor()


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
             finished: Callable[[Item, Any], None] = lambda item, result: None) -> list[Any]:
    """Results of all items, in their order; the other process begins in front, this one behind.

    Parameters
    ----------
    finished : callable
        Called with each item and its result as soon as this process knows of it.
    """
    away = {at: executor.submit(_in_helper, item.function, *item.arguments) for at, item in enumerate(items)}
    results: dict[int, Any] = {}

    def note(places: Iterable[int]) -> None:
        for at in places:
            results[at] = away.pop(at).result()
            finished(items[at], results[at])

    for at in reversed(range(len(items))):
        if at in away and away[at].cancel():
            del away[at]
            results[at] = items[at].function(evidence, *items[at].arguments)
            finished(items[at], results[at])
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
    keep_freed_memory()
    _received.append(evidence)


def _preload() -> None:
    for module in _PRELOADED:
        import_module(module)


def _end_with_the_caller() -> None:
    parent_process().join()
    os._exit(1)
