"""`fit` as other programs call it: the JSON contract, portable evidence, saved posteriors, reproducibility."""

import csv
import json
import math

import arviz as az
import numpy as np
import pytest

from analysis.__main__ import main
from analysis.cases.settings import Job, Question
from analysis.chapters.curves.rows import CURVES, curve_rows
from analysis.evidence.loading import load
from analysis.results.writing import Writer

KEYS = {"schema_version", "data_sha256", "endpoint", "model", "subset", "tiers", "engine", "priors", "n_studies",
        "n_patients", "seed", "warnings", "estimates", "diagnostics", "converged"}
ESTIMATE_KEYS = {"estimand", "study_id", "time_months", "scale", "unit", "mean", "sd", "median", "lower", "upper",
                 "level", "interval", "mcse"}
RATE = ["mean_rate", "median_rate", "new_study_rate", "rho", "tau"]
SURVIVAL = ["survival", "mean_survival", "new_study_survival", "median_months", "rmst", "rmst", "tau", "hazard",
            "mean_hazard", "new_study_hazard"]
PORTABLE = {
    "studies.csv": "study_id,label,year\none,One <b>2001</b>,2001\ntwo,Two,2002\nthree,Three,2003\n",
    "endpoints.csv": "endpoint,label,kind,direction\nresp,Response,rate,benefit\n",
    "responses.csv": "study_id,endpoint,events,n\none,resp,0,7\ntwo,resp,5,9\nthree,resp,30,30\n",
}


@pytest.fixture(scope="module")
def portable(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portable")
    for name, text in PORTABLE.items():
        (folder / name).write_text(text)
    return folder


def fit(capsys, *arguments, code=0) -> dict:
    assert main(["fit", *map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def pooled(found) -> list[str]:
    return [row["estimand"] for row in found["estimates"] if row["study_id"] is None]


def test_rate_follows_the_contract(capsys, shipped):
    found = fit(capsys, "cr")
    assert set(found) >= KEYS and found["converged"] and found["data_sha256"] == shipped.sha256
    assert (found["n_studies"], found["n_patients"]) == (10, 349)
    assert found["priors"] == {"mu": "Beta(1, 1)", "rho": "Beta(1, 4)"}
    assert pooled(found) == RATE
    assert sum(row["estimand"] == "study_rate" for row in found["estimates"]) == 10
    for row in found["estimates"]:
        assert set(row) == ESTIMATE_KEYS
        assert row["lower"] <= row["median"] <= row["upper"] and row["level"] == 0.95
        # The mean of the beta-binomial's tau need not exist, so none is given.
        assert row["mean"] is None if row["estimand"] == "tau" else row["mcse"] < row["sd"]
        assert row["interval"] == ("prediction" if row["estimand"].startswith("new_study") else "credible")


def test_survival_follows_the_contract_and_the_horizon(capsys):
    found = fit(capsys, "os", "--horizon", "24", "--engine", "exact")
    assert pooled(found) == SURVIVAL
    by_name = {row["estimand"]: row for row in found["estimates"] if row["study_id"] is None}
    assert by_name["survival"]["time_months"] == 24 and by_name["median_months"]["time_months"] is None
    # One exponential curve links them at the median, which every monotone transformation keeps.
    # Quadrature gives each quantile to 2e-4 posterior standard deviations.
    expected = math.exp(-24 * math.log(2) / by_name["median_months"]["median"])
    assert by_name["survival"]["median"] == pytest.approx(expected, abs=3e-4 * by_name["survival"]["sd"])
    assert [row["time_months"] for row in found["estimates"] if row["estimand"] == "rmst"] == [12, 24]


def test_directory_with_three_tables_is_enough(capsys, portable):
    found = fit(capsys, "resp", "--data", portable)
    assert found["converged"] and (found["n_studies"], found["n_patients"]) == (3, 46)
    assert pooled(found) == RATE


def test_report_order_does_not_move_a_fit(capsys, portable):
    """Seeds are derived from what is fitted, so the same question gives the same draws, and another seed others.

    The pooled numbers come from quadrature and hang on no seed.
    """
    first, again = fit(capsys, "resp", "--data", portable), fit(capsys, "resp", "--data", portable)
    other = fit(capsys, "resp", "--data", portable, "--seed", 2)
    assert first == again
    one, two = first["agreement"][0], other["agreement"][0]
    assert one["statistic"] == "mean" and one["sampled"] != two["sampled"]
    assert abs(one["sampled"] - two["sampled"]) < 5 * math.hypot(one["mcse"], two["mcse"])
    assert first["estimates"][0]["mean"] == one["exact"] == two["exact"] == other["estimates"][0]["mean"]


def test_one_number_is_printed_whatever_the_engine(capsys):
    """Sampled, 63.6 % is the lower limit of mrd_neg; by quadrature, as in every refit beside it, 63.3 %."""
    sampled, exact = fit(capsys, "mrd_neg"), fit(capsys, "mrd_neg", "--engine", "exact")
    for one, other in zip(sampled["estimates"], exact["estimates"], strict=True):
        if one["study_id"] is None:
            assert [one[name] for name in ("mean", "sd", "median", "lower", "upper")] == \
                [other[name] for name in ("mean", "sd", "median", "lower", "upper")], one["estimand"]
    assert sampled["estimates"][0]["lower"] == pytest.approx(0.633, abs=0.0005)


def test_level_and_prior_are_carried_through(capsys, portable):
    by_quadrature = ("resp", "--data", portable, "--engine", "exact")
    found = fit(capsys, *by_quadrature, "--level", "0.8", "--prior", "rho=Beta(1,10)")
    assert found["priors"]["rho"] == "Beta(1, 10)" and {row["level"] for row in found["estimates"]} == {0.8}
    wide = fit(capsys, *by_quadrature)
    rho = {name: next(row for row in one["estimates"] if row["estimand"] == "rho") for name, one in
           (("tight", found), ("wide", wide))}
    assert rho["tight"]["mean"] < rho["wide"]["mean"]


def test_posterior_opens_in_arviz_with_labels_and_manifest(capsys, portable, tmp_path):
    assert main(["fit", "resp", "--data", str(portable), "--output", str(tmp_path)]) == 0
    assert "resp.beta_binomial.all.AB.nc" in capsys.readouterr().out
    tree = az.from_netcdf(tmp_path / "posteriors" / "resp.beta_binomial.all.AB.nc")
    assert list(tree.posterior.coords["study"].values) == ["one", "two", "three"]
    assert tree.posterior["study_rate"].dims == ("chain", "draw", "study")
    assert list(tree["constant_data"]["evaluable"].values) == [7, 9, 30]
    manifest = json.loads(tree.attrs["manifest"])
    assert manifest["data_sha256"] == load(portable).sha256 and manifest["converged"]
    assert {"priors", "sampler", "seed", "versions", "rows"} <= set(manifest)
    assert np.isfinite(az.loo(tree, var_name="events").elpd)
    assert not [path for path in (tmp_path / "posteriors").iterdir() if path.name.startswith(".")]


def test_quick_is_stamped(capsys, portable):
    assert fit(capsys, "resp", "--data", portable, "--quick")["stamp"] == "QUICK"


def test_unconverged_fit_ends_with_code_3_and_no_estimate(capsys, portable, monkeypatch):
    """Two-draw chains cannot pass; the gate, not the sampler, is what is tested."""
    from analysis.cases import settings
    from analysis.commands import fit as command
    monkeypatch.setattr(command, "QUICK", settings.Sampler(tune=5, draws=10))
    found = fit(capsys, "resp", "--data", portable, "--quick", code=3)
    assert not found["converged"] and found["estimates"] == [] and found["diagnostics"]["failures"]


def test_a_fit_without_a_result_still_says_what_it_was_of_and_what_to_try(capsys, tmp_path):
    """A median that was not reached is a study of the models of curves, and no row that they leave out."""
    data = tmp_path / "data.csv"
    data.write_text("study,statistic,time_months,estimate,ci_low,ci_high,n,upper_not_reached\n"
                    "A,median,24,,,,30,true\nB,landmark,12,0.6,0.4,0.75,40,\nC,median,,14,8,,25,true\n")
    arguments = ["fit", "survival", "--engine", "exact", "--model", "mixture_cure", "--data", str(data)]
    assert main(arguments) == 3
    text = capsys.readouterr()
    assert "3 studies, 95 patients" in text.out and "left out:" not in text.err
    assert "Try --engine nuts, --model log_hazard, --model weibull, --model exponential, or a narrower" in text.err
    found = fit(capsys, *arguments[1:], code=3)
    assert (found["n_studies"], found["n_patients"], found["converged"], found["estimates"]) == (3, 95, False, [])
    assert found["priors"]["cured"] == "Beta(1, 2)" and found["left_out"] == []
    assert all(warning.startswith("data.csv row") for warning in found["warnings"])


def test_a_median_that_is_never_reached_is_said_to_be_so(capsys, tmp_path):
    """Survival levels off above a half in one study, and just below it in others."""
    data = tmp_path / "data.csv"
    data.write_text("study,statistic,time_months,estimate,n\nA,landmark,12,0.6,40\nA,landmark,24,0.52,40\n"
                    "B,landmark,12,0.57,40\nB,landmark,24,0.5,40\nC,landmark,24,0.45,40\n")
    arguments = ["fit", "survival", "--engine", "exact", "--model", "mixture_cure", "--data", str(data)]
    assert main(arguments) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("median_months"))
    assert ", not reached]" in line and "12000" not in line
    (row,) = (row for row in fit(capsys, *arguments[1:])["estimates"] if row["estimand"] == "median_months")
    assert row["upper"] is None and 0.0 < row["lower"] < row["median"] < 100.0
    evidence = load(data)
    rows = curve_rows(evidence, Job(Question("")), "survival", "all")[CURVES.file]
    CURVES.table(rows).write(tmp_path)
    (cells,) = (cells for cells in csv.DictReader((tmp_path / CURVES.file).open())
                if (cells["model"], cells["estimand"]) == ("mixture_cure", "median_months"))
    assert cells["upper"] == "" and float(cells["median"]) == pytest.approx(row["median"])
    (told,) = (row for row in rows if (row["model"], row["estimand"]) == ("mixture_cure", "median_months"))
    assert Writer(CURVES)(told).endswith(", not reached]")
