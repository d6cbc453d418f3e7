"""Columns that covariates.csv names: words, sizes and steps are problems, codes for missing values are notes."""

import pytest

from analysis.__main__ import main
from analysis.evidence.loading import load

from .build import write_evidence

_HEAD = "covariate,label,column,unit,unit_size,transformation\n"


def _folder(path, cells, row="a,A,a,,,"):
    studies = "".join(f"s{at},Study {at},2000,{cell}\n" for at, cell in enumerate(cells))
    return write_evidence(path, studies=f"study_id,label,year,a\n{studies}", covariates=f"{_HEAD}{row}\n",
                          responses="study_id,endpoint,events,n\n" + "".join(
                              f"s{at},cr,{at + 3},30\n" for at in range(len(cells))))


def _problems(capsys, folder):
    assert main(["check", "--data", str(folder)]) == 2
    return [line for line in capsys.readouterr().err.splitlines() if ".csv" in line]


def test_a_column_of_words_is_one_problem_with_its_levels_and_a_remedy(tmp_path, capsys):
    (line,) = _problems(capsys, _folder(tmp_path, ["adult", "child", "adult", "", "mixed", "adult"]))
    assert line.startswith("covariates.csv row 2 (a): column = a holds words in studies.csv (adult, child, mixed)")
    assert "1 for mixed and 0 for the others" in line


def test_one_word_among_numbers_is_a_problem_of_its_cell(tmp_path, capsys):
    (line,) = _problems(capsys, _folder(tmp_path, ["30", "fifty", "40", "50", "60"]))
    assert line.startswith("studies.csv row 3 (s1): a = fifty is not a number")


@pytest.mark.parametrize(("cells", "row", "named"), [
    (["30", "1e300", "40", "50", "60"], "a,A,a,,,", "studies.csv row 3 (s1): a = 1e300 is beyond 1e+15"),
    (["30", "-1e-300", "40", "50", "60"], "a,A,a,,,", "studies.csv row 3 (s1): a = -1e-300 is nearer to 0"),
    (["30", "35", "40", "50", "60"], "a,A,a,years,1e-9,", "covariates.csv row 2 (a): unit_size = 1e-9 is no step"),
    (["30", "35", "40", "50", "60"], "a,A,a,,1e9,", "covariates.csv row 2 (a): unit_size = 1e9 is no step of a column"),
    (["10", "1e3", "1e4", "1e5", "1e6"], "a,A,a,x,1e-9,log10", "numbers lie up to 5 apart"),
])
def test_sizes_without_meaning_are_refused(tmp_path, capsys, cells, row, named):
    (line,) = _problems(capsys, _folder(tmp_path, cells, row))
    assert named in line


@pytest.mark.parametrize(("cells", "row"), [
    (["30", "1e15", "40", "50", "60"], "a,A,a,,,"), (["30", "35", "40", "50", "60"], "a,A,a,years,1e-4,"),
    (["30", "35", "40", "50", "60"], "a,A,a,years,1e7,"), (["1e9", "1e9", "1e9", "1e9", "1000000001"], "a,A,a,,,"),
    (["21000", "35000", "41000", "52000", "90000"], "a,A,a,,1,"),
    (["1e-20", "2e-20", "0", "5e-20", "3e-20"], "a,A,a,,1,"),
])
def test_what_check_accepts_a_regression_survives(tmp_path, capsys, cells, row):
    folder = str(_folder(tmp_path, cells, row))
    assert main(["check", "--data", folder]) == 0
    assert main(["regress", "cr", "--data", folder]) == 0
    streams = capsys.readouterr()
    assert "Traceback" not in streams.err and "nan" not in streams.out


@pytest.mark.parametrize(("cells", "rows"), [
    (["30", "35", "999", "45", "50", "-99", "60"], [4, 7]),
    (["30", "35", "999.0", "45", "50"], [4]), (["3", "35", "9999", "45", "99999"], [4, 6]),
    (["0", "1", "1", "0", "99"], [6]), (["0", "20", "100", "55", "-99"], [6]), (["30", "35", "-9", "41", "52"], [4]),
    # Honest columns: skewed, percentages near 100, years, changes below zero.
    (["10", "12", "15", "20", "1000"], []), (["20", "45", "70", "88", "99"], []),
    (["2", "3", "5", "8", "140000"], []), (["1997", "1998", "1999", "2005", "2019"], []),
    (["-12", "-99", "-80", "3", "10"], []), (["-1", "0.5", "2", "1.2", "0.1"], []), (["999", "999", "", "", "1"], []),
])
def test_codes_for_missing_values_are_noted_and_honest_columns_are_not(tmp_path, cells, rows):
    notes = [note for note in load(_folder(tmp_path, cells)).notes if "code for a missing value" in note.rule]
    assert [(note.file, note.row, note.column) for note in notes] == [("studies.csv", row, "a") for row in rows]
    assert all("Leave the cell empty" in note.remedy for note in notes)
