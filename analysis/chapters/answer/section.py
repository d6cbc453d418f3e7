"""The values of the top of the report; its words are in section.html."""

from collections.abc import Sequence
from typing import Any

from analysis.cases.settings import ALL
from analysis.drawing.comparisons import difference_text
from analysis.drawing.html import Html, rendered
from analysis.evidence.types import Endpoint
from analysis.results import facts
from analysis.results.comparison import Comparison
from analysis.results.numbers import PERCENT, level_text
from analysis.results.results import Results

_CARDS = 4


def answer_section(results: Results) -> Html:
    """The answer in words: agreement, the leading endpoints, and the way to each endpoint."""
    endpoints = facts.fitted_endpoints(results)
    pairs = facts.with_published_interval(facts.pooled_comparisons(results, primary=True))
    headlines = [results.headline(endpoint.endpoint) for endpoint in endpoints]
    return rendered(
        "chapters/answer/section.html", say=facts.Words(results), endpoints=endpoints, pairs=pairs, total=len(pairs),
        inside=sum(map(facts.agrees, pairs)), within=sum(map(_median_inside, pairs)),
        wider=sum((pair.width_ratio or 0.0) > 1.0 for pair in pairs),
        fewer=sum((pair.reported.k_studies or 0) > pair.pooled.k_studies for pair in pairs),
        level=level_text(results.base.level), differences=_differences(results, pairs),
        studies=len({row["study_id"] for record in headlines for row in record.studies}),
        failed=sum(record.failed for record in headlines), conflict_words=facts.CONFLICT,
        cards=_cards(results, endpoints))


def _median_inside(pair: Comparison) -> bool:
    return pair.reported.ci_low <= pair.pooled.estimate.median <= pair.reported.ci_high


def _differences(results: Results, pairs: Sequence[Comparison]) -> list[str]:
    """Smallest to largest difference for each unit."""
    units: dict[tuple[str, Any], list[Comparison]] = {}
    for pair in pairs:
        units.setdefault((pair.reported.units, results.scale(pair.endpoint)), []).append(pair)
    texts = []
    for (unit, scale), members in units.items():
        name = unit if unit != "probability" else "percentage points" if scale == PERCENT else scale.unit
        low, high = (difference_text(choose(members, key=lambda pair: pair.difference), scale)
                     for choose in (min, max))
        texts.append(f"{low} {name}" if low == high else f"{low} to {high} {name}")
    return texts


def _cards(results: Results, endpoints: Sequence[Endpoint]) -> list[dict[str, Any]]:
    leading = [endpoint for endpoint in endpoints if endpoint.direction == "benefit"] or endpoints
    published = {pair.endpoint: pair.reported for pair in reversed(facts.pooled_comparisons(results, primary=True))
                 if (pair.reported.subset or ALL) == ALL and pair.estimand in facts.MAIN.values()}
    cards = []
    for endpoint in leading[:_CARDS]:
        record, scale = results.headline(endpoint.endpoint), results.scale(endpoint.endpoint)
        main, reported = facts.estimate(record, facts.MAIN[endpoint.kind]), published.get(endpoint.endpoint)
        value, bracket, limits = facts.worded(main, scale).partition(" [")
        cards.append({"endpoint": endpoint, "record": record, "value": value, "limits": bracket + limits,
                      "kind": facts.kind_of(main) if main else "", "reported": reported,
                      "published": facts.printed(reported, scale) if reported else ""})
    return cards
