"""`list`: what can be fitted."""

import argparse
from typing import Any

from analysis.evidence import Endpoint, Evidence, load
from analysis.files import as_json
from analysis.selection import Question, base_of, select, subset_names
from analysis.text import table

SCHEMA_VERSION = 1


def run(options: argparse.Namespace) -> int:
    """Print endpoints with studies and patients per subset, the models and the subsets."""
    from models import all_models

    evidence = load(options.data)
    endpoints = [_endpoint(evidence, endpoint, options) for endpoint in evidence.endpoints]
    models = [{"model": model.name, "kind": model.kind, "headline": model.rank == 0,
               "priors": {name: str(prior) for name, prior in model.priors.items()}}
              for model in all_models().values()]
    if options.json:
        print(as_json({"schema_version": SCHEMA_VERSION, "data_sha256": evidence.sha256, "tiers": options.tiers,
                       "set": options.study_set, "endpoints": endpoints, "models": models,
                       "subsets": _subsets(evidence)}))
        return 0
    names = subset_names(evidence)
    print(f"Studies (patients) by endpoint and subset; tiers {options.tiers}, set {options.study_set}\n")
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
        selection = select(evidence, Question(endpoint.endpoint, subset, options.tiers, options.study_set))
        cells.append({"subset": subset, "k_studies": len(selection.study_ids),
                      "n_patients": sum(row.n for row in selection.rows),
                      "bases": sorted({base_of(row) for row in selection.rows} - {""})})
    return {"endpoint": endpoint.endpoint, "label": endpoint.label, "kind": endpoint.kind,
            "direction": endpoint.direction, "subsets": cells}


def _subsets(evidence: Evidence) -> list[dict[str, str]]:
    rules = [{"subset": rule.subset, "label": rule.label, "column": rule.column, "value": rule.value}
             for rule in evidence.subsets]
    return rules or [{"subset": "all", "label": "All studies", "column": "", "value": ""}]
