"""Whether a result hangs on the sampler or the model; the words are in section.html."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import candidates
from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Page, Task
from analysis.chapters.models.rows import DEFAULT, LEAVE_ONE_OUT, MODEL_COMPARISON, comparison_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.diagnostics import LIMIT
from analysis.inference.posterior import MOST_STUDIES
from analysis.results.numbers import fixed
from analysis.results.results import Results

_FEWEST_STUDIES, _MOST_PATIENTS = 3, 20_000
"""With fewer studies nothing can be judged; more of them, or larger ones, would take minutes."""
_MOST_SURPRISING = 10  # of which the caption tells


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        question = replace(asked.base.question, endpoint=endpoint.endpoint, subset=ALL)
        selection = candidates(asked.evidence, question)
        if (_FEWEST_STUDIES <= len(selection.study_ids) <= MOST_STUDIES
                and sum(row.n for row in selection.rows) <= _MOST_PATIENTS):
            yield Task("model comparison", endpoint.endpoint, comparison_rows, (asked.base, endpoint.endpoint))


def _section(results: Results, page: Page) -> Html:
    """Both engines side by side, and the rate models judged by prediction and, with equal priors, by weight."""
    choice = "the sampler or the model" if "rate" in results.kinds else "the sampler"
    compared = [record for record in results.records if record.agreement]
    rivals = results.rows(MODEL_COMPARISON.file)
    models = show(
        results.writer(MODEL_COMPARISON, missing=""), [row for row in rivals if row["prior_spread"] is not None],
        "endpoint which_priors model prior_spread elpd_loo elpd_difference weight pit_uniform_p",
        cells={"prior_spread": lambda row: fixed(100.0 * row["prior_spread"], 1)},
        caption="Rate models: prediction of each study from the others")
    surprising = sorted((row for row in results.rows(LEAVE_ONE_OUT.file) if row["which_priors"] == DEFAULT
                         and row["model"] == results.headline(row["endpoint"]).model),
                        key=lambda row: row["two_sided"])[:_MOST_SURPRISING]
    return section("models", f"Does it hang on {choice}?", rendered(
        "chapters/models/section.html", fits=len(compared), limit=LIMIT, models=models,
        gaps=[abs(row["z"]) for record in compared for row in record.agreement],
        error=max((record.diagnostics["quadrature_error"] for record in compared), default=0.0),
        absent=dict.fromkeys(row["reason"] for row in rivals if row["reason"]),
        studies=show(results.writer(LEAVE_ONE_OUT), surprising, "endpoint label pit two_sided elpd_loo",
                     caption=f"The {'ten' if len(surprising) == _MOST_SURPRISING else len(surprising)} smallest "
                             "two-sided predictive probabilities, headline models")))


CHAPTER = Chapter("models", 110, (MODEL_COMPARISON, LEAVE_ONE_OUT), _work, section=_section,
                  parts=("model comparison",))
