"""`compare`: every published number beside the reanalysis, or the reason why it has no counterpart."""

import argparse
import sys

from analysis.cases.selection import choices
from analysis.commands.arguments import base_job
from analysis.evidence import load
from analysis.results import tables
from analysis.results.comparison import COMPARED, Comparison
from analysis.results.numbers import decimals_for, fixed
from analysis.results.records import FAILED
from analysis.results.terminal import number, table, with_limits
from analysis.runs.pipeline import run_all
from analysis.runs.plan import check_priors, plan
from analysis.runs.workers import helper
from analysis.system.errors import UsageError
from analysis.system.failures import HINT
from analysis.system.files import as_json
from analysis.system.progress import Progress

SCHEMA_VERSION = 1


def run(options: argparse.Namespace) -> int:
    """Make the fits that reported.csv asks for and print the comparison."""
    evidence = load(options.data)
    if not evidence.reported:
        raise UsageError(f"{options.data} has no reported.csv, so there are no published numbers to compare with")
    base = base_job(options)
    check_priors(base)
    jobs = plan(evidence, base, quick=options.quick, compared_only=True)
    progress = Progress(len(jobs))
    stamp = "QUICK" if options.quick else ""
    with helper(evidence) as executor:
        results = run_all(evidence, base, jobs, folder=None, progress=progress, executor=executor, stamp=stamp)
    progress.close()
    if options.json:
        rows = [{**tables.comparison_row(row), "stamp": stamp} for row in results.comparisons]
        columns = tables.COMPARISON_COLUMNS
        print(as_json({"schema_version": SCHEMA_VERSION, "data_sha256": evidence.sha256, "tiers": options.tiers,
                       "set": options.study_set, "without": list(base.question.without),
                       "retrospective": base.question.retrospective, "seed": options.seed, "stamp": stamp,
                       "converged": not results.failed,
                       "comparisons": [{name: row.get(name) for name in columns} for row in rows]}))
    else:
        print(comparison_table(results.comparisons))
    for found in results.failed:
        question = found.job.question
        name = " ".join([question.endpoint, found.model, question.subset, *choices(evidence, question)])
        print(f"{found.status}: {name}: {found.diagnostics['failures']}", file=sys.stderr)
    if any(found.status == FAILED for found in results.failed):
        print(HINT, file=sys.stderr)
    return 3 if results.failed else 0


def comparison_table(comparisons: tuple[Comparison, ...]) -> str:
    """Compared numbers first, then the reasons of the others."""
    rows, reasons = [], []
    for comparison in comparisons:
        row = tables.comparison_row(comparison)
        if comparison.status != COMPARED:
            reasons.append(f"{row['reported_id']} {row['endpoint']}: {comparison.reason}")
            continue
        scale = "time" if row["units"] == "months" else ""
        rows.append([row["reported_id"], row["our_endpoint"] or row["endpoint"], row["subset"], _estimand(row),
                     _value(row, "published", scale), str(row["published_k"] or ""), _value(row, "", scale),
                     str(row["k_studies"]), _difference(row, scale),
                     number(row["probability_of_published_interval"])])
    header = ["id", "endpoint", "subset", "estimand", "published", "k paper", "reanalysis (median)", "k ours",
              "difference", "P(published interval)"]
    text = table(header, rows)
    return text + "\n\nNot compared\n" + "\n".join(reasons) if reasons else text


def _difference(row: dict, scale: str) -> str:
    """The difference with the decimals of the estimate beside it."""
    least = 1 if scale == "time" else 3
    known = [row[name] for name in ("median", "lower", "upper") if row.get(name) is not None]
    return fixed(row["difference"], decimals_for(known, least))


def _estimand(row: dict) -> str:
    return f"1 - {row['estimand']}" if row["transform"] == "complement" else row["estimand"]


def _value(row: dict, prefix: str, scale: str) -> str:
    value = row["published"] if prefix else row["median"]
    low, high = (row.get(f"{prefix}_{end}" if prefix else end) for end in ("lower", "upper"))
    return number(value, scale) if low is None else with_limits(value, low, high, scale)
