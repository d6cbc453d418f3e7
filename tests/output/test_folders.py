"""What a folder of results may be, and that it is whole or as it was."""

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from analysis.output import adding, checks, folders, replacing
from analysis.system.errors import OutputError, UsageError
from analysis.system.files import write_atomically, write_text

from .building import add, report, texts, write_report

OLD = {"report.html": "old", "figures/a.svg": "old", "run.json": "old"}
NEW = {"report.html": "new", "figures/a.svg": "new", "run.json": "new"}


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "evidence" / "tables"
    folder.mkdir(parents=True)
    (folder / "studies.csv").write_text("mine")
    return folder


@pytest.fixture
def results(tmp_path, data):
    report(tmp_path / "parent" / "results", data, "old")
    return tmp_path / "parent" / "results"


def held(what: str, folder: Path, data: Path) -> subprocess.Popen:
    """Another process that writes into the folder."""
    process = subprocess.Popen([sys.executable, "-m", "tests.output.building", what, str(folder), str(data)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() in ("building", "done")
    return process


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize("spelling", ["same", "dot", "parent and back", "relative", "link", "link to parent", "above",
                                      "root"])
def test_the_evidence_is_never_written_over_however_it_is_spelt(spelling, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(data)
    (tmp_path / "upper").symlink_to(data.parent)
    folder = {"same": data, "dot": data / ".", "parent and back": data / ".." / "tables",
              "relative": Path("evidence/tables"), "link": tmp_path / "link", "link to parent": Path("upper/tables"),
              "above": data.parent, "root": Path("/")}[spelling]
    for given in (data, Path("evidence/tables"), tmp_path / "link"):
        with pytest.raises(UsageError, match="evidence directory"):
            report(folder, given, "new")
        with pytest.raises(UsageError, match="evidence directory"):
            add(folder, given, "fit", {"studies.csv": "new"})
    assert texts(data) == {"studies.csv": "mine"} and len(list(tmp_path.iterdir())) == 3


def test_a_name_that_differs_in_case_is_compared_by_the_folder_behind_it(data, tmp_path, monkeypatch):
    """On a file system that ignores case TABLES is tables; here a second mount of one folder stands for it."""
    (tmp_path / "TABLES").mkdir()
    same = os.path.samefile
    monkeypatch.setattr(checks.os.path, "samefile", lambda one, other: same(
        *(str(path).replace(str(tmp_path / "TABLES"), str(data)) for path in (one, other))))
    with pytest.raises(UsageError, match="is the evidence directory"):
        report(tmp_path / "TABLES", data, "new")


@pytest.mark.parametrize("name", ["report.html", "studies.csv", "posteriors/mine.nc", ".git/config"])
def test_a_folder_of_others_is_refused_and_untouched(name, data, tmp_path):
    write_text(tmp_path / "mine" / name if "/" not in name else make(tmp_path / "mine") / name, "mine")
    for write in (lambda: report(tmp_path / "mine", data, "new"),
                  lambda: add(tmp_path / "mine", data, "fit", {"posteriors/cr.nc": "new"})):
        with pytest.raises(OutputError, match="name a new or an empty folder"):
            write()
    assert texts(tmp_path / "mine") == {name: "mine"}


def make(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("manifest", ["", "[]", '{"files": ["studies.csv"]}', '{"runs": 1, "schema_version": 1}'])
def test_another_programs_manifest_is_none(manifest, data, tmp_path):
    for name in ("run.json", "manifest.json"):
        write_text(tmp_path / "mine" / name, manifest)
    with pytest.raises(OutputError, match="name a new or an empty folder"):
        report(tmp_path / "mine", data, "new")


def test_new_empty_and_nearly_empty_folders_are_taken(data, tmp_path):
    (tmp_path / "empty").mkdir()
    write_text(tmp_path / "kept" / ".gitkeep", "")
    (tmp_path / "link").symlink_to(tmp_path / "behind")
    for name in ("new", "empty", "kept", "link"):
        report(tmp_path / name, data, "new")
    assert texts(tmp_path / "new") == texts(tmp_path / "empty") == texts(tmp_path / "behind") == NEW
    assert texts(tmp_path / "kept") == {**NEW, ".gitkeep": ""} and (tmp_path / "link").is_symlink()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_within_the_evidence_is_no_danger_to_it(data):
    report(data / "results", data, "new")
    assert texts(data / "results") == NEW and (data / "studies.csv").read_text() == "mine"


def test_results_of_earlier_versions_are_known(data, tmp_path):
    """Their run.json has these keys, and its posteriors stand among the fits."""
    run = {"schema_version": 1, "data_sha256": "0", "stamp": "", "versions": {}, "files": ["report.html"],
           "fits": [{"posterior": "posteriors/gone.nc", "status": "converged"}, {"posterior": None}]}
    for name, text in (("report.html", "old"), ("posteriors/gone.nc", "old"), ("run.json", json.dumps(run))):
        write_text(make(tmp_path / "results") / name, text)
    report(tmp_path / "results", data, "new")
    assert texts(tmp_path / "results") == NEW


def test_stale_files_go_and_the_users_own_stay(results, data, capsys):
    (results / "notes.txt").write_text("mine")
    (results / "figures" / "mine.svg").write_text("mine")
    (results / "to").symlink_to("notes.txt")
    report(results, data, "new", ("report.html", "figures/b.svg"))
    mine = {"notes.txt": "mine", "figures/mine.svg": "mine", "to": "mine"}
    assert texts(results) == {"report.html": "new", "figures/b.svg": "new", "run.json": "new", **mine}
    assert "kept in" in capsys.readouterr().err and os.readlink(results / "to") == "notes.txt"


@pytest.mark.parametrize("stepwise", [False, True])
def test_a_file_of_the_user_is_not_replaced_by_a_new_one_of_its_name(stepwise, results, data, monkeypatch):
    if stepwise:
        monkeypatch.setattr(folders, "_exchanged", lambda one, other: False)
    (results / "b.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"results/b\.csv cannot be written: .* move it away"):
        report(results, data, "new", ("b.csv",))
    assert texts(results) == {**OLD, "b.csv": "mine"}
    report(results, data, "new")
    assert texts(results) == {**NEW, "b.csv": "mine"}


def test_an_error_leaves_the_old_result_and_no_litter(results, data):
    def fail(path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OutputError, match=r"results/figures/a\.svg cannot be written: No space left on device"):
        with replacing(results, data=data) as building:
            write_text(building / "report.html", "new")
            write_atomically(building / "figures" / "a.svg", fail)
    with pytest.raises(ZeroDivisionError), replacing(results, data=data) as building:
        write_report(building, "new")
        raise ZeroDivisionError
    assert texts(results) == OLD and [path.name for path in results.parent.iterdir()] == ["results"]


def test_errors_that_are_not_of_the_folder_keep_their_name(results, data):
    with pytest.raises(BrokenPipeError), replacing(results, data=data):
        raise BrokenPipeError


@pytest.mark.parametrize("what", ["target", "building", "a file", "other"])
def test_a_folder_that_is_deleted_midway_is_no_success(what, results, data):
    with pytest.raises(OutputError, match="deleted"), replacing(results, data=data) as building:
        write_report(building, "new")
        if what == "a file":
            (building / "report.html").unlink()
        else:
            shutil.rmtree(building if what == "building" else results)
        if what == "other":
            write_text(results / "precious.txt", "mine")
    left = {"other": {"precious.txt": "mine"}, "target": {}}.get(what, OLD)
    assert texts(results) == left
    with pytest.raises(OutputError, match="cannot be written"), adding(results.parent / "fits", data=data, run="fit",
                                                                      names=[]) as building:
        write_text(building / "x.nc", "new")
        shutil.rmtree(results.parent / "fits")
    assert not (results.parent / "fits" / "x.nc").exists()


def test_a_write_does_not_bring_a_deleted_folder_back(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        write_text(tmp_path / "gone" / "figures" / "a.svg", "new")
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(("name", "kind"), [("report.html", "folder"), ("run.json", "folder"), ("figures", "file"),
                                            ("posteriors", "link"), ("figures/a.svg", "folder")])
def test_what_is_in_the_way_is_said_before_the_work(name, kind, results, data):
    path, run = results / name, (results / "run.json").read_text()
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    {"folder": path.mkdir, "file": path.touch, "link": lambda: path.symlink_to(data)}[kind]()
    if name == "run.json":
        (results / "manifest.json").write_text(json.dumps({"schema_version": 1, "runs": [json.loads(run)]}))
    with pytest.raises(OutputError, match=f"results/{name} cannot be written: it is .*; move it away"):
        with replacing(results, data=data):
            pytest.fail("work was begun")


@pytest.mark.parametrize("name", ["", "figures", "posteriors"])
def test_a_closed_folder_is_said_before_the_work(name, results, data, monkeypatch):
    """Permissions do not bind root, so that the system's answer is made here."""
    (results / "posteriors").mkdir()
    able = tempfile.TemporaryFile

    def closed(dir):
        if dir == results / name:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir))
        return able(dir=dir)

    monkeypatch.setattr(checks.tempfile, "TemporaryFile", closed)
    for write in (lambda: report(results, data, "new"), lambda: add(results, data, "fit", {f"{name or '.'}/x": "new"})):
        with pytest.raises(OutputError) as refused:
            write()
        assert str(refused.value) == f"{results / name} cannot be written: Read-only file system"


def test_a_full_disk_is_said_before_the_work(results, data, monkeypatch):
    usage = shutil.disk_usage(results)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(OutputError, match=r"1\.0 MB of the disk are free, about 5 MB are needed"):
        report(results, data, "new")


def test_a_folder_that_cannot_change_places_is_refused_with_a_remedy(results, data, monkeypatch):
    monkeypatch.chdir(results / "figures")
    for folder in (results, Path(".."), Path(".")):
        with pytest.raises(OutputError, match="working directory; name a folder inside, such as --output"):
            report(folder, data, "new")
    monkeypatch.chdir(data)
    monkeypatch.setattr(checks.os.path, "ismount", lambda path: path == results)
    with pytest.raises(OutputError, match="mount point; name a folder inside"):
        report(results, data, "new")
    report(results / "results", data, "new")


def test_two_runs_do_not_mix(results, data):
    """Reports exclude every other run; what is added to a folder excludes reports only."""
    other = held("hold", results, data)
    for write in (lambda: report(results, data, "new"), lambda: add(results, data, "fit", {"a.nc": "new"})):
        with pytest.raises(OutputError, match=rf"results cannot .* \(process {other.pid}\)"):
            write()
    end(other)
    assert texts(results) == OLD
    report(results, data, "new")
    assert texts(results) == NEW and [path.name for path in results.parent.iterdir()] == ["results"]
    other = held("add", results, data)
    with pytest.raises(OutputError, match=rf"\(process {other.pid}\)"):
        report(results, data, "new")
    add(results, data, "fit", {"y.nc": "added"})
    other.communicate("", timeout=30)
    assert texts(results) == {**NEW, "x.nc": "added", "y.nc": "added"}
    assert not [path for path in (*results.iterdir(), *results.parent.iterdir()) if path.name.startswith(".")]


@pytest.mark.parametrize("what", ["once", "stepwise"])
def test_kill_at_any_moment_leaves_one_whole_result(what, data, tmp_path):
    """Reports of twenty figures follow each other as fast as they can, so that most of the time is the end of one.

    Where the two folders change places stepwise, the old one may be away until the next run.
    """
    folder, moments, seen = tmp_path / "parent" / "results", random.Random(1), set()
    for at in range(6):
        process, began = held(what, folder, data), time.monotonic()
        for _ in range(at % 3 + 1):
            process.stdout.readline()
        time.sleep(moments.uniform(0.0, (time.monotonic() - began) / (at % 3 + 1)))  # within the next report
        end(process)
        if what == "stepwise":
            with pytest.raises(ZeroDivisionError), replacing(folder, data=data):
                raise ZeroDivisionError
        whole = texts(folder)
        assert len(whole) == 21 and len(set(whole.values())) == 1, whole
        seen |= set(whole.values())
    report(folder, data, "new")
    assert texts(folder) == NEW and [path.name for path in folder.parent.iterdir()] == ["results"]
    assert len(seen) > 1


def test_a_removal_that_was_killed_goes_on_in_the_next_run(results, data, monkeypatch):
    """Of a workshop the marker goes last, so that the next run knows what is left as its own to clear."""
    workshop = results.parent / ".results.building-killed"
    for name in ("a", "b"):
        (workshop / name).mkdir(parents=True)
        (workshop / name / "file").touch()
    (workshop / "recart-workshop").touch()
    remove, calls = shutil.rmtree, []

    def killed_at_the_second(folder, **options):
        calls.append(folder)
        if len(calls) == 2:
            raise ZeroDivisionError
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", killed_at_the_second)
    with pytest.raises(ZeroDivisionError):
        report(results, data, "new")
    monkeypatch.undo()
    assert (workshop / "recart-workshop").exists() and len(calls) == 2
    report(results, data, "new")
    assert texts(results) == NEW and [path.name for path in results.parent.iterdir()] == ["results"]


def test_a_run_killed_between_two_steps_is_undone_by_the_next(results, data):
    workshop = results.parent / ".results.building-killed"
    workshop.mkdir()
    (workshop / "recart-workshop").touch()
    os.rename(results, workshop / "old")
    with pytest.raises(ZeroDivisionError), replacing(results, data=data):
        raise ZeroDivisionError
    assert texts(results) == OLD and not workshop.exists()


def test_folders_of_such_a_name_that_are_not_of_this_program_stay(results, data):
    write_text(results.parent / ".results.building-site" / "plan.txt", "mine")
    report(results, data, "new")
    assert texts(results.parent / ".results.building-site") == {"plan.txt": "mine"}


def test_fits_stand_beside_each_other(data, tmp_path):
    folder = tmp_path / "fits"
    add(folder, data, "fit cr", {"posteriors/cr.nc": "1"})
    add(folder, data, "fit os", {"posteriors/os.nc": "1"})
    add(folder, data, "fit cr", {"posteriors/cr.nc": "2"})
    assert texts(folder) == {"posteriors/cr.nc": "2", "posteriors/os.nc": "1"}
    runs = json.loads((folder / "manifest.json").read_text())["runs"]
    assert runs == [{"run": "fit os", "files": ["posteriors/os.nc"]}, {"run": "fit cr", "files": ["posteriors/cr.nc"]}]


def test_a_run_takes_all_files_of_the_run_that_it_replaces(data, tmp_path):
    folder = tmp_path / "slopes"
    add(folder, data, "calibrate a", {"record.csv": "a", "figures/ranks_a.svg": "a"})
    add(folder, data, "fit cr", {"posteriors/cr.nc": "cr"})
    add(folder, data, "calibrate b", {"record.csv": "b", "figures/ranks_b.svg": "b"})
    assert texts(folder) == {"record.csv": "b", "figures/ranks_b.svg": "b", "posteriors/cr.nc": "cr"}


def test_added_files_replace_none_of_the_user_and_none_of_a_report(results, data):
    (results / "mine.nc").write_text("mine")
    with pytest.raises(OutputError, match="was not written by this program"):
        add(results, data, "fit", {"mine.nc": "new"})
    with pytest.raises(OutputError, match="belongs to the report"):
        add(results, data, "fit", {"figures/a.svg": "new"})
    assert texts(results) == {**OLD, "mine.nc": "mine"}


def test_a_report_keeps_what_was_added_unless_it_writes_it_anew(results, data):
    add(results, data, "fit cr", {"posteriors/cr.nc": "added"})
    add(results, data, "regress cr", {"regression.csv": "added", "figures/bubble_cr.svg": "added"})
    report(results, data, "new", ("report.html", "figures/a.svg", "regression.csv"))
    assert texts(results) == {**NEW, "regression.csv": "new", "posteriors/cr.nc": "added"}
    assert [run["run"] for run in json.loads((results / "manifest.json").read_text())["runs"]] == ["fit cr"]


def test_files_half_added_by_a_killed_run_are_completed_by_the_next(data, tmp_path):
    add(tmp_path / "fits", data, "fit os", {"os.nc": "1"})
    workshop = tmp_path / "fits" / ".building-killed"
    write_text(make(workshop) / "new" / "b.nc", "2")  # a.nc has been moved already
    write_text(workshop / "complete.json", json.dumps({"run": "fit", "files": ["a.nc", "b.nc"]}))
    write_text(workshop / "recart-workshop", "")
    write_text(tmp_path / "fits" / "a.nc", "2")
    add(tmp_path / "fits", data, "fit cr", {"cr.nc": "3"})
    assert texts(tmp_path / "fits") == {"os.nc": "1", "a.nc": "2", "b.nc": "2", "cr.nc": "3"}
    runs = json.loads((tmp_path / "fits" / "manifest.json").read_text())["runs"]
    assert [run["files"] for run in runs] == [["os.nc"], ["a.nc", "b.nc"], ["cr.nc"]]


def test_the_new_folder_has_the_mode_of_the_old_one(results, data):
    results.chmod(0o2750)
    report(results, data, "new")
    assert results.stat().st_mode & 0o7777 == 0o2750


def test_messages_come_through_a_helper_process():
    import pickle
    error = pickle.loads(pickle.dumps(OutputError(Path("results/a.nc"), "No space left on device")))
    assert str(error) == "results/a.nc cannot be written: No space left on device"
