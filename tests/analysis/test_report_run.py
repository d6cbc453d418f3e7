"""The main job as a user runs it, once: exit code, files, every published number, no failed fit, golden headline."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.headline import FIGURE, README, draw, golden, readme_table, rows_of, with_table
from tests.report.reading import csv_rows, whole

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
# Two independent runs differ by sqrt 2 Monte-Carlo errors in standard deviation; of 57 means, 114 limits, 4.5 such
# deviations are passed by chance in one of a thousand test runs.
TOLERANCE = 4.5 * math.sqrt(2.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    done = subprocess.run([sys.executable, "-m", "analysis", "report", "--json", "--output", str(folder)],
                          capture_output=True, text=True, check=False, cwd=ROOT)
    return done, folder


def table(folder: Path, name: str) -> list[dict[str, str]]:
    return csv_rows(folder / name)


def test_ends_well_and_says_how_far_it_is(run):
    done, _ = run
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr and "[1/" in done.stderr


def test_json_names_files_that_exist_and_nothing_half_written_remains(run):
    done, folder = run
    manifest = json.loads(done.stdout)
    assert manifest["converged"] and manifest["reported"] == len(table(ROOT / "data", "reported.csv"))
    assert all((folder / name).stat().st_size for name in manifest["files"])
    assert {"report.html", "comparison.csv", "estimates.csv", "diagnostics.csv"} <= set(manifest["files"])
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]
    assert json.loads((folder / "run.json").read_text()) == manifest


def test_every_published_number_is_accounted_for(run):
    rows = table(run[1], "comparison.csv")
    reported = table(ROOT / "data", "reported.csv")
    assert [row["reported_id"] for row in rows] == [row["reported_id"] for row in reported]
    for row, published in zip(rows, reported, strict=True):
        assert float(row["published"]) == float(published["estimate"])
        if row["status"] == "compared":
            assert float(row["difference"]) == pytest.approx(float(row["median"]) - float(row["published"]), abs=1e-4)
            assert row["estimand"] and row["k_studies"]
        else:
            assert row["status"] == "not compared" and row["reason"] and not row["median"]
    pooled = [row for row in rows if row["published_lower"] and row["status"] == "compared"]
    assert len(pooled) == len([row for row in reported if row["ci_low"]])
    assert all(0 <= float(row["probability_of_published_interval"]) <= 1 and float(row["width_ratio"]) > 0
               for row in pooled)


def test_no_diagnostic_failed(run):
    rows = table(run[1], "diagnostics.csv")
    assert {row["status"] for row in rows} <= {"converged", "no studies"}
    assert all(int(row["divergences"]) == 0 for row in rows if row["max_rhat"])


def test_both_engines_agree_on_every_pooled_number(run):
    rows = table(run[1], "agreement.csv")
    fits = {(row["endpoint"], row["model"], row["subset"], row["tiers"]) for row in rows}
    assert {row["endpoint"] for row in rows} == {row["endpoint"] for row in table(ROOT / "data", "endpoints.csv")}
    sampled = {(row["endpoint"], row["model"], row["subset"], row["tiers"]) for row in
               table(run[1], "diagnostics.csv") if row["max_rhat"]}
    compared = {(row["our_endpoint"], row["model"], row["subset"] or "all", row["tiers"]) for row in
                table(run[1], "comparison.csv") if row["status"] == "compared" and row["model"]}
    assert fits == sampled >= compared and {fit[1] for fit in fits} == {"beta_binomial", "log_hazard"}
    assert all(row["agrees"] == "true" and abs(float(row["z"])) <= 4.5 for row in rows)


def test_differences_are_taken_apart(run):
    steps = table(run[1], "decomposition.csv")
    published = {row["reported_id"]: float(row["published"]) for row in table(run[1], "comparison.csv")}
    for identity in {row["reported_id"] for row in steps}:
        own = [row for row in steps if row["reported_id"] == identity and row["step"] != "missing studies"]
        shape = ["error rule", "shape"] if own[0]["endpoint"] in ("pfs", "os") else []
        assert [row["step"] for row in own] == ["published", "data", "method", "prior", *shape]
        whole = sum(float(row["change"]) for row in own[1:])
        assert published[identity] + whole == pytest.approx(float(own[-1]["estimate"]), abs=1e-3)
    assert {row["endpoint"] for row in steps if row["step"] == "missing studies"} == {"cr"}
    assert {row["status"] for row in table(run[1], "published_totals.csv")} == {"computed", "not computed"}


def test_what_each_conclusion_hangs_on_is_there_for_every_endpoint(run):
    endpoints = {row["endpoint"] for row in table(ROOT / "data", "endpoints.csv")}
    for name in ("sensitivity.csv", "influence.csv", "subset_differences.csv", "small_studies.csv", "frequentist.csv",
                 "regression.csv"):
        assert {row["endpoint"] for row in table(run[1], name)} == endpoints, name
    slopes = table(run[1], "regression.csv")
    assert {row["status"] for row in slopes} == {"converged", "refused"}
    assert all(row["refused"] for row in slopes if row["status"] == "refused")
    assert {path.name for path in (run[1] / "figures").glob("bubble.*.svg")} >= {"bubble.cr.svg", "bubble.os.svg"}


def test_headline_estimates_of_every_endpoint_and_subset(run):
    rows = table(run[1], "estimates.csv")
    expected = {"rate": {"mean_rate", "median_rate", "new_study_rate", "study_rate", "rho", "tau"},
                "survival": {"survival", "mean_survival", "new_study_survival", "study_survival", "rmst",
                             "median_months", "tau", "hazard", "mean_hazard", "new_study_hazard",
                             "study_hazard"}}
    models = {"rate": "beta_binomial", "survival": "log_hazard"}
    for endpoint in table(ROOT / "data", "endpoints.csv"):
        for subset in ("all", "cd19_only", "adult_only"):
            own = [row for row in rows if row["endpoint"] == endpoint["endpoint"] and row["subset"] == subset
                   and row["tiers"] == "AB" and row["model"] == models[endpoint["kind"]]
                   and row["early_landmarks"] == "true"]
            assert {row["estimand"] for row in own} == expected[endpoint["kind"]]


def test_tiers_families_and_early_landmarks_stand_beside(run):
    rows = table(run[1], "estimates.csv")
    assert {row["tiers"] for row in rows} == {"A", "AB", "ABC"}
    assert {row["model"] for row in rows} == {"beta_binomial", "logit_normal", "log_hazard"}
    assert {row["endpoint"] for row in rows if row["early_landmarks"] == "false"} == {"os"}


def test_equal_rows_give_equal_numbers(run):
    """Both relapse studies are adult, CD19 and tier A: no subset and no tier changes what is fitted."""
    found = {(row["subset"], row["tiers"]): (row["median"], row["lower"], row["upper"])
             for row in table(run[1], "estimates.csv") if row["endpoint"] == "relapse"
             and row["model"] == "beta_binomial" and row["estimand"] == "mean_rate"}
    assert len(found) == 5 and len(set(found.values())) == 1


def test_headline_agrees_with_the_accepted_table(run):
    accepted = {(row["endpoint"], row["estimand"], row["time_months"]): row for row in golden()}
    found = {(row["endpoint"], row["estimand"], row["time_months"]): row for row in rows_of(run[1])}
    assert set(found) == set(accepted)
    for key, old in accepted.items():
        new = found[key]
        assert (new["k_studies"], new["n_patients"]) == (old["k_studies"], old["n_patients"]), key
        name = "max_mcse_limit_heterogeneity" if key[1] in ("rho", "tau") else "max_mcse_limit"
        share = max(float(old[name]), float(new[name]))
        ends = {end: (float(new[end]), float(old[end])) for end in ("lower", "median", "upper")}
        if old["mean"]:
            error = max(float(old["mcse"]), float(new["mcse"]))
            assert abs(float(new["mean"]) - float(old["mean"])) <= TOLERANCE * error, key
            spread = float(old["sd"])
        else:
            # Without moments the error is measured on the log, whose SD follows from the 95 % interval.
            ends = {end: (math.log(ours), math.log(theirs)) for end, (ours, theirs) in ends.items()}
            spread = (ends["upper"][1] - ends["lower"][1]) / 3.92
        for end, (ours, theirs) in ends.items():
            assert abs(ours - theirs) <= TOLERANCE * share * spread, (key, end)


def test_readme_shows_the_accepted_table():
    text = README.read_text(encoding="utf-8")
    assert with_table(text, readme_table(golden())) == text


def test_readme_shows_the_accepted_figure(tmp_path):
    draw(golden(), tmp_path / "headline.svg")
    assert (tmp_path / "headline.svg").read_bytes() == FIGURE.read_bytes()
    assert str(FIGURE.relative_to(ROOT)) in README.read_text(encoding="utf-8")


def test_posteriors_are_there_for_every_fit(run):
    done, folder = run
    fits = json.loads(done.stdout)["fits"]
    assert all((folder / fit["posterior"]).is_file() for fit in fits if fit["status"] == "converged")
    assert len({fit["posterior"] for fit in fits if fit["posterior"]}) == sum(bool(fit["posterior"]) for fit in fits)


def test_figures_and_page_are_complete(run):
    _, folder = run
    page = whole(folder)
    for endpoint in table(ROOT / "data", "endpoints.csv"):
        for kind in ("svg", "narrow.svg"):
            assert (folder / "figures" / f"forest.{endpoint['endpoint']}.{kind}").stat().st_size > 5_000
    assert (folder / "figures" / "published.svg").exists()
    assert page.count("<script") == page.count("<main>") and "NOT CONVERGED" not in page.split("<h2")[0]
