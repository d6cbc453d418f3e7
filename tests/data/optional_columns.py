"""Enrolled patients and grading scales rest on the facts that README.md lists for them."""

import re

from . import readme
from .tables import Data, where


def enrolled_numbers_stand_in_the_listed_facts(data: Data) -> list[str]:
    section = readme.section(data.text("README.md"), "### studies.csv")
    (table,) = (rows for rows in readme.tables(section) if rows[0] == ("study", "enrolled", "facts"))
    listed_rows = {readme.words(study)[0]: (number, facts.split(", ")) for study, number, facts in table[1:]}
    problems = [
        f"{row['study_id']}: {row['n_enrolled'] or 'empty'}, README.md lists {listed_rows.get(row['study_id'])}"
        for row in data["studies"]
        if row["n_enrolled"] != listed_rows.get(row["study_id"], ("",))[0]
    ]
    for study, (number, facts) in listed_rows.items():
        for fact in (data.facts[name] for name in facts):
            if fact["study_id"] != study or number not in (fact["value"], fact["denominator"]):
                problems.append(f"{study}: {fact['fact_id']} does not state {number}")
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


PLANTED = {
    enrolled_numbers_stand_in_the_listed_facts: [
        ("README.md", "| `gu_2020` | 22 |", "| `gu_2020` | 23 |"),
        ("README.md", "`dai_2020` | 6 | F0001", "`dai_2020` | 6 | F0023"),
    ],
    graded_rows_have_a_listed_fact_that_names_the_scale: [
        ("README.md", "F0227, F0236, F0244", "F0236, F0244"),
        ("extraction.csv", "PENN/CHOP scale.", "Lee scale."),
    ],
}
