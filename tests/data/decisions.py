"""Every decision row is walked to its facts: they exist, state its number, and carry its tier."""

import re
import tempfile
from decimal import Decimal
from pathlib import Path

from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError

from . import readme
from .tables import Data, Row, counts_printing_as, number, repeated, token, where

PRIMARY = {"primary_abstract", "primary_fulltext"}
# Bases that a count over all treated, or over all responders, may be restated from.
NARROWER = {"responders", "mrd_neg_cr", "relapses"}
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
GRADE = re.compile(r"\bgrades? \d(?:(?: to |-|/)\d)?")
# README.md names the row whose percentage is complete without a source that prints the count.
A_WITHOUT_PRINTED_COUNT = {("gu_2020", "cr")}


def _cited(data: Data, row: Row) -> list[Row]:
    return [data.facts[fact] for fact in row["fact_ids"].split() if fact in data.facts]


def _own(data: Data, row: Row) -> list[Row]:
    return [fact for fact in _cited(data, row) if fact["endpoint"] == row["endpoint"]]


def rows_have_known_keys(data: Data) -> list[str]:
    kinds = {"responses": "rate", "survival": "survival"}
    tokens = readme.population_tokens(data)
    problems = [f"{table}: {where(row)} is no {kind} endpoint of a known study" for table, kind in kinds.items()
                for row in data[table] if row["study_id"] not in data.studies
                or data.endpoints.get(row["endpoint"], {}).get("kind") != kind]
    problems += [f"{where(row)}: population" for row in data.decisions if token(row["population"]) not in tokens]
    problems += [f"{where(row)}: the decision gives no reason" for row in data.decisions if len(row["decision"]) < 20]
    return problems + [f"{where(row)}: no timing" for row in data["responses"] if not row["timing"]]


def one_row_answers_one_question(data: Data) -> list[str]:
    counts = [(row["study_id"], row["endpoint"]) for row in data["responses"]]
    columns = ("study_id", "endpoint", "stratum", "cut", "statistic", "time_months")
    curves = [tuple(row[column] for column in columns) for row in data["survival"]]
    return [f"two rows for {' '.join(key)}" for key in repeated(counts) + repeated(curves)]


def check_accepts_the_decisions(data: Data) -> list[str]:
    """`recart check` asks for a tier and for known facts, each cited once; nothing here asks for more of them."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            load(data.write(Path(folder) / "data"))
        except EvidenceError as error:
            return [str(problem) for problem in error.problems]
    return []


def cited_facts_are_of_the_study_and_endpoint(data: Data) -> list[str]:
    citable = readme.citable(data)
    return [f"{where(row)}: {fact['fact_id']} is about {fact['study_id']} {fact['endpoint']}"
            for row in data.decisions for fact in _cited(data, row) if fact["study_id"] != row["study_id"]
            or fact["endpoint"] not in {row["endpoint"], *citable.get(row["endpoint"], ())}]


def no_exception_for_other_endpoints_is_unused(data: Data) -> list[str]:
    used = {(row["endpoint"], fact["endpoint"]) for row in data.decisions for fact in _cited(data, row)}
    return [f"no row of {endpoint} cites {other}" for endpoint, others in readme.citable(data).items()
            for other in sorted(others) if (endpoint, other) not in used]


def _exact(data: Data, row: Row) -> list[Row]:
    return [fact for fact in _own(data, row) if fact["quantity"] == "events"
            and (fact["value"], fact["denominator"]) == (row["events"], row["n"])]


def counts_stand_in_a_cited_fact(data: Data) -> list[str]:
    return [f"{where(row)}: no cited fact states or derives {row['events']} of {row['n']}"
            for row in data["responses"] if not _exact(data, row)]


def derived_counts_cite_what_they_come_from(data: Data) -> list[str]:
    """A count that no cited fact states stands beside another fact of the page that it was derived from."""
    problems = []
    for row in data["responses"]:
        exact = _exact(data, row)
        pages = {fact["source_id"] for fact in _cited(data, row) if fact not in exact}
        derived = all(fact["derived"] == "true" for fact in exact)
        if exact and derived and not any(fact["source_id"] in pages for fact in exact):
            problems.append(f"{where(row)}: cites no fact that {exact[0]['fact_id']} is derived from")
    return problems


def _same_estimate(data: Data, row: Row) -> list[Row]:
    """The cited facts with the estimate and time of a survival row and, except for OS, its reported name."""
    landmark = row["statistic"] == "landmark"
    quantity = "probability_percent" if landmark else "median_months"
    scale = 100 if landmark else 1
    return [fact for fact in _own(data, row) if fact["quantity"] == quantity
            and number(fact["value"]) == number(row["estimate"]) * scale
            and (not landmark or number(fact["time_months"]) == number(row["time_months"]))
            and (row["definition"] == "OS" or fact["note"].startswith(f"[{row['definition']}]"))]


def _same_limits(row: Row, fact: Row) -> bool:
    scale = 100 if row["statistic"] == "landmark" else 1
    limits = [number(row[column]) for column in ("ci_low", "ci_high")]
    return [number(fact[column]) for column in ("ci_low", "ci_high")] == [
        limit if limit is None else limit * scale for limit in limits
    ]


def survival_stands_in_a_cited_fact(data: Data) -> list[str]:
    """Estimate, time and limits in one fact; n in one with that estimate, or argued in the decision."""
    problems = []
    for row in data["survival"]:
        same = _same_estimate(data, row)
        if not any(_same_limits(row, fact) for fact in same):
            problems.append(f"{where(row)}: no cited fact has this estimate, time and interval")
        bases = {fact["denominator"] for fact in same}
        argued = "" in bases and re.search(rf"\b{row['n']}\b", row["decision"])
        if row["n"] not in bases and not argued:
            problems.append(f"{where(row)}: n = {row['n']}, the cited facts have {sorted(bases)}")
    return problems


def _is_primary(data: Data, fact: Row) -> bool:
    return data.sources[fact["source_id"]]["kind"] in PRIMARY


def _follows(data: Data, row: Row, fact: Row) -> bool:
    """Whether a derived count repeats a count that a cited fact of the same primary page states."""
    return (fact["derived"] == "true" and "%" not in fact["note"]
            and any(other["derived"] == "false" and other["source_id"] == fact["source_id"]
                    and other["quantity"] == "events" and other["value"] == fact["value"]
                    for other in _cited(data, row)))


def _agrees(row: Row, fact: Row) -> bool:
    """Whether a fact of the endpoint supports exactly the row's count."""
    events, n = int(row["events"]), int(row["n"])
    if fact["quantity"] == "percent":
        return fact["denominator"] == row["n"] and counts_printing_as(fact["value"], n) == [events]
    if fact["quantity"] != "events" or fact["value"] != row["events"]:
        return False
    return fact["denominator"] == row["n"] or (token(fact["population"]) in NARROWER and "" != fact["denominator"])


def _counts_are_tier_a(data: Data, row: Row) -> bool:
    exact = _exact(data, row)
    if any(_is_primary(data, fact) and (fact["derived"] == "false" or _follows(data, row, fact)) for fact in exact):
        return True
    sources = {fact["source_id"] for fact in _own(data, row) if _agrees(row, fact)}
    printed = any(fact["derived"] == "false" for fact in exact)
    return len(sources) > 1 and (printed or (row["study_id"], row["endpoint"]) in A_WITHOUT_PRINTED_COUNT)


def _survival_is_tier_a(data: Data, row: Row) -> bool:
    same = [fact for fact in _same_estimate(data, row) if fact["derived"] == "false"
            and fact["denominator"] in {"", row["n"]}]
    primary = any(_is_primary(data, fact) and fact["denominator"] and _same_limits(row, fact) for fact in same)
    return primary or len({fact["source_id"] for fact in same}) > 1


def tier_a_is_well_supported(data: Data) -> list[str]:
    rules = (("responses", _counts_are_tier_a), ("survival", _survival_is_tier_a))
    return [f"{where(row)}: tier A without a primary statement or two agreeing sources" for table, rule in rules
            for row in data[table] if row["tier"] == "A" and not rule(data, row)]


def decisions_name_only_numbers_they_cite(data: Data) -> list[str]:
    problems = []
    for row in data.decisions:
        known = _numbers_of(data, row, _cited(data, row))
        missing = [found for found in NUMBER.findall(GRADE.sub("", row["decision"])) if Decimal(found) not in known]
        problems += [f"{where(row)}: no cited fact has the {', '.join(missing)} of the decision"] * bool(missing)
    return problems


def _numbers_of(data: Data, row: Row, facts: list[Row]) -> set[Decimal]:
    """The numbers of a row and of facts, the percentages and counts they print as, differences of bases."""
    texts = [cell for column, cell in row.items() if column != "decision"]
    texts += [cell for fact in facts for column, cell in fact.items() if not column.endswith("_id")]
    known = {Decimal(found) for text in texts for found in NUMBER.findall(text)}
    treated, n = Decimal(data.studies[row["study_id"]]["n_treated"]), Decimal(row["n"])
    responders = data.response(row["study_id"], "cr")
    known |= {treated, abs(treated - n), Decimal(responders["events"]) if responders else n}
    known |= {n - Decimal(row["events"])} if row["events"] else {number(row["estimate"]) * 100}
    for fact in facts:
        value, base = number(fact["value"]), number(fact["denominator"])
        if fact["quantity"] == "events" and base:
            known |= {round(100 * value / base, digits) for digits in (0, 1)}
        if fact["quantity"] == "percent" and base:
            known |= {Decimal(events) for events in counts_printing_as(fact["value"], int(base))}
    return known | {_effective_size(other) for other in data["survival"] if other["study_id"] == row["study_id"]}


def _effective_size(row: Row) -> Decimal:
    """The patients without censoring whose binomial error would give the printed interval, 0 without one."""
    if row["statistic"] != "landmark" or not row["ci_high"]:
        return Decimal(0)
    p, low, high = (number(row[column]) for column in ("estimate", "ci_low", "ci_high"))
    return round(p * (1 - p) / ((high - low) / 2 / Decimal("1.96")) ** 2)


RESPONSES, SURVIVAL, LEDGER = "responses.csv", "survival.csv", "extraction.csv"
PLANTED = {
    rows_have_known_keys: [
        (RESPONSES, "hu_2017,hct_after,4", "hu_2017,os,4"),
        (RESPONSES, ",A,F0156,Count printed in the primary abstract with 15 enrolled as base.", ",A,F0156,Count."),
    ],
    one_row_answers_one_question: [
        (RESPONSES, "dai_2020,nt_any", "dai_2020,nt_grade3plus"),
        (SURVIVAL, "landmark,6,0.803", "landmark,12,0.803"),
    ],
    check_accepts_the_decisions: [
        (RESPONSES, "any time after infusion,A,F0157", "any time after infusion,D,F0157"),
        (RESPONSES, "any time after infusion,A,F0157", "any time after infusion,,F0157"),
        (RESPONSES, ",B,F0055,", ",B,,"),
        (SURVIVAL, ",A,F0021,", ",,F0021,"),
        (RESPONSES, "F0157 F0158", "F0157 F1158"),
        (RESPONSES, "F0157 F0158", "F0157 F0157"),
        (SURVIVAL, ",A,F0021,", ",A,,"),
    ],
    cited_facts_are_of_the_study_and_endpoint: [
        (RESPONSES, "F0157 F0158", "F0157 F0156"),
        (SURVIVAL, "F0060 F0061", "F0060 F0083"),
    ],
    no_exception_for_other_endpoints_is_unused: [("README.md", "| `toxic_death` |", "| `toxic_death`, `gvhd` |")],
    counts_stand_in_a_cited_fact: [
        (RESPONSES, "hu_2017,cr,12,15", "hu_2017,cr,11,15"),
        (LEDGER, "F0156,hu_2017,cr,events,12,15", "F0156,hu_2017,cr,events,12,16"),
    ],
    derived_counts_cite_what_they_come_from: [(RESPONSES, "F0189 F0188", "F0189")],
    survival_stands_in_a_cited_fact: [
        (SURVIVAL, "landmark,12,0.483", "landmark,12,0.438"),
        (SURVIVAL, "0.483,0.231,0.697", "0.483,0.321,0.697"),
        (LEDGER, "48.3,20,23.1,69.7,12", "48.3,20,23.1,69.7,13"),
        (SURVIVAL, "0.378,,,,false,15", "0.378,,,,false,14"),
        (SURVIVAL, "5.6,,,,false,35", "5.6,,,,false,34"),
    ],
    tier_a_is_well_supported: [
        # A primary fact of another endpoint, base or count supports no tier A; neither does one secondary source.
        (RESPONSES, "during follow-up,B,F0055", "during follow-up,A,F0055"),
        (RESPONSES, "any time after infusion,B,F0161", "any time after infusion,A,F0161"),
        (RESPONSES, "F0124 F0122 F0123", "F0124"),
        (LEDGER, "F0103,hay_2019,crs_any,percent,75,53", "F0103,hay_2019,crs_any,percent,75,"),
        ("sources.csv", "https://www.pubmed.gov/31321805/,primary_abstract", "https://www.pubmed.gov/31321805/,press"),
        (SURVIVAL, "A,F0458 F0457 F0578 F0459", "A,F0458 F0459"),
    ],
    decisions_name_only_numbers_they_cite: [
        (RESPONSES, "F0071 F0070 F0073 F0074 F0072", "F0071 F0070 F0073 F0074"),
        (RESPONSES, "a third prints 94 %", "a third prints 95 %"),
        (SURVIVAL, "F0273 F0275 F0277", "F0273 F0275"),
        (RESPONSES, "F0506 F0504,", "F0506,"),
    ],
}
