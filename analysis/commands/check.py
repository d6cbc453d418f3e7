"""`check`: every problem of an evidence directory."""

import argparse
import sys

from analysis.commands.printing import print_json
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError
from analysis.results.terminal import no_problem, row_counts
from analysis.system.errors import one_line


def run(options: argparse.Namespace) -> int:
    """Print each problem on a line; exit code 2 when there is one."""
    place = str(options.data)
    try:
        evidence = load(options.data)
    except EvidenceError as error:
        if options.json:
            print_json({"data": place, "valid": False, "problems": [problem.as_dict() for problem in error.problems],
                        "notes": []})
        raise
    for note in evidence.notes:
        print(f"note: {note}", file=sys.stderr)
    if options.json:
        print_json({"data": place, "valid": True, "problems": [], "notes": [note.as_dict() for note in evidence.notes],
                    "data_sha256": evidence.sha256, "rows": row_counts(evidence)})
    else:
        print(one_line(f"{place}: {no_problem(evidence)}"))
    return 0
