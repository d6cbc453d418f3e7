"""Each fact of the ledger beside the numbers that are analysed: whether it says the same, and where it stands."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.cases.curves import LANDMARK, MEDIAN
from analysis.cases.reports import in_words
from analysis.cases.selection import base_of, file_of
from analysis.evidence.directory import Evidence
from analysis.evidence.gaps import said
from analysis.evidence.types import Fact, Response, Source, Survival
from analysis.results.table import Column, Layout, columns
from analysis.system.groups import grouped

PROVENANCE = Layout("provenance.csv", "One fact of the ledger beside a number of the evidence, or by itself.", columns(
    "endpoint study_id label", Column("table", "file of the number that the fact stands beside", "text"),
    Column("row", "line of that file; empty where no line cites the fact", "count"),
    Column("statistic", "what that line says", "text", "Number"), Column("tier", "tier of that line", "text"),
    Column("fact_id", "key of the fact in extraction.csv", "text", "Fact"),
    Column("standing", "whether the fact says the same or otherwise of the same patients, or something else; empty "
           "where there is no number", "text", "Beside the number"),
    Column("says", "what the fact says", "text", "Says"), Column("population", "whom it is of", "words", "Of"),
    Column("source_id", "key of the source in sources.csv", "text"),
    Column("citation", "the source", "text", "Source"), Column("doi", "its digital object identifier", "text"),
    Column("locator", "place in the source", "text", "Place"), "note"))
Line = Response | Survival
SAME, OTHERWISE, ELSE = "the same", "otherwise", "something else"
_UNSTATED = ("", "not_stated")


def provenance_rows(evidence: Evidence) -> list[dict[str, Any]]:
    """Each fact beside each line that cites it; one that none cites beside all lines of its study and endpoint."""
    facts = {fact.fact_id: fact for fact in evidence.facts}
    lines = grouped(evidence.numbers, lambda line: (line.study_id, line.endpoint))
    labels, sources = ({study.study_id: study.label for study in evidence.studies},
                       {source.source_id: source for source in evidence.sources})
    outcomes = {endpoint.endpoint: endpoint.label for endpoint in evidence.endpoints}
    rows = [{"endpoint": line.endpoint, "study_id": line.study_id, "label": labels[line.study_id],
             "table": file_of(line), "row": line.row, "statistic": in_words(line), "tier": line.tier,
             **_cells(facts[name], [line], line.endpoint, sources, outcomes)}
            for line in evidence.numbers for name in line.fact_ids if name in facts]
    cited = {(row["study_id"], row["endpoint"], row["fact_id"]) for row in rows}
    return rows + [{"endpoint": fact.endpoint, "study_id": fact.study_id, "label": labels[fact.study_id],
                    **_cells(fact, lines.get((fact.study_id, fact.endpoint), []), fact.endpoint, sources,
                             outcomes)}
                   for fact in evidence.facts if (fact.study_id, fact.endpoint, fact.fact_id) not in cited]


def _cells(fact: Fact, lines: Sequence[Line], endpoint: str, sources: Mapping[str, Source],
           outcomes: Mapping[str, str]) -> dict[str, Any]:
    source, beside = sources.get(fact.source_id), {standing(line, fact) for line in lines}
    other = "" if fact.endpoint == endpoint else outcomes.get(fact.endpoint) or fact.endpoint.replace("_", " ")
    return {"fact_id": fact.fact_id, "standing": next((word for word in (SAME, OTHERWISE, ELSE) if word in beside), ""),
            "says": said(fact) + (f" ({other})" if other else ""),
            "population": fact.population, "source_id": fact.source_id, "locator": fact.locator, "note": fact.note,
            "citation": source.citation if source else "", "doi": source.doi if source else ""}


def standing(line: Line, fact: Fact) -> str:
    """Whether a fact says the same as a line, to the digits that it prints, or otherwise of the same patients.

    A fact of another endpoint, quantity, time or base says something else; one whose base is not stated is taken to be
    of the line's.
    """
    expected = _expected(line, fact) if fact.endpoint == line.endpoint else None
    if expected is None or fact.value is None:
        return ELSE
    value, low, high = expected
    pairs = ((low, fact.ci_low), (high, fact.ci_high))
    if fact.denominator in (None, line.n) and _prints(value, fact.value_text) and all(
            limit is None or printed is None or _prints(limit, f"{printed:g}") for limit, printed in pairs):
        return SAME
    return OTHERWISE if base_of(fact) in (*_UNSTATED, base_of(line)) else ELSE


def _expected(line: Line, fact: Fact) -> tuple[float, float | None, float | None] | None:
    """Value and limits of a fact that says the same; None for one of another quantity or time."""
    if fact.quantity == "events" and line.events is not None:
        return line.events, None, None
    if isinstance(line, Response):
        return (100.0 * line.events / line.n, None, None) if fact.quantity == "percent" else None
    scale = {("median_months", MEDIAN): 1.0, ("probability_percent", LANDMARK): 100.0}.get(
        (fact.quantity, line.statistic))
    if scale is None or line.estimate is None or (line.statistic == LANDMARK and fact.time_months != line.time_months):
        return None
    low, high = (None if limit is None else scale * limit for limit in (line.ci_low, line.ci_high))
    return scale * line.estimate, low, high


def _prints(value: float, text: str) -> bool:
    """Whether a number rounds to the printed one; a half may go either way."""
    return abs(value - float(text)) <= 0.5 * 10.0 ** -len(text.partition(".")[2]) + 1e-9
