"""A third rate model is one more file: the whole report has it, and says what it does not give."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from analysis.chapters.models.comparison import prior_spread
from analysis.chapters.sensitivity.fits import summarise
from analysis.inference.density import density_of, prior_median
from analysis.inference.estimands import heterogeneity_of
from analysis.inference.grid import solve
from analysis.inference.pooled import pooled
from models import all_models
from models.priors import Prior
from tests.evidence.build import write_evidence
from tests.exact.solved import rates, solved
from tests.models.third_model import MODEL
from tests.report.reading import Page

ROOT = Path(__file__).resolve().parents[2]
STUDIES = rates([15, 24, 27, 11], [20, 40, 30, 25])
EVIDENCE = {"studies": "study_id,label,year\na,A,2000\nb,B,2001\nc,C,2002\nd,D,2003\n",
            "responses": "study_id,endpoint,events,n\na,cr,15,20\nb,cr,24,40\nc,cr,27,30\nd,cr,11,25\n"}


@pytest.mark.slow
def test_a_report_has_the_third_model_and_says_what_it_does_not_give(tmp_path):
    shutil.copytree(ROOT / "models", tmp_path / "models", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "models" / "third_model.py", tmp_path / "models" / "third.py")
    (tmp_path / "analysis").symlink_to(ROOT / "analysis")
    data = write_evidence(tmp_path / "evidence", **EVIDENCE)
    done = subprocess.run([sys.executable, "-m", "analysis", "report", "--quick", "--data", str(data), "--output",
                           str(tmp_path / "out")], cwd=tmp_path, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr[-3000:]

    def table(name):
        with (tmp_path / "out" / name).open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row["model"] == "third"]

    assert {row["estimand"] for row in table("estimates.csv")} == {"mean_rate", "new_study_rate", "study_rate"}
    assert [row["status"] for row in table("diagnostics.csv")] == ["converged"]
    (judged,) = table("model_comparison.csv")
    assert float(judged["elpd_loo"]) < 0.0 < float(judged["prior_spread"]) and not judged["weight"]
    assert {row["heterogeneity"] for row in table("sensitivity.csv")} == {"phi"}
    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    beside = next(rows for caption, rows in page.tables.items() if caption.endswith("and the fits beside it"))
    (row,) = [row for row in beside if row[1] == "third model"]
    assert row[-1] == "not given" and "rho" in beside[0][-1]
    refits = page.tables["Each refit with one choice changed"]
    assert [row[5] for row in refits if row[1] == "third"] and all(
        row[5].startswith("phi ") for row in refits if row[1] == "third")


def test_without_rho_the_prediction_has_the_moments_of_the_same_model_with_it(monkeypatch):
    """phi ~ its own prior is the beta-binomial: the same prior of rho = phi/(1 + phi) gives the same numbers."""
    # phi ~ LogNormal(-1, 1) is rho ~ LogitNormal(-1, 1), since logit rho = log phi.
    priors = {"mean": Prior("Beta", (1.0, 1.0)), "phi": Prior("LogNormal", (-1.0, 1.0))}
    third = {one.name: one.distribution for one in pooled(solve(density_of(MODEL, STUDIES, priors)), horizon=12.0)}
    known = {one.name: one.distribution for one in
             pooled(solved("beta_binomial", STUDIES, rho="LogitNormal(-1, 1)"), horizon=12.0)}
    assert set(third) == {"mean_rate", "new_study_rate"}
    for name, found in third.items():
        wanted = known[name]
        assert (found.mean, found.sd) == pytest.approx((wanted.mean, wanted.sd), rel=1e-3), name
        assert found.quantile(np.array([0.025, 0.5, 0.975])) == pytest.approx(
            wanted.quantile(np.array([0.025, 0.5, 0.975])), abs=2e-3), name


def test_what_tells_the_heterogeneity():
    assert [heterogeneity_of(model) for model in (*all_models().values(), MODEL)] == ["rho", "rho", "tau", "phi"]
    found = summarise(solve(density_of(MODEL, STUDIES, MODEL.priors)), horizon=12.0, level=0.95)
    assert found.heterogeneity == "phi" and 0.0 < found.spread.lower < found.spread.median < found.spread.upper


def test_prior_spread_of_any_model_and_prior(monkeypatch):
    """At a mean of 0.8 the SD is sqrt(0.16 rho), with rho at its prior median."""
    for prior, rho in ((Prior("Beta", (1.0, 4.0)), stats.beta(1, 4).median()),
                       (Prior("LogitNormal", (-2.0, 1.0)), 1.0 / (1.0 + np.exp(2.0)))):
        assert prior_spread("beta_binomial", prior) == pytest.approx(np.sqrt(0.16 * rho), rel=1e-3)
    monkeypatch.setattr("analysis.chapters.models.comparison.all_models", lambda: {"third": MODEL})
    phi = stats.halfnorm(scale=0.5).median()
    assert prior_spread("third", Prior("HalfNormal", (0.5,))) == pytest.approx(
        np.sqrt(0.16 * phi / (1.0 + phi)), rel=1e-3)


@pytest.mark.parametrize(("prior", "median"), [
    (Prior("Normal", (-2.85, 2.5)), -2.85), (Prior("HalfCauchy", (0.5,)), 0.5), (Prior("Cauchy", (3.0, 1.0)), 3.0),
    (Prior("Beta", (1.0, 4.0)), float(stats.beta(1, 4).median())),
])
def test_median_of_a_prior(prior, median):
    assert prior_median(prior) == pytest.approx(median, abs=2e-4)
