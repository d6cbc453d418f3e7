"""Whether later studies are what the review's predict."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import candidates
from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Picture, Task
from analysis.chapters.validation.figure import draw_validation
from analysis.chapters.validation.rows import (
    COMPUTED,
    LATER,
    REVIEW,
    SCORES,
    VALIDATION,
    later_reports,
    later_studies,
    validation_rows,
)
from analysis.chapters.validation.scores import score_rows
from analysis.chapters.validation.section import validation_section
from analysis.results import facts
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    """One task per endpoint on which review and later studies report; none where the later ones alone are asked for."""
    if not later_studies(asked.evidence) or asked.base.question.study_set == LATER:
        return
    for endpoint in asked.evidence.endpoints:
        question = replace(asked.base.question, endpoint=endpoint.endpoint, subset=ALL, study_set=REVIEW)
        if candidates(asked.evidence, question).rows and later_reports(asked.evidence, question):
            yield Task("validation", endpoint.endpoint, validation_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if any(row["status"] == COMPUTED for row in results.rows(VALIDATION.file)):
        yield Picture("validation", draw_validation, {
            "frame": results.frame(VALIDATION), "names": facts.endpoint_names(results),
            "scales": facts.scales(results), "stamp": results.stamp},
            "Reports of later studies within the intervals that the review's studies predict for them, one panel for "
            "each endpoint.")


CHAPTER = Chapter("validation", 66, (VALIDATION, SCORES), _work, score_rows, _figures,
                  lambda results, page: validation_section(results, page.picture("validation")),
                  parts=("validation", "figure validation"))
