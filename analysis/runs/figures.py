"""The figures of a run: which there are, and drawing them here or in several processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.cases.selection import horizon_of
from analysis.chapters.influence import figure as baujat
from analysis.chapters.missing.figure import is_drawn
from analysis.chapters.regression.figure import bubble_content
from analysis.chapters.sensitivity import figure as sensitivity
from analysis.chapters.small_studies import figure as funnel
from analysis.drawing.names import FigureId
from analysis.results.numbers import PROBABILITY_UNITS, Scale, counted
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.results.tables import COMPARISON_COLUMNS, comparison_row
from analysis.runs.figure_files import (
    baujat_file,
    bubble_file,
    decomposition_file,
    forest_file,
    funnel_file,
    missing_file,
    published_file,
    sensitivity_file,
)
from analysis.system.failures import Failure, attempt

Task = tuple[Callable[..., Any], tuple[Any, ...]]


def draw_all(results: Results, folder: Path) -> list[Path]:
    """Draw every figure of a run into `folder`; returns the paths, an SVG and a PNG for each."""
    return [path for function, arguments in figure_tasks(results, folder) for path in function(*arguments)]


def figure_attempts(results: Results, folder: Path) -> list[Task]:
    """The tasks of `figure_tasks`, each of which returns a Failure where it cannot be done."""
    tasks = attempt("figures", "", figure_tasks, results, folder)
    if isinstance(tasks, Failure):
        return [(_unmade, (tasks,))]
    return [(attempt, (f"figure {arguments[1].name}", "", function, *arguments)) for function, arguments in tasks]


def _unmade(failure: Failure) -> Failure:
    return failure


def figure_tasks(results: Results, folder: Path) -> list[Task]:
    """One (function, arguments) per figure; both can be pickled, and the function imports no sampler."""
    rows = [{**dict.fromkeys(COMPARISON_COLUMNS), **comparison_row(found)} for found in results.comparisons]
    tasks: list[Task] = []
    for endpoint in results.evidence.endpoints:
        found = results.headline(endpoint.endpoint) if _is_fitted(results, endpoint.endpoint) else None
        if found and found.studies:
            tasks.append((forest_file, (_forest_content(results, found, rows),
                                        folder / FigureId("forest", endpoint.endpoint).stem)))
    if any(row["median"] is not None for row in rows):
        tasks.append((published_file, (_published_content(results, rows), folder / FigureId("published").stem)))
    parts = [dict(row) for row in results.side_rows("decomposition.csv")]
    if any(row["unit"] in PROBABILITY_UNITS for row in parts):
        tasks.append((decomposition_file, ({"rows": parts, "names": _names(results),
                                            "subsets": _subsets(results), "scales": _scales(results),
                                            "stamp": results.stamp},
                                           folder / FigureId("decomposition").stem)))
    bounds = [dict(row) for row in results.side_rows("missing_bounds.csv")]
    if is_drawn(bounds):
        totals = [dict(row) for row in results.side_rows("published_totals.csv")]
        tasks.append((missing_file, ({"bounds": bounds, "totals": totals, "names": _names(results),
                                      "scales": _scales(results),
                                      "title": "What the studies without a number could change",
                                      "stamp": results.stamp}, folder / FigureId("missing").stem)))
    return [*tasks, *_dependence_tasks(results, folder)]


def _dependence_tasks(results: Results, folder: Path) -> list[Task]:
    """Figures of what each conclusion hangs on: one per endpoint, or one with a panel per endpoint."""
    tasks: list[Task] = []
    rows = {name: [dict(row) for row in results.side_rows(name)]
            for name in ("sensitivity.csv", "influence.csv", "small_studies.csv")}
    shared = {"names": _names(results), "stamp": results.stamp}
    for endpoint in results.evidence.endpoints:
        own = [row for row in rows["sensitivity.csv"] if row["endpoint"] == endpoint.endpoint]
        if sensitivity.is_drawn(own, endpoint.endpoint):
            tasks.append((sensitivity_file, ({"rows": own, "endpoint": endpoint.endpoint, "name": endpoint.label,
                                              "stamp": results.stamp, "scale": results.scale(endpoint.endpoint)},
                                             folder / FigureId("sensitivity", endpoint.endpoint).stem)))
    if baujat.is_drawn(rows["influence.csv"]):
        tasks.append((baujat_file, ({"rows": rows["influence.csv"], "title": "Influence and surprise", **shared},
                                    folder / FigureId("baujat").stem)))
    if funnel.is_drawn(rows["small_studies.csv"]):
        tasks.append((funnel_file, ({"rows": rows["small_studies.csv"], "title": "Predictive funnels", **shared,
                                     "scales": _scales(results)},
                                    folder / FigureId("funnel").stem)))
    for found in results.regressions:
        if any(not row["refused"] for row in found.slopes):
            endpoint = results.evidence.endpoint(found.job.question.endpoint)
            tasks.append((bubble_file, (bubble_content(found, label=endpoint.label, stamp=results.stamp,
                                                        scale=results.scale(endpoint.endpoint)),
                                        folder / FigureId("bubble", endpoint.endpoint).stem)))
    return tasks


def _is_fitted(results: Results, endpoint: str) -> bool:
    return any(found.job.question.endpoint == endpoint for found in results.records)


def _forest_content(results: Results, found: Record, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The arguments of `draw_forest` as plain values."""
    question = found.job.question
    endpoint = results.evidence.endpoint(question.endpoint)
    survival = endpoint.kind == "survival"
    tiers = f"tiers {', '.join(question.tiers)}" if any(row["tier"] for row in found.studies) else ""
    detail = ", ".join([counted(found.k_studies, "study", "studies"), counted(found.n_patients, "patient"),
                        *([tiers] if tiers else []), found.model.replace("_", "-") + " model"])
    return {"studies": [dict(row) for row in found.studies],
            "estimates": [dict(row) for row in found.estimates],
            "published": [row for row in rows if row["our_endpoint"] == endpoint.endpoint
                          and (row["subset"] or "all") == question.subset and row["primary"]],
            "label": endpoint.label, "detail": detail, "status": found.status, "stamp": results.stamp,
             "scale": results.scale(endpoint.endpoint),
             "horizon": horizon_of(endpoint, found.job.question) if survival else None}


def _published_content(results: Results, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The arguments of `draw_published` as plain values."""
    return {"comparisons": rows, "names": _names(results), "subsets": _subsets(results),
            "scales": _scales(results), "title": "Published and recomputed", "stamp": results.stamp}


def _names(results: Results) -> dict[str, str]:
    """Labels of endpoints by their keys."""
    names = {rule.reported_endpoint: rule.label for rule in results.evidence.comparisons if rule.label}
    return names | {endpoint.endpoint: endpoint.label for endpoint in results.evidence.endpoints}


def _scales(results: Results) -> dict[str, Scale]:
    """Units of rates by endpoint."""
    return {endpoint.endpoint: results.scale(endpoint.endpoint) for endpoint in results.evidence.endpoints}


def _subsets(results: Results) -> dict[str, str]:
    """Labels of subsets by their keys, which may be those of endpoints as well."""
    return {rule.subset: rule.label or rule.subset for rule in results.evidence.subsets}
