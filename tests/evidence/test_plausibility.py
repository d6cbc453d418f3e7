"""What cannot be true of patients is refused; what is rare or large but possible is kept."""

import pytest

from analysis.evidence.loading import load

from .build import FULL, MINIMAL, with_cell, write_evidence, write_files

SURVIVAL = FULL["survival.csv"]
# gu_2020's median (row 6) has no limits, so that the estimate alone is judged.
REFUSED = [
    (6, "estimate", "0.01", "is below 0.016 months, half a day", "days are divided by 30.4375"),
    (6, "estimate", "1e-300", "is below 0.016 months", "Give months"),
    (6, "estimate", "3650", "is above 1,200 months, 100 years", "days are divided by 30.4375"),
    (2, "ci_high", "1e300", "is above 12,000 months, 1,000 years", "Give months"),
    (2, "ci_low", "1e-300", "is below 0.016 months", "Give months"),
    (3, "time_months", "1e300", "is above 1,200", "a century 1,200"),
    (3, "time_months", "0.001", "is below 0.016", "half a day is 0.016"),
    (5, "person_months", "1e-300", "is below 0.016", "added up over the patients"),
    (5, "person_months", "1e300", "is above 12,000,000,000", "added up over the patients"),
    # 20 patients for a century are 24,000 months.
    (5, "person_months", "24001", "gives each of n = 20 more than 1,200 months", "Add them up over the n patients"),
    # Half a day for half of the patients is log 2 / 0.016 = 43.3 events a month; 9 events take 9 / 43.3 = 0.208 months.
    (5, "person_months", "0.2", "is less than 0.023 months for each of events = 9", "Add them up over all patients"),
    (2, "ci_level", "1e-300", "is below 0.5", "such as 0.95"),
    (2, "ci_level", "0.9999", "is above 0.999", "such as 0.95"),
    (2, "n", "10000001", "is above 10,000,000", "number of patients"),
]


@pytest.mark.parametrize(("row", "column", "cell", "rule", "remedy"), REFUSED)
def test_an_impossible_number_is_refused(problems_of, row, column, cell, rule, remedy):
    found = [p for p in problems_of(survival=with_cell(SURVIVAL, row, column, cell)) if rule in p.rule]
    assert [(p.file, p.row, p.column, p.value) for p in found] == [("survival.csv", row, column, cell)]
    assert remedy in found[0].remedy


@pytest.mark.parametrize(("time", "estimate", "rule"), [
    ("12", "1e-9", "is nearer to 0 than ten million patients can tell"),
    ("12", "0.999999999", "is nearer to 1 than ten million patients can tell"),
    # Survival of 0.001 at 0.1 months: -log(0.001) / 0.1 = 69 events a month, above 43.3.
    ("0.1", "0.001", "with time_months = 0.1 loses half of the patients in less than half a day"),
])
def test_an_impossible_probability_is_refused(problems_of, time, estimate, rule):
    text = with_cell(with_cell(SURVIVAL, 3, "time_months", time), 3, "estimate", estimate)
    for limit in ("ci_low", "ci_high", "ci_level"):
        text = with_cell(text, 3, limit, "")
    (found,) = problems_of(survival=text)
    assert (found.row, found.column, found.value, found.rule) == (3, "estimate", estimate, rule)


@pytest.mark.parametrize(("table", "row", "column", "cell", "rule"), [
    ("endpoints", 4, "horizon_months", "1e300", "is above 1,200"),
    ("endpoints", 4, "horizon_months", "1e-300", "is below 0.016"),
    ("reported", 3, "ci_high", "1e300", "is above 12,000 months"),
    ("reported", 2, "k_studies", "10000000", "is above 10,000"),
    ("totals", 2, "k_studies", "10000000", "is above 10,000"),
    ("covariates", 2, "unit_size", "1e-300", "is below 1e-12"),
    ("covariates", 2, "unit_size", "1e300", "is above 1e+15"),
    ("studies", 2, "n_treated", "1e300", "is not a whole number"),
    ("studies", 2, "label", "x" * 201, "has more than 200 characters"),
])
def test_an_impossible_number_of_another_table_is_refused(problems_of, table, row, column, cell, rule):
    found = problems_of(**{table: with_cell(FULL[f"{table}.csv"], row, column, cell)})
    assert [(p.file, p.row, p.column) for p in found if rule in p.rule] == [(f"{table}.csv", row, column)]


def test_a_covariate_cell_beyond_arithmetic_is_refused(problems_of):
    (found,) = problems_of(studies=with_cell(FULL["studies.csv"], 3, "median_age", "1e300"),
                           covariates=with_cell(FULL["covariates.csv"], 2, "highest", ""))
    assert (found.row, found.column, found.rule) == (3, "median_age", "is beyond 1e+15")
    assert found.remedy == "Correct the number, or choose a larger unit."


# Ten million patients, ten events in 10,000 person-years, one in ten million person-years, a stay of a day.
@pytest.mark.parametrize("row", [
    ",,,,,,10000000,5,120000000", ",,,,,,10000,10,120000", ",,,,,,1,0,0.033", "landmark,0.0329,0.999,,,,2000,,",
    "landmark,12,0.99999,,,,10000000,,", "median,,0.5,0.1,2,,50,,", "median,,540,300,900,,4000,,",
])
def test_what_is_extreme_but_possible_is_kept(tmp_path, row):
    text = "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,ci_level,n,events,person_months\n"
    endpoints = MINIMAL["endpoints.csv"] + "os,Overall survival,survival,benefit\n"
    evidence = load(write_evidence(tmp_path, endpoints=endpoints, survival=f"{text}alpha_2019,os,{row}\n"))
    assert len(evidence.survival) == 1 and {note.column for note in evidence.notes} <= {"ci_level"}


@pytest.mark.parametrize(("row", "column", "cell", "rule"), [
    (3, "time_months", "601", "is above 600 months, 50 years"),
    (6, "estimate", "700", "is above 600 months, 50 years"),
    (5, "person_months", "12001", "is more than 600 months, 50 years, for each of n = 20"),
])
def test_a_time_longer_than_a_working_life_is_noted(tmp_path, row, column, cell, rule):
    text = with_cell(SURVIVAL, row, column, cell)
    (note,) = load(write_files(tmp_path, FULL | {"survival.csv": text})).notes
    assert (note.row, note.column, note.value, note.rule) == (row, column, cell, rule)
    assert note.remedy.startswith("Check that it is in months.")
