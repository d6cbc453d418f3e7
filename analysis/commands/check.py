"""`check`: every problem of an evidence directory."""

import argparse
import sys

from analysis.commands.printing import print_json
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError
from analysis.results.numbers import counted
from analysis.system.errors import one_line

_NOUNS = {"studies": "study", "endpoints": "endpoint", "responses": "response", "survival": "survival row",
          "patients": "patient",
          "reported": "published number", "facts": "fact", "sources": "source"}


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
    rows = {name: len(getattr(evidence, name)) for name in _NOUNS}
    rows["patients"] = sum(row.n for row in evidence.patients)
    if options.json:
        print_json({"data": place, "valid": True, "problems": [], "notes": [note.as_dict() for note in evidence.notes],
                    "data_sha256": evidence.sha256, "rows": rows})
    else:
        counts = ", ".join(counted(count, _NOUNS[name]) for name, count in rows.items() if count)
        print(f"{one_line(place)}: no problem found. {counts}.")
    return 0
