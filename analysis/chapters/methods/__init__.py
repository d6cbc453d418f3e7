"""What frequentist methods say about the same evidence."""

from collections.abc import Iterator

from analysis.cases.selection import ALL
from analysis.chapters.chapter import Asked, Chapter, Task
from analysis.chapters.methods.rows import FREQUENTIST, frequentist_rows
from analysis.results.comparison import compared_questions


def _work(asked: Asked) -> Iterator[Task]:
    compared = compared_questions(asked.evidence)
    for endpoint in asked.evidence.endpoints:
        subsets = (subset for name, subset in compared if name == endpoint.endpoint)
        for subset in dict.fromkeys((ALL, *subsets)):
            yield Task("other methods", endpoint.endpoint, frequentist_rows, (asked.base, endpoint.endpoint, subset))


CHAPTER = Chapter("methods", 35, (FREQUENTIST,), _work)
