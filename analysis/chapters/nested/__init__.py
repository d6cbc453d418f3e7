"""Endpoints that contain one another, fitted separately and together."""

from collections.abc import Iterator

from analysis.cases.nesting import nested_endpoints
from analysis.chapters.chapter import Asked, Chapter, Task
from analysis.chapters.nested.correlation import EFFECT_CORRELATION, correlation_rows
from analysis.chapters.nested.rows import NESTED, nested_rows
from analysis.evidence.types import Evidence


def _work(asked: Asked) -> Iterator[Task]:
    nested = nested_endpoints(asked.evidence)
    for endpoint in nested:
        yield Task("nested", endpoint.endpoint, nested_rows, (asked.base, endpoint.endpoint))
    if nested and (survival := _innermost_survival(asked.evidence)):
        yield Task("effect correlation", nested[0].parent, correlation_rows, (asked.base, nested[0].parent, survival))


def _innermost_survival(evidence: Evidence) -> str:
    """The first survival endpoint that contains no other; empty where there is none."""
    parents = {endpoint.parent for endpoint in evidence.endpoints}
    return next((endpoint.endpoint for endpoint in evidence.endpoints
                 if endpoint.kind == "survival" and endpoint.endpoint not in parents), "")


CHAPTER = Chapter("nested", 45, (NESTED, EFFECT_CORRELATION), _work, parts=("nested", "effect correlation"))
