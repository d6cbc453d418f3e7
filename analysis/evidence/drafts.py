"""Rows on their way from text to types: values where cells could be read, and memory of which could not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from analysis.evidence.cells import text
from analysis.evidence.numerals import Fault, endless
from analysis.evidence.placeholders import missing_word, placeholder
from analysis.evidence.problems import Problem, shown
from analysis.evidence.reading import RawTable, Record
from analysis.evidence.schema import CONVERTED, MONTHS_IN, Column, Table, in_other_unit

# No real table has more columns; a damaged one must not cost minutes in the search for similar names.
_HINT_LIMIT = 500
_LIKENESS = 0.75
_NOTHING = (None, "", ())
_DIGITS = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """One row while it is checked.

    Parameters
    ----------
    raw : mapping of str to str
        Cells as text, by column.
    values : mapping of str to object
        Parsed cells of the known columns.
    bad : frozenset of str
        Columns whose value must not be judged, because the cell is faulty or its column is missing.
    """

    file: str
    row: int
    subject: str
    raw: Mapping[str, str]
    values: Mapping[str, object]
    bad: frozenset[str]

    def has(self, *columns: str) -> bool:
        """Return whether every given column was read and is filled."""
        return not any(column in self.bad or self.values.get(column) in _NOTHING for column in columns)

    def lacks(self, column: str) -> bool:
        """Return whether the column is empty or absent, as opposed to filled or faulty."""
        return column not in self.bad and not self.has(column)

    def problem(self, column: str, rule: str, remedy: str) -> Problem:
        """Return a problem with one cell of this row; the facts of the row are added to the remedy."""
        facts = self.values.get("fact_ids")
        column = written_as(column, self.raw)
        trail = f" Facts {' '.join(facts)}." if facts else ""
        value = self.raw.get(column, "")
        return Problem(self.file, self.row, column, value, rule, remedy + trail, self.subject)


@dataclass(frozen=True, slots=True)
class Drafts:
    """All rows of one table while they are checked.

    Parameters
    ----------
    table : Table
        What the table should hold.
    header : tuple of str or None
        Columns found; None when the file is absent or unreadable.
    header_row : int
        Line of the header.
    rows : tuple of Draft
        Rows in the order of the file.
    surplus : tuple of int
        Rows with more cells than the header, the last ones empty.
    """

    table: Table
    header: tuple[str, ...] | None = None
    header_row: int = 1
    rows: tuple[Draft, ...] = ()
    surplus: tuple[int, ...] = ()

    def known(self, column: str) -> frozenset[str] | None:
        """Return the texts of a column, those of faulty rows included; None when they cannot be known."""
        if self.header is None or column not in self.header:
            return None
        return frozenset(row.raw[column] for row in self.rows if row.raw.get(column))


def draft_table(table: Table, raw: RawTable) -> tuple[Drafts, list[Problem]]:
    """Return the drafts of a table and the problems of its columns and cells.

    Parameters
    ----------
    table : Table
        What the table should hold.
    raw : RawTable
        What the file holds.
    """
    absent = frozenset(table.required).difference(raw.header)
    problems = [_missing_column(table, raw, name) for name in table.required if name in absent]
    empties = {column.name: column.empty for column in table.columns}
    drafts = []
    for record in raw.records:
        cells, subject = _cells(table, raw.header, record)
        values, faults = dict(empties), {}
        if record.fault or len(record.cells) != len(raw.header):
            bad = frozenset(empties)
        else:
            faults = _read_cells(table, cells, values)
            bad = absent.union(faults) if faults else absent
        drafts.append(Draft(table.file, record.row, subject, cells, values, bad))
        problems += [drafts[-1].problem(name, fault.rule, fault.remedy) for name, fault in faults.items()]
    problems += _torn_numbers(table, raw)
    surplus = tuple(record.row for record in raw.records if record.surplus)
    return Drafts(table, raw.header, raw.header_row, tuple(drafts), surplus), problems


def written_as(column: str, header: Mapping[str, str] | tuple[str, ...]) -> str:
    """Return the column that stands for the given one in a table, which is another where that one is absent."""
    if column in header:
        return column
    return next((name for name in CONVERTED.get(column, ()) if name in header), column)


def _missing_column(table: Table, raw: RawTable, name: str) -> Problem:
    remedy = f"Add the column; {table.file} needs {', '.join(table.required)}."
    known = [column.name for column in table.columns]
    others = {other[:100].lower(): other for other in raw.header[:_HINT_LIMIT] if other not in known}
    near = get_close_matches(name, others, n=1, cutoff=_LIKENESS)
    converted = in_other_unit(name, raw.header)
    if converted:
        remedy += f" {shown(converted[0])} is not read: {conversion(converted[1])}."
    elif near:
        remedy += f" Is it the one called {shown(others[near[0]])}?"
    return Problem(table.file, raw.header_row, name, "", "is missing from the header", remedy)


def conversion(unit: str) -> str:
    """Return how a number in a unit of time becomes months, such as "multiply years by 12"."""
    months = MONTHS_IN[unit]
    return f"multiply {unit} by {months:g}" if months > 1 else f"divide {unit} by {1 / months:.6g}"


def _cells(table: Table, header: tuple[str, ...], record: Record) -> tuple[dict[str, str], str]:
    cells: dict[str, str] = {}
    for name, cell in zip(header, record.cells, strict=False):
        if name:
            cells.setdefault(name, cell)
    return cells, ", ".join([cells[name] for name in table.subject if cells.get(name)])


def _read_cells(table: Table, cells: Mapping[str, str], values: dict[str, object]) -> dict[str, Fault]:
    """Put the parsed cells of one row into `values` and return the faults by column."""
    faults: dict[str, Fault] = {}
    read = set()
    for column in table.columns:
        written = written_as(column.name, cells)
        if written not in cells:
            continue
        read.add(written)
        result = _value(table, column, cells[written], CONVERTED.get(column.name, {}).get(written, 1.0))
        if isinstance(result, Fault):
            faults[column.name] = result
        else:
            values[column.name] = result
    if table.keeps_cells:
        kept = {name: placeholder(cell) or text(cell) for name, cell in cells.items() if cell and name not in read}
        faults |= {name: result for name, result in kept.items() if isinstance(result, Fault)}
    return faults


def _value(table: Table, column: Column, cell: str, factor: float) -> object:
    """The parsed cell in the unit of its column, or what is wrong with it."""
    if not cell and not column.filled:
        return column.empty
    named = column.filled or column.words
    result = (placeholder(cell, named=named) or column.parse(cell)) if cell else Fault("is empty", "")
    if not isinstance(result, Fault):
        return result if factor == 1.0 else column.parse(repr(result * factor))
    word = missing_word(cell)
    if column.filled and (word or not cell):
        allowed = column.parse("")
        parts = ("Fill the cell.", allowed.remedy if isinstance(allowed, Fault) else "", table.unknown)
        return Fault((word or result).rule, " ".join(part for part in parts if part))
    if column.unknown and endless(cell):
        return Fault(result.rule, f"Write a finite number. {column.unknown}")
    return Fault(word.rule, column.unknown or word.remedy) if word else result


def _torn_numbers(table: Table, raw: RawTable) -> Iterator[Problem]:
    """Yield a problem for each row whose empty last cell may come from a comma inside a number."""
    rows = [record for record in raw.records if not record.fault]
    if raw.separator != "," or all(record.surplus for record in rows):
        return
    for record in rows:
        torn = _joined(table, raw.header, record) if record.surplus else None
        if torn:
            rule = f"has {len(raw.header) + record.surplus} cells where the header has {raw.width}, the last one empty"
            remedy = f"Write {torn[1]} if {torn[0]} is one number, else delete the commas at the end of the row."
            yield Problem(table.file, record.row, "", "", rule, remedy, ", ".join(record.cells[:1]))


def _joined(table: Table, header: tuple[str, ...], record: Record) -> tuple[str, str] | None:
    """Two cells as written and as one number that leaves a valid row, None where there are none."""
    for place, (left, right) in enumerate(zip(record.cells, record.cells[1:], strict=False)):
        if not (_DIGITS.fullmatch(left) and right.isdecimal()):
            continue
        for number in (f"{left}.{right}", left + right) if len(right) == 3 else (f"{left}.{right}",):
            cells = (*record.cells[:place], number, *record.cells[place + 2 :], "")
            if not _read_cells(table, _cells(table, header, Record(record.row, cells))[0], {}):
                return f"{left},{right}", number
    return None
