"""Tables that compare the models: each study predicted from the others, and their sums."""

import math

import numpy as np
from scipy import special, stats

from tests.seen.checking import Table, chosen, value
from tests.seen.facts import STUDIES, studies_of, study_of
from tests.seen.headline import pit_of
from tests.seen.posterior import DEFAULTS, posterior, priors

MATCHED = {"beta_binomial": {"mu": "LogitNormal(0, 2)", "rho": "Beta(1, 10)"},
           "logit_normal": {"m": "Normal(0, 2)", "tau": "HalfNormal(1)"}}


def _given(row) -> dict[str, str]:
    return (MATCHED if row["which_priors"] == "matched" else DEFAULTS)[row["model"]]


def test_leave_one_out(seen):
    rows = Table(seen, "leave_one_out.csv")
    for row in rows.rows:
        studies = studies_of(row["endpoint"])
        own = study_of(row, studies)
        whole = posterior(row["model"], studies, _given(row))
        rest = posterior(row["model"], [study for study in studies if study is not own], _given(row))
        pit = pit_of(rest, own)
        rows.check(row, within=1e-3, elpd_loo=whole.log_evidence - rest.log_evidence, pit=pit,
                   two_sided=2 * min(pit, 1 - pit), label=STUDIES[own.study_id]["label"])
        rows.known(row, "study_id which_priors model endpoint")
    models = [(row["endpoint"], row["which_priors"], row["model"]) for row in seen.tables["model_comparison.csv"]]
    assert [(row["endpoint"], row["which_priors"], row["model"], row["study_id"])
            for row in rows.rows] == [(*one, study.study_id) for one in models for study in studies_of(one[0])]
    rows.complete(subset="all", tiers="AB", study_set="review", stamp=None)


def test_model_comparison(seen):
    rows = Table(seen, "model_comparison.csv")
    pairs = [(which, model) for which in ("default", "matched") for model in ("beta_binomial", "logit_normal")]
    assert [(row["endpoint"], row["which_priors"], row["model"])
            for row in rows.rows] == [*(("cr", *pair) for pair in pairs), *(("tox", *pair) for pair in pairs),
                                      ("os", "default", "log_hazard")]
    for row in rows.rows:
        same = {name: row[name] for name in ("endpoint", "which_priors")}
        left = chosen(seen.tables["leave_one_out.csv"], model=row["model"], **same)
        each = np.array([value(one["elpd_loo"]) for one in left])
        whole = posterior(row["model"], studies_of(row["endpoint"]), _given(row))
        text = "; ".join(f"{name} ~ {prior}" for name, prior in _given(row).items())
        rows.known(row, "model endpoint which_priors")
        rows.check(row, priors=text if row["model"] != "log_hazard" else bool)
        rows.check(row, within=2e-3, log_evidence=whole.log_evidence)
        rows.check(row, within=5e-4, elpd_loo=each.sum(), elpd_loo_se=math.sqrt(len(each)) * each.std(ddof=1))
        first = chosen(seen.tables["leave_one_out.csv"], model="beta_binomial", **same)
        gap = each - [value(one["elpd_loo"]) for one in first] if row["model"] == "logit_normal" else None
        rows.check(row, within=5e-4, elpd_difference=None if gap is None else gap.sum(),
                   elpd_difference_se=None if gap is None else math.sqrt(len(gap)) * gap.std(ddof=1))
        pits = [value(one["pit"]) for one in left]
        rows.check(row, within=2e-3, pit_uniform_p=stats.kstest(pits, "uniform").pvalue,
                   prior_spread=_spread(row), weight=_weight(rows, row))
    rows.complete(subset="all", tiers="AB", study_set="review", reason=None, stamp=None)


def _weight(rows, row) -> float | None:
    if row["which_priors"] == "default":
        return None
    own = [value(one["log_evidence"]) for one in chosen(rows.rows, endpoint=row["endpoint"], which_priors="matched")]
    mine = value(row["log_evidence"])
    return 1 / sum(math.exp(one - mine) for one in own)


def _spread(row) -> float | None:
    """Prior median SD of the study rates at a mean rate of 0.8, from the median of the heterogeneity's prior."""
    if row["model"] == "log_hazard":
        return None
    if row["model"] == "beta_binomial":
        b = 10 if row["which_priors"] == "matched" else 4
        return math.sqrt(0.8 * 0.2 * (1 - 0.5 ** (1 / b)))
    tau, z = stats.halfnorm.median(), np.linspace(-8, 8, 401)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    grid = np.linspace(0.5, 3, 500)
    m = np.interp(0.8, special.expit(grid[:, None] + tau * z) @ weight, grid)
    rates = special.expit(m + tau * z)
    return math.sqrt(rates**2 @ weight - (rates @ weight) ** 2)


def test_priors_in_words_are_read():
    assert priors("mu ~ Beta(1, 1); rho ~ Beta(1, 4)") == DEFAULTS["beta_binomial"]
