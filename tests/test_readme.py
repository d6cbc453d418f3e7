"""README's recipes run as printed; its files, models, links and folders are real."""

import os
import re
import runpy
import shlex
import shutil
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path

import openpyxl
import pytest

from analysis.runs.workers import Nobody
from tests.calibration.test_coverage import SMALL
from tests.seen.evidence import write
from tests.seen.running import command, in_this_process

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", TEXT, re.DOTALL)
SHORTER = {
    "regress": ["--quick"], "report": ["--quick"], "compare": ["--engine", "exact", "--data", "small"],
    "calibrate": ["--replicates", "20", "--processes", "1"]}
"""What is added to a command so that the test of it is short: less work of the same kind, or less evidence."""

ROWS = {"my.xlsx": [("Alpha 2019", 30, 40), ("Beta 2020", 28, 41), ("Gamma 2021", 25, 33)],
        "new.xlsx": [("Gamma 2021", 27, 36), ("Delta 2022", 12, 20)]}


def commands(text: str) -> list[list[str]]:
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with what the recipes take for granted: the project's data, and spreadsheets of the user's own."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    write(tmp_path / "small")
    for name, rows in ROWS.items():
        book = openpyxl.Workbook()
        for row in [("study", "endpoint", "events", "n"), *((study, "Response", y, n) for study, y, n in rows)]:
            book.active.append(row)
        book.save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fill(path: Path) -> None:
    """The first empty count of a worksheet, as its reader would."""
    book = openpyxl.load_workbook(path)
    head, *rows = book.active.iter_rows()
    at = {cell.value: place for place, cell in enumerate(head)}
    row = next(row for row in rows if row[at["study"]].value == "Li 2018" and row[at["endpoint"]].value == "cr")
    row[at["events"]].value, row[at["n"]].value = 8, 10
    book.save(path)


def run(words: list[str], patched: pytest.MonkeyPatch) -> None:
    """One line of a recipe, in this process where it is the program's."""
    name, *arguments = words
    if name == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets)
    elif name == ".":
        assert arguments == [".venv/bin/activate"] and ".venv" in (ROOT / ".ci/setup").read_text()
    elif name == "cp":
        shutil.copytree(*arguments[1:])
    elif name == "python":
        patched.setattr(os, "execv", lambda path, given: sys.exit(run(["recart", *given[3:]], patched)))
        patched.setattr(sys, "argv", ["", *arguments[2:]])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(arguments[1], run_name="__main__")
        assert not ended.value.code
    else:
        assert name == "recart"
        if arguments[0] == "explore":
            return  # it answers until it is ended: tests/explorer starts it
        if arguments[:2] == ["update", "gaps.xlsx"]:
            fill(Path("gaps.xlsx"))
        shorter = [] if "exact" in arguments else SHORTER.get(arguments[0], [])
        code, out, told = command([*arguments, *shorter])
        assert code == 0 and out and "Traceback" not in told, (words, told)


@pytest.mark.slow
def test_every_recipe_runs_as_printed(folder, capsys):
    """Block by block in one folder, since a recipe goes on where another one ended."""
    with in_this_process() as patched:
        patched.setattr("analysis.commands.compare.workers", lambda *_: nullcontext(Nobody()))
        patched.setattr("analysis.commands.coverage.worlds", lambda sizes: SMALL[:1])
        for language, text in BLOCKS:
            if language == "python":
                exec(compile(text, "README.md", "exec"), {})
                assert capsys.readouterr().out
                continue
            for words in commands(text):
                run(words, patched)
    assert {"my_fit", "for_r", "my_report", "my_evidence", "gaps.xlsx"} <= {path.name for path in folder.iterdir()}
    assert "Delta 2022" in (folder / "my_evidence" / "studies.csv").read_text()
    assert "li_2018,cr,8,10" in (folder / "my_copy" / "responses.csv").read_text()


def test_the_notebook_is_short():
    assert all(len(text.splitlines()) <= 10 for language, text in BLOCKS if language == "python")


def test_both_commands_come_first():
    assert commands(BLOCKS[0][1]) == [["make"], ["make", "test"]]


def test_models_of_the_table_are_those_that_exist():
    named = set(re.findall(r"^\| `(\w+)` \| (?:rates|survival)", TEXT, re.MULTILINE))
    files = {path.stem for path in (ROOT / "models").glob("*.py") if "\nMODEL = " in path.read_text()}
    assert named == files


def test_the_map_of_models_names_every_file():
    named = re.findall(r"`(\w+\.py)`", (ROOT / "models" / "README.md").read_text(encoding="utf-8").split("**To add")[0])
    assert sorted(named) == sorted(path.name for path in (ROOT / "models").glob("[a-z]*.py"))


def test_the_licence_is_that_of_the_package_and_the_citation():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{package['license']} License")
    for name in ("version", "license"):
        assert f"{name}: {package[name]}" in citation
    assert f"## {package['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_links_and_folders_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    for folder in ("data", "models", "analysis", "tests"):
        assert f"`{folder}/`" in TEXT and (ROOT / folder).is_dir()
