"""`fit`: one endpoint, one model, one subset."""

import argparse
import sys
from dataclasses import replace

from analysis.cases.case import Case, case_of
from analysis.cases.settings import NUTS, QUICK, file_name
from analysis.commands.arguments import base_job
from analysis.commands.printing import asked, heading, print_json, print_notes, refuse_horizon
from analysis.evidence.loading import load
from analysis.evidence.types import Evidence
from analysis.output import adding
from analysis.results.records import Record
from analysis.results.tables import left_out_cells
from analysis.results.terminal import QUICK_REMEDY, estimates_table
from analysis.runs.fits import records
from analysis.system.errors import UsageError, one_line

_FOLDER = "posteriors"
_ESTIMATE = ("estimand", "study_id", "time_months", "scale", "unit", "mean", "sd", "median", "lower", "upper",
             "level", "interval", "mcse")
_AGREEMENT = ("estimand", "time_months", "statistic", "sampled", "exact", "mcse", "z", "agrees")
_FIT_COLUMNS = ("endpoint", "model", "subset", "tiers", "study_set", "early_landmarks", "status")


def run(options: argparse.Namespace) -> int:
    """Fit, print the estimates, save the posterior where --output asks for it."""
    evidence = load(options.data)
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
        print(heading(evidence, case.question, record.model, record.priors, studies=record.k_studies,
                      patients=record.n_patients, stamp=stamp))
        print("" if record.failed else "\n" + estimates_table(record.estimates))
    remedy = QUICK_REMEDY if stamp else ""
    print_notes(record.warnings, record.left_out,
                *([f"NOT CONVERGED: {record.diagnostics['failures']}{remedy}"] if record.failed else []))
    if options.output and not (record.failed or options.json):
        print(f"\nPosterior: {one_line(str(options.output / name))} (open it with arviz.from_netcdf)")
    return 3 if record.failed else 0


def case_asked(evidence: Evidence, options: argparse.Namespace) -> Case:
    """The case that the options ask for."""
    job = base_job(options, options.endpoint)
    case = case_of(evidence, replace(job, sampler=QUICK) if options.quick else job)
    refuse_horizon(case.question, case.model.kind)
    return case


def _object(evidence: Evidence, record: Record, stamp: str) -> dict:
    job = record.job
    return {**asked(evidence, job.question, endpoint=job.question.endpoint, model=record.model,
                    subset=job.question.subset),
            "engine": job.engine, "priors": record.priors, "n_studies": record.k_studies,
            "n_patients": record.n_patients, "seed": job.seed, "stamp": stamp, "warnings": record.warnings,
            "left_out": left_out_cells(record.left_out), "log_evidence": record.log_evidence,
            "estimates": [{name: row[name] for name in _ESTIMATE} for row in record.estimates],
            "diagnostics": {name: value for name, value in record.diagnostics.items() if name not in _FIT_COLUMNS},
            "agreement": [{name: row[name] for name in _AGREEMENT} for row in record.agreement],
            "converged": not record.failed}
