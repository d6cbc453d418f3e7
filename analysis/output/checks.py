"""What is refused before any work: folders of others, closed doors, full disks."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from analysis.output.manifests import MANIFEST, RUN, WORKSHOP, files_of_report, known_files
from analysis.system.errors import OutputError, UsageError, one_line

_LEAST_FREE = 5_000_000  # bytes; even a quick report of one endpoint writes two


def real_place(folder: Path, data: Path) -> Path:
    """The folder that is meant, without links.

    Raises
    ------
    UsageError
        When it is a file, or is or holds the evidence, however its name is written.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(one_line(f"--output {folder} is a file; name a folder"))
        place, evidence = folder.resolve(), data.resolve()
        for holder in (evidence, *evidence.parents) if place.exists() else ():
            if os.path.samefile(place, holder):
                what = "is" if holder == evidence else "holds"
                raise UsageError(one_line(f"--output {folder} {what} the evidence directory {data}, whose tables are "
                                          "not to be overwritten; name another folder"))
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise OutputError(folder, getattr(error, "strerror", None) or str(error)) from error
    return place


def why_fixed(place: Path) -> str:
    """Why a folder that exists cannot change places with another; empty where it can."""
    here = Path.cwd().resolve()
    return ("it is a mount point" if os.path.ismount(place) else
            "it is or holds the working directory" if place in (here, *here.parents) else
            "" if os.access(place.parent, os.W_OK | os.X_OK) else f"{place.parent} is closed to new folders")


def refuse_fixed(folder: Path, place: Path) -> None:
    """Refuse a folder of results that cannot change places with another."""
    if place.exists() and (what := why_fixed(place)):
        raise OutputError(folder, f"a report replaces its folder as a whole, and {what}; name a folder inside, such as "
                                  f"--output {folder / 'results'}")


def refuse_unknown(folder: Path, place: Path) -> None:
    """Refuse a folder with files but without a manifest; hidden files, such as .gitkeep, do not count."""
    names = sorted(path.name for path in place.iterdir() if not _is_hidden(path)) if place.exists() else []
    if names and not known_files(place):
        examples = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        raise OutputError(folder, f"it holds {examples}, and no {RUN} or {MANIFEST} of this program says that these "
                                  "are results; name a new or an empty folder")


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(WORKSHOP) or path.name.startswith(".") and stat.S_ISREG(path.lstat().st_mode)


def refuse_obstacles(folder: Path, place: Path, *, files: Sequence[str], folders: Sequence[str]) -> None:
    """Refuse what can be seen to end in an error: a folder where a file belongs, a closed folder."""
    for name in files:
        if (place / name).is_dir():
            raise OutputError(folder / name, "it is a folder; move it away")
    for name in ("", *folders):
        if os.path.lexists(place / name):
            if (place / name).is_symlink() or not (place / name).is_dir():
                raise OutputError(folder / name, "it is no folder of its own; move it away")
            with speaking_of(folder / name, place / name), tempfile.TemporaryFile(dir=place / name):
                pass


def refuse_others(folder: Path, place: Path, names: Sequence[str]) -> None:
    """Refuse to write files that are not of a run that may be replaced."""
    folders = sorted({name.split("/")[0] for name in names if "/" in name})
    refuse_obstacles(folder, place, files=names, folders=folders)
    reported, known = files_of_report(place), known_files(place)
    for name in names:
        if name in reported:
            raise OutputError(folder / name, f"it belongs to the report in {folder}; name another folder")
        if os.path.lexists(place / name) and name not in known:
            raise OutputError(folder / name, "the one there was not written by this program; move it away, or name "
                                             "another folder")


def refuse_without_space(folder: Path, place: Path, needed: int = _LEAST_FREE) -> None:
    """Refuse a disk with less room than these bytes, or than the present results take."""
    present = [place / name for name in known_files(place) if (place / name).is_file()]
    needed = max(needed, sum(path.stat().st_size for path in present))
    free = shutil.disk_usage(place if place.exists() else place.parent).free
    if free < needed:
        raise OutputError(folder, f"{free / 1e6:.1f} MB of the disk are free, about {needed / 1e6:.0f} MB are needed")


@contextmanager
def speaking_of(folder: Path, real: Path, *, errors: type[Exception] = OSError) -> Iterator[None]:
    """Errors about files below `real` name them as the user does, below `folder`.

    Parameters
    ----------
    errors : type
        Further errors that concern the folder; OutputError where there are none.
    """
    try:
        yield
    except OutputError as error:
        if error.path.is_relative_to(real):
            raise OutputError(folder / error.path.relative_to(real), error.reason) from error
        raise
    except errors as error:
        raise OutputError(folder, getattr(error, "strerror", None) or str(error)) from error
