"""Rows on their way from text to types: values where cells could be read, and memory of which could not."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from analysis.evidence.cells import placeholder, text
from analysis.evidence.numerals import Fault
from analysis.evidence.problems import Problem, shown
from analysis.evidence.reading import RawTable, Record
from analysis.evidence.schema import Column, Table

# No real table has more columns; a damaged one must not cost minutes in the search for similar names.
_HINT_LIMIT = 500
_NOTHING = (None, "", ())


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
    """

    table: Table
    header: tuple[str, ...] | None = None
    header_row: int = 1
    rows: tuple[Draft, ...] = ()

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
    present = tuple(column for column in table.columns if column.name in raw.header)
    empties = {column.name: column.empty for column in table.columns}
    drafts = []
    for record in raw.records:
        cells, subject = _cells(table, raw.header, record)
        values, faults = dict(empties), {}
        if record.fault or len(record.cells) != len(raw.header):
            bad = frozenset(empties)
        else:
            faults = _read_cells(table, present, cells, values)
            bad = absent.union(faults) if faults else absent
        drafts.append(Draft(table.file, record.row, subject, cells, values, bad))
        problems += [drafts[-1].problem(name, fault.rule, fault.remedy) for name, fault in faults.items()]
    return Drafts(table, raw.header, raw.header_row, tuple(drafts)), problems


def _missing_column(table: Table, raw: RawTable, name: str) -> Problem:
    remedy = f"Add the column; {table.file} needs {', '.join(table.required)}."
    others = {other[:100].lower(): other for other in raw.header[:_HINT_LIMIT] if other not in table.required}
    near = get_close_matches(name, others, n=1)
    if near:
        remedy += f" Is it the one called {shown(others[near[0]])}?"
    return Problem(table.file, raw.header_row, name, "", "is missing from the header", remedy)


def _cells(table: Table, header: tuple[str, ...], record: Record) -> tuple[dict[str, str], str]:
    cells: dict[str, str] = {}
    for name, cell in zip(header, record.cells, strict=False):
        cells.setdefault(name, cell)
    return cells, ", ".join([cells[name] for name in table.subject if cells.get(name)])


def _read_cells(
    table: Table, columns: tuple[Column, ...], cells: Mapping[str, str], values: dict[str, object]
) -> dict[str, Fault]:
    """Put the parsed cells of one row into `values` and return the faults by column."""
    faults: dict[str, Fault] = {}
    for column in columns:
        cell = cells[column.name]
        if cell:
            result = placeholder(cell) or column.parse(cell)
        else:
            result = Fault("is empty", "Fill the cell.") if column.filled else column.empty
        if isinstance(result, Fault):
            faults[column.name] = result
        else:
            values[column.name] = result
    if table.keeps_cells:
        known = values.keys() | faults.keys()
        kept = {name: placeholder(cell) or text(cell) for name, cell in cells.items() if name not in known}
        faults |= {name: result for name, result in kept.items() if isinstance(result, Fault)}
    return faults
