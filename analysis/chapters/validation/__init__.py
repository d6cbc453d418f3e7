"""Whether later studies are what the review's predict; the words are in section.html."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import candidates
from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.validation.figure import draw_validation
from analysis.chapters.validation.rows import LATER, REVIEW, SCORES, VALIDATION, later_reports, validation_rows
from analysis.chapters.validation.scores import counted_rows, score_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.results import Results
from analysis.results.table import COMPUTED

_FEW = 10  # studies


def _work(asked: Asked) -> Iterator[Task]:
    """One task per endpoint on which review and later studies report; none where the later ones alone are asked for."""
    for endpoint in asked.evidence.endpoints if asked.base.question.study_set != LATER else ():
        question = replace(asked.base.question, endpoint=endpoint.endpoint, subset=ALL, study_set=REVIEW)
        if candidates(asked.evidence, question).rows and later_reports(asked.evidence, question):
            yield Task("validation", endpoint.endpoint, validation_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if results.computed(VALIDATION.file):
        yield Picture("validation", draw_validation, {"frame": results.frame(VALIDATION), "labels": results.labels},
                      "Reports of later studies within the intervals that the review's studies predict for them.")


def _section(results: Results, page: Page) -> Html:
    """How many reports of later studies are surprising, what does not transfer, and which model predicts them best."""
    rows, scores, write = results.rows(VALIDATION.file), results.rows(SCORES.file), results.writer(VALIDATION)
    headline = {row["endpoint"]: row["model"] for row in reversed(rows)}
    first = [row for row in rows if row["model"] == headline[row["endpoint"]]]
    judged = [row for row in counted_rows(results) if row in first]
    every = show(write, rows, "endpoint label report model observed median pit two_sided chance_named log_predictive "
                 "reason", caption="Each report of a later study, predicted from the review's studies",
                 marked=lambda row: "outside" if row["named"] and row["counted"] else None)
    return section("validation", "Do later studies bear it out?", rendered(
        "chapters/validation/section.html", write=write, rows=rows, judged=judged, every=every, below=NAMED_BELOW,
        few=_FEW, studies={row["study_id"] for row in judged}, endpoints={row["endpoint"] for row in judged},
        named=[row for row in judged if row["named"]],
        beyond_chance={row["endpoint"]: row for row in scores if row["model"] == headline.get(row["endpoint"])
                       and (row["as_many"] or 1.0) < NAMED_BELOW},
        survival=[row for row in scores if not row["endpoint"]],
        beside=lambda row: [other for other in results.computed(VALIDATION.file) if other not in first
                            and (other["endpoint"], other["row"]) == (row["endpoint"], row["row"])],
        aside=[row for row in first if not row["counted"]],
        refused={(row["endpoint"], row["model"]): row for row in rows if row["status"] != COMPUTED}.values(),
        scores=show(results.writer(SCORES, missing=""), scores, "endpoint model predictions k_studies named "
                    "chance_named as_many elpd elpd_difference", cells={
                        "endpoint": lambda row: None if row["endpoint"] else "All endpoints of survival"},
                    caption="How the review's studies predict the later reports that count"),
        picture=page.picture("validation")))


CHAPTER = Chapter("validation", 66, (VALIDATION, SCORES), _work, score_rows, _figures, _section,
                  parts=("validation", "figure validation"))
