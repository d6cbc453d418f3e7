"""`fit`: one endpoint, one model, one subset."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from analysis.cases.case import Case, case_of
from analysis.cases.settings import EXACT, NUTS, QUICK, file_name
from analysis.commands.arguments import base_job
from analysis.commands.printing import (
    asked,
    heading,
    load_and_note,
    print_json,
    print_notes,
    refuse_horizon,
    with_notes,
)
from analysis.evidence.directory import Evidence
from analysis.output import adding
from analysis.results.numbers import limits_of
from analysis.results.records import Record
from analysis.results.table import Row
from analysis.results.tables import ESTIMATES, told, without_question
from analysis.results.terminal import QUICK_REMEDY, estimand, numbers, show
from analysis.runs.fits import records
from analysis.system.errors import UsageError, one_line
from models import models_of

_FOLDER = "posteriors"


def run(options: argparse.Namespace) -> int:
    """Fit, print the estimates, save the posterior where --output asks for it."""
    evidence = load_and_note(options.data, options.endpoint)
    case, stamp = case_asked(evidence, options), "QUICK" if options.quick else ""
    name = f"{_FOLDER}/{file_name(case.job, case.model.name)}"
    with adding(options.output, data=options.data, run=f"fit {options.endpoint}", names=[name]) as folder:
        if options.engine == NUTS:
            print(f"Compiling the model and sampling {options.endpoint} ...", file=sys.stderr)
        (record,) = records(evidence, (case.job,), folder / _FOLDER if folder else None, cores=2)
        if record.status in ("no studies", "no density"):
            raise UsageError(record.diagnostics["failures"])
    if options.json:
        print_json(_object(evidence, record, stamp))
    else:
        print(heading(evidence, case.question, record.model, case.priors, case.studies, stamp=stamp))
        print("" if record.failed else "\n" + estimates_table(told(evidence, record.estimates)))
    print_notes(record.warnings, record.left_out, *([
        f"NOT CONVERGED: {record.diagnostics['failures']}{QUICK_REMEDY if stamp else _remedy(case)}"]
        if record.failed else []))
    if options.output and not (record.failed or options.json):
        print(f"\nPosterior: {one_line(str(options.output / name))} (open it with arviz.from_netcdf)")
    return 3 if record.failed else 0


def case_asked(evidence: Evidence, options: argparse.Namespace) -> Case:
    """The case that the options ask for."""
    job = base_job(options, options.endpoint)
    case = case_of(evidence, replace(job, sampler=QUICK) if options.quick else job)
    refuse_horizon(case.question, case.model.kind)
    return case


def _remedy(case: Case) -> str:
    """What to try where a fit failed: another engine or model, or priors that say more."""
    engines = ["--engine nuts"] if case.job.engine == EXACT else ["--engine exact"] if case.model.marginal else []
    models = [f"--model {model.name}" for model in models_of(case.model.kind) if model is not case.model]
    return f". Try {', '.join([*engines, *models])}, or a narrower --prior for {', '.join(case.priors)}."


def _object(evidence: Evidence, record: Record, stamp: str) -> dict:
    job = record.job
    return {**asked(evidence, job.question, endpoint=job.question.endpoint, model=record.model,
                    subset=job.question.subset),
            "engine": job.engine, "priors": record.priors, "n_studies": record.k_studies,
            "n_patients": record.n_patients, "seed": job.seed, "stamp": stamp,
            "warnings": with_notes(evidence, job.question.endpoint, record.warnings),
            "left_out": without_question(record.left_out),
            "log_evidence": record.log_evidence,
            "estimates": without_question(record.estimates, "k_studies", "n_patients"),
            "diagnostics": without_question([record.diagnostics], "status")[0],
            "agreement": without_question(record.agreement), "converged": not record.failed}


def estimates_table(rows: Sequence[Row]) -> str:
    """The estimates of a fit; the interval column says of which kind each interval is."""
    def with_digits(row: Row, *names: str) -> list[str]:
        return numbers([row[name] for name in names], row["unit"], like=limits_of(row, "median"))

    return show(ESTIMATES, rows, {"estimand": "estimand", "study_id": "study", "mean": "mean", "median": "median",
                                  "lower": "interval", "level": "kind", "unit": "unit"}, cells={
        "estimand": estimand, "mean": lambda row: with_digits(row, "mean")[0],
        "median": lambda row: with_digits(row, "median")[0],
        "lower": lambda row: "[{}, {}]".format(*with_digits(row, "lower", "upper"))})
