"""The answer in words and on cards; the words are in brief.html, those on survival in section.html."""

from collections.abc import Iterator, Sequence
from typing import Any

from analysis.cases.selection import reason_against_study
from analysis.cases.settings import ALL
from analysis.chapters.answer.rows import ANSWER, CONSTANT, FALLING, LATER, answer_rows, beside, scores
from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, rendered, section
from analysis.inference.estimands import MAIN
from analysis.results.comparison import COMPARED, COMPARISON, CRUDE_RATE, agrees, distinct
from analysis.results.numbers import PERCENT, chance, joint, limits_of, percent
from analysis.results.records import Record
from analysis.results.results import CONFLICT, Results
from analysis.results.table import Row
from analysis.results.tables import ESTIMATES
from analysis.results.writing import RATE
from analysis.system.groups import grouped

_TOLD = 4
_SAME = ("endpoint", "subset", "estimand", "time_months")
_GROUPS = (("Benefit", ("benefit",)), ("Harm", ("harm",)), ("Neither benefit nor harm", ("neutral", "")))
_LEADING = ("Benefit", "Harm")
_UNLIKE = 0.1  # by which the chance of a falling hazard is another one in a subset


def _brief(results: Results, page: Page) -> Html:
    """The answer in words, a card for each endpoint, and survival over time."""
    compared = results.compared(interval=True)
    pairs = distinct(compared)
    ratios = [row["width_ratio"] for row in pairs if row["width_ratio"] is not None]
    headlines, readings = [results.headline(endpoint.endpoint) for endpoint in results.fitted], _readings(results)
    sizes: dict[str, int] = {}
    for row in (*(row for record in headlines for row in record.studies), *_of_curves_alone(results, headlines)):
        sizes[row["study_id"]] = max(sizes.get(row["study_id"], 0), row["n"])
    return rendered(
        "chapters/answer/brief.html", results=results, pairs=pairs, total=len(pairs), inside=sum(map(agrees, pairs)),
        wider=sum(ratio > 1.0 for ratio in ratios), ratios=len(ratios),
        fewer=sum((row["published_k"] or 0) > row["k_studies"] for row in pairs),
        differences=_differences(results, compared), conflict_words=CONFLICT, groups=_groups(results),
        preferred_differences=_differences(results, list(_where_hazards_fall(results, compared))) if readings else [],
        preference=_preference(results), readings=readings, studies=len(sizes),
        asked=sum(not reason_against_study(results.evidence, results.base.question, study)
                  for study in results.evidence.studies),
        patients=sum(sizes.values()), failed=sum(record.failed for record in headlines),
        picture=page.picture("summary"),
        estimands=list(dict.fromkeys(results.main_name(endpoint) for endpoint in results.fitted)))


def _of_curves_alone(results: Results, headlines: Sequence[Record]) -> Iterator[Row]:
    """Studies of the preferred reading that no headline has, such as those whose median was not reached."""
    used = {row["study_id"] for record in headlines for row in record.studies}
    curved = {(row["endpoint"], row["study_id"]) for row in results.rows("curve_bands.csv") if row["study_id"]}
    for line in results.evidence.numbers:
        if line.study_id not in used and (line.endpoint, line.study_id) in curved:
            yield {"study_id": line.study_id, "n": line.n}


def _section(results: Results, page: Page) -> Html:
    """Survival under both assumptions about the hazard, and the steps between them."""
    readings = _readings(results)
    return section("answer", "Survival by assumption about the hazard", rendered(
        "chapters/answer/section.html", results=results, preference=_preference(results), readings=readings)) \
        if readings else Html("")


def _preference(results: Results) -> dict[str, Any] | None:
    """Which assumption about the hazard is preferred, and the numbers that say why; None without both."""
    shapes = [row for row in results.computed("survival_curves.csv")
              if (row["model"], row["estimand"]) == (FALLING, "shape")]
    falls = [(results.labels.endpoints[row["endpoint"]], chance(row["probability_falling"]), _unlike(
        results, row, [other for other in shapes if other["endpoint"] == row["endpoint"]]))
             for row in shapes if row["subset"] == ALL]
    ours, right, wrong = scores(FALLING), scores(CONSTANT, falling=False), scores(CONSTANT, falling=True)
    most = [f"{100.0 * max(abs(row['bias']) for row in worlds):.1f}" for worlds in (ours, right)]
    off, held = (sorted(row[name] for row in wrong) for name in ("bias", "coverage"))
    return {"months": LATER, "falls": falls, "sets": min(row["sets"] for row in ours), "worlds": len(ours),
            "most": most, "off": [f"{-100.0 * bias:.1f}" for bias in (off[-1], off[0])],
            "held": [percent(held[0]), percent(held[-1])]} if falls else None


def _unlike(results: Results, whole: Row, shapes: Sequence[Row]) -> str:
    """The subset in which a falling hazard is least likely, where that is less likely than in all studies."""
    least = min(shapes, key=lambda row: row["probability_falling"])
    if least["probability_falling"] > whole["probability_falling"] - _UNLIKE:
        return ""
    return f"{chance(least['probability_falling'])} in {results.labels.subsets[least['subset']]}"


def _where_hazards_fall(results: Results, compared: Sequence[Row]) -> Iterator[Row]:
    """Comparisons of survival whose hazard may fall, each with that reading's median and difference."""
    falling = {tuple(row[name] for name in _SAME): row["median"] for row in results.computed("survival_curves.csv")
               if row["model"] == FALLING}
    for row in compared:
        median = falling.get((row["our_endpoint"], row["subset"] or ALL, row["estimand"], row["time_months"]))
        if median is not None:
            median = 1.0 - median if row["transform"] == "complement" else median
            yield {**row, "median": median, "difference": median - row["published"]}


def _readings(results: Results) -> list[tuple[str, list[tuple[str, Any]]]]:
    """Of each endpoint the survival numbers by name: with either hazard, and what each step between them moves."""
    write, lines = results.writer(ANSWER), {}
    for row in (row for row in results.rows(ANSWER.file) if row["preferred"]):
        name = {"median_months": "median, months", "rmst": f"mean to {LATER:g} months"}.get(
            row["estimand"]) or f"at {row['time_months']:g} months{write.scale(row).of_a_rate}"
        constant = beside(results, row)
        cells = [*(write.interval(reading, "median", row["unit"]) if reading else "" for reading in (constant, row)),
                 write(row, "error_rule"), write(row, "shape")]
        lines.setdefault(row["endpoint"], []).append((name, [text.partition(" ")[::2] for text in cells]))
    return [(results.labels.endpoints[endpoint], rows) for endpoint, rows in lines.items()]


def _differences(results: Results, pairs: Sequence[Row]) -> list[str]:
    """Smallest to largest difference for each unit."""
    write, texts = results.writer(COMPARISON), []
    for (unit, scale), members in grouped(pairs, lambda row: (row["units"], write.scale(row))).items():
        name = unit if unit != "probability" else "percentage points" if scale == PERCENT else scale.unit
        low, high = (write(choose(members, key=lambda row: row["difference"]), "difference") for choose in (min, max))
        texts.append(f"{low} {name}" if low == high else f"{low} to {high} {name}")
    return texts


def _groups(results: Results) -> list[dict[str, Any]]:
    """Cards by the direction of their endpoints; the first ones are told in words as well."""
    cards = _cards(results)
    groups = [{"words": words, "cards": [card for card in cards if card["endpoint"].direction in directions]}
              for words, directions in _GROUPS]
    groups = [group for group in groups if group["cards"]]
    return [{**group, "told": [card for card in group["cards"] if card["many"]][:_TOLD] if group is groups[0]
             or group["words"] in _LEADING else []} for group in groups]


def _cards(results: Results) -> list[dict[str, Any]]:
    published, write = _published(results), results.writer(ANSWER)
    ours, theirs, cards = results.writer(ESTIMATES), results.writer(COMPARISON), []
    nested = {row["endpoint"]: row for row in results.computed("nested.csv") if row["contradicts"]}
    for endpoint in results.fitted:
        record, reported = results.headline(endpoint.endpoint), published.get(endpoint.endpoint)
        main, part = record.estimate(MAIN[endpoint.kind]), nested.get(endpoint.endpoint)
        falling = beside(results, main, "falling")
        value, bracket, limits = (write(falling) if falling else ours(main)).partition(" [")
        cards.append({"endpoint": endpoint, "record": record, "rests_on": falling or record,
                      "value": value, "limits": bracket + limits,
                      "months": None if ours.scale(main or {"endpoint": endpoint.endpoint}).months
                      else results.horizon(endpoint), "reported": reported,
                      "many": _many(results, falling or main), "published": theirs(reported, "published"),
                      "crude": theirs(reported) if reported and reported["estimand"] == CRUDE_RATE else "",
                      "constant": ours(main) if falling else "", "part": part and ours.estimate(part, "median"),
                      "whole": results.labels.endpoints[part["parent"]] if part else ""})
    return cards


def _published(results: Results) -> dict[str, Row]:
    """The published number of each endpoint that its card shows: a pooled one, or else a crude proportion."""
    crude = {row["our_endpoint"]: row for row in reversed(results.rows(COMPARISON.file))
             if row["status"] == COMPARED and row["primary"] and row["estimand"] == CRUDE_RATE
             and (row["subset"] or ALL) == ALL and row["transform"] != "complement"}
    return crude | results.published()


def _many(results: Results, row: Row | None) -> dict[str, Any] | None:
    """An estimate as a number of patients, with its limits; None without one."""
    if row is None:
        return None
    scale = results.labels.scales[row["endpoint"]]
    value, *limits = joint(limits_of(row, "median"), RATE, scale)
    return {"value": value, "limits": limits if row["lower"] is not None else [],
            "of": f"{scale.factor:,.0f}{' person-years' if scale.months else ''}"}


CHAPTER = Chapter("answer", 10, (ANSWER,), finish=answer_rows, section=_section, brief=_brief)
