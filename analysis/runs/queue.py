"""One queue of work for two processes: fits, tables and figures."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from analysis.evidence import Evidence
from analysis.runs import workers


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
    return function(workers.evidence(), *arguments)
