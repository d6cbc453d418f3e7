"""Everything that a run computes: fits and the work of all chapters from one queue, then the tables."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from analysis.cases.settings import EXACT, Job
from analysis.chapters.chapter import Asked, Chapter, Task
from analysis.evidence.directory import Evidence
from analysis.results import tables
from analysis.results.comparison import COMPARISON, compare
from analysis.results.results import Results
from analysis.results.table import Layout, Row, Table
from analysis.runs.fits import attempted
from analysis.runs.plan import bundles
from analysis.runs.workers import Item, work_off
from analysis.system.failures import Failure, attempt, gathered
from analysis.system.progress import Progress
from models import all_models


def run_all(evidence: Evidence, base: Job, jobs: Sequence[Job], chapters: Sequence[Chapter] = (), *,
            folder: Path | None, executor: Executor, progress: Progress | None = None, quick: bool = False) -> Results:
    """Make every fit and all work of the chapters, on two processes, and compare with the published numbers.

    The other process begins in front and this one behind.

    Parameters
    ----------
    base : Job
        The headline's settings.
    folder : Path or None
        Where posteriors are saved.
    """
    asked = Asked(evidence, base, quick)
    tasks, failures = gathered((chapter.name, partial(chapter.work, asked)) for chapter in chapters if chapter.work)
    order = _order_of_tasks(tasks, evidence)
    items = [*(Item(_make, (tasks[number],)) for number in order), *_fits(bundles(evidence, jobs), folder)]
    progress = progress or Progress(len(items))
    progress.total(len(items))
    done = work_off(items, evidence, executor=executor,
                    finished=lambda item, result: progress.step(_describe(item, result, evidence)))
    records = {record.job: record for fits in done[len(order):] for record in fits}
    results = Results(evidence, base, tuple(records[job] for job in jobs), "QUICK" if quick else "")
    failures += [result for result in done if isinstance(result, Failure)]
    by_number = dict(zip(order, done, strict=False))
    of_tasks = [by_number[number] for number in range(len(tasks)) if not isinstance(by_number[number], Failure)]
    return _with_tables(replace(results, failures=tuple(failures)), chapters, of_tasks)


def _make(evidence: Evidence, task: Task) -> Mapping[str, Any] | Failure:
    """What a task makes, by file name: rows, and under the name of its chapter another value."""
    return attempt(task.part, task.endpoint, task.function, evidence, *task.arguments)


def _order_of_tasks(tasks: Sequence[Task], evidence: Evidence) -> list[int]:
    """Their numbers, as the other process works them off in front, before any fit.

    Tasks on one endpoint stand together, so that mostly one process solves the posteriors that they share; those on
    survival, whose posteriors take longest, come first.
    """
    survival = {endpoint.endpoint for endpoint in evidence.endpoints if endpoint.kind == "survival"}
    return sorted(range(len(tasks)), key=lambda at: (tasks[at].endpoint not in survival, tasks[at].endpoint))


def _fits(fits: Sequence[tuple[Job, ...]], folder: Path | None) -> list[Item]:
    """The fits, with all that is sampled behind, where this process begins.

    What a process compiles first costs it twice what the next model does, so that one process compiles them all.
    """
    by_rank = sorted(fits, key=lambda bundle: (bundle[0].engine != EXACT, all_models()[bundle[0].model].rank))
    return [Item(attempted, (bundle, folder)) for bundle in by_rank]


def _describe(item: Item, result: Any, evidence: Evidence) -> str:
    if isinstance(result, Failure):
        return str(result)
    if item.function is _make:
        (task,) = item.arguments
        return f"{task.endpoint} {task.part}".strip()
    name = result[0].name(evidence)
    return name if result[0].status == "converged" else f"{name}: {result[0].status}"


def _with_tables(results: Results, chapters: Sequence[Chapter], of_tasks: Sequence[Mapping[str, Any]]) -> Results:
    """The results with the tables of fits and chapters; what hangs on other tables is made last."""
    by_file: dict[str, list[Any]] = {}
    for files in of_tasks:
        for name, rows in files.items():
            by_file.setdefault(name, []).extend(rows)
    layouts = {layout.file: layout for chapter in chapters for layout in chapter.layouts}
    values = {name: tuple(rows) for name, rows in by_file.items() if name not in layouts}
    results = replace(results, values=values, tables=tables_of_fits(results))
    for chapter in chapters:
        results = _with_rows(results, chapter, {layout.file: by_file.get(layout.file, ())
                                                for layout in chapter.layouts})
    for chapter in chapters:
        if chapter.finish:
            results = _with_rows(results, chapter, attempt(chapter.name, "", chapter.finish, results))
    return results


def _with_rows(results: Results, chapter: Chapter, rows: Mapping[str, Iterable[Row]] | Failure) -> Results:
    """The results with tables of one chapter; a row that its layout does not know is a failure of that chapter."""
    layouts = {layout.file: layout for layout in chapter.layouts}
    tables = rows if isinstance(rows, Failure) else attempt(chapter.name, "", lambda: {
        file: _stamped(layouts[file], items, results.stamp) for file, items in rows.items()})
    if isinstance(tables, Failure):
        return replace(results, failures=(*results.failures, tables))
    return replace(results, tables={**results.tables, **tables})


def _stamped(layout: Layout, rows: Iterable[Row], stamp: str) -> Table:
    shared = {"stamp": stamp} if "stamp" in layout.names else {}
    return layout.table({**row, **shared} for row in rows)


def tables_of_fits(results: Results) -> dict[str, Table]:
    """The tables of the fits and their comparison, by file name."""
    records = results.records
    headline = [record for record in records if results.headline(record.job.question.endpoint) is record]
    first = {record.job.question: record for record in reversed(records)}
    rows = ((COMPARISON, compare(results.evidence, results.base.question, first)),
            (tables.ESTIMATES, (row for record in records for row in record.estimates)),
            (tables.DIAGNOSTICS, (tables.DIAGNOSTICS.pick(record.diagnostics) for record in records)),
            (tables.AGREEMENT, (row for record in records for row in record.agreement)),
            (tables.STUDIES, (row for record in headline for row in record.studies)),
            (tables.CONVERSIONS, (row for record in headline for row in record.conversions)),
            (tables.LEFT_OUT, (row for record in headline for row in record.left_out)))
    return {layout.file: _stamped(layout, some, results.stamp) for layout, some in rows}
