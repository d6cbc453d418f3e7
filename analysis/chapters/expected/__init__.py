"""What a further study is expected to count; the words are in brief.html."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Page, Task
from analysis.chapters.expected.rows import EXPECTED, PATIENTS, expected_rows
from analysis.drawing.html import Html, rendered, show
from analysis.evidence.loading import DEFAULT_DATA
from analysis.results.results import Results


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        if endpoint.kind == "rate":
            yield Task("expected counts", endpoint.endpoint, expected_rows, (asked.base, endpoint.endpoint))


def _brief(results: Results, page: Page) -> Html:
    """The counts among so many patients that would surprise nobody, for each rate."""
    rows = [row for row in results.computed(EXPECTED.file) if row["n"] == PATIENTS[0]]
    leading = next((row for row in rows if results.evidence.endpoint(row["endpoint"]).direction == "benefit"),
                   next(iter(rows), None))
    write = results.writer(EXPECTED)
    return rendered(
        "chapters/expected/brief.html", write=write, leading=leading, few=PATIENTS[0],
        data="" if results.evidence.directory == DEFAULT_DATA else results.evidence.directory,
        table=show(write, rows, "endpoint lower likely_low", heads={"endpoint": f"Of {PATIENTS[0]} patients"},
                   caption=f"Events among {PATIENTS[0]} patients of a further study",
                   cells={"lower": lambda row: f"{row['lower']} to {row['upper']}",
                          "likely_low": lambda row: f"{row['likely_low']} to {row['likely_high']}"})) \
        if rows else Html("")


CHAPTER = Chapter("expected", 42, (EXPECTED,), _work, parts=("expected counts",), brief=_brief)
