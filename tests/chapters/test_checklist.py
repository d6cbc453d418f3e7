"""An item of a guideline is done where this run answers it, not where it could."""

from analysis.chapters.checklist import CHECKLIST, checklist_rows
from tests.reporting import project_results, with_tables


def test_a_table_that_is_not_made_and_an_empty_column_answer_nothing():
    """No source judges the risk of bias of a study: PRISMA's item 20a is not done, that on single studies is."""
    results = with_tables(project_results(), {"small_studies.csv": [
        {"endpoint": "cr", "status": "not computed", "reason": "2 studies, fewer than 5"}]})
    rows = {(row["item"], row["part"]): (row["status"], row["reason"])
            for row in CHECKLIST.table(checklist_rows(results)[CHECKLIST.file]).rows}
    assert rows["13c", "raw_interval"] == ("done", "")
    assert rows["20a", "risk_of_bias"] == rows["14", "slope"] == ("not done", "This evidence leaves it empty.")
    assert rows["13f", "variant"] == ("not done", "This evidence calls for no such table.")
