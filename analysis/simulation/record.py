"""Pinned records of calibration: `python -m analysis.simulation.record --output tests/calibration` renews them.

A record holds the design, so that it does not depend on the live evidence, and the PITs of every replicate. It speaks
about the present code where this gives its numbers again: a test recomputes the first replicates under the present
priors, and the verdicts. Numbers alarm, source text does not.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from analysis.cases.case import NoStudies
from analysis.cases.nesting import nest, nested_endpoints
from analysis.cases.settings import Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import DEFAULT_DATA, load
from analysis.evidence.problems import EvidenceError
from analysis.output.checks import refuse_obstacles, speaking_of
from analysis.simulation.batches import BATCHES, positive, several
from analysis.simulation.nested import blank_studies
from analysis.simulation.replicate import Replicate, Setting, rank_step
from analysis.simulation.run import Calibration, calibrate, verdicts_on
from analysis.simulation.settings import DEFAULT_REPLICATES, FAMILY_LEVEL
from analysis.simulation.studies import Design, design_from, design_of, select_design
from analysis.system.errors import UsageError
from analysis.system.files import as_json, write_text
from analysis.system.progress import Progress
from models import all_models
from models.nested_beta_binomial import NAME as NESTED
from models.nested_beta_binomial import PRIORS as NESTED_PRIORS
from models.priors import Prior
from models.studies import CurveStudies

SCHEMA_VERSION = 1
DIGITS = 4
TOLERANCE = 1e-4
RENEW = "renew with: python -m analysis.simulation.record --output tests/calibration (or make calibration)"
FEW_REPLICATES = 200
_FEWEST = {"mixture_cure": 100}  # two seconds each
_SEED = 1


def record_of(calibration: Calibration, *, date: str) -> dict[str, Any]:
    """The record of a calibration; its verdicts are those of the rounded PITs that it holds."""
    setting, failures = calibration.setting, calibration.failures
    pits = {name: np.round(values, DIGITS) for name, values in calibration.pits.items()}
    verdicts = verdicts_on(pits)
    return {"schema_version": SCHEMA_VERSION, "date": date, "model": setting.model,
            "endpoint": setting.design.endpoint, "design": setting.design.plain(),
            "priors": {name: prior.exact() for name, prior in setting.priors.items()},
            "replicates": len(calibration.replicates), "seed": setting.seed,
            "family_level": FAMILY_LEVEL, "quantities": [vars(verdict) for verdict in verdicts],
            "failures": [{"replicate": failed.number, "reason": failed.failure} for failed in failures],
            "passed": not failures and all(verdict.passed for verdict in verdicts),
            "pits": {name: values.tolist() for name, values in pits.items()}}


def setting_of(record: Mapping[str, Any]) -> Setting:
    """What was calibrated, with the design and seed of the record and the model's present priors."""
    return Setting(record["model"], design_from(record["design"], endpoint=record["endpoint"]),
                   present_priors(record["model"]), record["seed"])


def present_priors(model: str) -> Mapping[str, Prior]:
    """The priors of a model of this name, or of the nested one."""
    return NESTED_PRIORS if model == NESTED else all_models()[model].priors


def recorded() -> dict[str, int]:
    """Every model that has a record, and its usual number of replicates: fewer where each takes a part of a second."""
    replicates = {name: FEW_REPLICATES if model.takes is CurveStudies else DEFAULT_REPLICATES
                  for name, model in all_models().items() if model.marginal}
    return replicates | {NESTED: FEW_REPLICATES, **_FEWEST}


def differences(record: Mapping[str, Any], replicates: list[Replicate]) -> list[str]:
    """Where the present priors, and replicates numbered from 0, are not those of the record.

    Distribution functions differ by rounding and by the error of the quadrature, 1e-4 in all; a rank among draws by two
    places, since a draw next to the truth may fall on its other side with another linear algebra.
    """
    present = {name: prior.exact() for name, prior in present_priors(record["model"]).items()}
    told = [f"priors {present}, pinned {record['priors']}"] if present != record["priors"] else []
    failed = {item["replicate"]: item["reason"] for item in record["failures"]}
    told += [f"replicate {replicate.number}: {replicate.failure or 'succeeds now'}" for replicate in replicates
             if replicate.failure != failed.get(replicate.number, "")]
    succeeded = [replicate for replicate in replicates if replicate.number not in failed]
    return told + [f"replicate {replicate.number}, {name}: {value:.6f}, pinned {record['pits'][name][at]}"
                   for at, replicate in enumerate(succeeded) for name, value in replicate.pits.items()
                   if not abs(value - record["pits"][name][at]) <= TOLERANCE + 2.0 * rank_step(name)]


def text_of(record: Mapping[str, Any]) -> str:
    """The record as JSON with the PITs of one quantity on one line."""
    head = as_json({name: value for name, value in record.items() if name != "pits"})
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in record["pits"].items())
    return f'{head.removesuffix("}").rstrip()},\n "pits": {{\n{lines}\n }}\n}}\n'


def main(arguments: list[str] | None = None) -> int:
    """Calibrate every model, or the named ones, and write a record of each; code 3 where one does not pass."""
    options = _parser().parse_args(arguments)
    try:
        folder, evidence = options.output, load(options.data)
        with speaking_of(folder, folder):
            folder.mkdir(parents=True, exist_ok=True)
            refuse_obstacles(folder, folder, files=[f"{name}.json" for name in recorded()], folders=())
        designs = {name: _design(evidence, name) for name in options.models or recorded()}
    except (UsageError, EvidenceError) as error:
        print(error, file=sys.stderr)
        return 2
    passed = True
    with several(options.processes, options.replicates or DEFAULT_REPLICATES) as executor:
        for name, design in designs.items():
            size = options.replicates or recorded()[name]
            progress = Progress(min(BATCHES, size))
            calibration = calibrate(Setting(name, design, present_priors(name), _SEED), size, executor=executor,
                                    tell=lambda done, name=name,
                                    progress=progress: progress.step(f"{name}: {done} replicates"))
            progress.close()
            record = record_of(calibration, date=datetime.now(UTC).date().isoformat())
            write_text(folder / f"{name}.json", text_of(record))
            print(f"{name}: {'passed' if record['passed'] else 'NOT PASSED'}")
            passed = passed and record["passed"]
    return 0 if passed else 3


def _design(evidence: Evidence, name: str) -> Design:
    """That of the endpoint with most studies; of the nested model the first one with studies of each kind."""
    if name != NESTED:
        return design_of(select_design(evidence, name, Question("")), takes=all_models()[name].takes)
    nestings = (nest(evidence, Job(Question("")), endpoint.endpoint) for endpoint in nested_endpoints(evidence))
    designs = (Design("nested", nesting.inner.question.endpoint, None, blank_studies(nesting)) for nesting in nestings)
    for design in designs:
        if all(map(len, vars(design.studies).values())):
            return design
    raise NoStudies("no endpoint within another one has studies of both counts, of the outer and of the inner one")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis.simulation.record", description=main.__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL",
                        help="default: every model with a density, and the nested one")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the records are")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="evidence directory")
    parser.add_argument("--replicates", type=positive, metavar="N",
                        help=f"default: {DEFAULT_REPLICATES}; nested and of curves at most {FEW_REPLICATES}")
    parser.add_argument("--processes", type=positive, default=2, metavar="P")
    return parser


if __name__ == "__main__":
    sys.exit(main())
