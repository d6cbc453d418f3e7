"""The studies: the review's totals, percentages, allowed values, links to the ledger, overlaps, subsets."""

import re

from . import readme
from .tables import Data, Row, number, prints_as, repeated

# Grover et al. 2022: abstract (16, 489); Results, Baseline patient and CAR-T characteristics (the parts).
PRINTED_TOTALS = {"all": (16, 489), "adult": (5, 206), "combined": (11, 283)}
PRINTED_SUBSETS = {"all": 16, "cd19_only": 14, "adult_only": 5}
NUMERIC = ("year", "n_treated", "median_age", "age_low", "age_high", "prior_hct_n", "prior_hct_pct",
           "ph_positive_n", "ph_positive_pct", "median_blast_pct", "dose_cells_per_kg",
           "cd28_share", "third_generation_share", "allogeneic_share", "second_antigen_share")
# Share, category column, and the categories in which everybody and in which nobody has the property.
SHARES = (
    ("cd28_share", "costimulation", {"CD28"}, {"4-1BB", "third_generation"}),
    ("third_generation_share", "costimulation", {"third_generation"}, {"CD28", "4-1BB", "mixed"}),
    ("allogeneic_share", "t_cell_origin", {"allogeneic"}, {"autologous"}),
    ("second_antigen_share", "antigen_target", {"CD19/CD22 bispecific", "CD19 then CD22 sequential"}, {"CD19"}),
)
# Footnotes of the review's Table 1: patients with the property of the treated.
MIXED = {("li_2018", "cd28_share"): 5, ("zhang_2020", "cd28_share"): 18, ("dai_2015", "allogeneic_share"): 2}
PERCENT_OF_TREATED = (("prior_hct_n", "prior_hct_pct"), ("ph_positive_n", "ph_positive_pct"))
LEDGER_OF = {
    "n_treated": ("n_treated", {"count"}),
    "median_age": ("age", {"median_years"}),
    "age_low": ("age", {"min_years"}),
    "age_high": ("age", {"max_years"}),
    "prior_hct_n": ("prior_hct", {"events", "percent"}),
}


def review(data: Data) -> list[Row]:
    return [row for row in data["studies"] if row["in_review"] == "true"]


def totals_are_the_printed_ones(data: Data) -> list[str]:
    groups = {name: [row for row in review(data) if name in {"all", row["cohort"]}] for name in PRINTED_TOTALS}
    found = {name: (len(rows), sum(int(row["n_treated"]) for row in rows)) for name, rows in groups.items()}
    return [f"{name}: {found[name]} studies and patients, printed {printed}"
            for name, printed in PRINTED_TOTALS.items() if found[name] != printed]


def keys_are_unique(data: Data) -> list[str]:
    return [f"{column} {value} twice" for column in ("study_id", "label")
            for value in repeated(row[column] for row in data["studies"])]


def cells_hold_allowed_values(data: Data) -> list[str]:
    words = {column: readme.allowed(data, "studies.csv", column)
             for column in ("cohort", "costimulation", "t_cell_origin", "antigen_target", "design", "in_review")}
    problems = [f"{row['study_id']}: {column} is {row[column]!r}" for row in data["studies"]
                for column, known in words.items() if row[column] not in known
                and (row[column] or column == "in_review")]
    return problems + [f"{row['study_id']}: {column} is {row[column]!r}" for row in data["studies"]
                       for column in NUMERIC if row[column] and not (number(row[column]) or -1) >= 0
                       and number(row[column]) != 0]


def review_rows_are_complete(data: Data) -> list[str]:
    needed = ("cohort", "costimulation", "t_cell_origin", "antigen_target", "design", "median_age")
    return [f"{row['study_id']}: {column} is empty" for row in review(data) for column in needed if not row[column]]


def percentages_fit_their_counts(data: Data) -> list[str]:
    problems = []
    for row in data["studies"]:
        for count, percent in PERCENT_OF_TREATED:
            if bool(row[count]) != bool(row[percent]):
                problems.append(f"{row['study_id']}: {count} and {percent} are not given together")
            elif row[count] and not prints_as(int(row[count]), int(row["n_treated"]), row[percent]):
                problems.append(f"{row['study_id']}: {row[count]}/{row['n_treated']} is not {row[percent]} %")
    return problems


def ages_fit_their_cohort(data: Data) -> list[str]:
    problems = []
    for row in data["studies"]:
        low, median, high = (number(row[column]) for column in ("age_low", "median_age", "age_high"))
        known = [age for age in (low, median, high) if age is not None]
        adult = low is None or (low >= 18) == (row["cohort"] == "adult")
        problems += [f"{row['study_id']}: ages {known} in cohort {row['cohort']}"] * (
            known != sorted(known) or not adult
        )
    return problems


def shares_fit_their_categories(data: Data) -> list[str]:
    """Decided categories are 0 or 1; mixed ones are the footnote's patients over the treated, to four decimals."""
    problems = []
    for row in data["studies"]:
        for share, category, everybody, nobody in SHARES:
            if row[category] in everybody | nobody:
                wanted = str(int(row[category] in everybody))
            elif row[category]:
                count = MIXED.get((row["study_id"], share), -1)
                wanted = f"{count / int(row['n_treated']):.4f}".rstrip("0")
            else:
                wanted = ""
            if row[share] != wanted:
                problems.append(f"{row['study_id']}: {share} is {row[share]!r}, {row[category]} gives {wanted!r}")
    return problems


def doses_agree_with_their_words(data: Data) -> list[str]:
    problems = []
    for row in (row for row in data["studies"] if row["dose_cells_per_kg"]):
        found = re.search(r"(\d+(?:\.\d+)?e\d+) per kg", row["dose_text"])
        if not found or number(found[1]) != number(row["dose_cells_per_kg"]):
            problems.append(f"{row['study_id']}: {row['dose_cells_per_kg']} is not {row['dose_text']!r}")
    return problems


def rows_name_their_source(data: Data) -> list[str]:
    """A fact kept under another study is allowed where the note names that study."""
    problems = []
    for row in data["studies"]:
        parts = re.fullmatch(r"(grover_2022 Table 1)? ?((?:F\d{4} ?)*)", row["source"])
        from_review = bool(parts and parts[1])
        facts = parts[2].split() if parts else []
        named = {row["study_id"]} | {other for other, study in data.studies.items() if other in row["note"]
                                     or study["label"] in row["note"]}
        foreign = [fact for fact in facts if data.facts.get(fact, {}).get("study_id") not in named]
        wrong = foreign or not row["source"] or not parts or from_review != (row["in_review"] == "true")
        problems += [f"{row['study_id']}: source {row['source']!r} {foreign}"] * bool(wrong)
    return problems


def numbers_stand_in_the_ledger(data: Data) -> list[str]:
    """Extension studies have no other source; a review study with facts has one that agrees or cites all."""
    problems = []
    for row in data["studies"]:
        for column, (endpoint, quantities) in LEDGER_OF.items():
            facts = [fact for fact in data["extraction"] if fact["study_id"] == row["study_id"]
                     and fact["endpoint"] == endpoint and fact["quantity"] in quantities
                     and fact["population"] == "all_treated"]
            needed = bool(facts) or row["in_review"] == "false"
            explained = row["in_review"] == "true" and all(fact["fact_id"] in row["source"] for fact in facts)
            if row[column] and needed and not explained and not any(_states(row, column, fact) for fact in facts):
                problems.append(f"{row['study_id']}: {column} {row[column]} is in no fact")
    return [problem for problem in problems if not _is_base_of_its_facts(data, problem)]


def _states(row: Row, column: str, fact: Row) -> bool:
    if fact["quantity"] == "percent":
        return prints_as(int(row[column]), int(row["n_treated"]), fact["value"])
    return number(fact["value"]) == number(row[column])


def _is_base_of_its_facts(data: Data, problem: str) -> bool:
    """Whether the number treated is the common base of the cited facts, or the sum over its arms."""
    study, _, rest = problem.partition(": ")
    row = data.studies[study]
    bases = [data.facts[fact]["denominator"] for fact in re.findall(r"F\d{4}", row["source"])]
    fits = set(bases) == {row["n_treated"]} or (all(bases) and sum(map(int, bases)) == int(row["n_treated"]))
    return rest.startswith("n_treated") and fits


def overlaps_are_known_and_mutual(data: Data) -> list[str]:
    named = {row["study_id"]: set(row["overlaps_with"].split()) for row in data["studies"]}
    return [f"{study} overlaps with {other}, which does not say so" for study, others in named.items()
            for other in sorted(others) if study == other or study not in named.get(other, ())]


def registry_numbers_have_their_form(data: Data) -> list[str]:
    form = re.compile(r"(NCT\d{8}|ChiCTR-[A-Z]{3}-\d{8})(; (NCT\d{8}|ChiCTR-[A-Z]{3}-\d{8}))*")
    return [f"{row['study_id']}: {row['registry_id']}" for row in data["studies"] if row["registry_id"]
            and not form.fullmatch(row["registry_id"])]


def subsets_pick_the_printed_numbers(data: Data) -> list[str]:
    """The rules of subsets.csv over the review's studies."""
    problems = []
    for name in dict.fromkeys([*PRINTED_SUBSETS, *(row["subset"] for row in data["subsets"])]):
        rules = [row for row in data["subsets"] if row["subset"] == name]
        known = all(not rule["column"] or rule["column"] in data.header("studies.csv") for rule in rules)
        found = [row for row in review(data) if known
                 and all(not rule["column"] or row[rule["column"]] == rule["value"] for rule in rules)]
        if not rules or len(found) != PRINTED_SUBSETS.get(name, len(found)) or not found:
            problems.append(f"{name} picks {len(found)} review studies, printed {PRINTED_SUBSETS.get(name)}")
    return problems


STUDIES = "studies.csv"
PLANTED = {
    totals_are_the_printed_ones: [
        (STUDIES, "Li 2018,2018,10,33,18,59,adult", "Li 2018,2018,11,33,18,59,adult"),
        (STUDIES, "Li 2018,2018,10,33,18,59,adult", "Li 2018,2018,10,33,18,59,combined"),
    ],
    keys_are_unique: [(STUDIES, "wang_j_2020,Wang J 2020", "wang_j_2020,Wang N 2020")],
    cells_hold_allowed_values: [
        (STUDIES, "12.75,mixed", "12.75,both"),
        (STUDIES, "2019,58,28,10,65", "2019,58,28,ten,65"),
    ],
    review_rows_are_complete: [(STUDIES, "12.75,mixed", "12.75,")],
    percentages_fit_their_counts: [
        (STUDIES, "3,5.17", "4,5.17"),
        (STUDIES, "3,5.17", ",5.17"),
    ],
    ages_fit_their_cohort: [
        (STUDIES, "33,18,59,adult", "33,17,59,adult"),
        (STUDIES, "33,18,59,adult", "63,18,59,adult"),
    ],
    shares_fit_their_categories: [
        (STUDIES, "0.4186", "0.4187"),
        (STUDIES, "0.62e6 per kg,0.5", "0.62e6 per kg,"),
        (STUDIES, "5e6 per kg,0,0,1,0", "5e6 per kg,0,0,0,0"),
    ],
    doses_agree_with_their_words: [(STUDIES, "3.7e6 per kg", "3.7e7 per kg")],
    rows_name_their_source: [
        (STUDIES, "F0517 F0518", "F0517 F0498"),
        (STUDIES, "grover_2022 Table 1,Paper not identified", ",Paper not identified"),
    ],
    numbers_stand_in_the_ledger: [
        (STUDIES, "(inati-cel),2025,48", "(inati-cel),2025,49"),
        (STUDIES, "2023,46,38,22,72,adult,29", "2023,46,38,22,72,adult,28"),
        (STUDIES, "Cui 2023,2023,219", "Cui 2023,2023,218"),
        (STUDIES, "39,20,76,adult", "39,20,75,adult"),
    ],
    overlaps_are_known_and_mutual: [(STUDIES, "prospective,,NCT02935257", "prospective,roddie_2024,NCT02935257")],
    registry_numbers_have_their_form: [(STUDIES, "NCT02975687", "NCT2975687")],
    subsets_pick_the_printed_numbers: [
        ("subsets.csv", "antigen_target,CD19", "antigen_target,CD22"),
        ("subsets.csv", "cohort,adult", "cohorts,adult"),
        (STUDIES, "CD19/CD22 bispecific,2000000", "CD19,2000000"),
    ],
}
