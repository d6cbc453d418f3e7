"""Sampling needs a place for compiled code: home, or a temporary folder that goes with the run.

A run without a home is in `test_streams.py`.
"""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.system import surroundings
from analysis.system.errors import UsageError
from analysis.system.surroundings import keep_compiled_code, keep_freed_memory


@pytest.fixture
def place(monkeypatch, tmp_path):
    """What a process would be told that starts now, with a home and a folder for temporary files."""
    for name in ("PYTENSOR_FLAGS", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(surroundings.tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "temporary").mkdir()
    return tmp_path


def test_a_home_that_can_be_written_is_used_in_silence(place, capsys):
    keep_compiled_code()
    assert os.environ["PYTENSOR_FLAGS"] == f"generated_src_dir={place}/home/.pytensor/sources"
    assert not capsys.readouterr().err and "MPLCONFIGDIR" not in os.environ


@pytest.mark.parametrize("home", ["/dev/null", "", None])
def test_without_a_home_a_temporary_folder_is_used_and_named(home, place, monkeypatch, capsys):
    """Below a device no folder can be made, not even by root."""
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    if home is None:  # a user without an entry in the list of users
        monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    keep_compiled_code()
    (folder,) = (place / "temporary").iterdir()
    assert f"base_compiledir={folder}" in os.environ["PYTENSOR_FLAGS"].split(",")
    assert os.environ["MPLCONFIGDIR"].startswith(str(folder))
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and f"temporary folder {folder}" in line
    keep_compiled_code()
    assert list((place / "temporary").iterdir()) == [folder] and not capsys.readouterr().err


def test_a_full_home_counts_as_closed(place, monkeypatch, capsys):
    monkeypatch.setenv("PYTENSOR_FLAGS", "base_compiledir=/dev/full/x")
    keep_compiled_code()
    assert "/dev/full/x cannot be written" in capsys.readouterr().err


def test_no_place_at_all_is_said_with_a_remedy(place, monkeypatch):
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setattr(surroundings.tempfile, "tempdir", "/dev/null/temporary")
    with pytest.raises(UsageError, match="set HOME or TMPDIR"):
        keep_compiled_code()


def test_freed_memory_is_kept_where_the_c_library_can_and_else_nothing_happens(monkeypatch):
    asked = []
    monkeypatch.setattr(surroundings.ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=lambda *of: asked.append(of)))
    keep_freed_memory()
    assert [option for option, _ in asked] == [-1, -2, -3] and all(0 < size < 2**31 for _, size in asked)
    monkeypatch.setattr(surroundings.ctypes, "CDLL", lambda name: SimpleNamespace())
    keep_freed_memory()
