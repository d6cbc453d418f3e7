"""Rules between rows and tables: nothing stands twice, every id is defined, and what belongs together agrees.

Columns of studies.csv that covariates.csv names hold numbers within bounds, a sensible step apart.
"""

import math
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from analysis.evidence.cells import Fault, number
from analysis.evidence.columns import ASKED, HEADER
from analysis.evidence.conditions import Condition, condition
from analysis.evidence.drafts import Draft, Drafts, Tables, asked, decisions
from analysis.evidence.problems import Problem, shown
from analysis.evidence.types import HANDLING
from analysis.system.groups import grouped

# A search for similar ids among thousands takes tens of milliseconds; a few examples show what went wrong.
_SUGGESTION_LIMIT = 50
_LONGEST_COMPARED = 100
# Names that need no row.
_EVERYTHING = {"subsets.csv": {"all"}}
_LARGEST, _SMALLEST = 1e15, 1e-30
_MOST_STEPS = 1e6
_SHOWN = 4


def relation_problems(tables: Tables) -> Iterator[Problem]:
    """Yield every problem that no single row shows."""
    for drafts in tables.values():
        yield from _repeated_rows(drafts)
    for target in (*tables, HEADER, ASKED):
        yield from _unknown_names(tables, target)
    for rule in _RULES:
        yield from rule(tables)


def _repeated_rows(drafts: Drafts) -> Iterator[Problem]:
    seen: dict[tuple[object, ...], Draft] = {}
    for row in drafts.rows:
        for columns, remedy in drafts.table.unique.items():
            if not row.bad.isdisjoint(columns):
                continue
            first = seen.setdefault((columns, *(row[column] for column in columns)), row)
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
    return remedy.format(first=shown(f"{name}{joint}a"), second=shown(f"{name}{joint}b"))


def _unknown_names(tables: Tables, target: str) -> Iterator[Problem]:
    """Yield a problem for each name that the table it refers to does not hold; an unreadable table may hold any."""
    known = _known_names(tables, target)
    predicate = "is no column of studies.csv" if target in (HEADER, ASKED) else f"is not in {target}"
    for drafts in tables.values() if known is not None else ():
        for column in (name for name, column in drafts.table.columns.items() if column.refers == target):
            unknown = [(row, name) for row in drafts.rows for name in _ids(row, column) if name not in known]
            similar = _similar([name for _, name in unknown], known)
            for row, name in unknown:
                rule = predicate if name == row.raw.get(column) else f"holds {shown(name)}, which {predicate}"
                yield row.problem(column, rule, similar.get(name, "Add it there or correct it here."))


def _known_names(tables: Tables, target: str) -> frozenset[str] | None:
    """Every name that may be referred to, those of faulty rows included; None when they cannot be known."""
    drafts = tables["studies.csv" if target in (HEADER, ASKED) else target]
    key = next(iter(drafts.table.columns))
    if target in (HEADER, ASKED):
        of_rows = HANDLING.intersection(tables["survival.csv"].header or ()) if target == ASKED else frozenset()
        return None if drafts.header is None else frozenset(drafts.header) | of_rows
    if key not in (drafts.header or ()):
        return None
    return frozenset(row.raw[key] for row in drafts.rows if row.raw.get(key)) | _EVERYTHING.get(target, set())


def _similar(names: list[str], known: frozenset[str]) -> dict[str, str]:
    """What to do about names that resemble known ones."""
    comparable = sorted(name for name in known if len(name) <= _LONGEST_COMPARED)
    remedies = {}
    for name in list(dict.fromkeys(names))[:_SUGGESTION_LIMIT]:
        near = get_close_matches(name, comparable, n=1) if len(name) <= _LONGEST_COMPARED else ()
        if near:
            remedies[name] = f"Did you mean {shown(near[0])}? Else add it there."
    return remedies


def _ids(row: Draft, column: str) -> tuple[str, ...]:
    value = row[column] or ()
    return value if isinstance(value, tuple) else (value,)


def _overlaps_with_itself(tables: Tables) -> Iterator[Problem]:
    for row in tables["studies.csv"].rows:
        if row.has("study_id") and row["study_id"] in _ids(row, "overlaps_with"):
            yield row.problem("overlaps_with", "names the study itself", "Name the other study.")


def _unplaced_studies(tables: Tables) -> Iterator[Problem]:
    studies = tables["studies.csv"].rows
    for row in studies if any(row.has("in_review") for row in studies) else ():
        if row.lacks("in_review"):
            rule = "is empty while other studies are placed, so it would count in the review and in the later set"
            yield row.problem("in_review", rule, "Write true for a study of the review, else false.")


def _kinds(tables: Tables) -> dict[str | None, str]:
    return {row.raw.get("endpoint"): row["kind"] for row in tables["endpoints.csv"].rows if row.has("kind")}


def _wrong_kinds(tables: Tables) -> Iterator[Problem]:
    kinds = _kinds(tables)
    for row in decisions(tables):
        wanted, other = ("rate", "survival.csv") if row.file == "responses.csv" else ("survival", "responses.csv")
        kind = kinds.get(row["endpoint"], wanted)
        if kind != wanted:
            remedy = f"Move the row to {other} or correct the kind in endpoints.csv."
            yield row.problem("endpoint", f"is a {kind} endpoint", remedy)


def _parents_of_another_kind(tables: Tables) -> Iterator[Problem]:
    kinds = _kinds(tables)
    for row in tables["endpoints.csv"].rows:
        kind = kinds.get(row["parent"], row["kind"]) if row.has("parent", "kind") else row["kind"]
        if kind != row["kind"]:
            remedy = f"Name a {row['kind']} endpoint that contains it, or leave it empty."
            yield row.problem("parent", f"is a {kind} endpoint, and a {row['kind']} is no part of it", remedy)


def _ancestors(tables: Tables) -> dict[str, list[str]]:
    """The endpoints that contain each one, directly or through others, which in a circle are also its own."""
    rows = tables["endpoints.csv"].rows
    parents = {row.raw["endpoint"]: row["parent"] for row in rows if row.has("parent") and row.raw.get("endpoint")}
    ancestors: dict[str, list[str]] = {}
    for name in parents:
        above = parents[name]
        ancestors[name] = []
        while above is not None and above not in ancestors[name]:
            ancestors[name].append(above)
            above = parents.get(above)
    return ancestors


def _circular_parents(tables: Tables) -> Iterator[Problem]:
    circular = {name for name, ancestors in _ancestors(tables).items() if name in ancestors}
    for row in tables["endpoints.csv"].rows:
        if row.has("parent") and row.raw.get("endpoint") in circular:
            yield row.problem("parent", "leads back to the endpoint itself", "Name the endpoint that contains it.")


def _children_above_parents(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each count above that of a containing endpoint in the same patients of a study."""
    ancestors = _ancestors(tables)
    rows = [row for row in tables["responses.csv"].rows if row.has("study_id", "endpoint", "events", "n")]
    counts = grouped(rows, lambda row: (row["study_id"], row["endpoint"], row["n"]))
    for row in rows:
        above = ancestors.get(row["endpoint"], [])
        # In a circle of parents nothing is contained in anything.
        for ancestor in () if row["endpoint"] in above else above:
            for whole in counts.get((row["study_id"], ancestor, row["n"]), ()):
                if row["events"] > whole["events"]:
                    rule = f"exceeds the {whole['events']} of {ancestor} in row {whole.row}, which contains it"
                    yield row.problem("events", rule, "Correct one of the counts or its n.")


def _facts_of_other_studies(tables: Tables) -> Iterator[Problem]:
    facts = tables["extraction.csv"].rows
    owners = {fact.raw.get("fact_id"): fact["study_id"] for fact in facts if fact.has("study_id")}
    for row in decisions(tables):
        study = row["study_id"]
        for fact in _ids(row, "fact_ids") if row.has("study_id") else ():
            if owners.get(fact, study) != study:
                yield row.problem("fact_ids", f"holds {fact}, a fact about {owners[fact]}", "Cite facts of this study.")


def _decisions_without_support(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each decision without a fact, or without a tier, where others of the evidence have them.

    Facts are asked for where extraction.csv has rows and a decision cites one, tiers where besides a row has one.
    """
    rows = list(decisions(tables))
    if not tables["extraction.csv"].rows or not any(row.has("fact_ids") for row in rows):
        return
    for drafts in (tables["responses.csv"], tables["survival.csv"]):
        remedy = "Cite the facts that carry the number; add them to extraction.csv if it lacks them."
        yield from _empty_in(drafts, "fact_ids", "though every decision rests on facts of extraction.csv", remedy)
        if any(row.has("tier") for row in rows):
            yield from _empty_in(drafts, "tier", "though other decisions have one", "Write A, B or C.")
        for row in drafts.rows:
            cited = _ids(row, "fact_ids")
            twice = next((fact for place, fact in enumerate(cited) if fact in cited[:place]), None)
            if twice:
                yield row.problem("fact_ids", f"holds {shown(twice)} twice", "Cite it once.")


def _empty_in(drafts: Drafts, column: str, reason: str, remedy: str) -> Iterator[Problem]:
    if drafts.rows and column not in drafts.header:
        yield drafts.problem(column, f"is missing from the header, {reason}", f"Add the column. {remedy}")
    else:
        yield from (row.problem(column, f"is empty, {reason}", remedy) for row in drafts.rows if row.lacks(column))


def _comparisons_without_numbers(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each subset that compares a column which holds words."""
    for row in tables["subsets.csv"].rows:
        asks = condition(row["value"]) if row.has("column", "value") else None
        if not isinstance(asks, Condition) or not asks.comparisons:
            continue
        column, table = row["column"], asked(tables, row["column"])
        words = next((line for line in table.rows if isinstance(number(line.raw.get(column) or "0"), Fault)), None)
        if words:
            rule = (f"compares {shown(column)}, but row {words.row} of {table.table.file} holds "
                    f"{shown(words.raw[column])}")
            yield row.problem("value", rule, "Name a column of numbers, or the text that a study must have.")


def _alike(
    file: str, together: tuple[str, ...], columns: tuple[str, ...], remedy: str,
) -> Callable[[Tables], Iterator[Problem]]:
    """A rule that the rows of a table which have the cells `together` in common have the same ones in `columns`."""

    def torn(tables: Tables) -> Iterator[Problem]:
        leaders: dict[tuple[object, ...], Draft] = {}
        for row in tables[file].rows:
            if row.bad.isdisjoint(together):
                leader = leaders.setdefault(tuple(row[name] for name in together), row)
                for column in columns:
                    if column not in row.bad | leader.bad and row[column] != leader[column]:
                        same = " and ".join(name.removesuffix("_id") for name in together[-2:])
                        yield row.problem(column, f"differs from row {leader.row} of the same {same}", remedy)

    return torn


def _covariate_cells(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each column of words, each cell that is not the number its covariate needs, and odd steps."""
    named = (covariate for covariate in tables["covariates.csv"].rows if covariate.has("column"))
    for column, covariates in grouped(named, lambda covariate: covariate["column"]).items():
        cells = [(study, number(study.raw[column])) for study in tables["studies.csv"].rows
                 if study.raw.get(column) and column not in study.bad]
        words = [study.raw[column] for study, value in cells
                 if isinstance(value, Fault) and not any(map(str.isdigit, study.raw[column]))]
        if 2 * len(words) > len(cells):
            yield _of_words(covariates[0], words)
            continue
        for study, value in cells:
            if isinstance(value, Fault):
                yield study.problem(column, f"{value.rule}, as covariates.csv needs", value.remedy)
            else:
                yield from _out_of_bounds(study, column, value, covariates)
        values = [value for _, value in cells if not isinstance(value, Fault) and abs(value) <= _LARGEST]
        for covariate in covariates:
            yield from _steps_apart(covariate, values)


def _of_words(covariate: Draft, words: list[str]) -> Problem:
    levels = list(dict.fromkeys(words))
    listed = ", ".join(map(shown, levels[:_SHOWN])) + (", ..." if len(levels) > _SHOWN else "")
    rule = f"holds words in studies.csv ({listed}), where a covariate needs numbers"
    remedy = (f"Add a column to studies.csv that is 1 for {shown(levels[-1])} and 0 for the others, name that, and "
              "do so for each further level but one.")
    return covariate.problem("column", rule, remedy)


def _out_of_bounds(study: Draft, column: str, value: float, covariates: list[Draft]) -> Iterator[Problem]:
    if abs(value) > _LARGEST:
        yield study.problem(column, f"is beyond {_LARGEST:g}", "Correct the number, or choose a larger unit.")
        return
    if 0.0 < abs(value) < _SMALLEST:
        rule = f"is nearer to 0 than {_SMALLEST:g}"
        yield study.problem(column, rule, "Correct the number, or choose a smaller unit.")
        return
    for covariate in covariates:
        lowest, highest = covariate["lowest"], covariate["highest"]
        where = f"of covariates.csv row {covariate.row}"
        if lowest is not None and value < lowest:
            rule = f"is below lowest = {lowest:g} {where}"
        elif highest is not None and value > highest:
            rule = f"is above highest = {highest:g} {where}"
        elif covariate["transformation"] == "log10" and value <= 0:
            rule = f"has no logarithm, as log10 {where} needs"
        else:
            continue
        yield study.problem(column, rule, "Correct the number, or the covariate.")


def _steps_apart(covariate: Draft, values: list[float]) -> Iterator[Problem]:
    """Yield a problem where the values lie a millionth, or a million, of the stated steps apart, so none is meant."""
    if covariate["transformation"] == "log10":
        values = [math.log10(value) for value in values if value > 0]
    spread = max(values) - min(values) if values else 0.0
    if not covariate.has("unit_size") or not 0.0 < spread < math.inf:
        return
    size = covariate["unit_size"]
    # 1 without a unit states no step.
    if (size != 1.0 or covariate.has("unit")) and not 1.0 / _MOST_STEPS <= size / spread <= _MOST_STEPS:
        rule = f"is no step of a column whose numbers lie up to {spread:g} apart"
        remedy = "Give a step of about their spread, or leave unit and unit_size empty: a round one is chosen."
        yield covariate.problem("unit_size", rule, remedy)


_RULES: tuple[Callable[[Tables], Iterator[Problem]], ...] = (
    _overlaps_with_itself, _unplaced_studies, _wrong_kinds, _parents_of_another_kind, _circular_parents,
    _children_above_parents, _facts_of_other_studies, _decisions_without_support, _comparisons_without_numbers,
    _alike("scenarios.csv", ("scenario", "endpoint"), ("total_events", "total_n"),
           "Give one total to all rows of a scenario."),
    _alike("patients.csv", ("study_id", "endpoint", "cut"), ("definition", "population"),
           "Write the same, or name another cut."),
    _covariate_cells)
