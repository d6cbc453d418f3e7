"""The whole fit of a job: every estimate in words, and as files to take away."""

from dataclasses import replace

from analysis.cases.settings import Job
from analysis.drawing.html import Html, rendered, table
from analysis.evidence.directory import Evidence
from analysis.explorer.views import View
from analysis.inference.estimands import LABELS
from analysis.results.numbers import unit_text
from analysis.results.results import Results
from analysis.results.table import Layout
from analysis.results.tables import ESTIMATES, STUDIES, told
from analysis.system.errors import UsageError
from analysis.system.files import as_csv
from analysis.system.interrupts import private_folder

TABLES = {"estimates": ESTIMATES, "studies": STUDIES}


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
