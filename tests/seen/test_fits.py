"""Tables of the fits: every cell from the evidence by hand, by plain sums, or from the netCDF file."""

import hashlib
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from tests.seen.checking import Table, between, chosen, one_of, ordered, single, value
from tests.seen.facts import ENDPOINTS, LEVEL, REPORTED, STUDIES, Z, counts, hazards, of_row, studies_of, table
from tests.seen.posterior import posterior
from tests.seen.running import SAMPLED

MAIN = {"beta_binomial": "mean_rate", "logit_normal": "mean_rate", "log_hazard": "survival"}
UNITS = {
    "mean_rate": ("probability", "proportion"),
    "median_rate": ("probability", "proportion"),
    "new_study_rate": ("probability", "proportion"),
    "study_rate": ("probability", "proportion"),
    "rho": ("correlation", "1"),
    "survival": ("probability", "proportion"),
    "mean_survival": ("probability", "proportion"),
    "new_study_survival": ("probability", "proportion"),
    "study_survival": ("probability", "proportion"),
    "median_months": ("time", "months"),
    "rmst": ("time", "months"),
    "hazard": ("hazard", "events per 100 person-years"),
    "mean_hazard": ("hazard", "events per 100 person-years"),
    "new_study_hazard": ("hazard", "events per 100 person-years"),
    "study_hazard": ("hazard", "events per 100 person-years"),
}
RATES = ["mean_rate", "median_rate", "new_study_rate", "rho", "tau"]
HAZARDS = ["hazard", "mean_hazard", "new_study_hazard"]
SURVIVAL = ["survival", "mean_survival", "new_study_survival", "median_months", "rmst", "rmst", "tau", *HAZARDS]
WITHOUT_MOMENTS = {"mean_hazard", "new_study_hazard"}
PER_100_PERSON_YEARS = 1200.0


def fits(seen):
    """Manifest entries of run.json by endpoint, model, subset, tiers and early landmarks."""
    return {(one["endpoint"], one["model"], one["subset"], one["tiers"], str(one["early_landmarks"]).lower()): one
            for one in seen.run["fits"]}


def key(row):
    return row["endpoint"], row["model"], row["subset"], row["tiers"], row["early_landmarks"]


def is_sampled(row) -> bool:
    return (row["endpoint"] in SAMPLED and row["subset"] == "all" and row["tiers"] == "AB"
            and row["early_landmarks"] == "true")


def test_the_run_ended_well(seen):
    assert seen.code == 0, seen.told
    assert seen.run["converged"] and not seen.run["stamp"]
    assert seen.run["data_sha256"] == seen.evidence.sha256
    assert seen.run["compared"] == 10 and seen.run["reported"] == len(REPORTED)


def test_fits_are_those_that_a_reader_expects(seen):
    """All studies: tiers AB, A and ABC, the other family, without the early landmark; subsets: AB, and A and ABC where
    a published number asks for them. Tier C has no row of tox, and no other: the rows are then those of AB."""
    wanted = set()
    for endpoint, kind in ((name, row["kind"]) for name, row in ENDPOINTS.items()):
        model = "beta_binomial" if kind == "rate" else "log_hazard"
        asked = {row["subset"] for row in REPORTED.values() if row["endpoint"] == endpoint}
        for subset in ("all", "adult_only", "cd22"):
            wide = ("A", "AB", "ABC") if subset in asked | {"all"} else ("AB",)
            wanted |= {(endpoint, model, subset, tiers, "true") for tiers in wide}
        wanted |= ({(endpoint, "logit_normal", "all", "AB", "true")} if kind == "rate"
                   else {(endpoint, model, "all", "AB", "false")})
    assert set(fits(seen)) == wanted
    assert {key(row) for row in seen.tables["diagnostics.csv"]} == wanted


def test_manifest_of_each_fit(seen):
    from models import all_models

    for one in seen.run["fits"]:
        studies = studies_of(one["endpoint"], one["subset"], one["tiers"], early=one["early_landmarks"])
        assert (one["k_studies"], one["n_patients"]) == (len(studies), sum(study.n for study in studies))
        assert one["priors"] == {name: str(prior) for name, prior in all_models()[one["model"]].priors.items()}
        assert one["status"] == "converged" and (seen.folder / one["posterior"]).is_file()


def test_studies(seen):
    rows = Table(seen, "studies.csv")
    assert [(row["endpoint"], row["study_id"]) for row in rows.rows] == [
        (name, study.study_id) for name in ENDPOINTS for study in studies_of(name)
    ]
    for row in rows.rows:
        own = next(study for study in of_row(row) if study.study_id == row["study_id"])
        facts = STUDIES[own.study_id]
        rows.check(row, subset="all", tiers="AB", label=facts["label"], year=facts["year"], tier=own.tier,
                   n=own.n, study_id=own.study_id, endpoint=row["endpoint"], level=LEVEL, risk_of_bias=None)
        if row["endpoint"] == "os":
            middle, low, high = own.survival(12)
            kind = "exact Poisson confidence" if own.months else "confidence, from the converted log hazard"
            rows.check(row, statistic=own.printed, raw=middle, raw_lower=low, raw_upper=high, raw_interval=kind,
                       events=None, population=own.definition, early=own.early)
        else:
            test = stats.binomtest(own.events, own.n).proportion_ci(0.95, "exact")
            rows.check(row, events=own.events, statistic=f"{own.events}/{own.n}", raw=own.events / own.n,
                       raw_lower=test.low, raw_upper=test.high, raw_interval="Clopper-Pearson confidence",
                       population=own.population, early=None)
        ordered(rows.numbers(row), "raw_lower", "raw", "raw_upper")
    rows.complete()


def test_survival_conversions(seen):
    rows = Table(seen, "survival_conversions.csv")
    rules = {"ash_2015": "interval, log-log scale", "birch_2016": "interval, log scale",
             "cedar_2017": "no interval: 1.25 x binomial", "elm_2018": "events and person-months (Poisson)",
             "fir_2019": "upper limit not reached: 1.25 x binomial"}
    read = {"ash_2015": 0.58, "cedar_2017": 0.81, "dogwood_2018": hazards()[3].survival(12)[0]}
    for row, own in zip(rows.rows, hazards(), strict=True):
        at = read.get(own.study_id, 0.5)
        rows.check(row, effective=None if own.months else (1 - at) / (at * (math.log(at) * own.estimate[1]) ** 2))
        rule = rules.get(own.study_id)
        rows.check(row, endpoint="os", study_id=own.study_id, rows=" ".join(map(str, own.lines)),
                   early=own.early, statistic=own.printed, definition=own.definition, tier=own.tier,
                   patients=own.n, log_hazard=own.value, se_lower=own.below, se_upper=own.above,
                   events=own.events, person_months=own.months, landmark_months=0, censored_at_hct=None,
                   non_responders=None,
                   rule=(lambda text, rule=rule: rule in text if rule
                         else text.startswith("2 strata mixed at 12 months (")))
    rows.complete()


def test_left_out(seen):
    """Line and reason of every row that the headline does not use."""
    rows = Table(seen, "left_out.csv")
    wanted = {("cr", 7): "tier C", ("cr", 8): "not in the review set", ("cr", 9): "the study is retrospective",
              ("os", 4): "another row stands for this study at 12 months", ("os", 10): "tier C"}
    assert {(row["endpoint"], int(row["row"])) for row in rows.rows} == set(wanted)
    for row in rows.rows:
        file = "survival.csv" if row["endpoint"] == "os" else "responses.csv"
        line = table(file)[int(row["row"]) - 2]
        rows.check(row, table=file, reason=wanted[row["endpoint"], int(row["row"])], row=row["row"],
                   study_id=line["study_id"], endpoint=line["endpoint"])
    rows.complete(subset="all", tiers="AB")


@cache
def _saved(path: Path, name: str) -> np.ndarray:
    with xr.open_datatree(path) as tree:
        values = tree["posterior"][name].values
    return values.reshape(-1, *values.shape[2:])


def draws(seen, row, name: str) -> np.ndarray:
    """The draws of the saved posterior, shape (s,) or (s, studies)."""
    return _saved(seen.folder / fits(seen)[key(row)]["posterior"], name)


def test_estimates_have_the_rows_of_their_fit(seen):
    for one in fits(seen):
        own = [row for row in seen.tables["estimates.csv"] if key(row) == one]
        names = RATES if one[0] != "os" else SURVIVAL
        studies = [study.study_id for study in of_row(own[0])]
        each = ["study_survival", "study_hazard"] if one[0] == "os" else ["study_rate"]
        assert [row["estimand"] for row in own] == names + [name for name in each for _ in studies]
        assert [row["study_id"] for row in own] == [""] * len(names) + studies * len(each)


def test_estimates(seen):
    rows = Table(seen, "estimates.csv")
    for row in rows.rows:
        studies = of_row(row)
        estimand, months = row["estimand"], value(row["time_months"])
        horizon = estimand in ("survival", "mean_survival", "new_study_survival", "study_survival")
        rows.check(row, endpoint=one_of(*ENDPOINTS), study_set="review", level=LEVEL, stamp=None,
                   study_id=row["study_id"], k_studies=len(studies),
                   n_patients=sum(study.n for study in studies), interval="prediction"
                   if estimand.startswith("new") else "credible", time_months=12 if horizon else one_of(12, 24)
                   if estimand == "rmst" else None,
                   **dict(zip(("scale", "unit"), UNITS.get(estimand)
                              or (("log hazard", "log hazard") if row["endpoint"] == "os"
                                  else ("logit", "log odds")), strict=True)),
                   **{name: row[name] for name in ("model", "subset", "tiers", "early_landmarks", "estimand")})
        ordered(rows.numbers(row), "lower", "median", "upper")
        _numbers(rows, row, studies, months)
    rows.complete()
    assert [row["time_months"] for row in chosen(rows.rows, estimand="rmst")] == ["12", "24"] * (
        len(chosen(rows.rows, estimand="rmst")) // 2
    )


def _numbers(rows, row, studies, months) -> None:
    """Median and limits by plain sums; mean and SD as well, unless they need not exist."""
    plane = _plane(row, studies)
    estimand, found = row["estimand"], rows.numbers(row)
    one = next((study for study in studies if study.study_id == row["study_id"]), None)
    # A quantile of s independent draws has probability p within sqrt(p (1 - p) / s); chains have fewer independent
    # ones, at least a tenth of them here. Pooled numbers are those of quadrature, also of a sampled fit, and right to
    # 5e-4 of a probability.
    s = 9600 * (0.1 if is_sampled(row) else 1.0)
    by_draws = one is not None
    # A function of both hyperparameters is sorted here, which is less exact than the spline along one of them.
    coarse = estimand not in ("survival", "median_months", "rmst") and (row["model"],
                                                                        estimand) != ("beta_binomial", "mean_rate")
    for name, p in (("lower", 0.025), ("median", 0.5), ("upper", 0.975)):
        if one is not None or estimand.startswith("new"):
            below = _chance_below(plane, one, estimand, found[name], months)
        else:
            low, high = (plane.quantile(estimand, q, months) for q in _around(p, s if by_draws else None, coarse))
            rows.check(row, **{name: between(low, high)})
            continue
        reach = 4.5 * math.sqrt(p * (1 - p) / s) if by_draws else 2.5e-3
        assert below == pytest.approx(p, abs=reach + 1.5e-3), (row, name)
        rows.check(row, **{name: found[name]})
    if found["mean"] is None:
        assert (row["model"], estimand) == ("beta_binomial", "tau") or estimand in WITHOUT_MOMENTS
        rows.check(row, mean=None, sd=None, mcse=None)
        return
    _moments(rows, row, plane, one, by_draws, months)


def _chance_below(plane, study, estimand: str, x: float, months) -> float:
    """Probability that a study's own value, or that of a new one (None), is below x; a hazard's by its survival."""
    if estimand.endswith("hazard"):
        survival = math.exp(-x / PER_100_PERSON_YEARS)
        return 1.0 - _chance_below(plane, study, estimand.removesuffix("hazard") + "survival", survival, 1.0)
    return plane.new_below(x, months) if study is None else plane.study_below(study, x, months)


def _around(p: float, s: float | None, coarse: bool) -> tuple[float, float]:
    reach = (6e-3 if coarse else 2e-3) if s is None else 4.5 * math.sqrt(p * (1 - p) / s)
    return max(p - reach, 1e-4), min(p + reach, 1 - 1e-4)


def _moments(rows, row, plane, one, by_draws, months) -> None:
    found, estimand = rows.numbers(row), row["estimand"]
    if one is not None or estimand.startswith("new") or by_draws:
        name = estimand if months is None else f"{estimand}_{months:g}m"
        own = draws(rows.seen, row, name)
        own = own[:, [study.study_id for study in of_row(row)].index(one.study_id)] if one is not None else own
        exact = not by_draws  # the exact engine sums a new study up over its distribution, not over draws
        # Single precision of the file; 4.5 errors of the mean, and of the SD, where the table is exact.
        slack = 4.5 * own.std() / math.sqrt(len(own)) if exact else 3e-7
        slack += 1e-5 * own.mean()
        rows.check(row, mean=between(own.mean() - slack, own.mean() + slack))
        rows.check(row, sd=between(own.std(ddof=1) * (1 - (0.06 if exact else 1e-4)), own.std(ddof=1)
                                   * (1 + (0.06 if exact else 1e-4))))
        if not exact:
            limits = np.quantile(own, [0.025, 0.5, 0.975])
            rows.check(row, within=1e-6 * limits[2], lower=limits[0], median=limits[1], upper=limits[2])
    else:
        rows.check(row, within=5e-3 * plane.sd(estimand, months) + 2e-5, mean=plane.mean(estimand, months),
                   sd=plane.sd(estimand, months))
    # Exact numbers have no Monte-Carlo error; independent draws that of a mean, chains up to 3 times as much.
    if not by_draws and not is_sampled(row):
        rows.check(row, mcse=one_of(0.0, None))
    else:
        error = found["sd"] / math.sqrt(9600)
        rows.check(row, mcse=between(0.9 * error, 4 * error))


def _plane(row, studies):
    given = {"beta_binomial": {"mu": "Beta(1, 1)", "rho": "Beta(1, 4)"},
             "logit_normal": {"m": "Normal(0, 2)", "tau": "HalfNormal(1)"}}.get(row["model"]) or hazard_priors()
    return posterior(row["model"], studies, given)


def hazard_priors() -> dict[str, str]:
    """The survival model's priors as it states them; that they are sensible is another test's business."""
    from models import all_models

    return {name: prior.exact() for name, prior in all_models()["log_hazard"].priors.items()}


def test_diagnostics(seen):
    rows = Table(seen, "diagnostics.csv")
    for row in rows.rows:
        studies = of_row(row)
        own = fits(seen)[key(row)]
        rows.check(row, endpoint=own["endpoint"], model=own["model"], subset=own["subset"],
                   tiers=own["tiers"], early_landmarks=own["early_landmarks"], k_studies=len(studies),
                   seed=own["seed"], n_patients=sum(study.n for study in studies),
                   quadrature_error=between(0.0, 1e-5), chains=4, draws=2400, target_accept=0.95,
                   location_tail=between(0.05, 1.0) if row["endpoint"] == "os"
                   else _tail_of_the_crude_rate(row["model"], studies), heterogeneity_tail=between(0.0, 1.0)
                   if len(studies) > 1 else None, prior_pull=lambda found: not found
                   or 0.0 <= float(found) < 0.5, prior_conflict=None)
        if is_sampled(row):
            _chains(seen, rows, row)
        else:
            rows.check(row, **dict.fromkeys(("max_rhat", "min_ess_bulk", "min_ess_tail", "divergences",
                                             "min_bfmi", "max_mcse_mean",
                                             "max_mcse_limit", "max_mcse_limit_heterogeneity", "max_engine_z")))
    rows.complete(status="converged", failures=None, stamp=None, study_set="review")
    # Equal rows give equal seeds, other ones others.
    # By repr, since the NaN of a study without an estimate does not equal itself.
    contents = {(row["model"], row["endpoint"], repr(of_row(row))): row["seed"] for row in rows.rows}
    assert len(set(contents.values())) == len(contents)
    for row in rows.rows:
        assert row["seed"] == contents[row["model"], row["endpoint"], repr(of_row(row))]


def _tail_of_the_crude_rate(model: str, studies):
    """Two-sided mid-p of all events over all patients under the default priors, by simulation."""
    rng, s = np.random.default_rng(8), 40_000
    sizes = np.array([study.n for study in studies])
    if model == "beta_binomial":
        mu, rho = rng.beta(1, 1, s)[:, None], rng.beta(1, 4, s)[:, None]
        rates = rng.beta(np.maximum(mu * (1 / rho - 1), 1e-12), (1 - mu) * (1 / rho - 1), (s, len(sizes)))
    else:
        m, tau = rng.normal(0, 2, s)[:, None], np.abs(rng.normal(0, 1, s))[:, None]
        rates = 1 / (1 + np.exp(-(m + tau * rng.normal(size=(s, len(sizes))))))
    events, shown = rng.binomial(sizes, rates).sum(axis=1), sum(study.events for study in studies)
    below = np.mean(events < shown) + 0.5 * np.mean(events == shown)
    # The program draws 4,000 times: 4.5 errors of a tail of at most twice one half.
    return between(*(2 * min(below, 1 - below) + sign * 4.5 * 2 * 0.5 / math.sqrt(4000) for sign in (-1, 1)))


def _chains(seen, rows, row) -> None:
    """By ArviZ from the saved draws: over the hyperparameters and every pooled estimand."""
    from arviz_stats.base import array_stats

    path = seen.folder / fits(seen)[key(row)]["posterior"]
    with xr.open_datatree(path) as tree:
        own = {str(name): values.values for name, values in tree["posterior"].data_vars.items() if values.ndim == 2}
        energy, diverging = tree["sample_stats"]["energy"].values, tree["sample_stats"]["diverging"].values
    # What need not have moments is judged by its log.
    own = {name: np.log(values) if name in WITHOUT_MOMENTS else values for name, values in own.items()}
    draws = np.stack(list(own.values()), axis=2)
    shape = {"chain_axis": 0, "draw_axis": 1}
    spread, loose = draws.std(axis=(0, 1)), np.isin(list(own), ["rho", "tau"])
    limit = np.max([array_stats.mcse(draws, method="quantile", prob=p, **shape) for p in (0.025, 0.975)], 0) / spread
    rows.check(row, within=1e-4, max_rhat=array_stats.rhat(draws, **shape).max(),
               max_mcse_mean=(array_stats.mcse(draws, method="mean", **shape) / spread).max(),
               max_mcse_limit=limit[~loose].max(), max_mcse_limit_heterogeneity=limit[loose].max(),
               min_bfmi=np.min(array_stats.bfmi(energy, **shape)), divergences=int(diverging.sum()))
    rows.check(row, within=1.0, min_ess_bulk=array_stats.ess(draws, method="bulk", **shape).min(),
               min_ess_tail=array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **shape).min())
    apart = [abs(float(one["z"])) for one in seen.tables["agreement.csv"] if key(one) == key(row)]
    rows.check(row, max_engine_z=max(apart))


def test_agreement(seen):
    assert SAMPLED, "a run without a sampled fit has nothing to compare"
    rows = Table(seen, "agreement.csv")
    names = [("survival", "12"), ("mean_survival", "12"), ("new_study_survival", "12"), ("median_months", ""),
             ("rmst", "12"), ("rmst", "24"), ("tau", ""), *((name, "") for name in HAZARDS)]
    assert {(row["estimand"], row["time_months"]) for row in rows.rows} == set(names)
    for row in rows.rows:
        twin = single(seen.tables["estimates.csv"], study_id="",
                      **{name: row[name] for name in ("endpoint", "model", "subset", "tiers",
                                                      "early_landmarks", "estimand", "time_months")})
        plane, months = _plane(row, of_row(row)), value(row["time_months"])
        found = rows.numbers(row)
        own = draws(seen, row, row["estimand"] + (f"_{months:g}m" if months else ""))
        p = {"median": 0.5, "lower": 0.025, "upper": 0.975}.get(row["statistic"])
        assert found["exact"] == pytest.approx(value(twin[row["statistic"]]), rel=1e-9)
        rows.check(row, within=1e-6 * own.mean(), sampled=own.mean() if p is None else np.quantile(own, p))
        rows.check(row, agrees=True, mcse=between(0.0, 0.05 * (value(twin["upper"]) - value(twin["lower"]))))
        if row["statistic"] == "mean":
            exact = plane.mean(row["estimand"], months) if not row["estimand"].startswith("new") else found["exact"]
        else:
            if row["estimand"].startswith("new"):
                assert _chance_below(plane, None, row["estimand"], found["exact"], months) == pytest.approx(p, abs=4e-3)
                exact = found["exact"]
            else:
                exact = plane.quantile(row["estimand"], p, months)
        rows.check(row, within=2e-3 * abs(exact) + 1e-4, exact=exact)
        # z is the difference in errors of both engines; the exact one is right to 2e-4 SD, which only lowers it.
        z = (found["sampled"] - found["exact"]) / found["mcse"]
        rows.check(row, z=lambda x, z=z: (abs(x) <= abs(z) * 1.01 + 1e-3 and (x * z > 0 or abs(z) < 0.02)
                                          and abs(x) >= 0.9 * abs(z) - 0.02))
        rows.check(row, **{name: row[name] for name in ("estimand", "time_months", "statistic")})
    rows.complete(endpoint="os", model="log_hazard", subset="all", tiers="AB", study_set="review",
                  early_landmarks=True, stamp=None)


def _ours(seen, endpoint: str, subset: str, tiers: str, estimand: str):
    model = "log_hazard" if endpoint == "os" else "beta_binomial"
    found = chosen(seen.tables["estimates.csv"], endpoint=endpoint, subset=subset, tiers=tiers,
                   estimand=estimand, early_landmarks="true", model=model, study_id="")
    return found[0] if found else None


RULES = {row["reported_endpoint"] + "/" + row["statistic"]: row for row in table("comparisons.csv")}


def test_comparison(seen):
    rows = Table(seen, "comparison.csv")
    assert [row["reported_id"] for row in rows.rows] == list(REPORTED)
    for row in rows.rows:
        printed = REPORTED[row["reported_id"]]
        rule = RULES[f"{printed['endpoint']}/{printed['statistic']}"]
        rows.check(row, **{name: printed[name] or None for name in ("reported_id", "endpoint", "subset",
                                                                    "statistic", "units")},
                   primary=printed["primary"] == "true", published=float(printed["estimate"]),
                   published_interval="confidence" if printed["ci_low"] else None,
                   published_note=printed["note"], our_endpoint=rule["endpoint"], estimand=rule["estimand"],
                   transform=rule["transform"])
        for column, source in (("published_lower", "ci_low"), ("published_upper", "ci_high"),
                               ("published_level", "level"), ("published_k", "k_studies"),
                               ("published_n", "n_patients"), ("published_events", "events")):
            rows.check(row, **{column: float(printed[source]) if printed[source] else None})
        ordered(rows.numbers(row), "published_lower", "published", "published_upper")
        if rule["reason"]:
            _without_counterpart(rows, row, rule)
        elif rule["estimand"].startswith("crude"):
            _crude(rows, row, rule, printed)
        else:
            _pooled(seen, rows, row, rule, printed)
    rows.complete(stamp=None)


_EMPTY = (
    "model",
    "tiers",
    "k_studies",
    "n_patients",
    "events",
    "time_months",
    "mean",
    "median",
    "lower",
    "upper",
    "level",
    "interval",
    "difference",
    "width_ratio",
    "overlap",
    "probability_of_published_interval",
    *(
        f"tiers_{tiers}_{name}"
        for tiers in ("a", "abc")
        for name in ("k_studies", "n_patients", "median", "lower", "upper")
    ),
)


def _without_counterpart(rows, row, rule) -> None:
    rows.check(row, status="not compared", reason=rule["reason"], **dict.fromkeys(_EMPTY))


def _crude(rows, row, rule, printed) -> None:
    if rule["column"]:
        own = [(int(study["prior_hct_n"]), int(study["n_treated"])) for study in STUDIES.values()
               if study["in_review"] == "true" and study["design"] == "prospective" and study["prior_hct_n"]]
    else:
        own = [(study.n - study.events, study.n) for study in counts(rule["endpoint"])]
    events, n = (sum(column) for column in zip(*own, strict=True))
    rows.check(row, status="compared", reason=lambda text: text.startswith("crude proportion against crude"),
               k_studies=len(own), n_patients=n, events=events, mean=events / n, median=events / n, difference=events
               / n - float(printed["estimate"]),
               **dict.fromkeys(set(_EMPTY) - {"k_studies", "n_patients", "events", "mean", "median", "difference"}))


def _pooled(seen, rows, row, rule, printed) -> None:
    flip = rule["transform"] == "complement"
    ours = _ours(seen, rule["endpoint"], printed["subset"], "AB", rule["estimand"])
    rows.check(row, status="compared", model=ours["model"], tiers="AB", level=LEVEL,
               interval=ours["interval"], k_studies=value(ours["k_studies"]),
               n_patients=value(ours["n_patients"]), events=None, time_months=value(ours["time_months"]),
               **_flipped(ours, flip, ("mean", "median", "lower", "upper")))
    for tiers in ("A", "ABC"):
        other = _ours(seen, rule["endpoint"], printed["subset"], tiers, rule["estimand"])
        cells = {name: value(other[name]) for name in ("k_studies", "n_patients")}
        cells |= _flipped(other, flip, ("median", "lower", "upper"))
        rows.check(row, within=2e-6, **{f"tiers_{tiers.lower()}_{name}": one for name, one in cells.items()})
    found = rows.numbers(row)
    ordered(found, "lower", "median", "upper")
    rows.check(row, within=1e-5 * max(1.0, found["median"]), difference=found["median"] - found["published"])
    _against_interval(rows, row, rule, found)


def _flipped(ours, flip, names):
    swap = {"lower": "upper", "upper": "lower"}
    return {name: 1 - value(ours[swap.get(name, name)]) if flip else value(ours[name]) for name in names}


def _against_interval(rows, row, rule, found) -> None:
    low, high = found["published_lower"], found["published_upper"]
    if low is None:
        rows.check(row, reason="no interval is published", width_ratio=None,
                   overlap=None, probability_of_published_interval=None)
        return
    if found["published_level"] != LEVEL:
        rows.check(row, reason="the published interval is a 90 % one: widths are not compared",
                   width_ratio=None, overlap=None)
    else:
        shared = max(0.0, min(found["upper"], high) - max(found["lower"], low))
        rows.check(row, reason=None)
        rows.check(row, within=1e-4, width_ratio=(found["upper"] - found["lower"]) / (high - low), overlap=shared
                   / (high - low))
    plane = _plane({"model": found["model"]}, studies_of(rule["endpoint"], row["subset"]))
    ends = sorted(1 - one if rule["transform"] == "complement" else one for one in (low, high))
    inside = _below(plane, rule["estimand"], ends[1]) - _below(plane, rule["estimand"], ends[0])
    # Chains: a share of 9600 draws, of which a tenth may be independent.
    reach = 4.5 * math.sqrt(inside * (1 - inside) / 960) if rule["endpoint"] in SAMPLED else 2e-3
    rows.check(row, within=reach, probability_of_published_interval=inside)


def _below(plane, estimand: str, x: float) -> float:
    values = plane.values(estimand, 12.0)
    below, above = 0.0, 1.0
    for _ in range(40):
        middle = (below + above) / 2
        below, above = (middle, above) if plane.quantile(estimand, middle, 12.0) < x else (below, middle)
    assert values.min() < x < values.max()
    return below


def test_saved_posteriors_say_what_they_are(seen):
    for one, entry in fits(seen).items():
        with xr.open_datatree(seen.folder / entry["posterior"]) as tree:
            manifest = json.loads(tree.attrs["manifest"])
            studies = list(tree["posterior"]["study"].values)
        assert (manifest["endpoint"], manifest["model"], manifest["subset"], manifest["tiers"]) == one[:4]
        assert studies == [study.study_id for study in studies_of(one[0], one[2], one[3], early=one[4] == "true")]
        assert manifest["data_sha256"] == seen.evidence.sha256 and manifest["seed"] == entry["seed"]
    assert len(hashlib.sha256().hexdigest()) == len(seen.evidence.sha256) and pytest.approx(1.959964, 1e-6) == Z
