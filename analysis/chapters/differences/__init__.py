"""Where a difference from a published estimate comes from."""

from collections.abc import Iterator, Mapping

from analysis.chapters.chapter import Chapter, Page, Picture
from analysis.chapters.differences.decomposition import DECOMPOSITION, decompose, rows_of, with_total
from analysis.chapters.differences.figure import draw_decomposition
from analysis.chapters.differences.section import differences_section
from analysis.drawing.html import Html
from analysis.results import facts
from analysis.results.numbers import PROBABILITY_UNITS, counted
from analysis.results.results import Results
from analysis.results.table import Row


def _finish(results: Results) -> Mapping[str, list[Row]]:
    parts = decompose(results.comparisons, results.rows("frequentist.csv"),
                      with_total(results.rows("published_totals.csv")))
    return {DECOMPOSITION.file: rows_of(parts)}


def _figures(results: Results) -> Iterator[Picture]:
    rows = results.rows(DECOMPOSITION.file)
    if any(row["unit"] in PROBABILITY_UNITS for row in rows):
        shown = len({row["reported_id"] for row in rows})
        yield Picture("decomposition", draw_decomposition, {
            "rows": rows, "names": facts.endpoint_names(results), "subsets": facts.subset_names_in_words(results),
            "scales": facts.scales(results), "stamp": results.stamp},
            f"Steps from published estimate to posterior for {counted(shown, 'published estimate')}: published, the "
            f"paper's kind of method on this evidence, maximum likelihood, posterior.")


def _section(results: Results, page: Page) -> Html:
    return differences_section(results, page.picture("decomposition"))


CHAPTER = Chapter("differences", 40, (DECOMPOSITION,), None, _finish, _figures, _section,
                  parts=("other methods", "interval shape", "figure decomposition"))
