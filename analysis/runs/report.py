"""The main job: every fit, table, figure and the page that shows them."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from analysis.cases.selection import choices, select
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.output.checks import refuse_without_space
from analysis.output.manifests import RUN
from analysis.results.comparison import COMPARED
from analysis.results.records import FAILED
from analysis.results.results import Results
from analysis.results.terminal import QUICK_REMEDY, table, with_limits
from analysis.runs.dependence import with_dependence, work_ahead
from analysis.runs.figures import figure_attempts
from analysis.runs.page import write_report
from analysis.runs.pipeline import run_all, write_tables
from analysis.runs.plan import plan
from analysis.runs.side import with_side_tables
from analysis.runs.workers import share_out
from analysis.system.errors import UsageError, one_line
from analysis.system.failures import HINT, without_failures
from analysis.system.files import as_json, write_text
from analysis.system.progress import Progress

SCHEMA_VERSION = 1
_PACKAGES = ("recart", "pymc", "nutpie", "arviz", "numpy", "scipy", "matplotlib")


def make(evidence: Evidence, base: Job, folder: Path, options: argparse.Namespace,
         executor: Executor) -> tuple[Results, dict[str, Any]]:
    """Make every fit and write every file below `folder`; returns the results and the manifest."""
    jobs = plan(evidence, base, quick=options.quick)
    if not jobs:
        raise UsageError(f"{options.data} has no response and no survival row to analyse")
    refuse_without_space(options.output, folder, _expected_bytes(evidence, jobs))
    progress = Progress(len(jobs))
    progress.say(f"{len(jobs)} fits; compiling the models takes the first seconds ...")
    ahead: dict = {}
    results = run_all(evidence, base, jobs, folder=folder / "posteriors", progress=progress,
                      stamp="QUICK" if options.quick else "", executor=executor,
                      meanwhile=work_ahead(evidence, base, ahead, quick=options.quick))
    progress.say("Other methods and model comparison ...")
    results = with_side_tables(results, executor=executor)
    progress.say("Sensitivity, influence, subsets and regression ...")
    results = with_dependence(results, executor=executor, quick=options.quick, ahead=ahead)
    progress.say("Tables, figures and the report ...")
    written = write_tables(results, folder)
    tasks = [] if options.quick else figure_attempts(results, folder / "figures")
    drawn, failed = without_failures(share_out(tasks, executor=executor))
    results = replace(results, failures=(*results.failures, *failed))
    figures = [path for pair in drawn for path in pair]
    progress.close()
    page, failed = write_report(results, folder, figures=figures)
    results = replace(results, failures=(*results.failures, *failed))
    manifest = _manifest(results, options, [path.relative_to(folder) for path in (*written, *figures, page)])
    write_text(folder / RUN, as_json(manifest) + "\n")
    return results, manifest


def tell(results: Results, manifest: dict[str, Any], options: argparse.Namespace) -> int:
    """Print what was found, once it is in its place; returns the exit code."""
    if options.json:
        print(as_json(manifest))
    else:
        _print(results, options.output / "report.html")
    for found in results.failed:
        question, remedy = found.job.question, QUICK_REMEDY if options.quick else ""
        name = " ".join([question.endpoint, found.model, question.subset, *choices(results.evidence, question)])
        print(f"{found.status}: {name}: {found.diagnostics['failures']}{remedy if found.status != FAILED else ''}",
              file=sys.stderr)
    for failure in results.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    if results.failures or any(found.status == FAILED for found in results.failed):
        print(HINT, file=sys.stderr)
    return 3 if results.failed or _failed_slopes(results) or results.failures else 0


def _expected_bytes(evidence: Evidence, jobs: Sequence[Job]) -> int:
    """About what the posteriors take: seven numbers of 8 bytes a draw, and two of 4 for each study."""
    return sum(job.sampler.chains * job.sampler.draws * (56 + 8 * len(select(evidence, job.question).rows))
               for job in jobs)


def _failed_slopes(results: Results) -> int:
    """Says which regressions failed their diagnostics; returns how many slopes have no result for that."""
    failed = [row for one in results.regressions for row in one.failed]
    for row in failed:
        print(f"NOT CONVERGED: {row['endpoint']} regression on {row['covariate']} ({row['analysis']}): "
              f"{row['failures']}", file=sys.stderr)
    return len(failed)


def _manifest(results: Results, options: argparse.Namespace, files: list[Path]) -> dict:
    fits = [{"posterior": f"posteriors/{found.posterior}" if found.posterior else None, "status": found.status,
             "priors": dict(found.priors), "warnings": list(found.warnings),
             **{name: found.diagnostics.get(name) for name in
                ("endpoint", "model", "subset", "tiers", "study_set", "early_landmarks", "k_studies", "n_patients",
                 "chains", "draws", "seed")}} for found in results.records]
    return {"schema_version": SCHEMA_VERSION, "data_sha256": results.evidence.sha256, "stamp": results.stamp,
            "tiers": options.tiers, "set": options.study_set, "without": list(results.base.question.without),
            "retrospective": results.base.question.retrospective, "horizon": results.base.question.horizon,
            "level": options.level, "seed": options.seed,
            "python": python_version(), "versions": {name: version(name) for name in _PACKAGES},
            "converged": not results.failed and not any(one.failed for one in results.regressions),
            "failures": [asdict(failure) for failure in results.failures],
            "compared": _compared(results), "reported": len(results.comparisons),
            "files": sorted(path.as_posix() for path in files), "fits": fits}


def _compared(results: Results) -> int:
    return sum(row.status == COMPARED for row in results.comparisons)


def _print(results: Results, page: Path) -> None:
    rows = [_headline(results, results.evidence, endpoint.endpoint) for endpoint in results.evidence.endpoints]
    stamp = "QUICK (short chains): no result to quote\n\n" if results.stamp else ""
    print(stamp + table(["endpoint", "estimand", "posterior median", "studies", "patients"],
                        [row for row in rows if row]))
    if results.comparisons:
        print(f"\n{_compared(results)} of {len(results.comparisons)} published numbers compared; "
              "the others carry their reason in comparison.csv.")
    print(f"Report: {one_line(str(page))}")


def _headline(results: Results, evidence: Evidence, endpoint: str) -> list[str] | None:
    found = results.headline(endpoint)
    if found is None:
        return None
    first = next(iter(found.estimates), None)
    if first is None:
        return [endpoint, "", found.status, str(found.k_studies), str(found.n_patients)]
    name = first["estimand"] + ("" if first["time_months"] is None else f" ({first['time_months']:g} months)")
    limits = with_limits(first["median"], first["lower"], first["upper"], first["scale"])
    return [endpoint, name, f"{limits} {100 * first['level']:g} % credible", str(found.k_studies),
            str(found.n_patients)]
