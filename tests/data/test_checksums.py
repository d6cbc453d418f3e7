"""The recorded checksums are those of the files, all of them, and a mismatch says how to renew them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .checks import listed
from .checksums import NAME, REFRESH, differences, main


@pytest.fixture
def copy(data_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data_folder, tmp_path / "data")


def test_checksums_are_current_and_complete(data_folder: Path) -> None:
    problems = differences(data_folder)
    assert not problems, listed(problems)


def test_every_table_and_text_has_a_line_in_order(data_folder: Path) -> None:
    names = [line[66:] for line in (data_folder / NAME).read_text().splitlines()]
    assert names == sorted(path.name for path in data_folder.iterdir() if path.suffix in {".csv", ".md"})


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_sha256sum_reads_the_file(data_folder: Path) -> None:
    assert subprocess.run(["sha256sum", "--check", "--strict", "--quiet", NAME], cwd=data_folder).returncode == 0


@pytest.mark.parametrize("fault", ["changed", "added", "deleted", "no record"])
def test_a_difference_names_the_file_and_the_command(copy: Path, fault: str) -> None:
    if fault == "changed":
        (copy / "studies.csv").write_bytes((copy / "studies.csv").read_bytes().replace(b"489", b"488", 1) + b" ")
    elif fault == "added":
        (copy / "studies_2.csv").write_text("study_id\n")
    elif fault == "deleted":
        (copy / "studies.csv").unlink()
    else:
        (copy / NAME).unlink()
    (problem,) = differences(copy)
    assert "studies" in problem
    assert REFRESH in problem


def test_an_unsorted_record_is_refused(copy: Path) -> None:
    lines = (copy / NAME).read_text().splitlines(keepends=True)
    (copy / NAME).write_text("".join(reversed(lines)))
    assert differences(copy)


def test_writing_repairs_and_verifying_only_reads(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "gaps.md").write_text("nothing is missing\n")
    before = (copy / NAME).read_bytes()
    assert main(["--data", str(copy)]) == 1
    assert "gaps.md" in capsys.readouterr().err
    assert (copy / NAME).read_bytes() == before
    assert main(["--data", str(copy), "--write"]) == 0
    assert main(["--data", str(copy)]) == 0
