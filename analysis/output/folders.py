"""Building results beside their folder, and putting them in their place at the end.

A report takes the place of what stood in its folder: it is built in a workshop beside it, and the two change places in
one step. Files of `fit`, `regress` and `calibrate` join those of earlier runs. A workshop is a hidden folder with a
marker that its process keeps locked: an unlocked one is what a killed run left, and the next run clears it.
"""

import ctypes
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from analysis.output import checks
from analysis.output.checks import speaking_of
from analysis.output.locks import changing, in_use, try_lock
from analysis.output.manifests import (
    MANIFEST,
    RUN,
    WORKSHOP,
    added_runs,
    known_files,
    read_json,
    relative_files,
    write_runs,
)
from analysis.system.errors import OutputError, one_line
from analysis.system.files import as_json, write_text
from analysis.system.interrupts import ending_with, temporary, undisturbed

_MARKER, _COMPLETE, _OLD, _NEW = "recart-workshop", "complete.json", "old", "new"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of <fcntl.h> and <linux/fs.h>
_DELETED = "it was deleted or replaced during the run; nothing was written, run it again"


@contextmanager
def replacing(folder: Path, *, data: Path) -> Iterator[Path]:
    """A folder to build a report in; when the block ends well it takes the place of `folder`.

    Files in `folder` that no run wrote, and those of `adding`, are taken over.

    Raises
    ------
    UsageError
        Before the block where `folder` must not or cannot be replaced; in place of an error of writing later.
    """
    place = checks.real_place(folder, data)
    checks.refuse_fixed(folder, place)
    with ExitStack() as stack:
        with speaking_of(folder, place):
            place.parent.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(in_use(folder, place.with_name(f".{place.name}.lock"), alone=True))
            with changing(lock):
                _clear(place)
                checks.refuse_unknown(folder, place)
                checks.refuse_obstacles(folder, place, files=("report.html", RUN, *known_files(place)),
                                        folders=("details", "figures", "posteriors"))
                checks.refuse_without_space(folder, place)
                workshop = stack.enter_context(_workshop(place.parent, f".{place.name}{WORKSHOP}"))
            is_still_there, building = stack.enter_context(_watched(place)), workshop / _NEW
            _make_like(building, place)
        with speaking_of(folder, building, errors=OutputError):
            yield building
        with speaking_of(folder, building):
            if missing := ({RUN} | known_files(building)) - set(relative_files(building)):
                raise OutputError(folder / min(missing), "it was deleted during the run; nothing was written, run it "
                                                         "again")
            _keep_others(folder, place, building)
            _flush(building)
            with undisturbed():
                if not is_still_there():
                    raise OutputError(folder, _DELETED)
                _swap(building, place, workshop)


@contextmanager
def exchanging(place: Path) -> Iterator[Path]:
    """A copy of a folder to be changed; when the block ends well the two change places in one step.

    Raises
    ------
    UsageError
        In place of an error of writing.
    """
    place = place.resolve()
    if what := checks.why_fixed(place):
        raise OutputError(place, f"a changed copy takes its place as a whole, and {what}; run this from elsewhere, or "
                                 "on a copy")
    with ExitStack() as stack, speaking_of(place, place, errors=OutputError):
        lock = stack.enter_context(in_use(place, place.with_name(f".{place.name}.lock"), alone=True))
        with changing(lock):
            _clear(place)
            workshop = stack.enter_context(_workshop(place.parent, f".{place.name}{WORKSHOP}"))
        is_still_there, building = stack.enter_context(_watched(place)), workshop / _NEW
        shutil.copytree(place, building, symlinks=True)
        yield building
        _flush(building)
        with undisturbed():
            if not is_still_there():
                raise OutputError(place, _DELETED)
            _swap(building, place, workshop)


@contextmanager
def adding(folder: Path | None, *, data: Path, run: str, names: Sequence[str]) -> Iterator[Path | None]:
    """A folder to build files in that join those of `folder` when the block ends well; None for None.

    Parameters
    ----------
    run : str
        Command and subject, for the manifest. Where a file takes the place of one of an earlier run, that run's other
        files go: they would be a part of a result.
    names : sequence of str
        The files that will be written, relative to `folder`, as far as they are known.

    Raises
    ------
    UsageError
        Before the block where `folder` or a file must not or cannot be written; in place of an error of writing later.
    """
    if folder is None:
        yield None
        return
    place = checks.real_place(folder, data)
    with ExitStack() as stack:
        with speaking_of(folder, place):
            if not place.exists():
                place.mkdir(parents=True)
                stack.enter_context(ending_with(partial(_remove_empty, place)))
            beside = os.access(place.parent, os.W_OK) and place != place.parent
            path = place.with_name(f".{place.name}.lock") if beside else place / ".lock"
            lock = stack.enter_context(in_use(folder, path, alone=False))
            with changing(lock):
                _clear(place)
                checks.refuse_unknown(folder, place)
                checks.refuse_others(folder, place, names)
                checks.refuse_without_space(folder, place)
                workshop = stack.enter_context(_workshop(place, WORKSHOP))
            is_still_there, building = stack.enter_context(_watched(place)), workshop / _NEW
            building.mkdir()
        with speaking_of(folder, building, errors=OutputError):
            yield building
        with speaking_of(folder, building), changing(lock), undisturbed():
            if not is_still_there() or not building.is_dir():
                raise OutputError(folder, _DELETED)
            written = relative_files(building)
            checks.refuse_others(folder, place, written)
            _flush(building)
            write_text(workshop / _COMPLETE, as_json({"run": run, "files": written}))
            _join(workshop, place)


def _keep_others(folder: Path, place: Path, building: Path) -> None:
    """Give the new result, as second names, the files of the old folder that are not of the old report."""
    written = set(relative_files(building))
    kept = [run for run in added_runs(place) if not written & set(run["files"])]
    added = {name for run in kept for name in run["files"]}
    others = set(relative_files(place)) - (known_files(place) - added)
    for name in sorted(others):
        try:
            (building / name).parent.mkdir(parents=True, exist_ok=True)
            _second_name(place / name, building / name)
        except (FileExistsError, NotADirectoryError):
            raise OutputError(folder / name, "the report needs the name, and the file there was not written by this "
                                             "program; move it away") from None
    if kept:
        write_runs(building, kept)
    if foreign := sorted(others - added):
        examples = f"{', '.join(foreign[:5])}{' ...' if len(foreign) > 5 else ''}"
        print(one_line(f"kept in {folder}: {examples}"), file=sys.stderr)


def _second_name(source: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without second names, or a file of another one
        shutil.copy2(source, target, follow_symlinks=False)


def _swap(building: Path, place: Path, workshop: Path) -> None:
    """Put the new folder in its place, and an old one in the workshop: in one step where the system has it."""
    if not place.exists():
        os.rename(building, place)
    elif not _exchanged(building, place):
        os.rename(place, workshop / _OLD)
        try:
            os.rename(building, place)
        except OSError:
            os.rename(workshop / _OLD, place)
            raise
    _to_disk(place.parent)


def _exchanged(one: Path, other: Path) -> bool:
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0


def _join(workshop: Path, place: Path) -> None:
    """Move finished files to their places and enter them in the manifest; may be repeated after a killed run."""
    entry, runs = read_json(workshop / _COMPLETE), added_runs(place)
    kept = [run for run in runs if not set(run["files"]) & set(entry["files"])]
    write_runs(workshop, [*kept, entry])  # first, so that a full disk stops the move before it begins
    for name in entry["files"]:
        source = workshop / _NEW / name
        if os.path.lexists(source):
            (place / name).parent.mkdir(exist_ok=True)
            os.replace(source, place / name)
    for name in {name for run in runs if run not in kept for name in run["files"]} - set(entry["files"]):
        (place / name).unlink(missing_ok=True)
    os.replace(workshop / MANIFEST, place / MANIFEST)
    _to_disk(place)


@contextmanager
def _watched(place: Path) -> Iterator[Callable[[], bool]]:
    """Whether the folder that is there now still is, or there is none where there is none now."""
    if not place.exists():
        yield lambda: not place.exists()
        return
    handle = os.open(place, os.O_RDONLY)  # while it is open, no other folder can take its number
    try:
        yield lambda: place.exists() and os.path.samestat(os.fstat(handle), place.stat())
    finally:
        os.close(handle)


def _make_like(building: Path, place: Path) -> None:
    """Make a folder with the mode and group of the one that it will replace."""
    building.mkdir()
    if place.exists():
        with suppress(OSError):
            os.chown(building, -1, place.stat().st_gid)
        building.chmod(stat.S_IMODE(place.stat().st_mode))


@contextmanager
def _workshop(parent: Path, prefix: str) -> Iterator[Path]:
    """A new hidden folder of this process, gone with it."""
    path = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    temporary.add(path)
    try:
        marker = os.open(path / _MARKER, os.O_RDWR | os.O_CREAT, 0o600)
        try_lock(marker)
        yield path
        os.close(marker)
    finally:
        _remove(path)
        temporary.discard(path)


def _clear(place: Path) -> None:
    """Finish or remove what killed runs left beside a folder and in it."""
    for parent, prefix in ((place.parent, f".{place.name}{WORKSHOP}"), (place, WORKSHOP)):
        names = os.listdir(parent) if parent.is_dir() and os.access(parent, os.R_OK) else ()
        for workshop in (parent / name for name in names if name.startswith(prefix)):
            if _is_left(workshop):
                if (workshop / _OLD).exists() and not place.exists():
                    os.rename(workshop / _OLD, place)
                if (workshop / _COMPLETE).exists():
                    _join(workshop, place)
                _remove(workshop)


def _is_left(workshop: Path) -> bool:
    """Whether a workshop has no process any more; an empty folder of such a name counts."""
    try:
        marker = os.open(workshop / _MARKER, os.O_RDWR)
    except OSError:
        return workshop.is_dir() and not workshop.is_symlink() and not os.listdir(workshop)
    try:
        return try_lock(marker)
    finally:
        os.close(marker)


def _flush(folder: Path) -> None:
    """Bring files to the disk, so that a power failure after the swap finds them whole."""
    paths = [Path(parent) / name for parent, _, names in os.walk(folder) for name in (".", *names)]
    with ThreadPoolExecutor(16) as threads:  # a disk writes many files in the time of one
        list(threads.map(_to_disk, paths))


def _to_disk(path: Path) -> None:
    mode = path.lstat().st_mode
    # Not every system does so with folders, and what was kept may be a file of somebody else.
    ignored = OSError if stat.S_ISDIR(mode) else PermissionError
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        with suppress(ignored):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _remove(folder: Path) -> None:
    """Remove a workshop, its marker last: without one, the rest of a removal that was killed would never be known."""
    for child in [path for path in folder.iterdir() if path.name != _MARKER] if folder.is_dir() else ():
        _remove_all(child) if child.is_dir() and not child.is_symlink() else child.unlink(missing_ok=True)
    _remove_all(folder)


def _remove_all(folder: Path) -> None:
    def open_and_try_again(function: Callable[[str], None], path: str, _error: BaseException) -> None:
        with suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            function(path)

    shutil.rmtree(folder, onexc=open_and_try_again)
