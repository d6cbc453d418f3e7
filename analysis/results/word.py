"""The answer as a Word table for a manuscript: a row for each endpoint, and of survival one for each reading."""

from pathlib import Path

from analysis.inference.estimands import MAIN, NEW
from analysis.results.comparison import COMPARISON
from analysis.results.numbers import counted, level_text, safe
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import ESTIMATES
from analysis.system.files import write_atomically

FILE = "answer.docx"
_NARROW = 9  # points


def answer_cells(results: Results) -> list[list[str]]:
    """The table as text, heads first: endpoint, studies and patients, pooled, new study, published."""
    ours, theirs = results.writer(ESTIMATES), results.writer(COMPARISON)
    published, level = results.published(), level_text(results.base.level)
    rows = [["Endpoint", "Studies / patients", f"Pooled [{level} credible interval]",
             f"New study [{level} prediction interval]", *(["Published"] if published else [])]]
    for endpoint in results.fitted:
        record = results.headline(endpoint.endpoint)
        pooled, new = (record.estimate(names[endpoint.kind]) for names in (MAIN, NEW))
        row, preferred = published.get(endpoint.endpoint), _preferred(results, pooled)
        readings = [(", hazard may fall (preferred)", preferred, None), (", constant hazard", pooled, new)] \
            if preferred else [("", pooled, new)]
        rows += [[f"{endpoint.label}, {results.main_name(endpoint)}{reading}",
                  f"{record.k_studies} / {record.n_patients:,}", ours(estimate) or record.status, ours(prediction),
                  *([theirs(row, "published") if row else ""] if published else [])]
                 for reading, estimate, prediction in readings]
    return [[safe(cell) for cell in row] for row in rows]


def _preferred(results: Results, pooled: Row | None) -> Row | None:
    """Of survival, the same estimand by the preferred assumption about the hazard; None where there is one only."""
    same = ("endpoint", "estimand", "time_months")
    return next((row for row in results.rows("answer.csv") if pooled and row["hazard"] and row["preferred"]
                 and all(row[name] == pooled[name] for name in same)), None)


def write_answer(results: Results, folder: Path) -> Path:
    """Write the document whole or not at all; returns its path."""
    import docx
    from docx.shared import Pt

    cells, document = answer_cells(results), docx.Document()
    studies = {row["study_id"] for endpoint in results.fitted for row in results.headline(endpoint.endpoint).studies}
    document.add_paragraph(f"Posterior medians from {counted(len(studies), 'study')}. Rates and survival in the unit "
                           "beside the number.").style = "Caption"
    table = document.add_table(len(cells), len(cells[0]), "Light Grid Accent 1")
    for row, texts in zip(table.rows, cells, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
            for run in cell.paragraphs[0].runs:
                run.font.size = Pt(_NARROW)
    path = folder / FILE
    write_atomically(path, lambda temporary: document.save(str(temporary)))
    return path
