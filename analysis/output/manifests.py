"""Which files of a folder this program wrote: what run.json of a report and manifest.json of other runs list."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.system.files import as_json, write_text

RUN, MANIFEST = "run.json", "manifest.json"
WORKSHOP = ".building-"
"""How the names of hidden folders begin in which files are made."""
_RUN_KEYS = {"schema_version", "data_sha256", "files", "fits"}


def known_files(place: Path) -> set[str]:
    """Files that runs wrote, relative to their folder; none where it has no manifest."""
    return files_of_report(place) | {name for run in added_runs(place) for name in (MANIFEST, *run["files"])}


def files_of_report(place: Path) -> set[str]:
    """Files of the report in a folder; none where there is none."""
    run = read_json(place / RUN)
    if not (isinstance(run, dict) and run.keys() >= _RUN_KEYS and _are_lists(run["files"], run["fits"])):
        return set()
    posteriors = [fit.get("posterior") for fit in run["fits"] if isinstance(fit, dict)]
    return {RUN, *(name for name in (*run["files"], *posteriors) if isinstance(name, str))}


def added_runs(place: Path) -> list[dict[str, Any]]:
    """Runs of other commands: each with its name as `run`, and its files."""
    manifest = read_json(place / MANIFEST)
    runs = manifest.get("runs") if isinstance(manifest, dict) and "schema_version" in manifest else None
    return [run for run in runs if isinstance(run, dict) and _are_lists(run.get("files"))] if _are_lists(runs) else []


def write_runs(place: Path, runs: Sequence[dict[str, Any]]) -> None:
    """Write the manifest of these runs."""
    write_text(place / MANIFEST, as_json({"schema_version": 1, "runs": runs}) + "\n")


def read_json(path: Path) -> Any:
    """What a JSON file holds; None where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def relative_files(folder: Path) -> list[str]:
    """Files and links below a folder, relative to it, without those that are being made."""
    paths = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(WORKSHOP)]
        names += [name for name in folders if (Path(parent) / name).is_symlink()]
        paths += [(Path(parent) / name).relative_to(folder).as_posix() for name in names]
    return sorted(paths)


def _are_lists(*values: Any) -> bool:
    return all(isinstance(value, list) for value in values)
