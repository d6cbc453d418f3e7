"""Slopes that the prior holds back: the crude slope, its tail under the prior, and what a reader is told."""

import json

import numpy as np
import pytest
from scipy import integrate, stats

from analysis.__main__ import main
from analysis.chapters.regression.conflict import LEAST_TAIL, crude_slope, prior_tail
from analysis.chapters.regression.rows import chance_excluded
from analysis.chapters.regression.running import regress
from analysis.commands.regress import slopes_table
from models.priors import Prior
from models.studies import HazardStudies, RateStudies
from tests.references import peers
from tests.report.reading import csv_rows

from .cases import case, column, de_bruin
from .test_units import RATE, evidence_of

_APART = ((0, 30),) * 4 + ((30, 30),) * 4
_GROUP = "covariate,label,column\na,Group,a\n"
_NORMAL = Prior("Normal", (0.0, 0.5))


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Nobody in four studies, everybody in four others."""
    return evidence_of(tmp_path_factory.mktemp("apart"), [0] * 4 + [1] * 4, covariates=_GROUP, counts=_APART)


def test_nobody_against_everybody_is_a_conflict_and_not_silence(apart):
    """Half an event added: logits of +-log(30.5 / 0.5), 8.22 apart, with a standard error of
    sqrt(2/4 (1/0.5 + 1/30.5)) = 1.008. The prior predicts a crude slope of Normal(0, sqrt(0.5^2 + 1.008^2)).
    """
    found = regress(apart, RATE)
    (row,) = found.slopes
    crude, se = 2.0 * np.log(61.0), np.sqrt(0.5 * (2.0 + 1.0 / 30.5))
    assert (row["crude_beta"], row["crude_se"]) == (pytest.approx(crude, abs=1e-3), pytest.approx(se, abs=1e-3))
    assert row["prior_tail"] == pytest.approx(2.0 * stats.norm.sf(crude / np.hypot(0.5, se)), rel=0.01)
    assert row["prior_conflict"] and row["sd_ratio"] > 0.9 and row["ratio_median"] == pytest.approx(1.91, abs=0.1)
    (warning,) = found.warnings
    for part in ("the prior fights the data", "Normal(0, 0.5)", ">1,000 [", "posterior says 1.9", 'beta=Normal(0, 5)"'):
        assert part in warning
    assert f"{row['sd_ratio']:.2f}, in conflict" in slopes_table(found)


def test_the_remedy_ends_the_conflict(apart, capsys, tmp_path):
    data = str(apart.directory)
    assert main(["regress", "rate", "--data", data, "--prior", "beta=Normal(0, 5)"]) == 0
    streams = capsys.readouterr()
    assert "fights" not in streams.err and "in conflict" not in streams.out
    assert main(["regress", "rate", "--data", data, "--json", "--output", str(tmp_path), "--quick"]) == 0
    streams = capsys.readouterr()
    assert "warning: Group (one at a time): the prior fights the data" in streams.err
    (told,) = json.loads(streams.out)["covariates"]
    assert told["prior_conflict"] is True and "the prior fights the data" in json.loads(streams.out)["warnings"][0]
    (row,) = csv_rows(tmp_path / "regression.rate.csv")
    assert row["prior_conflict"].lower() == "true"
    for name in ("crude_beta", "crude_se", "prior_tail"):
        assert float(row[name]) == pytest.approx(told[name], rel=1e-4)


def test_the_crude_slope_is_near_that_of_other_packages():
    """metafor's GLMM of the same logits; both are random-effects regressions, on approximate and exact likelihoods."""
    studies, quality = de_bruin()
    reference = peers()["debruin_2009"]["glmm"]
    value, se = crude_slope(case(studies, column(quality - quality.mean())), 0)
    assert value == pytest.approx(reference["beta"][1], abs=0.2 * reference["se"][1])
    assert se == pytest.approx(reference["se"][1], rel=0.2)


def test_hazards_with_equal_errors_and_no_spread_are_least_squares():
    """Estimates on a line of slope 0.8 with errors of 0.1: that slope, and 0.1 / sqrt(sum of squares about the mean).

    A second covariate that has nothing to say changes neither, as the two are orthogonal.
    """
    x, none = np.array([-1.5, -0.5, 0.5, 1.5, -1.5, 1.5]), np.zeros(6)
    studies = HazardStudies(tuple("abcdef"), -2.8 + 0.8 * x, none + 0.1, none + 0.1, none, none, none + 40)
    wanted = pytest.approx((0.8, 0.1 / np.sqrt((x**2).sum())), abs=1e-6)
    assert crude_slope(case(studies, column(x)), 0) == wanted
    other = column([1.0, 1.0, 1.0, 1.0, -2.0, -2.0], "z")
    assert crude_slope(case(studies, other, column(x), together=True), 1) == wanted


def test_too_few_or_collinear_columns_have_no_crude_slope():
    studies = RateStudies(tuple("abcde"), [1, 2, 3, 4, 5], [9, 9, 9, 9, 0 + 5])
    x = np.array([0.0, 1.0, 2.0, np.nan, np.nan])
    assert crude_slope(case(studies, column(x)), 0) is None
    full = np.arange(5.0)
    assert crude_slope(case(studies, column(full), column(2.0 * full, "z"), together=True), 0) is None


def test_the_tail_under_other_priors():
    """A t distribution of many degrees of freedom is normal; slopes that share a scale are a mixture, by quadrature."""
    exact = prior_tail(_NORMAL, 1.5, 0.4)
    assert prior_tail(Prior("StudentT", (1e6, 0.0, 0.5)), 1.5, 0.4) == pytest.approx(exact, rel=0.1)
    mixture = integrate.quad(lambda s: stats.halfnorm.pdf(s, scale=0.25) * 2.0 * stats.norm.sf(1.0 / np.hypot(s, 0.3)),
                             0.0, 3.0)[0]
    assert prior_tail(Prior("HalfNormal", (0.25,)), 1.0, 0.3, shared=True) == pytest.approx(mixture, rel=0.1)
    assert prior_tail(_NORMAL, 0.0, 0.3) == pytest.approx(1.0)


def test_the_prior_itself_is_in_conflict_as_often_as_stated():
    rng = np.random.default_rng(1)
    se = 0.4
    crude = rng.normal(0.0, 0.5, 4000) + rng.normal(0.0, se, 4000)
    share = np.mean([prior_tail(_NORMAL, value, se) < LEAST_TAIL for value in crude])
    # Four standard errors of a share of 0.05 among 4000.
    assert share == pytest.approx(0.05, abs=0.014)


@pytest.mark.parametrize("error", [0.1, 0.5, 1.0, 3.0])
def test_chance_exclusions_are_those_of_simulated_slopes(error):
    """True slope 0, prior Normal(0, 1): the estimate is drawn, and its posterior is known."""
    rng, draws = np.random.default_rng(1), 400_000
    estimate, spread = rng.normal(0.0, error, draws), error / np.sqrt(1.0 + error**2)
    excluded = np.mean(np.abs(estimate / (1.0 + error**2)) > 1.959964 * spread)
    # 400,000 draws: four standard errors of a chance of 0.05 are 0.0014.
    assert chance_excluded(spread, 0.95) == pytest.approx(excluded, abs=0.0014)


def test_a_slope_without_a_prior_has_the_level_and_one_as_wide_as_its_prior_nothing():
    assert chance_excluded(None, 0.95) == pytest.approx(0.05) and chance_excluded(0.0, 0.9) == pytest.approx(0.1)
    assert chance_excluded(1.0, 0.95) == chance_excluded(1.02, 0.95) == 0.0
