"""Where a difference from a published estimate comes from."""

from collections.abc import Iterator

from analysis.chapters.chapter import Chapter, Picture
from analysis.chapters.differences.decomposition import DECOMPOSITION, decomposition_rows
from analysis.chapters.differences.figure import MAX_BLOCKS, blocks_of, draw_decomposition
from analysis.chapters.differences.section import differences_section
from analysis.results import facts
from analysis.results.numbers import counted
from analysis.results.results import Results


def _figures(results: Results) -> Iterator[Picture]:
    steps = results.frame(DECOMPOSITION)
    if blocks := blocks_of(steps)[:MAX_BLOCKS]:
        yield Picture("decomposition", draw_decomposition, {"steps": steps, "labels": facts.labels(results)},
                      f"Steps from published estimate to posterior for {counted(len(blocks), 'published estimate')}: "
                      f"published, the paper's kind of method on this evidence, maximum likelihood, posterior.")


CHAPTER = Chapter("differences", 40, (DECOMPOSITION,), None,
                  lambda results: {DECOMPOSITION.file: decomposition_rows(results)}, _figures,
                  lambda results, page: differences_section(results, page.picture("decomposition")),
                  parts=("other methods", "interval shape", "figure decomposition"))
