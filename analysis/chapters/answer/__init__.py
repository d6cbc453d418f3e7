"""The answer in words, and the way to each endpoint; the words are in section.html."""

from collections.abc import Sequence
from typing import Any

from analysis.cases.settings import ALL
from analysis.chapters.answer.rows import ANSWER, CONSTANT, FALLING, LATER, answer_rows, beside, scores
from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, rendered
from analysis.inference.estimands import MAIN
from analysis.results.comparison import COMPARISON, agrees, distinct, said_again
from analysis.results.numbers import PERCENT, chance, percent
from analysis.results.results import CONFLICT, Results
from analysis.results.table import Row
from analysis.results.tables import ESTIMATES

_CARDS = 4


def _section(results: Results, page: Page) -> Html:
    """The answer in words: agreement, the leading endpoints, and the way to each endpoint."""
    compared = results.compared(interval=True)
    pairs = distinct(compared)
    headlines = [results.headline(endpoint.endpoint) for endpoint in results.fitted]
    return rendered(
        "chapters/answer/section.html", results=results, pairs=pairs, total=len(pairs), inside=sum(map(agrees, pairs)),
        within=sum(row["published_lower"] <= row["median"] <= row["published_upper"] for row in pairs),
        wider=sum((row["width_ratio"] or 0.0) > 1.0 for row in pairs),
        fewer=sum((row["published_k"] or 0) > row["k_studies"] for row in pairs),
        again=[row["reported_id"] for row in said_again(compared)], differences=_differences(results, compared),
        conflict_words=CONFLICT, cards=_cards(results), preference=_preference(results),
        readings=[(endpoint.label, lines) for endpoint in results.fitted
                  if (lines := _readings(results, endpoint.endpoint))],
        studies=len({row["study_id"] for record in headlines for row in record.studies}),
        failed=sum(record.failed for record in headlines), contradictions=_contradictions(results))


def _contradictions(results: Results) -> list[tuple[str, ...]]:
    """Part, whole, their separate medians, how probable the wrong order is, and the part's rate when it is nested."""
    rows, found = results.rows("nested.csv"), []
    write = results.writer(results.tables["nested.csv"].layout) if rows else None
    for row in (row for row in rows if row["contradicts"]):
        alone = {one["quantity"]: write(one).partition(" [")[0] for one in rows
                 if one["endpoint"] == row["endpoint"] and one["fit"] == "separate"}
        found.append((write(row, "endpoint"), write(row, "parent"), alone["inner"], alone["outer"],
                      write(row, "exceeds"), write(row)))
    return found


def _preference(results: Results) -> dict[str, Any] | None:
    """Which assumption about the hazard is preferred, and the numbers that say why; None without both."""
    shapes = [row for row in results.rows("survival_curves.csv")
              if (row["subset"], row["model"], row["estimand"]) == (ALL, FALLING, "shape")]
    falls = [(results.labels.endpoints[row["endpoint"]], chance(row["probability_falling"])) for row in shapes]
    ours, right, wrong = scores(FALLING), scores(CONSTANT, falling=False), scores(CONSTANT, falling=True)
    most = [f"{100.0 * max(abs(row['bias']) for row in found):.1f}" for found in (ours, right)]
    off, held = (sorted(row[name] for row in wrong) for name in ("bias", "coverage"))
    return {"months": LATER, "falls": falls, "sets": min(row["sets"] for row in ours), "worlds": len(ours),
            "most": most, "off": [f"{-100.0 * bias:.1f}" for bias in (off[-1], off[0])],
            "held": [percent(held[0]), percent(held[-1])]} if falls else None


def _preferred(results: Results, main: Row | None) -> str:
    """The number in words that the same estimand has where the hazard may fall."""
    wanted = main and [main[name] for name in ("endpoint", "estimand", "time_months")]
    return next((results.writer(ANSWER)(row) for row in results.rows(ANSWER.file) if row["preferred"]
                 and [row[name] for name in ("endpoint", "estimand", "time_months")] == wanted), "")


def _readings(results: Results, endpoint: str) -> list[tuple[Any, ...]]:
    """Each survival number by its name: with a constant hazard, with one that may fall, and what each step moves."""
    write, scale, lines = results.writer(ANSWER), results.labels.scales[endpoint], []
    for row in (row for row in results.rows(ANSWER.file) if row["preferred"] and row["endpoint"] == endpoint):
        name = {"median_months": "median, months", "rmst": f"mean to {LATER:g} months"}.get(
            row["estimand"]) or f"at {row['time_months']:g} months{scale.of_a_rate}"
        texts = [write.interval(one, "median", row["unit"]) if one else "" for one in (beside(results, row), row)]
        cells = [*texts, write(row, "error_rule"), write(row, "shape")]
        lines.append((name, [text.partition(" ")[::2] for text in cells]))
    return lines


def _differences(results: Results, pairs: Sequence[Row]) -> list[str]:
    """Smallest to largest difference for each unit."""
    write, units, texts = results.writer(COMPARISON), {}, []
    for row in pairs:
        units.setdefault((row["units"], write.scale(row)), []).append(row)
    for (unit, scale), members in units.items():
        name = unit if unit != "probability" else "percentage points" if scale == PERCENT else scale.unit
        low, high = (write(choose(members, key=lambda row: row["difference"]), "difference") for choose in (min, max))
        texts.append(f"{low} {name}" if low == high else f"{low} to {high} {name}")
    return texts


def _cards(results: Results) -> list[dict[str, Any]]:
    leading = [endpoint for endpoint in results.fitted if endpoint.direction == "benefit"] or results.fitted
    published = {row["our_endpoint"]: row for row in reversed(results.compared())
                 if (row["subset"] or ALL) == ALL and row["estimand"] in MAIN.values()}
    ours, theirs, cards = results.writer(ESTIMATES), results.writer(COMPARISON), []
    for endpoint in leading[:_CARDS]:
        record, reported = results.headline(endpoint.endpoint), published.get(endpoint.endpoint)
        main = record.estimate(MAIN[endpoint.kind])
        value, bracket, limits = ours(main).partition(" [")
        cards.append({"endpoint": endpoint, "record": record, "value": value, "limits": bracket + limits,
                      "kind": ours(main, "level"), "reported": reported,
                      "published": theirs(reported, "published"),
                      "preferred": _preferred(results, main)})
    return cards


CHAPTER = Chapter("answer", 10, (ANSWER,), finish=answer_rows, section=_section)
