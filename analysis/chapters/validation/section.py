"""The values of the section on later studies; its words are in section.html."""

from collections.abc import Sequence

from analysis.chapters.validation.rows import COMPUTED, SCORES, VALIDATION
from analysis.chapters.validation.scores import counted_rows
from analysis.drawing.html import Html, rendered, section
from analysis.inference.prediction import NAMED_BELOW
from analysis.results import facts
from analysis.results.numbers import chance, level_text, number, signed, significant
from analysis.results.results import Results
from analysis.results.table import Row

_DECIDED = 2.0  # standard errors
_FEW = 10  # studies


def validation_section(results: Results, picture: Html) -> Html:
    """How many reports of later studies are surprising, what does not transfer, and which model predicts them best."""
    rows, scores = results.rows(VALIDATION.file), results.rows(SCORES.file)
    first = {row["endpoint"]: row["model"] for row in reversed(rows)}
    judged = [row for row in counted_rows(results) if row["model"] == first[row["endpoint"]]]
    beyond_chance = {row["endpoint"]: row for row in scores if row["model"] == first.get(row["endpoint"])
                     and row["as_many"] is not None and row["as_many"] < NAMED_BELOW}
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    return section("validation", "Do later studies bear it out?", rendered(
        "chapters/validation/section.html", say=facts.Words(results), each=facts.Rates(results, None), rows=rows,
        judged=judged, endpoints={row["endpoint"] for row in judged}, studies={row["study_id"] for row in judged},
        below=NAMED_BELOW, few=_FEW, named=[row for row in judged if row["named"]],
        beyond_chance=beyond_chance, direction=_direction,
        survival=[row for row in scores if not row["endpoint"]], decided=_decided, level=level_text(results.base.level),
        beside=lambda row: [other for other in rows if _same_report(other, row) and other["status"] == COMPUTED],
        aside=_aside([row for row in rows if not row["counted"] and row["model"] == first[row["endpoint"]]]),
        refused={(row["endpoint"], row["model"]): row["reason"] for row in rows if row["status"] != COMPUTED},
        picture=picture, rates=rates, cells=[_cells(results, rates, row) for row in rows],
        marked=["outside" if row["named"] and row["counted"] else "" for row in rows],
        scores=[_score(results, row) for row in scores]))


def _same_report(one: Row, other: Row) -> bool:
    return (one["endpoint"], one["row"]) == (other["endpoint"], other["row"]) and one["model"] != other["model"]


def _direction(rows: Sequence[Row]) -> str:
    """Whether surprising reports are all lower, or all higher, than predicted."""
    sides = {row["pit"] < 0.5 for row in rows}
    return "" if len(sides) > 1 else "lower than predicted" if sides.pop() else "higher than predicted"


def _decided(score: Row) -> bool:
    """Whether a difference is more than its uncertainty, so far as that is known."""
    return score["difference_se"] is not None and abs(score["elpd_difference"]) > _DECIDED * score["difference_se"]


def _aside(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Reports that do not count, by reason and study."""
    reasons: dict[str, dict[str, int]] = {}
    for row in rows:
        studies = reasons.setdefault(row["reason"], {})
        studies[row["label"]] = studies.get(row["label"], 0) + 1
    return reasons


def _cells(results: Results, rates: facts.Rates, row: Row) -> tuple[object, ...]:
    predicted = rates.cell(row["endpoint"], row) if row["status"] == COMPUTED else row["status"]
    return (facts.endpoint_label(results, row["endpoint"]), row["label"], row["report"],
            row["model"].replace("_", "-"), rates.one(row["endpoint"], row["observed"]), predicted,
            *("" if row[name] is None else chance(row[name]) for name in ("pit", "two_sided", "chance_named")),
            "" if row["log_predictive"] is None else number(row["log_predictive"], ""), row["reason"])


def _score(results: Results, row: Row) -> tuple[object, ...]:
    name = facts.endpoint_label(results, row["endpoint"]) if row["endpoint"] else "All endpoints of survival"
    error = "" if row["difference_se"] is None else f" ({number(row['difference_se'], '')})"
    return (name, row["model"].replace("_", "-"), f"{row['predictions']}", f"{row['k_studies']}", f"{row['named']}",
            significant(row["chance_named"]), "" if row["as_many"] is None else chance(row["as_many"]),
            number(row["elpd"], ""),
            "" if row["elpd_difference"] is None else signed(row["elpd_difference"], "") + error)
