"""Files that come and go: a spreadsheet of a reader's own, and the whole fit of a job in words and to take away."""

import base64
import binascii
import re
from dataclasses import replace
from pathlib import Path

from analysis.cases.settings import Job
from analysis.drawing.html import Html, rendered, table
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.explorer.views import View
from analysis.inference.estimands import LABELS
from analysis.results.numbers import unit_text
from analysis.results.results import Results
from analysis.results.table import Layout
from analysis.results.tables import ESTIMATES, STUDIES, told
from analysis.system.errors import UsageError
from analysis.system.files import as_csv
from analysis.system.interrupts import private_folder

MOST_BYTES = 2_000_000
"""A sheet of ten thousand studies is half as large; whoever has more names the file with --data."""

_KINDS = (".csv", ".xlsx")
TABLES = {"estimates": ESTIMATES, "studies": STUDIES}


def uploaded(name: str, content: str) -> Evidence:
    """The evidence of an uploaded file.

    Parameters
    ----------
    name : str
        As the browser gives it: a name, no path.
    content : str
        In base64.

    Raises
    ------
    UsageError
        When the file is no spreadsheet, or too large.
    EvidenceError
        With every problem of its rows.
    """
    # Messages and commands name the file; nothing of the name is to be a path or an option.
    name = re.sub(r"[^\w.-]+", "_", name)[-80:].lstrip(".-") or "upload"
    if Path(name).suffix.lower() not in _KINDS:
        raise UsageError(f"{name} is no spreadsheet; choose a .csv or .xlsx file")
    if len(content) > MOST_BYTES * 4 // 3 + 4:
        raise UsageError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; start with --data {name} instead")
    try:
        data = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise UsageError(f"{name} did not arrive whole; choose it again") from None
    with private_folder() as folder:  # gone before anything is computed
        path = folder / name
        path.write_bytes(data)
        return replace(load(path), directory=Path(name))


def results_of(evidence: Evidence, job: Job) -> Results:
    """The fit that `recart fit` makes of a job, warnings and single studies included.

    Raises
    ------
    UsageError
        When there is none.
    """
    from analysis.runs.fits import records

    (record,) = records(evidence, (job,), None)
    if not record.estimates:
        raise UsageError(record.diagnostics["failures"])
    return Results(evidence, job, (record,))


def details(results: Results) -> Html:
    """What a fit says beyond the headline, and what it leaves out."""
    (record,), labels = results.records, results.labels
    write, rows = results.writer(ESTIMATES), []
    for row in told(results.evidence, (row for row in record.estimates if row["study_id"] is None)):
        months = f", {row['time_months']:g} months" if row["time_months"] else ""
        rows.append([f"{LABELS.get(row['estimand'], row['estimand'])}{months}",
                     write.interval(row, "median", row["unit"]),
                     unit_text(row["unit"], labels.scales[row["endpoint"]]), write(row, "level")])
    left_out = [[labels.studies.get(row["study_id"], row["study_id"]), row["reason"]] for row in record.left_out]
    return rendered(
        "explorer/details.html", warnings=record.warnings, failures=record.diagnostics["failures"],
        estimates=table("Posterior medians with their intervals", ["Estimand", "Estimate", "Unit", "Interval"], rows,
                        numeric=(1,)),
        left_out=table("Rows that are not used", ["Study", "Why"], left_out))


def table_text(results: Results, layout: Layout) -> str:
    """A table of the fit as CSV, neutralised for spreadsheets."""
    (record,) = results.records
    rows = record.estimates if layout is ESTIMATES else record.studies
    return as_csv(layout.table(rows).rows, layout.names)


def figure(results: Results, view: View, kind: str) -> bytes:
    """The forest plot of the report, of this fit, as "svg" or "png"."""
    from analysis.chapters.endpoints import forest_of
    from analysis.chapters.endpoints.figure import draw_forest
    from analysis.drawing.saving import save_figure
    from analysis.results.comparison import COMPARISON, compare

    (record,), endpoint, question = results.records, view.case.selection.endpoint, view.job.question
    published = [] if view.published is None else compare(replace(results.evidence, reported=(view.published,)),
                                                          question, {})
    results = replace(results, tables={COMPARISON.file: COMPARISON.table(published)})
    words = [endpoint.label, *([results.labels.subsets[question.subset]] if question.subset != "all" else []),
             *(f"without {results.labels.studies[study]}" for study in question.without)]
    content = forest_of(results, endpoint, record) | {"label": ", ".join(words), "stamp": ""}
    with private_folder() as folder:
        files = save_figure(draw_forest(**content), folder / f"forest.{endpoint.endpoint}")
        return next(file for file in files if file.suffix == f".{kind}").read_bytes()
