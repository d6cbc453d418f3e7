"""`export`: the analysed data as metafor and RBesT read them."""

import argparse
from collections.abc import Iterator
from typing import Any

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job
from analysis.commands.arguments import question_of
from analysis.commands.printing import print_json, print_notes
from analysis.evidence.loading import load
from analysis.output import adding
from analysis.results.table import Column, Layout, columns
from analysis.results.tables import left_out_rows
from analysis.system.errors import one_line

METAFOR = Layout("metafor.csv", "One study of one endpoint, for R's metafor (escalc, rma).", columns(
    "endpoint", Column("study", "key of the study in studies.csv", "text"),
    Column("slab", "name of the study as readers see it", "text"),
    Column("measure", "measure of escalc: PLO for a rate, IRLN for events over person-months; GEN where yi is given",
           "text"),
    Column("xi", "patients with the event, or events", "number"),
    Column("ni", "patients; effective ones, whole, at a landmark that everybody or nobody reaches", "count"),
    Column("ti", "person-months"), Column("yi", "log hazard, events per person-month"),
    Column("vi", "its variance; where errors differ below and above, that of their mean")))
RBEST = Layout("rbest.csv", "One study of one rate, for R's RBesT (gMAP).", columns(
    "endpoint", Column("study", "key of the study in studies.csv", "text"),
    Column("r", "patients with the event", "count"), Column("n", "patients", "count")))


def run(options: argparse.Namespace) -> int:
    """Write a table for each program, with the rows that the headline fits use; say which others are not used."""
    evidence = load(options.data)
    labels = {study.study_id: study.label for study in evidence.studies}
    base = Job(question_of(options))
    cases = [headline_case(evidence, base, endpoint.endpoint) for endpoint in evidence.endpoints]
    tables = [METAFOR.table(row for case in cases for row in metafor_rows(case, labels)),
              RBEST.table(row for case in cases for row in rbest_rows(case))]
    left_out = [row for case in cases for row in left_out_rows(case.selection)]
    with adding(options.output, data=options.data, run="export", names=[METAFOR.file, RBEST.file]) as folder:
        paths = [options.output / table.write(folder).relative_to(folder) for table in tables if len(table)]
    if options.json:
        print_json({"data_sha256": evidence.sha256, "files": [str(path) for path in paths], "left_out": left_out})
    else:
        print("\n".join(one_line(str(path)) for path in paths))
    print_notes([], left_out)
    return 0


def metafor_rows(case: Case, labels: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Rows of metafor.csv."""
    for row in case.selection.rows if case.model.kind == "rate" else ():
        yield {"endpoint": case.question.endpoint, "study": row.study_id, "slab": labels[row.study_id],
               "measure": "PLO", "xi": row.events, "ni": row.n}
    for study in case.conversions:
        cells = {"endpoint": case.question.endpoint, "study": study.study_id, "slab": labels[study.study_id],
                 "ni": study.patients}
        if study.landmark_months > 0.0:
            # A landmark that everybody or nobody reaches is a count of effective patients, of whom all or none count.
            patients = max(round(study.events + study.person_months / study.landmark_months), 1)
            yield {**cells, "measure": "PLO", "xi": patients if study.events else 0, "ni": patients}
        elif study.person_months > 0.0:
            yield {**cells, "measure": "IRLN", "xi": study.events, "ti": study.person_months}
        else:
            variance = ((study.se_lower + study.se_upper) / 2.0) ** 2
            yield {**cells, "measure": "GEN", "yi": study.log_hazard, "vi": variance}


def rbest_rows(case: Case) -> Iterator[dict[str, Any]]:
    """Rows of rbest.csv; none for survival."""
    for row in case.selection.rows if case.model.kind == "rate" else ():
        yield {"endpoint": case.question.endpoint, "study": row.study_id, "r": row.events, "n": row.n}
