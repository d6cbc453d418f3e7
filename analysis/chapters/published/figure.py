"""One figure of every published number beside the same estimand of the reanalysis."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from analysis.cases.settings import ALL
from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, draw_intervals
from analysis.drawing.page import left_out
from analysis.results import numbers
from analysis.results.numbers import PERCENT, PROBABILITY_UNITS, Scale
from analysis.results.table import Row, plain_rows
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 150
SAME = ("endpoint", "subset", "estimand", "time_months")
"""Columns by which a reading with a falling hazard is that of a published number."""
_PUBLISHED, _OURS, _FALLING = Look(style.PUBLISHED, "D"), Look(style.SHRUNKEN, "o"), Look(style.SHRUNKEN, "s")


def draw_published(comparisons: "pd.DataFrame", *, labels: Labels,
                   falling: Mapping[tuple[Any, ...], Row] | None = None) -> Figure:
    """Published estimates with confidence intervals above posterior medians with credible intervals.

    Parameters
    ----------
    comparisons : DataFrame
        As comparison.csv; first printings that are compared are drawn, crude proportions last.
    falling : mapping of keys to rows
        By `SAME`, what survival is where the hazard may fall: drawn below the constant one, which is then named.
    """
    falling = falling or {}
    compared = comparisons[comparisons["median"].notna() & comparisons["primary"]]
    drawn = compared.head(MAX_ROWS)
    rows = sorted(plain_rows(drawn), key=lambda row: row.lower is None)
    groups = by_scale(rows, lambda row: labels.scales.get(row.our_endpoint, PERCENT)
                      if row.units in PROBABILITY_UNITS else None)
    return draw_intervals(
        [_plot(group, scale, labels, falling) for scale, group in groups.items()], title="Published and recomputed",
        heads=("", "Estimate\n[interval]", "Studies /\npatients"),
        legend=[(_PUBLISHED, _who("published", drawn["published_level"], "confidence")),
                (_OURS, _who(f"this analysis ({'median; constant hazard' if falling else 'posterior median'})",
                             drawn["level"], "credible")),
                *([(_FALLING, "this analysis, hazard may fall: preferred")] if falling else [])],
        notes=[numbers.counted(len(drawn), "published number")
               + ("; crude: events over patients, no interval" if drawn["lower"].isna().any() else ""),
               *left_out(len(compared) - MAX_ROWS)],
        stamp=labels.stamp)


def _plot(rows: list[Any], scale: Scale | None, labels: Labels, falling: Mapping[tuple[Any, ...], Row]) -> Plot:
    """A block for each endpoint; where each has one row, that is named by its endpoint and needs no heading."""
    endpoints = {endpoint: [row for row in rows if row.endpoint == endpoint]
                 for endpoint in dict.fromkeys(row.endpoint for row in rows)}
    named = len(endpoints) == len(rows) > 1
    blocks = (Block(tuple(_line(row, labels, scale or PERCENT, labels.endpoints[endpoint] if named else "", falling)
                          for row in group), "" if named else labels.endpoints[endpoint])
              for endpoint, group in endpoints.items())
    return Plot(tuple(blocks), scale, f"Rate, or survival at the horizon{scale.of_a_rate}" if scale else "Months")


def _line(row: Any, labels: Labels, scale: Scale, name: str, falling: Mapping[tuple[Any, ...], Row]) -> Line:
    subset = row.subset or ALL
    detail = " (crude)" if row.lower is None else f", {row.time_months:g} months" if row.time_months else ""
    theirs, ours = (row.published, row.published_lower, row.published_upper), (row.median, row.lower, row.upper)
    our_text = numbers.number(row.median, row.units, scale) if row.lower is None else \
        numbers.interval_text(*ours, row.units, scale)
    other = falling.get((row.our_endpoint, subset, row.estimand, row.time_months)) if falling else None
    preferred = []
    if other:
        median, lower, upper = numbers.limits_of(other, "median")
        limits = (1.0 - median, 1.0 - upper, 1.0 - lower) if row.transform == "complement" else (median, lower, upper)
        preferred = [Interval(*limits, _FALLING, numbers.interval_text(*limits, row.units, scale), "")]
    pooled = labels.subsets.get(subset, subset)
    label = name + (f", {pooled}" if subset != ALL else "") if name else pooled + detail
    return Line(label, (
        Interval(*theirs, _PUBLISHED, numbers.printed_with_interval(*theirs, row.units, scale),
                 numbers.studies_and_patients(row.published_k, row.published_n)),
        Interval(*ours, _OURS, our_text, numbers.studies_and_patients(row.k_studies, row.n_patients)), *preferred),
        color=style.INK)


def _who(name: str, levels: "pd.Series", kind: str) -> str:
    texts = sorted(map(numbers.level_text, levels.dropna().unique()))
    return f"{name}, {' or '.join(texts)} {kind} interval" if texts else name
