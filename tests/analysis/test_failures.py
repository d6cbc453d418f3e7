"""An error in one endpoint, or in one analysis of it: everything else is complete, and the page says so."""

import json
from importlib import import_module

import pytest

from analysis.__main__ import main
from analysis.cases import case
from analysis.cases.settings import Job
from analysis.chapters.chapter import Chapter, Picture, all_chapters
from analysis.runs.figures import draw_all
from analysis.runs.workers import Nobody
from analysis.system import failures
from analysis.system.failures import attempt
from tests.evidence.build import write_evidence, write_files
from tests.exactly import quadrature
from tests.report.reading import csv_rows, whole
from tests.reporting import load, results_of

FILES = {
    "studies.csv": "study_id,label,year,age\n" + "".join(
        f"s{at},S {at},20{at},{30 + at * at}\n" for at in range(10, 15)),
    "endpoints.csv": "endpoint,label,kind,direction\ngood,Good,rate,benefit\nbad,Bad,rate,harm\n",
    "responses.csv": "study_id,endpoint,events,n\n" + "".join(
        f"s{at},{name},{at - 4},{at + 9}\n" for at in range(10, 15) for name in ("good", "bad")),
    "covariates.csv": "covariate,label,column\nage,Age,age\n",
    "subsets.csv": "subset,label,column,value\nlate,Late,year,>=2012\n",
}


@pytest.fixture
def as_a_user(monkeypatch):
    """A run in this process, where errors can be planted, without RECART_DEBUG."""
    monkeypatch.delenv(failures.DEBUG)
    all_chapters()  # what is imported later would keep a planted error
    with quadrature(variants=3):
        yield monkeypatch


def stumble(monkeypatch, module, name, *, when):
    """Let a function of a module divide by zero where its arguments speak of the endpoint `bad`."""
    function = getattr(module, name)

    def planted(*arguments, **options):
        if when(*arguments):
            raise ZeroDivisionError("planted")
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, planted)


def of_bad(*arguments) -> bool:
    return any(argument == "bad" or isinstance(argument, Job) and argument.question.endpoint == "bad"
               for argument in arguments)


def run(tmp_path, capsys, *options):
    folder = tmp_path / "out"
    code = main(["report", "--data", str(write_files(tmp_path / "data", FILES)), "--output", str(folder), "--quick",
                 "--json", *options])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err, whole(folder), folder


def endpoints_of(folder, name) -> set[str]:
    return {row["endpoint"] for row in csv_rows(folder / name)}


def test_an_endpoint_that_fails_takes_nothing_with_it(as_a_user, tmp_path, capsys):
    stumble(as_a_user, case, "typed_studies", when=lambda selection: selection.endpoint.endpoint == "bad")
    code, manifest, told, text, folder = run(tmp_path, capsys)
    assert code == 3 and not manifest["converged"]
    fits = [one for one in manifest["fits"] if one["endpoint"] == "bad"]
    assert {one["status"] for one in fits} == {"FAILED"}
    assert {one["endpoint"] for one in manifest["failures"]} == {"bad"}
    lines = [line for line in told.splitlines() if line.startswith("FAILED")]
    assert len(lines) == len(fits) + len(manifest["failures"])
    assert all("ZeroDivisionError: planted" in line and "test_failures.py line" in line for line in lines)
    assert failures.HINT in told and "Traceback" not in told
    assert 'id="endpoint-bad"' in text and "FAILED: ZeroDivisionError: planted" in text
    assert {one["status"] for one in manifest["fits"] if one["endpoint"] == "good"} == {"converged"}
    for name in ("estimates.csv", "sensitivity.csv", "influence.csv", "studies.csv"):
        assert endpoints_of(folder, name) == {"good"}


PLANTED = {"sensitivity": ("sensitivity", "sensitivity_rows"), "influence": ("influence.rows", "headline_case"),
           "regression": ("regression", "_rows"), "model comparison": ("models", "comparison_rows"),
           "other methods": ("methods", "frequentist_rows")}


def test_analyses_that_fail_take_nothing_with_them(as_a_user, tmp_path, capsys):
    """One endpoint's analyses, and one section of the page: the rest of the tables and sections is there."""
    for chapter, name in PLANTED.values():
        stumble(as_a_user, import_module(f"analysis.chapters.{chapter}"), name, when=of_bad)
    stumble(as_a_user, import_module("analysis.chapters.small_studies"), "_outcomes", when=lambda *_: True)
    code, manifest, told, text, folder = run(tmp_path, capsys)
    assert code == 3 and manifest["converged"]
    assert {(one["part"], one["endpoint"]) for one in manifest["failures"]} == {
        *((part, "bad") for part in PLANTED), ("section small studies", "")}
    for part in PLANTED:
        assert f"FAILED: {part} of bad: ZeroDivisionError: planted" in told
        assert f"FAILED: {part} of bad: ZeroDivisionError: planted" in text.split("<h2", 1)[1]
    assert "FAILED: section small studies: ZeroDivisionError: planted" in text
    assert 'id="subset-differences"' in text
    for name in ("sensitivity.csv", "influence.csv", "regression.csv", "model_comparison.csv", "frequentist.csv"):
        assert endpoints_of(folder, name) == {"good"}
    for name in ("estimates.csv", "power_scaling.csv", "subset_differences.csv", "small_studies.csv"):
        assert endpoints_of(folder, name) == {"good", "bad"}


def test_a_figure_that_fails_is_one_figure(monkeypatch, tmp_path):
    monkeypatch.delenv(failures.DEBUG)
    results = results_of(load(write_evidence(tmp_path / "evidence")))
    chapters = [Chapter("one", 1, figures=lambda results: [Picture(kind, int, {"x": "no figure"}, "", "cr")
                                                           for kind in ("map", "forest")]),
                Chapter("other", 2, figures=lambda results: 1 / 0)]
    results, pictures, paths = draw_all(results, chapters, tmp_path / "figures", executor=Nobody())
    assert [failure.part for failure in results.failures] == ["figures", "figure map.cr", "figure forest.cr"]
    assert not pictures and not paths


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
