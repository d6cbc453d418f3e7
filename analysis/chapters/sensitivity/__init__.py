"""What each conclusion hangs on among the choices that were made."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.sensitivity.figure import draw_sensitivity
from analysis.chapters.sensitivity.power import POWER_SCALING, power_rows
from analysis.chapters.sensitivity.section import sensitivity_block, sensitivity_section
from analysis.chapters.sensitivity.table import SENSITIVITY, compared, sensitivity_rows
from analysis.drawing.html import Html
from analysis.results import facts
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        arguments = (asked.base, endpoint.endpoint)
        yield Task("sensitivity", endpoint.endpoint, sensitivity_rows, arguments)
        yield Task("power scaling", endpoint.endpoint, power_rows, arguments)


def _figures(results: Results) -> Iterator[Picture]:
    labels = facts.labels(results)
    for endpoint in results.evidence.endpoints:
        if compared(results.rows(SENSITIVITY.file), endpoint.endpoint):
            frame = results.tables[SENSITIVITY.file].frame
            yield Picture("sensitivity", draw_sensitivity, {
                "frame": frame[frame["endpoint"] == endpoint.endpoint], "labels": labels},
                f"{endpoint.label}: the headline's interval and the interval of every refit with one choice changed.",
                endpoint.endpoint)


def _block(results: Results, endpoint: str, page: Page) -> Html:
    return sensitivity_block(results, endpoint, page.picture("sensitivity", endpoint))


CHAPTER = Chapter("sensitivity", 60, (SENSITIVITY, POWER_SCALING), _work, None, _figures,
                  lambda results, page: sensitivity_section(results), _block, parts=("sensitivity", "power scaling"))
