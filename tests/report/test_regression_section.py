"""The section on covariates: counts, the slopes of regression.csv, and the caveat with each."""

from dataclasses import replace

import pytest

from analysis.chapters.regression import CHAPTER
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
    assert row[1:] == ["Median age", "Median marrow blasts", "7", "−0.55"]


def test_a_slope_that_the_prior_holds_back_does_not_count_as_silence():
    """Of two slopes as wide as their priors one is in conflict: the summary counts the other, and names this one."""
    held = {"prior_conflict": True, "crude_beta": 8.22, "crude_se": 1.01, "prior_tail": 2.8e-13, "unit_size": 1.0,
            "prior_size": 1.0, "prior": "Normal(0, 0.5)", "sd_ratio": 0.96, "ratio_lower": 0.73, "unit": "1"}
    page = _page(_slope(**held), _slope(covariate="blasts", label="Blasts", ratio_lower=0.5, sd_ratio=0.93))
    assert "In 1 of 2 the posterior is at least 80 % as wide as the prior, and the two agree" in page.text
    assert "Median <age> (one at a time): the prior fights the data and holds the slope back" in page.text
    assert '--prior "beta=Normal(0, 5)"' in page.text
    assert [row[6] for row in page.tables[_SLOPES][1:]] == ["0.96, in conflict", "0.93"]


def test_the_first_page_says_where_the_prior_decides_against_the_studies():
    """exp(1.634) = 5.12, with limits exp(1.634 -+ 1.96 x 0.385); one of two crude intervals excludes 1."""
    held = {"prior_conflict": True, "crude_beta": 1.634, "crude_se": 0.385, "prior_tail": 0.0096, "unit_size": 1.0,
            "prior_size": 1.0, "prior": "Normal(0, 0.5)", "ratio_lower": 0.83, "level": 0.95}
    slopes = [_slope(**held), _slope(covariate="blasts", label="Blasts", ratio_lower=0.5, crude_beta=0.1, crude_se=0.3,
                                     level=0.95)]
    first, plain = (Page(pages_of(with_tables(project_results(), {"regression.csv": of}))["report.html"]).text
                    for of in (slopes, slopes[1:]))
    assert "none of 2 associations is clear." in first
    assert "In 1 of them our assumption of moderate differences decides, against the studies: Complete remission " \
        "(CR or CRi) with Median <age> (10 years), odds ratio 5.12 [2.41, 10.90] by the studies alone, " \
        "1.42 [0.83, 1.93] with the assumption." in first
    assert "By the studies alone 1 of 2 would be clear; chance makes at least about 0.10." in first
    assert "our assumption" not in plain and "none of 1 association is clear." in plain


def test_each_association_says_which_side_is_better_and_what_it_rests_on():
    slopes = [_slope(endpoint=endpoint, lone_study=endpoint == "os") for endpoint in ("cr", "os")]
    for of, told in ((slopes[:1], "(above 1 is better)"), ([_slope(endpoint="nt_any")], "(above 1 is worse)"),
                     (slopes[1:], "(above 1 is worse; one study against the rest)")):
        first = Page(pages_of(with_tables(project_results(), {"regression.csv": of}))["report.html"])
        (rows,) = [rows for caption, rows in first.tables.items() if caption.startswith("The least uncertain assoc")]
        assert rows[1][1].endswith(told)


def test_words_of_covariates_are_labels_and_not_keys():
    pair = {"endpoint": "pfs", "covariate": "third_generation", "other": "second_antigen", "n_studies": 7,
            "correlation": 1.0}
    slopes = [_slope(endpoint="pfs", covariate=pair[name], label=label, ratio_lower=0.5)
              for name, label in (("covariate", "Third-generation product"), ("other", "Second antigen target"))]
    results = with_tables(project_results(), {"regression.csv": slopes, "regression_collinearity.csv": [pair]})
    pages = pages_of(results)
    first, details = (Page(pages[name]) for name in ("report.html", "details/regression.html"))
    assert "none of 1 association is clear." in first.text, "the same number as on the page of the chapter"
    assert "the same studies as Second antigen target" in first.text and "excludes 1 in 0 of 1;" in details.text
    (pairs,) = [rows for caption, rows in details.tables.items() if caption.startswith("Pairs of covariates")]
    assert pairs[1][1:3] == ["Third-generation product", "Second antigen target"]
    (found,) = [row for row in details.tables["The covariates of the studies"] if row[0] == "CD28 costimulation"]
    assert found[1] == "all instead of none" and found[2].startswith("Share of patients whose product has CD28")


@pytest.mark.parametrize(("level", "chance", "told"), [
    (0.95, 0.002, ": priors draw slopes towards 1, so that fewer than 5 % do."),
    (0.8, 0.002, ": priors draw slopes towards 1, so that fewer than 20 % do."), (0.95, 0.087, ".")])
def test_shrunken_slopes_exclude_one_by_chance_less_often_than_the_level_lets_them(level, chance, told):
    """A slope without shrinkage does so just as often."""
    slopes = [_slope(chance_excluded=0.013), _slope(covariate="blasts", chance_excluded=chance)]
    results = with_tables(project_results(), {"regression.csv": slopes})
    text = Page(CHAPTER.section(replace(results, base=replace(results.base, level=level)), None)).text
    assert "excludes 1 in 2 of 2; about 0." in text
    assert f"would by chance alone, without any association{told}" in text.replace("  ", " ")


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
    assert ("Too few studies to say: none of 2 associations is clear." in text) == few
    assert ("<strong>None of 2 associations is clear.</strong>" in text) == (not few)
