"""Log hazards as a user gets them, by both engines, against quadrature and recorded values, for every kind of row."""

from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base import array_stats

from analysis.cases.settings import BESIDE, HEADLINE, Sampler
from analysis.inference.fitting import Fit
from analysis.inference.nuts import sample, sample_graph
from models import all_models
from tests import quadrature
from tests.exact.sampled import assert_agrees, assert_clean, draws_of, fit_survival, fitted
from tests.exact.solved import assert_same, hazards, solved
from tests.models.cases import MIXED
from tests.references import recorded

ETA = all_models()["log_hazard"].priors["eta"].arguments
WIDE = {"eta": "Normal(0, 5)", "tau": "HalfNormal(1)"}


def quadrature_of(normal: list, counts: list, eta: tuple[float, float] = ETA, tau: float = 0.5, *,
                  horizon: float = 12.0) -> dict[str, quadrature.Reference]:
    """Every estimand; rows of three numbers among the counts are landmarks."""
    studies = [quadrature.normal_study(*row) for row in normal]
    studies += [(quadrature.landmark_study if len(row) == 3 else quadrature.poisson_study)(*row) for row in counts]
    return quadrature.log_hazard_estimands(quadrature.normal_effects(studies, centre=eta, tau=tau), studies, horizon)


def assert_both(fit: Fit, reference: dict[str, quadrature.Reference], *, without: tuple[str, ...] = (),
                sampled_only: tuple[str, ...] = ()) -> None:
    """Draws and quadrature of a fit agree with the reference, but for names that begin with one of `without`."""
    assert_clean(fit)
    reference = {name: row for name, row in reference.items() if not name.startswith(without)}
    assert_agrees(draws_of(fit), reference)
    assert_same(fit.exact.grid, reference, horizon=fit.case.horizon, without=sampled_only)


@pytest.mark.parametrize("normal", [
    [(-2.8, 0.3, 0.3)], [(-2.8, 0.1, 0.6)], [(-2.8, 0.3, 0.3), (-2.2, 0.4, 0.2)], [(-2.8, 0.25, 0.25)] * 8,
    [(-2.8, 0.02, 0.02)] * 3], ids=["one_study", "one_split_normal", "two_studies", "homogeneous", "precise"])
def test_both_engines_give_the_posterior(normal: list) -> None:
    # Where a second attempt is due, which has four times as many draws, the first one is shorter.
    sampler = BESIDE if normal[0][1] < 0.1 else HEADLINE
    assert_both(fitted("log_hazard", hazards(normal), sampler=sampler), quadrature_of(normal, []))


def test_nielweise_2008() -> None:
    data = recorded()["nielweise_2008"]
    counts = list(zip(data["events"], data["exposure"], strict=True))
    fit = fitted("log_hazard", hazards([], counts), priors=WIDE, horizon=0.2)
    reference = quadrature_of([], counts, (0.0, 5.0), 1.0, horizon=0.2)
    for parameter in ("eta", "tau"):
        row, ours, draws = data[parameter], reference[parameter], draws_of(fit)[parameter]
        for got, wanted in zip((ours.mean, ours.sd, ours.lower, ours.median, ours.upper), row, strict=True):
            # Four printed digits, and quantiles between grid points to 0.005 SD.
            assert wanted is None or got == pytest.approx(wanted, abs=1e-4 + 0.005 * ours.sd), parameter
        error = float(array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="median"))
        assert row[3] is None or np.median(draws) == pytest.approx(row[3], abs=4.0 * error + 1e-4)
    assert_both(fit, reference, without=("rmst",), sampled_only=("mean_hazard",))


def test_few_counts_and_none() -> None:
    """Under the priors of the other counts, so that nothing is compiled anew; the other quadrature is coarse there."""
    counts = [(0, 30.0), (2, 3.0)]
    fit = fitted("log_hazard", hazards([], counts), priors=WIDE, horizon=6.0)
    assert_clean(fit)
    assert_agrees(draws_of(fit), quadrature_of([], counts, (0.0, 5.0), 1.0, horizon=6.0))


def test_every_kind_of_row_from_published_statistics(tmp_path: Path) -> None:
    """Medians, one with unequal arms and one with an upper limit that was not reached, landmarks, counts and none."""
    fit = fit_survival(tmp_path, ["median,,12.9,8.7,23.4,false,53,,", "landmark,12,0.5,,,false,30,,",
                                  "median,,18.2,15.9,,true,53,,", ",,,,,false,20,9,180.5", ",,,,,false,20,0,25",
                                  "landmark,12,1,,,false,10,,", "landmark,6,0,,,false,8,,"])
    studies = fit.case.studies
    estimates, poisson, landmark = (np.flatnonzero(kind) for kind in (
        ~(studies.is_poisson | studies.is_landmark), studies.is_poisson, studies.is_landmark))
    assert len(estimates) and len(poisson) and len(landmark)
    assert np.any(studies.se_lower[estimates] != studies.se_upper[estimates])
    reference = quadrature_of(
        [(studies.log_hazard[at], studies.se_lower[at], studies.se_upper[at]) for at in estimates],
        [(studies.events[at], studies.person_months[at], *([studies.landmark_months[at]] if at in landmark else []))
         for at in sorted((*poisson, *landmark))])
    # The estimates stand first there, so that single studies have other numbers.
    assert_both(fit, reference, without=("study_",))


@pytest.mark.slow
def test_sampled_plainly_or_fast_the_posterior_is_the_same() -> None:
    """Of every kind of row as well, so that the fast form is compiled already."""
    model, sampler = all_models()["log_hazard"], Sampler(draws=2000, target_accept=0.99)
    fast, _ = sample(model, MIXED, model.priors, sampler=sampler, seed=3)
    plain, _ = sample_graph(lambda: model.build(MIXED, model.priors), {}, key=("plain",), keep=tuple(model.priors),
                            sampler=sampler, seed=4)
    for key in model.priors:
        # At least 800 effective draws each: four standard errors of a difference are 0.2 SD.
        assert float(plain[key].mean()) == pytest.approx(float(fast[key].mean()), abs=0.2 * float(fast[key].std()))
        assert float(plain[key].std()) == pytest.approx(float(fast[key].std()), rel=0.2)


@pytest.mark.parametrize(("normal", "counts"), [
    ([(-3.0, 0.2, 0.2), (-2.5, 0.3, 0.3), (-3.4, 0.25, 0.25)], []),
    ([(-3.0, 0.2, 0.5), (-2.5, 0.3, 0.1), (-3.4, 0.25, 0.25)], [(4, 60.0), (0, 25.0)]),
    ([(-3.0, 1e-3, 1e-3)] * 4, []),
    ([], [(0, 10.0), (0, 20.0)]),
    ([(-2.5, 0.2, 0.2), (-2.3, 0.2, 0.2)], [(6.4, 0.0, 12.0), (12.8, 0.0, 30.0)]),
])
def test_the_exact_engine_gives_the_posterior(normal: list, counts: list) -> None:
    # Without events the posterior is as wide as its prior: over a wider one the points of the other quadrature, evenly
    # spaced over 20 prior standard deviations, are too few for 0.012.
    prior = (ETA[0], 2.5 if normal else 1.0)
    grid = solved("log_hazard", hazards(normal, counts), eta=f"Normal({prior[0]!r}, {prior[1]})")
    assert_same(grid, quadrature_of(normal, counts, prior))
