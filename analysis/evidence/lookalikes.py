"""Texts of one column that a reader cannot tell apart, though the program does."""

from collections.abc import Iterator

from analysis.evidence.cells import as_seen, label, text, word
from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.problems import Problem

_REMEDY = "Type both the same way if they mean the same, else make them differ visibly."


def lookalikes(drafts: Drafts) -> Iterator[Problem]:
    """Yield a note for each text that differs from an earlier one of its column in nothing that can be seen.

    Parameters
    ----------
    drafts : Drafts
        One table.
    """
    typed = {column.name for column in drafts.table.columns if column.parse not in (text, label, word)}
    for column in dict.fromkeys(name for name in drafts.header or () if name and name not in typed):
        rows: dict[str, Draft] = {}
        for row in drafts.rows:
            if row.raw.get(column):
                rows.setdefault(row.raw[column], row)
        if all(cell.isascii() and "  " not in cell for cell in rows):
            continue
        seen: dict[str, str] = {}
        for cell, row in rows.items():
            twin = seen.setdefault(as_seen(cell), cell)
            if twin != cell:
                rule = f"looks the same as in row {rows[twin].row} and differs in {_difference(cell, twin)}"
                yield row.problem(column, rule, _REMEDY)


def _difference(cell: str, twin: str) -> str:
    codes = [f"U+{ord(c):04X}" for c in sorted(set(cell) ^ set(twin))]
    return ", ".join(codes[:5]) or "the order or number of its characters"
