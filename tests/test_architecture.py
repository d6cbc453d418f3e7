"""ARCHITECTURE.md says what the code is: its rooms on their floors, its types where they are, its paths."""

import re
import subprocess
from importlib import import_module
from pathlib import Path

from tests.test_floors import FLOORS

_ROOT = Path(__file__).resolve().parents[1]
_TEXT = (_ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_map_has_every_room_on_its_floor() -> None:
    told = {room.rstrip("/").replace("/", "."): int(floor)
            for floor, room in re.findall(r"^\| (\d+) \| `([a-z_/]+)` \|", _TEXT, re.M)}
    held = {room: at + 1 for at, rooms in enumerate(FLOORS) for room in rooms
            if (_ROOT / room.replace(".", "/")).is_dir()}
    assert told == held
    folders = {f"analysis.{path.name}" for path in (_ROOT / "analysis").iterdir() if (path / "__init__.py").exists()}
    assert folders | {"models"} == set(told)


def test_the_top_level_is_fixed() -> None:
    names = subprocess.run(["git", "ls-tree", "--name-only", "HEAD"], cwd=_ROOT, capture_output=True, text=True,
                           check=False).stdout.split()
    assert set(names) <= {
        ".ci", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "Makefile", "README.md",
        "analysis", "data", "environment.yml", "models", "pyproject.toml", "requirements.lock.txt", "tests"}


def test_the_five_types_are_where_the_page_says() -> None:
    types = re.findall(r"^\| `([A-Z]\w+)` \| `([\w/]+)\.py` \|", _TEXT, re.M)
    assert len(types) == 5
    for name, place in types:
        assert isinstance(getattr(import_module(place.replace("/", ".")), name), type), name


def test_every_path_of_the_page_exists() -> None:
    paths = {path for path in re.findall(r"`([a-z_]+/[\w/]*(?:\.\w+)?)`", _TEXT)}
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not any((_ROOT / start / path).exists() for start in ("", "analysis"))] \
        == []


def test_the_example_of_a_count_is_in_the_evidence() -> None:
    study, endpoint, events, n = re.search(r"says `(\w+), (\w+), (\d+), (\d+)`", _TEXT).groups()
    rows = (_ROOT / "data" / "responses.csv").read_text(encoding="utf-8").splitlines()
    assert any(row.startswith(f"{study},{endpoint},{events},{n},") for row in rows)
