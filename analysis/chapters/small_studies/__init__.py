"""Whether small studies tell another story than large ones."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Picture, Task
from analysis.chapters.small_studies.figure import draw_funnel, drawn_endpoints
from analysis.chapters.small_studies.rows import SMALL_STUDIES, small_study_rows
from analysis.chapters.small_studies.section import small_studies_section
from analysis.results import facts
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        yield Task("small studies", endpoint.endpoint, small_study_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if results.rows(SMALL_STUDIES.file) and drawn_endpoints(frame := results.tables[SMALL_STUDIES.file].frame):
        yield Picture("funnel", draw_funnel, {"frame": frame, "labels": facts.labels(results)},
            "Each study's estimate over its size within the limits that the model predicts for a study of that "
            "size, one panel for each endpoint.")


CHAPTER = Chapter("small_studies", 100, (SMALL_STUDIES,), _work, None, _figures,
                  lambda results, page: small_studies_section(results, page.picture("funnel")),
                  parts=("small studies", "figure funnel"))
