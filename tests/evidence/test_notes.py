"""What is suspicious but not wrong is noted without stopping the load."""

import pytest

from analysis.evidence.loading import load

from .build import FULL, with_cell, without_column, write_files

CASES = [
    ("responses.csv", lambda t: with_cell(t, 2, "n", "60"), 2, "n", "exceeds the 53 treated"),
    ("survival.csv", lambda t: with_cell(t, 3, "n", "54"), 3, "n", "exceeds the 53 treated"),
    ("survival.csv", lambda t: with_cell(t, 2, "ci_level", ""), 2, "ci_level", "read as 95 %"),
    ("survival.csv", lambda t: with_cell(t, 6, "ci_level", "0.95"), 6, "ci_level", "without an interval"),
    ("survival.csv", lambda t: with_cell(t, 4, "ci_low", ""), 4, "ci_low", "said to be not reached"),
    ("reported.csv", lambda t: with_cell(t, 2, "level", ""), 2, "level", "read as 95 %"),
    ("responses.csv", lambda t: t.replace(",timing,", ",timming,"), 1, "timming", "is not read"),
    ("subsets.csv", lambda t: with_cell(t, 3, "value", "CD20"), 3, "value", "holds for no study"),
    ("subsets.csv", lambda t: _condition(t, ">=53.1"), 3, "value", "holds for no study"),
    ("subsets.csv", lambda t: with_cell(t, 4, "value", "combined"), 3, "subset", "no study meets rows 3 and 4"),
    ("studies.csv", lambda t: with_cell(t, 4, "antigen_target", "unknown"), 4, "antigen_target", "not as missing"),
    ("survival.csv", lambda t: with_cell(t, 4, "estimate", ""), 4, "estimate", "since the median was not reached"),
    ("survival.csv", lambda t: with_cell(t, 3, "ci_high", "1.03"), 3, "ci_high", "is read as 1"),
    ("survival.csv", lambda t: with_cell(t, 3, "ci_low", "-0.02"), 3, "ci_low", "is read as 0"),
    ("survival.csv", lambda t: with_cell(t, 2, "ci_low", "-2"), 2, "ci_low", "is read as 0"),
    ("survival.csv", lambda t: with_cell(t, 5, "events", "21"), 5, "events", "several events"),
    ("audit.csv", lambda t: t.splitlines()[0] + "\n", 1, "", "has a header but no rows"),
]


def _condition(text: str, value: str) -> str:
    return with_cell(with_cell(text, 3, "column", "n_treated"), 3, "value", value)


@pytest.mark.parametrize(("file", "change", "row", "column", "rule"), CASES)
def test_a_suspicious_cell_is_noted(tmp_path, file, change, row, column, rule):
    evidence = load(write_files(tmp_path, FULL | {file: change(FULL[file])}))
    assert [(n.file, n.row, n.column) for n in evidence.notes if rule in n.rule] == [(file, row, column)]


TOTAL = "study_id,endpoint,events,n\nhay_2019,cr,{}\ngu_2020,cr,{}\npark_2018,cr,{}\n"


@pytest.mark.parametrize(("counts", "row"), [
    (("5,10", "12,22", "7,12"), 3), (("0,10", "0,12", "0,22"), 4), (("5,10", "11,22", "7,12"), None),
    (("5,10", "12,23", "7,12"), None)])
def test_a_row_that_is_the_sum_of_the_others_is_noted(tmp_path, counts, row):
    notes = load(write_files(tmp_path, FULL | {"responses.csv": TOTAL.format(*counts), "extraction.csv": None})).notes
    found = [note for note in notes if "are the sums of all other rows" in note.rule]
    assert [(note.file, note.row, note.column) for note in found] == [("responses.csv", row, "events")] * bool(row)
    assert all(note.remedy == "Delete the row if it is their total." for note in found)


def test_a_table_under_a_similar_name_is_noted(tmp_path):
    evidence = load(write_files(tmp_path, FULL | {"response.csv": "x\n", "other.csv": "x\n"}))
    assert [(n.file, n.rule, n.remedy) for n in evidence.notes] == [
        ("response.csv", "is not read", "Rename it if responses.csv is meant.")
    ]


@pytest.mark.parametrize(("design", "note"), [
    ("retrospective", "leaves the study out"), ("  Retrospective ", "leaves the study out"),
    ("retrospective cohort", "is not read as retrospective"), ("prospective", ""), ("", "")])
def test_what_a_design_does_to_a_study_is_noted(tmp_path, design, note):
    studies = with_cell(FULL["studies.csv"], 4, "design", design)
    found = load(write_files(tmp_path, FULL | {"studies.csv": studies})).notes
    places = [(n.file, n.row) for n in found if n.column == "design"]
    assert places == [("studies.csv", 4)] * bool(note)
    assert all(note in n.rule and n.subject == "gu_2020" and "etrospective" in n.remedy for n in found)


# n_treated is 53, 53 and 20, the median ages 44, 39.5 and empty: each of these holds for a study.
@pytest.mark.parametrize(("column", "value"), [
    ("n_treated", ">=53"), ("n_treated", "<53 >19"), ("n_treated", "<=20"), ("median_age", ">=39.5 <40"),
    ("median_age", ">40"), ("n_treated", "53"), ("antigen_target", "CD22"),
])
def test_a_condition_that_holds_for_a_study_earns_no_note(tmp_path, column, value):
    text = with_cell(with_cell(FULL["subsets.csv"], 3, "column", column), 3, "value", value)
    text = text.splitlines(keepends=True)[:3]
    assert load(write_files(tmp_path, FULL | {"subsets.csv": "".join(text)})).notes == ()


def test_a_bound_that_nobody_meets_is_told_from_a_wrong_spelling(tmp_path):
    for value, word in ((">99", "bound"), ("99", "spelling")):
        text = "".join(_condition(FULL["subsets.csv"], value).splitlines(keepends=True)[:3])
        (note,) = load(write_files(tmp_path, FULL | {"subsets.csv": text})).notes
        assert (note.file, note.row, note.value) == ("subsets.csv", 3, value)
        assert note.remedy == f"Check the {word} against studies.csv."


ALIKE = [
    ("M\u00fcller 2018", "Mu\u0308ller 2018", "U+0075, U+00FC, U+0308"),
    ("Park 2018", "Park\u00a02018", "U+0020, U+00A0"),
    ("Park 2018", "Pa\u200brk 2018", "U+200B"),
    ("Park 2018", "Park\u00ad 2018", "U+00AD"),
    ("Park 2018", "\u202aPark 2018\u202c", "U+202A, U+202C"),
    ("Park 2018", "Park 2018\u200f", "U+200F"),
    ("Park 2018", "Park  2018", "the order or number of its characters"),
    ("Of\ufb01ce 2018", "Office 2018", "U+0069, U+FB01"),
]


@pytest.mark.parametrize(("first", "second", "difference"), ALIKE)
def test_labels_that_cannot_be_told_apart_are_noted(tmp_path, first, second, difference):
    text = with_cell(with_cell(FULL["studies.csv"], 2, "label", first), 3, "label", second)
    (note,) = load(write_files(tmp_path, FULL | {"studies.csv": text})).notes
    assert (note.file, note.row, note.column, note.value) == ("studies.csv", 3, "label", second)
    assert note.rule == f"looks the same as in row 2 and differs in {difference}"
    assert str(note).isprintable()


def test_a_category_with_an_invisible_character_is_noted(tmp_path):
    text = with_cell(FULL["studies.csv"], 4, "antigen_target", "CD19\u200b")
    (note,) = load(write_files(tmp_path, FULL | {"studies.csv": text})).notes
    assert (note.row, note.column) == (4, "antigen_target") and "U+200B" in note.rule


@pytest.mark.parametrize("label", ["M\u00fcller 2018", "Mu\u0308ller 2018", "\u674e 2018", "Park 2018 "])
def test_a_label_like_no_other_earns_no_note(tmp_path, label):
    text = with_cell(FULL["studies.csv"], 3, "label", label.replace("Park", "Bark"))
    assert load(write_files(tmp_path, FULL | {"studies.csv": text})).notes == ()


# A row of a median that was not reached, with its follow-up of 24 months.
NOT_REACHED = "hay_2019,pfs,EFS,all_treated,,primary,median,24,,{},,,true,53,,,A,F0127,\n"


@pytest.mark.parametrize(("lower", "columns"), [("15.9", ["ci_level", "estimate"]), ("", ["estimate"])])
def test_a_median_that_was_not_reached_is_a_valid_row(tmp_path, lower, columns):
    evidence = load(write_files(tmp_path, FULL | {"survival.csv": FULL["survival.csv"] + NOT_REACHED.format(lower)}))
    row = evidence.survival[-1]
    assert (row.estimate, row.time_months, row.median_not_reached) == (None, 24.0, True)
    assert [other.median_not_reached for other in evidence.survival[:-1]] == [False] * 5
    assert sorted(note.column for note in evidence.notes) == columns
    assert "enters curves only" in [note for note in evidence.notes if note.column == "estimate"][0].rule


def test_the_follow_up_of_a_median_that_was_not_reached_is_asked_for(tmp_path):
    text = with_cell(FULL["survival.csv"], 4, "estimate", "")
    notes = load(write_files(tmp_path, FULL | {"survival.csv": text})).notes
    assert [(n.row, n.column) for n in notes] == [(4, "estimate"), (4, "time_months")]
    assert notes[1].remedy.startswith("Give the follow-up")


def test_counts_beside_a_median_that_was_not_reached_are_analysed(tmp_path):
    text = FULL["survival.csv"]
    for column, cell in (("estimate", ""), ("events", "3"), ("person_months", "99")):
        text = with_cell(text, 4, column, cell)
    evidence = load(write_files(tmp_path, FULL | {"survival.csv": text}))
    assert not evidence.survival[2].median_not_reached and evidence.notes == ()


def test_a_study_without_facts_or_tier_is_a_problem_beside_others_that_have_them(problems_of):
    found = problems_of(responses=FULL["responses.csv"] + "gu_2020,mrd_neg,9,20,,,,,\n")
    assert [str(problem) for problem in found] == [
        "responses.csv row 6 (gu_2020, mrd_neg): fact_ids is empty, though every decision rests on facts of "
        "extraction.csv. Cite the facts that carry the number; add them to extraction.csv if it lacks them.",
        "responses.csv row 6 (gu_2020, mrd_neg): tier is empty, though other decisions have one. Write A, B or C.",
    ]


@pytest.mark.parametrize("column", ["fact_ids", "tier"])
def test_a_table_without_the_column_is_one_problem(problems_of, column):
    found = problems_of(survival=without_column(FULL["survival.csv"], column))
    assert [(p.file, p.row, p.column) for p in found] == [("survival.csv", 1, column)]
    assert found[0].rule.startswith("is missing from the header, though")


def test_a_fact_is_cited_once(problems_of):
    (found,) = problems_of(responses=with_cell(FULL["responses.csv"], 2, "fact_ids", "F0123 F0124 F0123"))
    assert (found.row, found.column, found.rule) == (2, "fact_ids", "holds F0123 twice")


def test_without_a_ledger_neither_facts_nor_tiers_are_asked_for(tmp_path):
    bare = {name: text for name, text in FULL.items() if name != "extraction.csv"}
    text = FULL["responses.csv"] + "gu_2020,mrd_neg,9,20,,,,,\n"
    assert load(write_files(tmp_path / "a", bare | {"responses.csv": text})).responses[-1].tier == ""
    unlinked = FULL | {"responses.csv": without_column(FULL["responses.csv"], "fact_ids"),
                       "survival.csv": without_column(FULL["survival.csv"], "fact_ids")}
    assert load(write_files(tmp_path / "b", unlinked)).responses[-1].fact_ids == ()


@pytest.mark.parametrize(("cut", "said"), [("primary", True), ("later", False)])
def test_survival_that_rises_within_one_curve_is_noted(tmp_path, cut, said):
    rows = ("a,os,OS,all_treated,,primary,landmark,12,0.55,,,,,10,,,,,\n"
            f"a,os,OS,all_treated,,{cut},landmark,24,0.85,,,,,10,,,,,\n")
    header = FULL["survival.csv"].splitlines()[0] + "\n"
    evidence = load(write_files(tmp_path, {
        "studies.csv": "study_id,label\na,A\n", "survival.csv": header + rows,
        "endpoints.csv": "endpoint,label,kind,direction\nos,OS,survival,benefit\n"}))
    rising = [note for note in evidence.notes if "above 55 % after 12 months in row 2" in note.rule]
    assert bool(rising) == said and evidence.notes_on("os") == evidence.notes and all(note.row == 3 for note in rising)


def test_notes_on_an_endpoint_are_not_those_on_others(shipped):
    (note,) = (note for note in shipped.notes if note.rule.startswith("exceeds the 51 treated"))
    assert note in shipped.notes_on("nt_grade3plus") and note not in shipped.notes_on("cr")
