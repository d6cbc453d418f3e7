"""`calibrate` as a user meets it: verdicts, codes, files, planted faults, mistakes."""

import json
from xml.etree import ElementTree

import pytest

from analysis.__main__ import main
from analysis.drawing import style
from analysis.simulation.figures import draw_calibration
from tests.evidence.build import write_evidence
from tests.report.reading import csv_rows

KEYS = {"schema_version", "model", "endpoint", "design", "priors", "replicates", "seed", "quantities",
        "failures", "passed"}
RATE = ["mu", "rho", "mean_rate", "new_study_rate", "study_rate", "log_likelihood"]


def calibrate(capsys, *arguments, code=0):
    assert main(["calibrate", *map(str, arguments), "--processes", "1", "--json"]) == code
    streams = capsys.readouterr()
    assert "Traceback" not in streams.err
    return json.loads(streams.out), streams.err


def test_json_follows_the_contract(capsys):
    found, progress = calibrate(capsys, "beta_binomial", "--replicates", 20, "--seed", 3)
    assert set(found) >= KEYS and found["passed"] and found["failures"] == []
    assert (found["model"], found["endpoint"], found["replicates"], found["seed"]) == ("beta_binomial", "cr", 20, 3)
    assert [quantity["name"] for quantity in found["quantities"]] == RATE
    assert all(set(quantity) == {"name", "p_value", "max_deviation", "passed"} for quantity in found["quantities"])
    assert sum(found["design"]["evaluable"]) == 349 and "[20/20]" in progress


def test_table_files_and_figure(tmp_path, capsys):
    arguments = ["calibrate", "beta_binomial", "--replicates", "25", "--processes", "1", "--output"]
    data, folder = write_evidence(tmp_path / "data"), tmp_path / "calibration"
    assert main([*arguments, str(folder), "--data", str(data)]) == 0
    assert "PASSED" in capsys.readouterr().out
    rows = csv_rows(folder / "calibration.beta_binomial.cr.csv")
    assert len(rows) == 25 and list(rows[0]) == ["replicate", "study_id", *RATE, "failure"]
    assert all(0.0 <= float(row[name]) <= 1.0 for row in rows for name in RATE)
    svg = "".join(ElementTree.parse(folder / "calibration.beta_binomial.cr.svg").getroot().itertext())
    assert "25 replicates" in svg and "new study's rate" in svg and "FAULT" not in svg
    assert (folder / "calibration.beta_binomial.cr.curves.csv").exists()
    assert (folder / "calibration.beta_binomial.cr.png").stat().st_size > 10_000


def even(folder, studies):
    """Evidence of so many studies of ten patients each."""
    return str(write_evidence(
        folder, studies="study_id,label,year\n" + "".join(f"s{at},S {at},2000\n" for at in range(studies)),
        responses="study_id,endpoint,events,n\n" + "".join(f"s{at},cr,5,10\n" for at in range(studies))))


# What a prior does is seen where there are few data, and what more data would do where there are many studies.
@pytest.mark.parametrize(("fault", "studies", "replicates"), [("twice", 20, 80), ("prior", 2, 60)])
def test_planted_faults_are_found(fault, studies, replicates, tmp_path, capsys):
    """By p-values of 1e-9 and 2e-6, where 2e-4 would do."""
    found, _ = calibrate(capsys, "beta_binomial", "--fault", fault, "--replicates", replicates, "--data",
                         even(tmp_path, studies), code=3)
    assert found["fault"] == fault and not found["passed"] and found["failures"] == []
    assert not next(quantity["passed"] for quantity in found["quantities"] if quantity["name"] == "rho")


def test_a_fault_cannot_be_taken_for_a_result(tmp_path, capsys):
    arguments = ["calibrate", "beta_binomial", "--fault", "counts", "--replicates", "40", "--processes", "1"]
    assert main([*arguments, "--data", even(tmp_path / "data", 20), "--output", str(tmp_path / "out")]) == 3
    told = capsys.readouterr().out
    assert "NOT PASSED" in told and next(line for line in told.splitlines() if line.startswith("rho")).endswith(
        "NOT UNIFORM")
    svg = (tmp_path / "out" / "calibration.beta_binomial.cr.fault_counts.svg").read_text("utf-8")
    assert "FAULT counts" in svg and "not uniform" in svg
    assert not (tmp_path / "out" / "calibration.beta_binomial.cr.csv").exists()


def test_another_endpoint_and_prior(capsys):
    found, _ = calibrate(capsys, "beta_binomial", "--endpoint", "nt_any", "--prior", "rho=Beta(1,10)", "--replicates",
                         20)
    assert found["endpoint"] == "nt_any" and found["priors"]["rho"] == "Beta(1, 10)"


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "MODEL"),
    (["beta_binomial", "--coverage"], "leave out model"),
    (["--coverage", "--fault", "prior"], "leave out fault"),
    (["--coverage", "--endpoint", "os"], "rate endpoints"),
    (["--coverage", "--scheduler", "nowhere"], "--scheduler"),
    (["nothing"], "there are"),
    (["beta_binomial", "--endpoint", "os"], "log_hazard"),
    (["beta_binomial", "--endpoint", "nothing"], "defined are"),
    (["beta_binomial", "--subset", "nobody"], "defined are"),
    (["beta_binomial", "--replicates", "1"], "between 20"),
    (["beta_binomial", "--replicates", "many"], "whole number"),
    (["beta_binomial", "--processes", "0"], "between 1"),
    (["beta_binomial", "--prior", "tau=HalfNormal(1)"], "mu, rho"),
    (["beta_binomial", "--prior", "rho=Normal(0,1)"], "unit"),
    (["beta_binomial", "--fault", "magic"], "counts"),
    (["beta_binomial", "--scheduler", "tcp://localhost:1"], "--scheduler"),
    (["beta_binomial", "--endpoint", "nt_any", "--tiers", "C", "--set", "extension"], "no study"),
])
def test_mistakes_of_the_user_end_with_code_2_and_no_traceback(arguments, message, capsys):
    assert main(["calibrate", *arguments]) == 2
    streams = capsys.readouterr()
    assert message in streams.err and "Traceback" not in streams.err and not streams.out


def test_what_has_no_curve_has_no_panel_and_letters_are_of_the_house():
    rows = [{"quantity": name, "pit": at / 10, "difference": 0.0, "lower_95": -0.1, "upper_95": 0.1,
             "lower_verdict": -0.2, "upper_verdict": 0.2} for name in ("mu", "rho", "tau") for at in range(1, 10)]
    verdicts = [{"name": name, "p_value": 0.5, "passed": True} for name in ("mu", "rho", "tau", "empty")]
    figure = draw_calibration(rows, verdicts=verdicts, labels={}, title="Calibration", detail="cr")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["mu", "rho", "tau"]
    texts = [text for axes in figure.axes for text in (*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels())]
    assert min(text.get_fontsize() for text in [*texts, *figure.texts]) >= style.SMALL
