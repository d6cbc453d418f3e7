"""Each model as one writes it down in PyMC, and its density: one model, and PyMC's own tools work on it."""

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats

from models import all_models
from models.model import Model
from models.studies import Studies

from .cases import MIXED, RATES
from .third_model import MODEL as THIRD

STUDIES = {"beta_binomial": RATES, "logit_normal": RATES, "log_hazard": MIXED, "third": RATES}
POINTS = {"beta_binomial": [(0.3, 0.1), (0.9, 0.5), (0.6, 0.001)],
          "logit_normal": [(-1.0, 0.4), (1.5, 1.5), (0.2, 0.01)],
          "log_hazard": [(-3.0, 0.3), (-2.0, 1.2), (-2.5, 0.01)]}
# The substitution z = sinh(t) reaches far into the tails of a likelihood without an upper end.
_T = np.linspace(-4.0, 4.0, 1601)
_Z, _LOG_STEP = np.sinh(_T), np.log(np.cosh(_T) * (_T[1] - _T[0]))
_UNCONSTRAINED = {"real": ("", np.asarray), "positive": ("_log__", np.log), "unit": ("_logodds__", special.logit)}


def _point(model: Model, natural: dict[str, float]) -> dict[str, np.ndarray]:
    found = {}
    for name, value in natural.items():
        suffix, function = _UNCONSTRAINED[model.priors[name].support]
        found[name + suffix] = np.asarray(function(value), dtype=float)
    return found


def _log_likelihoods(graph: pm.Model, point: dict[str, np.ndarray], studies: Studies) -> np.ndarray:
    """Of each study at one point of the hyperparameters, the effects that are parameters integrated out; shape (k,)."""
    nodes = graph.observed_RVs
    compiled = graph.compile_logp(vars=nodes, sum=False)
    k, latent = len(studies), "z" in graph.named_vars
    each = np.empty((len(_Z) if latent else 1, k))
    for at, z in enumerate(_Z if latent else [0.0]):
        parts = compiled({**point, "z": np.full(k, z)} if latent else point)
        for node, values in zip(nodes, parts, strict=True):
            (dimension,) = graph.named_vars_to_dims[node.name]
            each[at, [studies.study_ids.index(name) for name in graph.coords[dimension]]] = values
    return special.logsumexp(each + (stats.norm.logpdf(_Z) + _LOG_STEP)[:, None], axis=0) if latent else each[0]


@pytest.mark.parametrize("name", POINTS)
def test_plain_model_and_density_are_one(name: str) -> None:
    """The density's own quadrature is right to 1e-4 for counts without an upper end (see the tests of each model)."""
    model, studies = all_models()[name], STUDIES[name]
    graph = model.build(studies, model.priors)
    for values in POINTS[name]:
        natural = dict(zip(model.priors, values, strict=True))
        draws = {key: np.array([value]) for key, value in natural.items()}
        found = _log_likelihoods(graph, _point(model, natural), studies)
        assert found == pytest.approx(model.density.log_likelihood(draws, studies)[0], abs=2e-4), natural
    priors = graph.compile_logp(vars=[graph[key] for key in model.priors], sum=False)
    unconstrained = _point(model, natural)
    wanted = [model.priors[key].log_density(unconstrained[key + suffix])
              for key in model.priors for suffix in [_UNCONSTRAINED[model.supports[key]][0]]]
    effects = {"z": np.zeros(len(studies))} if "z" in graph.named_vars else {}
    assert np.ravel(priors({**unconstrained, **effects})) == pytest.approx(np.ravel(wanted), abs=1e-6)


@pytest.mark.parametrize("name", STUDIES)
def test_tools_of_pymc_work(name: str) -> None:
    model, studies = {**all_models(), "third": THIRD}[name], STUDIES[name]
    graph, quick = model.build(studies, model.priors), {"mode": "FAST_COMPILE"}
    assert graph.coords["study"] == tuple(studies.study_ids)
    assert "events" in pm.model_to_mermaid(graph) and set(model.priors) <= {node.name for node in graph.free_RVs}
    with graph:
        tree = pm.sample_prior_predictive(draws=20, random_seed=1, compile_kwargs=quick)
        tree["posterior"] = tree["prior"]
        again = pm.sample_posterior_predictive(tree, random_seed=1, progressbar=False, compile_kwargs=quick)
        pm.stats.compute_log_likelihood(tree, progressbar=False)
    assert set(model.estimands.values()) <= set(tree["prior"])
    observed = {node.name for node in graph.observed_RVs}
    for made in (tree["prior_predictive"], again["posterior_predictive"], tree["log_likelihood"]):
        assert set(made.data_vars) == observed == set(tree["observed_data"].data_vars)
    reports = sum(tree["log_likelihood"][node].sizes[graph.named_vars_to_dims[node][0]] for node in observed)
    assert reports == len(studies)
    assert all(np.isfinite(values).all() for values in tree["log_likelihood"].values())
