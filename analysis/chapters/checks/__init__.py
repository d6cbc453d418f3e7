"""Whether prior and posterior predict what the studies report; the words are in section.html."""

from collections.abc import Iterator
from typing import Any

from analysis.chapters.chapter import Chapter, Page, Picture, each_endpoint
from analysis.chapters.checks.figure import draw_checks
from analysis.chapters.checks.rows import CHECK_STATISTICS, CHECKS, PREDICTIONS, STATISTICS, check_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.results import Results
from analysis.results.table import COMPUTED
from analysis.system.groups import grouped

_FAR = 0.5
"""Width of an interval of rates or survival beyond which few reports could lie outside."""

_TURNED = {"largest": "smallest", "smallest": "largest"}


def _figures(results: Results) -> Iterator[Picture]:
    if rows := results.computed(CHECKS.file):
        outside = [{**row, "name": f"{row['label']}, {results.labels.endpoints[row['endpoint']]}"}
                   for row in rows if not row["posterior_within"]]
        yield Picture("checks", draw_checks, {"frame": results.frame(CHECKS), "labels": results.labels},
                      f"Each study's report on the intervals that prior and posterior predict for a further study of "
                      f"its size: {len(rows) - len(outside)} of {len(rows)} are within the posterior's"
                      + (f"; outside: {results.told(CHECKS, outside, 'observed', by='name')}." if outside else "."))


def _section(results: Results, page: Page) -> Html:
    """Whether the reports, and their extremes and spread, are what the models predict."""
    rows, computed, statistics = results.rows(CHECKS.file), results.computed(CHECKS.file), _statistics(results)
    write = results.writer(CHECKS)
    every = show(write, computed, "endpoint label n observed prior_median prior_pit posterior_median posterior_pit",
                 caption="Each report within what prior and posterior predict for a further study of its size",
                 marked=lambda row: None if row["posterior_within"] else "outside")
    heads = {**{name: f"Within, {name}" for name in PREDICTIONS}, **{name: f"p, {name}" for name in STATISTICS}}
    return section("checks", "Do the models predict what the studies report?", rendered(
        "chapters/checks/section.html", write=write, write_statistic=results.writer(CHECK_STATISTICS), rows=rows,
        computed=computed, statistics=statistics, endpoints={row["endpoint"] for row in computed}, every=every,
        within={name: sum(row[f"{name}_within"] for row in computed) for name in PREDICTIONS},
        narrowest=min((row["prior_upper"] - row["prior_lower"] for row in computed), default=1.0),
        outside=[row for row in computed if not row["posterior_within"]],
        extreme=[row for row in statistics if row["extreme"]],
        refused={row["endpoint"]: row for row in rows if row["status"] != COMPUTED}.values(),
        summary=show(results.writer(CHECK_STATISTICS, missing=""), list(_summary(results)),
                     " ".join(["endpoint", *heads]), heads=heads, caption="Reports within their predictive intervals, "
                     "and posterior predictive p-values of test statistics"), picture=page.picture("checks")))


def _statistics(results: Results) -> list[dict[str, Any]]:
    """Rows of the test statistics; the largest survival is the smallest rate of events, its spread no spread of it."""
    write, rows = results.writer(CHECK_STATISTICS), []
    for row in results.rows(CHECK_STATISTICS.file):
        name = _TURNED.get(row["statistic"])
        if write.scale(row).months:
            row = {**row, "statistic": name, "p_value": 1.0 - row["p_value"]} if name else {**row, "observed": None}
        rows.append(row)
    return rows


def _summary(results: Results) -> Iterator[dict[str, Any]]:
    """Of each endpoint how many reports lie within, and the p-value of each test statistic."""
    statistics = grouped(_statistics(results), lambda row: row["endpoint"])
    for endpoint, rows in grouped(results.computed(CHECKS.file), lambda row: row["endpoint"]).items():
        within = {name: f"{sum(row[f'{name}_within'] for row in rows)} of {len(rows)}" for name in PREDICTIONS}
        yield {"endpoint": endpoint, **within,
               **{row["statistic"]: row["p_value"] for row in statistics.get(endpoint, ())}}


def _brief(results: Results, page: Page) -> Html:
    """How many reports lie within their predictive interval, and how hard a test that is."""
    computed, write = results.computed(CHECKS.file), results.writer(CHECKS)
    if not computed:
        return Html("")
    within, reports = sum(row["posterior_within"] for row in computed), len(computed)
    extreme = sum(row["extreme"] for row in results.rows(CHECK_STATISTICS.file))
    rates = [row for row in computed if not write.scale(row).months]
    return rendered(
        "chapters/checks/brief.html", computed=computed, write=write, within=within, far=_FAR,
        extreme=extreme, answer="Nothing speaks against it" if within == reports and not extreme else
        _by_chance(within, reports, computed[0]["level"]),
        wide=sum(row["posterior_upper"] - row["posterior_lower"] > _FAR for row in rates),
        constant=any(row["months"] is not None for row in rates))


def _by_chance(within: int, reports: int, level: float) -> str:
    """Whether so few reports within would surprise where each one is with the probability of the level (mid-p)."""
    from scipy import stats

    law = stats.binom(reports, level)
    return "Not well" if law.cdf(within - 1) + 0.5 * law.pmf(within) < NAMED_BELOW else "By and large"


CHAPTER = Chapter("checks", 65, (CHECKS, CHECK_STATISTICS), each_endpoint("checks", check_rows), figures=_figures,
                  section=_section, parts=("checks", "figure checks"), brief=_brief)
