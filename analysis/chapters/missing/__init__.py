"""What the studies without a number could change."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.missing.bounds import MISSING_BOUNDS
from analysis.chapters.missing.figure import draw_missing, is_drawn
from analysis.chapters.missing.rows import missing_rows
from analysis.chapters.missing.section import missing_section
from analysis.chapters.missing.totals import PUBLISHED_TOTALS
from analysis.drawing.html import Html
from analysis.results import facts
from analysis.results.numbers import counted
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        if endpoint.kind == "rate":
            yield Task("missing studies", endpoint.endpoint, missing_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    bounds = results.rows(MISSING_BOUNDS.file)
    if is_drawn(bounds):
        shown = len({row["endpoint"] for row in bounds})
        yield Picture("missing", draw_missing, {
            "bounds": bounds, "totals": results.rows(PUBLISHED_TOTALS.file), "names": facts.endpoint_names(results),
            "scales": facts.scales(results), "title": "What the studies without a number could change",
            "stamp": results.stamp},
            f"Headline interval of {counted(shown, 'rate')} beside intervals with likely and with extreme results of "
            f"the studies without a number, with the published total, and as published.")


def _section(results: Results, page: Page) -> Html:
    return missing_section(results, page.picture("missing"))


CHAPTER = Chapter("missing", 50, (PUBLISHED_TOTALS, MISSING_BOUNDS), _work, None, _figures, _section,
                  parts=("missing studies", "figure missing"))
