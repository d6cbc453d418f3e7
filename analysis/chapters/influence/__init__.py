"""Which study each estimate hangs on."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Picture, Task
from analysis.chapters.influence.figure import draw_baujat, mapped
from analysis.chapters.influence.rows import INFLUENCE, influence_rows
from analysis.chapters.influence.section import influence_section
from analysis.results import facts
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        yield Task("influence", endpoint.endpoint, influence_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if results.rows(INFLUENCE.file) and len(mapped(frame := results.tables[INFLUENCE.file].frame)):
        yield Picture("baujat", draw_baujat, {"frame": frame, "labels": facts.labels(results)},
            "Map of the studies: how surprising each is under the others' prediction, and how far the pooled result "
            "moves without it, one panel for each endpoint.")


CHAPTER = Chapter("influence", 70, (INFLUENCE,), _work, None, _figures,
                  lambda results, page: influence_section(results, page.picture("baujat")),
                  parts=("influence", "figure baujat"))
