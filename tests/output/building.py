"""Small results for tests of the folders that hold them; as a script, reports that follow each other until killed."""

import json
import sys
import time
from pathlib import Path

from analysis.output import adding, replacing
from analysis.system.files import write_text

KEYS = {"schema_version": 1, "data_sha256": "0", "fits": []}


def write_report(building: Path, text: str, names: tuple[str, ...] = ("report.html", "figures/a.svg")) -> None:
    """A report whose files all hold this text."""
    for name in names:
        write_text(building / name, text)
    write_text(building / "run.json", json.dumps({**KEYS, "text": text, "files": list(names)}))


def report(folder: Path, data: Path, text: str, names: tuple[str, ...] = ("report.html", "figures/a.svg")) -> None:
    """Put such a report in its place."""
    with replacing(folder, data=data) as building:
        write_report(building, text, names)


def add(folder: Path, data: Path, run: str, files: dict[str, str]) -> None:
    """Add files as `fit` does."""
    with adding(folder, data=data, run=run, names=list(files)) as building:
        for name, text in files.items():
            write_text(building / name, text)


def texts(folder: Path) -> dict[str, str]:
    """Every file of a folder and what it holds; of run.json the text of the report, nothing of manifest.json."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    files.pop("manifest.json", None)
    return {name: json.loads(path.read_text())["text"] if name == "run.json" else path.read_text()
            for name, path in files.items()}


if __name__ == "__main__":
    what, target, evidence = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if what == "stepwise":
        from analysis.output import folders
        folders._exchanged = lambda one, other: False
    if what == "hold":
        with replacing(target, data=evidence):
            print("building", flush=True)
            time.sleep(60)
    if what == "add":
        with adding(target, data=evidence, run="fit", names=["x.nc"]) as place:
            write_text(place / "x.nc", "added")
            print("building", flush=True)
            sys.stdin.read()
    generation = 0
    while what in ("once", "stepwise"):
        generation += 1
        report(target, evidence, str(generation), tuple(f"figures/{at}.svg" for at in range(20)))
        print("done", flush=True)
