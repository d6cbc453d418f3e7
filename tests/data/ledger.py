"""The ledger and its sources: keys, words from the lists of README.md, ranges, derived counts unique."""

import re

from . import readme
from .tables import Data, Row, counts_printing_as, number, repeated, token, where

WITHOUT_NUMBER = {"text", "median_not_reached"}
COUNTS = {"events", "events_lower_bound", "count"}
AT_A_TIME = {"probability_percent", "cumulative_incidence_percent"}
DESCRIBES_THE_READING = {"fact_id", "locator", "confidence", "note"}


def _numeric(data: Data) -> list[tuple[Row, object]]:
    return [(row, number(row["value"])) for row in data["extraction"] if row["quantity"] not in WITHOUT_NUMBER]


def ids_count_up_without_gaps(data: Data) -> list[str]:
    """A gap would be a deleted fact, a repetition a reused id."""
    found = [row["fact_id"] for row in data["extraction"]]
    return [f"{fact} stands where F{place:04d} belongs" for place, fact in enumerate(found, start=1)
            if fact != f"F{place:04d}"]


def no_two_facts_are_identical(data: Data) -> list[str]:
    contents = [tuple(cell for column, cell in row.items() if column not in DESCRIBES_THE_READING)
                for row in data["extraction"]]
    return [f"two facts say {content}" for content in repeated(contents)]


def facts_have_a_study_a_source_and_a_place(data: Data) -> list[str]:
    return [f"{where(row)}: {column} is {row[column]!r}" for row in data["extraction"]
            for column, known in (("study_id", data.studies), ("source_id", data.sources), ("locator", None))
            if not row[column] or (known is not None and row[column] not in known)]


def words_come_from_the_lists(data: Data) -> list[str]:
    analysed, context, _ = readme.endpoint_keys(data)
    lists = {"endpoint": {*analysed, *context}, "quantity": readme.quantities(data),
             "population": readme.population_tokens(data), "derived":
             readme.allowed(data, "extraction.csv", "derived"),
             "confidence": readme.allowed(data, "extraction.csv", "confidence")}
    return [f"{where(row)}: {column} is {row[column]!r}" for row in data["extraction"]
            for column, known in lists.items() if (token(row[column]) if column == "population" else row[column])
            not in known]


def lists_hold_no_unused_word(data: Data) -> list[str]:
    """A word that no row uses is a leftover or a misspelling of the list."""
    analysed, context, _ = readme.endpoint_keys(data)
    rows = [*data["extraction"], *data.decisions]
    used = {column: {row[column] for row in data["extraction"]} for column in ("endpoint", "quantity")}
    unused = {"endpoint": set(context) - used["endpoint"], "quantity": readme.quantities(data)
              - used["quantity"], "population": readme.population_tokens(data)
              - {token(row["population"]) for row in rows}}
    problems = [f"no fact has the {column} {word}" for column, words in unused.items() for word in sorted(words)]
    return problems + [f"{word} is listed twice" for word in repeated(analysed + context)]


def values_fit_their_quantity(data: Data) -> list[str]:
    problems = []
    for row, value in _numeric(data):
        broken = value is None or value < 0
        broken = broken or (row["quantity"] in COUNTS and value != int(value))
        broken = broken or ("percent" in row["quantity"] and value > 100)
        problems += [f"{where(row)}: {row['quantity']} is {row['value']!r}"] * broken
    return problems + [f"{where(row)}: a median that was not reached is {row['value']!r}"
                       for row in data["extraction"] if row["quantity"] == "median_not_reached" and row["value"]]


def bases_are_counts_that_hold_the_events(data: Data) -> list[str]:
    problems = []
    for row in data["extraction"]:
        base, value = number(row["denominator"]), number(row["value"])
        whole = not row["denominator"] or (base is not None and base > 0 and base == int(base))
        fits = base is None or value is None or row["quantity"] not in COUNTS or value <= base
        problems += [f"{where(row)}: {row['value']} of {row['denominator']!r}"] * (not whole or not fits)
    return problems


def limits_enclose_the_value(data: Data) -> list[str]:
    problems = []
    for row in data["extraction"]:
        low, value, high = (number(row[column]) for column in ("ci_low", "value", "ci_high"))
        known = [limit for limit in (low, value, high) if limit is not None]
        outside = known != sorted(known) or (low is None and high is not None)
        percent = "percent" in row["quantity"] and any(limit > 100 for limit in known)
        problems += [f"{where(row)}: {row['value']} with limits {row['ci_low']} to {row['ci_high']}"] * (
            outside or percent or (low is not None and low == high)
        )
    return problems


def times_are_positive_and_given_where_needed(data: Data) -> list[str]:
    return [f"{where(row)}: {row['quantity']} at {row['time_months']!r} months" for row in data["extraction"]
            if (row["time_months"] or row["quantity"] in AT_A_TIME) and not (number(row["time_months"]) or 0) > 0]


def pfs_facts_name_what_was_reported(data: Data) -> list[str]:
    return [f"{where(row)}: the note opens with {row['note'][:12]!r}" for row in data["extraction"]
            if row["endpoint"] == "pfs" and not re.match(r"\[(PFS|[A-Z]FS( and [A-Z]FS)?)\]( |$)", row["note"])]


def derived_counts_are_the_only_fit(data: Data) -> list[str]:
    """Every count of the base is tried against every percentage that the same page prints for it."""
    problems = []
    for row in data["extraction"]:
        if row["derived"] != "true" or row["quantity"] != "events":
            continue
        named = re.findall(r"(\d+(?:\.\d+)?) %", row["note"])
        printed = _percentages_beside(data, row, named)
        problems += [f"{where(row)}: no fact of the same page prints the {p} % of the note" for p in named
                     if p not in printed]
        for percent in printed:
            fits = counts_printing_as(percent, int(row["denominator"]))
            if fits != [int(row["value"])]:
                problems.append(f"{where(row)}: {percent} % of {row['denominator']} fits {fits}, not {row['value']}")
    return problems


def _percentages_beside(data: Data, row: Row, named: list[str]) -> set[str]:
    """Stated percentages of the same study, endpoint and page; without a base those the note names."""
    same = [fact for fact in data["extraction"] if fact["quantity"] == "percent" and fact["derived"] == "false"
            and all(fact[key] == row[key] for key in ("study_id", "endpoint", "source_id"))]
    return {fact["value"] for fact in same if fact["denominator"] == row["denominator"]
            or (not fact["denominator"] and fact["value"] in named)}


def notes_of_derived_counts_repeat_the_row(data: Data) -> list[str]:
    problems = []
    for row in data["extraction"]:
        only = re.search(r"Only k of (\d+) printing as [\d.]+ % is (\d+)", row["note"])
        exact = re.search(r"[\d.]+ % of (\d+) is exactly (\d+)", row["note"])
        found = only or exact
        if found and (found[1], found[2], "true") != (row["denominator"], row["value"], row["derived"]):
            problems.append(f"{where(row)}: the note derives {found[2]} of {found[1]}")
    return problems


def sources_are_citable(data: Data) -> list[str]:
    kinds = readme.allowed(data, "sources.csv", "kind")
    rules = {"kind": lambda row: row["kind"] in kinds, "citation": lambda row: len(row["citation"]) > 10,
             "doi": lambda row: re.fullmatch(r"(10\.\d{4,}/\S+)?", row["doi"]),
             "pmid": lambda row: re.fullmatch(r"(\d{6,9})?", row["pmid"]),
             "url": lambda row: (re.fullmatch(r"(https?://[\w.-]+/\S+)?", row["url"])
                                 and (row["url"] or "no address recorded" in row["citation"]))}
    problems = [f"source {source} is not unique" for source in repeated(row["source_id"] for row in data["sources"])]
    return problems + [f"{row['source_id']}: {column} is {row[column]!r}" for row in data["sources"]
                       for column, holds in rules.items() if not holds(row)]


def sources_without_facts_are_the_named_ones(data: Data) -> list[str]:
    tables = ("extraction", "reported", "totals")
    unused = data.sources.keys() - {row["source_id"] for table in tables for row in data[table]}
    limits = readme.section(data.text("README.md"), "## Limits")
    sentence = [line for line in limits.split("\n* ") if "bibliography without facts" in line]
    named = set(readme.words(" ".join(sentence)))
    return [f"{name} has no facts: {name in unused}; named in README.md: {name in named}"
            for name in sorted(unused ^ named)]


LEDGER = "extraction.csv"
PLANTED = {
    ids_count_up_without_gaps: [(LEDGER, "F0300,shah", "F0299,shah")],
    no_two_facts_are_identical: [
        (LEDGER, "F0274,park_2018,os,median_months,12.9,,,,,not_stated,ashsap_table_9552337",
         "F0274,park_2018,os,median_months,12.9,53,,,,all_treated,jcm_2023_6883_t1"),
    ],
    facts_have_a_study_a_source_and_a_place: [
        (LEDGER, "F0141,hua_2020", "F0141,hua_2021"),
        (LEDGER, "jiang_2019_ajh,Abstract,false,high,87.9", "jiang_2019_ajh,,false,high,87.9"),
    ],
    words_come_from_the_lists: [
        (LEDGER, "F0141,hua_2020,n_treated,count", "F0141,hua_2020,n_treated,number"),
        (LEDGER, "evaluable: 50 deduced", "evaluated: 50 deduced"),
        (LEDGER, "F0148,hua_2020,gvhd", "F0148,hua_2020,gvh"),
    ],
    lists_hold_no_unused_word: [
        ("README.md", "`alive_in_cr`, ", "`alive_in_cr`, `alive`, "),
        ("README.md", "| `hazard_ratio` |", "| `hazard_ratio`, `odds_ratio` |"),
    ],
    values_fit_their_quantity: [
        (LEDGER, "F0212,park_2018,cr,percent,83", "F0212,park_2018,cr,percent,183"),
        (LEDGER, "F0213,park_2018,cr,events,44", "F0213,park_2018,cr,events,44.5"),
    ],
    bases_are_counts_that_hold_the_events: [(LEDGER, "F0213,park_2018,cr,events,44", "F0213,park_2018,cr,events,54")],
    limits_enclose_the_value: [(LEDGER, "12.9,53,8.7,23.4", "12.9,53,18.7,23.4")],
    times_are_positive_and_given_where_needed: [(LEDGER, "65.5,15,,,4.93", "65.5,15,,,")],
    pfs_facts_name_what_was_reported: [(LEDGER, "[EFS] Censoring", "Censoring")],
    derived_counts_are_the_only_fit: [
        (LEDGER, "F0108,hay_2019,crs_grade3plus,events,10", "F0108,hay_2019,crs_grade3plus,events,11"),
        (LEDGER, "F0444,roddie_2024,crs_grade3plus,percent,2.4", "F0444,roddie_2024,crs_grade3plus,percent,2"),
        (LEDGER, "Only k of 38 printing as 13.2 % is 5", "Only k of 38 is 13 %"),
    ],
    notes_of_derived_counts_repeat_the_row: [
        (LEDGER, "Only k of 38 printing as 13.2 % is 5", "Only k of 38 printing as 13.2 % is 6"),
    ],
    sources_are_citable: [
        ("sources.csv", "10.1002/ajh.25582", "doi:10.1002/ajh.25582"),
        ("sources.csv", "https://doi.org/10.1172/JCI85309", "JCI85309"),
    ],
    sources_without_facts_are_the_named_ones: [("README.md", "`ma_f_hematol_oncol` and", "`dai_2020_jho` and")],
}
