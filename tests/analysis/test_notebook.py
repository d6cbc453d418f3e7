"""The functions for notebooks: the numbers and refusals of the command line, results that show themselves briefly."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import xarray as xr

import analysis
from analysis import compare, design, fit, load, predict, regress
from analysis.__main__ import main
from analysis.system.errors import UsageError
from tests.evidence.build import write_evidence, write_files

ROOT = Path(__file__).resolve().parents[2]
REPORTED = "reported_id,endpoint,subset,statistic,estimate\nR1,cr,all,mean_probability,0.8\n"


def test_importing_the_package_loads_nothing_of_it():
    code = "import analysis, sys; assert 'numpy' not in sys.modules; analysis.fit; assert 'pymc' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'dance'"):
        analysis.dance  # noqa: B018 (asking is the test)


def test_a_fit_has_the_numbers_of_the_command_line(shipped, capsys):
    fitted = fit(shipped, "cr", engine="exact", priors={"rho": "Beta(1, 10)"}, subset="adult_only", level=0.9)
    assert main("fit cr --engine exact --prior rho=Beta(1,10) --subset adult_only --level 0.9 --json".split()) == 0
    printed = json.loads(capsys.readouterr().out)["estimates"]
    frame = fitted.frame()
    assert list(frame["estimand"]) == [row["estimand"] for row in printed]
    for name in ("median", "lower", "upper"):
        assert list(frame[name]) == [row[name] for row in printed]
    assert {"posterior", "observed_data", "log_likelihood"} <= set(fitted.idata.children)
    assert fitted.idata.posterior["study_rate"].sizes["study"] == frame["k_studies"][0] == 4
    assert repr(fitted).startswith("cr: beta_binomial, subset adult_only") and "\nstudy_rate" not in repr(fitted)
    assert len(repr(shipped).splitlines()) == 1


@pytest.mark.parametrize(("options", "message"), [
    ({"engine": "magic"}, "argument --engine: invalid choice: 'magic' (choose from"),
    ({"model": "nothing"}, "unknown model 'nothing'; there are"),
    ({"priors": {"kappa": "Beta(1,1)"}}, "beta_binomial has no parameter 'kappa'; it has mu, rho"),
    ({"priors": {"rho": "Normal(0,1)"}}, "support is unit"),
    ({"level": 95}, "argument --level: '95' is not a level"),
    ({"horizon": -1}, "argument --horizon: '-1' is not a number of months"),
    ({"horizon": 12}, "cr is a rate; --horizon is for survival endpoints"),
    ({"subset": "nobody"}, "defined are"),
    ({"chains": 4}, "unrecognized arguments: --chains=4; fit takes engine, horizon, level, model, priors, quick, "),
    ({"output": "x"}, "unrecognized arguments: --output=x"),
    ({"help": True}, "unrecognized arguments: --help=True"),
    ({"seed": np.float64(1.5)}, "argument --seed: '1.5' is not a whole number"),
    ({"tiers": ["A", "B"]}, "argument --tiers: \"['A', 'B']\" is not made of the tiers A, B and C"),
])
def test_what_the_command_line_refuses_is_refused_with_its_words(options, message, shipped):
    with pytest.raises(UsageError) as refused:
        fit(shipped, "cr", **options)
    assert message in str(refused.value)
    with pytest.raises(UsageError, match="no covariate|unknown covariate"):
        regress(shipped, "cr", covariates=["dance"])


def test_what_a_function_has_no_use_for_is_refused(shipped):
    for function, needed in (regress, {}), (predict, {"events": 1, "n": 2}), (design, {"n": 40, "threshold": 0.7}):
        for name in ("output", "json", "data", "help"):
            with pytest.raises(UsageError, match=rf"arguments: --{name}=x; {function.__name__} takes .*tiers"):
                function(shipped, "cr", **needed, **{name: "x"})
    with pytest.raises(UsageError, match="unrecognized arguments: --json=True; compare takes engine, "):
        compare(shipped, json=True)
    with pytest.raises(UsageError, match=r"not 'my.xlsx'; read it first: fit\(load\('my.xlsx'\), ...\)"):
        fit("my.xlsx", "cr")


def test_numbers_of_numpy_are_numbers(shipped):
    plain, of_numpy = (fit(shipped, "cr", engine="exact", **options) for options in (
        {"seed": 3, "retrospective": True}, {"seed": np.int64(3), "retrospective": np.True_}))
    assert plain.frame().equals(of_numpy.frame()) and plain.fit.case.job == of_numpy.fit.case.job
    assert repr(predict(shipped, "cr", events=np.int64(2), n=np.int32(5), level=np.float64(0.9))) == repr(
        predict(shipped, "cr", events=2, n=5, level=0.9))


def test_draws_of_a_regression_have_its_numbers(shipped):
    regression = regress(shipped, "cr", covariates=["age"], quick=True)
    (row,) = regression.frame().to_dict("records")
    beta = regression.idata["one_at_a_time/age/posterior"]["beta"]
    assert beta.dims == ("chain", "draw", "covariate") and list(beta["covariate"].values) == ["age"]
    # Draws repeated by their weights add an error of about sd / sqrt(4,096).
    assert float(beta.mean()) == pytest.approx(row["beta_mean"], abs=4 * row["beta_sd"] / 64)
    assert "age" in repr(regression) and "odds ratio" in repr(regression)


def test_published_numbers_are_compared_without_another_process(tmp_path):
    write_evidence(tmp_path / "with", reported=REPORTED)
    compared = compare(load(tmp_path / "with"), engine="exact")
    assert list(compared.frame()["status"]) == ["not compared"] and "R1 cr: comparisons.csv" in repr(compared)
    write_evidence(tmp_path / "without")
    with pytest.raises(UsageError, match="has no reported.csv"):
        compare(load(tmp_path / "without"))


def test_each_compared_question_has_its_posterior(shipped, monkeypatch):
    from analysis.runs import fits

    reported = [row for row in shipped.reported if row.endpoint == "cr"]
    compared = compare(replace(shipped, reported=reported), engine="exact")
    monkeypatch.setattr(fits, "run", made := Mock(wraps=fits.run))
    assert list(compared.idata) == ["cr/all", "cr/cd19_only"] and len(compared.idata) == 2 and not made.called
    for _, row in compared.frame().query("status == 'compared'").iterrows():
        groups = compared.idata[f"{row['our_endpoint']}/{row['subset']}"]
        draws = groups["posterior"]["mean_rate"]
        # The mean of n independent draws has the error sd / sqrt(n); four of them are exceeded once in 16,000.
        assert float(draws.mean()) == pytest.approx(row["mean"], abs=4 * float(draws.std()) / draws.size**0.5)
        assert json.loads(groups.attrs["manifest"])["subset"] == row["subset"]
    assert made.call_count == 2 and "log_likelihood" in groups
    assert set(xr.DataTree.from_dict(dict(compared.idata)).children) == {"cr"}
    with pytest.raises(KeyError):
        compared.idata["cr/nobody"]


def test_a_planned_trial_and_an_update_are_those_of_the_commands(tmp_path):
    from analysis import update

    planned = design(load(), "cr", n=40, threshold=0.7)
    assert "ELIR" in repr(planned) and list(planned.frame()["rate"])[:2] == [0.05, 0.1]
    write_files(tmp_path, {"studies.csv": "study_id,label\na,A\nb,B\n",
                           "endpoints.csv": "endpoint,label,kind,direction\ncr,CR,rate,benefit\n",
                           "responses.csv": "study_id,endpoint,events,n\na,cr,3,9\nb,cr,5,11\n"})
    newer = tmp_path.parent / f"{tmp_path.name}.csv"
    newer.write_text("study,endpoint,events,n\nC,cr,7,12\n")
    trial = update(tmp_path, newer, dry_run=True)
    assert "would change" in repr(trial) and len(load(tmp_path).responses) == 2
    assert [change.endpoint for change in update(tmp_path, newer).changes] == ["cr"]
    assert len(load(tmp_path).responses) == 3
