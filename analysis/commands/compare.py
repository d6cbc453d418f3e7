"""`compare`: every published number beside the reanalysis, or the reason why it has no counterpart."""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from typing import Any

from analysis.cases.selection import choices
from analysis.cases.settings import NUTS
from analysis.commands.arguments import base_job
from analysis.commands.printing import asked, print_json
from analysis.evidence.loading import load
from analysis.evidence.types import Evidence
from analysis.results import tables
from analysis.results.comparison import COMPARED, Comparison
from analysis.results.numbers import decimals_for, fixed
from analysis.results.records import FAILED
from analysis.results.results import Results
from analysis.results.terminal import number, table, with_limits
from analysis.runs.pipeline import run_all
from analysis.runs.plan import check_priors, plan
from analysis.runs.workers import Nobody, helper, workers
from analysis.system.errors import UsageError
from analysis.system.failures import HINT
from analysis.system.progress import Progress


def run(options: argparse.Namespace) -> int:
    """Make the fits that reported.csv asks for and print the comparison."""
    evidence = load(options.data)
    beside = helper(evidence) if options.engine == NUTS else workers(1, evidence)
    with ExitStack() as stack:
        results = results_asked(evidence, options, start=lambda: stack.enter_context(beside))
    if options.json:
        print_json({**asked(evidence, results.base.question), "engine": options.engine, "seed": options.seed,
                    "stamp": results.stamp, "converged": not results.failed,
                    "comparisons": results.rows(tables.COMPARISON.file)})
    else:
        print(comparison_table(results.comparisons))
    for record in results.failed:
        question = record.job.question
        name = " ".join([question.endpoint, record.model, question.subset, *choices(evidence, question)])
        print(f"{record.status}: {name}: {record.diagnostics['failures']}", file=sys.stderr)
    if any(record.status == FAILED for record in results.failed):
        print(HINT, file=sys.stderr)
    return 3 if results.failed else 0


def results_asked(evidence: Evidence, options: argparse.Namespace, *, start: Callable[[], Executor]) -> Results:
    """The fits that reported.csv asks for; `start` gives the executor, once it is known that there is work for it."""
    if not evidence.reported:
        raise UsageError(f"{evidence.directory} has no reported.csv, so there are no published numbers to compare with")
    base = base_job(options)
    check_priors(base)
    jobs = plan(evidence, base, quick=options.quick, compared_only=True)
    progress = Progress(len(jobs))
    results = run_all(evidence, base, jobs, folder=None, progress=progress, executor=start() if jobs else Nobody(),
                      quick=options.quick)
    progress.close()
    return results


def comparison_table(comparisons: tuple[Comparison, ...]) -> str:
    """Compared numbers first, then the reasons of the others."""
    rows = [_cells(tables.comparison_row(comparison)) for comparison in comparisons if comparison.status == COMPARED]
    reasons = [f"{comparison.reported.reported_id} {comparison.reported.endpoint}: {comparison.reason}"
               for comparison in comparisons if comparison.status != COMPARED]
    text = table(["id", "endpoint", "subset", "estimand", "published", "k paper", "reanalysis (median)", "k ours",
                  "difference", "P(published interval)"], rows)
    return "\n".join([text, "", "Not compared", *reasons]) if reasons else text


def _cells(row: dict[str, Any]) -> list[str]:
    scale, least = ("time", 1) if row["units"] == "months" else ("", 3)
    known = [row[name] for name in ("median", "lower", "upper") if row.get(name) is not None]
    return [row["reported_id"], row["our_endpoint"] or row["endpoint"], row["subset"],
            f"1 - {row['estimand']}" if row["transform"] == "complement" else row["estimand"],
            _interval(row["published"], row.get("published_lower"), row.get("published_upper"), scale),
            str(row["published_k"] or ""), _interval(row["median"], row.get("lower"), row.get("upper"), scale),
            str(row["k_studies"]), fixed(row["difference"], decimals_for(known, least)),
            number(row["probability_of_published_interval"])]


def _interval(value: float, low: float | None, high: float | None, scale: str) -> str:
    return number(value, scale) if low is None else with_limits(value, low, high, scale)
