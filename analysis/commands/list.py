"""`list`: what can be fitted."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from analysis.cases.selection import RETROSPECTIVE, base_of, candidates, choices, shared_patients, subset_names
from analysis.commands.arguments import question_of
from analysis.evidence import Endpoint, Evidence, load
from analysis.results.numbers import counted
from analysis.results.terminal import table
from analysis.system.files import as_json

SCHEMA_VERSION = 1


def run(options: argparse.Namespace) -> int:
    """Print endpoints with studies and patients per subset, the models and the subsets."""
    from models import all_models

    evidence = load(options.data)
    endpoints = [_endpoint(evidence, endpoint, options) for endpoint in evidence.endpoints]
    models = [{"model": model.name, "kind": model.kind, "headline": model.rank == 0,
               "priors": {name: str(prior) for name, prior in model.priors.items()}}
              for model in all_models().values()]
    for line in _notes(endpoints):
        print(line, file=sys.stderr)
    if options.json:
        print(as_json({"schema_version": SCHEMA_VERSION, "data_sha256": evidence.sha256, "tiers": options.tiers,
                       "set": options.study_set, "without": sorted(set(options.without)),
                       "retrospective": options.retrospective, "endpoints": endpoints, "models": models,
                       "subsets": _subsets(evidence)}))
        return 0
    names = subset_names(evidence)
    chosen = choices(evidence, question_of(options, ""))
    print("Studies (patients) by endpoint and subset" + "".join(f"; {words}" for words in chosen) + "\n")
    rows = [[item["endpoint"], item["kind"], *(f"{cell['k_studies']} ({cell['n_patients']})"
                                               for cell in item["subsets"]), item["label"]] for item in endpoints]
    print(table(["endpoint", "kind", *names, "label"], rows))
    print("\nModels\n")
    print(table(["model", "kind", "", "priors"],
                [[item["model"], item["kind"], "headline" if item["headline"] else "alternative",
                  "; ".join(f"{name} ~ {prior}" for name, prior in item["priors"].items())] for item in models]))
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


def _notes(endpoints: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What the counts over all studies do not show: retrospective rows, and patients that stand in them twice."""
    for item in endpoints:
        whole = item["subsets"][0]
        if whole["left_out"].get(RETROSPECTIVE):
            rows = whole["left_out"][RETROSPECTIVE]
            yield (f"{item['endpoint']}: {counted(rows, 'row')} of retrospective studies left out; --retrospective "
                   "counts them")
        for pair in whole["share_patients"]:
            yield (f"{item['endpoint']}: {' and '.join(pair)} share patients, so no fit pools both; --without leaves "
                   "one out")


def _subsets(evidence: Evidence) -> list[dict[str, str]]:
    rules = [{"subset": rule.subset, "label": rule.label, "column": rule.column, "value": rule.value}
             for rule in evidence.subsets]
    return rules or [{"subset": "all", "label": "All studies", "column": "", "value": ""}]
