"""The values of the section on single studies; its words are in section.html."""

from analysis.chapters.influence.figure import FEWEST
from analysis.chapters.influence.rows import COMPUTED, INFLUENCE
from analysis.chapters.influence.surprise import NAMED_BELOW
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import PERCENT, chance, fixed, joint, level_text, number, signed
from analysis.results.results import Results
from analysis.results.table import Row

_UNRELIABLE = 0.7
"""Pareto k above which importance sampling is not trusted."""


def influence_section(results: Results, picture: Html) -> Html:
    """Which study each estimate hangs on, and which ones the others would not have predicted."""
    rows = results.rows(INFLUENCE.file)
    computed = [row for row in rows if row["status"] == COMPUTED]
    enough = [row for row in computed if row["k_studies"] >= FEWEST]
    rates = facts.rates(results, {row["endpoint"] for row in computed})
    return section("influence", "Which study each estimate hangs on", rendered(
        "chapters/influence/section.html", say=facts.Words(results), each=facts.Rates(results, None),
        shift=lambda row: _shift(results, row), heterogeneity=_heterogeneity, rows=rows, computed=computed,
        named=[row for row in computed if row["named"]], below=NAMED_BELOW, few=FEWEST,
        endpoints={row["endpoint"] for row in computed}, enough={row["endpoint"] for row in enough},
        largest=max(enough, key=lambda row: abs(row["shift_sd"]), default=None),
        moved={row["endpoint"] for row in enough if abs(row["shift_sd"]) >= 0.5},
        shapes=[row["pareto_k"] for row in computed if row["pareto_k"] is not None], unreliable=_UNRELIABLE,
        refused={row["endpoint"]: row["reason"] for row in rows if row["status"] != COMPUTED}, picture=picture,
        rates=rates, level=level_text(results.base.level), cells=[_cells(results, rates, row) for row in computed],
        marked=["outside" if row["named"] else None for row in computed]))


def _heterogeneity(row: Row) -> list[str]:
    """Without and with the study, with decimals that tell them apart."""
    return joint((row["heterogeneity_median"], row["full_heterogeneity"]), "")


def _shift(results: Results, row: Row) -> str:
    """A shift with its unit, such as "+2 points"."""
    scale = results.scale(row["endpoint"])
    text = signed(row["shift"], "proportion", scale, like=facts.limits(row))
    return f"{text} {'point' if text[1:] == '1' and scale == PERCENT else scale.points}"


def _cells(results: Results, rates: facts.Rates, row: Row) -> tuple[object, ...]:
    endpoint = row["endpoint"]
    return (facts.endpoint_label(results, endpoint), row["label"], f"{row['n']:,}", rates.cell(endpoint, row),
            rates.change(endpoint, row["shift"], facts.limits(row)), signed(row["shift_sd"], ""),
            "{} {} ({} with)".format(row["heterogeneity"], *_heterogeneity(row)), chance(row["pit"]),
            chance(row["two_sided"]), fixed(row["surprise_bits"], 1), number(row["information_bits"], ""),
            number(row["pareto_k"], ""), row["reason"])
