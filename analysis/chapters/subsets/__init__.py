"""Each subset of the studies against its complement; the words are in section.html."""

from collections.abc import Iterator

from analysis.chapters.chapter import Asked, Chapter, Page, Task
from analysis.chapters.subsets.rows import FEWEST, SUBSET_DIFFERENCES, subset_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.results import Results
from analysis.results.table import COMPUTED


def _work(asked: Asked) -> Iterator[Task]:
    for endpoint in asked.evidence.endpoints:
        yield Task("subsets", endpoint.endpoint, subset_rows, (asked.base, endpoint.endpoint))


def _section(results: Results, page: Page) -> Html:
    write, rows = results.writer(SUBSET_DIFFERENCES), results.rows(SUBSET_DIFFERENCES.file)
    computed = results.computed(SUBSET_DIFFERENCES.file)
    every = show(write, rows, "endpoint subset rule subset_k subset_median rest_k rest_median difference positive note",
                 cells={"difference": lambda row: row["reason"] or None},
                 caption="Each subset, its complement and their difference, from separate fits")
    return section("subset-differences", "Do the subsets differ?", rendered(
        "chapters/subsets/section.html", write=write, rows=rows, computed=computed, every=every, few=FEWEST,
        apart=[row for row in computed if row["difference_lower"] * row["difference_upper"] > 0.0],
        closest=max(computed, key=lambda row: abs(row["positive"] - 0.5), default=None),
        dominated=[row for row in computed if min(row["subset_k"], row["rest_k"]) < FEWEST],
        one_sided=[row for row in rows if row["status"] != COMPUTED]))


CHAPTER = Chapter("subsets", 80, (SUBSET_DIFFERENCES,), _work, section=_section, parts=("subsets",))
