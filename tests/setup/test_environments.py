"""pyproject.toml, the lock, environment.yml and the running environment name the same packages."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def by_name(*requirements: str) -> dict[str, Requirement]:
    parsed = map(Requirement, requirements)
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


RUN = by_name(*PROJECT["dependencies"])
TEST, CLUSTER, EXPLORE = (by_name(*PROJECT["optional-dependencies"][name]) for name in ("test", "cluster", "explore"))
DIRECT = RUN | TEST | CLUSTER | EXPLORE | by_name(*PYPROJECT["build-system"]["requires"])
# python and pip come with any environment, so that only conda has to be told.
ONLY_CONDA = {"python", "pip"}


def content_lines(file: str) -> list[str]:
    lines = (line.partition("#")[0].rstrip() for line in (ROOT / file).read_text().splitlines())
    return [line for line in lines if line]


def locked() -> dict[str, str]:
    return dict(line.split("==") for line in content_lines("requirements.lock.txt"))


def conda() -> dict[str, str]:
    lines = content_lines("environment.yml")
    entries = [line.strip().removeprefix("- ") for line in lines[lines.index("dependencies:") + 1 :]]
    pinned = (re.split("==?", entry) for entry in entries if "=" in entry)
    return {"pip": ""} | {name: version for name, version in pinned}


def test_each_lock_line_is_one_canonical_name_and_one_version():
    pin = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][a-z0-9.]*")
    lines = content_lines("requirements.lock.txt")
    assert [line for line in lines if not pin.fullmatch(line)] == []
    assert [line.split("==")[0] for line in lines] == sorted(locked()), "sorted, each name once"


@pytest.mark.parametrize("name", DIRECT)
def test_direct_dependency_is_locked_inside_its_bounds(name):
    assert DIRECT[name].specifier.contains(locked()[name])


@pytest.mark.parametrize("name", RUN | CLUSTER | EXPLORE)
def test_next_major_version_is_refused(name):
    major = int(locked()[name].split(".")[0])
    assert not DIRECT[name].specifier.contains(f"{major + 1}.0")


def test_conda_has_the_direct_dependencies_at_their_locked_versions():
    expected = {name: locked()[name] for name in DIRECT}
    assert {name: version for name, version in conda().items() if name not in ONLY_CONDA} == expected


def test_conda_python_is_supported():
    assert SpecifierSet(PROJECT["requires-python"]).contains(conda()["python"])


def test_discovery_looks_for_the_python_versions_that_the_project_supports():
    script = (ROOT / ".ci/find-python").read_text()
    minors = re.search(r'^minors="([0-9 ]+)"$', script, re.MULTILINE).group(1).split()
    supported = SpecifierSet(PROJECT["requires-python"])
    assert minors == [str(minor) for minor in range(40) if supported.contains(f"3.{minor}")]


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements.lock.txt", "environment.yml", "Makefile"])
def test_no_address_is_committed(file):
    address = re.compile(r"https?:|file:|git\+|index-url|find-links|trusted-host|@ ", re.IGNORECASE)
    lines = (ROOT / file).read_text().splitlines()
    assert [line for line in lines if address.search(line)] == []


def test_direct_dependencies_are_installed_at_their_locked_versions():
    assert {name: metadata.version(name) for name in DIRECT} == {name: locked()[name] for name in DIRECT}


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="only .venv promises to hold exactly the lock")
def test_environment_is_the_lock_and_the_project():
    # setuptools, once imported, puts packages of its own on the path.
    folders = [folder for folder in sys.path if not folder.endswith("_vendor")]
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions(path=folders)}
    installed.pop("pip")
    assert installed == locked() | {PROJECT["name"]: PROJECT["version"]}


@pytest.mark.parametrize("package", ["models", "analysis"])
def test_each_import_is_a_dependency_at_run_time(package):
    known, provides = {*sys.stdlib_module_names, "models", "analysis"}, metadata.packages_distributions()
    assert {module: file for module, file in imports(ROOT / package) if module not in known
            and not {canonicalize_name(name) for name in provides.get(module, ())} & set(RUN | CLUSTER | EXPLORE)} == {}


def imports(folder: Path):
    """Top-level names of the modules imported below a folder, with the importing file."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name.split(".")[0], file.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module.split(".")[0], file.name


def test_recart_command_is_the_command_line_of_this_folder():
    (command,) = metadata.entry_points(group="console_scripts", name="recart")
    assert command.value == "analysis.__main__:main"
    code = "import analysis, models; print(analysis.__file__); print(models.__file__)"
    shown = subprocess.check_output([sys.executable, "-I", "-c", code], text=True)
    assert shown.splitlines() == [str(ROOT / "analysis/__init__.py"), str(ROOT / "models/__init__.py")]
