"""Processes beside this one. Imports little, so that it can start before anything heavy is loaded here."""

import ctypes
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection

from analysis.evidence import Evidence
from analysis.streams import prepare

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
    context = get_context("spawn")
    lifeline, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(count, context, begin, (lifeline, *arguments))
    try:
        yield pool
    except BaseException:
        held.close()
        pool.shutdown(cancel_futures=True)
        raise
    else:
        pool.shutdown()
    finally:
        held.close()
        lifeline.close()


def evidence() -> Evidence:
    """In the helper process: the evidence that it was given."""
    return _received[0]


def _receive(lifeline: Connection, found: Evidence) -> None:
    _live_with_the_caller(lifeline)
    _received.append(found)


def _live_with_the_caller(lifeline: Connection) -> None:
    # An interrupt reaches all processes; the first one says so and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Linux ends an orphan even while a compiler keeps the interpreter from running the thread.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_process().pid:
        os._exit(1)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    prepare()


def _end_with(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


def _load_sampler() -> None:
    import_module("analysis.pipeline")


def share_out[T](tasks: Sequence[tuple[Callable[..., T], tuple]], *, submit: Submit) -> list[T]:
    """Results of (function, arguments), in the order of the tasks; the helper begins in front, this process behind."""
    away = [submit(function, *arguments) for function, arguments in tasks]
    here = {at: tasks[at][0](*tasks[at][1]) for at in reversed(range(len(tasks))) if away[at].cancel()}
    return [here[at] if at in here else away[at].result() for at in range(len(tasks))]
