"""Endpoints that contain one another, fitted separately and together; the words are in section.html."""

from collections.abc import Iterator, Sequence
from typing import Any

from analysis.cases.nesting import nested_endpoints
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.nested.figure import draw_nested
from analysis.chapters.nested.rows import (
    CONTRADICTION,
    EFFECT_CORRELATION,
    ESTIMATE,
    NESTED,
    STUDY,
    TOGETHER,
    correlation_rows,
    nested_rows,
)
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.nested import GIVEN, INNER, OUTER
from analysis.results.numbers import decimals_for, fixed, with_unit
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row
from analysis.results.writing import RATE

_PRIOR_DRIVEN = 0.75  # of the prior standard deviation


def _work(asked: Asked) -> Iterator[Task]:
    nested = nested_endpoints(asked.evidence)
    for endpoint in nested:
        yield Task("nested", endpoint.endpoint, nested_rows, (asked.base, endpoint.endpoint))
    parents = {endpoint.parent for endpoint in asked.evidence.endpoints}
    survival = [endpoint.endpoint for endpoint in asked.evidence.endpoints
                if endpoint.kind == "survival" and endpoint.endpoint not in parents]
    if nested and survival:
        rate = nested[0].parent
        yield Task("effect correlation", rate, correlation_rows, (asked.base, rate, survival[0]))


def _figures(results: Results) -> Iterator[Picture]:
    if rows := [row for row in results.rows(NESTED.file) if row["median"] is not None]:
        together = [row for row in rows if (row["fit"], row["quantity"]) == (TOGETHER, INNER)]
        yield Picture("nested", draw_nested, {"frame": results.frame(NESTED), "labels": results.labels},
                      "Rates of endpoints of which one contains the other, from separate fits and from nested ones. "
                      f"Nested: {results.told(NESTED, together, 'median')}.")


def _section(results: Results, page: Page) -> Html:
    rows, write = results.rows(NESTED.file), results.writer(NESTED)
    estimates, studies = ([row for row in rows if row["part"] == part] for part in (ESTIMATE, STUDY))
    pairs = _pairs(rows)

    def uppers(pair: Row) -> str:
        """The upper prediction limit without and with the nesting, with the same digits."""
        scale, rows = write.scale(pair["nested_inner"]), (pair["separate_inner"], pair["nested_inner"])
        values = [scale.shown(row["new_upper"]) for row in rows]
        decimals = decimals_for([0.0, min(values)])
        return " to ".join(with_unit(fixed(value, decimals, positive=True, top=scale.top), RATE, scale)
                           for value in values)

    def quantity(row: Row) -> str:
        words = {OUTER: "{parent}", INNER: "{endpoint}", GIVEN: "{endpoint}, of those with {parent}"}
        return words[row["quantity"]].format(endpoint=write(row, "endpoint"), parent=write(row, "parent"))

    every = show(write, estimates, "quantity fit k_studies median new_median rho_median rho_sd rho_prior_sd reason",
                 cells={"quantity": quantity}, caption="Mean rates, separate and nested")
    table = show(write, studies, "endpoint label role outer_events outer_grading inner_events inner_grading reason",
                 caption="What each study says of an endpoint (inner) and of the one that contains it (outer)")
    return section("nested", "Do endpoints that contain one another agree?", rendered(
        "chapters/nested/section.html", write=write, uppers=uppers, pairs=pairs, every=every, studies=table,
        limit=CONTRADICTION, refused=[row for row in estimates if row["status"] != COMPUTED],
        picture=page.picture("nested"),
        correlations=results.rows(EFFECT_CORRELATION.file), correlation=results.writer(EFFECT_CORRELATION)))


def _pairs(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """What the sentences need of each endpoint that is fitted both ways."""
    return [_pair(rows, row["endpoint"]) for row in rows if row["exceeds"] is not None]


def _pair(rows: Sequence[Row], endpoint: str) -> dict[str, Any]:
    """The estimates of one endpoint by fit and quantity, and what is to be known of its studies."""
    estimates, studies = ([row for row in rows if (row["endpoint"], row["part"]) == (endpoint, part)]
                          for part in (ESTIMATE, STUDY))
    pair = {f"{row['fit']}_{row['quantity'].replace(' ', '_')}": row for row in estimates}
    both = [row for row in studies if row["role"] == "both" and row["outer_events"]]
    scales: dict[str, list[str]] = {}
    for row in studies:
        for scale in filter(None, dict.fromkeys((row["outer_grading"], row["inner_grading"]))):
            scales.setdefault(scale, []).append(row["label"])
    given = pair[f"{TOGETHER}_inner_given_outer"]
    return {**pair, "both": sorted(both, key=lambda row: row["inner_events"] / row["outer_events"]),
            "inner_events": sum(row["inner_events"] for row in both),
            "outer_events": sum(row["outer_events"] for row in both),
            "scales": scales if len(scales) > 1 else {},
            "unnamed": any(row["role"] != "left out" and not row["outer_grading"] and not row["inner_grading"]
                           for row in studies),
            "disagree": [row for row in studies if row["role"] == "outer only" and row["reason"]
                         and not row["reason"].startswith("inner: ")],
            "alone": [row for row in studies if row["role"] == "inner only"],
            "prior_driven": given["rho_sd"] > _PRIOR_DRIVEN * given["rho_prior_sd"]}


def _brief(results: Results, page: Page) -> Html:
    """Pairs of endpoints of which separate fits put the part above the whole."""
    pairs = _pairs(results.rows(NESTED.file))
    return rendered("chapters/nested/brief.html", pairs=pairs, write=results.writer(NESTED), reversed_pairs=[
        pair for pair in pairs if pair["nested_inner"]["contradicts"]]) if pairs else Html("")


CHAPTER = Chapter("nested", 45, (NESTED, EFFECT_CORRELATION), _work, None, _figures, _section,
                  parts=("nested", "effect correlation", "figure nested"), brief=_brief)
