"""Rules between rows and tables find their violations and leave legal neighbours alone."""

import pytest

from analysis.evidence.columns import TABLES
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError

from .build import FULL, MINIMAL, with_cell, without_column, write_evidence, write_files


def test_a_row_of_nothing_is_refused(problems_of):
    row = "gu_2020,os,OS,all_treated,,later,,,,,,,,20,,,B,F0201,\n"
    (found,) = problems_of(survival=FULL["survival.csv"] + row)
    assert (found.row, found.column) == (7, "statistic")
    assert "is empty, and so are events and person_months" in found.rule


def test_a_repeated_survival_statistic_is_refused(problems_of):
    text = FULL["survival.csv"]
    (found,) = problems_of(survival=text + text.splitlines(keepends=True)[2])
    assert (found.row, found.column) == (7, "study_id")
    assert found.rule.startswith("repeats row 3")


@pytest.mark.parametrize(("column", "other"), [("population", "evaluable"), ("stratum", "young"), ("cut", "later"),
                                               ("time_months", "24")])
def test_survival_rows_that_differ_are_kept_apart(problems_of, column, other):
    cells = FULL["survival.csv"] + FULL["survival.csv"].splitlines(keepends=True)[2]
    assert problems_of(survival=with_cell(cells, 7, column, other)) == ()


def test_one_row_per_tier(problems_of):
    row = "park_2018,cr,40,50,evaluable,,{},F0123,\n"
    (found,) = problems_of(responses=FULL["responses.csv"] + row.format("A"))
    assert (found.row, found.column) == (6, "tier")
    assert problems_of(responses=FULL["responses.csv"] + row.format("C")) == ()


def test_longer_cycles_of_parents_are_found(problems_of):
    text = with_cell(FULL["endpoints.csv"], 2, "parent", "any") + "any,Any response,rate,benefit,mrd_neg,,\n"
    found = {(p.row, p.column) for p in problems_of(endpoints=text)}
    assert found == {(2, "parent"), (3, "parent"), (6, "parent")}


def test_a_grandchild_may_not_exceed_its_grandparent(problems_of):
    endpoints = FULL["endpoints.csv"] + "deep,Deep remission,rate,benefit,mrd_neg,,\n"
    found = problems_of(endpoints=endpoints, responses=FULL["responses.csv"] + "hay_2019,deep,46,53,,,A,F0126,\n")
    assert [(p.row, p.column) for p in found] == [(6, "events")]


def test_a_part_of_other_patients_may_exceed_its_whole(problems_of):
    assert problems_of(responses=with_cell(FULL["responses.csv"], 3, "n", "52").replace(",32,52", ",50,52")) == ()


def test_references_to_an_absent_table_are_not_checked(tmp_path):
    kept = {name: text for name, text in FULL.items() if name not in ("extraction.csv", "sources.csv")}
    assert load(write_files(tmp_path, kept)).facts == ()


def test_a_published_median_may_be_open_above(problems_of):
    assert problems_of(reported=with_cell(FULL["reported.csv"], 3, "ci_high", "")) == ()


@pytest.mark.parametrize(("table", "column"), [*(("studies", c) for c in ("study_id", "label")),
                                               *(("endpoints", c)
                                                 for c in ("endpoint", "label", "kind", "direction")),
                                               *(("responses", c) for c in ("study_id", "endpoint", "events", "n"))])
def test_a_missing_column_is_named(tmp_path, table, column):
    with pytest.raises(EvidenceError) as caught:
        load(write_evidence(tmp_path, **{table: without_column(MINIMAL[f"{table}.csv"], column)}))
    found = caught.value.problems
    assert [(p.file, p.row, p.column) for p in found] == [(f"{table}.csv", 1, column)]
    assert found[0].rule == "is missing from the header"


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.unique], ids=lambda t: t.file)
def test_a_row_may_not_stand_twice(problems_of, table):
    text = FULL[table.file]
    found = problems_of(**{table.file.removesuffix(".csv"): text + text.splitlines(keepends=True)[1]})
    assert (text.count("\n") + 1, next(iter(table.unique))[0]) in [(p.row, p.column) for p in found]
    assert all(p.rule.startswith("repeats row 2 in ") for p in found)
    assert all(p.remedy.startswith("Delete one of the two rows, which are the same.") for p in found)


def test_a_repeated_row_is_one_problem(problems_of):
    text = FULL["responses.csv"]
    (found,) = problems_of(responses=text + text.splitlines(keepends=True)[3])
    assert (found.row, found.rule) == (6, "repeats row 4 in study_id, endpoint, population")


def test_a_row_without_study_is_one_problem(problems_of):
    (found,) = problems_of(responses=with_cell(FULL["responses.csv"], 2, "study_id", ""))
    assert (found.row, found.column, found.rule) == (2, "study_id", "is empty")


def test_a_logarithm_needs_a_number_above_zero(problems_of):
    covariates = with_cell(FULL["covariates.csv"], 2, "transformation", "log10")
    (found,) = problems_of(studies=with_cell(FULL["studies.csv"], 3, "median_age", "0"), covariates=covariates)
    assert (found.row, found.column) == (3, "median_age") and "has no logarithm" in found.rule


@pytest.mark.parametrize("column", ["covariate", "label", "column"])
def test_a_missing_column_of_covariates_is_named(problems_of, column):
    found = problems_of(covariates=without_column(FULL["covariates.csv"], column))
    assert [(p.file, p.row, p.column) for p in found] == [("covariates.csv", 1, column)]


@pytest.mark.parametrize(
    ("cells", "row", "rule"),
    [
        ({2: "park_2018"}, 2, "names the study itself"),
        ({2: "hay_2019 nobody", 3: "park_2018"}, 2, "nobody, which is not in studies.csv"),
    ],
)
def test_studies_share_patients_with_other_studies(problems_of, cells, row, rule):
    text = FULL["studies.csv"].replace("age,note", "age,overlaps_with").replace('"two strata, printed apart"', "")
    for line, value in cells.items():
        text = with_cell(text, line, "overlaps_with", value)
    assert [(p.row, p.column) for p in problems_of(studies=text) if rule in p.rule] == [(row, "overlaps_with")]


def test_mutual_overlaps_are_read_as_lists(tmp_path):
    studies = (
        "study_id,label,year,overlaps_with\nalpha_2019,A,2019,beta_2021; gamma\nbeta_2021,B,2021,alpha_2019\n"
        "gamma,C,2021,alpha_2019\n"
    )
    found = load(write_evidence(tmp_path, studies=studies)).studies
    assert [study.overlaps_with for study in found] == [("beta_2021", "gamma"), ("alpha_2019",), ("alpha_2019",)]


def test_all_is_a_reserved_subset_and_as_printed_a_reserved_scenario(problems_of):
    text = FULL["subsets.csv"]
    (found,) = problems_of(subsets=text + "all,All of them,cohort,adult\n")
    assert (found.row, found.column) == (5, "column") and "always holds every study" in found.rule
    assert problems_of(subsets=text + "all,All studies,,\n") == ()
    (found,) = problems_of(scenarios=with_cell(FULL["scenarios.csv"].split("adults,cr,400,478,park")[0], 2,
                                               "scenario", "as_printed"))
    assert (found.row, found.column) == (2, "scenario")


def test_a_study_without_its_place_beside_studies_with_one_is_refused(problems_of):
    """It would count in the review's headline and, with --set extension, among the later studies as well."""
    text = FULL["studies.csv"]
    (found,) = problems_of(studies=with_cell(text, 4, "in_review", ""))
    assert (found.row, found.column) == (4, "in_review") and "true" in found.remedy
    for line in (2, 3, 4):
        text = with_cell(text, line, "in_review", "")
    assert problems_of(studies=text) == () and problems_of(studies=without_column(text, "in_review")) == ()
