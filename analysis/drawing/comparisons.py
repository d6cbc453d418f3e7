"""Comparisons as a table of the page."""

from collections.abc import Sequence

from analysis.cases.settings import ALL
from analysis.drawing.html import Html, join, table, tag
from analysis.results import facts
from analysis.results.comparison import Comparison
from analysis.results.numbers import Scale, level_text, number, percent, signed, studies_and_patients
from analysis.results.results import Results


def difference_text(found: Comparison, scale: Scale) -> str:
    """Posterior median minus published estimate, with the digits of our estimate."""
    ours = found.pooled.estimate
    return signed(found.difference, found.reported.units, scale, like=(ours.median, ours.lower, ours.upper))


def comparison_table(results: Results, found: Sequence[Comparison], *, caption: str = "") -> Html:
    """Comparisons as rows, grouped by endpoint; a published estimate outside our interval is marked."""
    level = level_text(results.base.level)
    levels = sorted({level_text(item.reported.level) for item in found if item.reported.level is not None})
    published = f"Published [{' or '.join(levels)} confidence]" if levels else "Published"
    heads = ("Endpoint and subset", published, "Studies / patients",
             f"Reanalysis [{level} credible]", "Studies / patients", "Difference", "Width ratio",
             "P(in published interval)", "Id")
    order = list(dict.fromkeys((item.reported.endpoint, item.reported.units) for item in found))
    ranked = sorted(found, key=lambda item: order.index((item.reported.endpoint, item.reported.units)))
    return table(caption or "Published estimates beside posterior medians of the same estimand", heads,
                 [_comparison_row(results, item) for item in ranked],
                 marked=[None if facts.agrees(item) else "outside" for item in ranked])


def _comparison_row(results: Results, found: Comparison) -> tuple[object, ...]:
    reported, pooled = found.reported, found.pooled
    unit, ours, scale = reported.units, pooled.estimate, results.scale(found.endpoint)
    time = f" at {ours.time_months:g} months" if ours.time_months else ", median" if unit == "months" else ""
    subset = facts.subset_label(results, reported.subset or ALL)
    fights = f"; {facts.CONFLICT}" if facts.conflicting(results, found.endpoint, reported.subset or ALL) else ""
    name = join([facts.endpoint_label(results, reported.endpoint) + time, tag("small", subset + fights)])
    chance = f"{percent(found.probability)} %" if found.probability is not None else number(None, unit)
    return (name, facts.printed(reported, scale), studies_and_patients(reported.k_studies, reported.n_patients),
            facts.worded({"median": ours.median, "lower": ours.lower, "upper": ours.upper, "unit": unit}, scale),
            studies_and_patients(pooled.k_studies, pooled.n_patients), difference_text(found, scale),
            number(found.width_ratio, "1"), chance, reported.reported_id)
