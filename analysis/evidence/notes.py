"""Findings that are suspicious but not wrong: a reader should know them, an analysis may go on."""

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

from analysis.evidence.cells import LEAVE_EMPTY, as_seen, line, number, text, vague, word
from analysis.evidence.columns import CONVERTED, in_other_unit, meant_by, written_as
from analysis.evidence.conditions import condition
from analysis.evidence.drafts import Draft, Drafts, Rule, Tables, asked, decisions, each_row
from analysis.evidence.problems import Problem
from analysis.system.groups import grouped

UNREAD = "is not read"
FAR_OUT = "looks like a code for a missing value"
# No real table has more columns; a damaged one must not cost minutes in the search for similar names.
_HINT_LIMIT = 500
_LONG_MONTHS = 600.0
_NINES = re.compile(r"-?9{2,}(\.[09]*)?")
_BELOW = re.compile(r"-(1|7+|8+|9+)(\.0*)?")
_TWO_DIGITS = 10.0
_FEWEST = 3


def find_notes(tables: Tables, *, files: Iterable[str]) -> Iterator[Problem]:
    """Yield every note about evidence that has no problem; `files` are the names in its directory."""
    for name in sorted(set(files).difference(tables)):
        near = get_close_matches(name[:100].lower(), tables, n=1, cutoff=0.8)
        if near:
            yield Problem(name, None, "", "", "is not read", f"Rename it if {near[0]} is meant.")
    for drafts in tables.values():
        if drafts.header is not None:
            yield from _of_columns(drafts)
            yield from _surplus_cells(drafts)
            yield from _lookalikes(drafts)
            if not drafts.rows:
                yield drafts.problem("", "has a header but no rows", "Add rows or delete it.")
    for note in _NOTES:
        yield from note(tables)


def _of_columns(drafts: Drafts) -> Iterator[Problem]:
    columns = drafts.table.columns
    absent = [name for name in columns if name not in drafts.header]
    for name in drafts.header[:_HINT_LIMIT]:
        if near := "" if name in columns else meant_by(name, absent):
            yield drafts.problem(name, UNREAD, f"Rename it if {near} is meant.")
    for column in columns:
        written = written_as(column, drafts.header)
        for other, factor in CONVERTED.get(column, {}).items():
            if other == written:
                yield drafts.problem(other, f"is read as {column} after multiplication by {factor:.6g}",
                                     f"Rename it to {column} if it holds months already.")
            elif other in drafts.header:
                yield drafts.problem(other, f"is not read beside {written}", "Give the time at risk in one of them.")
        unread = None if column in CONVERTED else in_other_unit(column, drafts.header)
        if unread:
            yield drafts.problem(unread[0], "is not read", f"Give {column} instead: {unread[1]}.")


def _surplus_cells(drafts: Drafts) -> Iterator[Problem]:
    if drafts.surplus:
        first, later = drafts.surplus[0], len(drafts.surplus) - 1
        more = f", as {later} later rows have" if later else ""
        remedy = "Check that no comma inside a number, such as 39,5, has shifted the cells."
        yield Problem(drafts.table.file, first, "", "", f"has empty cells behind those of the header{more}", remedy)


def _lookalikes(drafts: Drafts) -> Iterator[Problem]:
    """Yield a note for each text that differs from an earlier one of its column in nothing that can be seen."""
    typed = {name for name, column in drafts.table.columns.items() if column.parse not in (text, line, word)}
    for column in dict.fromkeys(name for name in drafts.header if name and name not in typed):
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
                codes = ", ".join([f"U+{ord(c):04X}" for c in sorted(set(cell) ^ set(twin))][:5])
                difference = codes or "the order or number of its characters"
                yield row.problem(column, f"looks the same as in row {rows[twin].row} and differs in {difference}",
                                  "Type both the same way if they mean the same, else make them differ visibly.")


def _has_interval(row: Draft) -> bool:
    return row.has("ci_low") or row.has("ci_high")


def _absent_levels(tables: Tables) -> Iterator[Problem]:
    for drafts, level in ((tables["survival.csv"], "ci_level"), (tables["reported.csv"], "level")):
        if any(map(_has_interval, drafts.rows)) and level not in drafts.header:
            yield drafts.problem(level, "is absent, so every interval is read as 95 %", "Add it if a level differs.")


def _level_rules(level: str) -> tuple[Rule, ...]:
    return (
        Rule(level, "is empty beside an interval, which is read as 95 %", "Give the level.",
             lambda row: level in row.raw and row.lacks(level) and _has_interval(row)),
        Rule(level, "is given without an interval", "Give it or empty the level.",
             lambda row: row.has(level) and not _has_interval(row)))


def _cut_limits(row: Draft) -> Iterator[Problem]:
    highest = 1 if row["statistic"] == "landmark" else float("inf")
    for column in ("ci_low", "ci_high"):
        if row.has(column) and not 0 <= row[column] <= highest:
            border = "1" if row[column] > 1 else "0"
            yield row.problem(column, f"is read as {border}, where the interval was cut", f"Write {border}.")


def _not_reached(row: Draft) -> bool:
    return row["statistic"] == "median" and row.lacks("estimate", "person_months")


def _long(column: str) -> Rule:
    return Rule(column, f"is above {_LONG_MONTHS:g} months, 50 years", "Check that it is in months.",
                lambda row: row.has(column) and row[column] > _LONG_MONTHS)


_OF_SURVIVAL = (
    *_level_rules("ci_level"),
    Rule("ci_low", "is empty although the upper limit is said to be not reached",
         "Give the lower limit if it is known.",
         lambda row: row["upper_not_reached"] and row.lacks("ci_low") and row.has("estimate")),
    _cut_limits,
    Rule("events", "exceeds n = {n}, so patients are taken to have had several events",
         "Correct it where the event cannot recur.",
         lambda row: row.has("events", "person_months") and row["events"] > row["n"]),
    Rule("estimate", "is empty since the median was not reached: the row gives no log hazard and enters curves only",
         "Give survival at a time, or events and person_months, if they are known.", _not_reached),
    Rule("time_months", "is empty beside a median that was not reached", "Give the follow-up if it is known.",
         lambda row: _not_reached(row) and row.lacks("time_months")),
    _long("time_months"),
    _long("estimate"),
    Rule("person_months", f"is more than {_LONG_MONTHS:g} months, 50 years, for each of n = {{n}}",
         "Check that it is in months.",
         lambda row: row.has("person_months") and row["person_months"] > _LONG_MONTHS * row["n"]))
_DESIGN = Rule(
    "design", "is not read as retrospective, so the study counts", "Write retrospective alone to leave the study out.",
    lambda row: "retrospective" in row["design"].casefold() != "retrospective")


def _above_treated(tables: Tables) -> Iterator[Problem]:
    treated = {row["study_id"]: row["n_treated"] for row in tables["studies.csv"].rows if row.has("n_treated")}
    for row in decisions(tables):
        limit = treated.get(row["study_id"], float("inf"))
        if row.has("n") and row["n"] > limit:
            rule = f"exceeds the {limit} treated patients of the study"
            yield row.problem("n", rule, "Check whether other patients are counted in.")


def _totals(tables: Tables) -> Iterator[Problem]:
    """Yield a note for each count that is the sum of all others of its endpoint, two at least."""
    counts = [row for row in tables["responses.csv"].rows if row.has("endpoint", "events", "n")]
    for rows in grouped(counts, lambda row: row["endpoint"]).values():
        events, patients = (sum(row[column] for row in rows) for column in ("events", "n"))
        for row in rows if len(rows) >= _FEWEST else ():
            if 2 * row["events"] == events and 2 * row["n"] == patients:
                rule = f"and n = {row['n']} are the sums of all other rows of this endpoint, with which they are pooled"
                yield row.problem("events", rule, "Delete the row if it is their total.")


def _sentinels(tables: Tables) -> Iterator[Problem]:
    """Yield a note for each cell of a covariate that is written like a code and lies far from all that are not.

    Codes are numbers of nines and some negative ones. One counts where it is farther from the rest than these are from
    each other, or where it is -10 or less while the rest are not negative. Distance alone says nothing: many honest
    columns are skewed.
    """
    for column in sorted({row["column"] for row in tables["covariates.csv"].rows}):
        cells = [(row, number(row.raw[column])) for row in tables["studies.csv"].rows if row.raw.get(column)]
        codes = [(row, value) for row, value in cells
                 if _NINES.fullmatch(row.raw[column]) or _BELOW.fullmatch(row.raw[column])]
        rest = [value for row, value in cells if (row, value) not in codes]
        if not codes or len(rest) < _FEWEST:
            continue
        low, high = min(rest), max(rest)
        for row, value in codes:
            if max(low - value, value - high) > high - low or value <= -_TWO_DIGITS < 0.0 <= low:
                rule = f"{FAR_OUT}: the other cells of this covariate lie between {low:g} and {high:g}"
                yield row.problem(column, rule, "Leave the cell empty if the value is missing.")


def _subsets_without_studies(tables: Tables) -> Iterator[Problem]:
    rules = (row for row in tables["subsets.csv"].rows if row.has("column"))
    for together in grouped(rules, lambda row: row["subset"]).values():
        meeting = [_meeting(tables, row) for row in together]
        if all(meeting) and not frozenset.intersection(*meeting):
            lines = " and ".join(str(row.row) for row in together)
            rule = f"holds for no study, since no study meets rows {lines} together"
            yield together[0].problem("subset", rule, "Correct one; a subset of either needs a column that says so.")
        for row in (row for row, studies in zip(together, meeting, strict=True) if not studies):
            what = "the bound" if condition(row["value"]).comparisons else "the spelling"
            file = asked(tables, row["column"]).table.file
            yield row.problem("value", "holds for no study", f"Check {what} against {file}.")


def _meeting(tables: Tables, rule: Draft) -> frozenset[str]:
    """Studies of which a row of subsets.csv holds."""
    column, asks = rule["column"], condition(rule["value"])
    return frozenset(row.raw["study_id"] for row in asked(tables, column).rows if asks.holds(row.text(column)))


def _beside_patients(tables: Tables) -> Iterator[Problem]:
    """Yield a note for each printed row whose study and data cut have their patients one by one."""
    def cut(row: Draft) -> tuple[object, ...]:
        return row["study_id"], row["endpoint"], row["cut"] or "primary"

    first = {cut(row): row.row for row in reversed(tables["patients.csv"].rows)}
    for row in tables["survival.csv"].rows:
        if cut(row) in first:
            rule = f"is not used: the patients of this study and cut stand in patients.csv, from row {first[cut(row)]}"
            yield row.problem("statistic", rule, "Name another cut if other patients are meant.")


def _rising_survival(tables: Tables) -> Iterator[Problem]:
    """Yield a note for each point of a curve that has more survival than an earlier one of it."""
    def curve(row: Draft) -> tuple[object, ...]:
        return tuple(row[name] for name in ("study_id", "endpoint", "definition", "population", "stratum", "cut"))

    def point(row: Draft) -> tuple[float, float]:
        return (row["estimate"], 0.5) if row["statistic"] == "median" else (row["time_months"], row["estimate"])

    rows = [row for row in tables["survival.csv"].rows if row.has("estimate")
            and row.has("time_months") == (row["statistic"] == "landmark")]
    for of_curve in grouped(rows, curve).values():
        points = [(*point(row), row) for row in of_curve]
        for months, survival, row in points:
            before = next((other for other in points if other[0] < months and other[1] < survival), None)
            if before:
                earlier, less, other = before
                yield row.problem("estimate", f"puts survival at {100 * survival:.3g} % after {months:g} months, above "
                                  f"{100 * less:.3g} % after {earlier:g} months in row {other.row}",
                                  "A curve cannot rise: correct one of them, or name another definition, population, "
                                  "stratum or cut.")


def _left_out_studies(tables: Tables) -> Iterator[Problem]:
    deciding = {row["study_id"] for row in decisions(tables)}
    for row in tables["studies.csv"].rows:
        if row["design"].casefold() == "retrospective" and row["study_id"] in deciding:
            yield row.problem("design", "leaves the study out", "Ask with --retrospective to count it.")


def _words_for_missing(tables: Tables) -> Iterator[Problem]:
    rules = [(row["column"], row["value"]) for row in tables["subsets.csv"].rows if row.has("column")]
    for study in tables["studies.csv"].rows:
        for column in dict.fromkeys(column for column, _ in rules):
            cell = study.raw.get(column, "")
            if vague(cell) and (column, cell) not in rules:
                yield study.problem(column, "is read as a text and so outside of a subset, not as missing", LEAVE_EMPTY)


_NOTES: tuple[Callable[[Tables], Iterator[Problem]], ...] = (
    _absent_levels, each_row("survival.csv", *_OF_SURVIVAL), each_row("reported.csv", *_level_rules("level")),
    _above_treated, _totals, _beside_patients, _rising_survival, _sentinels, _subsets_without_studies,
    _left_out_studies, each_row("studies.csv", _DESIGN), _words_for_missing)
