"""Every published number beside the reanalysis, and what a new study would show."""

from collections.abc import Iterator, Mapping

from analysis.chapters.chapter import Asked, Chapter, Picture, Task
from analysis.chapters.published.figure import draw_published
from analysis.chapters.published.interval_shape import INTERVAL_SHAPES, judged_intervals, shape_rows, with_verdict
from analysis.chapters.published.section import published_sections
from analysis.results import facts
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import COMPARISON


def _work(asked: Asked) -> Iterator[Task]:
    for reported, endpoint in judged_intervals(asked.evidence):
        yield Task("interval shape", endpoint, shape_rows, (asked.base, reported, endpoint))


def _finish(results: Results) -> Mapping[str, list[Row]]:
    """The shapes with what the other methods give on the same rows."""
    methods = results.rows("frequentist.csv")
    return {INTERVAL_SHAPES.file: [
        with_verdict(row, [method for method in methods
                           if (method["endpoint"], method["subset"]) == (row["endpoint"], row["subset"])])
        for row in results.rows(INTERVAL_SHAPES.file)]}


def _figures(results: Results) -> Iterator[Picture]:
    comparisons = results.frame(COMPARISON)
    if comparisons["median"].notna().any():
        pairs = facts.with_published_interval(facts.pooled_comparisons(results, primary=True))
        yield Picture("published", draw_published, {
            "comparisons": comparisons, "labels": facts.labels(results)},
            f"Published estimates with confidence intervals above posterior medians with credible intervals; in "
            f"{sum(map(facts.agrees, pairs))} of {len(pairs)} the published estimate lies in the credible interval.")


CHAPTER = Chapter("published", 20, (INTERVAL_SHAPES,), _work, _finish, _figures,
                  lambda results, page: published_sections(results, page.picture("published")),
                  parts=("figure published",))
