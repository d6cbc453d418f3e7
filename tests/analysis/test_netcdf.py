"""A saved posterior in ArviZ: its checks work as ArviZ documents them, and predictions are those of the PyMC model."""

import warnings
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.inference.fitting import Fit
from analysis.inference.nuts import flat
from analysis.results.netcdf import PREDICTED, save, tree
from models import log_hazard
from models.curves import NEVER
from tests.exact.sampled import fit_rates, fit_survival

GROUPS = {"posterior", "prior", "prior_predictive", "posterior_predictive", "log_likelihood", "log_prior",
          "observed_data", "constant_data"}
SURVIVAL = ["median,,12.9,8.7,23.4,false,53,,", "landmark,12,0.5,,,false,30,,", ",,,,,false,20,9,180.5",
            "landmark,12,1,,,false,10,,", "landmark,6,0,,,false,8,,"]


def _fit(model: str, folder: Path) -> Fit:
    if model == "log_hazard":
        return fit_survival(folder, SURVIVAL, model=model, engine="exact")
    return fit_rates(folder, [15, 24, 27, 11, 0], [20, 40, 30, 25, 6], model=model, engine="exact")


@pytest.fixture(scope="module", params=["beta_binomial", "logit_normal", "log_hazard"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Fit, Evidence]:
    folder = tmp_path_factory.mktemp("evidence")
    return _fit(request.param, folder), load(folder)


def test_checks_of_arviz_work_on_a_saved_posterior(made: tuple[Fit, Evidence], tmp_path: Path) -> None:
    fit, evidence = made
    path = save(fit, evidence, tmp_path)
    saved, names = az.from_netcdf(path), list(fit.case.priors)
    (outcome,) = saved["observed_data"].data_vars
    for group in ("observed_data", "log_likelihood", "prior_predictive", "posterior_predictive"):
        assert set(saved[group].data_vars) == {outcome} and saved[group][outcome].dims[-1:] == ("study",)
    assert GROUPS | {"sample_stats"} == set(saved.children) and set(saved["log_prior"].data_vars) == set(names)
    assert set(saved["prior"].data_vars) == set(saved["posterior"].data_vars)
    wanted = fit.case.model.density.log_likelihood(flat(fit.posterior), fit.case.studies)
    np.testing.assert_allclose(saved["log_likelihood"][outcome].values.reshape(wanted.shape), wanted, atol=1e-5)
    if "median_months" in saved["posterior"]:
        # Checks of ArviZ stumble over infinity, so that the file says what stands for it.
        assert saved["posterior"]["median_months"].attrs["never_reached"] == NEVER
    assert np.isfinite(az.loo(saved).elpd)
    assert list(az.psense_summary(saved, var_names=names).index) == names
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*look discrete")
        for plot in (az.plot_ppc_dist(saved), az.plot_ppc_dist(saved, group="prior_predictive"),
                     az.plot_prior_posterior(saved, var_names=names), az.plot_prior_posterior(saved)):
            plot.savefig(tmp_path / "plot.png")
    # Predictions are fewer than draws; they keep their labels, so that the rest follows.
    saved["log_likelihood"] = saved["log_likelihood"].sel(draw=saved["posterior_predictive"].draw)
    pits = az.loo_pit(saved)[outcome]
    assert pits.dims == ("study",) and bool(((pits > 0.0) & (pits < 1.0)).all())


def _reports(predictive: xr.Dataset, fit: Fit) -> np.ndarray:
    """What PyMC draws for each node, as one column for each study."""
    if fit.case.model.name != "log_hazard":
        return predictive["events"].values.reshape(-1, len(fit.case.studies))
    values = np.empty((predictive.sizes["draw"] * predictive.sizes["chain"], len(fit.case.studies)))
    nodes = {"estimates": "estimate", "counts": "events", "landmarks": "events_by_landmark"}
    for name, table in log_hazard.data(fit.case.studies).items():
        reports = predictive[nodes[name]].values.reshape(len(values), -1)
        values[:, log_hazard.kinds(fit.case.studies)[name]] = log_hazard.smoothed(name, table, reports)
    return values


def test_predictions_are_those_of_the_plain_model(made: tuple[Fit, Evidence]) -> None:
    """Two samples of 1,000 lie further apart than 0.115 once in 200,000 times."""
    fit, ours = made[0], tree(*made)
    (outcome,) = ours["observed_data"].data_vars
    thinned = fit.posterior.isel(draw=slice(None, None, fit.posterior.sizes["draw"] * 4 // PREDICTED))
    quick = {"mode": "FAST_COMPILE"}
    with fit.case.model.build(fit.case.studies, fit.case.priors):
        prior = pm.sample_prior_predictive(draws=PREDICTED, random_seed=1, compile_kwargs=quick)
        again = pm.sample_posterior_predictive(thinned, random_seed=2, progressbar=False, compile_kwargs=quick)
        prior["posterior"] = prior["prior"]
        pm.stats.compute_log_prior(prior, progressbar=False, var_names=list(fit.case.priors))
    for name, theirs in (("prior_predictive", prior), ("posterior_predictive", again)):
        drawn = ours[name][outcome].values.reshape(-1, len(fit.case.studies))
        for at, column in enumerate(_reports(theirs[name].dataset, fit).T):
            assert stats.ks_2samp(drawn[:, at], column).statistic < 0.115, (name, fit.case.studies.study_ids[at])
    for name, one in fit.case.priors.items():
        assert stats.ks_2samp(*(part["prior"][name].values.ravel() for part in (ours, prior))).statistic < 0.115
        np.testing.assert_allclose(one.log_density_at(prior["prior"][name]), prior["log_prior"][name], atol=1e-5)
        np.testing.assert_array_equal(one.log_density_at(fit.posterior[name]), ours["log_prior"][name])
