"""The command line before any sampling: exit codes, messages, JSON, nothing written on bad input."""

import json
import subprocess
import sys
import warnings

import pytest

import models
from analysis.__main__ import main
from tests.evidence.build import write_evidence


def test_check_accepts_the_shipped_evidence(capsys):
    assert main(["check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["valid"] and found["rows"]["studies"] > 16 and len(found["data_sha256"]) == 64


def test_bad_evidence_lists_every_problem_and_writes_nothing(tmp_path, capsys):
    write_evidence(tmp_path / "data")
    path = tmp_path / "data" / "responses.csv"
    lines = path.read_text().splitlines()
    study = lines[1].split(",")[0]
    lines[1] = ",".join([study, lines[1].split(",")[1], "7", "5", *lines[1].split(",")[4:]])
    lines.append("nobody," + ",".join(lines[1].split(",")[1:]))
    path.write_text("\n".join(lines) + "\n")
    for command in (["check"], ["report", "--output", str(tmp_path / "out")], ["fit", "cr"], ["compare"], ["list"]):
        assert main([*command, "--data", str(tmp_path / "data")]) == 2
        streams = capsys.readouterr()
        assert "responses.csv row 2" in streams.err and "nobody" in streams.err
        assert "Traceback" not in streams.err and not streams.out
    assert not (tmp_path / "out").exists()


def test_check_of_bad_evidence_is_json_too(tmp_path, capsys):
    assert main(["check", "--json", "--data", str(tmp_path / "nowhere")]) == 2
    found = json.loads(capsys.readouterr().out)
    assert not found["valid"] and found["problems"][0]["remedy"]


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "COMMAND"),
    (["dance"], "dance"),
    (["fit"], "ENDPOINT"),
    (["fit", "cr", "--tiers", "AX"], "tiers"),
    (["fit", "cr", "--level", "95"], "level"),
    (["fit", "cr", "--horizon", "-1"], "months"),
    (["fit", "cr", "--seed", "1.5"], "whole number"),
    (["fit", "cr", "--prior", "rho"], "NAME=EXPR"),
    (["fit", "cr", "--set", "everything"], "review"),
    (["fit", "cr", "--engine", "magic"], "nuts"),
    (["fit", "nothing"], "defined are"),
    (["fit", "cr", "--subset", "nobody"], "defined are"),
    (["fit", "cr", "--model", "nothing"], "there are"),
    (["fit", "cr", "--model", "log_hazard"], "beta_binomial"),
    (["fit", "cr", "--prior", "rho=Normal(0,1)"], "unit"),
    (["fit", "cr", "--prior", "rho=__import__('os')"], "no prior"),
    (["fit", "cr", "--prior", "kappa=Beta(1,1)"], "kappa"),
    (["fit", "cr", "--prior", "mu=Beta(1,1)", "--prior", "mu=Beta(2,1)"],
     "--prior mu= is given twice, as Beta(1,1) and as Beta(2,1); leave one out"),
    (["calibrate", "beta_binomial", "--prior", "mu=Beta(1,1)", "--prior", "mu=Beta(1,1)"], "mu= is given twice"),
    (["init", "nowhere", "--data", "mine.csv"], "leave out --data mine.csv; for a spreadsheet of your own write "),
    (["compare", "--prior", "kappa=Beta(1,1)"], "kappa"),
    (["report", "--quick", "--png"], "--quick draws none"),
    (["fit", "nt_any", "--tiers", "C", "--subset", "cd19_only", "--set", "extension"], "no study"),
])
def test_mistakes_of_the_user_end_with_code_2_and_no_traceback(arguments, message, capsys):
    assert main(arguments) == 2
    streams = capsys.readouterr()
    assert message in streams.err and "Traceback" not in streams.err and not streams.out


def test_a_prior_next_to_1_gives_numbers_without_warnings_of_libraries(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["fit", "cr", "--engine", "exact", "--prior", "mu=Beta(1e6,1)"]) == 0
    assert "RuntimeWarning" not in capsys.readouterr().err


def test_output_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["report", "--output", str(tmp_path / "file")]) == 2
    assert "--output" in capsys.readouterr().err
    assert main(["fit", "cr", "--output", str(tmp_path / "file")]) == 2


def test_compare_without_published_numbers_says_so(tmp_path, capsys):
    write_evidence(tmp_path)
    assert main(["compare", "--data", str(tmp_path)]) == 2
    assert "reported.csv" in capsys.readouterr().err


def test_published_numbers_without_rules_are_listed_as_not_compared(tmp_path, capsys):
    reported = "reported_id,endpoint,subset,statistic,estimate\nR1,cr,all,mean_probability,0.8\n"
    write_evidence(tmp_path, reported=reported)
    assert main(["compare", "--json", "--data", str(tmp_path)]) == 0
    (row,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert row["status"] == "not compared" and "comparisons.csv" in row["reason"]


def test_list_names_what_can_be_fitted(capsys):
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    cr = next(item for item in found["endpoints"] if item["endpoint"] == "cr")
    assert {cell["subset"]: (cell["k_studies"], cell["n_patients"]) for cell in cr["subsets"]}["all"] == (10, 349)
    assert {model["model"] for model in found["models"]} >= {"beta_binomial", "logit_normal", "log_hazard"}


def test_a_broken_model_file_is_told_in_a_line_by_each_command(capsys, monkeypatch):
    monkeypatch.setattr(models, "broken", lambda: {"mine.py": "NameError: name 'pm' is not defined"}, raising=False)
    for command, code in (["list"], 0), (["fit", "cr", "--model", "mine"], 2):
        assert main(command) == code
        (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("models/mine.py"))
        assert line == "models/mine.py is left out: NameError: name 'pm' is not defined"


def test_hostile_text_of_the_evidence_does_not_reach_the_terminal(tmp_path, capsys):
    write_evidence(tmp_path)
    path = tmp_path / "endpoints.csv"
    path.write_text(path.read_text().replace("Complete remission", "\x1b[2JComplete remission"))
    code = main(["list", "--data", str(tmp_path)])
    streams = capsys.readouterr()
    assert "\x1b" not in streams.out + streams.err and code in (0, 2)


@pytest.mark.parametrize("command", ["--help", "list", "check", "fit cr --engine exact", "fit os --engine exact"])
def test_what_samples_and_draws_nothing_loads_no_sampler_and_no_plots(command):
    """Each of these takes as long to load as the whole command may take."""
    code = ("import sys; from analysis.__main__ import main; main(sys.argv[1:]); "
            "sys.exit(', '.join({'pymc', 'nutpie', 'pytensor', 'matplotlib', 'arviz_stats', 'statsmodels', "
            "'scipy.stats', 'pandas', 'xarray'} & set(sys.modules)) or 0)")
    done = subprocess.run([sys.executable, "-c", code, *command.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr
