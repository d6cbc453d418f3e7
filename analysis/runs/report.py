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

from analysis.cases.selection import candidates
from analysis.cases.settings import Job
from analysis.chapters.answer.rows import ANSWER, beside
from analysis.chapters.chapter import all_chapters
from analysis.evidence.directory import Evidence
from analysis.output.checks import refuse_without_space
from analysis.output.manifests import RUN
from analysis.results.comparison import COMPARED, COMPARISON
from analysis.results.numbers import limits_of
from analysis.results.records import FAILED, Record
from analysis.results.results import Results
from analysis.results.table import Row, dictionary
from analysis.results.tables import DIAGNOSTICS, ESTIMATES, LAYOUTS
from analysis.results.terminal import QUICK_REMEDY, estimand, failed_lines, show, with_limits
from analysis.results.word import write_answer
from analysis.results.writing import Writer
from analysis.runs.figures import draw_all
from analysis.runs.page import FIRST, write_report
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
    layouts = (COMPARISON, *LAYOUTS, *(layout for chapter in chapters for layout in chapter.layouts))
    tables = [results.tables[layout.file] for layout in layouts if len(results.tables.get(layout.file, ()))]
    written = [*(table.write(folder) for table in tables), write_answer(results, folder)]
    results, pictures, drawn = draw_all(results, () if options.quick else chapters, folder / "figures",
                                        executor=executor, png=options.png)
    progress.close()
    pages, failed = write_report(results, chapters, folder, pictures=pictures)
    results = replace(results, failures=(*results.failures, *failed))
    dictionary_path = folder / "README.md"
    write_text(dictionary_path, dictionary([table.layout for table in tables]))
    manifest = _manifest(results, options, [path.relative_to(folder)
                                            for path in (*written, *drawn, *pages, dictionary_path)])
    write_text(folder / RUN, as_json(manifest) + "\n")
    return results, manifest


def tell(results: Results, manifest: dict[str, Any], options: argparse.Namespace) -> int:
    """Print what was found, once it is in its place; returns the exit code."""
    if options.json:
        print(as_json(manifest))
    else:
        _print(results, options.output / FIRST)
    for line in failed_lines(results, QUICK_REMEDY if options.quick else ""):
        print(line, file=sys.stderr)
    for failure in results.failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    if results.failures or any(record.status == FAILED for record in results.failed):
        print(HINT, file=sys.stderr)
    failed = _failed_in_chapters(results)
    for line in failed:
        print(line, file=sys.stderr)
    return 3 if results.failed or failed or results.failures else 0


def _expected_bytes(evidence: Evidence, jobs: Sequence[Job]) -> int:
    """About what the posteriors take: seven numbers of 8 bytes a draw, and two of 4 for each study."""
    return sum(job.sampler.chains * job.sampler.draws * (56 + 8 * len(candidates(evidence, job.question).rows))
               for job in jobs)


def _failed_in_chapters(results: Results) -> list[str]:
    """Which fits of the chapters' own are no results."""
    return [line for chapter in all_chapters() if chapter.failed for line in chapter.failed(results)]


def _manifest(results: Results, options: argparse.Namespace, files: list[Path]) -> dict:
    fits = [{"posterior": f"posteriors/{record.posterior}" if record.posterior else None, "status": record.status,
             "priors": dict(record.priors), "warnings": list(record.warnings),
             **{name: record.diagnostics.get(name) for name in
                (*DIAGNOSTICS.between("endpoint", "n_patients"), "chains", "draws", "seed")}}
            for record in results.records]
    return {"schema_version": SCHEMA_VERSION, "data_sha256": results.evidence.sha256, "stamp": results.stamp,
            "tiers": options.tiers, "set": options.study_set, "without": list(results.base.question.without),
            "retrospective": results.base.question.retrospective, "horizon": results.base.question.horizon,
            "level": options.level, "seed": options.seed,
            "python": python_version(), "versions": {name: version(name) for name in _PACKAGES},
            "converged": not results.failed and not _failed_in_chapters(results),
            "failures": [asdict(failure) for failure in results.failures],
            "answer": results.rows(ANSWER.file), "compared": _compared(results),
            "reported": len(results.evidence.reported),
            "files": sorted(path.as_posix() for path in files), "fits": fits}


def _compared(results: Results) -> int:
    return sum(row["status"] == COMPARED for row in results.rows(COMPARISON.file))


def _print(results: Results, page: Path) -> None:
    headlines = filter(None, (results.headline(endpoint.endpoint) for endpoint in results.evidence.endpoints))
    write = results.writer(ESTIMATES)
    stamp = "QUICK (short chains): no result to quote\n\n" if results.stamp else ""
    print(stamp + show(ESTIMATES, [_first(record) for record in headlines], {
        "endpoint": "endpoint", "estimand": "estimand", "median": "posterior median", "k_studies": "studies",
        "n_patients": "patients"}, cells={
            "estimand": lambda row: write(row, "estimand") if write.scale(row).months else estimand(row),
            "median": lambda row: _in_words(row, write), "n_patients": lambda row: f"{row['n_patients']}"}))
    if fallen := [row for row in results.rows(ANSWER.file) if row["preferred"]]:
        print("\n" + show(ANSWER, fallen, {
            "endpoint": "endpoint", "estimand": "estimand", "hazard": "constant hazard",
            "median": "hazard may fall (preferred)", "error_rule": "by error rule", "shape": "by shape"}, cells={
                "estimand": estimand, "hazard": lambda row: with_limits(
                    *limits_of(beside(results, row) or dict.fromkeys(row), "median"), row["unit"])}))
    if results.evidence.reported:
        print(f"\n{_compared(results)} of {len(results.evidence.reported)} published numbers compared; "
              "the others carry their reason in comparison.csv.")
    print(f"Report: {one_line(str(page))}")


def _first(record: Record) -> Row:
    """The main estimate of a fit, or a row with the reason in its place."""
    question = record.job.question
    return next(iter(record.estimates), {
        "endpoint": question.endpoint, "estimand": "", "time_months": None, "median": record.status,
        "k_studies": record.k_studies, "n_patients": record.n_patients})


def _in_words(row: Row, write: Writer) -> str | None:
    if isinstance(row["median"], str):
        return None
    text = write(row) if write.scale(row).months else with_limits(*limits_of(row, "median"), row["unit"])
    return f"{text} {100 * row['level']:g} % {row['interval']}"
