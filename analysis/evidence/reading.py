"""Records to drafts: each cell is read as its column declares, and every refusal says what to write instead."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from analysis.evidence.cells import Fault, endless, missing_word, placeholder, text
from analysis.evidence.columns import Column, Table, in_other_unit, months_of_one, written_as
from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.files import SEPARATORS, Record, read_records, unreadable
from analysis.evidence.problems import Problem, shown

# No real table has more columns; a damaged one must not cost minutes in the search for similar names.
_HINT_LIMIT = 500
_LIKENESS = 0.75
_EXPOSURE = ("events", "person_months")
_DIGITS = re.compile(r"-?[0-9]+")
_QUOTES = "Close each quotation and double a quotation mark inside a quoted cell."


def read_table(table: Table, data: bytes) -> tuple[Drafts, list[Problem]]:
    """Return the drafts of a table and what is wrong with its form, columns and cells.

    Parameters
    ----------
    table : Table
        What the file should hold.
    data : bytes
        What it holds; EvidenceError where nothing of it can be read.
    """
    separator, declared, (first, *records) = read_records(table.file, data)
    if first.fault:
        raise unreadable(table.file, first.row, f"has a header that cannot be read: {first.fault}", _QUOTES)
    # Spreadsheets write a mark of the byte order even below a line that declares the separator.
    first = replace(first, cells=(first.cells[0].lstrip("\ufeff"), *first.cells[1:]))
    _refuse_another_separator(Drafts(table, first.cells), separator, declared=declared)
    return drafts_of(table, first, records, separator)


def drafts_of(table: Table, first: Record, records: list[Record], separator: str = "") -> tuple[Drafts, list[Problem]]:
    """Return the drafts of the records of a table, whose header is the first, and what is wrong with them."""
    header = first.cells
    named = max((place for place, name in enumerate(header, start=1) if name), default=1)
    drafts = Drafts(table, header[:named], first.row)
    records = [_trimmed(record, named, len(header)) for record in records]
    needed = _needed(table, drafts.header, records)
    problems = [*_header_problems(drafts, records, needed)]
    sources = {name: source for name in table.columns if (source := written_as(name, drafts.header)) in drafts.header}
    rows = []
    for record in records:
        form = _form_problem(record, table.file, drafts.header, separator, width=len(header))
        row, faults = _draft(drafts, sources, record, needed)
        rows.append(row)
        problems += [form] if form else [row.problem(name, fault.rule, fault.remedy) for name, fault in faults.items()]
    if separator == "," and not all(record.surplus for record in records if not record.fault):
        problems += _torn_numbers(drafts, sources, records, width=len(header))
    surplus = tuple(record.row for record in records if record.surplus)
    return replace(drafts, rows=tuple(rows), surplus=surplus), problems


def _trimmed(record: Record, named: int, width: int) -> Record:
    """The record without the empty cells behind the named columns."""
    if record.fault or len(record.cells) <= named or any(record.cells[named:]):
        return record
    return replace(record, cells=record.cells[:named], surplus=max(0, len(record.cells) - width))


def _refuse_another_separator(drafts: Drafts, separator: str, *, declared: bool) -> None:
    """Raise where the header lacks required columns and would have some, were it split at another character."""
    required = set(drafts.table.required)
    for other, words in SEPARATORS.items() if not required <= set(drafts.header) else ():
        names = {cell.strip().strip('"') for cell in separator.join(drafts.header).split(other)}
        if other != separator and len(names) > 1 and required & names:
            written = "sep=" + ("\\t" if other == "\t" else other)
            remedy = f"Write {written} in the first line." if declared else (
                f"Use commas, or write {written} as the first line; numbers have a point, such as 0.38.")
            raise unreadable(drafts.table.file, drafts.header_row, f"is separated by {words}", remedy)


def _needed(table: Table, header: tuple[str, ...], records: list[Record]) -> tuple[str, ...]:
    """The columns that must be there: of those that may be empty beside events and time at risk, none if all are."""
    names = [written_as(name, header) for name in _EXPOSURE if name in table.columns]
    cells = [_by_column(header, record.cells) for record in records]
    exposed = bool(names and cells) and all(row.get(name) for row in cells for name in names)
    return tuple(name for name in table.required if table.columns[name].filled or not exposed)


def _header_problems(drafts: Drafts, records: list[Record], needed: tuple[str, ...]) -> Iterator[Problem]:
    for place, name in enumerate(drafts.header):
        if not name and any(any(record.cells[place : place + 1]) for record in records):
            rule, remedy = f"has no name for its column {place + 1}", "Name the column, or delete it if not needed."
            yield drafts.problem("", rule, remedy)
        elif name and name in drafts.header[:place]:
            yield drafts.problem(name, "stands twice in the header", "Rename one.")
    for name in needed:
        if name not in drafts.header:
            yield _missing_column(drafts, name)


def _missing_column(drafts: Drafts, name: str) -> Problem:
    table = drafts.table
    remedy = f"Add the column; {table.file} needs {', '.join(table.required)}."
    if not table.columns[name].filled:
        remedy += " It may be empty, or absent where all are, in rows with events and person_months."
    others = {other[:100].lower(): other for other in drafts.header[:_HINT_LIMIT] if other not in table.columns}
    near = get_close_matches(name, others, n=1, cutoff=_LIKENESS)
    converted = in_other_unit(name, drafts.header)
    if converted:
        remedy += f" {shown(converted[0])} is not read: {converted[1]}."
    elif near:
        remedy += f" Is it the one called {shown(others[near[0]])}?"
    return drafts.problem(name, "is missing from the header", remedy)


def _form_problem(record: Record, file: str, header: tuple[str, ...], separator: str, *, width: int) -> Problem | None:
    """The problem of a row whose cells cannot be told apart or do not fit the header."""
    count, expected = len(record.cells), len(header)
    if record.fault:
        return _of_record(file, record, record.fault, _QUOTES)
    if count == expected:
        return None
    surplus, remedy = "", "Add the missing cells, empty if unknown."
    if count > expected:
        surplus = f", the last {shown(record.cells[-1])}" if record.cells[-1] else ""
        mark = {",": "comma", ";": "semicolon"}.get(separator, "separator")
        name = f"Name column {count} in the header if its cells are needed. " if count <= width else ""
        remedy = f"{name}Put a cell that holds a {mark} into double quotes; write numbers without separators."
    return _of_record(file, record, f"has {count} cells{surplus} where the header has {expected}", remedy)


def _of_record(file: str, record: Record, rule: str, remedy: str) -> Problem:
    return Problem(file, record.row, "", "", rule, remedy, ", ".join(record.cells[:1]))


def _draft(
    drafts: Drafts, sources: Mapping[str, str], record: Record, needed: tuple[str, ...],
) -> tuple[Draft, dict[str, Fault]]:
    """One row and its faults by column; of a row of another length than the header no cell is judged."""
    table = drafts.table
    cells = _by_column(drafts.header, record.cells)
    subject = ", ".join(cells[name] for name in table.subject if cells.get(name))
    if record.fault or len(record.cells) != len(drafts.header):
        return Draft(table.file, record.row, subject, cells, {}, frozenset(table.columns)), {}
    values, faults = _read_cells(table, sources, cells)
    bad = faults.keys() | (set(needed) - sources.keys())
    return Draft(table.file, record.row, subject, cells, values, frozenset(bad)), faults


def _by_column(header: tuple[str, ...], cells: tuple[str, ...]) -> dict[str, str]:
    by_column: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=False):
        if name:
            by_column.setdefault(name, cell)
    return by_column


def _read_cells(
    table: Table, sources: Mapping[str, str], cells: Mapping[str, str],
) -> tuple[dict[str, object], dict[str, Fault]]:
    """The values of one row and its faults, both by column; `sources` are the columns of the file to read."""
    values: dict[str, object] = {}
    faults: dict[str, Fault] = {}
    for name, column in table.columns.items():
        source = sources.get(name)
        value = column.empty if source is None else _value(
            table, column, cells[source], months_of_one(name, source, cells))
        if isinstance(value, Fault):
            faults[name] = value
        else:
            values[name] = value
    for name, cell in cells.items() if hasattr(table.row, "columns") else ():
        kept = cell and name not in table.columns and (placeholder(cell) or text(cell))
        if isinstance(kept, Fault):
            faults[name] = kept
    return values, faults


def _value(table: Table, column: Column, cell: str, factor: float) -> object:
    """The parsed cell in the unit of its column, or what is wrong with it."""
    if not cell and not column.filled:
        return column.empty
    named = column.filled or column.words
    value = (placeholder(cell, named=named) or column.parse(cell)) if cell else Fault("is empty", "")
    if not isinstance(value, Fault):
        return value if factor == 1.0 else column.parse(repr(value * factor))
    word = missing_word(cell)
    if column.filled and (word or not cell):
        allowed = column.parse("")
        parts = ("Fill the cell.", allowed.remedy if isinstance(allowed, Fault) else "", table.unknown)
        return Fault((word or value).rule, " ".join(part for part in parts if part))
    if column.unknown and endless(cell):
        return Fault(value.rule, f"Write a finite number. {column.unknown}")
    return Fault(word.rule, column.unknown or word.remedy) if word else value


def _torn_numbers(
    drafts: Drafts, sources: Mapping[str, str], records: list[Record], *, width: int,
) -> Iterator[Problem]:
    """Yield a problem for each row whose empty last cell may come from a comma inside a number."""
    for record in records:
        torn = _joined(drafts, sources, record.cells) if record.surplus else None
        if torn:
            count = len(drafts.header) + record.surplus
            rule = f"has {count} cells where the header has {width}, the last one empty"
            remedy = f"Write {torn[1]} if {torn[0]} is one number, else delete the commas at the end of the row."
            yield _of_record(drafts.table.file, record, rule, remedy)


def _joined(drafts: Drafts, sources: Mapping[str, str], cells: tuple[str, ...]) -> tuple[str, str] | None:
    """Two cells as written and as one number that leaves a valid row, None where there are none."""
    for place, (left, right) in enumerate(zip(cells, cells[1:], strict=False)):
        if not (_DIGITS.fullmatch(left) and right.isdecimal()):
            continue
        for number in (f"{left}.{right}", left + right) if len(right) == 3 else (f"{left}.{right}",):
            mended = (*cells[:place], number, *cells[place + 2 :], "")
            _, faults = _read_cells(drafts.table, sources, _by_column(drafts.header, mended))
            if not faults:
                return f"{left},{right}", number
    return None
