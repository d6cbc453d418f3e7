"""The plain model is the model: its nodes have the probabilities of the beta-binomial, and the order always holds."""

import numpy as np
import pymc as pm
import pytest
from scipy import special, stats

from models.nested_beta_binomial import PRIORS, NestedStudies, build, inner_only_log_likelihood
from models.studies import RateStudies

STUDIES = NestedStudies(RateStudies(("a", "b"), [7, 9], [12, 15]), RateStudies(("a",), [3], [7]),
                        RateStudies(("c", "d"), [2, 0], [9, 1]))
POINTS = [(0.6, 0.2, 0.3, 0.1), (0.95, 0.02, 0.1, 0.6), (0.4, 0.5, 0.9, 0.01)]


def law(n, mu, rho):
    kappa = (1.0 - rho) / rho
    return stats.betabinom(n, mu * kappa, (1.0 - mu) * kappa)


def alone(y, n, mu1, rho1, mu2, rho2):
    """The probability of an inner count when the outer one is not known."""
    return sum(law(n, mu1, rho1).pmf(m) * (law(m, mu2, rho2).pmf(y) if m else y == 0) for m in range(y, n + 1))


@pytest.mark.parametrize("point", POINTS)
def test_nodes_have_the_probabilities_of_the_model(point):
    mu1, rho1, mu2, rho2 = point
    graph = build(STUDIES)
    logp = graph.compile_logp(vars=graph.observed_RVs, sum=False, mode="FAST_COMPILE")
    values = logp({f"{name}_logodds__": np.asarray(special.logit(value))
                   for name, value in zip(PRIORS, point, strict=True)})
    wanted = {"outer_events": [law(12, mu1, rho1).logpmf(7), law(15, mu1, rho1).logpmf(9)],
              "inner_events": [law(7, mu2, rho2).logpmf(3)],
              "inner_only_events": np.log([alone(2, 9, *point), alone(0, 1, *point)])}
    for node, found in zip(graph.observed_RVs, values, strict=True):
        assert found == pytest.approx(wanted.pop(node.name), abs=1e-9), node.name
    assert not wanted
    outer, inner = ({"mu": np.array([mu]), "rho": np.array([rho])} for mu, rho in ((mu1, rho1), (mu2, rho2)))
    assert float(inner_only_log_likelihood(outer, inner, STUDIES.inner_only)[0, 0]) == pytest.approx(
        np.log(alone(2, 9, *point) * alone(0, 1, *point)), abs=1e-10)


def test_one_patient_and_no_heterogeneity_have_closed_forms():
    outer = {"mu": np.array([0.7, 0.2]), "rho": np.array([0.3, 0.0])}
    inner = {"mu": np.array([0.4]), "rho": np.zeros(1)}
    one = np.exp(inner_only_log_likelihood(outer, inner, RateStudies(("a",), [1], [1])))
    assert one[:, 0] == pytest.approx([0.28, 0.08], abs=1e-14)
    # Without heterogeneity a part of a part is binomial with the product of both rates.
    many = inner_only_log_likelihood(outer, inner, RateStudies(("a", "b", "c"), [5, 5, 0], [30, 30, 4]))
    law_of_part = stats.binom([30, 30, 4], 0.08)
    assert many[1, 0] == pytest.approx(law_of_part.logpmf([5, 5, 0]).sum(), abs=1e-11)


def test_tools_of_pymc_work_and_no_draw_violates_the_order():
    with build(STUDIES) as graph:
        tree = pm.sample_prior_predictive(draws=50, random_seed=1, compile_kwargs={"mode": "FAST_COMPILE"})
    assert {"outer_study", "inner_study", "inner_only_study"} <= set(graph.coords)
    prior, made = tree["prior"], tree["prior_predictive"]
    assert (prior["inner_rate"] <= prior["mu_outer"]).all()
    assert (made["inner_only_events"] <= STUDIES.inner_only.evaluable).all()
    assert set(made.data_vars) == {"outer_events", "inner_events", "inner_only_events"}
    assert "inner_only_events" not in build(NestedStudies(STUDIES.outer, STUDIES.inner, RateStudies((), [], [])))
