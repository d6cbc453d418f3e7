"""Tables as spreadsheets and people write them: empty columns, sep=, words for a missing value, units of time."""

import pytest

from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError, Problem

from .build import FULL, MINIMAL, with_cell, without_column, write_evidence, write_files

STUDIES = "study_id,label,year,median_age,note\nalpha_2019,Alpha 2019,2019,{},\nbeta_2021,Beta 2021,2021,44,x\n"
SURVIVAL = FULL["survival.csv"]


def problems(path, **tables: str) -> list[Problem]:
    with pytest.raises(EvidenceError) as caught:
        load(write_evidence(path, **tables))
    return list(caught.value.problems)


# In "39,5," the comma of 39,5 has moved the note into the age's place; the empty last cell would hide that.
def test_a_number_torn_by_its_comma_is_not_read_as_two(tmp_path):
    (found,) = problems(tmp_path, studies=STUDIES.format("39,5"))
    assert str(found) == (
        "studies.csv row 2 (alpha_2019): has 6 cells where the header has 5, the last one empty. "
        "Write 39.5 if 39,5 is one number, else delete the commas at the end of the row."
    )


def test_a_count_torn_by_its_thousands_separator_is_not_read_as_two(tmp_path):
    text = "study_id,endpoint,events,n,decision\nalpha_2019,cr,1,500,2000,\nbeta_2021,cr,15,20,\n"
    (found,) = problems(tmp_path, responses=text)
    assert (found.row, found.remedy[:36]) == (2, "Write 1500 if 1,500 is one number, e")


def test_surplus_cells_that_tear_no_number_are_accepted_with_a_note(tmp_path):
    text = MINIMAL["responses.csv"].replace("8,10", "8,10,,").replace("15,20", "15,20,")
    evidence = load(write_evidence(tmp_path, responses=text))
    assert [(row.events, row.n) for row in evidence.responses] == [(8, 10), (15, 20)]
    (note,) = evidence.notes
    assert (note.file, note.row) == ("responses.csv", 2)
    assert note.rule == "has empty cells behind those of the header, as 1 later rows have"
    assert "39,5" in note.remedy


def test_every_row_with_a_comma_at_its_end_is_a_way_of_writing(tmp_path):
    text = STUDIES.format("39").replace("39,\n", "39,,\n").replace("x\n", "x,\n")
    evidence = load(write_evidence(tmp_path, studies=text))
    assert [study.columns["median_age"] for study in evidence.studies] == ["39", "44"]


def test_text_below_a_column_without_name_is_named(tmp_path):
    text = MINIMAL["studies.csv"].replace("\n", ",,\n").replace("2019,,", "2019,,old")
    (found,) = problems(tmp_path, studies=text)
    assert (found.row, found.rule) == (2, "has 5 cells, the last old where the header has 3")
    assert found.remedy.startswith("Name column 5 in the header if its cells are needed.")


@pytest.mark.parametrize(("first", "rule", "remedy"), [
    ("sep=x\n", "begins with sep=x, which is no separator of tables", "Write sep=, or sep=;"),
    ("sep=;\n", "is separated by commas", "Write sep=, in the first line."),
])
def test_a_wrong_declaration_is_named(tmp_path, first, rule, remedy):
    (found,) = problems(tmp_path, studies=first + MINIMAL["studies.csv"])
    assert (found.file, found.rule) == ("studies.csv", rule)
    assert remedy in found.remedy


def test_a_table_of_semicolons_says_how_it_can_be_read(tmp_path):
    (found,) = problems(tmp_path, studies=MINIMAL["studies.csv"].replace(",", ";"))
    assert str(found) == (
        "studies.csv row 1: is separated by semicolons. "
        "Use commas, or write sep=; as the first line; numbers have a point, such as 0.38."
    )


def test_below_a_declaration_lines_keep_their_numbers_and_commas_are_no_points(problems_of):
    text = "sep=;\n" + SURVIVAL.replace(",", ";").replace("0.38;", "0,38;").replace("12.9;", "1,234;")
    found = problems_of(survival=text)
    assert [(p.row, p.column, p.value, p.rule) for p in found] == [
        (3, "estimate", "1,234", "has a thousands separator"), (4, "estimate", "0,38", "has a decimal comma")]
    assert found[0].remedy.startswith("Write 1234, or 1.234 if the comma is the decimal mark.")
    assert found[1].remedy.startswith("Write 0.38.")


WORDS = [".", "..", "NR", "n.r.", "(NR)", "n. r.", "nd", "n.d.", "not reported", "Not  Reported", "not available",
         "#DIV/0!", "#REF!", "#VALUE!", "#NUM!", "#NAME?", "unknown", "missing", "NE", "not estimable"]


@pytest.mark.parametrize("word", WORDS)
def test_words_for_missing_are_placeholders_in_numbers_and_choices(problems_of, word):
    for column in ("ci_level", "tier", "upper_not_reached"):
        (found,) = problems_of(survival=with_cell(SURVIVAL, 3, column, word))
        assert (found.row, found.column, found.value, found.rule) == (3, column, word, "is placeholder text")
        assert found.remedy.startswith("Leave the cell empty when the value is missing.")


@pytest.mark.parametrize("word", [".", "NR", "n.d.", "not reported", "#DIV/0!"])
def test_a_category_that_is_not_reported_is_no_category(problems_of, word):
    (found,) = problems_of(studies=with_cell(FULL["studies.csv"], 4, "antigen_target", word))
    assert (found.column, found.rule) == ("antigen_target", "is placeholder text")


def test_an_id_may_look_like_a_word_for_missing(tmp_path):
    endpoints = "endpoint,label,kind,direction\nnr,No response,rate,harm\n"
    responses = MINIMAL["responses.csv"].replace("cr", "nr")
    evidence = load(write_evidence(tmp_path, endpoints=endpoints, responses=responses))
    assert evidence.responses[0].endpoint == "nr"


def test_the_ledger_may_say_that_something_is_not_available(problems_of):
    assert problems_of(extraction=with_cell(FULL["extraction.csv"], 5, "value", "not available")) == ()


def test_a_covariate_cell_in_words_is_told_to_be_empty(problems_of):
    (found,) = problems_of(studies=with_cell(FULL["studies.csv"], 3, "median_age", "unknown"))
    assert "a word for a missing value" in found.rule
    assert found.remedy == "Leave the cell empty when the value is missing."


# A remedy that is followed must not lead to a second refusal that asks for the opposite.
FOLLOWED = [
    ("survival", 2, "n", "delete the row; the study then does not count for this endpoint"),
    ("responses", 2, "events", "delete the row; the study then does not count for this endpoint"),
    ("reported", 2, "estimate", "If it is not known, delete the row."),
    ("endpoints", 2, "direction", "Fill the cell. Write benefit or harm or neutral."),
    ("endpoints", 2, "kind", "Fill the cell. Write rate or survival."),
]


@pytest.mark.parametrize("cell", ["NA", "NR", "", " \u00a0"])
@pytest.mark.parametrize(("table", "row", "column", "remedy"), FOLLOWED)
def test_a_required_cell_without_a_value_says_what_can_be_done(problems_of, table, row, column, remedy, cell):
    found = problems_of(**{table: with_cell(FULL[f"{table}.csv"], row, column, cell)})
    (problem,) = [p for p in found if (p.row, p.column) == (row, column)]
    assert "Leave the cell empty" not in problem.remedy
    assert problem.remedy.startswith("Fill the cell.") and remedy in problem.remedy


LOOPS = [
    (3, "time_months", "NR", "delete the row of a landmark whose time is not known"),
    (2, "statistic", "not reached", "Write median or landmark"),
    (5, "events", "nd", "Leave both events and person_months empty"),
    (5, "person_months", "NR", "Leave both events and person_months empty"),
    (2, "ci_low", "NE", "Leave both limits empty"),
    (2, "ci_high", "NR", "write true in upper_not_reached if this limit of a median was not reached"),
    (2, "ci_high", "not reached", "write true in upper_not_reached"),
    (2, "ci_high", "NE", "write true in upper_not_reached"),
    (2, "ci_high", "inf", "write true in upper_not_reached"),
    (2, "estimate", "NR", "true in upper_not_reached and the follow-up in time_months"),
    (2, "estimate", "", "write true in upper_not_reached if the median was not reached; else delete the row"),
    (3, "estimate", "", "delete the row, or empty statistic and time_months"),
    (3, "time_months", "", "delete the row if it is not known"),
    (2, "ci_high", "", "write true in upper_not_reached if it was not reached, or leave both limits empty"),
]


@pytest.mark.parametrize(("row", "column", "cell", "remedy"), LOOPS)
def test_a_survival_cell_without_a_value_says_what_becomes_of_the_row(problems_of, row, column, cell, remedy):
    (found,) = problems_of(survival=with_cell(SURVIVAL, row, column, cell))
    assert (found.file, found.row, found.column, found.value) == ("survival.csv", row, column, cell)
    assert remedy in found.remedy


def test_different_rows_of_one_label_are_told_apart(problems_of):
    (found,) = problems_of(studies=with_cell(FULL["studies.csv"], 3, "label", "Park 2018"))
    assert str(found) == (
        "studies.csv row 3 (hay_2019): label = 'Park 2018' repeats row 2 in label. "
        "Make the labels differ, such as 'Park 2018a' and 'Park 2018b'."
    )


def test_no_remedy_deletes_one_of_two_different_rows(problems_of):
    for table, text in FULL.items():
        lines = text.splitlines(keepends=True)
        twin = ",".join([*lines[1].rstrip("\n").split(",")[:-1], "another text"]) + "\n"
        for found in problems_of(**{table.removesuffix(".csv"): text + twin}):
            assert "Keep one" not in found.remedy and "Delete one" not in found.remedy, str(found)


# shared/cases/py_column: 240 and 400 person-years are 2,880 and 4,800 person-months.
@pytest.mark.parametrize(("column", "cell", "months"), [
    ("person_years", "240", 2880.0), ("patient_years", "400", 4800.0),
    # 30.4375 days are a month, since 365.25 days are twelve.
    ("person_days", "30437.5", 1000.0), ("person_weeks", "8.696428571428571", 2.0), ("patient_months", "7", 7.0),
])
def test_the_time_at_risk_may_be_in_another_unit(tmp_path, column, cell, months):
    text = with_cell(SURVIVAL.replace("person_months", column), 5, column, cell).replace("20,9,", "20,0,")
    evidence = load(write_files(tmp_path, FULL | {"survival.csv": text}))
    assert evidence.survival[3].person_months == pytest.approx(months, rel=1e-12)
    (note,) = evidence.notes
    assert (note.row, note.column) == (1, column) and note.rule.startswith("is read as person_months after mult")


def test_problems_name_the_column_that_the_table_has(problems_of):
    text = SURVIVAL.replace("person_months", "person_years")
    (found,) = problems_of(survival=with_cell(text, 5, "person_years", ""))
    assert (found.column, found.rule) == ("person_years", "is empty while events is given")
    (found,) = problems_of(survival=with_cell(text, 5, "person_years", "1e12"))
    assert (found.column, found.value, found.rule) == ("person_years", "1e12", "is above 12,000,000,000")


def test_months_win_over_years_beside_them(tmp_path):
    text = "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,events,person_years,person_months\n"
    endpoints = MINIMAL["endpoints.csv"] + "os,Overall survival,survival,benefit\n"
    evidence = load(write_evidence(tmp_path, endpoints=endpoints, survival=text + "alpha_2019,os,,,,,,20,4,3,37\n"))
    assert evidence.survival[0].person_months == 37
    assert [(n.column, n.rule) for n in evidence.notes] == [("person_years", "is not read beside person_months")]


@pytest.mark.parametrize("exposure", ["person_months", "person_years"])
def test_events_over_time_at_risk_need_no_columns_of_estimates(tmp_path, exposure):
    endpoints = MINIMAL["endpoints.csv"] + "os,Overall survival,survival,benefit\n"
    text = f"study_id,endpoint,events,{exposure},n\nalpha_2019,os,5,60,20\nbeta_2021,os,5,{{}},20\n"
    evidence = load(write_evidence(tmp_path, endpoints=endpoints, survival=text.format(50)))
    assert [(row.events, row.statistic, row.estimate) for row in evidence.survival] == [(5, "", None)] * 2
    found = problems(tmp_path, endpoints=endpoints, survival=text.format(""))
    lacking = [problem for problem in found if problem.rule == "is missing from the header"]
    assert [p.column for p in lacking] == ["statistic", "time_months", "estimate", "ci_low", "ci_high"]
    assert all("It may be empty, or absent where all are, in rows with events and person_months." in p.remedy
               for p in lacking)


@pytest.mark.parametrize(("column", "remedy"), [
    ("time_years", "time_years is not read: multiply years by 12."),
    ("time_weeks", "time_weeks is not read: divide weeks by 4.34821."),
    ("time_days", "time_days is not read: divide days by 30.4375."),
])
def test_a_time_in_another_unit_is_named(problems_of, column, remedy):
    found = problems_of(survival=SURVIVAL.replace("time_months", column))
    assert [(p.row, p.column, p.rule) for p in found] == [(1, "time_months", "is missing from the header")]
    assert found[0].remedy.endswith(remedy)


def test_a_horizon_in_another_unit_is_noted(tmp_path):
    text = FULL["endpoints.csv"].replace("horizon_months", "horizon_years")
    (note,) = load(write_files(tmp_path, FULL | {"endpoints.csv": text})).notes
    assert (note.column, note.rule) == ("horizon_years", "is not read")
    assert note.remedy == "Give horizon_months instead: multiply years by 12."


def test_a_known_column_is_never_taken_for_a_missing_one(problems_of):
    (found,) = problems_of(survival=without_column(SURVIVAL, "time_months"))
    assert "Is it" not in found.remedy
    (found,) = problems_of(survival=SURVIVAL.replace("time_months", "time_month"))
    assert found.remedy.endswith("Is it the one called time_month?")


def test_a_similar_id_is_asked_after_and_not_the_only_way(problems_of):
    (found,) = problems_of(scenarios=with_cell(FULL["scenarios.csv"], 2, "study_id", "hay_2091"))
    assert found.remedy.startswith("Did you mean hay_2019? Else add it there.")


@pytest.mark.parametrize("cell", ["\u200b", "\u2060 \u00ad", "\u00a0\u200e"])
def test_a_cell_of_which_nothing_can_be_seen_is_empty(problems_of, cell):
    (found,) = problems_of(studies=with_cell(FULL["studies.csv"], 3, "label", cell))
    assert (found.row, found.column, found.rule) == (3, "label", "is empty")
    assert problems_of(studies=with_cell(FULL["studies.csv"], 3, "median_age", cell)) == ()


@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u00ad", "\u200f"])
def test_an_invisible_character_in_a_number_is_named(problems_of, mark):
    (found,) = problems_of(survival=with_cell(SURVIVAL, 2, "estimate", f"12{mark}.9"))
    assert found.rule == f"holds the invisible character U+{ord(mark):04X}"
    assert found.remedy.startswith("Write 12.9.")
