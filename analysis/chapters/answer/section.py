"""The top of the report: what was asked, the answer in words, and the two tables that hold it."""

from collections.abc import Sequence

from analysis.cases.selection import ALL
from analysis.drawing.comparisons import difference_text
from analysis.drawing.html import Html, join, tag
from analysis.results import facts
from analysis.results.comparison import Comparison
from analysis.results.numbers import PERCENT, Scale, counted, level_text
from analysis.results.results import Results

_CARDS = 4


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


def _differences(results: Results, pairs: Sequence[Comparison]) -> str:
    parts = []
    for unit, scale in dict.fromkeys((found.reported.units, results.scale(found.endpoint)) for found in pairs):
        own = [found for found in pairs if (found.reported.units, results.scale(found.endpoint)) == (unit, scale)]
        name = unit if unit != "probability" else "percentage points" if scale == PERCENT else scale.unit
        low, high = (difference_text(choose(own, key=lambda found: found.difference), scale) for choose in (min, max))
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


def contents(results: Results) -> Html:
    """Links to the section of each endpoint."""
    links = [tag("a", endpoint.label, href=f"#endpoint-{endpoint.endpoint}")
             for endpoint in facts.fitted_endpoints(results)]
    return tag("nav", tag("span", "Endpoints: "), join(links, " · "), aria_label="Endpoints") if links else Html("")
