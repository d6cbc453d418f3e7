"""Published numbers that the answer cannot hold: crude ones, second printings, and those without a counterpart."""

from analysis.cases.settings import ALL
from analysis.drawing.comparisons import comparison_table
from analysis.drawing.html import Html, folded, join, section, table
from analysis.results import facts
from analysis.results.comparison import COMPARED
from analysis.results.numbers import as_printed, signed, studies_and_patients
from analysis.results.results import Results


def remainder_section(results: Results) -> Html:
    """The published numbers that are not in the table of the answer, each with its reason."""
    return section("remainder", "Other published numbers", _crude(results), _second_printings(results),
                   _not_compared(results))


def _crude(results: Results) -> Html:
    rows = []
    for found in (found for found in results.comparisons if found.crude):
        reported, (k, events, n) = found.reported, found.crude
        digits = max(0, (reported.decimals or 2) - 2)
        rows.append((facts.endpoint_label(results, reported.endpoint), facts.subset_label(
            results, reported.subset or ALL), f"{as_printed(reported.estimate, reported.units)} %",
            studies_and_patients(reported.k_studies, reported.n_patients), f"{100 * events / n:.{digits}f} %",
            f"{events:,}/{n:,}", f"{k}", signed(found.difference, reported.units), reported.reported_id))
    heads = ("Quantity", "Subset", "Published", "Studies / patients", "Reanalysis", "Events / patients", "Studies",
             "Difference, points", "Id")
    return table("Crude proportions (events over patients of all studies together): no interval on either side",
                 heads, rows, left=2)


def _second_printings(results: Results) -> Html:
    found = facts.pooled_comparisons(results, primary=False)
    return join([comparison_table(results, found, caption="Further printings of numbers in the first table")])


def _not_compared(results: Results) -> Html:
    rows = []
    for found in results.comparisons:
        reported = found.reported
        if found.status != COMPARED:
            rows.append((facts.endpoint_label(results, reported.endpoint), facts.subset_label(
                results, reported.subset or ALL), reported.statistic.replace("_", " "),
                facts.printed(reported), found.reason, reported.reported_id))
    return table("Published numbers that cannot be compared", (
        "Quantity", "Subset", "Statistic", "Published", "Why not", "Id"), rows, left=6)


def left_out_section(results: Results) -> Html:
    """Rows of the evidence that no headline fit uses, endpoint by endpoint."""
    parts = []
    for endpoint in results.evidence.endpoints:
        record = results.headline(endpoint.endpoint)
        rows = [(facts.study_label(results, row["study_id"]), f"{row['table']} line {row['row']}", row["reason"])
                for row in (record.left_out if record else ())]
        parts.append(folded(f"{endpoint.label}: {len(rows)}", table(
            f"{endpoint.label}: rows left out of the headline fit", ("Study", "Where", "Why"), rows, left=3))
            if rows else "")
    return section("left-out", "Evidence left out", *(part for part in parts if part))
