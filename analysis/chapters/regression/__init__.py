"""Whether results vary with covariates of the studies."""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.cases.settings import Job
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.regression.figure import bubble_content, draw_bubbles
from analysis.chapters.regression.rows import (
    COLLINEARITY_COLUMNS,
    IMPUTED_COLUMNS,
    PREDICTION_COLUMNS,
    REGRESSION_COLUMNS,
)
from analysis.chapters.regression.running import regress, regression_jobs
from analysis.chapters.regression.section import regression_block, regression_section
from analysis.drawing.html import Html
from analysis.evidence import Evidence
from analysis.results.results import Results
from analysis.results.table import Column, Layout


def _layout(file: str, meaning: str, names: tuple[str, ...]) -> Layout:
    return Layout(file, meaning, tuple(Column(name, name) for name in names))


LAYOUTS = (_layout("regression.csv", "One slope of one regression.", REGRESSION_COLUMNS),
           _layout("regression_predictions.csv", "One point of a curve over a covariate.", PREDICTION_COLUMNS),
           _layout("regression_imputed.csv", "One missing cell.", IMPUTED_COLUMNS),
           _layout("regression_collinearity.csv", "One pair of covariates.", COLLINEARITY_COLUMNS))


def _work(asked: Asked) -> Iterator[Task]:
    for job in regression_jobs(asked.evidence, asked.base, quick=asked.quick):
        yield Task("regression", job.question.endpoint, _rows, (job,))


def _rows(evidence: Evidence, job: Job) -> Mapping[str, Any]:
    done = regress(evidence, job)
    parts = (done.slopes, done.predictions, done.imputed, done.collinearity)
    return {**{layout.file: [{name: row.get(name) for name in layout.names} for row in rows]
               for layout, rows in zip(LAYOUTS, parts, strict=True)}, "regression": [done]}


def _figures(results: Results) -> Iterator[Picture]:
    for done in results.values.get("regression", ()):
        if any(not row["refused"] for row in done.slopes):
            endpoint = results.evidence.endpoint(done.job.question.endpoint)
            yield Picture("bubble", draw_bubbles, bubble_content(
                done, label=endpoint.label, stamp=results.stamp, scale=results.scale(endpoint.endpoint)),
                f"{endpoint.label}: each study's estimate over each covariate, with the posterior curve and its band.",
                endpoint.endpoint)


def _block(results: Results, endpoint: str, page: Page) -> Html:
    return regression_block(results, endpoint, page.picture("bubble", endpoint))


def _failed(results: Results) -> list[str]:
    return [f"NOT CONVERGED: {row['endpoint']} regression on {row['covariate']} ({row['analysis']}): {row['failures']}"
            for done in results.values.get("regression", ()) for row in done.failed]


CHAPTER = Chapter("regression", 90, LAYOUTS, _work, None, _figures,
                  lambda results, page: regression_section(results), _block, ("regression",), _failed)
