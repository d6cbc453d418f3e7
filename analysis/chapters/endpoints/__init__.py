"""Each endpoint: its studies, estimates, other fits, and what its result hangs on."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from analysis.chapters.chapter import Chapter, Page, Picture
from analysis.chapters.endpoints.figure import draw_forest
from analysis.chapters.endpoints.section import endpoint_section
from analysis.drawing.html import Html, folded, join, tag
from analysis.evidence.types import Endpoint
from analysis.inference.estimands import MAIN, NEW
from analysis.results.comparison import COMPARISON
from analysis.results.numbers import counted
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.results.tables import ESTIMATES

_PICTURES = ("forest", "sensitivity", "bubble")


def _figures(results: Results) -> Iterator[Picture]:
    for endpoint in results.fitted:
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
            "scale": results.labels.scales[endpoint.endpoint], "horizon": results.horizon(endpoint)}


def _alt(results: Results, endpoint: Endpoint, record: Record) -> str:
    parts = [f"Forest plot of {endpoint.label}: {counted(record.k_studies, 'study', 'studies')}, "
             f"{counted(record.n_patients, 'patient')}"]
    write = results.writer(ESTIMATES)
    for name, estimand in ((results.main_name(endpoint), MAIN), ("a new study", NEW)):
        row = record.estimate(estimand[endpoint.kind])
        parts.append(f"{name} {write(row)}, {write(row, 'level')} interval" if row else record.status)
    return "; ".join(dict.fromkeys(parts)) + "."


def _section(results: Results, page: Page) -> Html:
    endpoints = results.fitted
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
