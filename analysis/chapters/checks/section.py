"""The values of the section on checks against the data; its words are in section.html."""

from collections.abc import Sequence

from analysis.chapters.checks.rows import CHECK_STATISTICS, CHECKS, COMPUTED, PREDICTIONS, STATISTICS
from analysis.drawing.html import Html, rendered, section
from analysis.results import facts
from analysis.results.numbers import chance, level_text
from analysis.results.results import Results
from analysis.results.table import Row


def checks_section(results: Results, picture: Html) -> Html:
    """Whether the reports, and their extremes and spread, are what the models predict."""
    rows, statistics = results.rows(CHECKS.file), results.rows(CHECK_STATISTICS.file)
    computed = [row for row in rows if row["status"] == COMPUTED]
    endpoints = list(dict.fromkeys(row["endpoint"] for row in computed))
    rates = facts.rates(results, endpoints)
    return section("checks", "Do the models predict what the studies report?", rendered(
        "chapters/checks/section.html", say=facts.Words(results), each=facts.Rates(results, None), rows=rows,
        computed=computed, statistics=statistics, endpoints=endpoints, picture=picture, rates=rates, limits=_limits,
        level=level_text(results.base.level), names=list(STATISTICS),
        within={name: [row for row in computed if row[f"{name}_within"]] for name in PREDICTIONS},
        outside=[row for row in computed if not row["posterior_within"]],
        narrowest=min((row["prior_upper"] - row["prior_lower"] for row in computed), default=1.0),
        extreme=[row for row in statistics if row["extreme"]],
        refused={row["endpoint"]: row["reason"] for row in rows if row["status"] != COMPUTED},
        summary=[_summary(results, endpoint, computed, statistics) for endpoint in endpoints],
        cells=[(facts.endpoint_label(results, row["endpoint"]), row["label"], f"{row['n']:,}",
                rates.one(row["endpoint"], row["observed"]),
                *(text for name in PREDICTIONS for text in (
                    rates.cell(row["endpoint"], _limits(row, name)), chance(row[f"{name}_pit"])))) for row in computed],
        marked=["" if row["posterior_within"] else "outside" for row in computed]))


def _limits(row: Row, name: str) -> Row:
    return {limit: row[f"{name}_{limit}"] for limit in ("median", "lower", "upper")}


def _summary(results: Results, endpoint: str, computed: Sequence[Row], statistics: Sequence[Row]) -> tuple[str, ...]:
    """Of one endpoint: how many studies lie within, and the p-value of each test statistic."""
    studies = [row for row in computed if row["endpoint"] == endpoint]
    p_values = {row["statistic"]: row["p_value"] for row in statistics if row["endpoint"] == endpoint}
    return (facts.endpoint_label(results, endpoint),
            *(f"{sum(row[f'{name}_within'] for row in studies)} of {len(studies)}" for name in PREDICTIONS),
            *(chance(p_values[name]) if name in p_values else "" for name in STATISTICS))
