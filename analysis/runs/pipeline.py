"""Runs many fits on two processes and gathers their rows into the tables of a run."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from importlib import import_module
from pathlib import Path
from typing import Any

from analysis.cases.selection import choices
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.results import tables
from analysis.results.comparison import compare
from analysis.results.records import Record, attempted
from analysis.results.results import Results
from analysis.runs import workers
from analysis.runs.plan import bundles
from analysis.system.files import write_csv
from analysis.system.progress import Progress
from models import all_models

_WORTH_COMPILING = 20  # waiting fits of a model for which a second process should compile it, too
_NOTHING = object()
NO_WORK: Iterator[Any] = iter(())
Bundle = tuple[Job, ...]


def run_all(evidence: Evidence, base: Job, jobs: Sequence[Job], *, folder: Path | None, progress: Progress,
            executor: Executor, stamp: str = "", meanwhile: Iterator[Any] = NO_WORK) -> Results:
    """Make every fit, part of them in the helper process, and compare with the published numbers.

    Parameters
    ----------
    base : Job
        The headline's settings.
    folder : Path or None
        Where posteriors are saved.
    executor : Executor
        Of `helper`.
    meanwhile : iterator
        Drawn from, for the work that each step does, while there is only waiting for the helper to do.
    """
    done: dict[Job, Record] = {}
    first, *others = _by_model(bundles(evidence, jobs))
    away = {bundle: executor.submit(_work, bundle, folder) for group in others for bundle in group}
    executor.submit(_import_figures)
    for group in (first, *reversed(others)):
        for bundle in (first if group is first else _taken_back(group, away)):
            _take(attempted(evidence, bundle, folder), done, progress, evidence)
            for finished in [bundle for bundle, future in away.items() if future.done()]:
                _take(away.pop(finished).result(), done, progress, evidence)
    while away:
        finished = [bundle for bundle, future in away.items() if future.done()]
        for bundle in finished:
            _take(away.pop(bundle).result(), done, progress, evidence)
        if not finished and next(meanwhile, _NOTHING) is _NOTHING:
            wait(away.values(), return_when=FIRST_COMPLETED)
    found = tuple(done[job] for job in jobs)
    headline = {one.job.question: one.pooled for one in reversed(found)}
    return Results(evidence, base, found, tuple(compare(evidence, base.question, headline)), stamp)


def _take(found: Sequence[Record], done: dict[Job, Record], progress: Progress, evidence: Evidence) -> None:
    done |= {one.job: one for one in found}
    for one in found:
        progress.step(_describe(one, evidence))


def _describe(found: Record, evidence: Evidence) -> str:
    question = found.job.question
    text = " ".join([question.endpoint, found.model, question.subset, *choices(evidence, question)])
    return text if found.status == "converged" else f"{text}: {found.status}"


def _import_figures() -> None:
    """Load what drawing needs while this process would wait."""
    import_module("analysis.runs.figures")


def _work(bundle: Bundle, folder: Path | None) -> tuple[Record, ...]:
    return attempted(workers.evidence(), bundle, folder)


def _by_model(found: Sequence[Bundle]) -> list[list[Bundle]]:
    """Fits of one model together, so that it is compiled once; the largest group first, then the slowest models."""
    groups: dict[str, list[Bundle]] = {}
    for bundle in found:
        groups.setdefault(bundle[0].model, []).append(bundle)
    largest = max(groups.values(), key=len, default=[])
    return [largest, *sorted((group for group in groups.values() if group is not largest),
                             key=lambda group: all_models()[group[0][0].model].rank, reverse=True)]


def _taken_back(group: Sequence[Bundle], away: dict[Bundle, Future]) -> Iterator[Bundle]:
    """Fits of a group that the helper has not begun, one by one from the end, while it goes on at the front."""
    waiting = [bundle for bundle in group if bundle in away and not (away[bundle].running() or away[bundle].done())]
    if len(waiting) < _WORTH_COMPILING:
        return
    for bundle in reversed(waiting):
        if bundle in away and away[bundle].cancel():
            del away[bundle]
            yield bundle


def write_tables(results: Results, folder: Path) -> list[Path]:
    """Write every table of a run that has a row; returns their paths."""
    written = []
    for name, columns, rows in _tables(results):
        if not rows:
            continue
        path = folder / name
        write_csv(path, [{**row, "stamp": results.stamp} for row in rows], columns)
        written.append(path)
    return written


def _tables(results: Results) -> Iterator[tuple[str, tuple[str, ...], list]]:
    records = results.records
    headline = [found for found in records if results.headline(found.job.question.endpoint) is found]
    yield ("comparison.csv", tables.COMPARISON_COLUMNS, [tables.comparison_row(row) for row in results.comparisons])
    yield ("estimates.csv", tables.ESTIMATE_COLUMNS, [row for found in records for row in found.estimates])
    yield ("diagnostics.csv", tables.DIAGNOSTIC_COLUMNS, [found.diagnostics for found in records])
    yield ("agreement.csv", tables.AGREEMENT_COLUMNS, [row for found in records for row in found.agreement])
    yield ("studies.csv", tables.STUDY_COLUMNS, [row for found in headline for row in found.studies])
    yield ("survival_conversions.csv", tables.CONVERSION_COLUMNS,
           [row for found in headline for row in found.conversions])
    for name, (columns, rows) in results.side.items():
        yield (name, columns, list(rows))
    yield ("left_out.csv", tables.LEFT_OUT_COLUMNS, [row for found in headline for row in found.left_out])
