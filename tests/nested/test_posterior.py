"""The joint posterior by quadrature against four-dimensional sums, closed forms, chains and the check values."""

import numpy as np
import pytest
from scipy import stats

from analysis.cases.case import NoStudies
from analysis.cases.settings import Sampler
from analysis.chapters.nested.rows import NESTED, nested_rows
from analysis.inference import nested
from analysis.inference.nested import GIVEN, INNER, OUTER, nested_posterior
from analysis.inference.posterior import posterior_of
from models.nested_beta_binomial import PRIORS, build
from models.studies import RateStudies

from .cases import COUNTS, evidence_of, nesting_of
from .test_model import alone, law

# Outer, inner given outer and inner rate: mean, and limits from chains (right to 0.01).
CHECKED = {"mrd_neg": ((0.8132, 0.73, 0.88), (0.9129, 0.75, 0.98), (0.7424, 0.59, 0.83)),
           "crs_grade3plus": ((0.8112, 0.68, 0.89), (0.2817, 0.19, 0.41), (0.2283, 0.15, 0.33)),
           "nt_grade3plus": ((0.3581, 0.19, 0.55), (0.4282, 0.16, 0.74), (0.1520, 0.05, 0.30))}


def means(posterior):
    return [posterior.estimates(quantity)[0] for quantity in (OUTER, GIVEN, INNER)]


@pytest.mark.parametrize("endpoint", CHECKED)
def test_the_check_values(shipped, endpoint):
    posterior = nested_posterior(nesting_of(shipped, endpoint))
    assert posterior.error < 1e-6
    for found, (mean, lower, upper) in zip(means(posterior), CHECKED[endpoint], strict=True):
        assert found.mean == pytest.approx(mean, abs=5e-4)
        assert [found.lower, found.upper] == pytest.approx([lower, upper], abs=0.012)


def brute(counts, points: int = 20):
    """Means of mu_outer, mu_inner and their product by Gauss-Legendre sums over all four hyperparameters at once."""
    x, w = np.polynomial.legendre.leggauss(points)
    x, w = (x + 1.0) / 2.0, w / 2.0
    mu, rho = (axis.ravel() for axis in np.meshgrid(x, x, indexing="ij"))
    prior = np.outer(w, w * stats.beta(1, 4).pdf(x)).ravel()
    outer, inner = prior.copy(), prior.copy()
    joined = np.ones((len(mu), len(mu)))
    for whole, part in counts.values():
        outer *= law(whole[1], mu, rho).pmf(whole[0]) if whole else 1.0
        inner *= law(whole[0], mu, rho).pmf(part[0]) if whole and part and whole[0] else 1.0
        if part and not whole:
            joined *= alone(*part, mu[:, None], rho[:, None], mu, rho)
    joined *= np.outer(outer, inner)
    joined /= joined.sum()
    return joined.sum(axis=1) @ mu, joined.sum(axis=0) @ mu, mu @ joined @ mu


def test_sums_over_four_dimensions_are_a_second_route(tmp_path):
    posterior = nested_posterior(nesting_of(evidence_of(tmp_path)))
    assert brute(COUNTS, 12) == pytest.approx(brute(COUNTS), abs=2e-4), "the sums themselves have settled"
    assert [found.mean for found in means(posterior)] == pytest.approx(brute(COUNTS), abs=1e-4)
    assert posterior.joint.sum() == pytest.approx(1.0) and posterior.error < 1e-6


def test_without_inner_counts_alone_the_parts_are_fits_of_their_own(tmp_path):
    counts = {name: pairs for name, pairs in COUNTS.items() if name != "part"}
    nesting = nesting_of(evidence_of(tmp_path, counts))
    posterior, (outer, given, inner) = nested_posterior(nesting), means(nested_posterior(nesting))
    own = posterior_of(nesting.outer)
    assert [outer.lower, outer.median, outer.upper] == pytest.approx(
        [getattr(own.summary("mean_rate"), name) for name in ("lower", "median", "upper")], abs=1e-5)
    alone_given = posterior_of(nesting.inner.but(studies=RateStudies(("both",), [3], [7])))
    assert given.mean == pytest.approx(alone_given.summary("mean_rate").mean, abs=1e-9)
    assert inner.mean == pytest.approx(outer.mean * given.mean, abs=1e-9)
    # Of independent factors.
    assert inner.sd**2 + inner.mean**2 == pytest.approx(
        (outer.sd**2 + outer.mean**2) * (given.sd**2 + given.mean**2), abs=1e-7)
    assert posterior.log_evidence == pytest.approx(own.log_evidence + alone_given.log_evidence, abs=1e-8)


@pytest.mark.parametrize(("further", "moved"), [
    ({}, (False, False)), ({"more": ((6, 9), None)}, (True, False)), ({"more": ((0, 9), (0, 9))}, (True, False)),
    ({"more": (None, (1, 9))}, (True, True))])
def test_what_a_further_study_moves(tmp_path, further, moved):
    counts = {"both": COUNTS["both"], "whole": COUNTS["whole"]}
    before, after = (means(nested_posterior(nesting_of(evidence_of(tmp_path / str(at), known))))
                     for at, known in enumerate((counts, {**counts, **further})))
    assert tuple(abs(one.mean - other.mean) > 1e-6 for one, other in zip(before[:2], after[:2], strict=True)) == moved


def test_a_new_study_has_both_heterogeneities(tmp_path):
    """Drawn from the same joint points: 400,000 draws have limits right to 0.003, means to 0.0005."""
    posterior = nested_posterior(nesting_of(evidence_of(tmp_path)))
    rng, size = np.random.default_rng(1), 400_000
    at = np.unravel_index(rng.choice(posterior.joint.size, size, p=posterior.joint.ravel()), posterior.joint.shape)
    rates = [law(1, of["mu"][place], of["rho"][place]) for of, place in zip(posterior.values, at, strict=True)]
    drawn = [rng.beta(*rate.args[1:]) for rate in rates]
    for quantity, values in ((OUTER, drawn[0]), (GIVEN, drawn[1]), (INNER, drawn[0] * drawn[1])):
        found = posterior.estimates(quantity)[1]
        assert found.interval == "prediction"
        assert [found.mean, found.sd] == pytest.approx([values.mean(), values.std()], abs=0.002)
        assert [found.lower, found.median, found.upper] == pytest.approx(
            np.quantile(values, [0.025, 0.5, 0.975]), abs=0.004)
    mean = drawn_mean = posterior.values[0]["mu"][at[0]] * posterior.values[1]["mu"][at[1]]
    found = means(posterior)[2]
    assert [found.lower, found.median, found.upper] == pytest.approx(np.quantile(mean, [0.025, 0.5, 0.975]), abs=0.003)
    assert (drawn_mean <= posterior.values[0]["mu"][at[0]]).all()


def test_sums_that_have_not_settled_are_no_result(tmp_path, monkeypatch):
    monkeypatch.setattr(nested, "WORST", 0.0)
    evidence = evidence_of(tmp_path)
    first = NESTED.table(nested_rows(evidence, nesting_of(evidence).inner.job, "severe")["nested.csv"]).rows[0]
    assert first["status"] == "not computed" and "are joined with an error of about" in first["reason"]


@pytest.mark.parametrize(("counts", "reason"), [
    ({"a": (None, (2, 9))}, "no study counts for any"),
    ({"a": ((2, 9), None)}, "no study counts for severe within any"),
    ({"a": ((0, 9), (0, 9))}, "no study counts for severe within any")])
def test_a_part_without_a_study_is_a_reason(tmp_path, counts, reason):
    with pytest.raises(NoStudies, match=reason):
        nested_posterior(nesting_of(evidence_of(tmp_path, counts)))


def test_priors_and_level_are_those_of_the_run(tmp_path):
    evidence = evidence_of(tmp_path)
    nesting = nesting_of(evidence, priors=(("rho", "Beta(1, 60)"),), level=0.5)
    assert {str(nesting.priors[f"rho_{part}"]) for part in ("outer", "inner")} == {"Beta(1, 60)"}
    assert list(nesting.priors) == list(PRIORS)
    narrow, wide = means(nested_posterior(nesting)), means(nested_posterior(nesting_of(evidence)))
    assert all(one.level == 0.5 and one.upper - one.lower < 0.5 * (other.upper - other.lower)
               for one, other in zip(narrow, wide, strict=True))


@pytest.mark.slow
def test_chains_on_the_plain_model_agree(shipped):
    from analysis.inference.nuts import sample_graph

    nesting = nesting_of(shipped, "nt_grade3plus")
    chains, _ = sample_graph(lambda: build(nesting.studies, nesting.priors), {}, key=("nested",),
                             keep=("inner_rate", *PRIORS), sampler=Sampler(draws=2000), seed=3)
    assert bool((chains["inner_rate"] <= chains["mu_outer"]).all())
    names = ("mu_outer", "mu_inner", "inner_rate")
    for name, found in zip(names, means(nested_posterior(nesting)), strict=True):
        # At least 1,000 effective draws: four standard errors are an eighth of a standard deviation.
        assert float(chains[name].mean()) == pytest.approx(found.mean, abs=found.sd / 8.0)
        assert float(chains[name].std()) == pytest.approx(found.sd, rel=0.15)
