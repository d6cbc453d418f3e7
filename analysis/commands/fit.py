"""`fit`: one endpoint, one model, one subset."""

import argparse
import sys
from contextlib import nullcontext
from dataclasses import replace

from analysis.cases.case import case_of
from analysis.cases.selection import choices
from analysis.cases.settings import QUICK
from analysis.commands.arguments import base_job
from analysis.evidence import Evidence, load
from analysis.output import adding
from analysis.results.netcdf import file_name
from analysis.results.numbers import counted
from analysis.results.records import Record, records
from analysis.results.tables import left_out_cells
from analysis.results.terminal import QUICK_REMEDY, estimates_table, left_out_lines
from analysis.system.errors import UsageError, one_line
from analysis.system.files import as_json

SCHEMA_VERSION = 1
_FOLDER = "posteriors"
_ESTIMATE = ("estimand", "study_id", "time_months", "scale", "unit", "mean", "sd", "median", "lower", "upper",
             "level", "interval", "mcse")
_AGREEMENT = ("estimand", "time_months", "statistic", "sampled", "exact", "mcse", "z", "agrees")
_FIT_COLUMNS = ("endpoint", "model", "subset", "tiers", "study_set", "early_landmarks", "status")


def run(options: argparse.Namespace) -> int:
    """Fit, print the estimates, save the posterior where --output asks for it."""
    evidence = load(options.data)
    job = base_job(options, options.endpoint)
    job = replace(job, sampler=QUICK) if options.quick else job
    model = case_of(evidence, job).model
    if options.horizon and model.kind == "rate":
        raise UsageError(f"{options.endpoint} is a rate; --horizon is for survival endpoints")
    name = f"{_FOLDER}/{file_name(job, model.name)}"
    with adding(options.output, data=options.data, run=f"fit {options.endpoint}",
                names=[name]) if options.output else nullcontext() as folder:
        if options.engine == "nuts":
            print(f"Compiling the model and sampling {options.endpoint} ...", file=sys.stderr)
        (found,) = records(evidence, (job,), folder / _FOLDER if folder else None, cores=2)
        if found.status == "no studies":
            raise UsageError(found.diagnostics["failures"])
    if options.json:
        print(as_json(_object(found, evidence.sha256, options)))
    else:
        _print(found, evidence, options)
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for line in left_out_lines(found.left_out):
        print(line, file=sys.stderr)
    if found.failed:
        print(f"NOT CONVERGED: {found.diagnostics['failures']}{QUICK_REMEDY if options.quick else ''}", file=sys.stderr)
    elif options.output and not options.json:
        print(f"\nPosterior: {one_line(str(options.output / name))} (open it with arviz.from_netcdf)")
    return 3 if found.failed else 0


def _object(found: Record, sha256: str, options: argparse.Namespace) -> dict:
    question = found.job.question
    return {"schema_version": SCHEMA_VERSION, "data_sha256": sha256, "endpoint": question.endpoint,
            "model": found.model, "subset": question.subset, "tiers": question.tiers, "set": question.study_set,
            "without": list(question.without), "retrospective": question.retrospective, "engine": options.engine,
            "priors": dict(found.priors), "n_studies": found.k_studies, "n_patients": found.n_patients,
            "seed": found.job.seed, "stamp": "QUICK" if options.quick else "", "warnings": list(found.warnings),
            "left_out": left_out_cells(found.left_out), "log_evidence": found.log_evidence,
            "estimates": [{name: row[name] for name in _ESTIMATE} for row in found.estimates],
            "diagnostics": {name: value for name, value in found.diagnostics.items() if name not in _FIT_COLUMNS},
            "agreement": [{name: row[name] for name in _AGREEMENT} for row in found.agreement],
            "converged": not found.failed}


def _print(found: Record, evidence: Evidence, options: argparse.Namespace) -> None:
    question = found.job.question
    stamp = "QUICK (short chains)  " if options.quick else ""
    print(f"{stamp}{question.endpoint}: " + ", ".join([
        found.model, f"subset {question.subset}", *choices(evidence, question),
        counted(found.k_studies, "study", "studies"), counted(found.n_patients, "patient")]))
    print("; ".join(f"{name} ~ {prior}" for name, prior in found.priors.items()) + "\n")
    if not found.failed:
        print(estimates_table(found.estimates))
