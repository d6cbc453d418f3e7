"""How survival handled transplants and non-responders, and a study's risk of bias: read, refused, asked for."""

import pytest

from analysis.cases.selection import select
from analysis.cases.settings import Job, Question
from analysis.chapters.subsets.rows import SUBSET_DIFFERENCES, subset_rows
from analysis.evidence.loading import load
from tests.casing import rows_of

from .build import FULL, cells_of, table_of, with_cell, write_files


def with_column(text, column, *values):
    """A table with one more column, its values from the first row on and empty below."""
    header, *rows = cells_of(text)
    values = [*values, *[""] * len(rows)]
    return table_of([[*header, column], *([*row, value] for row, value in zip(rows, values, strict=False))])


# Rows: Park's OS and EFS, Hay's OS, Gu's OS and RFS.
TABLES = {"studies": with_column(FULL["studies.csv"], "risk_of_bias", "Some concerns", "", "High"),
          "survival": with_column(with_column(FULL["survival.csv"], "censored_at_hct", "TRUE", "false", "", "False"),
                                  "non_responders", "Event at 0", "", "", "", "excluded")}
SUBSETS = FULL["subsets.csv"] + """\
censored,Censored,censored_at_hct,true
followed,Followed,censored_at_hct,false
all_in,Events at 0,non_responders,event at 0
biased,High risk of bias,risk_of_bias,high
"""


def evidence_of(folder, **tables):
    return load(write_files(folder, FULL | {f"{name}.csv": text for name, text in (TABLES | tables).items()}))


def studies(evidence, endpoint, subset):
    return select(evidence, Question(endpoint, subset=subset, study_set="all")).study_ids


def test_cells_are_read_in_any_letters_and_may_be_empty_or_absent(tmp_path):
    evidence = evidence_of(tmp_path / "with")
    assert [row.censored_at_hct for row in evidence.survival] == [True, False, None, False, None]
    assert [row.non_responders for row in evidence.survival] == ["event at 0", "", "", "", "excluded"]
    assert [study.risk_of_bias for study in evidence.studies] == ["some concerns", "", "high"]
    without = load(write_files(tmp_path / "without", FULL))
    assert {(row.censored_at_hct, row.non_responders) for row in without.survival} == {(None, "")}
    assert {study.risk_of_bias for study in without.studies} == {""}
    for endpoint in ("cr", "os", "pfs"):
        chosen = [select(one, Question(endpoint, study_set="all")) for one in (evidence, without)]
        assert chosen[0].study_ids == chosen[1].study_ids and chosen[0].left_out == chosen[1].left_out


@pytest.mark.parametrize(("file", "row", "column", "cell", "rule", "remedy"), [
    ("survival", 2, "censored_at_hct", "yes", "is neither true nor false", "Write true or false."),
    ("survival", 3, "censored_at_hct", "unknown", "is placeholder text", "Leave the cell empty"),
    ("survival", 6, "non_responders", "dropped", "is not one of event at 0, excluded", "Write event at 0 or"),
    ("survival", 4, "non_responders", "not stated", "is placeholder text", "Leave the cell empty"),
    ("studies", 3, "risk_of_bias", "medium", "is not one of low, some concerns, moderate", "Write low or some")])
def test_other_words_are_refused_with_their_place(problems_of, file, row, column, cell, rule, remedy):
    (problem,) = problems_of(**TABLES | {file: with_cell(TABLES[file], row, column, cell)})
    assert (problem.file, problem.row, problem.column, problem.value) == (f"{file}.csv", row, column, cell)
    assert rule in problem.rule and remedy in problem.remedy


def test_a_subset_asks_each_row_of_survival_and_each_study(tmp_path):
    evidence = evidence_of(tmp_path, subsets=SUBSETS)
    assert not [note for note in evidence.notes if note.file == "subsets.csv"]
    assert studies(evidence, "os", "censored") == ("park_2018",) and studies(evidence, "pfs", "censored") == ()
    assert studies(evidence, "os", "followed") == ("gu_2020",)
    assert studies(evidence, "pfs", "followed") == ("park_2018",)
    assert studies(evidence, "os", "all_in") == ("park_2018",)
    assert [studies(evidence, endpoint, "biased") for endpoint in ("cr", "os")] == [("gu_2020",)] * 2
    assert studies(evidence, "cr", "censored") == (), "a count says nothing of how a curve was made"


def test_a_column_of_studies_goes_before_the_one_of_survival(tmp_path):
    own = with_column(TABLES["studies"], "censored_at_hct", "", "true")
    assert studies(evidence_of(tmp_path, subsets=SUBSETS, studies=own), "os", "censored") == ("hay_2019",)


def test_rules_about_a_column_that_is_not_there_or_holds_words_or_holds_for_nobody(problems_of, tmp_path):
    (problem, *_) = problems_of(subsets=SUBSETS)
    assert problem.value == "censored_at_hct" and problem.rule == "is no column of studies.csv"
    (problem,) = problems_of(**TABLES, subsets=FULL["subsets.csv"] + "x,X,non_responders,>=1\n")
    assert "row 2 of survival.csv holds 'Event at 0'" in problem.rule
    evidence = evidence_of(tmp_path, subsets=FULL["subsets.csv"] + "x,X,non_responders,Excluded\n")
    assert [note.remedy for note in evidence.notes if note.file == "subsets.csv"] == [
        "Check the spelling against survival.csv."]
    (problem,) = problems_of(**TABLES, covariates="covariate,label,column\nx,X,censored_at_hct\n")
    assert problem.rule == "is no column of studies.csv"


def test_strata_of_different_sides_leave_their_study_on_neither(tmp_path):
    strata = ("study_id,endpoint,stratum,statistic,time_months,estimate,ci_low,ci_high,n,censored_at_hct\n"
              "park_2018,os,x,median,,12,,,30,true\npark_2018,os,y,median,,9,,,23,{}\n"
              "hay_2019,os,,median,,18,,,53,true\ngu_2020,os,,median,,8,,,20,false\n")
    for cell, sides in (("false", (1, 1, 1)), ("true", (2, 1, 0))):
        evidence = evidence_of(tmp_path, survival=strata.format(cell), extraction=None, responses=None, reported=None,
                               totals=None, scenarios=None, comparisons=None,
                               subsets="subset,label,column,value\nx,X,censored_at_hct,true\n")
        (row,) = rows_of(subset_rows, SUBSET_DIFFERENCES, evidence, Job(Question("os", study_set="all")))
        assert (row["subset_k"], row["rest_k"], row["unknown_k"]) == sides
