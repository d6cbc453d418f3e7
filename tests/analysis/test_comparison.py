"""Published numbers against ours: same estimand or a reason, and every difference by hand."""

from dataclasses import replace

import pytest

from analysis.cases.settings import Question
from analysis.inference.estimands import Estimate
from analysis.results.comparison import COMPARED, NOT_COMPARED, Pooled, compare, pooled_by_row, rule_for, wanted
from analysis.results.tables import COMPARISON, comparison_row

HEADLINE = Question("cr")


def estimate(**changes) -> Estimate:
    values = {"estimand": "mean_rate", "study_id": None, "time_months": None, "scale": "probability",
              "unit": "proportion", "mean": 0.5, "sd": 0.1, "median": 0.6, "lower": 0.4, "upper": 0.8, "level": 0.95,
              "interval": "credible", "mcse": 0.001}
    return Estimate(**{**values, **changes})


def pooled(found, question, *estimates, probabilities=None, trouble="") -> dict[str, Pooled]:
    return pooled_by_row(found, question, model="beta_binomial", k_studies=3, n_patients=30, estimates=estimates,
                         probabilities=probabilities or {}, trouble=trouble)


def by_id(comparisons):
    return {comparison.reported.reported_id: comparison for comparison in comparisons}


def test_no_published_number_is_dropped_and_each_without_a_fit_has_a_reason(shipped):
    found = compare(shipped, HEADLINE, {})
    assert [item.reported for item in found] == list(shipped.reported)
    assert all(item.reason for item in found if item.status == NOT_COMPARED)


def test_difference_width_ratio_and_overlap(shipped):
    question = Question("cr")
    fits = {question: pooled(shipped, question, estimate(), probabilities={"R01": 0.25})}
    found = by_id(compare(shipped, HEADLINE, fits))["R01"]
    # Published 0.81 [0.72, 0.89]; ours median 0.6, interval 0.4 to 0.8.
    assert found.status == COMPARED
    assert found.difference == pytest.approx(0.6 - 0.81)
    assert found.width_ratio == pytest.approx(0.4 / 0.17)
    assert found.overlap == pytest.approx((0.8 - 0.72) / 0.17)
    assert found.probability == 0.25


def test_intervals_that_do_not_meet_overlap_by_zero(shipped):
    fits = {Question("cr"): pooled(shipped, Question("cr"), estimate(lower=0.1, median=0.2, upper=0.3))}
    assert by_id(compare(shipped, HEADLINE, fits))["R01"].overlap == 0.0


def test_other_levels_are_not_compared_in_width(shipped):
    fits = {Question("cr"): pooled(shipped, Question("cr"), estimate(level=0.8))}
    found = by_id(compare(shipped, HEADLINE, fits))["R01"]
    assert found.status == COMPARED and found.width_ratio is None and "95 %" in found.reason


def test_failed_fit_is_no_result(shipped):
    fits = {Question("cr"): pooled(shipped, Question("cr"), trouble="the fit did not converge: R-hat")}
    found = by_id(compare(shipped, HEADLINE, fits))["R01"]
    assert found.status == NOT_COMPARED and "did not converge" in found.reason
    assert comparison_row(found).get("median") is None


def test_subsets_meet_only_their_own_fit(shipped):
    fits = {Question("cr"): pooled(shipped, Question("cr"), estimate())}
    found = by_id(compare(shipped, HEADLINE, fits))
    assert found["R01"].status == COMPARED and found["R21"].status == NOT_COMPARED


def test_other_tiers_stand_beside(shipped):
    other = replace(HEADLINE, tiers="A")
    fits = {HEADLINE: pooled(shipped, HEADLINE, estimate()), other: pooled(shipped, other, estimate(median=0.7))}
    row = comparison_row(by_id(compare(shipped, HEADLINE, fits))["R01"])
    assert (row["median"], row["tiers_a_median"], row["tiers_a_k_studies"]) == (0.6, 0.7, 3)
    assert set(row) <= set(COMPARISON.names)


def test_crude_proportions_meet_crude_proportions(shipped):
    found = by_id(compare(shipped, HEADLINE, {}))
    rows = [row for row in shipped.responses if row.endpoint == "relapse_antigen_neg" and row.tier in "AB"]
    events, n = sum(row.events for row in rows), sum(row.n for row in rows)
    assert found["R11"].crude == (len(rows), events, n)
    # Retained is the complement of lost; both are set beside what was published, on its scale.
    assert found["R10"].difference == pytest.approx(1 - events / n - 0.732)
    assert found["R11"].difference == pytest.approx(events / n - 0.267)


def test_prior_transplant_is_recomputed_from_the_studies_table(shipped):
    # Base 469: all review patients but the 20 of Gu 2020, whose cell is empty (audit.csv C10).
    assert by_id(compare(shipped, HEADLINE, {}))["R28"].crude == (15, 188, 469)


def test_relapse_of_treated_is_not_compared_with_relapse_of_responders(shipped):
    found = by_id(compare(shipped, HEADLINE, {}))["R08"]
    assert found.status == NOT_COMPARED and "responders" in found.reason


def test_estimands_agree_with_the_published_statistic(shipped):
    """The paper's mean incidence rate is the mean rate, and its 12-month probability the typical study's survival."""
    expected = {"mean_probability": {"mean_rate"}, "survival_12m": {"survival"},
                "median_months": {"median_months"}, "proportion": {"crude_rate", "crude_column"}}
    for reported in shipped.reported:
        rule = rule_for(shipped, reported)
        assert rule.reason or rule.estimand in expected[reported.statistic]


def test_published_intervals_are_asked_of_the_right_fit(shipped):
    assert [item[0] for item in wanted(shipped, Question("cr"))] == ["R01"]
    assert [item[:2] for item in wanted(shipped, Question("os"))] == [("R05", "survival"), ("R07", "median_months")]
    assert not wanted(shipped, Question("hct_after"))


def _survival(months: float, **changes) -> Estimate:
    return estimate(estimand="survival", time_months=months, **changes)


def test_a_published_survival_meets_the_same_months_only(shipped):
    """R05 prints survival at 12 months: at a horizon of 24 there is no counterpart, and the reason says how."""
    usual, later = Question("os"), Question("os", horizon=24.0)
    found = by_id(compare(shipped, usual, {usual: pooled(shipped, usual, _survival(12.0))}))["R05"]
    assert found.status == COMPARED
    other = by_id(compare(shipped, later, {later: pooled(shipped, later, _survival(24.0))}))["R05"]
    assert other.status == NOT_COMPARED and comparison_row(other).get("median") is None
    assert "at 12 months" in other.reason and "--horizon 12" in other.reason
    # A median has no months that could differ.
    months = estimate(estimand="median_months", scale="time", unit="months", median=14.0)
    assert by_id(compare(shipped, later, {later: pooled(shipped, later, months)}))["R07"].status == COMPARED


def test_of_several_months_those_of_the_published_number_are_taken(shipped):
    question = Question("os")
    fits = {question: pooled(shipped, question, _survival(6.0, median=0.8), _survival(12.0, median=0.57))}
    assert by_id(compare(shipped, question, fits))["R05"].pooled.estimate.median == 0.57
