"""The table of other methods: pooled by weights and maximum likelihood by own numbers, exact ones by what must hold."""

import math

import numpy as np
import pytest
from scipy import special, stats

from tests.seen.checking import Table, between, limits, one_of, ordered, single, value
from tests.seen.facts import LEVEL, size, studies_of
from tests.seen.methods import deviances, weighted

ESTIMATORS = {"dl": "DerSimonian-Laird", "reml": "REML", "pm": "Paule-Mandel"}
PROFILES = ("beta_binomial_ml", "logit_normal_ml_median", "logit_normal_ml_mean")


def test_frequentist(seen):
    """Pooled by weights and maximum likelihood by own numbers; the simulated exact methods by what they must hold."""
    rows = Table(seen, "frequentist.csv")
    assert {(row["endpoint"], row["subset"]) for row in rows.rows} == {("cr", "all"), ("cr", "adult_only"),
                                                                       ("tox", "all"), ("tox", "cd22"), ("os", "all")}
    for row in rows.rows:
        studies = studies_of(row["endpoint"], row["subset"])
        rate, method = row["endpoint"] != "os", row["method"]
        rows.known(row, "endpoint subset method note")
        rows.check(row, **size(studies), of_the_paper=method in ("exact_beta_binomial", "log_hazard_exact_normal"),
                   time_months=12 if row["estimand"] == "survival" else None,
                   scale="log hazard" if row["estimand"] == "log_hazard" else "probability",
                   heterogeneity_name="rho" if "beta_binomial" in method else "tau")
        rows.check(row, estimand=("mean_rate" if "beta_binomial" in method or method.endswith("mean")
                                  else "median_rate") if rate else one_of("log_hazard", "survival"))
        ordered(rows.numbers(row), "lower", "estimate", "upper")
        _method(rows, row, studies)
    rows.complete(tiers="AB", study_set="review", level=LEVEL, interval="confidence", stamp=None)


def _method(rows, row, studies) -> None:
    method, found = row["method"], rows.numbers(row)
    if method in PROFILES:
        apart, spread = deviances(method, studies, limits(row, middle="estimate"))
        assert apart == pytest.approx([0.0, stats.chi2.ppf(0.95, 1), stats.chi2.ppf(0.95, 1)], abs=5e-3), row
        rows.known(row, "estimate lower upper")
        rows.check(row, within=2e-3, heterogeneity=spread)
        words = {"beta_binomial_ml": "Beta-binomial maximum", "logit_normal_ml_median": "Logit-normal maximum"}
        rows.check(row, label=lambda text: (text.startswith(words.get(method, "Logit-normal maximum"))
                                            and text.endswith("of the mean") == method.endswith("mean")))
    elif method == "exact_beta_binomial":
        _exact_rates(rows, row, studies, found)
    else:
        *_, estimator, interval = method.split("_")
        exact = method.endswith("exact_normal")
        link = weighted("dl" if exact else estimator, "wald" if exact else interval, studies)
        _through(rows, row, link, exact=exact)
        word = "Exact normal-normal" if exact else ESTIMATORS[estimator]
        kind = "" if exact else {"wald": "Wald", "hk": "Hartung-Knapp"}[interval]
        rows.check(row, label=lambda text: (text.startswith(word) and text.endswith(kind)
                                            and ("log hazard" in text) == (row["endpoint"] == "os")))


def _through(rows, row, link, *, exact: bool) -> None:
    """The link scale as the row's: a rate, a log hazard, or survival, whose limits change places."""
    middle, low, high, tau = link
    to = {"median_rate": special.expit, "log_hazard": float,
          "survival": lambda x: math.exp(-12 * math.exp(x))}[row["estimand"]]
    found = [to(one) for one in (middle, low, high)]
    if row["estimand"] == "survival":
        found[1:] = found[:0:-1]
    rows.check(row, within=1e-5, estimate=found[0])
    if exact:
        # T = T0 + c0 Tlik inverted: wider than Wald, as it covers every heterogeneity; two studies leave that open.
        back = {"median_rate": special.logit, "log_hazard": float, "survival": lambda x: math.log(-math.log(x) / 12)}
        ends = sorted(back[row["estimand"]](value(row[name])) for name in ("lower", "upper"))
        far = 5 if value(row["k_studies"]) > 2 else math.inf
        for end, side in zip(ends, (low, high), strict=True):
            assert 0.7 < (end - middle) / (side - middle) < far, row
        rows.known(row, "lower upper")
        rows.check(row, heterogeneity=between(0, 3))
    else:
        rows.check(row, within=3e-5, lower=found[1], upper=found[2])
        rows.check(row, within=3e-4, heterogeneity=tau)


def _exact_rates(rows, row, studies, found) -> None:
    """Between the crude and the unweighted mean; limits near those of the likelihood's profile, and not inside it."""
    rates = [study.events / study.n for study in studies]
    crude = sum(study.events for study in studies) / sum(study.n for study in studies)
    low, high = sorted((crude, float(np.mean(rates))))
    ml = single(rows.rows, endpoint=row["endpoint"], subset=row["subset"], method="beta_binomial_ml")
    below, above = (abs(value(ml[name]) - value(ml["estimate"])) for name in ("lower", "upper"))
    rows.check(row, estimate=between(low - 1e-4, high + 1e-4), lower=between(0, found["estimate"] - 0.6 * below),
               upper=between(found["estimate"] + 0.6 * above, 1), heterogeneity=between(0, 1),
               label=lambda text: text.startswith("Exact beta-binomial"))
