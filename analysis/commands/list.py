"""`list`: what can be fitted."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from analysis.cases.selection import RETROSPECTIVE, base_of, candidates, choices, shared_patients, subset_names
from analysis.commands.arguments import question_of
from analysis.commands.printing import asked, load_and_note, print_json
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Endpoint
from analysis.results.numbers import counted
from analysis.results.terminal import table
from models import all_models


def run(options: argparse.Namespace) -> int:
    """Print endpoints with studies and patients per subset, the models and the subsets."""
    evidence = load_and_note(options.data)
    endpoints = [_endpoint(evidence, endpoint, options) for endpoint in evidence.endpoints]
    models = [{"model": model.name, "kind": model.kind, "headline": model.rank == 0,
               "priors": {name: str(prior) for name, prior in model.priors.items()}}
              for model in all_models().values()]
    for line in (line for endpoint in endpoints for line in _notes(endpoint)):
        print(line, file=sys.stderr)
    if options.json:
        subsets = [{name: getattr(rule, name) for name in ("subset", "label", "column", "value")}
                   for rule in evidence.subsets]
        print_json({**asked(evidence, question_of(options)), "endpoints": endpoints, "models": models, "subsets":
                    subsets or [{"subset": "all", "label": "All studies", "column": "", "value": ""}]})
        return 0
    chosen = choices(evidence, question_of(options))
    print("Studies (patients) by endpoint and subset" + "".join(f"; {words}" for words in chosen) + "\n")
    print(table(["endpoint", "kind", *subset_names(evidence), "label"],
                [[item["endpoint"], item["kind"], *(f"{cell['k_studies']} ({cell['n_patients']})"
                                                    for cell in item["subsets"]), item["label"]]
                 for item in endpoints]))
    print("\nModels\n")
    print(table(["model", "kind", "", "priors"],
                [[model["model"], model["kind"], "headline" if model["headline"] else "alternative",
                  "; ".join(f"{name} ~ {prior}" for name, prior in model["priors"].items())] for model in models]))
    return 0


def _endpoint(evidence: Evidence, endpoint: Endpoint, options: argparse.Namespace) -> dict[str, Any]:
    cells = []
    for subset in subset_names(evidence):
        selection = candidates(evidence, replace(question_of(options, endpoint.endpoint), subset=subset))
        cells.append({"subset": subset, "k_studies": len(selection.study_ids),
                      "n_patients": sum(row.n for row in selection.rows),
                      "bases": sorted({base_of(row) for row in selection.rows} - {""}),
                      "left_out": dict(Counter(item.reason for item in selection.left_out)),
                      "share_patients": [list(pair) for pair in shared_patients(evidence, selection.study_ids)]})
    return {"endpoint": endpoint.endpoint, "label": endpoint.label, "kind": endpoint.kind,
            "direction": endpoint.direction, "subsets": cells}


def _notes(item: dict[str, Any]) -> Iterator[str]:
    """What the counts over all studies do not show: retrospective rows, and patients that stand in them twice."""
    everyone = item["subsets"][0]
    if rows := everyone["left_out"].get(RETROSPECTIVE):
        yield (f"{item['endpoint']}: {counted(rows, 'row')} of retrospective studies left out; --retrospective counts "
               "them")
    for pair in everyone["share_patients"]:
        yield (f"{item['endpoint']}: {' and '.join(pair)} share patients, so no fit pools both; --without leaves one "
               "out")
