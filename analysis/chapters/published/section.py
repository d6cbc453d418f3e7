"""The values of the sections on published numbers and on a new study; their words are in section.html."""

from analysis.drawing.comparisons import comparison_table
from analysis.drawing.html import Html, rendered
from analysis.evidence.types import Endpoint
from analysis.results import facts
from analysis.results.facts import Rates
from analysis.results.numbers import level_text, studies_and_patients
from analysis.results.results import Results


def published_sections(results: Results, picture: Html) -> Html:
    """Every published number beside the posterior of its estimand; what a new study would show in each endpoint."""
    level, endpoints = level_text(results.base.level), facts.fitted_endpoints(results)
    rates = facts.rates(results, (endpoint.endpoint for endpoint in endpoints))
    compared = facts.pooled_comparisons(results, primary=True)
    return rendered(
        "chapters/published/section.html", picture=picture, compared=compared, kinds=facts.kinds(results),
        comparisons=comparison_table(results, compared),
        outside=not all(map(facts.agrees, compared)), heads=(
            "Endpoint", "Estimand", "Studies / patients", rates.head("Pooled", f"{level} credible"),
            rates.head("New study", f"{level} prediction"), f"Heterogeneity [{level} credible]"),
        predictions=[_prediction(results, endpoint, rates) for endpoint in endpoints])


def _prediction(results: Results, endpoint: Endpoint, rates: Rates) -> tuple[str, ...]:
    record, scale = results.headline(endpoint.endpoint), results.scale(endpoint.endpoint)
    heterogeneity = facts.spread_name(record)
    pooled, new, spread = (facts.cell(record, estimand, scale, unit=not rates.shared) for estimand in
                           (facts.MAIN[endpoint.kind], facts.NEW[endpoint.kind], heterogeneity))
    few = " (prior-dominated)" if record.k_studies <= 2 and record.estimates else ""
    return (endpoint.label + (f" ({facts.CONFLICT})" if record.conflicts else ""), facts.main_name(results, endpoint),
            studies_and_patients(record.k_studies, record.n_patients), pooled, new,
            f"{heterogeneity} {spread}".lstrip() + few)
