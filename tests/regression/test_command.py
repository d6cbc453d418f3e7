"""`regress`: JSON, refusals, missing tables and mistakes of the user."""

import json

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.cases.covariates import Column
from analysis.chapters.regression.figure import draw_bubbles
from analysis.chapters.regression.rows import CAVEAT, SLOPES
from tests.evidence.build import write_evidence

from .cases import covariate

_STUDIES = "study_id,label,year,age,share\n" + "".join(
    f"s{at},Study {at} <b>$x$,{2015 + at},{age},{share}\n"
    for at, (age, share) in enumerate([(30, 0), (44, ""), (25, 0), (51, 0), (38, 1), ("", 0)]))
_RESPONSES = "study_id,endpoint,events,n\n" + "".join(
    f"s{at},cr,{y},{n}\n" for at, (y, n) in enumerate([(8, 20), (30, 40), (5, 15), (22, 25), (40, 60), (9, 12)])) + (
    "s0,few,3,9\ns1,few,4,9\n")
_ENDPOINTS = "endpoint,label,kind,direction\ncr,Complete remission,rate,benefit\nfew,Reported twice,rate,harm\n"
_COVARIATES = ("covariate,label,column,unit,unit_size,lowest,highest\nage,Median age,age,10 years,10,0,120\n"
               "share,Share,share,,,0,1\n")


@pytest.fixture(scope="module")
def portable(tmp_path_factory):
    return write_evidence(tmp_path_factory.mktemp("portable"), studies=_STUDIES, responses=_RESPONSES,
                          endpoints=_ENDPOINTS, covariates=_COVARIATES)


@pytest.fixture(scope="module")
def found(portable, tmp_path_factory):
    """The result as JSON, of a run that also writes files."""
    from contextlib import redirect_stdout
    from io import StringIO
    text, folder = StringIO(), tmp_path_factory.mktemp("written")
    with redirect_stdout(text):
        code = main(["regress", "cr", "--data", str(portable), "--covariate", "age", "--json", "--output", str(folder)])
    assert code == 0
    return json.loads(text.getvalue()), folder


def test_json_has_every_part(found):
    result, _ = found
    assert set(result) >= {"schema_version", "data_sha256", "endpoint", "model", "subset", "tiers", "set", "priors",
                           "n_studies", "n_patients", "seed", "warnings", "caveat", "covariates", "collinearity",
                           "predictions", "converged"}
    assert result["caveat"] == CAVEAT and result["n_studies"] == 6 and result["n_patients"] == 172
    assert [row["analysis"] for row in result["covariates"]] == ["one_at_a_time", "complete_case"]
    joint, complete = result["covariates"]
    assert (joint["n_studies"], joint["n_missing"], complete["n_studies"], complete["n_missing"]) == (6, 1, 5, 0)
    for row in (joint, complete):
        assert row["converged"] and row["refused"] is None
        checks = row["diagnostics"]
        assert checks["engine"] == "importance" and checks["pareto_k"] < 0.7 and checks["chains"] is None
        assert row["beta"]["estimand"] == "beta" and row["ratio"]["scale"] == "odds ratio"
        assert np.exp(row["beta"]["median"]) == pytest.approx(row["ratio"]["median"])
        assert np.exp(row["beta"]["lower"]) == pytest.approx(row["ratio"]["lower"])
        assert row["sd_ratio"] == pytest.approx(row["beta"]["sd"] / 0.5) and row["prior_sd"] == 0.5
        assert 0.0 < row["probability_above_one"] < 1.0
        explained = row["heterogeneity_explained"]
        assert explained["difference"] == pytest.approx(explained["without"] - explained["with"])
        assert explained["parameter"] == "rho"


def test_older_studies_of_the_invented_set_do_better(found):
    """The planted rates rise with age: 0.33, 0.40, 0.67, 0.75, 0.88 at 25, 30, 38, 44, 51 years."""
    result, _ = found
    assert result["covariates"][0]["probability_above_one"] > 0.9
    values = [row["value"] for row in result["predictions"]]
    medians = [row["median"] for row in result["predictions"]]
    assert (min(values), max(values)) == pytest.approx((25.0, 51.0)) and medians == sorted(medians)
    (cell,) = result["imputed"]
    assert cell["study_id"] == "s5" and 20.0 < cell["lower"] + 40.0 and cell["lower"] < cell["median"] < cell["upper"]


def test_tables_and_figure_are_written(found):
    _, folder = found
    header = (folder / "regression.cr.csv").read_text().splitlines()[0]
    assert header == ",".join(SLOPES.names)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert names == {"regression.cr.csv", "regression_predictions.cr.csv", "regression_imputed.cr.csv",
                     "manifest.json", "figures/bubble.cr.svg", "figures/bubble.cr.png"}
    drawing = (folder / "figures" / "bubble.cr.svg").read_text()
    assert "Associations between studies" in drawing and "imputed.age.s5" in drawing


@pytest.mark.parametrize(("arguments", "message"), [
    (["few"], "few on age: too few studies: 2, at least 4 are needed; "),
    (["cr", "--covariate", "weight"], "covariates.csv has age, share"),
    (["nothing"], "defined are"),
    (["cr", "--horizon", "12"], "rate"),
    (["cr", "--prior", "beta=Beta(1,1)"], "support is real"),
    (["cr", "--prior", "slope=Normal(0,1)"], "no parameter 'slope'"),
    (["cr", "--subset", "nobody"], "defined are"),
])
def test_mistakes_end_with_code_2_and_say_what_is_there(arguments, message, portable, capsys):
    assert main(["regress", *arguments, "--data", str(portable)]) == 2
    streams = capsys.readouterr()
    assert message in streams.err and "Traceback" not in streams.err and not streams.out


def test_a_missing_table_of_covariates_says_what_to_add(tmp_path, capsys):
    write_evidence(tmp_path)
    assert main(["regress", "cr", "--data", str(tmp_path)]) == 2
    streams = capsys.readouterr()
    assert "has no covariates.csv" in streams.err and "label and column" in streams.err and not streams.out


@pytest.mark.parametrize(("values", "message"), [
    ([1.0, 2.0, 3.0], "too few studies: 3, at least 4 are needed"),
    ([1.0, 2.0, np.nan, np.nan], "too few studies with the covariate: 2, at least 3 are needed"),
    ([1.0, 1.0, 1.0, 1.0], "too few different values: 1, at least 2 are needed"),
    ([1.0, 1.0, 2.0, np.nan], ""),
])
def test_the_rule_for_too_few_studies(values, message):
    assert Column(covariate(), 0.0, np.array(values)).refusal() == message


def test_a_lone_study_is_named():
    assert Column(covariate(), 0.0, np.array([0.0, 0.0, 1.0, np.nan])).lone_study is True, "tables write it as true"
    assert not Column(covariate(), 0.0, np.array([0.0, 0.0, 1.0, 1.0])).lone_study


def test_a_failed_fit_ends_with_code_3_and_no_estimate(portable, capsys, monkeypatch):
    from analysis.cases import settings
    from analysis.commands import regress as command
    monkeypatch.setattr(command, "QUICK_REGRESSION", settings.Sampler(tune=5, draws=10))
    code = main(["regress", "cr", "--data", str(portable), "--covariate", "age", "--json", "--quick",
                 "--engine", "nuts"])
    result = json.loads(capsys.readouterr().out)
    assert code == 3 and not result["converged"] and result["stamp"] == "QUICK"
    assert all(row["beta"] is None and row["ratio"] is None for row in result["covariates"] if not row["converged"])


def test_a_refused_slope_is_drawn_as_points_without_a_line(shipped):
    from analysis.cases.settings import Job, Question
    from analysis.chapters.regression.running import regress
    found = regress(shipped, Job(Question("relapse")))
    assert found.slopes and len(found.refused) == len(found.slopes)
    figure = draw_bubbles(**found.bubbles, label="Relapse")
    names = {artist.get_gid() for axes in figure.axes for artist in (*axes.lines, *axes.collections)}
    assert not any((name or "").startswith("curve") for name in names) and "circles.age" in names
