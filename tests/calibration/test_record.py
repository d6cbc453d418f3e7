"""The pinned calibration of each model still speaks about this code, and still gives the same numbers.

The record holds its design, so a change of the evidence does not touch it. Numbers were rounded to four digits; the
quadrature settles to 1e-8 and ranks of 400 draws follow from the same random stream.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.calibration import DEFAULT_REPLICATES, FAMILY_LEVEL
from analysis.calibration.record import DIGITS, RENEW, differences, expired, main, setting_of, text_of
from analysis.calibration.replicate import quantity_names, run_replicates
from analysis.calibration.run import verdicts_on
from models import all_models
from tests.evidence.build import write_evidence

FOLDER = Path(__file__).parent
MODELS = list(all_models())
FIRST = {"beta_binomial": 12}
TOLERANCE = 0.5 * 10.0**-DIGITS + 1e-5


@pytest.fixture
def record(request):
    return json.loads((FOLDER / f"{request.param}.json").read_text(encoding="utf-8"))


def test_each_model_has_a_record_and_each_record_a_model():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MODELS), RENEW


@pytest.mark.parametrize("record", MODELS, indirect=True)
def test_record_is_of_the_present_code(record):
    assert not expired(record), expired(record)


@pytest.mark.parametrize("record", MODELS, indirect=True)
def test_first_replicates_are_the_pinned_ones(record):
    replicates = run_replicates(setting_of(record), 0, FIRST.get(record["model"], 8))
    assert differences(record, replicates, tolerance=TOLERANCE) == [], RENEW


@pytest.mark.parametrize("record", MODELS, indirect=True)
def test_verdict_follows_from_the_pinned_values(record):
    pits = {name: np.array(values) for name, values in record["pits"].items()}
    assert tuple(pits) == quantity_names(all_models()[record["model"]])
    assert record["replicates"] == DEFAULT_REPLICATES and record["family_level"] == FAMILY_LEVEL
    assert {len(values) + len(record["failures"]) for values in pits.values()} == {record["replicates"]}
    verdicts = verdicts_on(pits)
    for verdict, pinned in zip(verdicts, record["quantities"], strict=True):
        assert (verdict.name, verdict.passed) == (pinned["name"], pinned["passed"])
        assert verdict.p_value == pytest.approx(pinned["p_value"], abs=1e-9)
        assert verdict.max_deviation == pytest.approx(pinned["max_deviation"], abs=1e-9)
    assert record["passed"] and not record["failures"] and all(verdict.passed for verdict in verdicts)


@pytest.mark.parametrize("record", ["beta_binomial"], indirect=True)
def test_a_changed_number_or_code_is_noticed(record):
    replicates = run_replicates(setting_of(record), 0, 2)
    record["pits"]["rho"][1] += 0.001
    (message,) = differences(record, replicates, tolerance=TOLERANCE)
    assert "replicate 1, rho" in message
    record["failures"] = [{"replicate": 0, "reason": "did not settle"}]
    assert "replicate 0: succeeds now" in differences(record, replicates, tolerance=TOLERANCE)
    record["code_sha256"] = "0" * 64
    assert "make calibration" in expired(record)


def test_command_writes_what_can_be_read_again(tmp_path, capsys):
    write_evidence(tmp_path / "data")
    arguments = ["beta_binomial", "--output", str(tmp_path / "out"), "--data", str(tmp_path / "data"), "--replicates",
                 "20", "--processes", "1"]
    assert main(arguments) == 0
    text = (tmp_path / "out" / "beta_binomial.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert text_of(record) == text and record["design"]["evaluable"] == [10, 20] and not expired(record)
    assert differences(record, run_replicates(setting_of(record), 0, 20), tolerance=TOLERANCE) == []
    assert main(["nothing", "--output", str(tmp_path / "out")]) == 2
    assert "there are" in capsys.readouterr().err
