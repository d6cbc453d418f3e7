"""Rows on their way from text to types: values where cells could be read, and memory of which could not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from analysis.evidence.columns import Table, written_as
from analysis.evidence.problems import Problem

_NOTHING = (None, "", ())


@dataclass(frozen=True, slots=True)
class Draft:
    """One row while it is checked; `row[column]` is the parsed cell, None where it must not be judged.

    `raw` holds the cells as text, `values` the parsed ones of known columns, and `bad` the columns that must not be
    judged, because the cell is faulty or its column is missing.
    """

    file: str
    row: int
    subject: str
    raw: Mapping[str, str]
    values: Mapping[str, object]
    bad: frozenset[str]

    def __getitem__(self, column: str) -> object:
        return None if column in self.bad else self.values.get(column)

    def has(self, *columns: str) -> bool:
        """Return whether every given column was read and is filled."""
        return all(self[column] not in _NOTHING for column in columns)

    def text(self, column: str) -> str:
        """Return the cell as a subset is held against it: flags and known words in the letters of their column."""
        value = self[column]
        flag = str(value).lower() if isinstance(value, bool) else value
        return flag if isinstance(flag, str) and flag else self.raw.get(column, "")

    def lacks(self, *columns: str) -> bool:
        """Return whether every given column is empty or absent, as opposed to filled or faulty."""
        return self.bad.isdisjoint(columns) and not any(map(self.has, columns))

    def problem(self, column: str, rule: str, remedy: str) -> Problem:
        """Return a problem with one cell of this row; the facts of the row are added to the remedy."""
        facts = f" Facts {' '.join(self['fact_ids'])}." if self.has("fact_ids") else ""
        column = written_as(column, self.raw)
        return Problem(self.file, self.row, column, self.raw.get(column, ""), rule, remedy + facts, self.subject)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one row may not say: where it is `broken`, its `column` has a problem; `{n}` in `rule` stands for a cell."""

    column: str
    rule: str
    remedy: str
    broken: Callable[[Draft], bool]

    def __call__(self, row: Draft) -> Iterator[Problem]:
        """Yield the problem of a row that breaks the rule."""
        if self.broken(row):
            yield row.problem(self.column, self.rule.format_map(row), self.remedy)


@dataclass(frozen=True, slots=True)
class Drafts:
    """All rows of one table while they are checked; the header is None when the file is absent or unreadable.

    `surplus` are the lines of rows with more cells than the header, the last ones empty.
    """

    table: Table
    header: tuple[str, ...] | None = None
    header_row: int = 1
    rows: tuple[Draft, ...] = ()
    surplus: tuple[int, ...] = ()

    def problem(self, column: str, rule: str, remedy: str) -> Problem:
        """Return a problem with a column, or with the whole table where none is named."""
        return Problem(self.table.file, self.header_row, column, "", rule, remedy)


RowRule = Callable[[Draft], Iterator[Problem]]
Tables = Mapping[str, Drafts]
"""All tables by file name, without header and rows where the file is absent or unreadable."""


def each_row(file: str, *rules: RowRule) -> Callable[[Tables], Iterator[Problem]]:
    """Return a function of all tables that yields what the rows of one break, rule by rule."""
    return lambda tables: (problem for rule in rules for row in tables[file].rows for problem in rule(row))


def asked(tables: Tables, column: str) -> Drafts:
    """Return the table of the cells that a subset asks about: survival.csv for a column that studies.csv lacks."""
    studies, survival = tables["studies.csv"], tables["survival.csv"]
    return survival if column in (survival.header or ()) and column not in (studies.header or ()) else studies


def decisions(tables: Tables) -> Iterator[Draft]:
    """Yield the rows that say what a study found, those of single patients included."""
    for file in ("responses.csv", "survival.csv", "patients.csv"):
        yield from tables[file].rows
