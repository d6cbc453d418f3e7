"""The Word table holds the headline of each endpoint beside what was published."""

import re
from dataclasses import replace

import docx
import pytest

from analysis.inference.estimands import MAIN, NEW
from analysis.results.comparison import COMPARISON
from analysis.results.word import FILE, answer_cells, write_answer
from tests.reporting import PROJECT_DATA, load, results_of


@pytest.fixture(scope="module")
def results():
    return results_of(load(PROJECT_DATA))


def test_the_document_has_a_row_for_each_endpoint(results, tmp_path):
    write_answer(results, tmp_path)
    (table,) = docx.Document(tmp_path / FILE).tables
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert texts == answer_cells(results) and len(texts) == 1 + len(results.fitted)
    for endpoint, row in zip(results.fitted, texts[1:], strict=True):
        record = results.headline(endpoint.endpoint)
        assert row[0].startswith(endpoint.label) and row[1] == f"{record.k_studies} / {record.n_patients:,}"
        for cell, names in ((row[2], MAIN), (row[3], NEW)):
            estimate = record.estimate(names[endpoint.kind])
            wanted = [f"{100 * estimate[name]:.0f}" for name in ("median", "lower", "upper")]
            assert re.findall(r"\d+", cell)[:3] == wanted, (cell, wanted)
    assert any(row[2] != row[3] for row in texts[1:])


def test_published_numbers_stand_beside_ours(results):
    heads, *rows = answer_cells(results)
    published = {row[0]: row[4] for row in rows}
    assert heads[4] == "Published" and published["Overall survival, survival at 12 months"].startswith("57 % [49, 65]")


def test_a_complement_is_no_published_number_of_the_endpoint(results):
    rows = [row | {"transform": "complement"} if row["our_endpoint"] == "cr" else row
            for row in results.rows(COMPARISON.file)]
    heads, *cells = answer_cells(replace(results, tables={COMPARISON.file: COMPARISON.table(rows)}))
    published = {row[0].partition(",")[0]: row[4] for row in cells}
    assert not published["Complete remission (CR or CRi)"] and published["Overall survival"]
