"""Every published number beside the reanalysis, and what a new study would show."""

from analysis.drawing.comparisons import comparison_table
from analysis.drawing.html import Html, paragraphs, section, table, tag
from analysis.results import facts
from analysis.results.numbers import level_text, studies_and_patients
from analysis.results.results import Results

_SPREADS = {"rate": "rho: intraclass correlation of the beta-binomial, 0 where all studies share one rate.",
            "survival": "tau: standard deviation of log hazards between studies."}


def comparison_section(results: Results, picture: Html) -> Html:
    """Every published number with an estimand in common, beside the posterior."""
    return section("answer", "Published and recomputed", comparison_table(
        results, facts.pooled_comparisons(results, primary=True)), _legend(results), picture)


def _legend(results: Results) -> Html:
    if not facts.pooled_comparisons(results, primary=True):
        return Html("")
    outside = [found for found in facts.pooled_comparisons(results, primary=True) if not facts.agrees(found)]
    items = ["Difference: posterior median minus published estimate, in points (per cents) or months.",
             "Width ratio: width of our credible interval over that of the published confidence interval.",
             "P(in published interval): posterior probability that the estimand lies in the published interval.",
             "A dash: not printed in the publication."]
    if outside:
        items.append("Shaded rows: the published estimate lies outside our credible interval.")
    return tag("div", paragraphs(items), class_="legend")


def prediction_section(results: Results) -> Html:
    """Per endpoint what a new study would show, and how much studies differ."""
    level = level_text(results.base.level)
    rates = facts.rates(results, (endpoint.endpoint for endpoint in facts.fitted_endpoints(results)))
    heads = ("Endpoint", "Estimand", "Studies / patients", rates.head("Pooled", f"{level} credible"),
             rates.head("New study", f"{level} prediction"), f"Heterogeneity [{level} credible]")
    rows = []
    for endpoint in facts.fitted_endpoints(results):
        record = results.headline(endpoint.endpoint)
        name, scale = facts.spread_name(record), results.scale(endpoint.endpoint)
        cells = [facts.cell(record, estimand, scale, unit=not rates.shared)
                 for estimand in (facts.MAIN[endpoint.kind], facts.NEW[endpoint.kind], name)]
        spread = f"{name} {cells[2]}".lstrip()
        few = " (prior-dominated)" if record.k_studies <= 2 and record.estimates else ""
        fights = f" ({facts.CONFLICT})" if record.conflicts else ""
        rows.append((endpoint.label + fights, facts.main_name(results, endpoint),
                     studies_and_patients(record.k_studies, record.n_patients), cells[0], cells[1], spread + few))
    kinds = facts.kinds(results)
    words = [_SPREADS[kind] for kind in _SPREADS if kind in kinds]
    own = " or ".join(word for kind, word in (("rate", "rate"), ("survival", "survival")) if kind in kinds)
    words.append(f"A new study is one further study that is exchangeable with these; its {own} is predicted, not the "
                 "count it would observe.")
    note = tag("p", " ".join(words), class_="legend")
    return section("prediction", "What a new study would show", table(
        "Pooled estimate, prediction for a new study, and heterogeneity", heads, rows, left=2), note if rows else "")
