"""`compare`: every published number beside the reanalysis, or the reason why it has no counterpart."""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack

from analysis.cases.settings import NUTS
from analysis.commands.arguments import base_job
from analysis.commands.printing import asked, load_and_note, print_json
from analysis.evidence.directory import Evidence
from analysis.results.comparison import COMPARED, COMPARISON
from analysis.results.records import FAILED
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.terminal import failed_lines, number, show
from analysis.runs.pipeline import run_all
from analysis.runs.plan import check_priors, plan
from analysis.runs.workers import Nobody, helper, workers
from analysis.system.errors import UsageError
from analysis.system.failures import HINT
from analysis.system.progress import Progress


def run(options: argparse.Namespace) -> int:
    """Make the fits that reported.csv asks for and print the comparison."""
    evidence = load_and_note(options.data)
    beside = helper(evidence) if options.engine == NUTS else workers(1, evidence)
    with ExitStack() as stack:
        results = results_asked(evidence, options, start=lambda: stack.enter_context(beside))
    rows = results.rows(COMPARISON.file)
    if options.json:
        print_json({**asked(evidence, results.base.question), "engine": options.engine, "seed": options.seed,
                    "stamp": results.stamp, "converged": not results.failed, "comparisons": rows})
    else:
        print(comparison_table(rows))
    for line in failed_lines(results):
        print(line, file=sys.stderr)
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


def comparison_table(rows: Sequence[Row]) -> str:
    """Compared numbers first, then the reasons of the others."""
    text = show(COMPARISON, [row for row in rows if row["status"] == COMPARED], {
        "reported_id": "id", "our_endpoint": "endpoint", "subset": "subset", "estimand": "estimand",
        "published": "published", "published_k": "k paper", "median": "reanalysis (median)", "k_studies": "k ours",
        "difference": "difference", "probability_of_published_interval": "P(published interval)"}, cells={
            "our_endpoint": lambda row: row["our_endpoint"] or row["endpoint"],
            "estimand": lambda row: ("1 - " if row["transform"] == "complement" else "") + row["estimand"],
            "probability_of_published_interval": lambda row: number(row["probability_of_published_interval"])})
    reasons = [f"{row['reported_id']} {row['endpoint']}: {row['reason']}" for row in rows if row["status"] != COMPARED]
    return "\n".join([text, "", "Not compared", *reasons]) if reasons else text
