"""What the studies without a number could change."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Picture, Task
from analysis.chapters.missing.figure import draw_missing, drawn_endpoints
from analysis.chapters.missing.rows import MISSING_BOUNDS, PUBLISHED_TOTALS, missing_rows
from analysis.chapters.missing.section import missing_section
from analysis.results import facts
from analysis.results.numbers import counted
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        if endpoint.kind == "rate":
            yield Task("missing studies", endpoint.endpoint, missing_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    bounds, totals = results.frame(MISSING_BOUNDS), results.frame(PUBLISHED_TOTALS)
    if drawn := drawn_endpoints(bounds):
        yield Picture("missing", draw_missing, {
            "bounds": bounds, "totals": totals, "labels": facts.labels(results)},
            f"Headline interval of {counted(len(drawn), 'rate')} beside intervals with likely and with extreme results "
            f"of the studies without a number, with the published total, and as published.")


CHAPTER = Chapter("missing", 50, (PUBLISHED_TOTALS, MISSING_BOUNDS), _work, figures=_figures,
                  section=lambda results, page: missing_section(results, page.picture("missing")),
                  parts=("missing studies", "figure missing"))
