"""`export`: the analysed data as metafor and RBesT read them."""

import argparse

from analysis.cases.case import headline_case
from analysis.cases.settings import Job
from analysis.commands.arguments import question_of
from analysis.commands.printing import print_json, print_notes
from analysis.evidence.loading import load
from analysis.output import adding
from analysis.results.exports import LAYOUTS, METAFOR, RBEST, metafor_rows, rbest_rows
from analysis.results.tables import left_out_rows
from analysis.system.errors import one_line


def run(options: argparse.Namespace) -> int:
    """Write a table for each program, with the rows that the headline fits use; say which others are not used."""
    evidence = load(options.data)
    labels = {study.study_id: study.label for study in evidence.studies}
    base = Job(question_of(options))
    cases = [headline_case(evidence, base, endpoint.endpoint) for endpoint in evidence.endpoints]
    tables = [METAFOR.table(row for case in cases for row in metafor_rows(case, labels)),
              RBEST.table(row for case in cases for row in rbest_rows(case))]
    left_out = [row for case in cases for row in left_out_rows(case.selection)]
    with adding(options.output, data=options.data, run="export", names=[layout.file for layout in LAYOUTS]) as folder:
        paths = [options.output / table.write(folder).relative_to(folder) for table in tables if len(table)]
    if options.json:
        print_json({"data_sha256": evidence.sha256, "files": [str(path) for path in paths], "left_out": left_out})
    else:
        print("\n".join(one_line(str(path)) for path in paths))
    print_notes([], left_out)
    return 0
