"""Every published number beside the reanalysis, and what a new study would show."""

from collections.abc import Iterator, Mapping

from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.published.figure import draw_published
from analysis.chapters.published.interval_shape import INTERVAL_SHAPES, has_shape, shape_rows, with_verdict
from analysis.chapters.published.section import comparison_section, prediction_section
from analysis.drawing.html import Html, join
from analysis.results import facts
from analysis.results.comparison import rule_for
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import COMPARISON


def _work(asked: Asked) -> Iterator[Task]:
    for reported in asked.evidence.reported:
        if has_shape(reported, rule_for(asked.evidence, reported)):
            yield Task("interval shape", rule_for(asked.evidence, reported).endpoint, shape_rows,
                       (asked.base, reported))


def _finish(results: Results) -> Mapping[str, list[Row]]:
    """The shapes with what the other methods give on the same rows."""
    methods = results.rows("frequentist.csv")
    return {INTERVAL_SHAPES.file: [
        with_verdict(row, [method for method in methods
                           if (method["endpoint"], method["subset"]) == (row["endpoint"], row["subset"])])
        for row in results.rows(INTERVAL_SHAPES.file)]}


def _figures(results: Results) -> Iterator[Picture]:
    rows = results.rows(COMPARISON.file)
    if any(row["median"] is not None for row in rows):
        pairs = facts.with_published_interval(facts.pooled_comparisons(results, primary=True))
        inside = sum(map(facts.agrees, pairs))
        yield Picture("published", draw_published, {
            "comparisons": rows, "names": facts.endpoint_names(results),
            "subsets": facts.subset_names_in_words(results), "scales": facts.scales(results),
            "title": "Published and recomputed", "stamp": results.stamp},
            f"Published estimates with confidence intervals above posterior medians with credible intervals; in "
            f"{inside} of {len(pairs)} the published estimate lies in the credible interval.")


def _section(results: Results, page: Page) -> Html:
    return join([comparison_section(results, page.picture("published")), prediction_section(results)], "\n\n")


CHAPTER = Chapter("published", 20, (INTERVAL_SHAPES,), _work, _finish, _figures, _section, parts=("figure published",))
