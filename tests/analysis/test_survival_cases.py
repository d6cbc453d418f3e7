"""Survival evidence that once gave wrong numbers, with the right ones; under eta ~ Normal(log(log 2 / 12), 1)."""

from pathlib import Path

import numpy as np
import pytest

from analysis.cases.case import case_of, headline_case, typed_studies
from analysis.cases.selection import select
from analysis.cases.settings import Job, Question
from analysis.chapters.regression.running import regression_jobs
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.results.netcdf import file_name, manifest
from analysis.runs.plan import bundles
from analysis.simulation.studies import design_of, select_design
from tests import quadrature
from tests.casing import run

PRIOR = (("eta", f"Normal({np.log(np.log(2.0) / 12.0)}, 1)"),)
STUDIES = "study_id,label,year,age\n" + "".join(f"{name},{name.upper()},2000,{age}\n" for name, age in
                                               zip("abcd", (40, 45, 50, 60), strict=True))
HEADER = "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,events,person_months\n"
TWO_LANDMARKS = "".join(f"{name},os,landmark,{months},{value},,,60,,\n" for name, *values in (
    ("a", 0.8, 0.72), ("b", 0.78, 0.71), ("c", 0.83, 0.75), ("d", 0.79, 0.7))
    for months, value in zip((12, 24), values, strict=True))
CUT = ("a,os,landmark,12,0.95,0.859,1,20,,\nb,os,landmark,12,0.933,0.815,1,15,,\n"
       "c,os,landmark,12,0.75,0.62,0.85,60,,\nd,os,landmark,12,0.7,0.55,0.81,55,,\n")


def evidence_of(folder: Path, survival: str, horizon: str = "") -> Evidence:
    folder.mkdir(exist_ok=True)
    (folder / "studies.csv").write_text(STUDIES)
    (folder / "endpoints.csv").write_text("endpoint,label,kind,direction,horizon_months\n"
                                          f"os,Overall survival,survival,benefit,{horizon}\n")
    (folder / "covariates.csv").write_text("covariate,label,column,unit_size\nage,Age,age,10\n")
    (folder / "survival.csv").write_text(HEADER + survival)
    return load(folder)


def exact(evidence: Evidence, horizon: float | None = None) -> dict:
    fit = run(evidence, Job(Question("os", horizon=horizon), priors=PRIOR, engine="exact"))
    return {row.estimand: row for row in fit.estimates if row.study_id is None}


def test_an_asked_horizon_answers_as_the_endpoints_own(tmp_path: Path) -> None:
    """0.708 [0.593, 0.786]: what `horizon_months` 24 gives, from the rows at 24 months; those at 12 gave 0.624."""
    found = exact(evidence_of(tmp_path / "a", TWO_LANDMARKS), 24.0)["survival"]
    own = exact(evidence_of(tmp_path / "b", TWO_LANDMARKS, "24"))["survival"]
    assert (found.median, found.lower, found.upper) == pytest.approx((0.708, 0.593, 0.786), abs=5e-4)
    assert (own.median, own.lower, own.upper) == (found.median, found.lower, found.upper)


def test_every_analysis_chooses_rows_by_the_horizon_asked_for(tmp_path: Path) -> None:
    evidence, job = evidence_of(tmp_path, TWO_LANDMARKS), Job(Question("os", horizon=24.0), priors=PRIOR)
    wanted = [np.log(-np.log(value) / 24.0) for value in (0.72, 0.71, 0.75, 0.7)]
    (regression,) = regression_jobs(evidence, job)
    studies = [typed_studies(select(evidence, job.question))[0], case_of(evidence, job).studies,
               headline_case(evidence, job, "os").studies, typed_studies(select(evidence, regression.question))[0]]
    for found in studies:
        np.testing.assert_allclose(found.log_hazard, wanted)
    design = design_of(select_design(evidence, "log_hazard", Question("", horizon=24.0)))
    assert design.horizon == 24.0
    np.testing.assert_allclose(design.studies.se_lower, studies[0].se_lower)
    assert len(bundles(evidence, [job, Job(Question("os"), priors=PRIOR)])) == 2


def test_the_horizon_is_in_the_name_and_the_manifest_of_a_posterior(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, TWO_LANDMARKS)
    later, usual = (run(evidence, Job(Question("os", horizon=months), engine="exact")) for months in (24.0, None))
    names = [file_name(fit.case.job, fit.case.model.name) for fit in (later, usual)]
    assert ".24m" in names[0] and "m." not in names[1].removesuffix(".nc").split("AB")[1]
    assert [manifest(fit, evidence)["horizon_months"] for fit in (later, usual)] == [24.0, 12.0]
    assert later.seed != usual.seed


def test_cut_limits_do_not_make_small_studies_precise(tmp_path: Path) -> None:
    """19 of 20 and 14 of 15 have errors of 1.000, by the quadrature of normal estimates with the errors by hand."""
    z, cumulative = 1.959964, -np.log([0.95, 0.933])
    errors = np.log([0.95 / 0.859, 0.933 / 0.815]) / cumulative / z  # 1.002 and 0.995, of printed digits
    even = [(np.log(-np.log(low)) - np.log(-np.log(high))) / (2.0 * z) for low, high in ((0.62, 0.85), (0.55, 0.81))]
    studies = [quadrature.normal_study(np.log(-np.log(value) / 12.0), error, error)
               for value, error in zip((0.95, 0.933, 0.75, 0.7), (*errors, *even), strict=True)]
    grid = quadrature.normal_effects(studies, centre=(np.log(np.log(2.0) / 12.0), 1.0), tau=0.5)
    other = quadrature.log_hazard_estimands(grid, studies, 12.0)["survival_12m"]
    found = exact(evidence_of(tmp_path, CUT))
    for row in (found["survival"], other):
        assert (row.median, row.lower, row.upper) == pytest.approx((0.757, 0.621, 0.867), abs=1e-3)
    assert found["tau"].median == pytest.approx(0.28, abs=5e-3)


def test_certain_survival_counts(tmp_path: Path) -> None:
    """All of 10 alive at 12 months: 6.4 patients without an event, beside the 0.8 of 30 that once stood alone."""
    both = "a,os,landmark,12,1,,,10,,\nb,os,landmark,12,0.8,0.6,0.92,30,,\n"
    found = exact(evidence_of(tmp_path / "a", both))
    error = (np.log(-np.log(0.6)) - np.log(-np.log(0.92))) / (2.0 * 1.959964)
    studies = [quadrature.landmark_study(0.0, 76.8, 12.0),
               quadrature.normal_study(np.log(-np.log(0.8) / 12.0), error, error)]
    grid = quadrature.normal_effects(studies, centre=(np.log(np.log(2.0) / 12.0), 1.0), tau=0.5)
    other = quadrature.log_hazard_estimands(grid, studies, 12.0)
    for name in ("survival", "hazard", "new_study_hazard"):
        row, wanted = found[name], other[name + ("_12m" if name == "survival" else "")]
        limits = (wanted.median, wanted.lower, wanted.upper)
        assert (row.median, row.lower, row.upper) == pytest.approx(limits, rel=5e-3)
    alone = exact(evidence_of(tmp_path / "b", both.splitlines(keepends=True)[1]))
    assert found["survival"].median > alone["survival"].median


def test_recurrent_events_have_a_hazard(tmp_path: Path) -> None:
    """30 events of 10 patients in 600 person-months, 60 per 100 person-years, under a prior that says nothing of it."""
    evidence = evidence_of(tmp_path, "a,os,,,,,,10,30,600\n")
    job = Job(Question("os"), priors=(("eta", "Normal(-3, 10)"), ("tau", "HalfNormal(0.001)")), engine="exact")
    fit = run(evidence, job)
    hazard = next(row for row in fit.estimates if row.estimand == "hazard")
    # The log hazard has a flat prior, so that the hazard is Gamma(30, 600 person-months).
    assert hazard.median == pytest.approx(1200.0 * 29.667 / 600.0, rel=2e-3)  # median of Gamma(30): 29.667
    assert (hazard.unit, hazard.study_id) == ("events per 100 person-years", None)
    own = next(row for row in fit.estimates if row.estimand == "study_hazard")
    assert (own.study_id, own.median) == ("a", pytest.approx(hazard.median, rel=0.01))
