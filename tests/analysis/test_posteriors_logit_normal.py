"""Logit-normal posteriors as a user gets them: against quadrature, recorded values and RBesT."""

from functools import cache
from pathlib import Path

import pytest
from arviz_stats.base import array_stats

from analysis.inference.fitting import Fit
from tests import quadrature
from tests.quadrature import Reference
from tests.references import peers, recorded

from .rate_cases import CASES
from .sampled import assert_agrees, assert_clean, draws_of, fit_rates


@cache
def _expected(case: str) -> tuple[dict[str, Reference], quadrature.Grid]:
    studies = [quadrature.binomial_study(y, n) for y, n in zip(*CASES[case], strict=True)]
    grid = quadrature.normal_effects(studies, centre=(0.0, 2.0), tau=1.0)
    return quadrature.logit_normal_estimands(grid, studies), grid


@pytest.mark.parametrize("case", CASES)
def test_posterior_is_that_of_quadrature(case: str, tmp_path: Path) -> None:
    fit = fit_rates(tmp_path, *CASES[case], model="logit_normal")
    assert_clean(fit)
    assert_agrees(draws_of(fit), _expected(case)[0])


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_quadrature_and_sampling_meet_recorded_values(case: str, tmp_path: Path) -> None:
    found, grid = _expected(case)
    draws = draws_of(fit_rates(tmp_path, *CASES[case], model="logit_normal"))
    known = dict(recorded()[case])
    evidence = known.pop("log_evidence", None)
    if evidence is not None:
        assert grid.log_evidence == pytest.approx(evidence, abs=1e-4)
    for name, row in known.items():
        reference = found[name]
        values = (reference.mean, reference.sd, reference.lower, reference.median, reference.upper)
        for got, wanted in zip(values, row, strict=True):
            # Four printed digits, and quantiles between grid points to 0.005 SD.
            assert wanted is None or got == pytest.approx(wanted, abs=1e-4 + 0.005 * reference.sd), name
        if row[0] is not None:
            error = float(array_stats.mcse(draws[name], chain_axis=0, draw_axis=1, method="mean"))
            assert draws[name].mean() == pytest.approx(row[0], abs=4.0 * error + 1e-4), name


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_gmap_of_rbest_agrees(case: str) -> None:
    # gMAP's own draws: 40,000 for AS, the default 4,000 for the other, thinned to be nearly independent. Its
    # mean then has a Monte-Carlo error of 0.005 or 0.016 SD and its 2.5 % quantile one of 0.013 or 0.042 SD;
    # four of them.
    found, _ = _expected(case)
    share = 0.02 if case == "as_rbest" else 0.064
    for name, theirs in (("tau", "tau"), ("m", "beta")):
        row, ours = peers()[case]["rbest_gMAP"][theirs], found[name]
        assert row["mean"] == pytest.approx(ours.mean, abs=share * ours.sd)
        for printed, value in (("2.5%", ours.lower), ("50%", ours.median), ("97.5%", ours.upper)):
            assert row[printed] == pytest.approx(value, abs=2.7 * share * ours.sd)


def test_median_and_mean_rate_are_different_estimands(tmp_path: Path) -> None:
    fit: Fit = fit_rates(tmp_path, *CASES["pritz_1997"], model="logit_normal")
    means = {row.estimand: row.mean for row in fit.estimates}
    assert means["median_rate"] - means["mean_rate"] == pytest.approx(0.0307, abs=0.002)
