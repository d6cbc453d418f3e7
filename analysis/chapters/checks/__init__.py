"""Whether prior and posterior predict what the studies report."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Picture, Task
from analysis.chapters.checks.figure import draw_checks
from analysis.chapters.checks.rows import CHECK_STATISTICS, CHECKS, COMPUTED, check_rows
from analysis.chapters.checks.section import checks_section
from analysis.results import facts
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        yield Task("checks", endpoint.endpoint, check_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if any(row["status"] == COMPUTED for row in results.rows(CHECKS.file)):
        yield Picture("checks", draw_checks, {
            "frame": results.frame(CHECKS), "names": facts.endpoint_names(results), "scales": facts.scales(results),
            "stamp": results.stamp}, "Each study's report within the intervals that prior and posterior predict for a "
            "further study of its size, one panel for each endpoint.")


CHAPTER = Chapter("checks", 65, (CHECKS, CHECK_STATISTICS), _work, None, _figures,
                  lambda results, page: checks_section(results, page.picture("checks")),
                  parts=("checks", "figure checks"))
