"""A third rate model is one short file without a density: fits, report and files have it, and say what it lacks."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import arviz as az
import numpy as np
import pytest
from scipy import stats

from analysis.__main__ import main
from analysis.chapters.models.rows import prior_spread
from analysis.inference.density import density_of, prior_median
from analysis.inference.estimands import heterogeneity_of
from analysis.inference.grid import solve
from analysis.inference.pooled import pooled
from analysis.inference.posterior import posterior_of
from models import all_models, beta_binomial
from models.priors import Prior
from tests.casing import bare_case
from tests.evidence.build import write_evidence
from tests.exact.solved import rates, solved
from tests.models.third_model import MODEL as THIRD
from tests.report.reading import Page, csv_rows, whole

ROOT = Path(__file__).resolve().parents[2]
STUDIES = rates([15, 24, 27, 11], [20, 40, 30, 25])
EVIDENCE = {"studies": "study_id,label,year\na,A,2000\nb,B,2001\nc,C,2002\nd,D,2003\n",
            "responses": "study_id,endpoint,events,n\na,cr,15,20\nb,cr,24,40\nc,cr,27,30\nd,cr,11,25\n"}
NEEDS = "needs a density: model third has none"
# A model with a density need not say how far apart its studies are.
SILENT = replace(beta_binomial.MODEL, name="silent", marginal=replace(
    beta_binomial.MARGINAL, population={"mean_rate": lambda draws: draws["mu"]}))


@pytest.mark.slow
def test_a_report_has_the_third_model_and_says_what_it_lacks(tmp_path):
    assert len((ROOT / "tests" / "models" / "third_model.py").read_text(encoding="utf-8").splitlines()) <= 40
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "models" / "third_model.py", tmp_path / "models" / "third.py")
    (tmp_path / "models" / "fourth.py").write_text("MODEL = nothing\n")
    for package in ("analysis", "tests"):
        (tmp_path / package).symlink_to(ROOT / package)
    data = write_evidence(tmp_path / "evidence", **EVIDENCE)
    done = subprocess.run([sys.executable, "-m", "tests.exactly", "report", "--quick", "--data", str(data), "--output",
                           str(tmp_path / "out")], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("models/fourth.py is left out: NameError: name 'nothing' is not defined\n") == 1
    assert "Sampling: [" not in done.stderr

    def table(name):
        return [row for row in csv_rows(tmp_path / "out" / name) if row["model"] == "third"]

    assert {row["estimand"] for row in table("estimates.csv")} == {"mean_rate", "new_study_rate", "study_rate"}
    assert [row["status"] for row in table("diagnostics.csv")] == ["converged"]
    assert [row["reason"] for row in table("model_comparison.csv")] == [NEEDS]
    assert [(row["dimension"], row["status"], row["reason"]) for row in table("sensitivity.csv")] == [
        ("family", "not computed", NEEDS)]
    page = Page(whole(tmp_path / "out"))
    beside = next(rows for caption, rows in page.tables.items() if caption.endswith("and the fits beside it"))
    (row,) = [row for row in beside if row[1] == "third model"]
    assert row[-1] == "not given" and "rho" in beside[0][-1] and f"A comparison {NEEDS}." in page.text
    saved = az.from_netcdf(next((tmp_path / "out" / "posteriors").glob("cr.third.*.nc")))
    assert {"posterior", "prior", "prior_predictive", "posterior_predictive", "log_prior", "observed_data",
            "constant_data", "sample_stats"} == set(saved.children)
    assert saved["posterior_predictive"]["events"].dims == ("chain", "draw", "study")
    az.plot_ppc_dist(saved)
    az.plot_prior_posterior(saved, var_names=["centre", "scale", "mean_rate"])


@pytest.mark.parametrize("command", [["fit", "cr", "--model", "third", "--engine", "exact"], ["calibrate", "third"]])
def test_what_needs_a_density_says_so(command, tmp_path, monkeypatch, capsys):
    for place in ("analysis.cases.case", "analysis.simulation.studies", "analysis.commands.calibrate"):
        monkeypatch.setattr(f"{place}.all_models", lambda: {**all_models(), "third": THIRD})
    assert main([*command, "--data", str(write_evidence(tmp_path, **EVIDENCE))]) == 2
    assert capsys.readouterr().err == f"{command[0]}: {NEEDS}\n"


def test_without_rho_the_prediction_has_the_moments_of_the_same_model_with_it():
    silent = {one.name: one.distribution for one in pooled(solve(density_of(SILENT, STUDIES, SILENT.priors)),
                                                           horizon=12.0)}
    known = {one.name: one.distribution for one in pooled(solved("beta_binomial", STUDIES), horizon=12.0)}
    assert set(silent) == {"mean_rate", "new_study_rate"}
    for name, values in silent.items():
        wanted = known[name]
        assert (values.mean, values.sd) == pytest.approx((wanted.mean, wanted.sd), rel=1e-3), name
        assert values.quantile(np.array([0.025, 0.5, 0.975])) == pytest.approx(
            wanted.quantile(np.array([0.025, 0.5, 0.975])), abs=2e-3), name


def test_what_tells_the_heterogeneity():
    models = (*all_models().values(), SILENT, THIRD)
    assert [heterogeneity_of(model) for model in models] == ["rho", "rho", *["tau"] * 4, "rho", "scale"]
    (spread,) = posterior_of(bare_case(SILENT, STUDIES)).estimates(["rho"])
    assert spread.estimand == "rho" and 0.0 < spread.lower < spread.median < spread.upper


def test_prior_spread_of_any_model_and_prior(monkeypatch):
    """At a mean of 0.8 the SD is sqrt(0.16 rho), with rho at its prior median."""
    monkeypatch.setattr("analysis.chapters.models.rows.all_models", lambda: {
        "beta_binomial": beta_binomial.MODEL, "silent": SILENT})
    for name in ("beta_binomial", "silent"):
        for prior, rho in ((Prior("Beta", (1.0, 4.0)), stats.beta(1, 4).median()),
                           (Prior("LogitNormal", (-2.0, 1.0)), 1.0 / (1.0 + np.exp(2.0)))):
            assert prior_spread(name, prior) == pytest.approx(np.sqrt(0.16 * rho), rel=1e-3)


@pytest.mark.parametrize(("prior", "median"), [
    (Prior("Normal", (-2.85, 2.5)), -2.85), (Prior("HalfCauchy", (0.5,)), 0.5), (Prior("Cauchy", (3.0, 1.0)), 3.0),
    (Prior("Beta", (1.0, 4.0)), float(stats.beta(1, 4).median())),
])
def test_median_of_a_prior(prior, median):
    assert prior_median(prior) == pytest.approx(median, abs=2e-4)
