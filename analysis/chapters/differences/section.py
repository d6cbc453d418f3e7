"""The values of the section on where differences come from; its words are in section.html."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from analysis.chapters.differences.decomposition import DATA, DECOMPOSITION, METHOD, PRIOR
from analysis.drawing.html import Html, join, rendered, section, tag
from analysis.results import facts
from analysis.results.numbers import (
    PROBABILITY_UNITS,
    RATIO,
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
from analysis.results.table import Row

if TYPE_CHECKING:
    import pandas as pd


def differences_section(results: Results, picture: Html) -> Html:
    """Published estimate, the paper's kind of method on this evidence, maximum likelihood, posterior."""
    rows = results.rows(DECOMPOSITION.file)
    if not rows:
        return Html("")
    changes = _changes(results.frame(DECOMPOSITION))
    outside = [row for row in results.rows("interval_shapes.csv") if row["verdict"].startswith("outside")]
    of_rates = [row for row in results.rows("frequentist.csv") if row["scale"] == "probability"]
    return section("differences", "Where each difference comes from", rendered(
        "chapters/differences/section.html", say=facts.Words(results), picture=picture, outside=outside,
        changes=changes, largest=int((changes[DATA].abs() >= changes[[METHOD, PRIOR]].abs().max(axis=1)).sum()),
        reach=lambda step: " to ".join(signed(value, "proportion") for value in (changes[step].min(),
                                                                                 changes[step].max())),
        printed=_printed, span=_span,
        steps=[_step(results, row) for row in rows],
        methods=[_methods(results, list(own)) for _, own in groupby(of_rates, lambda row: (row["endpoint"],
                                                                                           row["subset"]))]))


def _changes(steps: "pd.DataFrame") -> "pd.DataFrame":
    """The change of each step, with a row for each published estimate in per cents that has every step."""
    wanted = [DATA, METHOD, PRIOR]
    own = steps[steps["unit"].isin(PROBABILITY_UNITS) & steps["step"].isin(wanted)]
    return own.pivot(index="reported_id", columns="step", values="change").reindex(columns=wanted).dropna()


def _printed(shape: Row) -> str:
    return printed_with_interval(*(shape[f"published{end}"] for end in ("", "_lower", "_upper")), "proportion")


def _span(shape: Row, name: str) -> str:
    return " to ".join(joint((shape[f"{name}_low"], shape[f"{name}_high"]), RATIO))


def _step(results: Results, row: Row) -> tuple[object, ...]:
    scale, unit = results.scale(row["endpoint"]), row["unit"]
    name = join([facts.endpoint_label(results, row["endpoint"]), tag("small", ", ".join(
        [facts.subset_label(results, row["subset"]), row["estimand"].replace("_", " ")]))])
    values = [row[name] for name in ("estimate", "lower", "upper") if row[name] is not None]
    text = interval_text(*values, unit, scale) if len(values) == 3 else number(row["estimate"], unit, scale)
    return (name, row["label"], f"{text} {unit_text(unit, scale)}".rstrip(), row["interval"],
            studies_and_patients(row["k_studies"], row["n_patients"]), signed(row["change"], unit, scale, like=values),
            row["step"] if row["change"] is not None else "", row["reported_id"])


def _methods(results: Results, rows: Sequence[Row]) -> tuple[Row, tuple[str, ...], list[tuple[object, ...]]]:
    """What the caption says about the methods of one question, their heads and their cells."""
    endpoint, level = rows[0]["endpoint"], level_text(results.base.level)
    scale = results.scale(endpoint)
    heads = ("Method", "Estimand", facts.rates(results, [endpoint]).head("Estimate", f"{level} confidence"),
             "Heterogeneity", "Note")
    cells = [(row["label"] + (" (the paper's kind)" if row["of_the_paper"] else ""),
              row["estimand"].replace("_", " ") + (f" at {row['time_months']:g} months" if row["time_months"] else ""),
              interval_text(row["estimate"], row["lower"], row["upper"], "proportion", scale),
              f"{row['heterogeneity_name']} {number(row['heterogeneity'], '')}", row["note"]) for row in rows]
    return rows[0], heads, cells
