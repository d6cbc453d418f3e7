"""`calibrate`: simulation-based calibration of one model at the design of the real studies."""

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from analysis.cases.case import priors_of
from analysis.cases.selection import Selection, choices
from analysis.cases.settings import Job
from analysis.commands.arguments import question_of
from analysis.drawing.saving import save_figure
from analysis.evidence import Evidence, load
from analysis.output import adding
from analysis.results.numbers import counted
from analysis.results.tables import left_out_cells, left_out_rows
from analysis.results.terminal import left_out_lines, table
from analysis.simulation.design import design_of, select_design
from analysis.simulation.figure import draw_calibration
from analysis.simulation.replicate import Setting
from analysis.simulation.run import BATCHES, Calibration, calibrate, ecdf_rows
from analysis.simulation.settings import FAMILY_LEVEL, FAULTS
from analysis.system.errors import one_line
from analysis.system.files import as_json, write_csv
from analysis.system.progress import Progress
from models import all_models

SCHEMA_VERSION = 1
_LABELS = {"mean_rate": "mean rate", "new_study_rate": "new study's rate", "study_rate": "one study's rate",
           "mean_survival": "mean survival", "new_study_survival": "new study's survival",
           "study_survival": "one study's survival", "log_likelihood": "log likelihood"}
_CURVE_COLUMNS = ("quantity", "pit", "difference", "lower_95", "upper_95", "lower_verdict", "upper_verdict")


def run(options: argparse.Namespace) -> int:
    """Calibrate, print the verdicts, write PITs and figure where --output asks for them; code 3 if not passed."""
    evidence = load(options.data)
    question = question_of(options, options.endpoint or "")
    selection = select_design(evidence, options.model, question)
    model = all_models()[options.model]
    priors = priors_of(model, Job(question, model=model.name, priors=tuple(options.prior)))
    setting = Setting(model.name, design_of(selection), priors, options.seed, options.fault)
    stem = _stem(setting)
    names = [f"{stem}.{suffix}" for suffix in ("csv", "curves.csv", "svg", "png")]
    with adding(options.output, data=options.data, run=f"calibrate {stem.partition('.')[2]}",
                names=names) if options.output else nullcontext() as folder:
        found = calibrate(setting, options.replicates, processes=options.processes, tell=_teller(options.replicates))
        if folder:
            _write(found, folder / stem)
    if options.json:
        print(as_json(_object(found, selection, evidence.sha256)))
    else:
        _print(found, evidence, selection)
    for line in (*(f"warning: {text}" for text in selection.warnings), *left_out_lines(left_out_rows(selection))):
        print(line, file=sys.stderr)
    for failed in found.failures:
        print(f"replicate {failed.number} failed: {failed.failure}", file=sys.stderr)
    for name in names if options.output else ():
        print(f"wrote {one_line(str(options.output / name))}", file=sys.stderr)
    return 0 if found.passed else 3


def _teller(size: int) -> Callable[[int], None]:
    progress = Progress(min(BATCHES, size))

    def tell(done: int) -> None:
        progress.step(f"{done} of {counted(size, 'replicate')}")
        if done == size:
            progress.close()

    return tell


def _object(found: Calibration, selection: Selection, sha256: str) -> dict[str, Any]:
    setting, question = found.setting, selection.question
    return {"schema_version": SCHEMA_VERSION, "data_sha256": sha256,
            "model": setting.model, "endpoint": setting.design.endpoint, "subset": question.subset,
            "tiers": question.tiers, "set": question.study_set,
            "without": list(question.without), "retrospective": question.retrospective,
            "left_out": left_out_cells(left_out_rows(selection)), "design": setting.design.plain(),
            "priors": {name: str(prior) for name, prior in setting.priors.items()},
            "replicates": len(found.replicates), "seed": setting.seed, "fault": setting.fault,
            "family_level": FAMILY_LEVEL, "quantities": [vars(verdict) for verdict in found.verdicts],
            "failures": [{"replicate": one.number, "reason": one.failure} for one in found.failures],
            "passed": found.passed}


def _print(found: Calibration, evidence: Evidence, selection: Selection) -> None:
    setting = found.setting
    question = selection.question
    print(f"{setting.design.endpoint}: " + ", ".join([
        setting.model, f"subset {question.subset}", *choices(evidence, question),
        counted(len(setting.design.studies), "study", "studies"), counted(setting.design.studies.patients, "patient"),
        counted(len(found.replicates), "replicate")]))
    print("; ".join(f"{name} ~ {prior}" for name, prior in setting.priors.items()))
    if setting.fault:
        print(f"planted fault {setting.fault}: {FAULTS[setting.fault]}")
    rows = [[verdict.name, "" if verdict.p_value != verdict.p_value else f"{verdict.p_value:.3g}",
             f"{verdict.max_deviation:.3f}", "uniform" if verdict.passed else "NOT UNIFORM"]
            for verdict in found.verdicts]
    print("\n" + table(["quantity", "p-value", "max deviation", "verdict"], rows))
    least = (1.0 - FAMILY_LEVEL) / len(found.verdicts)
    print(f"\n{'PASSED' if found.passed else 'NOT PASSED'}: {counted(len(found.failures), 'failed replicate')}; a "
          f"quantity passes with p >= {least:.2g}, so that a calibrated model passes {100 * FAMILY_LEVEL:g} % of times")


def _stem(setting: Setting) -> str:
    """How the names of the files begin; a planted fault is part of them."""
    return ".".join(["calibration", setting.model, setting.design.endpoint,
                     *([f"fault_{setting.fault}"] if setting.fault else [])])


def _write(found: Calibration, stem: Path) -> None:
    """PITs, curves and bands, and the figure of these."""
    setting, names = found.setting, list(found.pits)
    pits, curves = stem.with_name(f"{stem.name}.csv"), stem.with_name(f"{stem.name}.curves.csv")
    write_csv(pits, ({"replicate": one.number, "study_id": one.study_id, **one.pits, "failure": one.failure}
                     for one in found.replicates), ["replicate", "study_id", *names, "failure"])
    rows = ecdf_rows(found)
    write_csv(curves, rows, _CURVE_COLUMNS)
    detail = (f"{setting.design.endpoint}, {counted(len(setting.design.studies), 'study', 'studies')}, "
              f"{counted(len(found.replicates), 'replicate')}"
              + (f", {len(found.failures)} failed" if found.failures else ""))
    figure = draw_calibration(rows, verdicts=[vars(verdict) for verdict in found.verdicts], labels=_LABELS,
                              title=f"Calibration, {setting.model.replace('_', '-')}", detail=detail,
                              stamp=f"FAULT {setting.fault}" if setting.fault else "")
    save_figure(figure, stem)
