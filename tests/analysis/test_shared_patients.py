"""Studies that share patients are never pooled: every command refuses by name, and a choice is part of the question."""

import json
from dataclasses import replace

import pytest

import analysis
from analysis.__main__ import main
from analysis.cases.selection import SharedPatients, UnknownName, select
from analysis.cases.settings import EXACT, Job, Question
from analysis.chapters.regression.running import regress
from analysis.chapters.sensitivity.rows import SENSITIVITY, sensitivity_rows
from analysis.evidence.loading import load
from analysis.results.netcdf import file_name, manifest
from analysis.runs.fits import records
from analysis.runs.plan import plan
from analysis.runs.report import _expected_bytes
from analysis.simulation.studies import select_design
from tests.casing import rows_of, run
from tests.evidence.build import write_files

STUDIES = """\
study_id,label,year,in_review,age,overlaps_with
old,Old,2015,true,30,update
other,Other,2016,true,40,
third,Third,2017,true,50,
fourth,Fourth,2018,true,60,
update,Update,2019,false,35,old
apart,Apart,2020,false,45,other
"""
FILES = {
    "studies.csv": STUDIES.replace("apart,Apart,2020,false,45,other", "apart,Apart,2020,false,45,"),
    "endpoints.csv": "endpoint,label,kind,direction\ncr,CR,rate,benefit\nsafe,Safe,rate,harm\n",
    "responses.csv": "study_id,endpoint,events,n,tier\nold,cr,12,20,A\nother,cr,9,15,A\nthird,cr,20,40,B\n"
                     "fourth,cr,7,9,A\nupdate,cr,30,45,A\napart,cr,5,8,C\nold,safe,2,20,A\nother,safe,3,15,A\n",
    "covariates.csv": "covariate,label,column\nage,Age,age\n",
    "reported.csv": "reported_id,endpoint,subset,statistic,estimate,ci_low,ci_high,level,units\n"
                    "R1,cr,all,mean,0.6,0.5,0.7,0.95,probability\n",
    "comparisons.csv": "reported_endpoint,statistic,endpoint,column,estimand,transform,reason\n"
                       "cr,mean,cr,,mean_rate,,\n",
    "subsets.csv": "subset,label,column,value\nsince,Since 2016,year,>=2016\n",
}
EVERY = Question("cr", study_set="all")


@pytest.fixture
def folder(tmp_path):
    return write_files(tmp_path / "data", FILES)


@pytest.mark.parametrize("command", [
    ["fit", "cr", "--engine", "exact"], ["fit", "cr"], ["regress", "cr"], ["calibrate", "beta_binomial"], ["compare"],
    ["report", "--quick"]])
def test_every_command_refuses_by_name_and_says_how_to_choose(folder, capsys, tmp_path, command):
    output = ["--output", str(tmp_path / "out")] if command[0] == "report" else []
    assert main([*command, *output, "--data", str(folder), "--set", "all"]) == 2
    told = capsys.readouterr()
    assert not told.out
    for text in ("old (studies.csv row 2, responses.csv row 2)", "update (studies.csv row 6, responses.csv row 6)",
                 "--without update", "--subset", "twice"):
        assert text in told.err
    assert "twice. Leave one of each pair out" in told.err and "\\" not in told.err
    assert not list((tmp_path / "out").rglob("*.*"))


@pytest.mark.parametrize("silent", ["old", "update"])
def test_one_of_the_two_rows_is_enough(folder, silent):
    """Who adds an update of a study names the old one in the new row, and need not touch the old row."""
    lines = STUDIES.splitlines(keepends=True)
    text = "".join(f"{line.rpartition(',')[0]},\n" if line.startswith(f"{silent},") else line for line in lines)
    with pytest.raises(SharedPatients, match="old .* and update"):
        select(load(write_files(folder, FILES | {"studies.csv": text})), EVERY)


def test_python_refuses_as_well(folder):
    evidence = load(folder)
    for ask in (lambda: select(evidence, EVERY), lambda: run(evidence, Job(EVERY, engine=EXACT)),
                lambda: regress(evidence, Job(EVERY)), lambda: select_design(evidence, "beta_binomial", EVERY),
                lambda: analysis.fit(evidence, "cr", set="all", engine="exact"),
                lambda: analysis.predict(evidence, "cr", events=3, n=9, set="all")):
        with pytest.raises(SharedPatients, match="old .* and update"):
            ask()


def test_only_rows_that_are_pooled_count(folder):
    """In the review alone, without a row of the endpoint, in a subset with one of them, and beyond the tiers: fine."""
    evidence = load(folder)
    for question in (Question("cr"), Question("safe", study_set="all"), replace(EVERY, subset="since"),
                     replace(EVERY, without=("old",))):
        assert select(evidence, question).rows
    tiers = {"studies.csv": STUDIES.replace("update\n", "\n").replace(",old\n", ",\n").replace(
        "other,Other,2016,true,40,", "other,Other,2016,true,40,apart")}
    evidence = load(write_files(folder, FILES | tiers))
    assert select(evidence, EVERY).rows
    with pytest.raises(SharedPatients, match="other .* and apart"):
        select(evidence, replace(EVERY, tiers="ABC"))
    (beside,) = records(evidence, (Job(replace(EVERY, tiers="ABC"), engine=EXACT),), None)
    assert beside.status == "not pooled" and "apart" in beside.diagnostics["failures"] and not beside.failed


def test_a_study_that_is_left_out_is_as_if_it_were_not_there(folder, capsys):
    """The seed follows the studies: the numbers are those of the evidence without its row, to the last digit."""
    def estimates(*options: str) -> list:
        assert main(["fit", "cr", "--engine", "exact", "--set", "all", "--json", "--data", str(folder), *options]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["without"] == (["update"] if options else [])
        assert [row["study_id"] for row in found["left_out"]] == [*(["update"] if options else []), "apart"]
        return found["estimates"]

    left_out = estimates("--without", "update")
    lines = FILES["responses.csv"].splitlines(keepends=True)
    write_files(folder, FILES | {"responses.csv": "".join(line for line in lines if not line.startswith("update"))})
    assert left_out == estimates()


def test_the_choice_is_part_of_file_name_and_manifest(folder):
    evidence = load(folder)
    fit = run(evidence, Job(replace(EVERY, without=("update",)), engine=EXACT))
    assert file_name(fit.case.job, fit.case.model.name) == "cr.beta_binomial.all.AB.all.without-update.exact.nc"
    found = manifest(fit, evidence)
    assert found["without"] == ["update"] and {row["study_id"] for row in found["left_out"]} == {"update", "apart"}
    many = replace(fit.case.job, question=replace(EVERY, without=tuple(f"study_{at}" for at in range(90))))
    assert len(file_name(many, fit.case.model.name)) < 100


def test_an_unknown_study_is_named(folder):
    with pytest.raises(UnknownName, match="did you mean update"):
        select(load(folder), replace(EVERY, without=("updat",)))


def test_the_review_keeps_its_sensitivity_and_says_which_variant_is_refused(folder):
    rows = rows_of(sensitivity_rows, SENSITIVITY, load(folder), Job(Question("cr")))
    (refused,) = [row for row in rows if row["dimension"] == "study_set"]
    assert (refused["status"], refused["reason"]) == ("not computed", "old and update share patients")
    assert refused["k_studies"] is None and refused["median"] is None
    assert all(row["status"] == "computed" for row in rows if row is not refused)


def test_list_counts_and_says_so(folder, capsys):
    assert main(["list", "--set", "all", "--data", str(folder)]) == 0
    assert "cr: old and update share patients" in capsys.readouterr().err


def test_room_is_reckoned_for_fits_that_pool_nothing_too(tmp_path):
    rows = FILES["responses.csv"].replace("update,cr,30,45,A", "update,cr,30,45,C")
    studies = FILES["studies.csv"].replace("update,Update,2019,false", "update,Update,2019,true")
    evidence = load(write_files(tmp_path / "data", FILES | {"responses.csv": rows, "studies.csv": studies}))
    jobs = plan(evidence, Job(Question("")))
    # Tier C holds a study that shares patients with one of tier A: that fit is none, and the report goes on.
    assert any(job.question.tiers == "ABC" for job in jobs) and _expected_bytes(evidence, jobs) > 0
