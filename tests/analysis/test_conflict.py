"""A prior that did not expect the data is named with its numbers and its remedy, and only where it matters."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.__main__ import main
from analysis.cases.settings import EXACT, Job, Question
from analysis.inference import conflict
from analysis.inference.conflict import check, expectations
from analysis.inference.density import density_of
from analysis.inference.grid import solve
from analysis.inference.leave_one_out import leave_one_out
from analysis.inference.pooled import hyperparameters, pooled
from analysis.results.netcdf import manifest
from models import all_models
from models.priors import parse_prior
from models.studies import CurveStudies
from tests import quadrature
from tests.casing import bare_case, run
from tests.evidence.build import write_evidence
from tests.exact.solved import hazards, rates, solved
from tests.report.reading import Page
from tests.reporting import load, page_of, results_of

RARE = [(10, 120_000.0)]
THREE = [(3, 40_000.0), (4, 40_000.0), (3, 40_000.0)]
# Strokes at 3 per 1,000 person-years, and stopping a drug at 18 per 100 patient-months.
STROKE = [(9, 48_000.0), (29, 96_000.0), (8, 36_000.0), (36, 108_000.0)]
STOPPING = [(40, 200.0), (66, 400.0), (30, 160.0)]
CENTRE = float(np.log(np.log(2.0) / 12.0))
NARROW = f"Normal({CENTRE:.6g}, 1)"
SMALL_SETS = {"endpoints": "endpoint,label,kind,direction\nos,Overall survival,survival,benefit\n", "responses": None,
              "studies": "study_id,label,year\na,A & B,2000\n",
              "survival": "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,n,events,person_months\n"
                          "a,os,,,,,,5000,10,120000\n"}


def of(model, studies, **priors):
    """The check of a fit."""
    return check(solved(model, studies, **priors), studies, horizon=12.0, level=0.95)


def limits(estimand, model, studies, **priors):
    """Its median between its limits."""
    grid = solved(model, studies, **priors)
    found = hyperparameters(grid) if estimand == "tau" else {
        one.quantity.estimand: one.distribution for one in pooled(grid, horizon=12.0, only=(estimand,))}
    return found[estimand].quantile(np.array([0.025, 0.5, 0.975]))


# The same integrals by a quadrature that shares no code: see the first test below.
@pytest.mark.parametrize(("sd", "wanted"), [(1.0, (0.5465, 0.9201, 0.9889)), (2.5, (0.9922, 0.9987, 0.9995)),
                                            (100.0, (0.9968, 0.9990, 0.9997))])
def test_ten_events_in_120_000_months_need_a_prior_that_expects_them(sd, wanted):
    study = [quadrature.poisson_study(*RARE[0])]
    other = quadrature.normal_effects(study, centre=(CENTRE, sd), tau=0.5)
    reference = quadrature.log_hazard_estimands(other, study, 12.0)["survival_12m"]
    ours = limits("survival", "log_hazard", hazards([], RARE), eta=f"Normal({CENTRE}, {sd})")
    assert ours == pytest.approx(wanted, abs=6e-5)
    assert (reference.lower, reference.median, reference.upper) == pytest.approx(wanted, abs=6e-4)
    if sd == 2.5:
        assert limits("survival", "log_hazard", hazards([], RARE)) == pytest.approx(wanted, abs=6e-5)


def test_the_level_of_the_intervals_decides_no_conflict():
    """At half a standard deviation of 50 % limits this heterogeneity would pass, of 95 % limits it does not."""
    studies = hazards([(-9.0, 0.01, 0.01), (2.0, 0.01, 0.01)])
    found = [check(solved("log_hazard", studies), studies, horizon=12.0, level=level) for level in (0.5, 0.95)]
    assert [one.conflicting for one in found] == [("tau",)] * 2 and found[0].pull == found[1].pull
    assert found[0].warnings != found[1].warnings, "limits in words are those of the level"


def test_nearly_equal_low_rates_are_homogeneous_and_surprise_nobody():
    """3, 4 and 3 events in 40,000 months differ less than by chance: Q is 0.2 with 2 degrees of freedom."""
    model, studies = all_models()["log_hazard"], hazards([], THREE)
    assert limits("tau", "log_hazard", studies)[1] < 0.3
    assert min(one.tail for one in leave_one_out(bare_case(model, studies))) > 0.5
    # What the narrow prior did: heterogeneity of 1.2, and two of three studies below 0.05.
    narrow = {**model.priors, "eta": parse_prior(NARROW)}
    assert limits("tau", "log_hazard", studies, eta=NARROW)[1] > 1.2
    assert sum(one.tail < 0.05 for one in leave_one_out(bare_case(model, studies, narrow))) == 2


@pytest.mark.parametrize("counts", [STROKE, STOPPING])
def test_the_default_prior_does_not_pull_rare_or_fast_events(counts):
    """Against a prior of 100 the limits move by less than 0.4 posterior SD, under a prior of 1 by four times that."""
    studies = hazards([], counts)
    flat, usual, narrow = (np.log(limits("median_months", "log_hazard", studies, eta=f"Normal({CENTRE}, {sd})"))
                           for sd in (100.0, 2.5, 1.0))
    usual, narrow = (np.abs(one - flat).max() / ((flat[2] - flat[0]) / 3.92) for one in (usual, narrow))
    assert usual < 0.4 and narrow > 4.0 * usual
    assert of("log_hazard", studies).warnings == ()


def test_the_tail_is_the_prior_predictive_probability():
    """4,000 draws: a probability of 0.05 has a standard error of 0.005 in its two-sided form."""
    normal, model = hazards([(-9.0, 0.3, 0.3)]), all_models()["log_hazard"]
    found, spread = expectations(model, normal, model.priors)
    tau = np.linspace(0.0, 3.0, 3001)
    mass = stats.halfnorm.pdf(tau, scale=0.5)
    below = mass @ stats.norm.cdf(-9.0, CENTRE, np.sqrt(2.5**2 + tau**2 + 0.3**2)) / mass.sum()
    assert spread is None and found.shown == -9.0
    assert found.tail == pytest.approx(2.0 * below, abs=0.01)
    # Without heterogeneity and under a flat prior every count from 0 to n is equally probable: mid-p (y + 1/2)/(n + 1).
    model = all_models()["beta_binomial"]
    priors = {**model.priors, "rho": parse_prior("Beta(1, 1e9)")}
    found, _ = expectations(model, rates([3], [100]), priors)
    assert found.tail == pytest.approx(2.0 * 3.5 / 101.0, abs=0.015)
    assert (found.low, found.high) == pytest.approx((0.025, 0.975), abs=0.015)


def test_the_spread_is_that_of_studies_under_the_prior_alone():
    """Without heterogeneity Q is chi-squared with k - 1 degrees of freedom."""
    studies = rates([480, 520, 550, 470], [1000] * 4)
    model = all_models()["beta_binomial"]
    for rho in ("Beta(1, 1e9)", "Beta(1, 4)"):
        _, found = expectations(model, studies, {**model.priors, "rho": parse_prior(rho)})
        q = stats.chi2_contingency([studies.events, studies.evaluable - studies.events], correction=False).statistic
        assert found.shown == pytest.approx(q / 3.0)
        if rho == "Beta(1, 1e9)":
            assert found.tail == pytest.approx(2.0 * stats.chi2.sf(q, 3), abs=0.01)


def curves(months, counts):
    """One point of each curve: patients with the event by then and without; months may differ."""
    k, (had, rest) = len(months), np.array(counts, dtype=float).T[:, :, None]
    ends, none = np.array(months, dtype=float)[:, None], np.zeros(k)
    return CurveStudies([f"s{at}" for at in range(k)], np.zeros((k, 1)), ends, had, ends, rest, none, none, none, none,
                        none, [[[0.0, 12.0, 0.5]]] * k, none, (had + rest)[:, 0])


def test_the_tail_of_a_curve_is_that_of_its_count_at_a_landmark():
    """With a constant hazard the effect is Normal(eta12, sqrt(1 + tau^2)); within 3 standard errors of a sum."""
    model = all_models()["exponential"]
    found, spread = expectations(model, curves([24.0], [(2, 38)]), model.priors)
    tau = (np.arange(2000) + 0.5) / 800.0
    mass = stats.halfnorm.pdf(tau, scale=0.5)
    theta = np.linspace(-8.0, 8.0, 801)[:, None]
    density = stats.norm.pdf(theta, np.log(np.log(2.0)), np.sqrt(1.0 + tau**2)) @ mass
    died = stats.binom(40, -np.expm1(-2.0 * np.exp(theta[:, 0])))
    below = (died.cdf(1) + died.pmf(2) / 2.0) @ density / density.sum()
    assert spread is None and found.shown == pytest.approx(np.log(-np.log(38.5 / 41.0) / 24.0))
    assert found.tail == pytest.approx(2.0 * min(below, 1.0 - below), abs=0.02)


@pytest.mark.parametrize(("model", "priors", "named"), [
    ("weibull", {"eta12": "Normal(2, 0.1)"}, "eta12"), ("mixture_cure", {"eta12": "Normal(-3, 0.1)"}, "eta12"),
    ("exponential", {"eta12": "Normal(2, 0.1)"}, "eta12"), ("exponential", {"tau": "HalfNormal(0.001)"}, "tau")])
def test_priors_of_curves_are_held_against_their_points(model, priors, named):
    counts = [(4, 36), (20, 20), (36, 4)] if named == "tau" else [(15, 25), (22, 28), (12, 18)]
    studies = curves([12.0, 9.0, 14.0], counts)
    found = of(model, studies, **priors)
    assert found.conflicting == (named,) and "survival at 12 months" in found.warnings[0]
    assert of(model, studies).warnings == () or named == "tau"
    remedy = dict(part.split('"')[0].split("=") for part in found.warnings[0].split('--prior "')[1:])
    assert of(model, studies, **remedy).warnings == ()


def test_what_no_cured_share_allows_and_curves_without_a_point_say_nothing_of_the_spread():
    model, studies = all_models()["mixture_cure"], curves([12.0, 12.0], [(30, 10), (25, 15)])
    location, spread = expectations(model, studies, {**model.priors, "cured": parse_prior("Beta(5000, 1)")})
    assert location.tail < 0.001 and spread is None
    nothing = curves([12.0, 12.0], [(0, 0), (0, 0)])
    assert expectations(model, nothing, model.priors) == (None, None)
    followed = replace(nothing, events=[6.0, 0.0], months=[9.0, 0.0], exposed=[15.0, 0.0])
    location, spread = expectations(model, followed, model.priors)
    assert location.shown == pytest.approx(np.log(6.5 / 135.0)) and spread is None


HOMOGENEOUS, WILD = rates([50, 52, 48, 51, 49], [100] * 5), rates([10, 50, 90, 20, 70], [100] * 5)
HIGH = rates([57, 95, 38, 190], [60, 100, 40, 200])
TRIALS = hazards([(-2.8, 0.2, 0.2), (-2.6, 0.25, 0.25), (-3.1, 0.3, 0.3)])


@pytest.mark.parametrize(("model", "studies", "priors", "named", "remedy"), [
    ("log_hazard", hazards([], RARE), {"eta": NARROW}, ("eta",), '--prior "eta=Normal(-2.85142, 10)"'),
    ("log_hazard", hazards([], RARE), {}, ("eta",), '--prior "eta=Normal(-2.85142, 10)"'),
    ("log_hazard", TRIALS, {"eta": "Normal(5, 0.1)"}, ("eta",), '--prior "eta=Normal(-2.85142, 2.5)"'),
    ("log_hazard", hazards([(-1.5, 0.1, 0.1), (-2.6, 0.1, 0.1), (-3.4, 0.1, 0.1)]), {"tau": "HalfNormal(0.01)"},
     ("tau",), '--prior "tau=HalfNormal('),
    ("beta_binomial", HIGH, {"mu": "Beta(50, 50)"}, ("mu",), '--prior "mu=Beta(1, 1)"'),
    ("beta_binomial", WILD, {"rho": "Beta(1, 500)"}, ("rho",), '--prior "rho=Beta(1, 4)"'),
    ("beta_binomial", HOMOGENEOUS, {"rho": "Beta(50, 50)"}, ("rho",), '--prior "rho=Beta(1, 4)"'),
    ("logit_normal", HIGH, {"m": "Normal(-4, 0.3)"}, ("m",), '--prior "m=Normal(0, 2)"'),
    # 47 events among 177,413 patients: rates of a ten-thousandth are below what either prior of a rate sees.
    ("beta_binomial", rates([15, 14, 18], [60_000, 57_413, 60_000]), {}, ("mu", "rho"),
     '--prior "mu=LogitNormal(0, 5)" --prior "rho=LogitNormal(-5, 5)"'),
])
def test_a_prior_in_conflict_is_named_with_a_remedy_that_ends_it(model, studies, priors, named, remedy):
    found = of(model, studies, **priors)
    assert found.conflicting == named and found.pull >= conflict.PULL
    (text,) = found.warnings
    known = all_models()[model].with_priors({name: parse_prior(expression) for name, expression in priors.items()})
    assert all(f"{name} ~ {known[name]}" in text for name in named) and remedy in text
    replaced = dict(part.split('"')[0].split("=") for part in text.split('--prior "')[1:])
    estimand = "survival" if model == "log_hazard" else "mean_rate"
    under = {**priors, **replaced}
    (before, after) = (limits(estimand, model, studies, **one) for one in (priors, under))
    for low, middle, high in (before, after):
        assert f"{conflict._written(middle)} [{conflict._written(low)}, {conflict._written(high)}]" in text
    assert of(model, studies, **under).warnings == ()


@pytest.mark.parametrize(("model", "studies"), [
    ("beta_binomial", HIGH), ("beta_binomial", WILD), ("beta_binomial", HOMOGENEOUS), ("logit_normal", HOMOGENEOUS),
    ("beta_binomial", rates([30] * 4, [30] * 4)), ("logit_normal", rates([30] * 4, [30] * 4)),
    ("beta_binomial", rates([0], [20])), ("logit_normal", rates([0], [20])), ("log_hazard", TRIALS),
    ("log_hazard", hazards([], [(0, 1000.0)])),
    ("beta_binomial", rates([500, 520, 480, 510, 490, 505, 495, 515], [1000] * 8)),
])
def test_default_priors_are_silent_about_ordinary_and_extreme_shares(model, studies):
    assert of(model, studies).warnings == ()


def test_nobody_at_risk_is_no_conflict():
    model = all_models()["beta_binomial"]
    nobody = rates([0], [0])
    found = check(solve(density_of(model, nobody, model.priors)), nobody, horizon=12.0, level=0.95)
    assert repr(found) == repr(conflict.Check())  # NaN does not equal itself


def test_of_ten_thousand_studies_some_stand_for_all():
    rng = np.random.default_rng(1)
    many = rates(rng.binomial(50, rng.beta(8, 2, 10_000)), [50] * 10_000)
    model = all_models()["beta_binomial"]
    found, spread = expectations(model, many, model.priors)
    assert found.shown == pytest.approx(0.8, abs=0.05) and spread.tail > 0.05


def test_the_shipped_evidence_is_silent(shipped):
    for endpoint in shipped.endpoints:
        found = run(shipped, Job(Question(endpoint.endpoint), engine=EXACT))
        assert found.prior_check.warnings == () and found.prior_check.location.tail > 0.05, endpoint.endpoint


def test_fit_tells_it_in_text_json_and_manifest(tmp_path, capsys):
    folder = write_evidence(tmp_path, **SMALL_SETS)
    arguments = ["fit", "os", "--data", str(folder), "--engine", "exact", "--prior", f"eta={NARROW}"]
    assert main(arguments) == 0
    text = capsys.readouterr().err
    assert "eta ~ Normal(-2.85142, 1) fights the data" in text and '--prior "eta=Normal(-2.85142, 10)"' in text
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert any(line.startswith("prior-data conflict: eta") for line in found["warnings"])
    cells = found["diagnostics"]
    assert cells["location_tail"] < 0.001 and cells["heterogeneity_tail"] is None
    assert cells["prior_conflict"] == "eta" and cells["prior_pull"] > 5.0
    evidence = load(folder)
    fit = run(evidence, Job(Question("os"), engine=EXACT, priors=(("eta", NARROW),)))
    assert set(fit.prior_check.warnings) <= set(manifest(fit, evidence)["warnings"])
    assert fit.prior_check.warnings and fit.warnings[:1] == fit.case.selection.warnings[:1]


def test_the_page_shows_it_with_the_number_and_escaped(tmp_path):
    results = results_of(load(write_evidence(tmp_path, **SMALL_SETS)))
    text = 'prior-data conflict: eta ~ Normal(0, 1) fights <b>the data</b>, --prior "eta=Normal(0, 10)"'
    (record,) = results.records
    told = replace(results, records=(replace(record, warnings=(*record.warnings, text), conflicts=(text,)),))
    source = page_of(told)
    page, silent = Page(source), Page(page_of(results))
    assert "<b>the data</b>" not in source and "&lt;b&gt;the data&lt;/b&gt;" in source
    assert page.text.index(text) < page.text.index("What a new study would show")
    assert page.text.count(text) == 2  # in the answer and at the endpoint, not among the notes on rows
    assert "A prior fights the data: see above." in page.text
    (rows,) = [rows for caption, rows in page.tables.items() if caption.startswith("Pooled estimate, prediction")]
    assert rows[1][0] == "Overall survival (a prior fights the data)"
    assert "fights" not in silent.text


@pytest.mark.parametrize(("value", "printed"), [
    (0.0, "0.000"), (1.3e-7, "1.3e-7"), (0.00012, "0.00012"), (0.8, "0.800"), (1.0 - 3e-6, "0.9999970"),
    (1.0, "1.000")])
def test_a_warning_has_two_digits_of_each_probability(value, printed):
    assert conflict._written(value) == printed
