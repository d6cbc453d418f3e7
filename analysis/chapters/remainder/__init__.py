"""Published numbers and rows of the evidence that the answer does not hold."""

from collections.abc import Sequence

from analysis.chapters.chapter import Chapter, Page
from analysis.drawing.html import Html, folded, join, section, show, tag
from analysis.drawing.tables import comparison_table
from analysis.results.comparison import COMPARED, COMPARISON
from analysis.results.numbers import as_printed
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import LEFT_OUT


def _section(results: Results, page: Page) -> Html:
    rows = results.rows(COMPARISON.file)
    others = section(
        "remainder", "Other published numbers", _crude(results, [row for row in rows if row["events"] is not None]),
        comparison_table(results, results.compared(primary=False),
                         caption="Further printings of numbers in the first table"),
        _uncompared(results, [row for row in rows if row["status"] != COMPARED]))
    return join([others, section("left-out", "Evidence left out", *_left_out(results))], "\n\n")


def _uncompared(results: Results, rows: Sequence[Row]) -> Html:
    """Each number with what it is in one cell, so that on a narrow screen the reason stands beside it."""
    write = results.writer(COMPARISON)

    def quantity(row: Row) -> Html:
        return join([write(row, "endpoint"), tag("small", ", ".join(
            write(row, name) for name in ("subset", "statistic", "reported_id")))])

    return show(write, rows, "endpoint published reason", caption="Published numbers that cannot be compared",
                cells={"endpoint": quantity})


def _crude(results: Results, rows: Sequence[Row]) -> Html:
    decimals = {reported.reported_id: max(0, (reported.decimals or 2) - 2) for reported in results.evidence.reported}
    return show(
        results.writer(COMPARISON), rows, "endpoint subset published published_k median events k_studies difference "
        "reported_id", heads={"median": "Reanalysis", "k_studies": "Studies", "difference": "Difference, points"},
        caption="Crude proportions (events over patients of all studies together): no interval on either side",
        cells={"published": lambda row: f"{as_printed(row['published'], 'probability')} %",
               "median": lambda row: f"{100 * row['median']:.{decimals[row['reported_id']]}f} %",
               "events": lambda row: f"{row['events']:,}/{row['n_patients']:,}",
               "k_studies": lambda row: f"{row['k_studies']}"})


def _left_out(results: Results) -> list[Html]:
    """Rows of the evidence that no headline fit uses, endpoint by endpoint."""
    write, records = results.writer(LEFT_OUT), {endpoint.label: results.headline(endpoint.endpoint)
                                                for endpoint in results.evidence.endpoints}
    return [folded(f"{label}: {len(record.left_out)}", show(
                write, record.left_out, "study_id table reason", caption=f"{label}: rows left out of the headline fit",
                cells={"table": lambda row: f"{row['table']} line {row['row']}"}))
            for label, record in records.items() if record and record.left_out]


CHAPTER = Chapter("remainder", 130, section=_section)
