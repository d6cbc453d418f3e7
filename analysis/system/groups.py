"""Values that belong together."""

from collections.abc import Callable, Hashable, Iterable


def grouped[K: Hashable, V](values: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    """The values of each key, in their order; keys in the order of their first value."""
    groups: dict[K, list[V]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups
