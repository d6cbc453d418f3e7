"""The pinned calibration of each model is what the present code computes.

The record holds its design, so a change of the evidence does not touch it. Numbers were rounded to four digits; the
quadrature settles to 1e-8 and ranks of 400 draws follow from the same random stream.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.simulation import regression, replicate
from analysis.simulation.record import RENEW, differences, main, recorded, setting_of, text_of
from analysis.simulation.replicate import run_replicates
from analysis.simulation.run import verdicts_on
from analysis.simulation.settings import DEFAULT_REPLICATES, FAMILY_LEVEL
from models import all_models
from models.priors import Prior
from tests.evidence.build import write_evidence

FOLDER = Path(__file__).parent
FAST = [name for name, size in recorded().items() if size == DEFAULT_REPLICATES]
# That each replicate has a seed of its own is seen in the fast ones.
FIRST = {name: 6 if name in FAST else 1 for name in recorded()}


@pytest.fixture
def record(request):
    return json.loads((FOLDER / f"{request.param}.json").read_text(encoding="utf-8"))


def test_each_model_has_a_record_and_each_record_a_model():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(recorded()), RENEW


@pytest.mark.parametrize("record", recorded(), indirect=True)
def test_first_replicates_are_the_pinned_ones(record):
    replicates = run_replicates(setting_of(record), 0, FIRST[record["model"]])
    assert differences(record, replicates) == [], RENEW


@pytest.mark.parametrize("record", recorded(), indirect=True)
def test_verdict_follows_from_the_pinned_values(record):
    pits = {name: np.array(values) for name, values in record["pits"].items()}
    assert tuple(pits) == setting_of(record).quantities
    assert record["replicates"] >= recorded()[record["model"]] and record["family_level"] == FAMILY_LEVEL
    assert {len(values) + len(record["failures"]) for values in pits.values()} == {record["replicates"]}
    verdicts = verdicts_on(pits)
    for verdict, pinned in zip(verdicts, record["quantities"], strict=True):
        assert (verdict.name, verdict.passed) == (pinned["name"], pinned["passed"])
        assert verdict.p_value == pytest.approx(pinned["p_value"], abs=1e-9)
        assert verdict.max_deviation == pytest.approx(pinned["max_deviation"], abs=1e-9)
    assert record["passed"] and not record["failures"] and all(verdict.passed for verdict in verdicts)


@pytest.mark.parametrize("record", ["beta_binomial"], indirect=True)
def test_a_changed_number_is_noticed(record):
    replicates = run_replicates(setting_of(record), 0, 2)
    record["pits"]["rho"][1] += 0.001
    (message,) = differences(record, replicates)
    assert "replicate 1, rho" in message
    record["failures"] = [{"replicate": 0, "reason": "did not settle"}]
    assert "replicate 0: succeeds now" in differences(record, replicates)
    record["priors"]["rho"] = "Beta(1.0, 4.5)"
    assert "pinned" in differences(record, [])[0]


@pytest.mark.parametrize("record", FAST, indirect=True)
@pytest.mark.parametrize("planted", ["prior", "likelihood", "engine", "simulation"])
def test_a_changed_prior_likelihood_or_engine_is_noticed(record, planted, monkeypatch):
    """Each by little: a prior by a tenth of its last number, likelihood and masses of the grid by a power of 1.01, and
    studies that are simulated from each other's effects.
    """
    setting, model = setting_of(record), all_models()[record["model"]]
    if planted == "prior":
        name, prior = list(setting.priors.items())[1]
        wider = Prior(prior.family, (*prior.arguments[:-1], 1.1 * prior.arguments[-1]))
        setting = replace(setting, priors={**setting.priors, name: wider})
    elif planted == "likelihood":
        density = model.marginal
        stronger = replace(model, marginal=replace(
            density, log_density=lambda *draws, **on: 1.01 * density.log_density(*draws, **on)))
        monkeypatch.setattr(replicate, "all_models", lambda: {model.name: stronger})
    elif planted == "engine":
        solve = replicate.solve
        monkeypatch.setattr(replicate, "solve", lambda density: _sharper(solve(density)))
    else:
        simulate = replicate.simulate
        monkeypatch.setattr(replicate, "simulate",
                            lambda design, effects, *of, **more: simulate(design, effects[::-1], *of, **more))
    told = differences(record, run_replicates(setting, 0, 4))
    assert len(told) >= 3, told


def _sharper(grid):
    mass = grid.weights**1.01
    return replace(grid, weights=mass / mass.sum())


def test_command_writes_what_can_be_read_again(tmp_path, capsys):
    write_evidence(tmp_path / "data")
    arguments = ["beta_binomial", "--output", str(tmp_path / "out"), "--data", str(tmp_path / "data"), "--replicates",
                 "20", "--processes", "1"]
    assert main(arguments) == 0
    text = (tmp_path / "out" / "beta_binomial.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert text_of(record) == text and record["design"]["evaluable"] == [10, 20]
    assert differences(record, run_replicates(setting_of(record), 0, 20)) == []
    assert main(["nothing", "--output", str(tmp_path / "out")]) == 2
    assert "there are" in capsys.readouterr().err


@pytest.mark.parametrize("command", [main, regression.main], ids=["record", "regression"])
@pytest.mark.parametrize("number", ["0", "-5"])
def test_no_replicates_are_refused(command, number, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        command(["--replicates", number, "--output" if command is main else "--write", str(tmp_path / "x")])
    assert f"{number} is not positive" in capsys.readouterr().err
