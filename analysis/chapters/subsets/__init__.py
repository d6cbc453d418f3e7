"""Each subset of the studies against its complement."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Task
from analysis.chapters.subsets.rows import SUBSET_DIFFERENCES, subset_rows
from analysis.chapters.subsets.section import subsets_section


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        yield Task("subsets", endpoint.endpoint, subset_rows, (asked.base, endpoint.endpoint))


CHAPTER = Chapter("subsets", 80, (SUBSET_DIFFERENCES,), _work,
                  section=lambda results, page: subsets_section(results), parts=("subsets",))
