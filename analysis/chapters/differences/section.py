"""The sections on where differences come from, on other methods, and on the choice of the model."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.cases.selection import ALL
from analysis.drawing.html import Html, folded, join, paragraphs, section, table, tag
from analysis.results import facts
from analysis.results.numbers import (
    PROBABILITY_UNITS,
    RATIO,
    Scale,
    counted,
    interval_text,
    joint,
    level_text,
    number,
    printed_with_interval,
    signed,
    studies_and_patients,
    unit_text,
)
from analysis.results.results import Results

Row = Mapping[str, Any]


def differences_section(results: Results, picture: Html) -> Html:
    """Published estimate, the paper's kind of method on this evidence, maximum likelihood, posterior."""
    rows = results.rows("decomposition.csv")
    if not rows:
        return Html("")
    return section("differences", "Where each difference comes from", paragraphs([*_sizes(rows), *_shapes(results)]),
                   picture, folded("Every step in numbers", _steps(results, rows)),
                   folded("Intervals by every method", join(_methods(results), "\n")))


def _sizes(rows: Sequence[Row]) -> list[str]:
    """What the steps amount to over all published estimates in per cents."""
    steps: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["unit"] in PROBABILITY_UNITS and row["change"] is not None:
            steps.setdefault(row["reported_id"], {}).setdefault(row["step"], row["change"])
    whole = [found for found in steps.values() if {"data", "method", "prior"} <= found.keys()]
    if not whole:
        return []
    largest = sum(abs(found["data"]) >= max(abs(found["method"]), abs(found["prior"])) for found in whole)

    def reach(step: str) -> str:
        sizes = [found[step] for found in whole]
        return f"{signed(min(sizes), 'proportion')} to {signed(max(sizes), 'proportion')}"

    return [f"Of {counted(len(whole), 'published estimate')} in per cents, the largest step is the evidence itself "
            f"(missing studies and other counts) in {largest}: {reach('data')} points. The method changes the estimate "
            f"by {reach('method')} points, the prior and averaging over the heterogeneity by {reach('prior')} points."]


def _shapes(results: Results) -> list[str]:
    """Published intervals that the methods cannot give."""
    notes = []
    for row in results.rows("interval_shapes.csv"):
        if not row["verdict"].startswith("outside"):
            continue
        printed = printed_with_interval(row["published"], row["published_lower"], row["published_upper"], "proportion")
        symmetric = row["symmetric_about"].split()
        would = f" It is symmetric about a {symmetric[0]}, which would explain it." if symmetric and "logit" not in \
            symmetric else ""
        subset = "" if row["subset"] == ALL else f", {facts.subset_label(results, row['subset'])}"
        label = facts.endpoint_label(results, row["endpoint"])
        notes.append(
            f"{label}{subset}, {printed} %: however it was rounded, the lower arm of this interval is "
            f"{_span(row, 'arm_ratio')} times the upper one on the logit scale. "
            f"Methods of the published kind give {_span(row, 'methods')} on this "
            f"evidence, and {_span(row, 'completed')} in {row['completed']} sets in "
            f"which the missing studies are filled in by prediction. The printed interval does not come from such a "
            f"method on such data.{would}")
    return notes


def _span(row: Row, name: str) -> str:
    return " to ".join(joint((row[f"{name}_low"], row[f"{name}_high"]), RATIO))


def _steps(results: Results, rows: Sequence[Row]) -> Html:
    cells = []
    for row in rows:
        name = join([facts.endpoint_label(results, row["endpoint"]), tag("small", ", ".join(
            [facts.subset_label(results, row["subset"]), row["estimand"].replace("_", " ")]))])
        scale = results.scale(row["endpoint"])
        like = [row[name] for name in ("estimate", "lower", "upper") if row[name] is not None]
        cells.append((name, row["label"], _estimate(row, scale), row["interval"],
                      studies_and_patients(row["k_studies"], row["n_patients"]),
                      signed(row["change"], row["unit"], scale, like=like),
                      row["step"] if row["change"] is not None else "", row["reported_id"]))
    heads = ("Endpoint", "What", "Estimate [interval]", "Interval", "Studies / patients", "Change", "Due to", "Id")
    return table("Steps from the published estimate to the posterior", heads, cells, left=2)


def _estimate(row: Row, scale: Scale) -> str:
    unit = row["unit"]
    text = number(row["estimate"], unit, scale) if row["lower"] is None else \
        interval_text(row["estimate"], row["lower"], row["upper"], unit, scale)
    return f"{text} {unit_text(unit, scale)}".rstrip()


def _methods(results: Results) -> list[Html]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in results.rows("frequentist.csv"):
        if row["scale"] == "probability":
            found.setdefault((row["endpoint"], row["subset"]), []).append(row)
    level = level_text(results.base.level)

    def heads(endpoint: str) -> tuple[str, ...]:
        estimate = facts.rates(results, [endpoint]).head("Estimate", f"{level} confidence")
        return "Method", "Estimand", estimate, "Heterogeneity", "Note"

    return [table(f"{facts.endpoint_label(results, endpoint)}, {facts.subset_label(results, subset)}: "
                  f"{counted(rows[0]['k_studies'], 'study', 'studies')}", heads(endpoint),
                  [(row["label"] + (" (the paper's kind)" if row["of_the_paper"] else ""),
                    _estimand(row), interval_text(row["estimate"], row["lower"], row["upper"], "proportion",
                                                  results.scale(endpoint)),
                    f"{row['heterogeneity_name']} {number(row['heterogeneity'], '')}", row["note"]) for row in rows],
                  left=2) for (endpoint, subset), rows in found.items()]


def _estimand(row: Row) -> str:
    months = f" at {row['time_months']:g} months" if row["time_months"] else ""
    return row["estimand"].replace("_", " ") + months
