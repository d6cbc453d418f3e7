"""Rules that need the meaning of several tables: kinds, hierarchies, ledger, covariates."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from analysis.evidence.cells import number
from analysis.evidence.conditions import Condition, condition
from analysis.evidence.covariate_columns import covariate_problems
from analysis.evidence.drafts import Draft, Drafts
from analysis.evidence.numerals import Fault
from analysis.evidence.problems import Problem, shown
from analysis.evidence.references import (
    overlaps_with_itself,
    repeated_rows,
    unknown_columns,
    unknown_ids,
    unknown_subsets,
)

Tables = Mapping[str, Drafts]


def cross_problems(tables: Tables) -> Iterator[Problem]:
    """Yield every problem that no single row shows.

    Parameters
    ----------
    tables : mapping of str to Drafts
        All tables by file name, empty where the file is absent.
    """
    for drafts in tables.values():
        yield from repeated_rows(drafts)
        yield from unknown_ids(drafts, tables)
    for file in ("subsets.csv", "comparisons.csv", "covariates.csv"):
        yield from unknown_columns(tables[file], tables)
    yield from unknown_subsets(tables)
    yield from overlaps_with_itself(tables["studies.csv"])
    yield from unplaced_studies(tables["studies.csv"])
    yield from wrong_kinds(tables)
    yield from circular_parents(tables["endpoints.csv"])
    yield from children_above_parents(tables)
    yield from facts_of_other_studies(tables)
    yield from decisions_without_support(tables)
    yield from covariate_problems(tables)
    yield from comparisons_without_numbers(tables)
    yield from torn_scenarios(tables["scenarios.csv"])


def wrong_kinds(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each count of a survival endpoint and each survival row of a rate."""
    endpoints = tables["endpoints.csv"].rows
    kinds = {row.raw.get("endpoint"): row.values["kind"] for row in endpoints if row.has("kind")}
    places = (("responses.csv", "rate", "survival.csv"), ("survival.csv", "survival", "responses.csv"))
    for file, wanted, other in places:
        for row in tables[file].rows:
            kind = kinds.get(row.values.get("endpoint"), wanted)
            if kind != wanted:
                remedy = f"Move the row to {other} or correct the kind in endpoints.csv."
                yield row.problem("endpoint", f"is a {kind} endpoint", remedy)


def unplaced_studies(studies: Drafts) -> Iterator[Problem]:
    """Yield a problem for each study that does not say whether the review holds it, where another one does."""
    if any(row.has("in_review") for row in studies.rows):
        for row in studies.rows:
            if row.lacks("in_review"):
                rule = "is empty while other studies are placed, so it would count in the review and in the later set"
                yield row.problem("in_review", rule, "Write true for a study of the review, else false.")


def circular_parents(endpoints: Drafts) -> Iterator[Problem]:
    """Yield a problem for each endpoint that is, directly or through others, its own parent."""
    parents = _parents(endpoints)
    for row in endpoints.rows:
        name = row.raw.get("endpoint", "")
        if row.has("parent") and name in _ancestors(name, parents):
            rule = "leads back to the endpoint itself"
            yield row.problem("parent", rule, "Name the endpoint that contains it.")


def children_above_parents(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each count above that of a containing endpoint in the same patients of a study."""
    parents = _parents(tables["endpoints.csv"])
    counts: dict[tuple[object, ...], list[Draft]] = defaultdict(list)
    rows = [row for row in tables["responses.csv"].rows if row.has("study_id", "endpoint", "events", "n")]
    for row in rows:
        counts[row.values["study_id"], row.values["endpoint"], row.values["n"]].append(row)
    for row in rows:
        ancestors = _ancestors(row.values["endpoint"], parents)
        # In a circle of parents nothing is contained in anything.
        for ancestor in () if row.values["endpoint"] in ancestors else ancestors:
            for whole in counts.get((row.values["study_id"], ancestor, row.values["n"]), ()):
                limit = whole.values["events"]
                if row.values["events"] > limit:
                    rule = f"exceeds the {limit} of {ancestor} in row {whole.row}, which contains it"
                    yield row.problem("events", rule, "Correct one of the counts or its n.")


def facts_of_other_studies(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each decision that cites a fact about another study."""
    owners = {
        row.raw.get("fact_id"): row.values["study_id"]
        for row in tables["extraction.csv"].rows
        if row.has("study_id")
    }
    for file in ("responses.csv", "survival.csv"):
        for row in tables[file].rows:
            if not row.has("study_id", "fact_ids"):
                continue
            for fact in row.values["fact_ids"]:
                owner = owners.get(fact, row.values["study_id"])
                if owner != row.values["study_id"]:
                    rule = f"holds {fact}, a fact about {owner}"
                    yield row.problem("fact_ids", rule, "Cite facts of this study.")


def decisions_without_support(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each decision without a fact, or without a tier, where others of the evidence have them.

    Facts are asked for where extraction.csv has rows and a decision cites one, tiers where besides a row has one.
    """
    decisions = [tables[file] for file in ("responses.csv", "survival.csv")]
    rows = [row for drafts in decisions for row in drafts.rows]
    if not tables["extraction.csv"].rows or not any(row.has("fact_ids") for row in rows):
        return
    for drafts in decisions:
        remedy = "Cite the facts that carry the number; add them to extraction.csv if it lacks them."
        yield from _empty_in(drafts, "fact_ids", "though every decision rests on facts of extraction.csv", remedy)
        if any(row.has("tier") for row in rows):
            yield from _empty_in(drafts, "tier", "though other decisions have one", "Write A, B or C.")
        for row in drafts.rows:
            cited = row.values["fact_ids"] if row.has("fact_ids") else ()
            twice = next((fact for place, fact in enumerate(cited) if fact in cited[:place]), None)
            if twice:
                yield row.problem("fact_ids", f"holds {shown(twice)} twice", "Cite it once.")


def _empty_in(drafts: Drafts, column: str, reason: str, remedy: str) -> Iterator[Problem]:
    if drafts.rows and column not in drafts.header:
        rule = f"is missing from the header, {reason}"
        yield Problem(drafts.table.file, drafts.header_row, column, "", rule, f"Add the column. {remedy}")
    else:
        yield from (row.problem(column, f"is empty, {reason}", remedy) for row in drafts.rows if row.lacks(column))


def comparisons_without_numbers(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each subset that compares a column of studies.csv which holds words."""
    parse = number()
    for row in tables["subsets.csv"].rows:
        wanted = condition(row.values["value"]) if row.has("column", "value") else None
        if not isinstance(wanted, Condition) or not wanted.comparisons:
            continue
        column = row.values["column"]
        cells = ((study.row, study.raw.get(column, "")) for study in tables["studies.csv"].rows)
        place = next(((line, cell) for line, cell in cells if cell and isinstance(parse(cell), Fault)), None)
        if place:
            rule = f"compares {shown(column)}, but row {place[0]} of studies.csv holds {shown(place[1])}"
            yield row.problem("value", rule, "Name a column of numbers, or the text that a study must have.")


def torn_scenarios(scenarios: Drafts) -> Iterator[Problem]:
    """Yield a problem for each row whose total differs from that of the first row of its scenario and endpoint."""
    first: dict[tuple[object, object], Draft] = {}
    for row in scenarios.rows:
        if not row.has("scenario", "endpoint"):
            continue
        leader = first.setdefault((row.values["scenario"], row.values["endpoint"]), row)
        for column in ("total_events", "total_n"):
            if column not in row.bad | leader.bad and row.values[column] != leader.values[column]:
                rule = f"differs from row {leader.row} of the same scenario and endpoint"
                yield row.problem(column, rule, "Give one total to all rows of a scenario.")


def _parents(endpoints: Drafts) -> dict[str, str]:
    return {
        row.raw["endpoint"]: row.values["parent"]
        for row in endpoints.rows
        if row.has("parent") and row.raw.get("endpoint")
    }


def _ancestors(name: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while name in parents and parents[name] not in found:
        name = parents[name]
        found.append(name)
    return tuple(found)
