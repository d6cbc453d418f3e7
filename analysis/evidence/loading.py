"""An evidence directory to frozen tables, or to the list of everything that is wrong with it."""

import hashlib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from analysis.evidence.cells import Fault, number
from analysis.evidence.columns import TABLES
from analysis.evidence.directory import Evidence
from analysis.evidence.drafts import Draft, Drafts, Tables, each_row
from analysis.evidence.files import SPREADSHEETS, read_bytes
from analysis.evidence.notes import UNREAD, find_notes
from analysis.evidence.problems import EvidenceError, Problem
from analysis.evidence.reading import drafts_of, read_table
from analysis.evidence.relations import relation_problems
from analysis.evidence.rules import ROW_RULES
from analysis.evidence.sheets import COVARIATES, tables_of
from analysis.evidence.spreadsheets import read_sheet
from analysis.evidence.types import Columns, Patient, Survival
from analysis.system.groups import grouped

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "data"
"""The evidence that comes with the program."""

_REQUIRED = ("studies.csv", "endpoints.csv")
_DECISIONS = ("responses.csv", "survival.csv", "patients.csv")
_DEFAULT_LEVEL = 0.95
_OF_A_TABLE = re.compile(rf"\b({'|'.join(map(re.escape, TABLES))})\b")


def load(directory: Path) -> Evidence:
    """Return the evidence of a directory, or of one file, as frozen tables.

    Parameters
    ----------
    directory : Path
        Holds studies.csv, endpoints.csv, and responses.csv, survival.csv or patients.csv; the rest is optional. Or a
        file, CSV or .xlsx, with a row for each study and endpoint.

    Raises
    ------
    EvidenceError
        With every problem of every table, when there is any.
    """
    place = Path(directory)
    if place.is_file():
        return _of_sheet(place)
    files = _listing(place)
    problems = list(_missing_files(files))
    contents: dict[str, bytes] = {}
    tables: dict[str, Drafts] = {}
    for file, table in TABLES.items():
        tables[file] = Drafts(table)
        try:
            if file in files:
                contents[file] = read_bytes(place / file)
                tables[file], faults = read_table(table, contents[file])
                problems += faults
        except EvidenceError as error:
            problems += error.problems
    return _checked(place, tables, [*problems, *_without_rows(tables)], _digest(contents), files)


def _of_sheet(path: Path) -> Evidence:
    """The evidence of one file; problems name it, its rows and its columns."""
    sheet = tables_of(read_sheet(path))
    if sheet.problems and not sheet.contents:
        raise EvidenceError(sheet.problems)
    problems, tables = list(sheet.problems), {file: Drafts(table) for file, table in TABLES.items()}
    for file, (header, *records) in sheet.contents.items():
        tables[file], faults = drafts_of(TABLES[file], header, records)
        problems += faults

    def in_sheet(problem: Problem) -> Problem:
        rule, remedy = (_OF_A_TABLE.sub(lambda _: path.name, text.replace(COVARIATES, "a covariate"))
                        for text in (problem.rule, problem.remedy))
        return replace(problem, file=path.name, column=sheet.names.get(problem.column, problem.column), rule=rule,
                       remedy=remedy)

    try:
        evidence = _checked(path, tables, problems, _digest({"": read_bytes(path)}), frozenset(sheet.contents))
    except EvidenceError as error:
        raise EvidenceError(map(in_sheet, error.problems)) from None
    # Of columns that are not read the sheet has notes of its own.
    of_tables = (in_sheet(note) for note in evidence.notes if note.rule != UNREAD)
    return replace(evidence, notes=(*sheet.notes, *of_tables))


def _checked(place: Path, tables: Tables, problems: list[Problem], digest: str, files: frozenset[str]) -> Evidence:
    """The evidence of some tables; EvidenceError where they have problems, or rules between them are broken."""
    for file, rules in ROW_RULES.items():
        problems += each_row(file, *rules)(tables)
    problems += relation_problems(tables)
    if problems:
        raise EvidenceError(_in_file_order(problems))
    rows = {file.removesuffix(".csv"): _typed(drafts) for file, drafts in tables.items()}
    rows["patients"] = _together(rows["patients"])
    return Evidence(place, digest, facts=rows.pop("extraction"), **rows,
                    notes=_in_file_order(find_notes(tables, files=files)))


def _listing(directory: Path) -> frozenset[str]:
    try:
        return frozenset(os.listdir(directory))
    except FileNotFoundError:
        what = "spreadsheet" if directory.suffix.lower() in SPREADSHEETS else "evidence directory or spreadsheet"
        rule, remedy = "does not exist", f"Name an existing {what}."
    except NotADirectoryError:
        rule, remedy = "is not a directory", "Name the directory that holds the tables."
    except (OSError, ValueError) as error:
        rule = f"cannot be listed ({getattr(error, 'strerror', None) or type(error).__name__})"
        remedy = "Check the name and the permissions of the directory."
    raise EvidenceError([Problem(str(directory), None, "", "", rule, remedy)])


def _missing_files(files: frozenset[str]) -> Iterator[Problem]:
    missing = [(file, "is missing") for file in _REQUIRED if file not in files]
    if files.isdisjoint(_DECISIONS):
        missing.append((_DECISIONS[0], f"is missing, and so are {' and '.join(_DECISIONS[1:])}"))
    for file, rule in missing:
        near = [other for other in sorted(files) if other.lower() == file]
        remedy = f"Rename {near[0]} to {file}." if near else "Add the table to the evidence directory."
        yield Problem(file, None, "", "", rule, remedy)


def _without_rows(tables: Tables) -> Iterator[Problem]:
    undecided = not any(tables[file].rows for file in _DECISIONS)
    for file in (*_REQUIRED, *(_DECISIONS if undecided else ())):
        if tables[file].header is not None and not tables[file].rows:
            yield tables[file].problem("", "has a header but no rows", "Add at least one row.")


def _in_file_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    order = {file: place for place, file in enumerate(TABLES)}
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (order.get(p.file, len(order)), p.row or 0)))


def _digest(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for file, data in sorted(contents.items()):
        digest.update(f"{file} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def _typed(drafts: Drafts) -> tuple[object, ...]:
    further = _FURTHER.get(drafts.table.file, lambda row: {})
    return tuple(drafts.table.row(**{"row": row.row, **row.values, **further(row)}) for row in drafts.rows)


def _together(patients: Iterable[Patient]) -> tuple[Survival, ...]:
    """The patients of each study, endpoint and cut as one row, on the line of the first."""
    shared = ("row", "study_id", "endpoint", "definition", "population", "cut")
    groups = grouped(patients, lambda patient: (patient.study_id, patient.endpoint, patient.cut or "primary"))
    return tuple(Survival(**TABLES["survival.csv"].blank | {name: getattr(group[0], name) for name in shared} | {
        "n": len(group), "events": sum(patient.status == "event" for patient in group),
        "person_months": math.fsum(patient.months for patient in group),
        "patients": tuple((patient.months, patient.status == "event") for patient in group)})
        for group in groups.values())


def _columns(row: Draft) -> dict[str, object]:
    return {"columns": Columns({name: row.text(name) for name in row.raw})}


def _label(row: Draft) -> dict[str, object]:
    """A rate without a common horizon is named so wherever its label stands."""
    return {"label": f"{row['label']}, crude"} if row["crude"] else {}


def _survival(row: Draft) -> dict[str, object]:
    """A level for an interval without one, none without an interval, and limits within what can be.

    Beside events over person-time a median that was not reached says nothing: the row is a count.
    """
    if row["statistic"] == "median" and row.lacks("estimate") and row.has("person_months"):
        return {"statistic": "", "upper_not_reached": False, "ci_low": None, "ci_level": None}
    if row.lacks("ci_low", "ci_high"):
        return {"ci_level": None}
    highest = 1.0 if row["statistic"] == "landmark" else math.inf
    limits = {name: min(max(row[name], 0.0), highest) for name in ("ci_low", "ci_high") if row.has(name)}
    return {"ci_level": row["ci_level"] or _DEFAULT_LEVEL, **limits}


def _value(row: Draft) -> dict[str, object]:
    value = number(row["value"])
    return {"value": None if isinstance(value, Fault) else value, "value_text": row["value"]}


# What a row holds beside its parsed cells.
_FURTHER = {"studies.csv": _columns, "endpoints.csv": _label, "survival.csv": _survival, "extraction.csv": _value}
