"""Published numbers against ours: same estimand or a reason, and every difference by hand."""

from dataclasses import replace

import pytest

from analysis.cases.settings import Job, Question
from analysis.evidence.loading import load
from analysis.results.comparison import (
    COMPARED,
    COMPARISON,
    NOT_COMPARED,
    answerable_intervals,
    compare,
    distinct,
    rule_for,
    said_again,
)
from analysis.results.records import Record
from tests.evidence.build import MINIMAL, write_files

HEADLINE = Question("cr")


def estimate(**changes):
    return {"estimand": "mean_rate", "study_id": None, "time_months": None, "mean": 0.5, "median": 0.6, "lower": 0.4,
            "upper": 0.8, "level": 0.95, "interval": "credible", **changes}


def fits(question, *estimates, chances=None, failures=""):
    """One fit, by its question."""
    return {question: Record(Job(question), "beta_binomial", "converged", 3, 30, estimates=estimates,
                             diagnostics={"failures": failures}, chances=chances or {})}


def by_id(rows):
    return {row["reported_id"]: row for row in rows}


def test_no_published_number_is_dropped_and_each_without_a_fit_has_a_reason(shipped):
    rows = compare(shipped, HEADLINE, {})
    assert [row["reported_id"] for row in rows] == [reported.reported_id for reported in shipped.reported]
    assert all(row["reason"] for row in rows if row["status"] == NOT_COMPARED)


def test_difference_width_ratio_and_overlap(shipped):
    row = by_id(compare(shipped, HEADLINE, fits(HEADLINE, estimate(), chances={"R01": 0.25})))["R01"]
    # Published 0.81 [0.72, 0.89]; ours median 0.6, interval 0.4 to 0.8.
    assert row["status"] == COMPARED and row["probability_of_published_interval"] == 0.25
    assert row["difference"] == pytest.approx(0.6 - 0.81)
    assert row["width_ratio"] == pytest.approx(0.4 / 0.17)
    assert row["overlap"] == pytest.approx((0.8 - 0.72) / 0.17)


def test_intervals_that_do_not_meet_overlap_by_zero(shipped):
    apart = fits(HEADLINE, estimate(lower=0.1, median=0.2, upper=0.3))
    assert by_id(compare(shipped, HEADLINE, apart))["R01"]["overlap"] == 0.0


def test_other_levels_are_not_compared_in_width(shipped):
    row = by_id(compare(shipped, HEADLINE, fits(HEADLINE, estimate(level=0.8))))["R01"]
    assert row["status"] == COMPARED and "width_ratio" not in row and "95 %" in row["reason"]


def test_failed_fit_is_no_result(shipped):
    row = by_id(compare(shipped, HEADLINE, fits(HEADLINE, failures="R-hat")))["R01"]
    assert row["status"] == NOT_COMPARED and row["reason"] == "the fit did not converge: R-hat"
    assert "median" not in row and row["k_studies"] == 3


def test_subsets_meet_only_their_own_fit(shipped):
    rows = by_id(compare(shipped, HEADLINE, fits(HEADLINE, estimate())))
    assert rows["R01"]["status"] == COMPARED and rows["R21"]["status"] == NOT_COMPARED


def test_other_tiers_stand_beside(shipped):
    other = replace(HEADLINE, tiers="A")
    row = by_id(compare(shipped, HEADLINE, fits(HEADLINE, estimate()) | fits(other, estimate(median=0.7))))["R01"]
    assert (row["median"], row["tiers_a_median"], row["tiers_a_k_studies"]) == (0.6, 0.7, 3)
    assert set(row) <= set(COMPARISON.names)


def test_a_complement_is_taken_of_the_posterior(shipped):
    rules = tuple(replace(rule, transform="complement") for rule in shipped.comparisons)
    row = by_id(compare(replace(shipped, comparisons=rules), HEADLINE, fits(HEADLINE, estimate())))["R01"]
    assert [row[name] for name in ("median", "lower", "upper")] == pytest.approx([0.4, 0.2, 0.6])
    assert answerable_intervals(replace(shipped, comparisons=rules), HEADLINE)[0][3:] == pytest.approx((0.11, 0.28))


def test_crude_proportions_meet_crude_proportions(shipped):
    rows = by_id(compare(shipped, HEADLINE, {}))
    counts = [row for row in shipped.responses if row.endpoint == "relapse_antigen_neg" and row.tier in "AB"]
    events, n = sum(row.events for row in counts), sum(row.n for row in counts)
    assert [rows["R11"][name] for name in ("k_studies", "events", "n_patients")] == [len(counts), events, n]
    # Retained is the complement of lost; both are set beside what was published, on its scale.
    assert rows["R10"]["difference"] == pytest.approx(1 - events / n - 0.732)
    assert rows["R11"]["difference"] == pytest.approx(events / n - 0.267)


def test_prior_transplant_is_recomputed_from_the_studies_table(shipped):
    # Base 469: all review patients but the 20 of Gu 2020, whose cell is empty (audit.csv C10).
    row = by_id(compare(shipped, HEADLINE, {}))["R28"]
    assert [row[name] for name in ("k_studies", "events", "n_patients")] == [15, 188, 469]


def test_relapse_of_treated_is_not_compared_with_relapse_of_responders(shipped):
    row = by_id(compare(shipped, HEADLINE, {}))["R08"]
    assert row["status"] == NOT_COMPARED and "responders" in row["reason"]


def test_estimands_agree_with_the_published_statistic(shipped):
    """The paper's mean incidence rate is the mean rate, and its 12-month probability the typical study's survival."""
    expected = {"mean_probability": {"mean_rate"}, "survival_12m": {"survival"},
                "median_months": {"median_months"}, "proportion": {"crude_rate", "crude_column"}}
    for reported in shipped.reported:
        rule = rule_for(shipped, reported)
        assert rule.reason or rule.estimand in expected[reported.statistic]


def test_published_intervals_are_asked_of_the_right_fit(shipped):
    assert [item[0] for item in answerable_intervals(shipped, Question("cr"))] == ["R01"]
    of_survival = answerable_intervals(shipped, Question("os"))
    assert [item[:2] for item in of_survival] == [("R05", "survival"), ("R07", "median_months")]
    assert not answerable_intervals(shipped, Question("hct_after"))


def test_a_published_survival_meets_the_same_months_only(shipped):
    """R05 prints survival at 12 months: at a horizon of 24 there is no counterpart, and the reason says how."""
    usual, later = Question("os"), Question("os", horizon=24.0)
    survival = {months: estimate(estimand="survival", time_months=months) for months in (12.0, 24.0)}
    assert by_id(compare(shipped, usual, fits(usual, survival[12.0])))["R05"]["status"] == COMPARED
    other = by_id(compare(shipped, later, fits(later, survival[24.0])))["R05"]
    assert other["status"] == NOT_COMPARED and "median" not in other
    assert "at 12 months" in other["reason"] and "--horizon 12" in other["reason"]
    # A median has no months that could differ.
    months = estimate(estimand="median_months", median=14.0)
    assert by_id(compare(shipped, later, fits(later, months)))["R07"]["status"] == COMPARED


def test_of_several_months_those_of_the_published_number_are_taken(shipped):
    question = Question("os")
    several = (estimate(estimand="survival", time_months=months, median=median)
               for months, median in ((6.0, 0.8), (12.0, 0.57)))
    assert by_id(compare(shipped, question, fits(question, *several)))["R05"]["median"] == 0.57


def test_numbers_of_one_curve_of_one_parameter_are_one_comparison():
    """The median of a constant hazard says what survival at 12 months says, in the same endpoint and subset."""
    def row(number, estimand, model="log_hazard", endpoint="os", subset="all"):
        return {"reported_id": number, "estimand": estimand, "model": model, "our_endpoint": endpoint, "subset": subset}

    rows = [row("1", "survival"), row("2", "mean_rate", "beta_binomial", "cr"), row("3", "median_months"),
            row("4", "median_months", subset="adults"), row("5", "median_months", endpoint="pfs"),
            row("6", "mean_survival"), row("7", "mean_rate", "beta_binomial", "cr", "adults"), row("8", "rmst")]
    assert [item["reported_id"] for item in said_again(rows)] == ["3", "8"]
    assert [item["reported_id"] for item in distinct(rows)] == ["1", "2", "4", "5", "6", "7"]
    # With a shape of its own a curve has two parameters, and the median says something else.
    falling = [row("1", "survival", "weibull"), row("2", "median_months", "weibull")]
    assert not said_again(falling) and said_again([row("1", "survival", "exponential"), row(
        "2", "median_months", "exponential")])


CRUDE = MINIMAL | {
    "studies.csv": "study_id,label,year,n_treated,hct\nalpha_2019,Alpha,2019,10,{}\nbeta_2021,Beta,2021,20,5\n",
    "subsets.csv": "subset,label,column,value\nlate,Late,year,>=2020\n",
    "reported.csv": "reported_id,endpoint,subset,statistic,estimate,units\nR1,hct,,proportion,0.4,probability\n"
                    "R2,hct,late,proportion,0.4,probability\n",
    "comparisons.csv": "reported_endpoint,statistic,endpoint,column,estimand\nhct,proportion,,hct,crude_column\n"}


@pytest.mark.parametrize(("cell", "whole"), [("4", (2, 9, 30)), ("4.0", (2, 9, 30)), ("0", (2, 5, 30)),
                                             ("", (1, 5, 20))])
def test_a_column_is_counted_over_the_studies_of_the_subset(tmp_path, cell, whole):
    files = CRUDE | {"studies.csv": CRUDE["studies.csv"].format(cell)}
    rows = by_id(compare(load(write_files(tmp_path, files)), HEADLINE, {}))
    assert [tuple(rows[name][cell] for cell in ("k_studies", "events", "n_patients")) for name in ("R1", "R2")] == [
        whole, (1, 5, 20)]


@pytest.mark.parametrize("cell", ["some", "14", "3.5"])
def test_a_column_that_counts_no_patients_is_named(tmp_path, cell):
    files = CRUDE | {"studies.csv": CRUDE["studies.csv"].format(cell)}
    row = by_id(compare(load(write_files(tmp_path, files)), HEADLINE, {}))["R1"]
    assert row["status"] == NOT_COMPARED and f"hct = {cell} of alpha_2019" in row["reason"]


def test_each_rule_that_nothing_answers_has_a_reason(shipped):
    (mean, survival) = (row for row in shipped.reported if row.reported_id in ("R01", "R04"))
    rules = {rule.reported_endpoint: rule for rule in shipped.comparisons if rule.statistic in (
        mean.statistic, survival.statistic)}
    evidence = replace(shipped, reported=(mean, survival), comparisons=(
        replace(rules[mean.endpoint], estimand="mean_rat"), replace(rules[survival.endpoint], estimand="crude_rate")))
    rows = by_id(compare(evidence, HEADLINE, fits(HEADLINE, estimate())))
    assert rows["R01"]["reason"] == "the beta_binomial model has no estimand 'mean_rat'"
    assert rows["R04"]["reason"].endswith("is no rate, which a crude one needs")
