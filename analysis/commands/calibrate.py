"""`calibrate`: simulation-based calibration of one model at the design of the real studies."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.cases.case import priors_of
from analysis.cases.selection import Selection
from analysis.cases.settings import Job
from analysis.commands import coverage
from analysis.commands.arguments import priors_asked, question_of
from analysis.commands.printing import asked, figure_files, heading, places, print_json, print_notes
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.output import adding
from analysis.results.numbers import counted
from analysis.results.tables import left_out_rows, without_question
from analysis.results.terminal import table
from analysis.simulation.batches import BATCHES, several
from analysis.simulation.replicate import Setting
from analysis.simulation.run import Calibration, calibrate, ecdf_rows
from analysis.simulation.settings import DEFAULT_REPLICATES, FAMILY_LEVEL, FAULTS
from analysis.simulation.studies import design_of, select_design
from analysis.system.errors import UsageError
from analysis.system.files import write_csv
from analysis.system.progress import Progress
from models import all_models
from models.model import NeedsDensity

_LABELS = {"mean_rate": "mean rate", "new_study_rate": "new study's rate", "study_rate": "one study's rate",
           "mean_survival": "mean survival", "new_study_survival": "new study's survival",
           "study_survival": "one study's survival", "log_likelihood": "log likelihood"}
_CURVE_COLUMNS = ("quantity", "pit", "difference", "lower_95", "upper_95", "lower_verdict", "upper_verdict")


def run(options: argparse.Namespace) -> int:
    """Calibrate, print the verdicts, write PITs and figure where --output asks for them; code 3 if not passed."""
    if options.coverage:
        return coverage.run(options)
    if not options.model:
        raise UsageError("name a MODEL, or ask for --coverage")
    evidence, replicates = load(options.data), options.replicates or DEFAULT_REPLICATES
    question = question_of(options, options.endpoint or "")
    selection = select_design(evidence, options.model, question)
    model = all_models()[options.model]
    if model.marginal is None:
        raise NeedsDensity(model.name)
    priors = priors_of(model, Job(question, model=model.name, priors=priors_asked(options)))
    setting = Setting(model.name, design_of(selection, takes=model.takes), priors, options.seed, options.fault)
    # A planted fault is part of the names.
    subject = f"{model.name}.{setting.design.endpoint}" + (f".fault_{setting.fault}" if setting.fault else "")
    stem = f"calibration.{subject}"
    names = [f"{stem}.csv", f"{stem}.curves.csv", *figure_files(stem)]
    with adding(options.output, data=options.data, run=f"calibrate {subject}", names=names) as folder:
        with several(options.processes, replicates, options.scheduler) as executor:
            calibration = calibrate(setting, replicates, executor=executor, tell=_teller(replicates))
        if folder:
            _write(calibration, folder / stem)
    if options.json:
        print_json(_object(calibration, selection, evidence))
    else:
        _print(calibration, evidence, selection)
    print_notes(selection.warnings, left_out_rows(selection),
                *(f"replicate {replicate.number} failed: {replicate.failure}" for replicate in calibration.failures),
                *(f"wrote {place}" for place in places(options, names)))
    return 0 if calibration.passed else 3


def _teller(size: int) -> Callable[[int], None]:
    progress = Progress(min(BATCHES, size))

    def tell(done: int) -> None:
        progress.step(f"{done} of {counted(size, 'replicate')}")
        if done == size:
            progress.close()

    return tell


def _object(calibration: Calibration, selection: Selection, evidence: Evidence) -> dict[str, Any]:
    setting = calibration.setting
    return {**asked(evidence, selection.question, model=setting.model, endpoint=setting.design.endpoint,
                    subset=selection.question.subset),
            "left_out": without_question(left_out_rows(selection)), "design": setting.design.plain(),
            "priors": {name: str(prior) for name, prior in setting.priors.items()},
            "replicates": len(calibration.replicates), "seed": setting.seed, "fault": setting.fault,
            "family_level": FAMILY_LEVEL, "quantities": [vars(verdict) for verdict in calibration.verdicts],
            "failures": [{"replicate": replicate.number, "reason": replicate.failure}
                         for replicate in calibration.failures],
            "passed": calibration.passed}


def _print(calibration: Calibration, evidence: Evidence, selection: Selection) -> None:
    setting = calibration.setting
    print(heading(evidence, selection.question, setting.model, setting.priors, setting.design.studies,
                  more=[counted(len(calibration.replicates), "replicate")]))
    if setting.fault:
        print(f"planted fault {setting.fault}: {FAULTS[setting.fault]}")
    rows = [[verdict.name, "" if verdict.p_value != verdict.p_value else f"{verdict.p_value:.3g}",
             f"{verdict.max_deviation:.3f}", "uniform" if verdict.passed else "NOT UNIFORM"]
            for verdict in calibration.verdicts]
    print("\n" + table(["quantity", "p-value", "max deviation", "verdict"], rows))
    least, failed = (1.0 - FAMILY_LEVEL) / len(calibration.verdicts), len(calibration.failures)
    print(f"\n{'PASSED' if calibration.passed else 'NOT PASSED'}: {counted(failed, 'failed replicate')}; a quantity "
          f"passes with p >= {least:.2g}, so that a calibrated model passes {100 * FAMILY_LEVEL:g} % of times")


def _write(calibration: Calibration, stem: Path) -> None:
    """PITs, curves and bands, and the figure of these."""
    from analysis.drawing.saving import save_figure
    from analysis.simulation.figures import draw_calibration

    setting, replicates, failed = calibration.setting, calibration.replicates, len(calibration.failures)
    write_csv(stem.with_name(f"{stem.name}.csv"),
              ({"replicate": replicate.number, "study_id": replicate.study_id, **replicate.pits,
                "failure": replicate.failure} for replicate in replicates),
              ["replicate", "study_id", *calibration.pits, "failure"])
    curves = ecdf_rows(calibration)
    write_csv(stem.with_name(f"{stem.name}.curves.csv"), curves, _CURVE_COLUMNS)
    detail = ", ".join([setting.design.endpoint, counted(len(setting.design.studies), "study"),
                        counted(len(replicates), "replicate"), *([f"{failed} failed"] if failed else [])])
    save_figure(draw_calibration(curves, verdicts=[vars(verdict) for verdict in calibration.verdicts], labels=_LABELS,
                                 title=f"Calibration, {setting.model.replace('_', '-')}", detail=detail,
                                 stamp=f"FAULT {setting.fault}" if setting.fault else ""), stem)
