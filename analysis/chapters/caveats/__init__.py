"""What limits the answer; the words are in brief.html."""

from collections.abc import Iterator

from analysis.cases.selection import early_before
from analysis.cases.settings import ALL
from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, join, rendered, tag
from analysis.results.comparison import distinct
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import ESTIMATES

_MOVED = {"influence.csv": "single studies", "validation.csv": "later studies", "regression.csv": "covariates",
          "": "other choices"}
"""What tables say that was computed with a constant hazard."""


def _brief(results: Results, page: Page) -> Html:
    """What limits the answer, as far as the results themselves tell."""
    ratios = [row["width_ratio"] for row in distinct(results.compared(interval=True)) if row["width_ratio"] is not None]
    fewer = {row["our_endpoint"]: row for row in results.compared() if (row["subset"] or ALL) == ALL
             and (row["published_k"] or 0) > row["k_studies"]}
    falling = {row["endpoint"] for row in results.rows("answer.csv") if row["hazard"] == "falling"}
    headlines = ((endpoint, results.headline(endpoint.endpoint)) for endpoint in results.fitted)
    words = rendered(
        "chapters/caveats/brief.html", results=results, fewer=list(fewer.values()), failed=results.failed,
        shared=results.evidence.reported and results.base.question.study_set == "review",
        narrower=sum(ratio < 1.0 for ratio in ratios), ratios=len(ratios),
        few=[endpoint.label for endpoint, record in headlines if record.estimates and record.k_studies <= 2],
        crude=[endpoint.label for endpoint in results.fitted if endpoint.crude],
        early_fits=list(_early(results)), early_before=early_before, write=results.writer(ESTIMATES),
        survival=any(record.conversions for record in results.records),
        preferred=[endpoint.label for endpoint in results.fitted if endpoint.endpoint in falling],
        moved=[words for file, words in _MOVED.items() if not file or results.rows(file)],
        of_events=all(results.labels.scales[record.job.question.endpoint].months for record in results.records
                      if record.conversions))
    return join([tag("h2", "What limits this answer"), tag("ul", words)]) if words else Html("")


def _early(results: Results) -> Iterator[tuple[Row, Row]]:
    """Survival with early landmarks, and without them."""
    for record in results.records:
        question = record.job.question
        headline = results.headline(question.endpoint, question.subset)
        with_them, without = headline and headline.estimate("survival"), record.estimate("survival")
        if not question.early_landmarks and with_them and without:
            yield with_them, without


CHAPTER = Chapter("caveats", 30, brief=_brief)
