"""Rules between rows: nothing stands twice, and every id that is used is defined."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.problems import Problem, shown

# A search for similar ids among thousands takes tens of milliseconds; a few examples show what went wrong.
_SUGGESTION_LIMIT = 50
_LONGEST_COMPARED = 100


def repeated_rows(drafts: Drafts) -> Iterator[Problem]:
    """Yield a problem for each row that repeats a combination of cells that may stand only once.

    Parameters
    ----------
    drafts : Drafts
        One table.
    """
    seen: dict[tuple[object, ...], Draft] = {}
    for row in drafts.rows:
        for columns, remedy in drafts.table.unique:
            if not row.bad.isdisjoint(columns):
                continue
            key = (columns, *(row.values.get(column) for column in columns))
            first = seen.setdefault(key, row)
            if first is not row:
                rule = f"repeats row {first.row} in {', '.join(columns)}"
                yield row.problem(columns[0], rule, _apart(first, row, columns[0], remedy))
                break


def _apart(first: Draft, row: Draft, column: str, remedy: str) -> str:
    """How two rows are told apart, so that nobody deletes one that is right."""
    if first.raw == row.raw:
        return "Delete one of the two rows, which are the same."
    name = row.raw.get(column, "")
    joint = "" if name[-1:].isdigit() or " " in name else "_"
    names = {"first": shown(f"{name}{joint}a"), "second": shown(f"{name}{joint}b")}
    return remedy.format(**names)


def unknown_ids(drafts: Drafts, tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    """Yield a problem for each id that the table it points to does not hold.

    A table that is absent or could not be read is not held against the rows that point to it.

    Parameters
    ----------
    drafts : Drafts
        One table.
    tables : mapping of str to Drafts
        All tables by file name.
    """
    for column, target in drafts.table.references:
        key = tables[target].table.columns[0].name
        known = tables[target].known(key)
        if known is not None:
            yield from _outside(drafts, column, known, f"is not in {target}")


def unknown_columns(drafts: Drafts, tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    """Yield a problem for each row that names a column which studies.csv does not have.

    Parameters
    ----------
    drafts : Drafts
        A table with a column called `column`.
    tables : mapping of str to Drafts
        All tables by file name.
    """
    header = tables["studies.csv"].header
    if header is not None:
        yield from _outside(drafts, "column", frozenset(header), "is no column of studies.csv")


def unknown_subsets(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    """Yield a problem for each published number whose subset is not defined.

    Parameters
    ----------
    tables : mapping of str to Drafts
        All tables by file name.
    """
    known = tables["subsets.csv"].known("subset")
    if known is not None:
        yield from _outside(tables["reported.csv"], "subset", known | {"all"}, "is not in subsets.csv")


def overlaps_with_itself(studies: Drafts) -> Iterator[Problem]:
    """Yield a problem for each study that shares patients with itself."""
    for row in studies.rows if "overlaps_with" in (studies.header or ()) else ():
        if row.has("study_id") and row.values["study_id"] in _ids(row, "overlaps_with"):
            yield row.problem("overlaps_with", "names the study itself", "Name the other study.")


def _outside(drafts: Drafts, column: str, known: frozenset[str], predicate: str) -> Iterator[Problem]:
    hints: dict[str, str] = {}
    for row in drafts.rows:
        for name in _ids(row, column):
            if name in known:
                continue
            if name not in hints:
                hints[name] = _hint(name, known) if len(hints) < _SUGGESTION_LIMIT else ""
            remedy = f"{hints[name]} Else add it there." if hints[name] else "Add it there or correct it here."
            rule = predicate if name == row.raw.get(column) else f"holds {shown(name)}, which {predicate}"
            yield row.problem(column, rule, remedy)


def _ids(row: Draft, column: str) -> tuple[str, ...]:
    if not row.has(column):
        return ()
    value = row.values[column]
    return value if isinstance(value, tuple) else (value,)


def _hint(name: str, known: frozenset[str]) -> str:
    if len(name) > _LONGEST_COMPARED:
        return ""
    near = get_close_matches(name, sorted(other for other in known if len(other) <= _LONGEST_COMPARED), n=1)
    return f"Did you mean {shown(near[0])}?" if near else ""
