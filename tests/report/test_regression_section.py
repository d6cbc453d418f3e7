"""The section on covariates: counts, the slopes of regression.csv, and the caveat with each."""

import pytest

from analysis.chapters.regression.rows import CAVEAT
from tests.report.reading import Page
from tests.reporting import page_of, pages_of, project_results, with_tables

_SLOPES = "Complete remission (CR or CRi): slopes on covariates of the studies"


def _slope(**cells):
    return {"endpoint": "cr", "covariate": "age", "label": "Median <age>", "unit": "10 years",
            "analysis": "one_at_a_time", "n_studies": 10, "n_missing": 3, "status": "converged", "refused": "",
            "ratio_scale": "odds_ratio", "ratio_median": 1.42, "ratio_lower": 1.11, "ratio_upper": 1.93,
            "engine": "importance", "pareto_k": 0.123, "probability_above_one": 0.985, "sd_ratio": 0.61,
            "prior_sd": 0.5, "prior_sd_per_sd": 0.37,
            "heterogeneity": "rho", "heterogeneity_without": 0.031, "heterogeneity_with": 0.021, **cells}


def _page(*slopes, pairs=()) -> Page:
    tables = {"regression.csv": slopes, "regression_collinearity.csv": pairs}
    return Page(page_of(with_tables(project_results(), tables)))


@pytest.fixture(scope="module")
def page():
    pair = {"endpoint": "cr", "covariate": "age", "other": "blasts", "n_studies": 7, "correlation": -0.55}
    return _page(_slope(), _slope(covariate="blasts", label="Blasts", ratio_lower=0.5, sd_ratio=0.93),
                 _slope(covariate="year", label="Year", status="refused", refused="too few studies: 2, 4 needed"),
                 pairs=(pair, {**pair, "correlation": 0.2}))


def test_the_summary_counts_what_the_table_holds(page):
    assert "2 slopes were estimated one at a time; 1 further one had too few studies" in page.text
    assert "excludes 1 in 1 of 2" in page.text
    assert "In 1 of 2 the posterior is at least 80 % as wide as the prior" in page.text
    assert "odds ratio 1.42 [1.11, 1.93] per 10 years, P(ratio > 1) = 98 %" in page.text


def test_the_summary_says_what_made_the_slopes(page):
    assert "Independent weighted draws gave 2 slopes; they may be trusted up to a Pareto k of 0.7" in page.text
    assert "and the largest is 0.12." in page.text
    text = _page(_slope(), _slope(covariate="year", engine="nuts", pareto_k=None)).text
    assert "weighted draws gave 1 slope;" in text and "Markov chains gave 1 slope." in text


def test_a_prior_without_a_variance_leaves_its_ratio_empty():
    assert "the posterior is at least 80 % as wide as the prior" not in _page(_slope(sd_ratio=None)).text


def test_every_slope_stands_in_the_table_of_its_endpoint_with_the_caveat(page):
    rows = page.tables[_SLOPES][1:]
    assert rows[0][1:] == ["one at a time", "10 (3)", "1.42 [1.11, 1.93]", "98 %", "0.50 (0.37)", "0.61",
                           "rho 0.031, 0.021"]
    assert rows[2][3] == "too few studies: 2, 4 needed"
    assert page.text.count(CAVEAT) == 2, "in the section and beside the endpoint's slopes"


def test_only_strong_correlations_are_named(page):
    (row,) = page.tables["Pairs of covariates with a correlation of at least 0.5 over the studies of an endpoint"][1:]
    assert row[1:] == ["age", "blasts", "7", "−0.55"]


def test_a_slope_that_the_prior_holds_back_does_not_count_as_silence():
    """Of two slopes as wide as their priors one is in conflict: the summary counts the other, and names this one."""
    held = {"prior_conflict": True, "crude_beta": 8.22, "crude_se": 1.01, "prior_tail": 2.8e-13, "unit_size": 1.0,
            "prior_size": 1.0, "prior": "Normal(0, 0.5)", "sd_ratio": 0.96, "ratio_lower": 0.73, "unit": "1"}
    page = _page(_slope(**held), _slope(covariate="blasts", label="Blasts", ratio_lower=0.5, sd_ratio=0.93))
    assert "In 1 of 2 the posterior is at least 80 % as wide as the prior, and the two agree" in page.text
    assert "age (one_at_a_time): the prior fights the data and holds the slope back" in page.text
    assert '--prior "beta=Normal(0, 5)"' in page.text
    assert [row[6] for row in page.tables[_SLOPES][1:]] == ["0.96, in conflict", "0.93"]


def test_shrunken_slopes_exclude_one_by_chance_less_often_than_one_in_twenty():
    text = _page(_slope(chance_excluded=0.013), _slope(covariate="blasts", chance_excluded=0.002)).text
    assert "excludes 1 in 2 of 2; about 0.015 would by chance alone, without any association" in text


@pytest.mark.parametrize(("pair", "counted"), [
    ({"n_studies": 7, "correlation": 1.0}, 1), ({"n_studies": 7, "correlation": -1.0}, 1),
    ({"n_studies": 6, "correlation": 1.0}, 2), ({"n_studies": 7, "correlation": 0.99997}, 2)])
def test_one_column_under_two_names_is_one_slope(pair, counted):
    """The same studies and a correlation of one; over fewer studies than each has the columns may differ elsewhere."""
    slopes = [_slope(chance_excluded=0.01), _slope(covariate="blasts", chance_excluded=0.01)]
    text = _page(*slopes, pairs=({"endpoint": "cr", "covariate": "age", "other": "blasts", **pair},)).text
    assert f"excludes 1 in {counted} of {counted}; about {0.01 * counted:.3f} would by chance" in text
    assert ("1 of which repeats another one" in text) == (counted == 1)


@pytest.mark.parametrize(("studies", "few"), [((10, 49), True), ((10, 50), False), ((200, 200), False)])
def test_that_nothing_is_clear_is_laid_to_few_studies_where_they_are_few(studies, few):
    slopes = [_slope(covariate=f"c{n}", ratio_lower=0.5, n_studies=n) for n in studies]
    text = pages_of(with_tables(project_results(), {"regression.csv": slopes}))["report.html"]
    assert ("Too few studies to say: none of 2 associations is clear of none." in text) == few
    assert ("<strong>None of 2 associations is clear of none.</strong>" in text) == (not few)
