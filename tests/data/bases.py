"""The bases of the decision rows, and what must hold between rows: parts and wholes, strata, curves."""

import re
from collections.abc import Iterator

from . import readme
from .tables import Data, Row, number, token, where

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")


def bases_are_what_the_population_says(data: Data) -> list[str]:
    return [
        f"{where(row)}: n = {row['n']}, treated {data.studies[row['study_id']]['n_treated']}"
        for row in data.decisions
        if token(row["population"]) == "all_treated" and row["n"] != data.studies[row["study_id"]]["n_treated"]
    ]


def relapses_are_counted_among_responders(data: Data) -> list[str]:
    """Relapse has the CR events as base, antigen loss the relapses, each with the population of that name."""
    problems = []
    for endpoint, base, population in (("relapse", "cr", "responders"), ("relapse_antigen_neg", "relapse", "relapses")):
        for row in (row for row in data["responses"] if row["endpoint"] == endpoint):
            whole = data.response(row["study_id"], base)
            if whole is None or row["n"] != whole["events"] or token(row["population"]) != population:
                problems.append(f"{where(row)}: n = {row['n']}, {base} has {whole['events'] if whole else 'no row'}")
    return problems


def transplants_are_counted_among_the_treated(data: Data) -> list[str]:
    """README.md names the exception."""
    text = readme.section(data.text("README.md"), "### responses.csv")
    named = re.search(r"the one exception is `(\w+)`", text)
    rows = [row for row in data["responses"] if row["endpoint"] == "hct_after"]
    others = {row["study_id"] for row in rows if token(row["population"]) != "all_treated"}
    return [] if named and others == {named[1]} else [f"hct_after of {sorted(others)} is not over all treated"]


def parts_do_not_exceed_the_whole(data: Data) -> list[str]:
    problems = []
    for row in data["responses"]:
        events, n = int(row["events"]), int(row["n"])
        whole = data.response(row["study_id"], data.endpoints[row["endpoint"]]["parent"])
        if events > n or (whole and n <= int(whole["n"]) and events > int(whole["events"])):
            problems.append(f"{where(row)}: {events} of {n}, the whole is {whole and whole['events']}")
    return problems


def more_than_the_treated_is_explained(data: Data) -> list[str]:
    problems = []
    for row in data.decisions:
        surplus = int(row["n"]) - int(data.studies[row["study_id"]]["n_treated"])
        numbers = NUMBER.findall(row["decision"])
        explained = {row["n"], str(surplus)} <= set(numbers) and token(row["population"]) == "whole_study"
        named = f"`{row['endpoint']}` of `{row['study_id']}` has n above" in data.text("README.md")
        if surplus > 0 and not (explained and named and row["tier"] == "C"):
            problems.append(f"{where(row)}: {surplus} patients above the treated")
    return problems


def survival_rows_are_coherent(data: Data) -> list[str]:
    allowed = {
        column: readme.allowed(data, "survival.csv", column)
        for column in ("definition", "cut", "statistic", "upper_not_reached")
    }
    return [f"{where(row)}: {fault}" for row in data["survival"] for fault in _incoherent(row, allowed)]


def _incoherent(row: Row, allowed: dict[str, set[str]]) -> Iterator[str]:
    yield from (f"{column} is {row[column]!r}" for column, words in allowed.items() if row[column] not in words)
    low, estimate, high = (number(row[column]) for column in ("ci_low", "estimate", "ci_high"))
    landmark = row["statistic"] == "landmark"
    if (row["definition"] == "OS") != (row["endpoint"] == "os"):
        yield f"definition {row['definition']}"
    if landmark != bool(row["time_months"]) or estimate is None or not 0 < estimate < (1 if landmark else 120):
        yield f"estimate {row['estimate']} at {row['time_months']!r}"
    if (row["ci_level"] == "0.95") != (low is not None) or row["ci_level"] not in {"", "0.95"}:
        yield f"level {row['ci_level']!r} with limit {row['ci_low']!r}"
    if (row["upper_not_reached"] == "true") != (low is not None and high is None):
        yield "upper_not_reached does not fit the limits"
    if [limit for limit in (low, estimate, high) if limit is not None] != sorted(
        limit for limit in (low, estimate, high) if limit is not None
    ):
        yield "the estimate lies outside its interval"
    if (row["cut"] == "later") != (token(row["population"]) == "later_followup"):
        yield f"cut {row['cut']} of {row['population']}"


def strata_add_to_the_treated(data: Data) -> list[str]:
    problems = []
    strata = [row for row in data["survival"] if row["stratum"]]
    for study, endpoint in dict.fromkeys((row["study_id"], row["endpoint"]) for row in strata):
        parts = [row for row in strata if (row["study_id"], row["endpoint"]) == (study, endpoint)]
        named = all(row["stratum"] == token(row["population"]) for row in parts)
        if not named or sum(int(row["n"]) for row in parts) != int(data.studies[study]["n_treated"]):
            problems.append(f"{study} {endpoint}: the strata do not add to the treated, or are not named by their base")
    return problems


def curves_fall_and_os_lies_above_pfs(data: Data) -> list[str]:
    def order(row: Row) -> tuple[str, ...]:
        return tuple(row[column] for column in ("study_id", "stratum", "statistic"))

    problems = []
    for one in data["survival"]:
        for two in (row for row in data["survival"] if order(row) == order(one)):
            same_curve = one["endpoint"] == two["endpoint"] and one["cut"] == two["cut"]
            above = (one["endpoint"], two["endpoint"], one["cut"], one["time_months"]) == (
                "os",
                "pfs",
                two["cut"],
                two["time_months"],
            )
            falls = same_curve and number(one["time_months"] or "0") < number(two["time_months"] or "0")
            if (above or falls) and number(one["estimate"]) < number(two["estimate"]):
                problems.append(f"{where(one)} = {one['estimate']} is below {where(two)} = {two['estimate']}")
    return problems


RESPONSES, SURVIVAL = "responses.csv", "survival.csv"
PLANTED = {
    bases_are_what_the_population_says: [
        (RESPONSES, "hu_2017,cr,12,15", "hu_2017,cr,12,14"),
        ("studies.csv", "Jiang 2019,2019,58", "Jiang 2019,2019,59"),
    ],
    relapses_are_counted_among_responders: [
        (RESPONSES, "park_2018,relapse,25,44", "park_2018,relapse,25,53"),
        (RESPONSES, "hay_2019,relapse_antigen_neg,6,22", "hay_2019,relapse_antigen_neg,6,45"),
        (RESPONSES, "4,25,relapses", "4,25,responders"),
    ],
    transplants_are_counted_among_the_treated: [
        (RESPONSES, "park_2018,hct_after,17,53,all_treated", "park_2018,hct_after,17,44,responders"),
        ("README.md", "exception is `shah_2021`", "exception is `gu_2020`"),
    ],
    parts_do_not_exceed_the_whole: [
        (RESPONSES, "hua_2020,mrd_neg,7,11", "hua_2020,mrd_neg,9,11"),
        (RESPONSES, "zhang_2020,crs_any,38", "zhang_2020,crs_any,6"),
        (RESPONSES, "zhang_2020,crs_any,38", "zhang_2020,crs_any,83"),
    ],
    more_than_the_treated_is_explained: [
        (RESPONSES, "1 of 89 including 38 NHL", "1 of 89 including NHL"),
        (RESPONSES, "hu_2017,hct_after,4,15", "hu_2017,hct_after,4,16"),
    ],
    survival_rows_are_coherent: [
        (SURVIVAL, "landmark,12,0.483", "landmark,12,48.3"),
        (SURVIVAL, "RFS,all_treated,,primary,median,,6.93", "OS,all_treated,,primary,median,,6.93"),
        (SURVIVAL, "18.2,15.9,,0.95,true", "18.2,15.9,,0.95,false"),
        (SURVIVAL, "0.55,0.401,0.674,0.95", "0.55,0.401,0.674,"),
        (SURVIVAL, "31.0,10.6", "31.0,32.6"),
        (SURVIVAL, '2-year report",,later', '2-year report",,primary'),
    ],
    strata_add_to_the_treated: [
        (SURVIVAL, "median,,5.0,,,,false,8", "median,,5.0,,,,false,9"),
        (SURVIVAL, "EFS,other,other", "EFS,other,rest"),
    ],
    curves_fall_and_os_lies_above_pfs: [
        (SURVIVAL, "landmark,12,0.611", "landmark,12,0.811"),
        (SURVIVAL, "median,,11.9", "median,,15.9"),
    ],
}
