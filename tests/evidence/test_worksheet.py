"""The sheet of missing numbers: what it asks for, what it says, and that filling it changes the answer."""

import shlex
from pathlib import Path
from shutil import copytree

import openpyxl
import pytest

from analysis.__main__ import main
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.commands.worksheet import COLUMNS
from analysis.evidence.gaps import DOUBTFUL, MISSING, wanted
from analysis.evidence.loading import load
from tests.data.checksums import main as checksums
from tests.data.tables import FOLDER
from tests.evidence.build import write_files

FOUND = {"Li 2018": (8, 10), "Ma 2020": (7, 9), "Wang J 2020": (20, 23)}


@pytest.fixture
def place(tmp_path):
    return Path(copytree(FOLDER, tmp_path / "copy"))


def filled(path: Path, cells: dict[tuple[str, str], dict[str, object]]) -> Path:
    book = openpyxl.load_workbook(path)
    for row in book.active.iter_rows(min_row=2):
        for name, value in cells.get((row[0].value, row[1].value), {}).items():
            row[COLUMNS.index(name)].value = value
    book.save(path)
    return path


def test_every_cell_without_a_sure_number_is_asked_for(tmp_path):
    evidence = load(FOLDER)
    rows = list(wanted(evidence))
    sure = {(row.study_id, row.endpoint) for row in (*evidence.responses, *evidence.survival) if row.tier in "AB"}
    assert {(row.study.study_id, row.endpoint.endpoint) for row in rows} == {
        (study.study_id, endpoint.endpoint) for study in evidence.studies for endpoint in evidence.endpoints} - sure
    by_key = {(row.study.study_id, row.endpoint.endpoint): row for row in rows}
    assert by_key["li_2018", "cr"].state == MISSING and by_key["ortiz_maldonado_2020", "cr"].state == DOUBTFUL
    assert "no k/53" in by_key["park_2018", "mrd_neg"].known
    assert "10.1056/" in by_key["park_2018", "mrd_neg"].where_to_look
    assert main(["worksheet", str(tmp_path / "gaps.xlsx")]) == 0
    sheet = openpyxl.load_workbook(tmp_path / "gaps.xlsx").active
    assert sheet.max_row == len(rows) + 1
    assert {validation.type for validation in sheet.data_validations.dataValidation} == {"whole", "list", "decimal"}


def test_filling_three_counts_changes_what_is_analysed_and_nothing_else_needs_an_edit(place, tmp_path, capsys):
    before = len(select(load(place), Question("cr")).study_ids)
    assert main(["worksheet", str(tmp_path / "gaps.xlsx"), "--data", str(place)]) == 0
    path = filled(tmp_path / "gaps.xlsx", {(label, "cr"): {
        "events": y, "n": n, "locator": "Table 2", "extracted_by": "AB", "note": "made up"}
        for label, (y, n) in FOUND.items()})
    assert main(["update", str(path), "--data", str(place)]) == 0
    evidence = load(place)
    assert (before, len(select(evidence, Question("cr")).study_ids)) == (10, 13)
    facts = {fact.study_id: fact for fact in evidence.facts if fact.source_id == "gaps"}
    assert {(fact.locator, fact.note) for fact in facts.values()} == {("Table 2", "made up; extracted by AB")}
    assert set(facts) == {"li_2018", "ma_2020", "wang_j_2020"}
    # The overviews are generated.
    assert checksums(["--data", str(place), "--write"]) == 0
    assert "| Li 2018 (10) | 8/10 **B** |" in (place / "gaps.md").read_text()
    assert len(list(wanted(evidence))) == len(list(wanted(load(FOLDER)))) - 3


def test_an_empty_sheet_changes_nothing_and_a_wrong_cell_is_named(place, tmp_path, capsys):
    path = tmp_path / "gaps.xlsx"
    assert main(["worksheet", str(path), "--data", str(place)]) == 0
    files = {file.name: file.read_bytes() for file in place.iterdir()}
    assert main(["update", str(path), "--data", str(place)]) == 2
    assert "no row is filled" in capsys.readouterr().err
    filled(path, {("Li 2018", "cr"): {"events": 12, "n": 10}})
    assert main(["update", str(path), "--data", str(place)]) == 2
    assert "(li_2018, cr): events = 12 exceeds n = 10" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in place.iterdir()} == files


def test_text_of_the_evidence_is_no_formula(tmp_path):
    place = write_files(tmp_path / "own", {
        "studies.csv": "study_id,label\na,=1+1\nb,B\n", "responses.csv": "study_id,endpoint,events,n\nb,cr,3,9\n",
        "endpoints.csv": "endpoint,label,kind,direction\ncr,CR,rate,benefit\n"})
    assert main(["worksheet", str(tmp_path / "gaps.xlsx"), "--data", str(place)]) == 0
    cell = openpyxl.load_workbook(tmp_path / "gaps.xlsx").active["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    assert main(["worksheet", str(tmp_path / "gaps.csv"), "--data", str(place)]) == 2


def test_a_file_that_exists_is_not_written_over(place, tmp_path, capsys):
    path = tmp_path / "gaps.xlsx"
    assert main(["worksheet", str(path), "--data", str(place)]) == 0
    filled(path, {("Li 2018", "cr"): {"events": 8, "n": 10}})
    before = path.read_bytes()
    assert main(["worksheet", str(path), "--data", str(place)]) == 2
    assert f"{path} cannot be written: it exists" in (told := capsys.readouterr().err)
    assert "move it or give another name" in told and path.read_bytes() == before


def test_the_next_command_is_of_the_same_evidence_and_works(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["worksheet", "a.xlsx"]) == 0
    assert capsys.readouterr().out.endswith("then: recart update a.xlsx --dry-run\n")
    assert main(["worksheet", "b.xlsx", "--data", place.name]) == 0
    assert capsys.readouterr().out.endswith("then: recart update b.xlsx --data copy --dry-run\n")
    Path("my own.csv").write_text("study,endpoint,events,n\nA,CR,5,10\nB,CR,6,12\nB,Relapse,2,12\n")
    assert main(["worksheet", "c.xlsx", "--data", "my own.csv"]) == 0
    commands = capsys.readouterr().out.partition("then: ")[2]
    assert commands == ("recart init 'my own' --from 'my own.csv' && "
                        "recart update c.xlsx --data 'my own' --dry-run\n")
    filled(Path("c.xlsx"), {("A", "relapse"): {"events": 1, "n": 10}})
    for command in commands.split(" && "):
        assert main(shlex.split(command)[1:]) == 0
    assert "0 studies added (none), 1 updated (a)" in capsys.readouterr().out
