"""The sections on what each conclusion hangs on: single studies, subsets, and the size of the studies."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.drawing.html import Html, folded, paragraphs, section, table
from analysis.results import facts
from analysis.results.numbers import (
    PERCENT,
    chance,
    counted,
    fixed,
    joint,
    level_text,
    number,
    signed,
    significant,
)
from analysis.results.results import Results

Row = Mapping[str, Any]

_FEW = 3
_UNRELIABLE = 0.7  # Pareto k above which importance sampling is not trusted


def influence_section(results: Results, picture: Html) -> Html:
    """Which study each estimate hangs on, and which ones the others would not have predicted."""
    rows = results.rows("influence.csv")
    computed = [row for row in rows if row["status"] == "computed"]
    return section("influence", "Which study each estimate hangs on",
                   paragraphs([*_named(results, computed), *_largest(results, computed), *_pareto(computed),
                               *_refused(results, rows)]), picture if computed else "",
                   folded("Every study left out", _left_out_table(results, computed)))


def _label(results: Results, row: Row) -> str:
    return facts.endpoint_label(results, row["endpoint"])


def _main(row: Row) -> str:
    return "mean rate" if row["time_months"] is None else f"survival at {row['time_months']:g} months"


def _with_sign(value: float | None) -> str:
    return number(None, "") if value is None else signed(value, "")


def _heterogeneity(row: Row) -> tuple[str, str]:
    """Without and with the study, with decimals that tell them apart."""
    without, full = joint((row["heterogeneity_median"], row["full_heterogeneity"]), "")
    return without, full


def _named(results: Results, rows: Sequence[Row]) -> list[str]:
    """Each surprising study in a sentence, then how many chance would name."""
    if not rows:
        return []
    named = [row for row in rows if row["named"]]
    notes = [f"{_label(results, row)}: {row['label']} is surprising to the other {row['k_studies'] - 1}, with a "
             f"two-sided predictive probability of {chance(row['two_sided'])}. Without it the {_main(row)} is "
             f"{facts.worded({**row, 'unit': 'proportion'}, results.scale(row['endpoint']))} instead of "
             f"{facts.pooled_text(results, row['endpoint'])}, and "
             f"{row['heterogeneity']} {' instead of '.join(_heterogeneity(row))}."
             for row in named]
    expected = sum(row["chance_named"] for row in rows)
    endpoints = len({row["endpoint"] for row in rows})
    shared = "; the endpoints share patients and are not independent" if endpoints > 1 else ""
    notes.append(f"A study is named where that probability is below 0.05. Of {counted(len(rows), 'prediction')} over "
                 f"{counted(endpoints, 'endpoint')}, {len(named)} "
                 f"{'is' if len(named) == 1 else 'are'} named; by chance about {significant(expected)} would be, "
                 f"from studies that the model describes. Counts are discrete, so that it is less than one in "
                 f"twenty{shared}.")
    return notes


def _largest(results: Results, rows: Sequence[Row]) -> list[str]:
    """The largest shift over endpoints with studies enough."""
    enough = [row for row in rows if row["k_studies"] >= _FEW]
    if not enough:
        return []
    by_size = max(enough, key=lambda row: abs(row["shift_sd"]))
    moved = {row["endpoint"] for row in enough if abs(row["shift_sd"]) >= 0.5}
    endpoints = len({row["endpoint"] for row in enough})
    return [f"The largest shift is that of {_label(results, by_size)} without {by_size['label']}: "
            f"{_shift(results, by_size)}, {number(abs(by_size['shift_sd']), '')} posterior standard "
            f"deviations. In {len(moved)} of {counted(endpoints, 'endpoint')} with at least {_FEW} studies some study "
            f"moves the median by half a standard deviation or more."]


def _pareto(rows: Sequence[Row]) -> list[str]:
    shapes = [row["pareto_k"] for row in rows if row["pareto_k"] is not None]
    if not shapes:
        return []
    above = sum(shape > _UNRELIABLE for shape in shapes)
    return [f"Pareto k of importance sampling on the marginal likelihood, with the study's own effect integrated out, "
            f"is at most {number(max(shapes), '')}; {above} of {len(shapes)} are above {_UNRELIABLE:g}. Every line is "
            f"an exact refit, so that a k above {_UNRELIABLE:g} would need nothing further."]


def _refused(results: Results, rows: Sequence[Row]) -> list[str]:
    refused = {row["endpoint"]: row for row in rows if row["status"] != "computed"}
    return [f"{_label(results, row)}: not computed, {row['reason']}." for row in refused.values()]


def _left_out_table(results: Results, rows: Sequence[Row]) -> Html:
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    heads = ("Endpoint", "Without", "Patients",
             rates.head("Estimate", f"{level_text(results.base.level)} credible"), rates.head_of_change("Shift"),
             "Shift, SD", "Heterogeneity", "Predictive mid-p", "Two-sided", "Surprise, bits",
             "Learned, bits", "Pareto k", "Note")
    cells = [(_label(results, row), row["label"], f"{row['n']:,}", rates.cell(row["endpoint"], row),
              rates.change(row["endpoint"], row["shift"], facts.limits(row)), _with_sign(row["shift_sd"]),
              "{} {} ({} with)".format(row["heterogeneity"], *_heterogeneity(row)),
              chance(row["pit"]), chance(row["two_sided"]), fixed(row["surprise_bits"], 1),
              number(row["information_bits"], ""), number(row["pareto_k"], ""), row["reason"]) for row in rows]
    return table("Each study left out: the estimate without it, and how the others predict it", heads, cells, left=2,
                 marked=["outside" if row["named"] else None for row in rows])


def _shift(results: Results, row: Row) -> str:
    """A shift with its unit, such as "+2 points"."""
    scale = results.scale(row["endpoint"])
    text = signed(row["shift"], "proportion", scale, like=facts.limits(row))
    return f"{text} {'point' if text[1:] == '1' and scale == PERCENT else scale.points}"
