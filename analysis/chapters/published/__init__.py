"""Every published number beside the reanalysis, and what a new study would show; the words are in section.html."""

from collections.abc import Iterator, Mapping, Sequence

from analysis.cases.settings import ALL
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.published.figure import SAME, draw_published
from analysis.chapters.published.rows import INTERVAL_SHAPES, judged_intervals, shape_rows, with_methods
from analysis.drawing.html import Html, rendered, show
from analysis.drawing.tables import FITS, comparison_table, fit_row
from analysis.inference.estimands import MAIN
from analysis.results.comparison import COMPARISON, agrees, distinct, said_again
from analysis.results.results import CONFLICT, Results
from analysis.results.table import Frame, Row


def _work(asked: Asked) -> Iterator[Task]:
    for reported, endpoint in judged_intervals(asked.evidence):
        yield Task("interval shape", endpoint, shape_rows, (asked.base, reported, endpoint))


def _finish(results: Results) -> Mapping[str, list[Row]]:
    """The shapes with what the other methods give on the same rows at the same level."""
    methods = results.rows("frequentist.csv")
    levels = {reported.reported_id: reported.level or results.base.level for reported in results.evidence.reported}
    return {INTERVAL_SHAPES.file: [
        with_methods(row, [method for method in methods if (method["endpoint"], method["subset"], method["level"])
                           == (row["endpoint"], row["subset"], levels[row["reported_id"]])])
        for row in results.rows(INTERVAL_SHAPES.file)]}


def _figures(results: Results) -> Iterator[Picture]:
    comparisons = results.frame(COMPARISON)
    pairs = distinct(results.compared(interval=True))
    if comparisons["median"].notna().any():
        yield _picture(results, "published", comparisons, pairs)
    leading = [row for row in pairs if (row["subset"] or ALL) == ALL and row["estimand"] in MAIN.values()]
    if leading:
        ids = {row["reported_id"] for row in leading}
        yield _picture(results, "summary", comparisons[comparisons["reported_id"].isin(ids)], leading)


def _picture(results: Results, kind: str, comparisons: Frame, pairs: Sequence[Row]) -> Picture:
    falling = {tuple(row[name] for name in SAME): row for row in results.computed("survival_curves.csv")
               if row["model"] == "weibull"}
    return Picture(kind, draw_published, {"comparisons": comparisons, "labels": results.labels, "falling": falling},
                   f"Published estimates with confidence intervals above posterior medians with credible intervals; in "
                   f"{sum(map(agrees, pairs))} of {len(pairs)} the published estimate lies in the credible interval."
                   + (" Survival is shown with a constant hazard and with one that may fall." if falling else ""))


def _section(results: Results, page: Page) -> Html:
    """Every published number beside the posterior of its estimand; what a new study would show in each endpoint."""
    compared = results.compared()
    return rendered(
        "chapters/published/section.html", picture=page.picture("published"), compared=compared,
        predicted=sorted({results.main_name(endpoint).removeprefix("mean ").partition(" at ")[0]
                          for endpoint in results.fitted}),
        audit=results.evidence.audit,
        again=[row["reported_id"] for row in said_again(results.compared(interval=True))],
        outside=not all(map(agrees, compared)), predictions=_predictions(results), comparisons=comparison_table(
            results, compared, caption="Published estimates beside posterior medians of the same estimand"))


def _predictions(results: Results) -> Html:
    headlines = (results.headline(endpoint.endpoint) for endpoint in results.fitted)

    def heterogeneity(row: Row) -> str:
        record = row["record"]
        few = " (prior-dominated)" if record.k_studies <= 2 and record.estimates else ""
        return f"{record.heterogeneity} {results.writer(FITS)(row, 'spread_median')}".lstrip() + few

    return show(results.writer(FITS), [fit_row(results, record, record.heterogeneity) for record in headlines],
                "endpoint estimand k_studies main_median new_median spread_median",
                caption="Pooled estimate, prediction for a new study, and heterogeneity",
                cells={"endpoint": lambda row: results.labels.endpoints[row["endpoint"]]
                       + (f" ({CONFLICT})" if row["record"].conflicts else ""), "spread_median": heterogeneity,
                       "estimand": lambda row: results.main_name(results.evidence.endpoint(row["endpoint"]))})


CHAPTER = Chapter("published", 20, (INTERVAL_SHAPES,), _work, _finish, _figures, _section,
                  parts=("figure published", "figure summary"))
