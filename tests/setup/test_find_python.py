"""The search for a Python, on machines made of stand-ins in a temporary PATH and HOME."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci/find-python"
SHELL = shutil.which("sh")

# A stand-in is the running Python that claims another version and then does what it was asked to.
STAND_IN = """\
#!{shell}
exec '{python}' -I -c '
import sys, sysconfig
code = sys.argv.pop()
sys.version_info = (3, {minor}, 0, "final", 0)
sys.executable = "{path}"
{twist}
exec(code)' "$3"
"""
NO_VENV = 'sys.modules["ensurepip"] = None'
FREE_THREADED = 'sysconfig.get_config_vars()["Py_GIL_DISABLED"] = 1'
PYPY = 'sys.implementation.name = "pypy"'


class Machine:
    """A folder that serves as HOME and, in bin, as the whole PATH."""

    def __init__(self, folder: Path):
        self.home = folder / "a home"
        self.bin = self.home / "bin"
        self.bin.mkdir(parents=True)

    def write(self, path: Path, text: str) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    def python(self, place: str, minor: int, twist: str = "") -> str:
        path = self.home / place
        text = STAND_IN.format(shell=SHELL, python=sys.executable, minor=minor, path=path, twist=twist)
        return self.write(path, text)

    def script(self, place: str, *lines: str) -> str:
        return self.write(self.home / place, "\n".join([f"#!{SHELL}", *lines, ""]))

    def find(self, **variables: str) -> subprocess.CompletedProcess:
        environment = {"PATH": str(self.bin), "HOME": str(self.home), **variables}
        return subprocess.run([SHELL, str(SCRIPT)], env=environment, capture_output=True, text=True)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def assert_finds(machine, path, **variables):
    result = machine.find(**variables)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}\n", "")


def assert_refused(result, *words):
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert [word for word in words if word not in line] == []


@pytest.mark.parametrize("minor", [12, 13, 14])
def test_python3_that_is_new_enough_is_taken(machine, minor):
    assert_finds(machine, machine.python("bin/python3", minor))


@pytest.mark.parametrize("minor", [12, 13, 14])
def test_versioned_name_on_path_is_found_beside_an_old_python3(machine, minor):
    machine.python("bin/python3", 11)
    assert_finds(machine, machine.python(f"bin/python3.{minor}", minor))


@pytest.mark.parametrize("minor", [11, 15])
def test_only_an_unsupported_python3_is_refused(machine, minor):
    machine.python("bin/python3", minor)
    assert_refused(machine.find(), "3.12", "3.13", "make PYTHON=")


def test_empty_machine_gets_one_line_that_says_what_to_install(machine):
    assert_refused(machine.find(), "3.12", "3.13", "python3-venv", "uv", "make PYTHON=")


def test_tested_version_is_preferred_to_a_newer_python3(machine):
    machine.python("bin/python3", 14)
    assert_finds(machine, machine.python("bin/python3.13", 13))


def test_python3_of_the_user_is_preferred_to_others_that_would_do(machine):
    machine.python("bin/python3.12", 12)
    assert_finds(machine, machine.python("bin/python3", 13))


@pytest.mark.parametrize("place", [".pyenv", "elsewhere", "told by pyenv"])
def test_pyenv_version_is_found_behind_shims_that_fail(machine, place):
    machine.python("bin/python3", 11)
    machine.script("bin/python3.13", "echo 'pyenv: python3.13: command not found' >&2", "exit 127")
    if place == "told by pyenv":
        machine.script("bin/pyenv", f"echo '{machine.home / place}'")
    path = machine.python(f"{place}/versions/3.13.0/bin/python3.13", 13)
    told = {"PYENV_ROOT": str(machine.home / place)} if place == "elsewhere" else {}
    assert_finds(machine, path, **told)


def test_broken_version_is_passed_over(machine):
    machine.script("bin/python3.12", "exit 127")
    assert_finds(machine, machine.python("bin/python3.13", 13))


@pytest.mark.parametrize("twist", [NO_VENV, FREE_THREADED, PYPY])
def test_unfit_build_is_passed_over(machine, twist):
    machine.python("bin/python3", 12, twist)
    assert_refused(machine.find())
    assert_finds(machine, machine.python("bin/python3.13", 13))


def test_named_python_is_taken_before_all_others(machine):
    machine.python("bin/python3", 12)
    path = machine.python("my python", 13)
    assert_finds(machine, path, PYTHON=path)


@pytest.mark.parametrize("minor", [11, None], ids=["too old", "missing"])
def test_named_python_that_will_not_do_is_refused_even_beside_a_good_one(machine, minor):
    machine.python("bin/python3", 12)
    path = machine.python("mine", minor) if minor else str(machine.home / "mine")
    assert_refused(machine.find(PYTHON=path), f"PYTHON={path}", "3.12")


def test_uv_is_asked_when_nothing_else_is_left(machine):
    machine.python("bin/python3", 11)
    path = machine.python("store/python3.12", 12)
    machine.script("bin/uv", f"echo '{path}'")
    result = machine.find()
    assert (result.returncode, result.stdout) == (0, f"{path}\n")
    assert "uv" in result.stderr


def test_uv_is_not_asked_when_a_python_is_there(machine):
    machine.script("bin/uv", "echo 'uv was asked' >&2", "exit 1")
    assert_finds(machine, machine.python("bin/python3.13", 13))


def test_uv_that_cannot_fetch_ends_in_the_one_line(machine):
    machine.script("bin/uv", "echo 'error: no network' >&2", "exit 2")
    result = machine.find()
    assert (result.returncode, result.stdout) == (1, "")
    assert "no network" in result.stderr
    assert "No usable Python found" in result.stderr.splitlines()[-1]


def test_real_python_passes_the_probe(machine):
    assert_finds(machine, sys.executable, PYTHON=sys.executable)
