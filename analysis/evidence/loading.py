"""An evidence directory to frozen tables, or to the list of everything that is wrong with it."""

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from analysis.evidence.bundle import Evidence
from analysis.evidence.cells import number
from analysis.evidence.crosschecks import cross_problems
from analysis.evidence.decoding import decode, read_bytes
from analysis.evidence.drafts import Draft, Drafts, draft_table
from analysis.evidence.notes import find_notes
from analysis.evidence.numerals import Fault
from analysis.evidence.problems import EvidenceError, Problem
from analysis.evidence.reading import form_problems, read_table
from analysis.evidence.records import Fact
from analysis.evidence.rows import Columns, Study, Survival
from analysis.evidence.rules import ROW_RULES
from analysis.evidence.schema import Table
from analysis.evidence.tables import TABLES

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "data"
"""The evidence that comes with the program."""

_REQUIRED = ("studies.csv", "endpoints.csv")
_DECISIONS = ("responses.csv", "survival.csv")
_DEFAULT_LEVEL = 0.95
_FIELD_NAMES = {"extraction": "facts"}


def load(directory: Path) -> Evidence:
    """Return the evidence of a directory as frozen tables.

    Parameters
    ----------
    directory : Path
        Holds studies.csv, endpoints.csv, and responses.csv or survival.csv or both; the rest is optional.

    Raises
    ------
    EvidenceError
        With every problem of every table, when there is any.
    """
    directory = Path(directory)
    files = _listing(directory)
    contents = {table.file: read_bytes(directory / table.file) for table in TABLES if table.file in files}
    problems = list(_missing_files(files))
    tables = {table.file: _drafts(table, contents.get(table.file), problems) for table in TABLES}
    problems += _without_rows(tables)
    for drafts in tables.values():
        problems += _broken_rules(drafts)
    problems += cross_problems(tables)
    if problems:
        raise EvidenceError(_in_file_order(problems))
    return Evidence(
        directory=directory,
        sha256=_digest(contents),
        notes=_in_file_order(find_notes(tables, found_files=files)),
        **{_field_name(file): _typed(drafts) for file, drafts in tables.items()},
    )


def _listing(directory: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(directory))
    except FileNotFoundError:
        rule, remedy = "does not exist", "Name an existing evidence directory."
    except NotADirectoryError:
        rule, remedy = "is not a directory", "Name the directory that holds the tables."
    except (OSError, ValueError) as error:
        rule = f"cannot be listed ({getattr(error, 'strerror', None) or type(error).__name__})"
        remedy = "Check the name and the permissions of the directory."
    raise EvidenceError([Problem(str(directory), None, "", "", rule, remedy)])


def _missing_files(files: frozenset[str]) -> Iterator[Problem]:
    wanted = [(file, "is missing") for file in _REQUIRED if file not in files]
    if files.isdisjoint(_DECISIONS):
        wanted.append((_DECISIONS[0], f"is missing, and so is {_DECISIONS[1]}"))
    for file, rule in wanted:
        near = [other for other in sorted(files) if other.lower() == file]
        remedy = f"Rename {near[0]} to {file}." if near else "Add the table to the evidence directory."
        yield Problem(file, None, "", "", rule, remedy)


def _drafts(table: Table, data: bytes | Problem | None, problems: list[Problem]) -> Drafts:
    """Return the drafts of a table and append what is wrong with its file, form and cells."""
    if data is None:
        return Drafts(table)
    text = data if isinstance(data, Problem) else decode(table.file, data)
    raw = text if isinstance(text, Problem) else read_table(table.file, text, required=table.required)
    if isinstance(raw, Problem):
        problems.append(raw)
        return Drafts(table)
    drafts, found = draft_table(table, raw)
    problems += [*form_problems(table.file, raw), *found]
    return drafts


def _without_rows(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    undecided = not any(tables[file].rows for file in _DECISIONS)
    for file in (*_REQUIRED, *(_DECISIONS if undecided else ())):
        drafts = tables[file]
        if drafts.header is not None and not drafts.rows:
            yield Problem(
                file, drafts.header_row, "", "", "has a header but no rows", "Add at least one row."
            )


def _broken_rules(drafts: Drafts) -> Iterator[Problem]:
    for rule in ROW_RULES.get(drafts.table.file, ()):
        for row in drafts.rows:
            yield from rule(row)


def _in_file_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    order = {table.file: place for place, table in enumerate(TABLES)}
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (order.get(p.file, len(order)), p.row or 0)))


def _digest(contents: Mapping[str, bytes | Problem]) -> str:
    digest = hashlib.sha256()
    for file, data in sorted(contents.items()):
        digest.update(f"{file} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def _field_name(file: str) -> str:
    stem = file.removesuffix(".csv")
    return _FIELD_NAMES.get(stem, stem)


def _typed(drafts: Drafts) -> tuple[object, ...]:
    complete = _COMPLETIONS.get(drafts.table.row, lambda row: row.values)
    return tuple(drafts.table.row(row=row.row, **complete(row)) for row in drafts.rows)


def _complete_study(row: Draft) -> dict[str, object]:
    return {**row.values, "columns": Columns(row.raw)}


def _complete_survival(row: Draft) -> dict[str, object]:
    interval = row.has("ci_low") or row.has("ci_high")
    level = (row.values["ci_level"] or _DEFAULT_LEVEL) if interval else None
    highest = 1.0 if row.values["statistic"] == "landmark" else math.inf
    limits = {name: min(max(row.values[name], 0.0), highest) for name in ("ci_low", "ci_high") if row.has(name)}
    return {**row.values, **limits, "ci_level": level}


def _complete_fact(row: Draft) -> dict[str, object]:
    written = row.values["value"]
    value = number()(written)
    return {**row.values, "value": None if isinstance(value, Fault) else value, "value_text": written}


_COMPLETIONS: dict[type, Callable[[Draft], Mapping[str, object]]] = {
    Study: _complete_study,
    Survival: _complete_survival,
    Fact: _complete_fact,
}
