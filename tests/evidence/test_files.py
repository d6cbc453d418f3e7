"""Files of the wrong form are refused with the line at fault; harmless variants are accepted."""

import csv
import os
from pathlib import Path

import pytest

from analysis.evidence import files
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError, Problem

from .build import FULL, MINIMAL, write_evidence

STUDIES = MINIMAL["studies.csv"]
RESPONSES = MINIMAL["responses.csv"]


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(EvidenceError) as caught:
        load(path)
    return caught.value.problems


def only_problem(path: Path, **tables: str | bytes | None) -> Problem:
    (found,) = problems(write_evidence(path, **tables))
    return found


def test_a_missing_directory_is_named(tmp_path):
    (found,) = problems(tmp_path / "nowhere")
    assert (found.file, found.rule) == (str(tmp_path / "nowhere"), "does not exist")


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    assert problems(tmp_path / "file")[0].file == "file"


def test_a_name_that_no_system_accepts(tmp_path):
    assert "cannot be listed" in problems(Path("a\0b"))[0].rule


def test_an_unlistable_directory(tmp_path, monkeypatch):
    def refuse(path: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    assert problems(tmp_path)[0].rule == "cannot be listed (Permission denied)"


@pytest.mark.parametrize("table", ["studies", "endpoints"])
def test_a_required_file_is_missing(tmp_path, table):
    found = only_problem(tmp_path, **{table: None})
    assert (found.file, found.row, found.rule) == (f"{table}.csv", None, "is missing")


def test_no_decision_table(tmp_path):
    assert only_problem(tmp_path, responses=None).rule == "is missing, and so are survival.csv and patients.csv"


def test_a_file_in_capitals_is_to_be_renamed(tmp_path):
    write_evidence(tmp_path)
    (tmp_path / "studies.csv").rename(tmp_path / "Studies.csv")
    assert problems(tmp_path)[0].remedy == "Rename Studies.csv to studies.csv."


def test_an_unreadable_file(tmp_path, monkeypatch):
    def refuse(self: Path, *args: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_evidence(tmp_path)
    monkeypatch.setattr(Path, "open", refuse)
    assert {(p.file, p.rule) for p in problems(tmp_path)} == {
        (name, "cannot be read (Permission denied)") for name in MINIMAL
    }


def test_a_directory_in_place_of_a_table(tmp_path):
    write_evidence(tmp_path)
    (tmp_path / "survival.csv").mkdir()
    assert [(p.file, p.rule) for p in problems(tmp_path)] == [("survival.csv", "is not a regular file")]


def test_a_file_above_the_size_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SIZE_LIMIT", 500)
    found = only_problem(tmp_path, responses=RESPONSES + "\n" * 500)
    assert (found.file, found.row) == ("responses.csv", None)
    assert found.rule.startswith("is larger than")


@pytest.mark.parametrize("content", [b"", b" \n\r\n\t", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file(tmp_path, content):
    assert only_problem(tmp_path, responses=content).rule == "is empty"


def test_separators_without_text(tmp_path):
    assert only_problem(tmp_path, responses=',,,\n"",,,\n').rule == "holds separators but no text"


@pytest.mark.parametrize("table", ["studies", "endpoints", "responses"])
def test_a_header_alone(tmp_path, table):
    header = MINIMAL[f"{table}.csv"].splitlines(keepends=True)[0]
    found = problems(write_evidence(tmp_path, **{table: header}))
    assert (found[0].file, found[0].row, found[0].rule) == (f"{table}.csv", 1, "has a header but no rows")


def test_an_empty_table_beside_a_filled_one_is_only_noted(tmp_path):
    header = FULL["survival.csv"].splitlines(keepends=True)[0]
    evidence = load(write_evidence(tmp_path, survival=header))
    assert [(note.file, note.rule) for note in evidence.notes] == [("survival.csv", "has a header but no rows")]


@pytest.mark.parametrize(("separator", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_a_wrong_separator_is_named(tmp_path, separator, word):
    found = only_problem(tmp_path, studies=STUDIES.replace(",", separator))
    assert (found.file, found.row, found.rule) == ("studies.csv", 1, f"is separated by {word}")


def test_bytes_outside_utf8(tmp_path):
    content = STUDIES.replace("Beta", "Bèta").encode("latin-1")
    found = only_problem(tmp_path, studies=content)
    assert (found.row, found.rule) == (3, f"is not UTF-8: byte 0xe8 at byte offset {content.index(0xE8)}")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings(tmp_path, encoding):
    assert "UTF-16" in only_problem(tmp_path, studies=STUDIES.encode(encoding)).rule


def test_a_nul_byte(tmp_path):
    found = only_problem(tmp_path, studies=STUDIES.replace("Beta 2021", "Beta\0"))
    assert (found.row, found.rule) == (3, f"holds a NUL byte at byte offset {STUDIES.index('Beta') + 4}")


def test_a_repeated_column(tmp_path):
    content = "study_id,label,year,year\nalpha_2019,Alpha,2019,x\nbeta_2021,Beta,2021,x\n"
    found = only_problem(tmp_path, studies=content)
    assert (found.row, found.column, found.rule) == (1, "year", "stands twice in the header")


def test_a_column_without_name(tmp_path):
    content = STUDIES.replace(",label", ",,label").replace("alpha_2019,", "alpha_2019,x,").replace("1,B", "1,,B")
    found = only_problem(tmp_path, studies=content)
    assert (found.row, found.rule) == (1, "has no name for its column 2")


def test_a_short_and_a_long_row(tmp_path):
    content = RESPONSES.replace(",8,10", ",8").replace(",15,20", ",1,500,20")
    found = problems(write_evidence(tmp_path, responses=content))
    assert [(p.row, p.subject) for p in found] == [(2, "alpha_2019"), (3, "beta_2021")]
    assert found[0].rule == "has 3 cells where the header has 4"
    assert found[1].rule == "has 5 cells, the last 20 where the header has 4"
    assert "double quotes" in found[1].remedy


def test_a_malformed_study_row_still_defines_its_study(tmp_path):
    found = only_problem(tmp_path, studies=STUDIES.replace("Alpha 2019,2019", "Alpha 2019"))
    assert (found.file, found.row) == ("studies.csv", 2)


@pytest.mark.parametrize("broken", ['"Alpha 2019,2019', '"Alpha" 2019,2019', '"Alpha ""2019,2019'])
def test_an_open_quotation_hides_no_later_row(tmp_path, broken):
    content = STUDIES.replace("Alpha 2019,2019", broken).replace("beta_2021,", "Beta,")
    found = problems(write_evidence(tmp_path, studies=content))
    assert [(p.file, p.row) for p in found] == [("studies.csv", 2), ("studies.csv", 3), ("responses.csv", 3)]
    assert found[0].rule == "has quotation marks that do not pair"


def test_a_header_with_an_open_quotation(tmp_path):
    assert "header that cannot be read" in only_problem(tmp_path, studies='"' + STUDIES).rule


def test_many_broken_rows_end_the_reading(tmp_path):
    found = problems(write_evidence(tmp_path, studies=STUDIES + 'gamma,"G"x,2020\n' * 300))
    assert len(found) == 201
    assert found[-1].row == 204
    assert "reading stops here" in found[-1].rule


def test_a_cell_above_the_limit_of_the_reader(tmp_path):
    long = "x" * (csv.field_size_limit() + 1)
    found = only_problem(tmp_path, studies=STUDIES.replace("Beta 2021", long))
    assert (found.row, found.rule) == (3, "holds a cell of more than 131,072 characters")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.removesuffix("\n"),
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("\n", "\n\n  \n"),
        lambda text: text + ",,\n",
        lambda text: "\n" + text,
        lambda text: text.replace("\n", ",\n"),
        lambda text: text.replace("\n", ",,,\n").replace("2019,,,", "2019,"),
        lambda text: text.replace("\n", ',"", ,\u00a0\n'),
        lambda text: text.replace("\n", ",,\r\n"),
        lambda text: text.replace("2019\n", "2019,\n"),
        lambda text: text.replace(",label", ",,label").replace("alpha_2019,", "alpha_2019,,").replace("1,B", "1,,B"),
        lambda text: "sep=,\n" + text,
        lambda text: "sep=;\n" + text.replace(",", ";"),
        lambda text: "\ufeffSEP=;\r\n" + text.replace(",", ";").replace("\n", "\r\n"),
        lambda text: "sep=;\n\ufeff" + text.replace(",", ";"),
        lambda text: '"sep=;"\n' + text.replace("\n", ",,\n").replace(",", ";"),
        lambda text: "\n sep = ;\n" + text.replace(",", ";"),
        lambda text: "sep=\t\n" + text.replace(",", "\t"),
        lambda text: "sep=\\t\n" + text.replace(",", "\t"),
        lambda text: text.replace("\n", ",\u200b\ufeff\n"),
        lambda text: text.replace(",2019", ",\u00a02019\u202f"),
    ],
)
def test_harmless_variants_are_accepted(tmp_path, change):
    plain = load(write_evidence(tmp_path / "plain"))
    varied = load(write_evidence(tmp_path / "varied", studies=change(STUDIES)))
    assert [study.columns for study in varied.studies] == [study.columns for study in plain.studies]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_rows_are_numbered_as_an_editor_shows_them(tmp_path, line_break):
    lines = [
        "study_id,label,year,note", "", 'alpha_2019,Alpha 2019,2019,"one', "two", "", 'five\u2028\x0b"',
        "beta_2021,Beta 2021,21,"]
    content = line_break.join(lines).replace("\x0b", "\u2029") + line_break
    found = only_problem(tmp_path, studies=content)
    assert (found.row, found.column) == (7, "year")
