"""`update`: newer evidence put into a directory, whole or not at all, and what it changes."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import Job
from analysis.chapters.sensitivity.rows import FAR_MONTHS, FAR_POINTS
from analysis.commands.arguments import question_of
from analysis.commands.printing import print_json
from analysis.evidence.columns import TABLES
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.evidence.merging import Choices, Merged, Rows, merge, tables_in
from analysis.evidence.problems import EvidenceError
from analysis.inference.estimands import Estimate
from analysis.inference.further import Further, further
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, posterior_of
from analysis.output import exchanging
from analysis.results.numbers import chance, counted
from analysis.results.terminal import table, with_limits
from analysis.system.errors import UsageError, one_line
from analysis.system.files import csv_text, write_text
from analysis.system.interrupts import private_folder


@dataclass(frozen=True, eq=False)
class Change:
    """What newer evidence does to one endpoint: estimates with and without it, None where there is none."""

    endpoint: str
    before: Estimate | None
    after: Estimate | None
    reports: tuple[tuple[str, Further], ...]

    @property
    def changes(self) -> bool:
        """Whether the median moves by more than a reader would overlook."""
        if not self.before or not self.after:
            return self.before is not self.after
        far = FAR_MONTHS if self.after.unit == "months" else FAR_POINTS / 100.0
        return abs(self.after.median - self.before.median) > far


def run(options: argparse.Namespace) -> int:
    """Merge, check, fit before and after, write unless --dry-run, and print what changed."""
    _, merged, changes = updated_as_asked(options)
    if options.json:
        print_json(_object(merged, changes, dry_run=options.dry_run))
    else:
        print(shown(options, merged, changes))
    return 0


def updated_as_asked(options: argparse.Namespace) -> tuple[argparse.Namespace, Merged, list[Change]]:
    """The options, what they merge and what that changes; the directory is written unless they ask for a trial."""
    place: Path = options.data
    if not place.is_dir():
        raise UsageError(f"{place} is no directory; `recart init DIR --from {place.name}` makes one of a spreadsheet")
    before = load(place)
    _check(options.source)
    choices = Choices(dict(options.same), tuple(options.distinct), tuple(options.skip))
    merged = merge(tables_in(place), tables_in(options.source), choices, source=options.source.stem)
    with _copy(place) if options.dry_run else exchanging(place) as building:
        for file, rows in merged.tables.items():
            write_text(building / file, _as_csv(rows))
        after = load(building)
        base = Job(question_of(options))
        changes = [_change(before, after, base, endpoint, merged) for endpoint in merged.endpoints]
    return options, merged, changes


def _check(source: Path) -> None:
    """Raise EvidenceError for what is wrong with the newer evidence by itself; it may name studies of the directory."""
    try:
        load(source)
    except EvidenceError as error:
        if problems := [problem for problem in error.problems if problem.column != "overlaps_with"]:
            raise EvidenceError(problems) from None


@contextmanager
def _copy(place: Path) -> Iterator[Path]:
    """A copy of the directory, gone at the end of the block."""
    with private_folder() as folder:
        yield Path(copytree(place, folder / place.resolve().name))


def _as_csv(rows: Rows) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return csv_text([names, *([row.get(name, "") for name in names] for row in rows)])


def _change(before: Evidence, after: Evidence, base: Job, endpoint: str, merged: Merged) -> Change:
    is_new = all(row.endpoint != endpoint for row in before.endpoints)
    old = None if is_new else headline_case(before, base, endpoint)
    new = headline_case(after, base, endpoint)
    reports = []
    for study_id in (*merged.added, *merged.updated):
        rows = [row for row in new.selection.rows if row.study_id == study_id]
        others = [name for name in new.studies.study_ids if name not in (*merged.added, study_id)]
        # Strata are no report of a study, and events over person-time none that is predicted.
        if len(rows) == 1 and others and getattr(rows[0], "statistic", "median"):
            try:
                reports.append((study_id, further(new.take(others), rows[0])))
            except NO_POSTERIOR:
                continue
    return Change(endpoint, _estimate(old), _estimate(new), tuple(reports))


def _estimate(case: Case | None) -> Estimate | None:
    try:
        return posterior_of(case).estimates([main_estimand(case)])[0] if case and len(case.studies) else None
    except NO_POSTERIOR:
        return None


def shown(options: argparse.Namespace, merged: Merged, changes: list[Change]) -> str:
    """What changed, for a terminal."""
    done = "would change" if options.dry_run else "changed"
    parts = [one_line(f"{options.data}: {counted(len(merged.added), 'study')} added "
                      f"({', '.join(merged.added) or 'none'}), {len(merged.updated)} updated "
                      f"({', '.join(merged.updated) or 'none'}); tables that {done}: "
                      f"{', '.join(file for file in TABLES if file in merged.tables) or 'none'}")]
    parts += [f"{study_id}, {endpoint}: {counted(count, 'row')} replaced"
              for study_id, endpoint, count in merged.replaced]
    parts += [one_line(f"{study_id}, {column}: {old} becomes {new}") for study_id, column, old, new in merged.changed]
    if merged.facts:
        parts.append(f"{counted(merged.facts, 'fact')} of the newer evidence's ledger came along, with their sources")
    if merged.left:
        parts.append(one_line(f"{counted(merged.left, 'fact')} of the newer evidence's ledger stay in "
                              f"{options.source}: {options.data} keeps none (extraction.csv), so its rows cite none"))
    if reports := [(change.endpoint, name, report) for change in changes for name, report in change.reports]:
        parts.append("\n" + table(("endpoint", "study", "reported", "two-sided", "surprising", "log score"), [
            [endpoint, name, answer.report.report, chance(answer.expectation.two_sided),
             "yes" if answer.expectation.named else "no", f"{answer.expectation.log_predictive:.2f}"]
            for endpoint, name, answer in reports]))
    if changes:
        parts.append("\n" + table(("endpoint", "before", "after", "conclusion"), [
            [change.endpoint, *("no study" if estimate is None else
                                with_limits(estimate.median, estimate.lower, estimate.upper, estimate.unit)
                                for estimate in (change.before, change.after)),
             "changes" if change.changes else "stays"] for change in changes]))
    return "\n".join(parts)


def _object(merged: Merged, changes: list[Change], *, dry_run: bool) -> Mapping[str, object]:
    return {"dry_run": dry_run, "added": merged.added, "updated": merged.updated,
            "changed": [dict(zip(("study_id", "column", "old", "new"), item, strict=True)) for item in merged.changed],
            "replaced": [dict(zip(("study_id", "endpoint", "rows"), item, strict=True)) for item in merged.replaced],
            "tables": sorted(merged.tables), "facts": merged.facts, "facts_left": merged.left,
            "endpoints": [{"endpoint": change.endpoint, "before": change.before and vars(change.before),
                           "after": change.after and vars(change.after), "changes": change.changes,
                           "reports": [{"study_id": name, **vars(answer.report), **vars(answer.expectation)}
                                       for name, answer in change.reports]} for change in changes]}
