"""Published numbers that the answer does not hold: what fits on a narrow screen."""

from dataclasses import replace

from analysis.chapters.remainder import CHAPTER
from analysis.results.comparison import COMPARED, COMPARISON
from tests.report.reading import Page
from tests.reporting import project_results


def test_a_crude_proportion_is_a_percentage_whatever_its_unit_is_called():
    crude = {"endpoint": "hct_after", "units": "", "published": 0.7, "median": 0.7, "events": 35, "n_patients": 50,
             "k_studies": 3, "difference": 0.0, "status": COMPARED, "reported_id": "R01"}
    results = project_results()
    table = COMPARISON.table([crude])
    page = Page(CHAPTER.section(replace(results, tables=results.tables | {COMPARISON.file: table}), None))
    (caption,) = (caption for caption in page.tables if caption.startswith("Crude proportions"))
    head, row = page.tables[caption]
    assert row[head.index("Published")] == row[head.index("Reanalysis")] == "70 %"


def test_the_reason_stands_next_to_the_number_and_not_beyond_a_narrow_screen():
    """All that says which number it is shares the first cell, so that three columns are left."""
    results = project_results()
    head, *rows = Page(CHAPTER.section(results, None)).tables["Published numbers that cannot be compared"]
    wanted = [row for row in results.rows("comparison.csv") if row["status"] != COMPARED]
    assert head == ["Quantity", "Published", "Why not"] and len(rows) == len(wanted) > 3
    for cells, row in zip(rows, wanted, strict=True):
        assert cells[0].endswith(f", {row['reported_id']}") and row["statistic"].replace("_", " ") in cells[0]
        assert cells[2] == row["reason"]
