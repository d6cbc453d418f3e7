"""Mixtures against known ones, and effective sample sizes against closed forms and a published mixture."""

from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from analysis import load
from analysis.cases.case import case_of
from analysis.cases.settings import Job, Question
from analysis.inference.posterior import posterior_of
from analysis.planning.mixtures import (
    Mixture,
    Predictive,
    cells_of,
    effective_sizes,
    fitted,
)
from analysis.planning.plans import predictive_of
from tests.data.tables import FOLDER
from tests.evidence.build import write_files

# As RBesT fits AS: its own effective sample sizes are 36.8 (ELIR) and 26.0 (moment).
RBEST = Mixture("beta", np.array([0.617, 0.383]), np.array([19.2, 3.53]), np.array([57.8, 9.37]))
AS = [(23, 107), (12, 44), (19, 51), (9, 39), (39, 139), (6, 20), (9, 78), (10, 35)]


@pytest.fixture(scope="module")
def published_as(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("as")
    rows = "".join(f"s{at},rate,{y},{n}\n" for at, (y, n) in enumerate(AS))
    evidence = load(write_files(folder, {
        "studies.csv": "study_id,label\n" + "".join(f"s{at},S{at}\n" for at in range(len(AS))),
        "endpoints.csv": "endpoint,label,kind,direction\nrate,ASAS20,rate,benefit\n",
        "responses.csv": f"study_id,endpoint,events,n\n{rows}"}))
    return posterior_of(case_of(evidence, Job(Question("rate"), model="logit_normal")))


def divergence(exact, mixture):
    """Of Kullback and Leibler over the cells of the exact distribution."""
    return special.rel_entr(exact.mass, np.diff(mixture.cdf(exact.edges), prepend=0.0, append=1.0)).sum()


def test_the_published_mixture_has_its_published_sizes():
    sizes = effective_sizes(RBEST)
    assert (sizes["elir"], sizes["moment"]) == pytest.approx((36.8, 26.0), abs=0.06)


@pytest.mark.parametrize(("a", "b"), [(1.5, 6.0), (7.0, 3.0), (40.0, 2.5), (1.02, 1.05), (2000.0, 900.0)])
def test_one_beta_is_worth_its_parameters(a, b):
    sizes = effective_sizes(Mixture("beta", np.ones(1), np.array([a]), np.array([b])))
    assert list(sizes.values()) == pytest.approx([a + b] * 3, rel=1e-5)


def test_a_beta_that_is_infinite_at_a_bound_has_no_local_information():
    sizes = effective_sizes(Mixture("beta", np.array([0.9, 0.1]), np.array([5.0, 0.9]), np.array([9.0, 2.0])))
    assert sizes["elir"] is None and sizes["moment"] > 0


@pytest.mark.parametrize("events", [(0, 0, 0), (9, 11, 14), (1, 0, 14), (1, 1, 0)])
def test_rates_next_to_a_bound_have_a_mixture_with_cells(events, tmp_path):
    """Predictive distributions with much of their mass next to 0 or 1."""
    rows = "".join(f"s{at},rate,{y},{n}\n" for at, (y, n) in enumerate(zip(events, (9, 11, 14), strict=True)))
    evidence = load(write_files(tmp_path, {
        "studies.csv": "study_id,label\ns0,A\ns1,B\ns2,C\n", "responses.csv": f"study_id,endpoint,events,n\n{rows}",
        "endpoints.csv": "endpoint,label,kind,direction\nrate,Rate,rate,benefit\n"}))
    mixture = fitted(predictive_of(posterior_of(case_of(evidence, Job(Question("rate")))), None))
    points, mass = cells_of(mixture)
    assert mixture.divergence < 0.01 and mass.sum() == pytest.approx(1.0) and np.all(np.diff(points) >= 0)
    assert points @ mass == pytest.approx(mixture.moments[0], abs=2e-3)


def _counts(folder, counts, **priors):
    """The case of one rate of these studies."""
    rows = "".join(f"s{at},rate,{y},{n}\n" for at, (y, n) in enumerate(counts))
    studies = "".join(f"s{at},S{at}\n" for at in range(len(counts)))
    evidence = load(write_files(folder, {
        "studies.csv": f"study_id,label\n{studies}", "responses.csv": f"study_id,endpoint,events,n\n{rows}",
        "endpoints.csv": "endpoint,label,kind,direction\nrate,Rate,rate,benefit\n"}))
    return case_of(evidence, Job(Question("rate"), priors=tuple(priors.items())))


@pytest.mark.parametrize("rho", ["Beta(1, 1e6)", "Beta(1, 1e9)"])
def test_without_heterogeneity_a_study_is_worth_the_patients_of_all(rho, tmp_path):
    """17 of 40 patients and the two of the uniform prior: Beta(18, 24)."""
    posterior = posterior_of(_counts(tmp_path, [(5, 10), (9, 20), (3, 10)], rho=rho))
    prior = fitted(predictive_of(posterior, None))
    assert prior.cdf(np.array([0.3, 0.43, 0.55])) == pytest.approx(stats.beta.cdf([0.3, 0.43, 0.55], 18, 24), abs=2e-3)
    sizes = effective_sizes(prior)
    assert [sizes[name] for name in ("moment", "morita", "elir")] == pytest.approx([42.0] * 3, rel=0.05)


@pytest.mark.parametrize(("counts", "priors", "rate"), [
    ([(5_000_000, 10_000_000)] * 3, {"rho": "Beta(1, 1e6)"}, 0.5),
    ([(3, 10)], {"mu": "Beta(1e9, 1)", "rho": "Beta(1, 1e9)"}, 1.0)], ids=["millions", "prior"])
def test_a_rate_that_is_known_to_many_digits_has_a_mixture(counts, priors, rate, tmp_path):
    prior = fitted(predictive_of(posterior_of(_counts(tmp_path, counts, **priors)), None))
    assert prior.moments[0] == pytest.approx(rate, abs=1e-4) and prior.divergence < 0.05
    assert effective_sizes(prior)["moment"] > 1e4


@pytest.mark.parametrize("size", [40.0, 6e4, 6e7])
def test_a_beta_is_worth_its_two_numbers_however_large(size):
    sizes = effective_sizes(Mixture("beta", np.array([0.5, 0.5]), np.full(2, 0.3 * size), np.full(2, 0.7 * size)))
    assert [sizes[name] for name in ("elir", "moment", "morita")] == pytest.approx([size] * 3, rel=1e-4)


def test_survival_that_nobody_reaches_has_a_prior(tmp_path):
    evidence = load(write_files(tmp_path, {
        "studies.csv": "study_id,label\na,A\nb,B\n",
        "endpoints.csv": "endpoint,label,kind,direction\nos,OS,survival,benefit\n",
        "survival.csv": "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n\n"
                        "a,os,median,,0.02,,,4000\nb,os,median,,0.02,,,4000\n"}))
    job = Job(Question("os"), model="exponential", priors=(("eta12", "Normal(6, 1)"), ("tau", "HalfNormal(0.01)")))
    prior = fitted(predictive_of(posterior_of(case_of(evidence, job)), 600.0))
    assert np.exp(-np.exp(prior.moments[0])) < 1e-9


def test_a_normal_is_worth_its_information_over_that_of_a_patient():
    m, s = -0.3, 0.25
    sizes = effective_sizes(Mixture("normal", np.ones(1), np.array([m]), np.array([s])))
    # dS/dx = -H S, and a patient who is event-free or not has information (dS/dx)^2 / (S (1 - S)).
    hazard = np.exp(m)
    unit = hazard**2 * np.exp(-hazard) / (1.0 - np.exp(-hazard))
    assert sizes["morita"] == pytest.approx(1.0 / (s**2 * unit)) == sizes["moment"]
    # The integrand of its mean over local information grows without limit: no number is right.
    x = np.linspace(m, m + 30 * s, 200)
    inverse = stats.norm.logpdf(x, m, s) + np.exp(x) - 2 * x
    assert inverse[-1] > 500 > inverse[0] and sizes["elir"] is None


def test_ours_is_nearer_to_the_predictive_distribution_than_the_published_one(published_as):
    exact = predictive_of(published_as, None)
    ours = fitted(exact)
    assert ours.divergence == pytest.approx(divergence(exact, ours), abs=1e-9)
    assert ours.divergence < 1e-3 < divergence(exact, RBEST)
    draws = published_as.draw(200_000, np.random.default_rng(1))
    rates = published_as.case.model.density.new_study(draws, np.random.default_rng(2))
    # The moments of the exact predictive are worth 24.1 patients; 200,000 draws leave 0.4.
    assert rates.mean() * (1.0 - rates.mean()) / rates.var() - 1.0 == pytest.approx(24.1, abs=0.4)
    assert effective_sizes(ours)["moment"] == pytest.approx(24.1, abs=0.1)
    assert ours.moments == pytest.approx((rates.mean(), rates.std()), rel=5e-3)


def test_response_of_this_evidence_is_worth_21_patients():
    prior = fitted(predictive_of(posterior_of(case_of(load(FOLDER), Job(Question("cr")))), None))
    assert effective_sizes(prior)["moment"] == pytest.approx(21.1, abs=0.1)
    assert prior.moments == pytest.approx((0.797, 0.086), abs=1e-3)


@pytest.mark.parametrize("known", [
    Mixture("beta", np.array([0.7, 0.3]), np.array([30.0, 3.0]), np.array([10.0, 8.0])),
    Mixture("beta", np.ones(1), np.array([0.5]), np.array([900.0])),
    Mixture("normal", np.array([0.6, 0.4]), np.array([-0.4, 0.3]), np.array([0.1, 0.5]))],
    ids=["two", "rare", "normal"])
def test_a_mixture_is_found_again(known):
    on = np.linspace(*((-16.0, 6.0) if known.family == "beta" else (-4.0, 4.0)), 399)
    edges = special.expit(on) if known.family == "beta" else on
    found = fitted(Predictive(known.family, edges, np.diff(known.cdf(edges), prepend=0.0, append=1.0)))
    assert found.divergence < 1e-3 and len(found.weights) == len(known.weights)
    assert found.moments == pytest.approx(known.moments, rel=0.02)


def test_survival_is_predicted_as_by_draws():
    posterior = posterior_of(case_of(load(FOLDER), Job(Question("os"), model="weibull")))
    prior, rng = fitted(predictive_of(posterior, 24.0)), np.random.default_rng(5)
    draws = posterior.draw(100_000, rng)
    density = posterior.case.model.density
    log_hazard = np.log(-np.log(density.curve.survival(draws, density.new_study(draws, rng), 24.0)))
    assert prior.moments == pytest.approx((log_hazard.mean(), log_hazard.std()), abs=5e-3)
    for p in (0.025, 0.5, 0.975):
        assert float(prior.cdf(np.quantile(log_hazard, p))) == pytest.approx(p, abs=5e-3)


def test_the_vague_component_is_worth_one_patient_or_two():
    assert RBEST.robust(0.0) is RBEST
    robust = RBEST.robust(0.25)
    assert robust.weights.sum() == pytest.approx(1.0) and robust.weights[-1] == 0.25
    grid = np.linspace(0.01, 0.99, 9)
    assert robust.cdf(grid) == pytest.approx(0.75 * RBEST.cdf(grid) + 0.25 * stats.uniform.cdf(grid))
    values, mass = cells_of(robust)
    assert float(values @ mass) == pytest.approx(robust.moments[0], abs=1e-4)
