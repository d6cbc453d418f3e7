"""What is suspicious but not wrong is noted without stopping the load."""

import pytest

from analysis.evidence import load

from .build import FULL, with_cell, write_files

CASES = [
    ("responses.csv", lambda t: with_cell(t, 2, "n", "60"), 2, "n", "exceeds the 53 treated"),
    ("survival.csv", lambda t: with_cell(t, 3, "n", "54"), 3, "n", "exceeds the 53 treated"),
    ("survival.csv", lambda t: with_cell(t, 2, "ci_level", ""), 2, "ci_level", "read as 95 %"),
    ("survival.csv", lambda t: with_cell(t, 6, "ci_level", "0.95"), 6, "ci_level", "without an interval"),
    ("survival.csv", lambda t: with_cell(t, 4, "ci_low", ""), 4, "ci_low", "said to be not reached"),
    ("reported.csv", lambda t: with_cell(t, 2, "level", ""), 2, "level", "read as 95 %"),
    ("responses.csv", lambda t: t.replace(",timing,", ",timming,"), 1, "timming", "is not read"),
    ("subsets.csv", lambda t: with_cell(t, 3, "value", "CD20"), 3, "value", "holds for no study"),
    ("audit.csv", lambda t: t.splitlines()[0] + "\n", 1, "", "has a header but no rows"),
]


@pytest.mark.parametrize(("file", "change", "row", "column", "rule"), CASES)
def test_a_suspicious_cell_is_noted(tmp_path, file, change, row, column, rule):
    evidence = load(write_files(tmp_path, FULL | {file: change(FULL[file])}))
    assert [(n.file, n.row, n.column) for n in evidence.notes if rule in n.rule] == [(file, row, column)]


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
