"""Findings that are suspicious but not wrong: a reader should know them, an analysis may go on."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.problems import Problem
from analysis.evidence.tables import TABLES

# No real table has more columns; a damaged one must not cost minutes in the search for similar names.
_HINT_LIMIT = 500


def find_notes(tables: Mapping[str, Drafts], *, found_files: Iterable[str]) -> Iterator[Problem]:
    """Yield every note about the evidence.

    Parameters
    ----------
    tables : mapping of str to Drafts
        All tables by file name.
    found_files : iterable of str
        Names in the evidence directory.
    """
    yield from _unread_files(found_files)
    for drafts in tables.values():
        if drafts.header is not None:
            yield from _unread_columns(drafts)
            if not drafts.rows:
                rule = "has a header but no rows"
                yield Problem(drafts.table.file, drafts.header_row, "", "", rule, "Add rows or delete it.")
    for file, level in (("survival.csv", "ci_level"), ("reported.csv", "level")):
        yield from _levels(tables[file], level)
    yield from _above_treated(tables)
    yield from _subsets_without_studies(tables)
    yield from _retrospective_studies(tables)


def _unread_files(found_files: Iterable[str]) -> Iterator[Problem]:
    known = [table.file for table in TABLES]
    for name in sorted(set(found_files) - set(known)):
        near = get_close_matches(name[:100].lower(), known, n=1, cutoff=0.8)
        if near:
            yield Problem(name, None, "", "", "is not read", f"Rename it if {near[0]} is meant.")


def _unread_columns(drafts: Drafts) -> Iterator[Problem]:
    known = [column.name for column in drafts.table.columns]
    absent = [name for name in known if name not in drafts.header]
    for name in drafts.header[:_HINT_LIMIT]:
        near = [] if name in known else get_close_matches(name[:100].lower(), absent, n=1, cutoff=0.75)
        if near:
            yield Problem(
                drafts.table.file,
                drafts.header_row,
                name,
                "",
                "is not read",
                f"Rename it if {near[0]} is meant.",
            )


def _levels(drafts: Drafts, level: str) -> Iterator[Problem]:
    printed = [row for row in drafts.rows if row.has("ci_low") or row.has("ci_high")]
    if printed and level not in drafts.header:
        rule = "is absent, so every interval is read as 95 %"
        yield Problem(drafts.table.file, drafts.header_row, level, "", rule, "Add it if a level differs.")
        return
    for row in printed:
        if row.lacks(level):
            yield row.problem(level, "is empty beside an interval, which is read as 95 %", "Give the level.")
    for row in drafts.rows:
        if row.has(level) and row.lacks("ci_low") and row.lacks("ci_high"):
            yield row.problem(level, "is given without an interval", "Give it or empty the level.")
        if row.values.get("upper_not_reached") is True and row.lacks("ci_low"):
            yield row.problem(
                "ci_low",
                "is empty although the upper limit is said to be not reached",
                "Give the lower limit if it is known.",
            )


def _above_treated(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    treated = {
        row.raw.get("study_id"): row.values["n_treated"]
        for row in tables["studies.csv"].rows
        if row.has("n_treated")
    }
    for file in ("responses.csv", "survival.csv"):
        for row in tables[file].rows:
            limit = treated.get(row.values.get("study_id"))
            if limit is not None and row.has("n") and row.values["n"] > limit:
                yield row.problem(
                    "n",
                    f"exceeds the {limit} treated patients of the study",
                    "Check whether other patients are counted in.",
                )


def _retrospective_studies(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    deciding = {row.values.get("study_id") for file in ("responses.csv", "survival.csv") for row in tables[file].rows}
    for row in tables["studies.csv"].rows:
        design = str(row.values.get("design") or "").casefold()
        if design == "retrospective" and row.values.get("study_id") in deciding:
            yield row.problem("design", "leaves the study out", "Ask with --retrospective to count it.")
        elif "retrospective" in design and design != "retrospective":
            remedy = "Write retrospective alone to leave the study out."
            yield row.problem("design", "is not read as retrospective, so the study counts", remedy)


def _subsets_without_studies(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    for row in tables["subsets.csv"].rows:
        if row.has("column") and not _matched(row, tables["studies.csv"]):
            yield row.problem("value", "holds for no study", "Check the spelling against studies.csv.")


def _matched(row: Draft, studies: Drafts) -> bool:
    column, value = row.values["column"], row.values.get("value", "")
    return any(study.raw.get(column) == value for study in studies.rows)
