"""Whether a result hangs on the sampler or the model."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.cases.selection import candidates
from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Task
from analysis.chapters.models.comparison import LEAVE_ONE_OUT, MODEL_COMPARISON, comparison_rows
from analysis.chapters.models.section import models_section
from analysis.inference.posterior import MOST_STUDIES

_FEWEST_STUDIES, _MOST_PATIENTS = 3, 20_000
"""With fewer studies nothing can be judged; more of them, or larger ones, would take minutes."""


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        question = replace(asked.base.question, endpoint=endpoint.endpoint, subset=ALL)
        selection = candidates(asked.evidence, question)
        if (_FEWEST_STUDIES <= len(selection.study_ids) <= MOST_STUDIES
                and sum(row.n for row in selection.rows) <= _MOST_PATIENTS):
            yield Task("model comparison", endpoint.endpoint, comparison_rows, (asked.base, endpoint.endpoint))


CHAPTER = Chapter("models", 110, (MODEL_COMPARISON, LEAVE_ONE_OUT), _work,
                  section=lambda results, page: models_section(results), parts=("model comparison",))
