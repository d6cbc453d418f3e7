"""Rules of a trial against counting by hand and against simulated trials."""

import json

import numpy as np
import pytest
from scipy import stats

from analysis.__main__ import main
from analysis.planning.mixtures import Mixture
from analysis.planning.trial import Rule, assurance, counts_under, interim, size_for, success

UNIFORM = Mixture("beta", np.ones(1), np.ones(1), np.ones(1))
PRIOR = Mixture("beta", np.array([0.6, 0.4]), np.array([19.0, 3.5]), np.array([58.0, 9.4]))
SURVIVAL = Mixture("normal", np.array([0.5, 0.5]), np.array([-0.3, -0.1]), np.array([0.2, 0.5]))
TRIALS = 40_000
_ERROR = 4 * 0.5 / np.sqrt(TRIALS)


@pytest.mark.parametrize("above", [True, False])
def test_success_is_that_of_every_count(above):
    rule, n = Rule(UNIFORM, 0.3, 0.9, above), 25
    wins = []
    for y in range(n + 1):
        beyond = stats.beta(1 + y, 1 + n - y).sf(0.3) if above else stats.beta(1 + y, 1 + n - y).cdf(0.3)
        wins.append(beyond >= 0.9)
    assert list(rule.succeeds(n)) == wins
    by_hand = sum(stats.binom.pmf(y, n, 0.45) for y in range(n + 1) if wins[y])
    assert success(rule, n, [0.45])[0] == pytest.approx(by_hand, abs=1e-12)
    assert rule.bound(n) == (min if above else max)(y for y in range(n + 1) if wins[y])
    assert Rule(UNIFORM, 0.999, 0.9, above=True).bound(3) is None


def test_a_mixture_is_updated_by_its_components():
    """Against a fine grid of rates."""
    rates = (np.arange(20_000) + 0.5) / 20_000
    density = sum(w * stats.beta.pdf(rates, a, b) for w, a, b in
                  zip(PRIOR.weights, PRIOR.first, PRIOR.second, strict=True))
    for y in (0, 7, 20):
        weight = density * stats.binom.pmf(y, 20, rates)
        assert Rule(PRIOR, 0.3, 0.9).chances(20)[y] == pytest.approx(weight[rates > 0.3].sum() / weight.sum(), abs=2e-4)


@pytest.mark.parametrize(("prior", "rate"), [(PRIOR, None), (SURVIVAL, None)], ids=["rate", "survival"])
def test_assurance_and_the_look_are_those_of_simulated_trials(prior, rate):
    rng, n, m = np.random.default_rng(11), 30, 12
    which = rng.choice(2, TRIALS, p=prior.weights)
    first, second = prior.first[which], prior.second[which]
    rates = rng.beta(first, second) if prior.family == "beta" else np.exp(-np.exp(rng.normal(first, second)))
    rule = Rule(prior.robust(0.2), float(np.quantile(rates, 0.3)), 0.8)
    early = rng.binomial(m, rates)
    counts = early + rng.binomial(n - m, rates)
    assert counts_under(prior, n) == pytest.approx(np.bincount(counts, minlength=n + 1) / TRIALS, abs=_ERROR)
    assert assurance(rule, n, prior) == pytest.approx(rule.succeeds(n)[counts].mean(), abs=_ERROR)
    look = interim(rule, m, n, 0.2)
    # The predictive probability of success is a mean over the prior of the analysis, given the count at the look.
    of_prior = rng.choice(3, TRIALS, p=rule.prior.weights)
    a, b = rule.prior.first[of_prior], rule.prior.second[of_prior]
    theirs = rng.beta(a, b) if prior.family == "beta" else np.exp(-np.exp(rng.normal(a, b)))
    seen = rng.binomial(m, theirs)
    wins = rule.succeeds(n)[seen + rng.binomial(n - m, theirs)]
    for y in (4, 8):
        here = seen == y
        assert look.predictive[y] == pytest.approx(wins[here].mean(), abs=2.0 / np.sqrt(here.sum()))
    stopped, won, patients = look.chances(rule, 0.4)
    at_look, later = rng.binomial(m, 0.4, TRIALS), rng.binomial(n - m, 0.4, TRIALS)
    assert stopped == pytest.approx(look.stops[at_look].mean(), abs=_ERROR)
    assert won == pytest.approx((rule.succeeds(n)[at_look + later] & ~look.stops[at_look]).mean(), abs=_ERROR)
    assert patients == pytest.approx(n - (n - m) * look.stops[at_look].mean(), abs=(n - m) * _ERROR)


def test_the_size_is_one_after_which_assurance_never_falls_short():
    rule = Rule(UNIFORM, 0.15, 0.9)
    size = size_for(rule, PRIOR, 0.7, most=120)
    reached = [assurance(rule, n, PRIOR) >= 0.7 for n in range(1, 121)]
    assert size is not None and all(reached[size - 1:]) and not reached[size - 2]
    assert size_for(rule, PRIOR, 0.99, most=60) is None


def test_the_command_tells_the_design_as_json(capsys, tmp_path):
    asked = ["design", "cr", "--n", "40", "--threshold", "0.7", "--look", "20"]
    assert main([*asked, "--json", "--output", str(tmp_path / "out")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["prior"]["effective_sample_size"]["moment"] == pytest.approx(21.1, abs=0.1)
    assert answer["prior"]["r"].startswith("mixbeta(c(") and "pm.Beta.dist(" in answer["prior"]["pymc"]
    rules = {rule["analysis"]: rule for rule in answer["rules"]}
    # With uniform rates 33 of 40 is the first count whose posterior is beyond 0.7 with 95 %.
    assert stats.beta(34, 8).sf(0.7) >= 0.95 > stats.beta(33, 9).sf(0.7) and rules["uniform"]["bound"] == 33
    assert rules["uniform"]["false_positive"] == pytest.approx(stats.binom.sf(32, 40, 0.7))
    files = {path.name for path in (tmp_path / "out").rglob("*.*")}
    assert {"design.cr.csv", "design.cr.svg", "design.cr.png"} <= files
    assert main(asked) == 0 and "ELIR" in capsys.readouterr().out


@pytest.mark.parametrize("months", [12, 24, 60])
def test_a_trial_of_survival_is_planned_at_any_time(months, capsys):
    """Late survival is near 0 in some cells of the prior; the rule is that of the counts one by one."""
    assert main(["design", "os", "--n", "30", "--threshold", "0.5", "--horizon", str(months), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["prior"]["effective_sample_size"]["elir"] is None
    x = np.linspace(-12, 8, 20_001)
    prior = sum(part["weight"] * stats.norm.pdf(x, part["mean"], part["sd"]) for part in answer["prior"]["components"])
    hazard = np.exp(x)
    likelihood = [prior * np.exp(-y * hazard) * (-np.expm1(-hazard)) ** (30 - y) for y in range(31)]
    success = [(one * (np.exp(-hazard) > 0.5)).sum() / one.sum() >= 0.95 for one in likelihood]
    (rule,) = (rule for rule in answer["rules"] if rule["analysis"] == "predictive")
    assert rule["bound"] == success.index(True)


@pytest.mark.parametrize(("options", "message"), [
    (["os", "--n", "40", "--threshold", "0.4", "--model", "log_hazard"], "has a constant hazard"),
    (["cr", "--n", "40", "--threshold", "70"], "'70' is not a probability between 0.001 and 0.999"),
    (["cr", "--n", "40", "--threshold", "0.7", "--look", "40"], "--look 40 is not before the end"),
    (["cr", "--n", "40", "--threshold", "0.7", "--futility", "0.1"], "--futility 0.1 is for an interim look; say"),
    (["cr", "--n", "40", "--threshold", "0.7", "--robust", "0.2", "--analysis", "uniform"],
     "--robust 0.2 is the weight of the vague component of the robust prior, and --analysis uniform takes another one"),
    (["cr", "--n", "40", "--threshold", "0.7", "--horizon", "12"], "cr is a rate")])
def test_what_does_not_go_together_is_refused(options, message, capsys):
    assert main(["design", *options]) == 2
    assert message in capsys.readouterr().err


def test_the_help_names_the_model_that_is_taken(capsys):
    assert main(["design", "--help"]) == 0
    assert "default: the headline model of a rate; weibull for survival" in " ".join(capsys.readouterr().out.split())
    assert main(["design", "os", "--n", "40", "--threshold", "0.4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "weibull"


@pytest.mark.parametrize(("n", "threshold", "sd"), [(40, 0.7, 1.1), (251, 0.52, 0.2), (294, 0.32, 0.2)])
def test_a_prior_that_reaches_where_nobody_survives_is_summed(n, threshold, sd):
    """Survival of exp(-700) is a number, of which the binomial distribution is none; summed in logs beside it.

    The program sums 600 cells, 0.02 wide, of which one is split by the threshold: half a cell too much or too little
    would be 0.04 of the posterior of 251 patients.
    """
    prior = Mixture("normal", np.ones(1), np.array([-0.2]), np.array([sd])).robust(0.2)
    x, y = np.linspace(-7.0, 6.0, 40_001), np.arange(0, n + 1, 5)[:, None]
    log_rate = -np.exp(x)
    density = sum(w * stats.norm.pdf(x, m, s) for w, m, s in zip(prior.weights, prior.first, prior.second, strict=True))
    logs = y * log_rate + (n - y) * np.log(-np.expm1(log_rate))
    weights = density * np.exp(logs - logs.max(axis=1, keepdims=True))
    above = 1.0 - weights[:, log_rate <= np.log(threshold)].sum(axis=1) / weights.sum(axis=1)
    assert Rule(prior, threshold, 0.95).chances(n)[::5] == pytest.approx(above, abs=0.002)


def test_a_uniform_prior_of_survival_is_uniform(capsys):
    """Survivors are counts, so that the posterior is Beta(y + 1, n - y + 1) as that of a rate is."""
    assert main(["design", "os", "--n", "40", "--threshold", "0.4", "--analysis", "uniform", "--json"]) == 0
    rules = {rule["analysis"]: rule for rule in json.loads(capsys.readouterr().out)["rules"]}
    assert stats.beta(23, 19).sf(0.4) >= 0.95 > stats.beta(22, 20).sf(0.4) and rules["uniform"]["bound"] == 22


def test_what_was_asked_is_told_as_it_was_asked(capsys):
    assert main(["design", "cr", "--n", "30", "--threshold", "0.725", "--assurance", "0.825", "--look", "10",
                 "--futility", "0.004"]) == 0
    told = capsys.readouterr().out
    assert "\n72.5 % " in told and "Assurance of 82.5 % " in told and "less likely than 0.4 %." in told
