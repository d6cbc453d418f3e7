"""Exact posteriors against other programs, closed forms, and each other under refinement."""

import numpy as np
import pytest
from scipy import interpolate, optimize, stats

from analysis.inference import distribution as distribution_module
from analysis.inference import grid as grid_module
from analysis.inference.density import density_of
from analysis.inference.distribution import Distribution
from analysis.inference.grid import FINER, QuadratureFailed, draw, solve
from analysis.inference.pooled import hyperparameters, pooled
from models import all_models, logit_normal
from models.backend import NUMBERS
from models.beta_binomial import data, finite_product
from tests.exact.rate_cases import CASES
from tests.references import peers, recorded

from .solved import hazards, rates, solved


@pytest.mark.parametrize(("model", "estimand"), [("beta_binomial", "tau"), ("logit_normal", "rho")])
@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997", "all_successes", "one_study"])
def test_estimands_that_are_not_monotone_against_draws(model: str, estimand: str, case: str) -> None:
    grid = solved(model, rates(*CASES[case]))
    drawn = all_models()[model].marginal.summaries(draw(grid, 100_000, np.random.default_rng(4)))[estimand]
    exact = next(found for found in pooled(grid, horizon=12.0) if found.name == estimand)
    p = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
    # Four standard errors of a proportion among 100,000 independent draws.
    below = np.mean(drawn[:, None] <= exact.distribution.quantile(p), axis=0)
    assert np.all(np.abs(below - p) < 4.0 * np.sqrt(p * (1.0 - p) / 100_000))


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_recorded_values(case: str) -> None:
    grid = solved("logit_normal", rates(*CASES[case]))
    found = {exact.name: exact.distribution for exact in pooled(grid, horizon=12.0)} | hyperparameters(grid)
    known = dict(recorded()[case])
    if "log_evidence" in known:
        assert grid.log_evidence == pytest.approx(known.pop("log_evidence"), abs=5e-5)
    for name, row in known.items():
        ours = found[name]
        values = (ours.mean, ours.sd, *ours.quantile(np.array([0.025, 0.5, 0.975])))
        for at, (got, wanted) in enumerate(zip(values, row, strict=True)):
            # Four decimals are recorded, one of them cut off. Recorded quantiles of hyperparameters and their functions
            # lie between grid points, and are right to 0.004 SD only: the next test shows where they lie.
            room = 1e-4 + (0.004 * ours.sd if at >= 2 and name != "new_study_rate" else 0.0)
            assert wanted is None or float(got) == pytest.approx(wanted, abs=room), name


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_quantiles_against_a_plain_product_rule(case: str) -> None:
    """Gauss-Legendre in tau times 1,401 even points in m, spline-integrated: nothing in common with the grid."""
    inputs = logit_normal.data(rates(*CASES[case]))
    nodes, weight = np.polynomial.legendre.leggauss(200)
    tau, m = 3.0 * (nodes + 1.0), np.linspace(-3.0, 4.5, 751)
    values = np.concatenate([logit_normal.log_density(
        {"m": np.full(len(tau), at), "tau": tau}, inputs, on=NUMBERS)[None] + stats.norm.logpdf(at, 0.0, 2.0)
        for at in m]) + stats.halfnorm.logpdf(tau)
    mass = np.exp(values - values.max())
    found = hyperparameters(solved("logit_normal", rates(*CASES[case])))
    for name, x, density in (("m", m, mass @ weight), ("tau", tau, mass.sum(axis=0))):
        # Below the first point of tau the density is flat.
        x, density = (np.append(0.0, x), np.append(density[0], density)) if name == "tau" else (x, density)
        integral = interpolate.CubicSpline(x, density).antiderivative()
        ours = found[name].quantile(np.array([0.025, 0.5, 0.975]))
        below = (integral(ours) - integral(x[0])) / (integral(x[-1]) - integral(x[0]))
        assert below == pytest.approx(np.array([0.025, 0.5, 0.975]), abs=2e-5), name


def test_recorded_survival_models() -> None:
    known = recorded()["nielweise_2008"]
    grid = solved("log_hazard", hazards([], list(zip(known["events"], known["exposure"], strict=True))),
                  eta="Normal(0, 5)", tau="HalfNormal(1)")
    for name, ours in hyperparameters(grid).items():
        values = (ours.mean, ours.sd, *ours.quantile(np.array([0.025, 0.5, 0.975])))
        for got, wanted in zip(values, known[name], strict=True):
            # As above: four decimals of a mean, 0.003 SD of a quantile.
            assert wanted is None or float(got) == pytest.approx(wanted, abs=5.5e-5 + 0.003 * ours.sd), name


def _shortest(ours: Distribution) -> tuple[float, float]:
    def width(p: float) -> float:
        return float(ours.quantile(p + 0.95) - ours.quantile(p))

    p = optimize.minimize_scalar(width, bounds=(1e-9, 0.05 - 1e-9), method="bounded", options={"xatol": 1e-7}).x
    return float(ours.quantile(p)), float(ours.quantile(p + 0.95))


def test_crins_2014_by_bayesmeta() -> None:
    known = recorded()["crins_2014"]
    errors = np.sqrt(known["variances"])
    grid = solved("log_hazard", hazards(list(zip(known["estimates"], errors, errors, strict=True))),
                  eta="Normal(0, 4)", tau="HalfNormal(0.5)")
    found = hyperparameters(grid)
    # bayesmeta's default accuracy: its grid in tau is chosen for a divergence of 0.01, which is 4 in 10,000 here.
    assert found["eta"].mean == pytest.approx(known["eta"][0], abs=6e-5)
    assert found["eta"].sd == pytest.approx(known["eta"][1], rel=5e-4)
    assert float(found["tau"].quantile(0.5)) == pytest.approx(known["tau"][3], abs=6e-5)
    # bayesmeta's interval of a new study is its shortest one, so it is tested by what it holds: 95 %, to four digits
    # of its ends where the density is about 0.05, and to the divergence of 0.01.
    lower, _, upper = known["new_study"][2:]
    (new,) = (one.distribution for one in pooled(grid, horizon=1.0) if one.name == "new_study_survival_1m")
    assert np.diff(new.cdf(np.exp(-np.exp([upper, lower])))) == pytest.approx(0.95, abs=5e-4)


@pytest.mark.parametrize("case", ["as_rbest", "pritz_1997"])
def test_bayesmeta_on_logits(case: str) -> None:
    """bayesmeta 3.4 on logits with their variances, mu ~ N(0, 2), tau ~ HN(1): every number of its summary."""
    events, evaluable = (np.array(values, dtype=float) for values in CASES[case])
    empty = (events == 0) | (events == evaluable)
    y, rest = events + 0.5 * empty, evaluable - events + 0.5 * empty
    errors = np.sqrt(1.0 / y + 1.0 / rest)
    grid = solved("log_hazard", hazards(list(zip(np.log(y / rest), errors, errors, strict=True))),
                  eta="Normal(0, 2)", tau="HalfNormal(1)")
    found, theirs = hyperparameters(grid), peers()[case]["bayesmeta_logit_normal_normal"]
    rows = {row["_row"]: row for row in theirs["summary"]}
    # bayesmeta mixes normal distributions over a grid in tau that is chosen for a divergence of 0.01 (its default
    # delta): means are exact, an interval end was off by up to 0.003 SD.
    for name, key in (("tau", "tau"), ("eta", "mu")):
        assert found[name].mean == pytest.approx(rows["mean"][key], rel=1e-4)
        assert found[name].sd == pytest.approx(rows["sd"][key], rel=2e-3)
        assert found[name].quantile(np.array([0.025, 0.5, 0.975])) == pytest.approx(
            np.array(theirs[f"{key}_q"]), abs=0.0035 * found[name].sd)
        low, high = _shortest(found[name])
        # The shortest interval is flat in its place, so that its width is compared.
        assert high - low == pytest.approx(rows["95% upper"][key] - rows["95% lower"][key], abs=0.007 * found[name].sd)
    new = found["eta"]
    assert new.mean == pytest.approx(rows["mean"]["theta"], rel=1e-4)


def test_one_patient_leaves_the_heterogeneity_to_its_prior() -> None:
    """One Bernoulli outcome: mu ~ Beta(2, 1), rho as before, evidence 1/2, whatever the numbers in between."""
    grid = solved("beta_binomial", rates([1], [1]))
    found = hyperparameters(grid)
    assert grid.log_evidence == pytest.approx(np.log(0.5), abs=1e-9)
    for name, law in (("mu", stats.beta(2, 1)), ("rho", stats.beta(1, 4))):
        assert found[name].mean == pytest.approx(law.mean(), abs=1e-9)
        assert found[name].sd == pytest.approx(law.std(), abs=1e-9)
        p = np.linspace(0.005, 0.995, 67)
        assert law.cdf(found[name].quantile(p)) == pytest.approx(p, abs=3e-5)
        assert found[name].cdf(law.ppf(p)) == pytest.approx(p, abs=3e-5)


@pytest.mark.parametrize("model", ["beta_binomial", "logit_normal"])
@pytest.mark.parametrize("case", ["as_rbest", "homogeneous", "all_successes", "no_events", "large_and_homogeneous"])
def test_error_estimate_bounds_the_change_under_refinement(model: str, case: str,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    grid = solved(model, rates(*CASES[case]))
    monkeypatch.setattr(grid_module, "FIRST_STEP", grid.step)
    finer = solved(model, rates(*CASES[case]))
    assert finer.step < grid.step
    assert grid.error <= grid_module.TOLERANCE
    # What is cut off at exp(-36) of the top is no part of the estimate: 1e-10.
    room = grid.error + 1e-9
    assert grid.log_evidence == pytest.approx(finer.log_evidence, abs=room)
    for name, values in grid.values.items():
        ours, theirs = grid.weights.ravel() @ values, finer.weights.ravel() @ finer.values[name]
        assert ours == pytest.approx(theirs, abs=max(1e-6 * abs(theirs), room)), name


def test_ten_thousand_studies_against_a_plain_grid() -> None:
    rng = np.random.default_rng(3)
    n = rng.integers(5, 61, 10_000)
    studies = rates(rng.binomial(n, rng.beta(16.0, 4.0, len(n))), n)
    grid = solved("beta_binomial", studies)
    found = hyperparameters(grid)
    mu, rho = (np.linspace(found[name].mean - 7 * found[name].sd, found[name].mean + 7 * found[name].sd, 201)
               for name in ("mu", "rho"))
    u, v = np.meshgrid(mu, rho, indexing="ij")
    values = finite_product(u[..., None], (v / (1 - v))[..., None], data(studies)["sums"], on=NUMBERS)
    weight = np.exp(values - values.max()) * (1 - v) ** 3
    weight /= weight.sum()
    assert found["mu"].mean == pytest.approx((weight * u).sum(), rel=1e-9)
    assert found["rho"].mean == pytest.approx((weight * v).sum(), rel=1e-7)


@pytest.mark.parametrize(("model", "priors"), [
    ("beta_binomial", {"mu": "Beta(0.5, 0.5)", "rho": "Beta(0.5, 0.5)"}),
    ("beta_binomial", {"mu": "LogitNormal(0, 2)", "rho": "Beta(1, 10)"}),
    ("logit_normal", {"m": "Cauchy(0, 2.5)", "tau": "HalfCauchy(0.5)"}),
    ("logit_normal", {"m": "StudentT(3, 0, 2)", "tau": "Gamma(0.5, 1)"}),
    ("logit_normal", {"tau": "LogNormal(-1, 1)"}),
    ("logit_normal", {"tau": "HalfNormal(100)"}),
    ("logit_normal", {"tau": "HalfNormal(0.00001)"}),
])
@pytest.mark.parametrize("case", ["as_rbest", "two_studies", "one_study"])
def test_any_prior_settles(model: str, priors: dict, case: str) -> None:
    grid = solved(model, rates(*CASES[case]), **priors)
    assert grid.error <= grid_module.TOLERANCE
    assert grid.weights.sum() == pytest.approx(1.0)
    edges = max(grid.weights[0].max(), grid.weights[-1].max(), grid.weights[:, 0].max(), grid.weights[:, -1].max())
    assert edges < 1e-9 * grid.weights.max(), "mass is cut off"


def test_a_further_likelihood_acts_like_a_further_study() -> None:
    model = all_models()["beta_binomial"]
    more = data(rates([3], [9]))

    def extra(values: dict[str, np.ndarray]) -> np.ndarray:
        return model.marginal.log_density(values, more, on=NUMBERS)

    split = solve(density_of(model, rates([5, 8], [10, 12]), model.priors, extra=extra))
    whole = solved("beta_binomial", rates([5, 8, 3], [10, 12, 9]))
    for name in model.priors:
        assert hyperparameters(split)[name].mean == pytest.approx(hyperparameters(whole)[name].mean, abs=1e-9)


def test_a_density_that_is_nowhere_finite_is_no_result() -> None:
    model = all_models()["beta_binomial"]
    density = density_of(model, rates([5], [10]), model.priors,
                         extra=lambda values: np.full(len(values["mu"]), -np.inf))
    with pytest.raises(QuadratureFailed, match="nowhere finite"):
        solve(density)


def test_values_that_hardly_differ_are_refined_without_a_warning() -> None:
    """Medians of 0.01 months: survival at a year is 0 to 300 digits, whose slopes have no reciprocal in a double."""
    table = np.array([[0.0, 1e-310, 2e-310, 1e-300], [0.0, 0.0, 1e-320, 1.0]])
    with np.errstate(over="raise"):
        found = distribution_module._refined_values(table, axis=1, finer=FINER)
    assert np.all(np.diff(found, axis=1) >= 0.0) and found[1, -1] == 1.0
