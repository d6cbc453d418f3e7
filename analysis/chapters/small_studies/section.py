"""The values of the section on the size of the studies; its words are in section.html."""

from collections.abc import Iterable

from analysis.chapters.small_studies.rows import COMPUTED, LARGE, LIMIT, REGRESSION, SMALL, SMALL_STUDIES, STUDY
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import MISSING, RATIO, chance, interval_text, number, signed, significant
from analysis.results.results import Results
from analysis.results.table import Row

_SIGNIFICANT = 0.05
_EXTREME = 1000.0
"""Where a ratio is beyond it or below its inverse, sizes nearly separate the studies with and without events."""


def small_studies_section(results: Results, picture: Html) -> Html:
    """Whether small studies tell another story than large ones."""
    rows = results.rows(SMALL_STUDIES.file)
    regressions = [row for row in rows if row["part"] == REGRESSION]
    computed = [row for row in regressions if row["status"] == COMPUTED]
    rates = facts.rates(results, {row["endpoint"] for row in rows})
    return section("small-studies", "Do small studies tell another story?", rendered(
        "chapters/small_studies/section.html", say=facts.Words(results), regressions=regressions, computed=computed,
        steep=[row for row in computed if row["slope_two_sided"] < _SIGNIFICANT], below=_SIGNIFICANT,
        refused=[row for row in regressions if row["status"] != COMPUTED], small=SMALL, large=LARGE, ratio=_ratio,
        is_extreme=lambda row: not 1.0 / _EXTREME < row["ratio"] < _EXTREME, outcomes=_outcomes,
        detectable=[row["detectable_ratio"] for row in computed],
        picture=picture if any(row["part"] == LIMIT for row in rows) else "",
        slopes=[_slope(results, row) for row in regressions], observed=rates.head("Observed"),
        predictions=[(facts.endpoint_label(results, row["endpoint"]), row["label"], f"{row['n']:,}",
                      rates.one(row["endpoint"], row["observed"]), chance(row["pit"]), signed(row["z"], ""))
                     for row in rows if row["part"] == STUDY]))


def _ratio(row: Row) -> str:
    return MISSING if row["ratio"] is None else interval_text(row["ratio"], row["ratio_lower"], row["ratio_upper"],
                                                              RATIO)


def _outcomes(rows: Iterable[Row]) -> list[str]:
    """What is regressed on size, by the kinds of the endpoints."""
    return ["log hazard" if survival else "logit mean rate"
            for survival in sorted({row["time_months"] is not None for row in rows})]


def _slope(results: Results, row: Row) -> tuple[object, ...]:
    return (facts.endpoint_label(results, row["endpoint"]), row["k_studies"], number(row["slope"], ""),
            number(row["slope_se"], ""), chance(row["slope_two_sided"]), chance(row["slope_two_sided_t"]), _ratio(row),
            significant(row["detectable_ratio"]), chance(row["egger_two_sided"]), row["reason"] or "")
