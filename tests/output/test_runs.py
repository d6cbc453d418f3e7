"""Whole programs: what a killed, interrupted or hindered run leaves. Processes are looked for by their parents."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.output.manifests import known_files, relative_files
from tests.evidence.build import write_evidence
from tests.output.building import report

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "studies": "study_id,label,year,age\none,One,2001,30\ntwo,Two,2002,40\nthree,Three,2003,50\n",
    "covariates": "covariate,label,column\nage,Median age,age\n",
    "endpoints": "endpoint,label,kind,direction\nresp,Response,rate,benefit\n",
    "responses": "study_id,endpoint,events,n\none,resp,0,7\ntwo,resp,5,9\nthree,resp,30,30\n",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def hears_interrupts() -> None:
    """A test run in the background of a shell ignores them, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*arguments: object, **options) -> subprocess.Popen:
    options.setdefault("preexec_fn", hears_interrupts)
    return subprocess.Popen([sys.executable, "-m", "analysis", *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True, **options)


def stat(pid: int) -> list[str]:
    """State, parent and so on of a process; nothing where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] == "Z" else fields


def descendants(pid: int) -> set[int]:
    parents = {int(path.name): stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
    direct = {child for child, fields in parents.items() if fields and int(fields[1]) == pid}
    return direct.union(*(descendants(child) for child in direct))


def seconds_until_gone(pids: set[int], limit: float = 20.0) -> float:
    began = time.monotonic()
    while any(map(stat, pids)) and time.monotonic() - began < limit:
        time.sleep(0.02)
    return time.monotonic() - began


def snapshot(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in relative_files(folder)}


@pytest.mark.parametrize("make_folder", [lambda data: data, lambda data: data / ".", lambda data: data.parent])
@pytest.mark.parametrize("command", [["report"], ["fit", "resp"], ["regress", "resp"], ["calibrate", "beta_binomial"]])
def test_every_command_refuses_to_write_over_the_evidence(command, make_folder, data, capsys):
    before = snapshot(data)
    assert main([*command, "--data", str(data), "--output", str(make_folder(data))]) == 2
    streams = capsys.readouterr()
    assert "evidence directory" in streams.err and "Traceback" not in streams.err and not streams.out
    assert snapshot(data) == before


@pytest.mark.parametrize("command", [["report"], ["fit", "resp"], ["regress", "resp"], ["calibrate", "beta_binomial"]])
def test_every_command_refuses_a_folder_of_others(command, data, tmp_path, capsys):
    (tmp_path / "report.html").write_text("mine")
    assert main([*command, "--data", str(data), "--output", str(tmp_path)]) == 2
    assert f"{tmp_path} cannot be written: it holds report.html" in capsys.readouterr().err
    assert snapshot(tmp_path) == {"report.html": b"mine"}


def wait_for(run: subprocess.Popen, moment: str, folder: Path) -> None:
    """Wait until a run has its workshop, or has printed a line with these words on standard error."""
    if moment != "workshop":
        assert any(moment in line for line in run.stderr)
    while not list(folder.parent.glob(".results.building*")) and run.poll() is None:
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_kill_signals_and_second_runs(data, tmp_path):
    """Reports are killed and interrupted while the helper starts, while both compile, and among the fits."""
    folder = tmp_path / "parent" / "results"
    report(folder, data, "old", ("report.html", "posteriors/gone.nc"))
    old = snapshot(folder)
    for number, moment, later in ((signal.SIGTERM, "workshop", 0.2), (signal.SIGKILL, "compiling", 3.0),
                                  (signal.SIGINT, "[1/", 0.0)):
        run = start("report", "--quick", "--data", data, "--output", folder)
        wait_for(run, moment, folder)
        time.sleep(later)
        if number == signal.SIGKILL:
            second = start("report", "--data", data, "--output", folder)
            assert f"process {run.pid}" in second.communicate(timeout=60)[1] and second.returncode == 2
        children, began = descendants(run.pid), time.monotonic()
        assert children
        # As the terminal does; kill -9 is aimed at one process.
        run.kill() if number == signal.SIGKILL else os.killpg(run.pid, number)
        run.wait(timeout=60)
        # Measured 0.0 to 0.6 s on two busy cores; the limit of 2 s is for a machine that is free.
        assert seconds_until_gone(children) + time.monotonic() - began < 10.0
        assert run.returncode == (-number if number == signal.SIGKILL else 128 + number)
        assert "Traceback" not in run.stderr.read() and snapshot(folder) == old
        beside = {path.name.split("-")[0] for path in folder.parent.iterdir()} - {"results"}
        assert beside == ({".results.lock", ".results.building"} if number == signal.SIGKILL else set())
        run.stdout.close(), run.stderr.close()
    report(folder, data, "new")
    assert [path.name for path in folder.parent.iterdir()] == ["results"]
    assert set(relative_files(folder)) == known_files(folder) == {"report.html", "figures/a.svg", "run.json"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_fit_leaves_no_empty_folder(data, tmp_path, number):
    folder = tmp_path / "parent" / "out"
    folder.parent.mkdir()
    run = start("fit", "resp", "--data", data, "--output", folder)
    assert any("Compiling" in line for line in run.stderr)
    assert {path.name for path in folder.parent.iterdir()} == {"out", ".out.lock"}
    run.send_signal(number)
    assert run.wait(timeout=60) == 128 + number and not list(folder.parent.iterdir())
    run.stdout.close(), run.stderr.close()


def test_helpers_end_with_a_killed_caller(tmp_path):
    """One sleeps in Python, the other in C without letting any other thread run."""
    code = ("import ctypes, time\nfrom analysis.runs.workers import workers\n"
            "def sleep_in_c(seconds):\n    ctypes.PyDLL(None).sleep(seconds)\nif __name__ == '__main__':\n"
            "    with workers(2) as executor:\n"
            "        executor.submit(time.sleep, 60), executor.submit(sleep_in_c, 60)\n"
            "        time.sleep(2); print('working', flush=True); time.sleep(60)\n")
    (tmp_path / "caller.py").write_text(code)
    caller = subprocess.Popen([sys.executable, str(tmp_path / "caller.py")], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert caller.stdout.readline() == "working\n"
    children = descendants(caller.pid)
    assert len(children) >= 2
    caller.kill()
    caller.communicate()
    assert seconds_until_gone(children) < 5.0


def test_a_failing_block_ends_its_helpers_in_the_midst_of_their_work():
    from multiprocessing import active_children

    from analysis.runs.workers import workers
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), workers(1) as executor:
        executor.submit(time.sleep, 60)
        assert active_children()
        raise ZeroDivisionError
    assert not active_children() and time.monotonic() - began < 20.0


def test_a_full_disk_while_a_posterior_is_written_is_no_error_of_the_program(data, tmp_path):
    """A limit on the size of files stands for the disk: the netCDF library tells as little in both cases."""
    run = start("fit", "resp", "--engine", "exact", "--data", data, "--output", tmp_path / "fits",
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    errors = run.communicate(timeout=120)[1]
    assert run.returncode == 2 and "Traceback" not in errors
    assert f"{tmp_path}/fits/posteriors/resp.beta_binomial.all.AB.exact.nc cannot be written: " in errors
    assert not list(tmp_path.iterdir())


def test_fits_join_each_other_and_the_same_fit_takes_its_place(data, tmp_path, capsys):
    for engine, subject in (("exact", "resp"), ("exact", "resp")):
        assert main(["fit", subject, "--engine", engine, "--data", str(data), "--output", str(tmp_path / "fits")]) == 0
    assert main(["fit", "resp", "--engine", "exact", "--prior", "rho=Beta(1,10)", "--data", str(data), "--output",
                 str(tmp_path / "fits")]) == 0
    assert "fits/posteriors/resp.beta_binomial.all.AB.exact.priors-" in capsys.readouterr().out
    runs = json.loads((tmp_path / "fits" / "manifest.json").read_text())["runs"]
    assert len(runs) == 2 and len(relative_files(tmp_path / "fits")) == 3


def test_a_run_without_a_result_leaves_no_folder(data, tmp_path, capsys):
    assert main(["regress", "resp", "--data", str(write_evidence(tmp_path / "data")), "--output",
                 str(tmp_path / "slopes")]) == 2
    assert not (tmp_path / "slopes").exists()
