"""One spreadsheet as evidence: what each column becomes, what is refused and where, and the directory made of it."""

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from analysis.__main__ import main
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError

RATES = [["Study", "Endpoint", "Events", "N", "Age", "Type", "Year"],
         *([f"Trial {at}", "Heilung (ja)", y, n, age, kind, 2001 + at] for at, (y, n, age, kind) in enumerate([
             (23, 107, 30.5, "objective"), (12, 44, 40, "self report"), (19, 51, None, "self report"),
             (9, 39, 35, "objective")], start=1))]
TIMES = [["study", "outcome", "statistic", "time", "estimate", "ci_low", "ci_high", "events", "person_time", "n",
          "time_unit"],
         ["A", "OS", "median", None, 1.5, 1, 2, None, None, 30, "years"],
         ["B", "OS", "landmark", 52, 0.6, None, None, None, None, 25, "weeks"],
         ["C", "OS", "median", None, 13, 9, 20, None, None, 40, None],
         ["D", "OS", None, None, None, None, None, 7, 10, 12, "years"]]


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.create_sheet("first, empty", 0)
    for row in rows:
        book.worksheets[1].append(row)
    book.save(path)
    return path


def table(path: Path, rows: list[list[object]], separator: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter=separator).writerows([["" if cell is None else cell for cell in row]
                                                           for row in rows])
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(EvidenceError) as caught:
        load(path)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_workbook_and_a_table_say_the_same(tmp_path, separator):
    one = load(workbook(tmp_path / "a.xlsx", RATES))
    other = load(table(tmp_path / "a.csv", RATES, separator))
    for name in ("studies", "endpoints", "responses", "covariates"):
        assert getattr(one, name) == getattr(other, name) != ()
    assert [(row.study_id, row.endpoint, row.events, row.n, row.row) for row in one.responses] == [
        ("trial_1", "heilung_ja", 23, 107, 2), ("trial_2", "heilung_ja", 12, 44, 3),
        ("trial_3", "heilung_ja", 19, 51, 4), ("trial_4", "heilung_ja", 9, 39, 5)]
    assert (one.endpoints[0].label, one.endpoints[0].kind, one.endpoints[0].direction) == (
        "Heilung (ja)", "rate", "neutral")
    assert [study.year for study in one.studies] == [2002, 2003, 2004, 2005]


def test_numbers_are_covariates_and_words_columns_of_0_and_1(tmp_path):
    evidence = load(workbook(tmp_path / "a.xlsx", RATES))
    assert [(row.column, row.label) for row in evidence.covariates] == [
        ("age", "Age"), ("type_self_report", "Type: self report (against objective)"), ("year", "Year")]
    assert [study.columns["type_self_report"] for study in evidence.studies] == ["0", "1", "1", "0"]
    assert [study.columns["age"] for study in evidence.studies] == ["30.5", "40", "", "35"]


def test_times_are_read_in_their_unit(tmp_path):
    a, b, c, d = load(workbook(tmp_path / "a.xlsx", TIMES)).survival
    assert (a.estimate, a.ci_low, a.ci_high) == (18.0, 12.0, 24.0)
    assert (b.time_months, b.estimate) == (pytest.approx(52 * 7 / 30.4375), 0.6)
    assert c.estimate == 13.0 and (d.events, d.person_months) == (7, 120.0)


@pytest.mark.parametrize("names", ["study,r,n", "slab,xi,ni", "Study ID,Events,Total"])
def test_columns_of_other_programs_and_no_endpoint(tmp_path, names):
    path = tmp_path / "AS.csv"
    path.write_text(f"{names}\nStudy 1,23,107\nStudy 2,12,44\n", encoding="utf-8")
    evidence = load(path)
    assert [(row.events, row.n) for row in evidence.responses] == [(23, 107), (12, 44)]
    assert [(row.endpoint, row.label) for row in evidence.endpoints] == [("event", "Event")]
    assert all(study.year is None for study in evidence.studies)


def test_labels_that_make_one_key_stay_two_studies(tmp_path):
    path = table(tmp_path / "a.csv", [["study", "events", "n"], ["Li (a)", 1, 9], ["Li, A", 2, 9], ["李", 3, 9]])
    assert [study.study_id for study in load(path).studies] == ["li_a", "li_a_2", "study_3"]


@pytest.mark.parametrize(("rows", "message"), [
    ([["study", "events", "n"], ["A", 5, 3]], "a.xlsx row 2 (a, event): events = 5 exceeds n = 3"),
    ([["Trial", "R", "N"], ["A", "NR", 3]], "a.xlsx row 2 (a, event): R = NR is placeholder text"),
    ([["study", "events", "n"], [None, 1, 3]], "a.xlsx row 2: study is empty. Name the study in every row"),
    ([["trial name", "events", "n"], ["A", 1, 3]], "a.xlsx row 1: study is missing from the header"),
    ([["study", "n"], ["A", 3]], "a.xlsx row 1: events is missing from the header. A rate needs"),
    ([["study", "events", "n", "N"], ["A", 1, 3, 3]], "a.xlsx row 1: n is named by more than one column"),
    ([["study", "events", "n"]], "a.xlsx row 1: has a header but no rows"),
    ([["study", "events", "n"], ["A", 1, 3], ["A", 1, 3]], "repeats row 2"),
    ([["study", "endpoint", "events", "n", "Age"], ["A", "x", 1, 3, 40], ["A", "y", 1, 3, 41]],
     "a.xlsx row 3 (A): Age = 41 differs from row 2 of the same study, which has 40"),
    ([["study", "endpoint", "events", "n", "statistic", "time", "estimate"], ["A", "x", 1, 3, None, None, None],
      ["B", "x", None, 9, "median", None, 4]], "a.xlsx row 2"),
    ([], "a.xlsx: is empty")])
def test_what_is_wrong_is_told_with_the_row_and_name_of_the_sheet(tmp_path, rows, message):
    assert message in "\n".join(problems(workbook(tmp_path / "a.xlsx", rows)))


def test_every_problem_is_told_at_once(tmp_path):
    rows = [["study", "events", "n"], ["A", 5, 3], ["B", "NR", 10], [None, 1, 2]]
    assert [problem.partition(":")[0].partition(" (")[0] for problem in problems(workbook(tmp_path / "a.xlsx", rows))] \
        == ["a.xlsx row 2", "a.xlsx row 3", "a.xlsx row 4"]


def test_files_of_other_programs_are_refused_in_words(tmp_path):
    files = {"a.xls": b"\xd0\xcf", "a.ods": b"PK", "b.xlsx": b"study,events,n", "c.xlsx": b"PK\3\4"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert "Save it as .xlsx, or as CSV UTF-8." in problems(tmp_path / name)[0]


def test_a_spreadsheet_that_is_not_there_is_no_directory(tmp_path):
    for name in ("a.xlsx", "a.csv"):
        assert problems(tmp_path / name) == [f"{tmp_path / name}: does not exist. Name an existing spreadsheet."]
    assert problems(tmp_path / "a")[0].endswith("Name an existing evidence directory or spreadsheet.")


@pytest.mark.parametrize("rows", [RATES, TIMES], ids=["rates", "times"])
def test_the_directory_made_of_a_sheet_says_the_same(tmp_path, rows, capsys):
    path = workbook(tmp_path / "a.xlsx", rows)
    assert main(["init", str(tmp_path / "own"), "--from", str(path)]) == 0
    assert "recart check --data" in capsys.readouterr().out
    from_sheet, from_tables = load(path), load(tmp_path / "own")
    for name in ("endpoints", "responses", "survival", "covariates"):
        one, other = ([{**{field: getattr(row, field) for field in row.__dataclass_fields__}, "row": 0}
                       for row in getattr(evidence, name)] for evidence in (from_sheet, from_tables))
        assert one == other
    assert main(["check", "--data", str(tmp_path / "own")]) == 0


@pytest.mark.parametrize("flags", [[], ["--rates"], ["--survival"], ["--both"]], ids=" ".join)
def test_the_example_runs_as_it_is(tmp_path, flags, capsys):
    assert main(["init", str(tmp_path / "own"), *flags]) == 0
    evidence = load(tmp_path / "own")
    for endpoint in evidence.endpoints:
        assert main(["fit", endpoint.endpoint, "--engine", "exact", "--data", str(tmp_path / "own")]) == 0
    assert bool(evidence.survival) == bool({"--survival", "--both"} & set(flags))
    assert len((tmp_path / "own" / "README.md").read_text().splitlines()) <= 14


def test_nothing_is_overwritten_and_nothing_is_left_half_made(tmp_path, capsys):
    bad = table(tmp_path / "bad.csv", [["study", "events", "n"], ["A", 5, 3]])
    assert main(["init", str(tmp_path / "own"), "--from", str(bad)]) == 2
    assert f"1 problem(s) in {bad}" in capsys.readouterr().err
    assert not (tmp_path / "own").exists()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").write_text("mine")
    assert main(["init", str(tmp_path / "own")]) == 2
    assert "is not an empty directory" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "own"]
    assert main(["init", str(tmp_path / "new"), "--rates", "--from", str(bad)]) == 2


def test_a_label_that_is_a_formula_is_written_as_text(tmp_path):
    path = table(tmp_path / "a.csv", [["study", "events", "n", "shift"], ["=1+1", 1, 9, -2], ["B", 2, 9, -3]])
    assert main(["init", str(tmp_path / "own"), "--from", str(path)]) == 0
    assert "'=1+1" in (tmp_path / "own" / "studies.csv").read_text()
    assert [study.columns["shift"] for study in load(tmp_path / "own").studies] == ["-2", "-3"]


ROWS = [["study", "endpoint", "events", "n"], ["A", "cr", 5, 10], ["B", "cr", 7, 12], ["C", "cr", 3, 9]]


def sheets(path: Path, **named: list[list[object]]) -> Path:
    """A workbook of several worksheets; those whose name begins with `hidden` are."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in named.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("hidden") else "visible"
        for row in rows:
            sheet.append(row)
    book["data"].row_dimensions[3].hidden = True
    book.save(path)
    return path


def test_what_a_reader_of_a_workbook_does_not_see_is_told_by_every_command(tmp_path, capsys):
    path = sheets(tmp_path / "a.xlsx", hidden_first=ROWS[:2], data=ROWS, remarks=[["hello"]])
    told = [
        "note: a.xlsx: has further sheets, which are not read: remarks, hidden_first (hidden); the first visible one "
        "with text counts, data. Move its rows there if others are meant.",
        "note: a.xlsx: has hidden rows, which are read as well: 3. Delete those that are not meant to count."]
    for command in ("check", "list", "fit cr --engine exact", "predict cr --events 3 --n 9"):
        assert main([*command.split(), "--data", str(path)]) == 0
        assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")] == told, command
    assert main(["fit", "cr", "--engine", "exact", "--json", "--data", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_studies"] == 3 and [f"note: {one}" for one in found["warnings"]] == told


def test_rows_of_evidence_in_a_second_sheet_are_refused(tmp_path):
    other = [["Trial", "Outcome", "r", "N"], ["D", "cr", 5, 10]]
    assert problems(sheets(tmp_path / "a.xlsx", data=ROWS, more=other)) == [
        "a.xlsx: has the heads of evidence in two sheets, of which only data would be read. Put the rows of more below "
        "the others, hide it, or move it into another file."]
    assert len(load(sheets(tmp_path / "b.xlsx", data=ROWS, hidden_more=other)).studies) == 3
    (told,) = problems(sheets(tmp_path / "c.xlsx", data=[], hidden_more=other))
    assert "has text in hidden sheets only: hidden_more. Unhide" in told


def test_a_title_above_the_header_is_named(tmp_path):
    assert problems(workbook(tmp_path / "a.xlsx", [["Table 1"], *ROWS])) == [
        "a.xlsx row 1: is taken for the header, which stands in row 2. Delete the rows above it."]
    assert "The header is the first row with text." in problems(workbook(tmp_path / "b.xlsx", [["Table 1"], ["A"]]))[0]


def test_a_formula_without_a_stored_value_is_no_empty_cell(tmp_path):
    rows = [ROWS[0], ["A", "cr", "=2+3", 10], ["=B1", "cr", 7, 12]]
    assert problems(workbook(tmp_path / "a.xlsx", rows)) == [
        "a.xlsx row 2: events = '=2+3' is a formula whose value the file does not store. Open and save the file in a "
        "spreadsheet program, or write the value.",
        "a.xlsx row 3: study = '=B1' is a formula whose value the file does not store. Open and save the file in a "
        "spreadsheet program, or write the value."]


@pytest.mark.parametrize("cells", [["39,5", "45,0", "50,2"], ["45%", "50 %", "60%"], ["45", "12 months", "50"],
                                   ["young", "old", "1,200"], ["70", "80", "\u22125"],
                                   ["5 mg/kg", "a", "1e6 cells/kg"]])
def test_a_cell_that_looks_like_a_number_and_is_none_is_refused_whatever_the_others_are(tmp_path, cells):
    path = table(tmp_path / "a.csv", [["study", "events", "n", "Age"], *([f"S{at}", 1, 9, cell]
                                                                         for at, cell in enumerate(cells))], ";")
    wrong = [(at, cell) for at, cell in enumerate(cells, start=2) if not cell.isalpha() and not cell.isdigit()]
    told = problems(path)
    assert [line.partition(" has ")[0].partition(" is ")[0] for line in told] == [
        f"a.csv row {at} (S{at - 2}): Age = {cell!r}" for at, cell in wrong]
    assert all("Write " in line for line in told)


def test_words_with_digits_stay_words(tmp_path):
    path = table(tmp_path / "a.csv", [["study", "events", "n", "phase", "age group", "blasts"], *(
        [f"S{at}", 1, 9, *cells] for at, cells in enumerate([("1b", ">=18", ">5%"), ("1/2", "<18", "<=5%"),
                                                             ("1b", "<18", ">5%"), ("2nd line", "<18", ">5%")]))])
    assert {row.column for row in load(path).covariates} == {"age_group_18", "blasts_5"}


@pytest.mark.parametrize(("cell", "ids"), [
    ("Li, A", ("li_a",)), ("B", ("b",)), ("b", ("b",)), ("Smith 2019", ("smith_2019",)), ("B; Smith 2019",
     ("b", "smith_2019")), ("b smith_2019", ("b", "smith_2019")), ("B smith_2019", ("b", "smith_2019"))])
def test_studies_that_share_patients_are_named_as_they_are_written(tmp_path, cell, ids):
    path = table(tmp_path / "a.csv", [["study", "events", "n", "overlaps_with"], ["Z", 1, 9, cell], ["B", 2, 9, ""],
                                      ["Smith 2019", 2, 9, ""], ["Li, A", 2, 9, ""]])
    assert load(path).studies[0].overlaps_with == ids


def test_a_study_that_a_spreadsheet_lacks_is_told_in_its_own_names(tmp_path, capsys):
    rows = [["study", "events", "n", "overlaps_with"], ["A", 1, 9, "Q"], ["Smith 2019", 2, 9, ""]]
    assert problems(table(tmp_path / "a.csv", rows)) == [
        "a.csv row 2 (a): overlaps_with = Q is not in a.csv. Add it there or correct it here."]
    shared = table(tmp_path / "c.csv", [rows[0], ["A", 1, 9, "Smith 2019"], rows[2]])
    assert main(["fit", "event", "--data", str(shared)]) == 2
    assert "a (c.csv row 2) and smith_2019 (c.csv row 3) share patients" in capsys.readouterr().err
    path = table(tmp_path / "b.csv", [row[:3] for row in rows])
    assert main(["fit", "event", "--without", "Smith 2019", "--data", str(path)]) == 2
    assert capsys.readouterr().err.endswith(
        "--without Smith 2019: b.csv has no such study; did you mean smith_2019? It has a, smith_2019\n")


@pytest.mark.parametrize(("one", "other"), [("CR", "cr"), ("Smith 2019", "SMITH 2019"), ("Smith 2019", "Smith  2019"),
                                            ("M\u00fcller", "Muller"), ("M\u00fcller", "Mu\u0308ller"),
                                            ("Li2019", "Li 2019")])
def test_two_spellings_of_one_name_are_no_two_studies_or_endpoints(tmp_path, one, other):
    (study,) = problems(table(tmp_path / "a.csv", [["Trial", "events", "n"], [one, 1, 9], ["B", 1, 9], [other, 2, 9]]))
    assert study.startswith("a.csv row 4: Trial = ") and "of row 2 in capitals, blanks or accents only." in study
    (endpoint,) = problems(table(tmp_path / "b.csv", [["study", "endpoint", "events", "n"], ["A", one, 1, 9],
                                                      ["B", other, 1, 9], ["C", other, 1, 9]]))
    assert endpoint.startswith("b.csv row 3: endpoint = ") and "Write both the same way" in endpoint


@pytest.mark.parametrize(("column", "cells", "told"), [
    ("Direction", ["benefit", "", "harm"], "a.csv row 4 (C): Direction = harm differs from row 2 of the same endpoint, "
     "which has benefit. An endpoint has one value in all its rows; correct one, or name another endpoint."),
    ("kind", ["rate", "survival", ""], "a.csv row 3 (B): kind = survival differs from row 2 of the same endpoint"),
    ("horizon months", ["12", "12", "24"], "a.csv row 4 (C): 'horizon months' = 24 differs from row 2 of the same")])
def test_what_rows_say_of_their_endpoint_is_the_same(tmp_path, column, cells, told):
    path = table(tmp_path / "a.csv", [[*ROWS[0], column], *([*row, cell] for row, cell in
                                                            zip(ROWS[1:], cells, strict=True))])
    assert told in "\n".join(problems(path))


@pytest.mark.parametrize(("cells", "told"), [
    (["responders", "all treated", ""], "responders (row 2) and 'all treated' (row 3) and nothing (row 4)"),
    (["", "responders", ""], "nothing (row 2) and responders (row 3)"), (["all", "All", "all"], ""),
    (["", "", ""], "")])
def test_rows_of_different_patients_are_noted(tmp_path, cells, told):
    path = table(tmp_path / "a.csv", [[*ROWS[0], "population"], *([*row, cell] for row, cell in
                                                                  zip(ROWS[1:], cells, strict=True))])
    assert [str(note) for note in load(path).notes] == bool(told) * [
        f"a.csv: population of cr says {told}, and studies are pooled whatever they say. Give "
        "other patients an endpoint of their own."]


@pytest.mark.parametrize(("name", "cells", "told"), [
    ("overlap_with", ["B", "", "", ""], "is not used: all its cells are the same, and so it is no covariate. Rename it "
     "if overlaps_with is meant."),
    ("Horizon", ["12"] * 4, "is not used: all its cells are the same, and so it is no covariate. Rename it if "
     "horizon_months is meant."),
    ("study_design", ["retrospective", "x", "x", "x"], "is read as a covariate. Rename it if design is meant."),
    ("Comment", ["a", "b", "c", "d"], "is not used: it has 4 different words for 4 studies, and so it is no covariate. "
     "Leave it if it is for readers only."),
    ("mixed", ["1", "b", "b", "d"], "is not used: it mixes numbers and words, and so it is no covariate. Leave it if "
     "it is for readers only."),
    ("age", ["30", "40", "50", ""], ""), ("country", ["US", "US", "CN", "CN"], ""), ("pmid", ["1", "2", "3", "4"], ""),
    ("empty", [""] * 4, ""), ("Tier", ["A", "B", "A", "A"], "")])
def test_every_column_that_nothing_is_read_from_is_noted(tmp_path, name, cells, told):
    path = table(tmp_path / "a.csv", [["study", "events", "n", name], *([f"S{at}", at, 9, cell]
                                                                        for at, cell in enumerate(cells))])
    assert [str(note) for note in load(path).notes] == bool(told) * [f"a.csv row 1: {name} {told}"]


@pytest.mark.parametrize("command", ["check", "list", "fit event --engine exact", "regress event", "compare",
                                     "report --output {}", "predict event --events 3 --n 9"])
def test_every_command_that_pools_tells_the_notes(tmp_path, command, capsys):
    path = table(tmp_path / "a.csv", [["study", "events", "n", "overlap_with", "age"], ["A", 1, 9, "B", 30],
                                      ["B", 2, 9, "", 40], ["C", 2, 9, "", 50], ["D", 3, 9, "", 35]])
    main([*command.format(tmp_path).split(), "--data", str(path)])
    assert "note: a.csv row 1: overlap_with is not used" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["rate", "Rate", "RATE"])
def test_the_kind_of_an_endpoint_may_be_in_capitals(tmp_path, kind):
    """Else its rows would be in no table, and nothing would say so."""
    made = load(table(tmp_path / "x.csv", [["study", "endpoint", "events", "n", "kind"], ["A", "cr", 3, 10, kind],
                                           ["B", "cr", 4, 10, kind]]))
    assert [(row.events, row.n) for row in made.responses] == [(3, 10), (4, 10)] and made.endpoints[0].kind == "rate"


@pytest.mark.parametrize("text", ["a long comment " * 20, "two\nlines"])
def test_sentences_about_studies_are_no_covariate(tmp_path, text):
    rows = [[name, "cr", 3, 20, "short" if name == "P" else text] for name in "PQRS"]
    made = load(table(tmp_path / "x.csv", [["study", "endpoint", "events", "n", "comment"], *rows]))
    assert not made.covariates and len(made.responses) == 4
    assert [note.rule for note in made.notes] == ["is not used: it holds sentences, and so it is no covariate"]
