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
from analysis.chapters.chapter import all_chapters
from analysis.evidence.types import Evidence
from analysis.output.checks import refuse_without_space
from analysis.output.manifests import RUN
from analysis.results.comparison import COMPARED
from analysis.results.records import FAILED
from analysis.results.results import Results
from analysis.results.table import dictionary
from analysis.results.tables import LAYOUTS
from analysis.results.terminal import QUICK_REMEDY, table, with_limits
from analysis.runs.figures import draw_all
from analysis.runs.page import write_report
from analysis.runs.pipeline import run_all
from analysis.runs.plan import plan
from analysis.system.errors import UsageError, one_line
from analysis.system.failures import HINT
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
    progress, chapters = Progress(len(jobs)), all_chapters()
    progress.say(f"{len(jobs)} fits; compiling the models takes the first seconds ...")
    results = run_all(evidence, base, jobs, chapters, folder=folder / "posteriors", progress=progress,
                      executor=executor, quick=options.quick)
    progress.say("Figures and the report ...")
    layouts = (*LAYOUTS, *(layout for chapter in chapters for layout in chapter.layouts))
    tables = [results.tables[layout.file] for layout in layouts if len(results.tables.get(layout.file, ()))]
    written = [table.write(folder) for table in tables]
    results, pictures, drawn = draw_all(results, () if options.quick else chapters, folder / "figures",
                                        executor=executor)
    progress.close()
    page, failed = write_report(results, chapters, folder, pictures=pictures)
    results = replace(results, failures=(*results.failures, *failed))
    dictionary_path = folder / "README.md"
    write_text(dictionary_path, dictionary([table.layout for table in tables]))
    manifest = _manifest(results, options, [path.relative_to(folder)
                                            for path in (*written, *drawn, page, dictionary_path)])
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
    failed = _failed_in_chapters(results)
    for line in failed:
        print(line, file=sys.stderr)
    return 3 if results.failed or failed or results.failures else 0


def _expected_bytes(evidence: Evidence, jobs: Sequence[Job]) -> int:
    """About what the posteriors take: seven numbers of 8 bytes a draw, and two of 4 for each study."""
    return sum(job.sampler.chains * job.sampler.draws * (56 + 8 * len(select(evidence, job.question).rows))
               for job in jobs)


def _failed_in_chapters(results: Results) -> list[str]:
    """Which fits of the chapters' own are no results."""
    return [line for chapter in all_chapters() if chapter.failed for line in chapter.failed(results)]


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
            "converged": not results.failed and not _failed_in_chapters(results),
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
