"""An error in one endpoint, or in one analysis of it: everything else is complete, and the page says so."""

import csv
import json
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.cases.settings import Job
from analysis.commands import report
from analysis.inference import fitting
from analysis.results import records
from analysis.runs import dependence, page, side
from analysis.runs import figures as figures
from analysis.system import failures
from analysis.system.failures import Failure, attempt
from tests.evidence.build import write_files

FILES = {
    "studies.csv": "study_id,label,year,age\n" + "".join(
        f"s{at},S {at},20{at},{30 + at * at}\n" for at in range(10, 15)),
    "endpoints.csv": "endpoint,label,kind,direction\ngood,Good,rate,benefit\nbad,Bad,rate,harm\nodd,Odd,rate,harm\n",
    "responses.csv": "study_id,endpoint,events,n\n" + "".join(
        f"s{at},{name},{at - 4},{at + 9}\n" for at in range(10, 15) for name in ("good", "bad", "odd")),
    "covariates.csv": "covariate,label,column\nage,Age,age\n",
    "subsets.csv": "subset,label,column,value\nlate,Late,year,>=2012\n",
}


@pytest.fixture
def here(monkeypatch):
    """A run in this process alone, where errors can be planted, as a user has it: without RECART_DEBUG."""
    class Here(Executor):
        def __init__(self, evidence):
            self.evidence = evidence

        def submit(self, function, /, *arguments):
            future = Future()
            if function.__name__ in ("_work", "_import_figures"):
                future.set_running_or_notify_cancel()
                future.set_result(records.attempted(self.evidence, *arguments) if arguments else None)
            return future  # what is still pending is cancelled and done by the caller

    monkeypatch.setattr(report, "helper", Here)
    monkeypatch.delenv(failures.DEBUG)
    return monkeypatch


def stumble(monkeypatch, module, name, *, when):
    """Let a function of a module divide by zero where its arguments are of the endpoint meant."""
    function = getattr(module, name)

    def planted(*arguments, **options):
        if when(*arguments):
            raise ZeroDivisionError("planted")
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, planted)


def of_odd(*arguments) -> bool:
    return any(argument == "odd" or isinstance(argument, Job) and argument.question.endpoint == "odd"
               for argument in arguments)


def run(tmp_path, capsys, *options):
    folder = tmp_path / "out"
    code = main(["report", "--data", str(write_files(tmp_path / "data", FILES)), "--output", str(folder), "--quick",
                 "--json", *options])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err, (folder / "report.html").read_text("utf-8"), folder


def endpoints_of(folder, name) -> set[str]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return {row["endpoint"] for row in csv.DictReader(file)}


@pytest.mark.slow
def test_what_fails_takes_nothing_with_it(here, tmp_path, capsys):
    """The fits of one endpoint, side analyses of another, and a section: all other tables and sections are there."""
    stumble(here, fitting, "typed_studies", when=lambda selection: selection.endpoint.endpoint == "bad")
    planted = {"sensitivity": (dependence, "sensitivity_rows"), "influence": (dependence, "influence_rows"),
               "regression": (dependence, "regress"), "model comparison": (side, "_model_rows"),
               "other methods": (side, "_frequentist")}
    for module, name in planted.values():
        stumble(here, module, name, when=of_odd)
    stumble(here, page, "subsets_section", when=lambda results: True)
    code, manifest, told, text, folder = run(tmp_path, capsys)
    assert code == 3 and not manifest["converged"] and failures.HINT in told and "Traceback" not in told
    status = {name: {one["status"] for one in manifest["fits"] if one["endpoint"] == name}
              for name in ("good", "bad", "odd")}
    assert status == {"good": {"converged"}, "bad": {"FAILED"}, "odd": {"converged"}}
    lines = [line for line in told.splitlines() if line.startswith("FAILED: bad")]
    assert len(lines) == sum(one["endpoint"] == "bad" for one in manifest["fits"])
    assert all("ZeroDivisionError: planted" in line and "test_failures.py line" in line for line in lines)
    assert 'id="endpoint-bad"' in text and "FAILED: ZeroDivisionError: planted" in text
    failed = {(one["part"], one["endpoint"]) for one in manifest["failures"]}
    assert {one for one in failed if one[1] != "bad"} == {*((part, "odd") for part in planted), ("section subsets", "")}
    for part in planted:
        assert all(f"FAILED: {part} of odd: ZeroDivisionError: planted" in place for place in (told, text))
    assert "FAILED: section subsets: ZeroDivisionError: planted" in text and 'id="small-studies"' in text
    for name in ("sensitivity.csv", "influence.csv", "model_comparison.csv", "frequentist.csv"):
        assert endpoints_of(folder, name) == {"good"}
    assert endpoints_of(folder, "regression.csv") == {"good", "bad"}
    for name in ("estimates.csv", "studies.csv", "power_scaling.csv", "subset_differences.csv", "small_studies.csv"):
        assert endpoints_of(folder, name) == {"good", "odd"}


def test_a_figure_that_fails_is_one_figure(monkeypatch):
    monkeypatch.delenv(failures.DEBUG)
    monkeypatch.setattr(figures, "figure_tasks", lambda results, folder: [(int, ("x", folder)), (max, (1, folder))])
    drawn = [function(*arguments) for function, arguments in figures.figure_attempts(None, Path("report"))]
    assert all(isinstance(one, Failure) and one.part == "figure report" for one in drawn)
    monkeypatch.setattr(figures, "figure_tasks", lambda results, folder: [][0])
    ((function, arguments),) = figures.figure_attempts(None, Path("report"))
    assert function(*arguments).part == "figures"


def test_where_the_environment_asks_for_it_the_error_itself_comes_through(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        attempt("part", "cr", lambda: 1 / 0)
    monkeypatch.delenv(failures.DEBUG)
    found = attempt("part", "cr", lambda: 1 / 0)
    assert str(found).startswith("part of cr: ZeroDivisionError: division by zero (test_failures.py line")
    with pytest.raises(OSError, match="full"):
        attempt("part", "cr", _full_disk)


def _full_disk() -> None:
    raise OSError(28, "the disk is full")
