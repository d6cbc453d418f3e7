"""README's commands exist and its files, models and folders are real."""

import re
import shlex
from pathlib import Path

import pytest

from analysis.commands.arguments import parser

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line, comments=True) for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
            for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_is_one_that_the_project_understands(command):
    name, *arguments = command
    if name == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets)
    elif name.endswith("/recart"):
        parser().parse_args(arguments)
    else:
        assert name.endswith("/python") and arguments[0] == "-m"
        module = ROOT / (arguments[1].replace(".", "/") + ".py")
        assert module.exists() and "run_model" in module.read_text()
        parser().parse_args(["fit", *arguments[2:]])


def test_both_commands_come_first():
    assert COMMANDS[:2] == [["make"], ["make", "test"]]


def test_models_of_the_table_are_those_that_exist():
    named = set(re.findall(r"^\| `(\w+)` \| (?:rates|survival)", TEXT, re.MULTILINE))
    files = {path.stem for path in (ROOT / "models").glob("*.py") if "\nMODEL = " in path.read_text()}
    assert named == files


def test_links_and_folders_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    for folder in ("data", "models", "analysis", "tests"):
        assert f"`{folder}/`" in TEXT and (ROOT / folder).is_dir()
