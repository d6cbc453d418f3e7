"""Predictive checks: laws against replicates, a model that denies what is seen, and the smallest evidence."""

import numpy as np
import pytest

from analysis.cases.case import headline_case
from analysis.cases.settings import Job, Question
from analysis.chapters.checks import rows as checks
from analysis.chapters.checks.rows import DRAWS, STATISTICS
from analysis.inference.posterior import posterior_of
from tests.influence.cases import COUNTS

from .cases import CR, OS, checks_of, evidence_of, statistics_of

LANDMARKS = "".join(f"{name},os,landmark,{time},{estimate},,,,{n},,,A\n" for name, time, estimate, n in (
    ("a", 12, 0.55, 40), ("b", 12, 0.48, 60), ("c", 24, 0.31, 35), ("d", 6, 0.78, 50), ("e", 12, 0.62, 45)))
EVENTS = "f,os,,,,,,,30,18,310,A\n"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("checks"), {}, survival=LANDMARKS + EVENTS)


@pytest.mark.parametrize("job", [CR, OS], ids=["cr", "os"])
def test_laws_by_quadrature_are_those_of_replicates(evidence, job):
    """Mid-p within 0.015, four standard errors of 20,000 draws; limits within the patients of one count."""
    rows = [row for row in checks_of(evidence, job) if row["status"] == "computed"]
    case = headline_case(evidence, job, job.question.endpoint)
    replicated = checks._replicated(case, posterior_of(case), "another seed")
    for at, row in enumerate(rows):
        drawn, observed = replicated[:, at], row["observed"]
        same = np.isclose(drawn, observed, atol=1e-9)
        mid_p = np.mean((drawn < observed) & ~same) + np.mean(same) / 2
        assert row["posterior_pit"] == pytest.approx(mid_p, abs=0.015)
        limits = np.quantile(drawn, [0.025, 0.5, 0.975])
        found = [row[f"posterior_{name}"] for name in ("lower", "median", "upper")]
        assert found == pytest.approx(limits, abs=0.02 + 1.6 / row["n"] * (job is not OS))
    assert len(rows) == (7 if job is CR else 6)
    observed = np.array([row["observed"] for row in rows])
    assert [row["observed"] for row in statistics_of(evidence, job)] == pytest.approx(
        [float(of(observed)) for of in STATISTICS.values()])


def test_similar_studies_pass_and_a_model_that_denies_their_differences_fails(tmp_path):
    """The spread, the smallest rate and the odd study tell of a heterogeneity that the prior forbids."""
    evidence = evidence_of(tmp_path, {}, review=COUNTS | {"odd": (10, 40)})
    assert all(row["posterior_within"] and row["prior_within"] for row in checks_of(evidence, CR))
    assert not any(row["extreme"] for row in statistics_of(evidence, CR))
    denied = Job(Question("cr"), priors=(("rho", "Beta(1, 5000)"),))
    assert [row["study_id"] for row in checks_of(evidence, denied) if not row["posterior_within"]] == ["odd"]
    assert {row["statistic"] for row in statistics_of(evidence, denied) if row["extreme"]} == {"smallest", "spread"}
    by_name = {row["statistic"]: row["p_value"] for row in statistics_of(evidence, denied)}
    assert by_name["spread"] < 0.001 and by_name["smallest"] > 0.999


def test_a_prior_that_excludes_what_was_seen_is_found_out(evidence):
    narrow = Job(Question("cr"), priors=(("mu", "Beta(20, 180)"), ("rho", "Beta(1, 50)")))
    assert not any(row["prior_within"] for row in checks_of(evidence, narrow))


def test_the_same_run_gives_the_same_replicates_and_another_seed_others(evidence):
    first, again, other = (statistics_of(evidence, job) for job in (CR, CR, Job(Question("cr"), seed=2)))
    assert first == again and first != other
    for one, two in zip(first, other, strict=True):  # four standard errors of two sets
        assert one["p_value"] == pytest.approx(two["p_value"], abs=4 * np.sqrt(0.5 / DRAWS))


def test_what_is_as_extreme_counts_by_half(tmp_path):
    """No event anywhere: no replicate has less, and most have as little."""
    evidence = evidence_of(tmp_path, {}, review={"a": (0, 8), "b": (0, 12), "c": (0, 5)})
    smallest = statistics_of(evidence, CR)[1]
    assert smallest["observed"] == smallest["median"] == 0.0 and 0.5 <= smallest["p_value"] < 0.6


def test_one_study_has_predictions_and_no_statistic(tmp_path):
    evidence = evidence_of(tmp_path, {}, review={"a": (7, 10)})
    (row,) = checks_of(evidence, CR)
    # Before the data the beta-binomial with a uniform mean gives every count nearly the same chance.
    assert row["prior_pit"] == pytest.approx(0.66, abs=0.05) and row["posterior_within"]
    assert not statistics_of(evidence, CR) and not checks_of(evidence, OS)


def test_a_study_too_large_to_count_is_a_row_with_its_reason(tmp_path):
    rows = checks_of(evidence_of(tmp_path, {}, review={"a": (700, 1000), "b": (2000, 3000)}), CR)
    assert {(row["status"], row["reason"]) for row in rows} == {("not computed", "a study of more than 2,000 patients")}
