"""Later studies predicted from the review's: the numbers that are known, second routes, and what does not count."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from analysis.cases.case import headline_case
from analysis.cases.hazards import as_studies, convert
from analysis.cases.settings import Job, Question
from analysis.chapters import validation
from analysis.chapters.chapter import Asked
from analysis.chapters.validation import rows as predictions
from analysis.chapters.validation.rows import SCORES, VALIDATION, later_reports, score_rows, validation_rows
from analysis.evidence.loading import load
from analysis.inference.leave_one_out import pit
from analysis.inference.posterior import posterior_of
from tests.data.tables import FOLDER
from tests.reporting import results_of, with_tables

from .cases import CR, evidence_of, validation_of

LIKE, UNLIKE = {"p": (32, 40), "q": (24, 30), "r": (15, 20)}, {"p": (12, 40), "q": (9, 30), "r": (15, 20)}


@pytest.fixture(scope="module")
def project():
    return load(FOLDER)


@pytest.fixture
def quick(monkeypatch):
    """Beside the headline the exponential model alone: a third hyperparameter takes seconds."""
    monkeypatch.setattr(predictions, "BESIDE", ("exponential",))


def surprises(evidence, endpoint, model):
    return {(row["study_id"], row["months"]): row["two_sided"]
            for row in validation_of(evidence, Job(Question(endpoint))) if row["model"] == model}


def test_later_counts_are_as_surprising_as_two_other_calculations_found(project):
    """STATISTICS.md, section 9, within 0.01."""
    severe = surprises(project, "crs_grade3plus", "beta_binomial")
    wanted = {"roddie_2024": 0.012, "roddie_2021": 0.030, "aldoss_2023": 0.09}
    assert {name: severe[name, None] for name in wanted} == pytest.approx(wanted, abs=0.01)
    for endpoint in ("cr", "nt_grade3plus", "mrd_neg"):
        assert all(row["two_sided"] > 0.2 for row in validation_of(project, Job(Question(endpoint))) if row["counted"])


def test_later_survival_is_as_surprising_as_another_calculation_found(project, quick):
    """The same section, within 0.01."""
    rows = validation_of(project, Job(Question("os")))
    assert {(row["n"], row["patients"]) for row in rows} == {(127, 81), (48, 31), (20, 13)}, "n / 1.25^2"
    found = surprises(project, "os", "log_hazard")
    assert found["roddie_2024", 24.0] == pytest.approx(0.14, abs=0.01)
    assert found["wang_y_2025", 24.0] == pytest.approx(0.06, abs=0.01)
    assert surprises(project, "pfs", "log_hazard")["roddie_2024", 24.0] == pytest.approx(0.012, abs=0.01)


def test_counted_patients_are_as_surprising_as_log_hazards_with_their_errors(project, quick):
    """Errors along the survival axis against errors of a converted landmark: 0.02 apart over the printed range."""
    found = surprises(project, "os", "log_hazard")
    posterior = posterior_of(headline_case(project, Job(Question("os")), "os"))
    for row in project.survival:
        if row.study_id == "roddie_2024" and row.endpoint == "os" and row.statistic == "landmark":
            bare = replace(row, ci_low=None, ci_high=None, ci_level=None)  # counts are n / 1.25^2 whatever is printed
            below = pit(posterior, as_studies(convert([bare], horizon=12.0)))
            assert found["roddie_2024", row.time_months] == pytest.approx(2 * min(below, 1 - below), abs=0.02)


def test_a_falling_hazard_predicts_a_landmark_as_its_draws_do(project, monkeypatch):
    """FELIX's EFS at 24 months: an effect, its curve and a count of 81 patients, drawn one after the other."""
    monkeypatch.setattr(predictions, "BESIDE", ("weibull",))
    found = surprises(project, "pfs", "weibull")["roddie_2024", 24.0]
    case = replace(headline_case(project, Job(Question("pfs")), "pfs"))
    rng = np.random.default_rng(2)
    draws = posterior_of(case.but(model=predictions.all_models()["weibull"])).draw(100_000, rng)
    theta = rng.normal(draws["eta12"], draws["tau"])
    counts = rng.binomial(81, np.exp(-np.exp(theta) * 2.0 ** draws["shape"]))
    # 0.43 of 81 are 34.8 patients; 100,000 draws leave 0.002 of a tail of 0.024.
    assert 2 * np.mean(counts > 35) - 0.003 < found < 2 * np.mean(counts >= 34) + 0.003


def test_so_many_surprises_have_the_chance_that_the_grid_gives_them(project):
    """Given the hyperparameters studies are independent: a convolution at each point of the grid, no draws."""
    job = Job(Question("crs_grade3plus"))
    values, weights = posterior_of(headline_case(project, job, "crs_grade3plus")).points
    kappa = 1 / values["rho"] - 1
    chances = np.array([[1.0]] + [[0.0]] * 4) * np.ones_like(kappa)
    for n in (127, 20, 46, 45):
        law = stats.betabinom.pmf(np.arange(n + 1)[:, None], n, values["mu"] * kappa, (1 - values["mu"]) * kappa)
        mid = np.cumsum(law @ weights) - law @ weights / 2
        one = law[2 * np.minimum(mid, 1 - mid) < 0.05].sum(axis=0)
        chances = chances * (1 - one) + np.vstack([np.zeros_like(one), chances[:-1] * one])
    (score,) = validation_rows(project, job, "crs_grade3plus")[SCORES.file]
    # Two or more of four; 20,000 draws leave four standard errors of 0.005.
    assert score["as_many"] == pytest.approx(float(chances[2:].sum(axis=0) @ weights), abs=0.005)


def test_reports_of_one_study_are_surprising_together(project, quick):
    """Points of one curve share its patients: with all of them independent so many would have another chance."""
    case = headline_case(project, Job(Question("pfs")), "pfs")
    reports = [report for report in later_reports(project, case.question) if report["counted"]]
    posterior = posterior_of(case)
    laws = [posterior.predict(report["patients"], report["months"]) for report in reports]
    pairs = list(zip(reports, laws, strict=True))
    apart = [({**report, "study_id": f"s{at}"}, law) for at, (report, law) in enumerate(pairs)]
    together, separate = (predictions.as_many(posterior, of, 1) for of in (pairs, apart))
    assert together < separate - 0.03
    assert predictions.as_many(posterior, pairs, 0) == 1.0
    # One report alone is named with its own chance.
    assert predictions.as_many(posterior, pairs[:1], 1) == pytest.approx(laws[0].chance_named, abs=0.007)


def test_of_points_nearer_than_a_month_one_counts(project, quick):
    """FELIX prints 49.5 % at 12 months and a median of 11.9 months of one curve."""
    rows = [row for row in validation_of(project, Job(Question("pfs")))
            if row["study_id"] == "roddie_2024" and row["model"] == "log_hazard"]
    counts = {row["months"]: (row["counted"], row["reason"]) for row in rows}
    assert counts[12.0] == (True, "") and counts[6.0][0] and counts[24.0][0]
    assert counts[11.9] == (False, "says the same as 49.5 % at 12 months (39.6 to 58.6 %)")


def test_similar_later_studies_are_not_named_and_planted_ones_are(tmp_path):
    assert not any(row["named"] for row in validation_of(evidence_of(tmp_path / "like", LIKE), CR))
    rows = validation_of(evidence_of(tmp_path / "unlike", UNLIKE), CR)
    assert [row["study_id"] for row in rows if row["named"]] == ["p", "q"]
    assert all(row["pit"] < 0.025 for row in rows if row["named"])
    # They are predicted from the review alone: what later studies report moves no prediction.
    third = [validation_of(evidence_of(tmp_path / name, later), CR)[2] for name, later in (
        ("a", LIKE), ("b", UNLIKE))]
    assert third[0] == third[1]


def test_what_does_not_count_is_predicted_and_says_why(tmp_path):
    cells = {"p": "retrospective,,A", "q": ",a,A", "r": ",,C"}
    rows = validation_of(evidence_of(tmp_path, LIKE, cells=cells), CR)
    assert [(row["study_id"], row["counted"], row["reason"]) for row in rows] == [
        ("p", False, "the study is retrospective"), ("q", False, "shares patients with Study a"),
        ("r", False, "tier C")]
    assert all(row["two_sided"] > 0.05 for row in rows)
    kept = validation_of(load(tmp_path), replace(CR, question=Question("cr", tiers="ABC", retrospective=True)))
    assert [row["counted"] for row in kept] == [True, False, True]


def test_of_two_later_studies_that_share_patients_one_counts(tmp_path):
    rows = validation_of(evidence_of(tmp_path, LIKE, cells={"q": ",p,A"}), CR)
    assert [row["reason"] for row in rows] == ["", "shares patients with Study p", ""]


@pytest.mark.parametrize("question", [Question("cr"), Question("cr", study_set="extension")])
def test_without_later_studies_or_without_the_review_the_chapter_is_silent(tmp_path, question):
    evidence = evidence_of(tmp_path, {} if question.study_set == "review" else LIKE)
    assert list(validation.CHAPTER.work(Asked(evidence, Job(question)))) == []
    results = results_of(evidence)
    assert not list(validation.CHAPTER.figures(results)) and score_rows(results) == {SCORES.file: []}
    assert validation.CHAPTER.section(results, SimpleNamespace(picture=lambda name: "")) == ""


def test_one_later_study_after_one(tmp_path):
    evidence = evidence_of(tmp_path, {"p": (3, 20)}, review={"a": (16, 20)})
    (task,) = validation.CHAPTER.work(Asked(evidence, Job(Question(""))))
    (row,) = task.function(evidence, *task.arguments)[VALIDATION.file]
    assert row["status"] == "computed" and row["lower"] < 0.2 < row["median"] < row["upper"]


def test_a_later_study_too_large_to_count_says_so(tmp_path):
    (row,) = validation_of(evidence_of(tmp_path, {"p": (800, 3000)}), CR)
    assert (row["status"], row["reason"]) == ("not computed", "a study of more than 2,000 patients")


def test_scores_are_sums_and_differences_over_studies(tmp_path):
    """By hand: differences of three studies, 1.5, 0.5 and -0.5, add up to 1.5 with an SE of sqrt(3)."""
    evidence = evidence_of(tmp_path, LIKE)
    rows = [{"endpoint": "os", "model": model, "study_id": study, "row": at, "named": at == 3, "chance_named": 0.04,
             "log_predictive": value, "counted": True, "status": "computed"}
            for model, values in (("log_hazard", (-3.0, -2.0, -4.0, -1.0)), ("weibull", (-2.0, -1.5, -3.5, -1.5)))
            for at, (study, value) in enumerate(zip("ppqr", values, strict=True))]
    aside = {**rows[0], "row": 9, "counted": False, "log_predictive": -99.0}
    results = with_tables(results_of(evidence), {
        VALIDATION.file: [*rows, aside], SCORES.file: [{"endpoint": "os", "model": model, "as_many": 0.3}
                                                       for model in ("log_hazard", "weibull")]})
    first, second, *total = score_rows(results)[SCORES.file]
    assert (first["elpd"], first["predictions"], first["k_studies"], first["named"]) == (-10.0, 4, 3, 1)
    assert first["chance_named"] == pytest.approx(0.16) and first["as_many"] == 0.3
    assert "elpd_difference" not in first
    assert (second["elpd_difference"], second["difference_se"]) == pytest.approx((1.5, 3**0.5))
    assert [row["endpoint"] for row in total] == ["", ""] and total[1]["elpd_difference"] == pytest.approx(1.5)
    # Where the headline model has no prediction there is nothing to subtract.
    rest = [row for row in results.rows(VALIDATION.file) if row["model"] == "weibull"]
    others = with_tables(results, {VALIDATION.file: [*rest, *({**row, "model": "exponential"} for row in rest)]})
    assert all("elpd_difference" not in score for score in score_rows(others)[SCORES.file])
