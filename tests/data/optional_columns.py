"""Enrolled patients and grading scales rest on listed facts, the handling of survival and judgements on cited ones."""

import re

from . import readme
from .tables import Data, number, token, where


def enrolled_numbers_stand_in_the_listed_facts(data: Data) -> list[str]:
    section = readme.section(data.text("README.md"), "### studies.csv")
    (table,) = (rows for rows in readme.tables(section) if rows[0] == ("study", "enrolled", "facts"))
    listed_rows = {readme.words(study)[0]: (number, facts.split(", ")) for study, number, facts in table[1:]}
    problems = [
        f"{row['study_id']}: {row['n_enrolled'] or 'empty'}, README.md lists {listed_rows.get(row['study_id'])}"
        for row in data["studies"]
        if row["n_enrolled"] != listed_rows.get(row["study_id"], ("",))[0]
    ]
    for study, (printed, facts) in listed_rows.items():
        for fact in (data.facts[name] for name in facts):
            if fact["study_id"] != study or printed not in (fact["value"], fact["denominator"]):
                problems.append(f"{study}: {fact['fact_id']} does not state {printed}")
    return problems


def graded_rows_have_a_listed_fact_that_names_the_scale(data: Data) -> list[str]:
    section = readme.section(data.text("README.md"), "### responses.csv")
    (line,) = (line for line in section.splitlines() if line.startswith("`grading` rests on"))
    facts = [data.facts[name] for name in re.findall(r"F\d{4}", line)]
    rows = [row for row in data["responses"] if row["grading"]]
    keys = {(row["study_id"], row["endpoint"]): row["grading"] for row in rows}
    problems = [f"{where(row)}: no listed fact names {row['grading']}" for row in rows if not any(
        (fact["study_id"], fact["endpoint"]) == (row["study_id"], row["endpoint"]) and row["grading"] in fact["note"]
        for fact in facts)]
    return problems + [f"{where(fact)}: listed, but its row has no grading" for fact in facts
                       if (fact["study_id"], fact["endpoint"]) not in keys]


def transplants_are_censored_as_a_cited_fact_says(data: Data) -> list[str]:
    """A fact of the estimate says so in its note; without one the cell is empty."""
    problems = []
    for row in data["survival"]:
        scale = 100 if row["statistic"] == "landmark" else 1
        notes = [fact["note"].casefold() for fact in map(data.facts.get, row["fact_ids"].split())
                 if fact["quantity"] in ("probability_percent", "median_months")
                 and number(fact["value"]) == scale * number(row["estimate"])]
        said = {str("not censored" not in note).lower() for note in notes if "censored at " in note}
        if said != {row["censored_at_hct"]} - {""}:
            problems.append(f"{where(row)}: censored_at_hct is {row['censored_at_hct'] or 'empty'}, facts say {said}")
    return problems


def non_responders_are_excluded_where_the_base_is_the_responders(data: Data) -> list[str]:
    return [f"{where(row)}: non_responders is {row['non_responders'] or 'empty'}" for row in data["survival"]
            if row["non_responders"] != ("excluded" if token(row["population"]) == "responders" else "")]


def judgements_of_bias_stand_in_a_fact(data: Data) -> list[str]:
    facts = {(fact["study_id"], fact["value"]) for fact in data["extraction"] if fact["endpoint"] == "risk_of_bias"}
    return [f"{row['study_id']}: no fact has the risk of bias {row['risk_of_bias']}" for row in data["studies"]
            if row["risk_of_bias"] and (row["study_id"], row["risk_of_bias"]) not in facts]


PLANTED = {
    transplants_are_censored_as_a_cited_fact_says: [
        ("survival.csv", 'censoring 9.0 months are printed.",true', 'censoring 9.0 months are printed.",false'),
        ("survival.csv", "agree; not censored at transplant.,false", "agree; not censored at transplant.,"),
        ("extraction.csv", "OS heading,false,medium,Not censored", "OS heading,false,medium,Censored"),
    ],
    non_responders_are_excluded_where_the_base_is_the_responders: [
        ("survival.csv", "roloff_2024,pfs,PFS,responders,,primary,landmark,6",
         "roloff_2024,pfs,PFS,all_treated,,primary,landmark,6"),
    ],
    judgements_of_bias_stand_in_a_fact: [("studies.csv", "Review reference 23.,,", "Review reference 23.,,low")],
    enrolled_numbers_stand_in_the_listed_facts: [
        ("README.md", "| `gu_2020` | 22 |", "| `gu_2020` | 23 |"),
        ("README.md", "`dai_2020` | 6 | F0001", "`dai_2020` | 6 | F0023"),
    ],
    graded_rows_have_a_listed_fact_that_names_the_scale: [
        ("README.md", "F0227, F0236, F0244", "F0236, F0244"),
        ("extraction.csv", "PENN/CHOP scale.", "Lee scale."),
    ],
}
