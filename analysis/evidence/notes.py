"""Findings that are suspicious but not wrong: a reader should know them, an analysis may go on."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from analysis.evidence.conditions import Condition, condition
from analysis.evidence.drafts import Draft, Drafts, conversion, written_as
from analysis.evidence.lookalikes import lookalikes
from analysis.evidence.placeholders import LEAVE_EMPTY, vague
from analysis.evidence.problems import Problem
from analysis.evidence.rules import median_not_reached
from analysis.evidence.schema import CONVERTED, in_other_unit
from analysis.evidence.sentinels import sentinel_notes
from analysis.evidence.tables import TABLES

# No real table has more columns; a damaged one must not cost minutes in the search for similar names.
_HINT_LIMIT = 500
_LONG_MONTHS = 600.0


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
            yield from _converted_columns(drafts)
            yield from _surplus_cells(drafts)
            yield from lookalikes(drafts)
            if not drafts.rows:
                rule = "has a header but no rows"
                yield Problem(drafts.table.file, drafts.header_row, "", "", rule, "Add rows or delete it.")
    for file, level in (("survival.csv", "ci_level"), ("reported.csv", "level")):
        yield from _levels(tables[file], level)
    yield from _cut_limits(tables["survival.csv"])
    yield from _recurrent(tables["survival.csv"])
    yield from _above_treated(tables)
    yield from _medians_not_reached(tables["survival.csv"])
    yield from _long_times(tables["survival.csv"])
    yield from sentinel_notes(tables)
    yield from _subsets_without_studies(tables)
    yield from _retrospective_studies(tables)
    yield from _words_for_missing(tables)


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


def _converted_columns(drafts: Drafts) -> Iterator[Problem]:
    known = [column.name for column in drafts.table.columns]
    for column in known:
        for other in (name for name in CONVERTED.get(column, ()) if name in drafts.header):
            written = written_as(column, drafts.header)
            rule, remedy = f"is not read beside {written}", "Give the time at risk in one of them."
            if written == other:
                factor = CONVERTED[column][other]
                rule = f"is read as {column} after multiplication by {factor:.6g}"
                remedy = f"Rename it to {column} if it holds months already."
            yield Problem(drafts.table.file, drafts.header_row, other, "", rule, remedy)
        unread = None if column in CONVERTED else in_other_unit(column, drafts.header)
        if unread:
            remedy = f"Give {column} instead: {conversion(unread[1])}."
            yield Problem(drafts.table.file, drafts.header_row, unread[0], "", "is not read", remedy)


def _surplus_cells(drafts: Drafts) -> Iterator[Problem]:
    if drafts.surplus:
        count = len(drafts.surplus)
        rule = f"has empty cells behind those of the header, as {count - 1} later rows have" if count > 1 else (
            "has empty cells behind those of the header")
        remedy = "Check that no comma inside a number, such as 39,5, has shifted the cells."
        yield Problem(drafts.table.file, drafts.surplus[0], "", "", rule, remedy)


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
        if row.values.get("upper_not_reached") is True and row.lacks("ci_low") and row.has("estimate"):
            yield row.problem(
                "ci_low",
                "is empty although the upper limit is said to be not reached",
                "Give the lower limit if it is known.",
            )


def _cut_limits(drafts: Drafts) -> Iterator[Problem]:
    for row in drafts.rows:
        landmark = row.values.get("statistic") == "landmark"
        for column in ("ci_low", "ci_high"):
            value = row.values[column] if row.has(column) else 0
            if value < 0 or (landmark and value > 1):
                border = "1" if value > 1 else "0"
                yield row.problem(column, f"is read as {border}, where the interval was cut", f"Write {border}.")


def _recurrent(drafts: Drafts) -> Iterator[Problem]:
    for row in drafts.rows:
        if row.has("events", "person_months", "n") and row.values["events"] > row.values["n"]:
            rule = f"exceeds n = {row.values['n']}, so patients are taken to have had several events"
            yield row.problem("events", rule, "Correct it where the event cannot recur.")


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


def _medians_not_reached(survival: Drafts) -> Iterator[Problem]:
    for row in survival.rows:
        if median_not_reached(row) and row.lacks("person_months"):
            rule = "is empty since the median was not reached: the row gives no log hazard and is left out"
            remedy = "Give survival at a time, or events and person_months, if they are known."
            yield row.problem("estimate", rule, remedy)
            if row.lacks("time_months"):
                rule = "is empty beside a median that was not reached"
                yield row.problem("time_months", rule, "Give the follow-up if it is known.")


def _long_times(survival: Drafts) -> Iterator[Problem]:
    for row in survival.rows:
        columns = ["time_months", *(["estimate"] if row.values["statistic"] == "median" else [])]
        for column in columns:
            if row.has(column) and row.values[column] > _LONG_MONTHS:
                yield row.problem(column, f"is above {_LONG_MONTHS:g} months, 50 years", "Check that it is in months.")
        if row.has("person_months", "n") and row.values["person_months"] > _LONG_MONTHS * row.values["n"]:
            rule = f"is more than {_LONG_MONTHS:g} months, 50 years, for each of n = {row.values['n']}"
            yield row.problem("person_months", rule, "Check that it is in months.")


def _subsets_without_studies(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    together: dict[object, list[tuple[Draft, frozenset[int]]]] = {}
    for row in tables["subsets.csv"].rows:
        wanted = condition(row.values["value"]) if row.has("column") else None
        if not isinstance(wanted, Condition):
            continue
        cells = ((study.row, study.raw.get(row.values["column"], "")) for study in tables["studies.csv"].rows)
        studies = frozenset(line for line, cell in cells if wanted.holds(cell))
        together.setdefault(row.values["subset"], []).append((row, studies))
        if not studies:
            what = "the bound" if wanted.comparisons else "the spelling"
            yield row.problem("value", "holds for no study", f"Check {what} against studies.csv.")
    for rows in together.values():
        if all(studies for _, studies in rows) and not frozenset.intersection(*(studies for _, studies in rows)):
            lines = " and ".join(str(row.row) for row, _ in rows)
            rule = f"holds for no study, since no study meets rows {lines} together"
            yield rows[0][0].problem("subset", rule, "Correct one; a subset of either needs a column that says so.")


def _words_for_missing(tables: Mapping[str, Drafts]) -> Iterator[Problem]:
    rules = [(row.values["column"], row.values["value"]) for row in tables["subsets.csv"].rows if row.has("column")]
    for study in tables["studies.csv"].rows:
        for column in dict.fromkeys(column for column, _ in rules):
            cell = study.raw.get(column, "")
            if vague(cell) and (column, cell) not in rules:
                yield study.problem(column, "is read as a text and so outside of a subset, not as missing", LEAVE_EMPTY)
