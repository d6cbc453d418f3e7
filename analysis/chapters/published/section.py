"""The values of the sections on published numbers and on a new study; their words are in section.html."""

from analysis.drawing.html import Html, rendered, show
from analysis.drawing.tables import FITS, comparison_table, fit_row
from analysis.results.comparison import agrees
from analysis.results.results import CONFLICT, Results
from analysis.results.table import Row


def published_sections(results: Results, picture: Html) -> Html:
    """Every published number beside the posterior of its estimand; what a new study would show in each endpoint."""
    compared = results.compared()
    return rendered(
        "chapters/published/section.html", picture=picture, compared=compared, kinds=results.kinds,
        outside=not all(map(agrees, compared)), predictions=_predictions(results), comparisons=comparison_table(
            results, compared, caption="Published estimates beside posterior medians of the same estimand"))


def _predictions(results: Results) -> Html:
    endpoints = {endpoint.endpoint: endpoint for endpoint in results.fitted}
    headlines = map(results.headline, endpoints)

    def heterogeneity(row: Row) -> str:
        record = row["record"]
        few = " (prior-dominated)" if record.k_studies <= 2 and record.estimates else ""
        return f"{record.heterogeneity} {results.writer(FITS)(row, 'spread_median')}".lstrip() + few

    return show(results.writer(FITS), [fit_row(results, record, record.heterogeneity) for record in headlines],
                "endpoint estimand k_studies main_median new_median spread_median",
                caption="Pooled estimate, prediction for a new study, and heterogeneity",
                cells={"endpoint": lambda row: endpoints[row["endpoint"]].label
                       + (f" ({CONFLICT})" if row["record"].conflicts else ""), "spread_median": heterogeneity,
                       "estimand": lambda row: results.main_name(endpoints[row["endpoint"]])})
