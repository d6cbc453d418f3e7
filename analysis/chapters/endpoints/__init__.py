"""Each endpoint: its studies, estimates, other fits, and what its result hangs on."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from analysis.chapters.chapter import Chapter, Page, Picture
from analysis.chapters.endpoints.figure import draw_forest
from analysis.chapters.endpoints.section import endpoint_section
from analysis.drawing.html import Html, folded, join, tag
from analysis.evidence.types import Endpoint
from analysis.results import facts
from analysis.results.numbers import counted
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.results.tables import COMPARISON

_PICTURES = ("forest", "sensitivity", "bubble")


def _figures(results: Results) -> Iterator[Picture]:
    for endpoint in facts.fitted_endpoints(results):
        record = results.headline(endpoint.endpoint)
        if record.studies:
            yield Picture("forest", draw_forest, _forest(results, endpoint, record), _alt(results, endpoint, record),
                          endpoint.endpoint)


def _forest(results: Results, endpoint: Endpoint, record: Record) -> dict[str, Any]:
    """The arguments of `draw_forest`."""
    question = record.job.question
    tiers = f"tiers {', '.join(question.tiers)}" if any(row["tier"] for row in record.studies) else ""
    detail = ", ".join([counted(record.k_studies, "study", "studies"), counted(record.n_patients, "patient"),
                        *([tiers] if tiers else []), record.model.replace("_", "-") + " model"])
    return {"studies": record.studies, "estimates": record.estimates,
            "published": [row for row in results.rows(COMPARISON.file) if row["our_endpoint"] == endpoint.endpoint
                          and (row["subset"] or "all") == question.subset and row["primary"]],
            "label": endpoint.label, "detail": detail, "status": record.status, "stamp": results.stamp,
            "scale": results.scale(endpoint.endpoint), "horizon": facts.horizon(results, endpoint)}


def _alt(results: Results, endpoint: Endpoint, record: Record) -> str:
    parts = [f"Forest plot of {endpoint.label}: {counted(record.k_studies, 'study', 'studies')}, "
             f"{counted(record.n_patients, 'patient')}"]
    for names in (facts.MAIN, facts.NEW):
        row = facts.estimate(record, names[endpoint.kind])
        value = facts.worded(row, results.scale(endpoint.endpoint))
        name = facts.main_name(results, endpoint) if names is facts.MAIN else "a new study"
        parts.append(f"{name} {value}, {facts.kind_of(row)} interval" if row else record.status)
    return "; ".join(dict.fromkeys(parts)) + "."


def _section(results: Results, page: Page) -> Html:
    endpoints = facts.fitted_endpoints(results)
    if not endpoints:
        return Html("")
    return join([tag("h2", "Endpoints", id="endpoints"),
                 *(page.part(endpoint.label, (f"endpoint {endpoint.endpoint}", *(
                     f"figure {kind}.{endpoint.endpoint}" for kind in _PICTURES)),
                     partial(_endpoint, results, endpoint, page)) for endpoint in endpoints)], "\n\n")


def _endpoint(results: Results, endpoint: Endpoint, page: Page) -> Html:
    dependence = folded("What this result hangs on", page.blocks(endpoint.endpoint))
    return endpoint_section(results, endpoint, page.picture("forest", endpoint.endpoint), dependence)


CHAPTER = Chapter("endpoints", 120, (), None, None, _figures, _section, parts=("figures",))
