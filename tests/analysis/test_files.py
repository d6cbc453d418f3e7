"""Files are whole or absent; tables are safe in a spreadsheet."""

import json
import math

import pytest

from analysis.system.files import as_json, write_atomically, write_csv, write_text


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old\n")

    def fails(temporary):
        temporary.write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        write_atomically(path, fails)
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_written_file_is_readable_by_others(tmp_path):
    write_text(tmp_path / "a", "x")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_neutralised(tmp_path, text):
    write_csv(tmp_path / "t.csv", [{"a": text}], ["a"])
    body = (tmp_path / "t.csv").read_bytes().decode().split("\n", 1)[1]
    assert body.lstrip('"').startswith("'")


def test_negative_numbers_stay_numbers(tmp_path):
    write_csv(tmp_path / "t.csv", [{"a": -0.25, "b": -3}], ["a", "b"])
    assert (tmp_path / "t.csv").read_text() == "a,b\n-0.25,-3\n"


def test_missing_values_are_empty_cells_and_null(tmp_path):
    write_csv(tmp_path / "t.csv", [{"a": None, "b": math.nan, "c": True}], ["a", "b", "c", "d"])
    assert (tmp_path / "t.csv").read_text() == "a,b,c,d\n,,true,\n"
    assert json.loads(as_json({"x": math.nan, "y": [math.inf, 1.5], "z": None})) == {"x": None, "y": [None, 1.5],
                                                                                   "z": None}
