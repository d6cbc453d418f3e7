"""Whether later studies are what the review's predict; the words are in section.html."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from analysis.cases.selection import candidates
from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.validation.figure import draw_validation
from analysis.chapters.validation.rows import (
    LATER,
    REVIEW,
    SCORES,
    VALIDATION,
    later_reports,
    score_rows,
    validation_rows,
)
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row

_FEW = 10  # studies


def _work(asked: Asked) -> Iterator[Task]:
    """One task per endpoint on which review and later studies report; none where the later ones alone are asked for."""
    for endpoint in asked.evidence.endpoints if asked.base.question.study_set != LATER else ():
        question = replace(asked.base.question, endpoint=endpoint.endpoint, subset=ALL, study_set=REVIEW)
        if candidates(asked.evidence, question).rows and later_reports(asked.evidence, question):
            yield Task("validation", endpoint.endpoint, validation_rows, (asked.base, endpoint.endpoint))


def _figures(results: Results) -> Iterator[Picture]:
    if rows := results.computed(VALIDATION.file):
        first = _first(rows)
        named = [f"{row['label']}, {row['report']}" for row in first if row["named"]]
        yield Picture("validation", draw_validation, {"frame": results.frame(VALIDATION), "labels": results.labels},
                      f"{len(first)} reports of later studies on the intervals that the review's studies predict for "
                      f"them. Less probable than {NAMED_BELOW:g}: {'; '.join(named) or 'none'}.")


def _section(results: Results, page: Page) -> Html:
    """How many reports of later studies are surprising, what does not transfer, and which model predicts them best."""
    rows, scores, write = results.rows(VALIDATION.file), results.rows(SCORES.file), results.writer(VALIDATION)
    first, told = _first(rows), _told(results)
    every = show(write, rows, "endpoint label report model observed median pit two_sided chance_named log_predictive "
                 "reason", caption="Each report of a later study, predicted from the review's studies",
                 marked=lambda row: "outside" if row["named"] and row["counted"] else None)
    return section("validation", "Do later studies bear it out?", rendered(
        "chapters/validation/section.html", write=write, rows=rows, every=every, below=NAMED_BELOW,
        few=_FEW, endpoints={row["endpoint"] for row in told["judged"]}, **told,
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


def _first(rows: Sequence[Row]) -> list[Row]:
    """Rows of the headline model of each endpoint, which stands first."""
    headline = {row["endpoint"]: row["model"] for row in reversed(rows)}
    return [row for row in rows if row["model"] == headline[row["endpoint"]]]


def _told(results: Results) -> dict[str, Any]:
    """What the words speak of: reports that count, surprising ones, and endpoints with more of them than chance has."""
    first = _first(results.rows(VALIDATION.file))
    judged = [row for row in first if row["status"] == COMPUTED and row["counted"]]
    headline = {(row["endpoint"], row["model"]) for row in first}
    return {"judged": judged, "studies": {row["study_id"] for row in judged},
            "named": [row for row in judged if row["named"]],
            "beyond_chance": {row["endpoint"]: row for row in results.rows(SCORES.file)
                              if (row["endpoint"], row["model"]) in headline
                              and row["as_many"] is not None and row["as_many"] < NAMED_BELOW}}


def _brief(results: Results, page: Page) -> Html:
    """Whether later reports are as predicted, and each pooled number with the later studies."""
    told = _told(results)
    later = [row for row in results.computed("sensitivity.csv") if row["dimension"] == "study_set"
             and row["study_set"] == "all"]
    if not told["judged"]:
        return Html("")
    return rendered("chapters/validation/brief.html", write=results.writer(VALIDATION), **told,
                    table=_with_later(results, later))


def _with_later(results: Results, later: Sequence[Row]) -> Html:
    """The main number of each endpoint without and with later studies, both in one unit."""
    if not later:
        return Html("")
    headlines = {row["endpoint"]: row for row in results.rows("sensitivity.csv") if row["dimension"] == "headline"}
    write = results.writer(results.tables["sensitivity.csv"].layout)
    units = {write.scale(row) for row in later}
    before = replace(write, shared=units.pop() if len(units) == 1 else None)
    two = {row["endpoint"] for row in results.rows("answer.csv") if row["hazard"] == "falling"}
    return show(write, later, "endpoint before median k_studies", caption="The same with later studies",
                heads={"before": "Without{unit}", "median": "With them{unit}"},
                cells={"before": lambda row: before(headlines[row["endpoint"]]), "endpoint": lambda row:
                       write(row, "endpoint") + ", constant hazard" * (row["endpoint"] in two)})


CHAPTER = Chapter("validation", 66, (VALIDATION, SCORES), _work, score_rows, _figures, _section,
                  parts=("validation", "figure validation"), brief=_brief)
