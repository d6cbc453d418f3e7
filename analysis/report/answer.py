"""The top of the report: what was asked, the answer in words, and the two tables that hold it."""

from collections.abc import Sequence

from analysis.comparison import Comparison
from analysis.pipeline import Results
from analysis.report import facts
from analysis.report.html import Html, join, paragraphs, section, table, tag
from analysis.selection import ALL
from analysis.wording import (
    counted,
    level_text,
    number,
    percent,
    signed,
    studies_and_patients,
    unit_text,
)

_CARDS = 4


def summary(results: Results) -> Html:
    """The answer in words: agreement, the leading endpoints, and what it rests on."""
    pairs = facts.with_published_interval(facts.pooled_comparisons(results, primary=True))
    sentences = _agreement(pairs) if pairs else _without_published(results)
    conflicts = (tag("p", f"{text}.", class_="banner mild") for text in facts.conflicts(results))
    return join([tag("p", " ".join(sentences), class_="lead"), *conflicts, _cards(results)], "\n")


def _agreement(pairs: Sequence[Comparison]) -> list[str]:
    total, inside = len(pairs), sum(map(facts.agrees, pairs))
    level = level_text(pairs[0].pooled.estimate.level)
    wider = sum(1 for found in pairs if found.width_ratio is not None and found.width_ratio > 1.0)
    fewer = sum(1 for found in pairs if (found.reported.k_studies or 0) > found.pooled.k_studies)
    share = "all" if inside == total else str(inside)
    within = sum(1 for found in pairs
                 if found.reported.ci_low <= found.pooled.estimate.median <= found.reported.ci_high)
    return [f"{counted(total, 'published pooled estimate has', 'published pooled estimates have')} the same "
            f"estimand in this reanalysis. In {share} of the {total} the published estimate lies inside our "
            f"{level} credible interval, and in {within if within < total else 'all'} our posterior median lies "
            f"inside the published confidence interval.", _differences(pairs),
            f"Our interval is wider than the published one in {wider} of {total}; ours rests on fewer studies in "
            f"{fewer} of {total}."]


def _differences(pairs: Sequence[Comparison]) -> str:
    parts = []
    for unit in dict.fromkeys(found.reported.units for found in pairs):
        sizes = [found.difference for found in pairs if found.reported.units == unit]
        name = "percentage points" if unit == "probability" else unit
        parts.append(f"{signed(min(sizes), unit)} to {signed(max(sizes), unit)} {name}")
    return f"Posterior medians differ from the published estimates by {' and '.join(parts)}."


def _without_published(results: Results) -> list[str]:
    endpoints = facts.fitted_endpoints(results)
    failed = [endpoint for endpoint in endpoints if results.headline(endpoint.endpoint).failed]
    studies = {row["study_id"] for endpoint in endpoints for row in results.headline(endpoint.endpoint).studies}
    text = f"{counted(len(endpoints), 'endpoint')} pooled over {counted(len(studies), 'study', 'studies')}."
    return [text, *([f"{len(failed)} of them did not converge, or failed, and have no result."] if failed else [])]


def _cards(results: Results) -> Html:
    endpoints = facts.fitted_endpoints(results)
    leading = [endpoint for endpoint in endpoints if endpoint.direction == "benefit"] or endpoints
    published = {found.endpoint: found for found in reversed(facts.pooled_comparisons(results, primary=True))
                 if (found.reported.subset or ALL) == ALL and found.estimand in facts.MAIN.values()}
    return tag("div", *(_card(results, endpoint, published.get(endpoint.endpoint))
                        for endpoint in leading[:_CARDS]), class_="cards")


def _card(results: Results, endpoint: object, published: Comparison | None) -> Html:
    record = results.headline(endpoint.endpoint)
    main = facts.estimate(record, facts.MAIN[endpoint.kind])
    head = tag("p", f"{endpoint.label}, {facts.main_name(results, endpoint)}", class_="name")
    if main is None:
        return tag("div", head, tag("p", record.status, class_="failed"), class_="card")
    big = tag("p", tag("strong", f"{number(main['median'], main['unit'])} {unit_text(main['unit'])}"),
              f" [{number(main['lower'], main['unit'])}, {number(main['upper'], main['unit'])}]", class_="big")
    ours = tag("p", f"{facts.kind_of(main)} interval; {counted(record.k_studies, 'study', 'studies')}, "
                    f"{counted(record.n_patients, 'patient')}")
    conflict = [tag("p", f"{facts.CONFLICT.capitalize()}: see above.", class_="failed")] if record.conflicts else []
    return tag("div", head, big, ours, *conflict, _published_line(published), class_="card")


def _published_line(published: Comparison | None) -> Html:
    if published is None:
        return Html("")
    reported = published.reported
    parts = [f"Published: {facts.printed(reported)}"]
    if reported.ci_low is not None:
        parts[0] += f", {level_text(reported.level)} confidence interval".replace(",  ", ", ")
    parts += [counted(reported.k_studies, "study", "studies")] if reported.k_studies else []
    parts += [counted(reported.n_patients, "patient")] if reported.n_patients else []
    return tag("p", "; ".join(parts), class_="published")


def comparison_section(results: Results, picture: Html) -> Html:
    """Every published number with an estimand in common, beside the posterior."""
    return section("answer", "Published and recomputed", comparison_table(
        results, facts.pooled_comparisons(results, primary=True)), _legend(results), picture)


def comparison_table(results: Results, found: Sequence[Comparison], *, caption: str = "") -> Html:
    """Comparisons as rows, grouped by endpoint; a published estimate outside our interval is marked."""
    level = level_text(results.base.level)
    levels = sorted({level_text(item.reported.level) for item in found if item.reported.level is not None})
    published = f"Published [{' or '.join(levels)} confidence]" if levels else "Published"
    heads = ("Endpoint and subset", published, "Studies / patients",
             f"Reanalysis [{level} credible]", "Studies / patients", "Difference", "Width ratio",
             "P(in published interval)", "Id")
    order = list(dict.fromkeys((item.reported.endpoint, item.reported.units) for item in found))
    ranked = sorted(found, key=lambda item: order.index((item.reported.endpoint, item.reported.units)))
    return table(caption or "Published estimates beside posterior medians of the same estimand", heads,
                 [_comparison_row(results, item) for item in ranked],
                 marked=[None if facts.agrees(item) else "outside" for item in ranked])


def _comparison_row(results: Results, found: Comparison) -> tuple[object, ...]:
    reported, pooled = found.reported, found.pooled
    unit, ours = reported.units, pooled.estimate
    time = f" at {ours.time_months:g} months" if ours.time_months else ", median" if unit == "months" else ""
    subset = facts.subset_label(results, reported.subset or ALL)
    fights = f"; {facts.CONFLICT}" if facts.conflicting(results, found.endpoint, reported.subset or ALL) else ""
    name = join([facts.endpoint_label(results, reported.endpoint) + time, tag("small", subset + fights)])
    chance = f"{percent(found.probability)} %" if found.probability is not None else number(None, unit)
    return (name, facts.printed(reported), studies_and_patients(reported.k_studies, reported.n_patients),
            facts.worded({"median": ours.median, "lower": ours.lower, "upper": ours.upper, "unit": unit}),
            studies_and_patients(pooled.k_studies, pooled.n_patients), signed(found.difference, unit),
            number(found.width_ratio, "1"), chance, reported.reported_id)


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
    heads = ("Endpoint", "Estimand", "Studies / patients", f"Pooled, % [{level} credible]",
             f"New study, % [{level} prediction]", f"Heterogeneity [{level} credible]")
    rows = []
    for endpoint in facts.fitted_endpoints(results):
        record = results.headline(endpoint.endpoint)
        name = facts.spread_name(record)
        cells = [facts.cell(record, one) for one in (facts.MAIN[endpoint.kind], facts.NEW[endpoint.kind], name)]
        spread = f"{name} {cells[2]}".lstrip()
        few = " (prior-dominated)" if record.k_studies <= 2 and record.estimates else ""
        fights = f" ({facts.CONFLICT})" if record.conflicts else ""
        rows.append((endpoint.label + fights, facts.main_name(results, endpoint),
                     studies_and_patients(record.k_studies, record.n_patients), cells[0], cells[1], spread + few))
    note = tag("p", "rho: intraclass correlation of the beta-binomial, 0 where all studies share one rate. "
                    "tau: standard deviation of log hazards between studies. A new study is one further study "
                    "that is exchangeable with these; its rate is predicted, not the count it would observe.",
               class_="legend")
    return section("prediction", "What a new study would show", table(
        "Pooled estimate, prediction for a new study, and heterogeneity", heads, rows, left=2), note if rows else "")
