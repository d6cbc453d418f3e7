"""Tables beside the fits: other methods, steps of a difference, totals, bounds, comparison of the models."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import special, stats

from tests.seen.checking import Table, between, chosen, one_of, ordered, single, value
from tests.seen.facts import LEVEL, REPORTED, STUDIES, Counts, counts, studies_of
from tests.seen.methods import deviances, weighted
from tests.seen.posterior import DEFAULTS, Plane, posterior, priors
from tests.seen.test_fits import hazard_priors

MATCHED = {"beta_binomial": {"mu": "LogitNormal(0, 2)", "rho": "Beta(1, 10)"},
           "logit_normal": {"m": "Normal(0, 2)", "tau": "HalfNormal(1)"}}
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
        rows.check(row, k_studies=len(studies), n_patients=sum(study.n for study in studies),
                   method=method, of_the_paper=method in ("exact_beta_binomial", "log_hazard_exact_normal"),
                   endpoint=row["endpoint"], subset=row["subset"], time_months=12 if row["estimand"] == "survival"
                   else None, scale="log hazard" if row["estimand"] == "log_hazard"
                   else "probability", heterogeneity_name="rho" if "beta_binomial" in method else "tau",
                   note=lambda text: True)
        rows.check(row, estimand=("mean_rate" if "beta_binomial" in method or method.endswith("mean")
                                  else "median_rate") if rate else one_of("log_hazard", "survival"))
        ordered(rows.numbers(row), "lower", "estimate", "upper")
        _method(rows, row, studies)
    rows.complete(tiers="AB", study_set="review", level=LEVEL, interval="confidence", stamp=None)


def _method(rows, row, studies) -> None:
    method, found = row["method"], rows.numbers(row)
    if method in PROFILES:
        apart, spread = deviances(method, studies, [found[name] for name in ("estimate", "lower", "upper")])
        assert apart == pytest.approx([0.0, stats.chi2.ppf(0.95, 1), stats.chi2.ppf(0.95, 1)], abs=5e-3), row
        rows.check(row, within=2e-3, heterogeneity=spread,
                   **{name: found[name] for name in ("estimate", "lower", "upper")})
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
        rows.check(row, lower=value(row["lower"]), upper=value(row["upper"]), heterogeneity=between(0, 3))
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


CURVE_OF_STEP = {"error rule": ("exponential", "Posterior, points of curves"),
                 "shape": ("weibull", "Posterior, falling hazard")}


def test_decomposition(seen):
    rows = Table(seen, "decomposition.csv")
    wanted = [identity for identity, one in REPORTED.items() if one["ci_low"] and one["primary"] == "true"
              and one["endpoint"] != "no_tox"]
    assert list(dict.fromkeys(row["reported_id"] for row in rows.rows)) == wanted
    for identity in wanted:
        own = chosen(rows.rows, reported_id=identity)
        with_total = 1 if identity == "R01" else 0
        shape = ["error rule", "shape"] * (own[0]["endpoint"] == "os")
        assert [row["step"] for row in own] == ["published", "data", "method",
                                                "prior", *shape] + ["missing studies"] * with_total
        comparison = single(seen.tables["comparison.csv"], reported_id=identity)
        for before, row in zip([None, *own], own, strict=False):
            _step(seen, rows, row, comparison, before)
    rows.complete(stamp=None)


def _step(seen, rows, row, comparison, before) -> None:
    shared = {"reported_id": row["reported_id"], "endpoint": comparison["our_endpoint"],
              "subset": comparison["subset"], "estimand": comparison["estimand"], "unit": comparison["units"]}
    prefix = {"published": "published_", "prior": ""}.get(row["step"])
    if prefix is not None:
        middle = comparison["published" if prefix else "median"]
        cells = [value(middle), *(value(comparison[prefix + name]) for name in ("lower", "upper"))]
        names = ("published_k", "published_n", "published_level") if prefix else ("k_studies", "n_patients", "level")
        k, n, level = (value(comparison[name]) for name in names)
        kind, note = "confidence" if prefix else "credible", lambda text: True
        label = "Published" if prefix else f"Posterior, {comparison['model'].replace('_', '-')}"
    elif row["step"] == "missing studies":
        total = next(one for one in seen.tables["published_totals.csv"] if one["base_gap"] == "0")
        cells, k, n, level = [value(total[name]) for name in ("median", "lower", "upper")], 7, 210, LEVEL
        kind, note, label = "credible", total["note"], "Posterior with the total 157/210"
    elif row["step"] in CURVE_OF_STEP:
        model, label = CURVE_OF_STEP[row["step"]]
        curve = single(seen.tables["survival_curves.csv"], endpoint=row["endpoint"], subset=row["subset"], model=model,
                       estimand=row["estimand"], time_months="12" if row["estimand"] == "survival" else "")
        cells = [value(curve[name]) for name in ("median", "lower", "upper")]
        k, n, level = (value(curve[name]) for name in ("k_studies", "n_patients", "level"))
        kind, note = "credible", None
    else:
        method = _by_method(seen, row)
        cells = [_months(value(method[name]), row) for name in ("estimate", "lower", "upper")]
        cells[1:] = sorted(cells[1:])
        k, n, level = (value(method[name]) for name in ("k_studies", "n_patients", "level"))
        kind, note, label = "confidence", method["note"], method["label"]
    change = None if before is None else value(row["estimate"]) - value(before["estimate"])
    rows.check(row, within=2e-5 * max(1.0, cells[0]), estimate=cells[0], lower=cells[1], upper=cells[2],
               width=cells[2] - cells[1])
    rows.check(row, within=2e-6 * max(1.0, 10 * cells[0]), change=change)
    rows.check(row, step=row["step"], k_studies=k, n_patients=n, level=level, interval=kind, note=note, label=label,
               **shared)
    ordered(rows.numbers(row), "lower", "estimate", "upper")


def _by_method(seen, row):
    survival = row["endpoint"] == "os"
    data = "log_hazard_exact_normal" if survival else "exact_beta_binomial"
    likelihood = "log_hazard_reml_wald" if survival else "beta_binomial_ml"
    estimand = {"median_months": "log_hazard"}.get(row["estimand"], row["estimand"])
    return single(seen.tables["frequentist.csv"], endpoint=row["endpoint"], subset=row["subset"],
                  estimand=estimand, method=data if row["step"] == "data" else likelihood)


def _months(found: float, row) -> float:
    return math.log(2) / math.exp(found) if row["estimand"] == "median_months" else found


def cr_plane(studies: list[Counts] | None = None, extra: np.ndarray | None = None) -> Plane:
    return posterior("beta_binomial", counts("cr") if studies is None else studies, DEFAULTS["beta_binomial"],
                     extra=extra)


def totals_at(plane: Plane, sizes: list[int]) -> np.ndarray:
    """Probability of each total of further studies at every point of the plane, shape (total + 1, v, u)."""
    mu, rho = plane.at
    kappa = 1 / rho - 1
    whole = np.ones((1, *mu.shape))
    for n in sizes:
        one = np.stack([stats.betabinom.pmf(y, n, mu * kappa, (1 - mu) * kappa) if n <= 0
                        else np.exp(special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
                                    + special.betaln(mu * kappa + y, (1 - mu) * kappa + n - y)
                                    - special.betaln(mu * kappa, (1 - mu) * kappa)) for y in range(n + 1)])
        both = np.zeros((len(whole) + n, *mu.shape))
        for at, part in enumerate(whole):
            both[at : at + n + 1] += part * one
        whole = both
    return whole


READINGS = {
    "as_printed": (157, 212, {"fir_2019": 19, "gum_2020": 28}, -2),
    "fewer_fir": (155, 208, {"fir_2019": 15, "gum_2020": 28}, -2),
    "one_denominator": (157, 210, {"fir_2019": 19, "gum_2020": 28}, 0),
}
"""Total events and base, unknown studies with their patients, patients of all studies minus the base: the known five
are 24 + 41 + 15 + 31 + 52 = 163 patients with 123 remissions, so 163 + 47 = 210 and 163 + 43 = 206."""


def test_published_totals(seen):
    rows = Table(seen, "published_totals.csv")
    assert [row["scenario"] for row in rows.rows] == list(READINGS)
    plane = cr_plane()
    planes = {sizes: totals_at(plane, list(sizes)) for sizes in {tuple(one[2].values()) for one in READINGS.values()}}
    for row in rows.rows:
        events, base, missing, gap = READINGS[row["scenario"]]
        left, at_points = events - 123, planes[tuple(missing.values())]
        rows.check(row, scenario=row["scenario"], total_events=events, total_n=base, total_k=7,
                   missing_events=left, missing_n=sum(missing.values()), base_gap=gap,
                   note=lambda text: bool(text), missing=" ".join(f"{name}:{n}" for name, n in missing.items()))
        chances = (at_points * plane.weights).sum(axis=(1, 2))
        mid_p = chances[:left].sum() + chances[left] / 2
        rows.check(row, within=2e-4, probability=chances[left], mid_p=mid_p, two_sided=2 * min(mid_p, 1 - mid_p))
        rows.check(row, within=5e-3, expected_events=float(np.arange(len(chances)) @ chances))
        ends = [int(np.searchsorted(np.cumsum(chances), p)) for p in (0.025, 0.975)]
        rows.check(row, events_lower=ends[0], events_upper=ends[1])
        with np.errstate(divide="ignore"):
            both = cr_plane(extra=np.log(at_points[left]))
        for prefix, one in (("known_", plane), ("", both)):
            middle, low, high = one.limits("mean_rate")
            rows.check(row, within=3e-4, **{f"{prefix}median": middle, f"{prefix}lower": low, f"{prefix}upper": high})
            ordered(rows.numbers(row), f"{prefix}lower", f"{prefix}median", f"{prefix}upper")
        ordered(rows.numbers(row), "events_lower", "expected_events", "events_upper")
    rows.complete(endpoint="cr", model="beta_binomial", tiers="AB", study_set="review", absent=None,
                  reason=None, denominators="treated", known_k=5, known_events=123, known_n=163, missing_k=2,
                  status="computed", level=LEVEL, interval="credible", stamp=None)


def _split(total: int, sizes: list[int], how: str) -> list[int]:
    if how == "total_even":
        shares = [total * n // sum(sizes) for n in sizes]
        order = sorted(range(len(sizes)), key=lambda at: -(total * sizes[at] % sum(sizes)))
        for at in order[: total - sum(shares)]:
            shares[at] += 1
        return shares
    order = sorted(range(len(sizes)), key=lambda at: sizes[at], reverse=how == "total_in_largest")
    shares = [0] * len(sizes)
    for at in order:
        shares[at] = min(sizes[at], total)
        total -= shares[at]
    return shares


def _bound_counts(plane: Plane, bound: str, scenario: str) -> dict[str, tuple[int, int]]:
    """Counts of the missing studies under a bound, the largest study first where no total names them."""
    if scenario:
        events, _, missing, _ = READINGS[scenario]
        return {name: (y, n) for (name, n), y in zip(missing.items(),
                                                     _split(events - 123, list(missing.values()), bound), strict=True)}
    sizes = {"gum_2020": 28, "fir_2019": 19}
    p = 0.025 if bound.endswith("low") else 0.975

    def quantile(of: list[int]) -> int:
        return int(np.searchsorted(np.cumsum((totals_at(plane, of) * plane.weights).sum(axis=(1, 2))), p))

    found = {"extreme_low": lambda: [0, 0], "extreme_high": lambda: [28, 19],
             "each_low": lambda: [quantile([n]) for n in sizes.values()]}
    found["each_high"] = found["each_low"]
    found["joint_low"] = found["joint_high"] = lambda: _split(quantile([28, 19]), [28, 19], "total_even")
    return {name: (y, n) for (name, n), y in zip(sizes.items(), found[bound](), strict=True)}


def test_missing_bounds(seen):
    rows, plane = Table(seen, "missing_bounds.csv"), cr_plane()
    splits = ["total_even", "total_in_largest", "total_in_smallest"]
    assert [(row["bound"], row["scenario"]) for row in rows.rows] == [
        ("headline", ""),
        *((name, "") for name in ("extreme_low", "extreme_high", "each_low", "each_high", "joint_low", "joint_high")),
        *((name, scenario) for scenario in READINGS for name in splits),
        ("published", ""),
    ]
    for row in rows.rows:
        bound, printed = row["bound"], REPORTED["R01"]
        rows.check(row, bound=bound, scenario=row["scenario"], note=lambda text: True, model=None
                   if bound == "published" else "beta_binomial", status="published" if bound == "published"
                   else "computed", interval="confidence" if bound == "published" else "credible")
        if bound == "published":
            rows.check(row, median=float(printed["estimate"]), lower=float(printed["ci_low"]),
                       upper=float(printed["ci_high"]), missing=None, missing_n=None, missing_events=None)
            continue
        given = {} if bound == "headline" else _bound_counts(plane, bound, row["scenario"])
        rows.check(row, missing=" ".join(f"{name}:{y}/{n}" for name, (y, n) in given.items()) or None,
                   missing_n=sum(n for _, n in given.values()) if given else None,
                   missing_events=sum(y for y, _ in given.values()) if given else None)
        studies = counts("cr") + [Counts(name, y, n, "", "") for name, (y, n) in given.items()]
        middle, low, high = cr_plane(studies).limits("mean_rate")
        rows.check(row, within=3e-4, median=middle, lower=low, upper=high)
        ordered(rows.numbers(row), "lower", "median", "upper")
    rows.complete(endpoint="cr", tiers="AB", study_set="review", known_k=5, known_n=163, published_k=7,
                  missing_k=2, reason=None, level=LEVEL, stamp=None)


def pit_of(plane: Plane, study) -> float:
    """Predictive mid-p of a study's count, or of its survival, given the others."""
    location, spread, weight = plane.points()
    if isinstance(study, Counts) and plane.model == "beta_binomial":
        kappa = 1 / spread - 1
        shape = (study.n, location * kappa, (1 - location) * kappa)
        pmf = stats.betabinom.pmf(np.arange(study.events + 1)[:, None], *shape)
        return float(weight @ (pmf[:-1].sum(axis=0) + pmf[-1] / 2))
    z = np.linspace(-6, 6, 49)
    rule = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    theta = location[:, None] + spread[:, None] * z
    if isinstance(study, Counts):
        ends = [special.bdtr(y, study.n, special.expit(theta)) if y >= 0 else 0.0
                for y in (study.events - 1, study.events)]
        inside = sum(ends) / 2
    elif study.months:
        expected = study.months * np.exp(theta)
        inside = 1 - (special.pdtr(study.events - 1, expected) + special.pdtr(study.events, expected)) / 2
    else:
        return float(weight @ special.ndtr((location - study.value) / np.hypot(spread, study.below)))
    return float(weight @ (inside @ rule))


def _given(row) -> dict[str, str]:
    if row["model"] == "log_hazard":
        return hazard_priors()
    return (MATCHED if row["which_priors"] == "matched" else DEFAULTS)[row["model"]]


def _without(studies, study_id: str):
    return [study for study in studies if study.study_id != study_id]


def test_leave_one_out(seen):
    rows = Table(seen, "leave_one_out.csv")
    for row in rows.rows:
        studies = studies_of(row["endpoint"])
        own = next(study for study in studies if study.study_id == row["study_id"])
        whole = posterior(row["model"], studies, _given(row))
        rest = posterior(row["model"], _without(studies, own.study_id), _given(row))
        pit = pit_of(rest, own)
        rows.check(row, within=1e-3, elpd_loo=whole.log_evidence - rest.log_evidence, pit=pit, two_sided=2
                   * min(pit, 1 - pit))
        rows.check(row, study_id=own.study_id, label=STUDIES[own.study_id]["label"],
                   which_priors=row["which_priors"], model=row["model"], endpoint=row["endpoint"])
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
        rows.check(row, model=row["model"], priors=text if row["model"] != "log_hazard"
                   else lambda found: bool(found), **same)
        rows.check(row, within=2e-3, log_evidence=whole.log_evidence)
        rows.check(row, within=5e-4, elpd_loo=each.sum(), elpd_loo_se=math.sqrt(len(each)) * each.std(ddof=1))
        first = chosen(seen.tables["leave_one_out.csv"], model="beta_binomial", **same)
        gap = each - [value(one["elpd_loo"]) for one in first] if row["model"] == "logit_normal" else None
        rows.check(row, within=5e-4, elpd_difference=None if gap is None else gap.sum(), elpd_difference_se=None
                   if gap is None else math.sqrt(len(gap)) * gap.std(ddof=1))
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


def _arms(middle: float, low: float, high: float) -> float:
    logit = special.logit([low, middle, high])
    return (logit[1] - logit[0]) / (logit[2] - logit[1])


def test_interval_shapes(seen):
    rows = Table(seen, "interval_shapes.csv")
    assert [row["reported_id"] for row in rows.rows] == ["R01", "R02", "R06"]
    for row in rows.rows:
        printed = REPORTED[row["reported_id"]]
        numbers = [float(printed[name]) for name in ("estimate", "ci_low", "ci_high")]
        ratios = [_arms(*(one + step for one, step in zip(numbers, steps, strict=True)))
                  for steps in product((-0.005, 0.005), repeat=3)]
        rows.check(row, endpoint=printed["endpoint"], subset=printed["subset"], published=numbers[0],
                   published_lower=numbers[1], published_upper=numbers[2], reported_id=row["reported_id"])
        rows.check(row, within=1e-4, arm_ratio_low=min(ratios), arm_ratio_high=max(ratios))
        own = [_arms(*(value(one[name]) for name in ("estimate", "lower", "upper")))
               for one in chosen(seen.tables["frequentist.csv"], endpoint=row["endpoint"],
                                 subset=row["subset"], estimand="mean_rate")]
        rows.check(row, within=5e-4, methods_low=min(own), methods_high=max(own))
        found = rows.numbers(row)
        # 80 sets filled in at random: a ratio from near the published kind's, neither of them extreme.
        rows.check(row, completed=80, completed_low=between(0.3, 1.2),
                   completed_high=between(0.8, 3.0), share_at_least_as_lopsided=between(0.0, 1.0),
                   symmetric_about=_symmetric(numbers))
        ordered(found, "arm_ratio_low", "arm_ratio_high")
        ordered(found, "completed_low", "completed_high")
        low = min(found["methods_low"], found["completed_low"])
        high = max(found["methods_high"], found["completed_high"])
        outside = found["arm_ratio_low"] > high or found["arm_ratio_high"] < low
        rows.check(row, finding="we could not reproduce this interval" if outside else "within what the methods give")
    rows.complete(stamp=None)


def _symmetric(numbers: list[float]) -> str | None:
    """Scales on which numbers that round to the printed ones have arms of equal length."""
    scales = {"percentage": lambda x: x, "logit": special.logit, "arcsine": lambda x: np.arcsin(np.sqrt(x))}
    found = []
    for name, to in scales.items():
        gaps = [to(numbers[1] + a) + to(numbers[2] + b) - 2 * to(numbers[0] + c)
                for a, b, c in product((-0.005, 0.005), repeat=3)]
        found += [name] if min(gaps) <= 0 <= max(gaps) else []
    return " ".join(found) or None


def test_priors_in_words_are_read():
    assert priors("mu ~ Beta(1, 1); rho ~ Beta(1, 4)") == DEFAULTS["beta_binomial"]
