"""Whether results vary with covariates of the studies."""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.cases.settings import Job
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.regression.figure import draw_bubbles
from analysis.chapters.regression.rows import LAYOUTS, SLOPES
from analysis.chapters.regression.running import regress, regression_jobs
from analysis.chapters.regression.section import regression_block, regression_section
from analysis.drawing.html import Html
from analysis.evidence.types import Evidence
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for job in regression_jobs(asked.evidence, asked.base, quick=asked.quick):
        yield Task("regression", job.question.endpoint, _rows, (job,))


def _rows(evidence: Evidence, job: Job) -> Mapping[str, Any]:
    regressed = regress(evidence, job)
    drawn = len(regressed.refused) < len(regressed.slopes)
    return {**regressed.tables, "bubble": [(job.question.endpoint, regressed.bubbles)] if drawn else []}


def _figures(results: Results) -> Iterator[Picture]:
    for endpoint, content in results.values.get("bubble", ()):
        label = results.evidence.endpoint(endpoint).label
        yield Picture("bubble", draw_bubbles, {**content, "label": label, "stamp": results.stamp,
                                               "scale": results.labels.scales[endpoint]},
                      f"{label}: each study's estimate over each covariate, with the posterior curve and its band.",
                      endpoint)


def _block(results: Results, endpoint: str, page: Page) -> Html:
    return regression_block(results, endpoint, page.picture("bubble", endpoint))


def _failed(results: Results) -> list[str]:
    return [f"NOT CONVERGED: {slope['endpoint']} regression on {slope['covariate']} ({slope['analysis']}): "
            f"{slope['failures']}" for slope in results.rows(SLOPES.file) if slope["status"] == "NOT CONVERGED"]


CHAPTER = Chapter("regression", 90, LAYOUTS, _work, None, _figures,
                  lambda results, page: regression_section(results), _block, ("regression",), _failed)
