"""The top of the report: what was asked, the answer in words, and the two tables that hold it."""

from collections.abc import Sequence

from analysis.cases.selection import ALL
from analysis.drawing.html import Html, join, paragraphs, section, table, tag
from analysis.results import facts
from analysis.results.comparison import Comparison
from analysis.results.numbers import PERCENT, Scale, counted, level_text, number, percent, signed, studies_and_patients
from analysis.results.results import Results

_CARDS = 4
_SPREADS = {"rate": "rho: intraclass correlation of the beta-binomial, 0 where all studies share one rate.",
            "survival": "tau: standard deviation of log hazards between studies."}


def summary(results: Results) -> Html:
    """The answer in words: agreement, the leading endpoints, and what it rests on."""
    pairs = facts.with_published_interval(facts.pooled_comparisons(results, primary=True))
    sentences = _agreement(results, pairs) if pairs else _without_published(results)
    conflicts = (tag("p", f"{text}.", class_="banner mild") for text in facts.conflicts(results))
    return join([tag("p", " ".join(sentences), class_="lead"), *conflicts, _cards(results)], "\n")


def _agreement(results: Results, pairs: Sequence[Comparison]) -> list[str]:
    total, inside = len(pairs), sum(map(facts.agrees, pairs))
    level = level_text(pairs[0].pooled.estimate.level)
    wider = sum(1 for found in pairs if found.width_ratio is not None and found.width_ratio > 1.0)
    fewer = sum(1 for found in pairs if (found.reported.k_studies or 0) > found.pooled.k_studies)
    within = sum(1 for found in pairs
                 if found.reported.ci_low <= found.pooled.estimate.median <= found.reported.ci_high)
    first = f"{counted(total, 'published pooled estimate has', 'published pooled estimates have')} the same " \
            f"estimand in this reanalysis."
    if total == 1:
        return [first, f"It lies {_side(inside)} our {level} credible interval, and our posterior median lies "
                       f"{_side(within)} the published confidence interval.", _differences(results, pairs),
                *(["Our interval is wider than the published one."] if wider else []),
                *(["Ours rests on fewer studies."] if fewer else [])]
    return [f"{first} In {'all' if inside == total else inside} of the {total} the published estimate lies inside our "
            f"{level} credible interval, and in {within if within < total else 'all'} our posterior median lies "
            f"inside the published confidence interval.", _differences(results, pairs),
            f"Our interval is wider than the published one in {wider} of {total}; ours rests on fewer studies in "
            f"{fewer} of {total}."]


def _side(inside: int) -> str:
    return "inside" if inside else "outside"


def _signed(found: Comparison, scale: Scale) -> str:
    ours = found.pooled.estimate
    return signed(found.difference, found.reported.units, scale, like=(ours.median, ours.lower, ours.upper))


def _differences(results: Results, pairs: Sequence[Comparison]) -> str:
    parts = []
    for unit, scale in dict.fromkeys((found.reported.units, results.scale(found.endpoint)) for found in pairs):
        own = [found for found in pairs if (found.reported.units, results.scale(found.endpoint)) == (unit, scale)]
        name = unit if unit != "probability" else "percentage points" if scale == PERCENT else scale.unit
        low, high = (_signed(choose(own, key=lambda found: found.difference), scale) for choose in (min, max))
        parts.append(f"{low} {name}" if low == high else f"{low} to {high} {name}")
    estimates = "The posterior median differs from the published estimate" if len(pairs) == 1 else \
        "Posterior medians differ from the published estimates"
    return f"{estimates} by {' and '.join(parts)}."


def _without_published(results: Results) -> list[str]:
    endpoints = facts.fitted_endpoints(results)
    failed = [endpoint for endpoint in endpoints if results.headline(endpoint.endpoint).failed]
    studies = {row["study_id"] for endpoint in endpoints for row in results.headline(endpoint.endpoint).studies}
    text = f"{counted(len(endpoints), 'endpoint')} pooled over {counted(len(studies), 'study', 'studies')}."
    have = "has" if len(failed) == 1 else "have"
    return [text, *([f"{len(failed)} of {len(endpoints)} did not converge, or failed, and {have} no result."] if failed
                    else [])]


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
    scale = results.scale(endpoint.endpoint)
    middle, bracket, rest = facts.worded(main, scale).partition(" [")
    big = tag("p", tag("strong", middle), f"{bracket}{rest}", class_="big")
    ours = tag("p", f"{facts.kind_of(main)} interval; {counted(record.k_studies, 'study', 'studies')}, "
                    f"{counted(record.n_patients, 'patient')}")
    conflict = [tag("p", f"{facts.CONFLICT.capitalize()}: see above.", class_="failed")] if record.conflicts else []
    return tag("div", head, big, ours, *conflict, _published_line(published, scale), class_="card")


def _published_line(published: Comparison | None, scale: Scale) -> Html:
    if published is None:
        return Html("")
    reported = published.reported
    parts = [f"Published: {facts.printed(reported, scale)}"]
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
    unit, ours, scale = reported.units, pooled.estimate, results.scale(found.endpoint)
    time = f" at {ours.time_months:g} months" if ours.time_months else ", median" if unit == "months" else ""
    subset = facts.subset_label(results, reported.subset or ALL)
    fights = f"; {facts.CONFLICT}" if facts.conflicting(results, found.endpoint, reported.subset or ALL) else ""
    name = join([facts.endpoint_label(results, reported.endpoint) + time, tag("small", subset + fights)])
    chance = f"{percent(found.probability)} %" if found.probability is not None else number(None, unit)
    return (name, facts.printed(reported, scale), studies_and_patients(reported.k_studies, reported.n_patients),
            facts.worded({"median": ours.median, "lower": ours.lower, "upper": ours.upper, "unit": unit}, scale),
            studies_and_patients(pooled.k_studies, pooled.n_patients), _signed(found, scale),
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
