"""A further study's number against the others: known values, second routes, and what the command says and refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis import load, predict
from analysis.__main__ import main
from analysis.cases.case import case_of
from analysis.cases.reports import new_report
from analysis.cases.settings import Job, Question
from analysis.inference.further import further
from analysis.inference.grid import draw
from analysis.inference.posterior import posterior_of
from analysis.inference.prediction import median_limits
from analysis.system.errors import UsageError
from tests.data.tables import FOLDER
from tests.exact.solved import hazards, solved
from tests.influence.cases import COUNTS

from .cases import evidence_of

_SURVIVAL = "a,os,landmark,12,0.5,0.3,0.7,0.95,30,,,A\nb,os,landmark,12,0.6,0.4,0.8,0.95,40,,,A\n"


@pytest.fixture(scope="module")
def project():
    return load(FOLDER)


def test_twelve_of_twenty_is_no_surprise_among_these_studies(project):
    answer = predict(project, "cr", events=12, n=20).answer
    # 0.088, and 10 to 20 of 20, by an independent program.
    assert answer.at_most == pytest.approx(0.088, abs=0.005)
    assert (20 * answer.expectation.lower, 20 * answer.expectation.upper) == pytest.approx((10, 20), abs=1)
    assert answer.at_most + answer.at_least - float(answer.law.probabilities[12]) == pytest.approx(1.0)
    assert not answer.expectation.named and predict(project, "cr", events=6, n=20).answer.expectation.named


def test_every_count_is_no_fewer_than_none(project):
    answer = predict(project, "cr", events=0, n=3).answer
    assert answer.at_least == pytest.approx(1.0, abs=1e-12)
    assert answer.at_most == pytest.approx(float(answer.law.probabilities[0]))


@pytest.mark.parametrize("row", [
    new_report("cr", "rate", events=12, n=20), new_report("os", "survival", landmark=12, survival=0.3, n=25),
    new_report("os", "survival", median=7, n=25)], ids=["count", "landmark", "median"])
def test_the_study_moves_the_posterior_as_if_its_row_stood_in_the_tables(tmp_path, row):
    """The row written into the directory goes through every rule of reading and selection."""
    line = "" if row.endpoint == "cr" else \
        f"z,os,{row.statistic},{row.time_months or ''},{row.estimate},,,,{row.n},,,A\n"
    written = {"z": (12, 20)}
    case = case_of(evidence_of(tmp_path / "without", {}, survival=_SURVIVAL), Job(Question(row.endpoint)))
    with_row = case_of(evidence_of(tmp_path / "with", {}, review=COUNTS | written, survival=_SURVIVAL + line),
                       Job(Question(row.endpoint)))
    for one, other in zip(further(case, row).after, posterior_of(with_row).estimates(
            [estimate.estimand for estimate in further(case, row).after]), strict=True):
        assert (one.median, one.lower, one.upper) == pytest.approx((other.median, other.lower, other.upper), rel=1e-6)


def test_a_case_of_curves_takes_the_row_as_points(project):
    case = case_of(project, Job(Question("pfs"), model="weibull"))
    for row in (new_report("pfs", "survival", landmark=24, survival=0.2, n=30),
                new_report("pfs", "survival", median=9, n=30)):
        more = case.adding(row)
        assert more.studies.study_ids == (*case.studies.study_ids, row.study_id)
        assert more.studies.ends[-1][0] == (row.time_months or row.estimate)


def test_limits_of_a_median_are_those_of_replicates():
    """Of 19 patients half is 9.5, so that no count ties; 40,000 draws leave 0.003, four standard errors, at 2.5 %."""
    grid, rng = solved("log_hazard", hazards([(-3.0, 0.2, 0.2), (-2.4, 0.3, 0.3), (-2.9, 0.25, 0.25)])), \
        np.random.default_rng(7)
    draws = draw(grid, 40_000, rng)
    hazard = np.exp(grid.density.model.marginal.new_study(draws, rng))
    times = np.sort(rng.exponential(1.0 / hazard[:, None], (len(hazard), 19)), axis=1)[:, 9]
    for limit, wanted in zip(median_limits(grid, 19, 0.95), (0.025, 0.5, 0.975), strict=True):
        assert np.mean(times <= limit) == pytest.approx(wanted, abs=0.01 if wanted == 0.5 else 0.004)


def test_a_median_of_minutes_is_no_median_that_never_comes():
    grid = solved("log_hazard", hazards([(3.5, 0.1, 0.1), (3.7, 0.1, 0.1)]), eta="Normal(3.6, 1)",
                  tau="HalfNormal(3)")
    low, middle, high = median_limits(grid, 100, 0.95)
    assert low < 0.01 < middle == pytest.approx(0.019, rel=0.1) and middle < high < 1.0


def test_a_median_that_may_never_come_has_no_limit(tmp_path):
    evidence = evidence_of(tmp_path, {}, survival=_SURVIVAL)
    assert "not reached" in repr(predict(evidence, "os", median=60, n=4, level=0.99, model="mixture_cure"))


def test_a_median_that_comes_at_once_is_no_median_that_never_comes():
    """Median times of ten seconds: the limits are the least that is told apart, minutes."""
    grid = solved("log_hazard", hazards([(12.0, 0.1, 0.1)] * 3), eta="Normal(12, 1)")
    assert median_limits(grid, 30, 0.95) == pytest.approx((1e-4,) * 3)


def test_command_and_python_give_the_same_numbers(project, capsys, tmp_path):
    assert main(["predict", "cr", "--events", "12", "--n", "20", "--json", "--output", str(tmp_path / "out")]) == 0
    answer = json.loads(capsys.readouterr().out)
    frame = predict(project, "cr", events=12, n=20).frame()
    assert [row["probability"] for row in answer["distribution"]] == pytest.approx(list(frame["probability"]))
    assert answer["prediction"]["at_most"] == pytest.approx(frame["probability"][:13].sum())
    assert {estimate["estimand"] for estimate in answer["after"]} == {"mean_rate", "new_study_rate", "rho"}
    assert list(frame["count"][frame["reported"]]) == [12]
    files = {path.name for path in (tmp_path / "out").rglob("*.*")}
    assert {"predicted.cr.csv", "predicted.cr.svg", "predicted.cr.png"} <= files


def test_a_folder_holds_the_predictions_of_several_endpoints(tmp_path, capsys):
    asked = ["--n", "20", "--output", str(tmp_path / "out")]
    assert main(["predict", "cr", "--events", "12", *asked]) == 0
    assert main(["predict", "mrd_neg", "--events", "11", *asked]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(str(tmp_path))]
    assert len(told) == 6 and all(Path(line).is_file() for line in told)
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"predicted.cr.csv", "predicted.mrd_neg.csv", "figures", "manifest.json"}


@pytest.mark.parametrize(("options", "message"), [
    (["cr", "--events", "21", "--n", "20"], "--events 21 exceeds --n 20"),
    (["cr", "--median", "9", "--n", "20"], "cr is a rate"),
    (["os", "--landmark", "12", "--n", "20"], "--landmark MONTHS --survival S"),
    (["os", "--median", "9", "--landmark", "12", "--survival", "0.5", "--n", "20"], "os is a survival endpoint"),
    (["cr", "--events", "2"], "required: --n"), (["nope", "--events", "2", "--n", "3"], "unknown endpoint 'nope'"),
    (["os", "--landmark", "12", "--survival", "50", "--n", "20"], "'50' is not a probability between 0 and 1")])
def test_what_does_not_go_together_is_refused(options, message, capsys):
    assert main(["predict", *options]) == 2
    assert message in capsys.readouterr().err


def test_python_refuses_as_the_command_does(project):
    with pytest.raises(UsageError, match="cr is a rate"):
        predict(project, "cr", median=9, n=20)
