"""Tables of what a conclusion hangs on: choices, priors, single studies, subsets, sizes and covariates."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from tests.seen import facts
from tests.seen.checking import Table, between, chosen, one_of, ordered, single, value
from tests.seen.facts import ENDPOINTS, LEVEL, STUDIES, Counts, counts, is_member, studies_of, table
from tests.seen.methods import estimates
from tests.seen.posterior import DEFAULTS, Plane, U, V, likelihood, posterior, prior, priors
from tests.seen.test_analyses import pit_of
from tests.seen.test_fits import hazard_priors

MAIN = {"cr": "mean_rate", "tox": "mean_rate", "os": "survival"}
HEADLINE = {"cr": "beta_binomial", "tox": "beta_binomial", "os": "log_hazard"}
SPREAD = {"cr": "rho", "tox": "rho", "os": "tau"}


def months(endpoint: str) -> float | None:
    return 12.0 if endpoint == "os" else None


def headline(endpoint: str, studies=None) -> Plane:
    given = DEFAULTS.get(HEADLINE[endpoint]) or hazard_priors()
    return posterior(HEADLINE[endpoint], studies_of(endpoint) if studies is None else studies, given)


def _changed(row) -> list:
    """The studies of a variant: the headline's with what the column `studies` says, or what the label says."""
    endpoint, label = row["endpoint"], row["variant"]
    if endpoint == "os":
        return _changed_hazards(row, label)
    own = {study.study_id: study for study in studies_of(endpoint)}
    for text in row["studies"].removeprefix("'").split():
        name, _, cell = text[1:].partition(":")
        if text[0] == "-":
            del own[name]
        else:
            y, n = map(int, cell.split("/"))
            own[name] = Counts(name, y, n, "", "")
    return list(own.values())


def _changed_hazards(row, label: str) -> list:
    whole = studies_of("os")
    if row["dimension"] == "factor":
        return facts.hazards(factor=float(label.split()[0]))
    if row["dimension"] == "joint":
        one, other = (_changed_hazards({"dimension": ""}, part) for part in label.split(" and "))
        return [study for study in one if study in other]
    wanted = {"without EFS": lambda: [one for one in whole if one.definition
                                      != "EFS"], "the landmark where both are printed": lambda:
              [facts.birch_landmark() if one.study_id == "birch_2016" else one
               for one in whole], "no landmark before 6 months": lambda: facts.hazards(early=False),
              "tiers A": lambda: studies_of("os", tiers="A"),
              "tier A": lambda: studies_of("os", tiers="A"),
              "tiers A, B, C": lambda: studies_of("os", tiers="ABC"),
              "with Gum 2020 (median)": lambda: studies_of("os", tiers="ABC")}
    return wanted.get(label, lambda: whole)()


def _contents(label: str, endpoint: str) -> dict:
    """What a rate's variant must consist of, by its label and by hand."""
    if endpoint == "os":
        return {}
    both = {study.study_id: (study.events, study.n) for study in counts(endpoint)}
    everyone = {study.study_id: (study.events, study.n) for study in counts(endpoint, tiers="ABC", study_set="all")}
    only_a = {study.study_id: (study.events, study.n) for study in counts(endpoint, tiers="A")}

    def without(column: str, text: str) -> dict:
        rows = {row["study_id"] for row in table("responses.csv") if row["endpoint"] == endpoint
                and row[column] == text}
        return {name: cell for name, cell in both.items() if name not in rows}

    return {"tier A": only_a, "tiers A, B, C": {**both, "gum_2020": everyone.get("gum_2020")},
            "with Gum 2020 (15/28)": {**both, "gum_2020": (15, 28)},
            "review and extension studies": {**both, "hazel_2021": (50, 63)},
            **{f"without: {text}": without("timing", text) for text in ("day 28", "month 3")},
            **{f"without: {text}": without("grading", text)
               for text in ("Lee", "Penn")}, "enrolled, known for 2 of 5 studies":
            {**both, "ash_2015": (20, 30), "dogwood_2018": (21, 37)},
            **{f"Dogwood 2018: {y}/29 for 21/31": {**both, "dogwood_2018": (y, 29)} for y in (19, 20, 21)}}


def test_sensitivity(seen):
    rows = Table(seen, "sensitivity.csv")
    for endpoint in ENDPOINTS:
        own = chosen(rows.rows, endpoint=endpoint)
        assert own[0]["dimension"] == own[0]["variant"] == "headline"
        assert len({(row["dimension"], row["variant"]) for row in own}) == len(own) > 15
        for row in own:
            _variant(rows, row, own[0])
    rows.complete(level=LEVEL, status="computed", reason=None, stamp=None)


def _variant(rows, row, first) -> None:
    endpoint, model, studies = row["endpoint"], row["model"], _changed(row)
    by_hand = _contents(row["variant"], endpoint).get(row["variant"])
    if by_hand is not None:
        assert {study.study_id: (study.events, study.n) for study in studies} == by_hand, row["variant"]
    elif row["dimension"] in ("headline", "prior", "family", "family_prior"):
        assert not row["studies"]
    assert row["dimension"] not in ("family", "family_prior") or model == "logit_normal"
    plane = posterior(model, studies, priors(row["priors"]))
    tiers = {"tier A": "A", "tiers A, B, C": "ABC"}.get(row["variant"], "ABC" if row["dimension"] == "tier_row"
                                                        else "AB")
    printed = {"cr": "0.76", "tox": "0.21", "os": "0.61"}[endpoint]
    rows.check(row, endpoint=endpoint, dimension=row["dimension"], variant=row["variant"], model=model,
               tiers=tiers, priors=row["priors"], studies=row["studies"] or None, estimand=MAIN[endpoint],
               published=printed, study_set="all" if row["dimension"] == "study_set" else "review",
               heterogeneity="rho" if model == "beta_binomial" else "rho" if model == "logit_normal"
               else "tau", time_months=months(endpoint), factor=None if endpoint != "os"
               else float(row["variant"].split()[0]) if row["dimension"] == "factor" else 1.25,
               k_studies=len(studies), n_patients=sum(study.n for study in studies))
    if row["dimension"] == "prior":
        parts = dict(part.split(" ~ ") for part in row["variant"].split("; "))
        usual = priors(first["priors"])
        for name, text in priors(row["priors"]).items():
            assert _numbers(text) == pytest.approx(_numbers(parts.get(name, usual[name])), rel=6e-3), row["variant"]
    middle, low, high = plane.limits(MAIN[endpoint], months(endpoint))
    rows.check(row, within=5e-4, median=middle, lower=low, upper=high)
    _new_study(rows, row, plane)
    spread = row["heterogeneity"]
    rows.check(row, within=0.01 * plane.sd(spread) + 1e-5, heterogeneity_median=plane.quantile(spread, 0.5))
    _conclusion(rows, row, first)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.partition("(")[2].rstrip(")").split(",")]


def _new_study(rows, row, plane) -> None:
    found = rows.numbers(row)
    for name, p in (("new_lower", 0.025), ("new_median", 0.5), ("new_upper", 0.975)):
        assert plane.new_below(found[name], months(row["endpoint"])) == pytest.approx(p, abs=4e-3), (row, name)
        rows.check(row, **{name: found[name]})
    ordered(found, "new_lower", "new_median", "new_upper")
    ordered(found, "lower", "median", "upper")


def _conclusion(rows, row, first) -> None:
    own, head = rows.numbers(row), rows.numbers(first)
    change, width = own["median"] - head["median"], head["upper"] - head["lower"]
    printed = float(row["published"])
    moves = abs(change) > width / 2
    outside = not (head["lower"] <= own["median"] <= head["upper"] and own["lower"] <= head["median"] <= own["upper"])
    crosses = (own["lower"] <= printed <= own["upper"]) != (head["lower"] <= printed <= head["upper"])
    rows.check(row, within=2e-4, change=100 * change)
    # With a constant hazard the median is 12 months times log 2 over -log of survival at 12 months.
    times = [12 * math.log(2) / -math.log(one["median"]) for one in (own, head)]
    months = times[0] - times[1] if row["endpoint"] == "os" else None
    rows.check(row, within=5e-3, change_months=months)
    far, far_months = 100 * abs(change) > 5, None if months is None else abs(months) > 2
    rows.check(row, moves=moves, far=far, far_months=far_months, outside=outside, crosses=crosses,
               changes=moves or far or bool(far_months) or outside or crosses)


def test_power_scaling(seen):
    rows = Table(seen, "power_scaling.csv")
    assert [(row["endpoint"], row["scaled"]) for row in rows.rows] == [
        (endpoint, name)
        for endpoint in ENDPOINTS
        for name in ("likelihood", "prior", *(("eta", "tau") if endpoint == "os" else ("mu", "rho")))
    ]
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        given = DEFAULTS.get(HEADLINE[endpoint]) or hazard_priors()
        logs = {name: prior(text)(part)
                for (name, text), part in zip(given.items(), headline(endpoint).at, strict=True)}
        logs |= {"prior": sum(logs.values()), "likelihood": sum(likelihood(HEADLINE[endpoint], one) for one in studies)}
        planes = {alpha: posterior(HEADLINE[endpoint], studies, given, extra=(alpha - 1) * logs[row["scaled"]])
                  for alpha in (0.8, 1.25)} | {1.0: headline(endpoint)}
        means = {alpha: one.mean(MAIN[endpoint], months(endpoint)) for alpha, one in planes.items()}
        sd = planes[1.0].sd(MAIN[endpoint], months(endpoint))
        rows.check(row, within=3e-4, mean=means[1.0], mean_low=means[0.8], mean_high=means[1.25], sd=sd,
                   **{name: planes[alpha].quantile(MAIN[endpoint], 0.5, months(endpoint))
                      for name, alpha in (("median", 1.0), ("median_low", 0.8), ("median_high", 1.25))})
        rows.check(row, within=3e-3, shift=(means[1.25] - means[0.8]) / sd / math.log2(1.25 / 0.8))
        words = {name: f"{name} ~ {text}" for name, text in given.items()}
        wanted = {"likelihood": None, "prior": "; ".join(words.values())}.get(row["scaled"], words.get(row["scaled"]))
        rows.check(row, endpoint=endpoint, model=HEADLINE[endpoint], scaled=row["scaled"],
                   flat=row["scaled"] == "mu", prior=wanted if endpoint != "os" else lambda text: True,
                   estimand=MAIN[endpoint], time_months=months(endpoint), k_studies=len(studies),
                   n_patients=sum(one.n for one in studies))
    rows.complete(tiers="AB", study_set="review", alpha_low=0.8, alpha_high=1.25, status="computed", reason=None,
                  stamp=None)


def test_influence(seen):
    rows = Table(seen, "influence.csv")
    assert [(row["endpoint"], row["study_id"]) for row in rows.rows] == [
        (endpoint, study.study_id) for endpoint in ENDPOINTS for study in studies_of(endpoint)
    ]
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        own = next(study for study in studies if study.study_id == row["study_id"])
        whole, rest = headline(endpoint), headline(endpoint, [one for one in studies if one is not own])
        for prefix, plane in (("full_", whole), ("", rest)):
            middle, low, high = plane.limits(MAIN[endpoint], months(endpoint))
            rows.check(row, within=4e-4, **{f"{prefix}median": middle, f"{prefix}lower": low, f"{prefix}upper": high})
            ordered(rows.numbers(row), f"{prefix}lower", f"{prefix}median", f"{prefix}upper")
        spread, found = SPREAD[endpoint], rows.numbers(row)
        rows.check(row, within=2e-3, full_heterogeneity=whole.quantile(spread, 0.5),
                   heterogeneity_median=rest.quantile(spread, 0.5))
        rows.check(row, within=3e-6, shift=found["median"] - found["full_median"],
                   heterogeneity_shift=found["heterogeneity_median"] - found["full_heterogeneity"])
        rows.check(row, within=2e-4, full_sd=whole.sd(MAIN[endpoint], months(endpoint)))
        rows.check(row, within=1e-4, shift_sd=found["shift"] / found["full_sd"])
        _surprise(rows, row, whole, rest, own)
        rows.check(row, endpoint=endpoint, model=HEADLINE[endpoint], study_id=own.study_id, n=own.n,
                   estimand=MAIN[endpoint], label=STUDIES[own.study_id]["label"], k_studies=len(studies),
                   time_months=months(endpoint), heterogeneity=spread)
    rows.complete(subset="all", tiers="AB", study_set="review", level=LEVEL, interval="credible",
                  status="computed", reason=None, stamp=None)


def _surprise(rows, row, whole, rest, own) -> None:
    pit = pit_of(rest, own)
    rows.check(row, within=1.5e-3, elpd_loo=whole.log_evidence - rest.log_evidence, pit=pit, two_sided=2
               * min(pit, 1 - pit))
    found = rows.numbers(row)
    rows.check(row, within=1e-4, surprise_bits=-math.log2(found["two_sided"]))
    each = likelihood(whole.model, own)
    bits = ((whole.weights * each).sum() - found["elpd_loo"]) / math.log(2)
    rows.check(row, named=found["two_sided"] < 0.05, pareto_k=between(-1.0, 1.2))
    rows.check(row, within=4e-3, information_bits=bits)
    chance = 0.05
    if isinstance(own, Counts):
        location, spread, weight = rest.points()
        kappa = 1 / spread - 1
        pmf = (stats.betabinom.pmf(np.arange(own.n + 1)[:, None], own.n, location * kappa, (1 - location) * kappa)
               @ weight)
        mid = np.cumsum(pmf) - pmf / 2
        chance = pmf[2 * np.minimum(mid, 1 - mid) < 0.05].sum()
    rows.check(row, within=2e-3, chance_named=chance)


def test_subset_differences(seen):
    rows = Table(seen, "subset_differences.csv")
    assert [(row["endpoint"], row["subset"]) for row in rows.rows] == [(endpoint, subset) for endpoint in ENDPOINTS
                                                                       for subset in ("adult_only", "cd22")]
    rules = {"adult_only": "cohort adult", "cd22": "target CD22"}
    for row in rows.rows:
        endpoint, subset, whole = row["endpoint"], row["subset"], studies_of(row["endpoint"])
        sides = {name: [one for one in whole if is_member(one.study_id, subset) is inside]
                 for name, inside in (("subset", True), ("rest", False))}
        planes = {name: headline(endpoint, own) for name, own in sides.items()}
        for name, own in sides.items():
            middle, low, high = planes[name].limits(MAIN[endpoint], months(endpoint))
            rows.check(row, within=5e-4, **{f"{name}_median": middle, f"{name}_lower": low, f"{name}_upper": high})
            rows.check(row, **{f"{name}_k": len(own), f"{name}_n": sum(one.n for one in own)})
            ordered(rows.numbers(row), f"{name}_lower", f"{name}_median", f"{name}_upper")
        at = (np.arange(700) + 0.5) / 700
        ends = [planes[name].quantiles(MAIN[endpoint], at, months(endpoint)) for name in ("subset", "rest")]
        apart = (ends[0][:, None] - ends[1]).ravel()
        low, middle, high = np.quantile(apart, [0.025, 0.5, 0.975])
        rows.check(row, within=2.5e-3, difference=middle, difference_lower=low, difference_upper=high,
                   positive=np.mean(apart > 0))
        ordered(rows.numbers(row), "difference_lower", "difference", "difference_upper")
        unknown = len(whole) - sum(map(len, sides.values()))
        few = any(len(own) < 3 for own in sides.values())
        rows.check(row, endpoint=endpoint, subset=subset, label=facts.SUBSET_LABELS[subset], rule=rules[subset],
                   model=HEADLINE[endpoint], estimand=MAIN[endpoint], time_months=months(endpoint),
                   unknown_k=unknown, note=lambda text, few=few,
                   unknown=unknown: (("prior-dominated" in (text or "")) == few
                                     and (f"{unknown} on neither side" in (text or "")) == bool(unknown)))
    rows.complete(tiers="AB", study_set="review", level=LEVEL, interval="credible", status="computed",
                  reason=None, stamp=None)


def test_small_studies(seen):
    rows = Table(seen, "small_studies.csv")
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        rows.check(row, endpoint=endpoint, model=HEADLINE[endpoint], k_studies=len(studies),
                   estimand=MAIN[endpoint], time_months=months(endpoint),
                   part=one_of("regression", "study", "limit"),
                   interval={"regression": "confidence", "study": None, "limit": "prediction"}[row["part"]])
        {"regression": _size_regression, "study": _size_study, "limit": _funnel}[row["part"]](seen, rows, row, studies)
    for endpoint in ENDPOINTS:
        parts = [row["part"] for row in chosen(rows.rows, endpoint=endpoint)]
        k = len(studies_of(endpoint))
        assert parts == ["regression"] + ["study"] * k + ["limit"] * (len(parts) - 1 - k) and len(parts) > k + 12
        steps = [value(row["precision"]) for row in chosen(rows.rows, endpoint=endpoint, part="limit")]
        assert steps == sorted(set(steps))
    rows.complete(tiers="AB", study_set="review", level=LEVEL, status="computed", reason=None, stamp=None)


_SLOPES = ("slope", "slope_se", "slope_lower", "slope_upper", "slope_two_sided", "slope_two_sided_t",
           "ratio", "ratio_lower", "ratio_upper", "detectable_ratio", "egger_two_sided")
_STUDY = ("study_id", "label", "observed", "pit", "two_sided", "z")
_LIMIT = ("predicted", "predicted_lower", "predicted_upper")


def _size_regression(seen, rows, row, studies) -> None:
    slope, error = _fit_slope(studies)
    step = 1 / math.sqrt(10) - 1 / math.sqrt(40)
    rows.check(row, within=0.01 * error, slope=slope)
    rows.check(row, within=0.02 * error, slope_se=error)
    found, z = rows.numbers(row), stats.norm.ppf(0.975)
    ends = [found["slope"] - z * found["slope_se"], found["slope"] + z * found["slope_se"]]
    rows.check(row, within=1e-4, slope_lower=ends[0], slope_upper=ends[1])
    rows.check(row, within=1e-3 * math.exp(step * ends[1]), ratio=math.exp(step * found["slope"]),
               ratio_lower=math.exp(step * ends[0]), ratio_upper=math.exp(step * ends[1]),
               detectable_ratio=math.exp(step * (z + stats.norm.ppf(0.8)) * found["slope_se"]))
    ordered(found, "slope_lower", "slope", "slope_upper")
    ordered(found, "ratio_lower", "ratio", "ratio_upper")
    t = abs(found["slope"] / found["slope_se"])
    y, v = estimates(studies)
    line = stats.linregress(1 / np.sqrt(v), y / np.sqrt(v))
    egger = 2 * stats.t.sf(abs(line.intercept / line.intercept_stderr), len(y) - 2)
    rows.check(row, within=1e-4, slope_two_sided=2 * stats.norm.sf(t), slope_two_sided_t=2
               * stats.t.sf(t, len(y) - 2), egger_two_sided=egger)
    rows.check(row, n=None, precision=None, **dict.fromkeys((*_STUDY, *_LIMIT)))


def _fit_slope(studies) -> tuple[float, float]:
    """Slope on 1/sqrt(n): beta-binomial maximum likelihood with observed information, or REML of log hazards."""
    x = 1 / np.sqrt([study.n for study in studies])
    if not isinstance(studies[0], Counts):
        y, v = estimates(studies)
        design = np.stack([np.ones(len(x)), x], axis=1)

        def parts(t: float):
            weight = 1 / (v + t)
            inner = np.linalg.inv(design.T @ (design * weight[:, None]))
            beta = inner @ design.T @ (weight * y)
            return weight, inner, beta

        def minus(t: float) -> float:
            weight, inner, beta = parts(t)
            return -0.5 * (np.log(weight).sum() + np.linalg.slogdet(inner)[1] - weight @ (y - design @ beta) ** 2)

        best = min(np.concatenate([[0.0], np.geomspace(1e-6, 3, 3000)]), key=minus)
        _, inner, beta = parts(best)
        return float(beta[1]), math.sqrt(inner[1, 1])

    def minus_log(at) -> float:
        mu, rho = special.expit(at[0] + at[1] * x), math.exp(at[2])
        kappa = 1 / rho
        return -sum(stats.betabinom.logpmf(one.events, one.n, p * kappa, (1 - p) * kappa)
                    for one, p in zip(studies, mu, strict=True))

    best = optimize.minimize(minus_log, [0.0, 0.0, -3.0], method="Nelder-Mead",
                             options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000}).x
    h, eye = 1e-3, np.eye(3)
    hessian = np.array([[(minus_log(best + h * (a + b)) - minus_log(best + h * (a - b))
                          - minus_log(best - h * (a - b)) + minus_log(best - h * (a + b))) / (4 * h * h)
                         for b in eye] for a in eye])
    kept = hessian if hessian[2, 2] > 1e-4 else hessian[:2, :2]  # on the boundary the spread has no curvature
    return float(best[1]), math.sqrt(np.linalg.inv(kept)[1, 1])


def _size_study(seen, rows, row, studies) -> None:
    own = next(study for study in studies if study.study_id == row["study_id"])
    twin = single(seen.tables["influence.csv"], endpoint=row["endpoint"], study_id=own.study_id)
    rows.check(row, label=STUDIES[own.study_id]["label"], study_id=own.study_id, n=own.n,
               two_sided=value(twin["two_sided"]))
    mid_p = value(twin["pit"]) if isinstance(own, Counts) else 1 - value(twin["pit"])  # of the hazard
    rows.check(row, within=2e-5, pit=mid_p, z=stats.norm.ppf(mid_p))
    if isinstance(own, Counts):
        rows.check(row, precision=own.n, observed=own.events / own.n)
    else:
        log_hazard, error = own.estimate
        rows.check(row, precision=1 / error**2, observed=math.exp(-12 * math.exp(log_hazard)))
    rows.check(row, **dict.fromkeys((*_SLOPES, *_LIMIT)))


def _funnel(seen, rows, row, studies) -> None:
    """Predictive limits of the observed value of a further study of this size."""
    plane, found = headline(row["endpoint"]), rows.numbers(row)
    location, spread, weight = plane.points()
    names = ("predicted_lower", "predicted", "predicted_upper")
    if isinstance(studies[0], Counts):
        n = int(found["precision"])
        kappa = 1 / spread - 1
        pmf = stats.betabinom.pmf(np.arange(n + 1)[:, None], n, location * kappa, (1 - location) * kappa) @ weight
        mid = np.cumsum(pmf) - pmf / 2
        ends = np.interp([0.025, 0.5, 0.975], mid, np.arange(n + 1)) / n
        rows.check(row, n=n, precision=n)
        rows.check(row, within=1e-3, **dict(zip(names, ends, strict=True)))
    else:
        width = np.sqrt(spread**2 + 1 / found["precision"])
        for name, p in zip(names, (0.025, 0.5, 0.975), strict=True):
            log_hazard = math.log(-math.log(found[name]) / 12)
            above = float(weight @ special.ndtr((log_hazard - location) / width))
            assert 1 - above == pytest.approx(p, abs=3e-3), row
        rows.check(row, n=None, precision=between(1, 500), **{name: found[name] for name in names})
    ordered(found, *names)
    rows.check(row, **dict.fromkeys((*_SLOPES, *_STUDY)))


COVARIATES = {row["covariate"]: row for row in table("covariates.csv")}


def cells(covariate: str, studies) -> np.ndarray:
    """The covariate of these studies as it stands in studies.csv, NaN where it is empty."""
    column = COVARIATES[covariate]["column"]
    return np.array([float(STUDIES[one.study_id][column] or "nan") for one in studies])


def _observed(covariate: str, endpoint: str):
    studies = studies_of(endpoint)
    return [one for one, x in zip(studies, cells(covariate, studies), strict=True) if not math.isnan(x)]


def test_regression(seen):
    rows = Table(seen, "regression.csv")
    for row in rows.rows:
        endpoint, analysis, covariate = row["endpoint"], row["analysis"], row["covariate"]
        studies = _observed(covariate, endpoint) if analysis == "complete_case" else studies_of(endpoint)
        x, facts_of = cells(covariate, studies), COVARIATES[covariate]
        rows.check(row, model=row["model"], endpoint=endpoint, covariate=covariate, analysis=analysis,
                   label=facts_of["label"], unit=facts_of["unit"], n_studies=len(studies),
                   n_patients=sum(one.n for one in studies), n_missing=int(np.isnan(x).sum()), lone_study=False)
        rows.check(row, within=1e-4 * np.nanmean(x), centre=float(np.nanmean(x)))
        _slope(rows, row, studies, x)
    _all_analyses(rows.rows)
    rows.complete(subset="all", tiers="AB", study_set="review", early_landmarks=True, level=LEVEL,
                  interval="credible", status="converged", failures=None, refused=None, stamp=None)


def _all_analyses(rows) -> None:
    for endpoint in ENDPOINTS:
        found = [(row["analysis"], row["covariate"]) for row in chosen(rows, endpoint=endpoint)]
        missing = [name for name in COVARIATES if len(_observed(name, endpoint)) < len(studies_of(endpoint))]
        wanted = ([("one_at_a_time", name) for name in COVARIATES] + [("complete_case", name) for name in missing]
                  + [("together", name) for name in COVARIATES])
        assert sorted(found) == sorted(wanted), endpoint


def _slope(rows, row, studies, x) -> None:
    found, endpoint = rows.numbers(row), row["endpoint"]
    names = ("lower", "median", "upper")
    rows.check(row, within=5e-5, **{f"ratio_{name}": math.exp(found[f"beta_{name}"]) for name in names})
    rows.check(row, **{f"beta_{name}": found[f"beta_{name}"] for name in (*names, "mean", "sd")})
    ordered(found, *(f"beta_{name}" for name in names))
    together = row["analysis"] == "together"
    rows.check(row, ratio_scale="hazard ratio" if endpoint == "os" else "odds ratio",
               engine=one_of("importance", "nuts"), heterogeneity=SPREAD[endpoint], seed=between(0, 2**31),
               beta_mcse=between(0, 0.1 * found["beta_sd"]),
               prior=lambda text: text.startswith("Normal(0, shrinkage)") == together and text.startswith("Normal(0, "))
    # A normal slope has no skew worth the name here: mean and median, SD and interval say the same.
    assert abs(found["beta_mean"] - found["beta_median"]) < 0.25 * found["beta_sd"]
    wide = (found["beta_upper"] - found["beta_lower"]) / 3.92
    assert 0.7 * found["beta_sd"] < wide < 1.15 * found["beta_sd"]
    # Slopes that share a scale have a spike at zero, which a normal law does not.
    chance = stats.norm.cdf(found["beta_median"] / found["beta_sd"])
    assert (found["probability_above_one"] > 0.5) == (found["beta_median"] > 0)
    rows.check(row, within=0.15 if together else 0.06, probability_above_one=chance)
    scale = _numbers(row["prior"].rpartition("~ ")[2] if together else row["prior"])[-1]
    # The prior speaks of a step of its own, `prior_size` of the column, in units of `unit_size`.
    size = found["prior_size"] / found["unit_size"]
    scale /= size
    rows.check(row, within=1e-4, sd_ratio=found["beta_sd"] / scale, prior_sd=scale,
               prior_sd_per_sd=scale * np.nanstd(x, ddof=1) / found["unit_size"])
    kept = max(1 - found["sd_ratio"] ** 2, 1e-9)
    rows.check(row, within=1e-5, chance_excluded=2 * stats.norm.sf(stats.norm.ppf(0.975) / math.sqrt(kept)))
    rows.check(row, unit_size=float(COVARIATES[row["covariate"]]["unit_size"]),
               prior_size=between(0.2 * np.nanstd(x), 5 * np.nanstd(x)), crude_beta=lambda found: True,
               crude_se=lambda found: found is None or found > 0, prior_tail=lambda found: found is None
               or 0 <= found <= 1, prior_conflict=lambda found: not found)
    without = headline(endpoint, studies).quantile(SPREAD[endpoint], 0.5)
    rows.check(row, within=2e-3, heterogeneity_without=without)
    rows.check(row, within=2e-5, heterogeneity_with=found["heterogeneity_with"],
               heterogeneity_explained=found["heterogeneity_without"] - found["heterogeneity_with"])
    _engine(rows, row)
    if not together and not np.isnan(x).any():
        _by_sums(rows, row, studies, (x - x.mean()) / float(COVARIATES[row["covariate"]]["unit_size"]), scale)


def _engine(rows, row) -> None:
    weighed = row["engine"] == "importance"
    for name in ("max_rhat", "min_ess_tail", "divergences", "min_bfmi", "chains", "target_accept"):
        rows.check(row, **{name: (lambda x, weighed=weighed: (x is None) == weighed)})
    rows.check(row, pareto_k=(lambda x: (x is not None and x < 0.7) == weighed), draws=between(500, 1e6),
               min_ess_bulk=between(400, 1e6), max_mcse_mean=between(0, 0.05),
               max_mcse_limit=between(0, 0.1), max_mcse_limit_heterogeneity=between(0, 0.15))


def _by_sums(rows, row, studies, x, scale) -> None:
    """The slope's posterior by sums over intercept, heterogeneity and slope; draws leave an error of 5 % SD."""
    model = HEADLINE[row["endpoint"]]
    given = list((DEFAULTS.get(model) or hazard_priors()).values())
    slopes = np.linspace(-4 * scale, 4 * scale, 61)
    logs = np.array([_evidence_at(model, studies, given, b * x) for b in slopes]) + stats.norm.logpdf(slopes, 0, scale)
    weight = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
    mean = float(weight @ slopes)
    sd = math.sqrt(weight @ (slopes - mean) ** 2)
    rows.check(row, within=0.1 * sd, beta_mean=mean,
               beta_median=float(np.interp(0.5, np.cumsum(weight) - weight / 2, slopes)))
    rows.check(row, within=0.08 * sd, beta_sd=sd)
    rows.check(row, within=0.03,
               probability_above_one=float(np.interp(0.0, slopes, 1 - np.cumsum(weight) + weight / 2)))


def _evidence_at(model, studies, given, shifts) -> float:
    u, v = U[model][::4][None, :], V[model][::4][:, None]
    if model == "beta_binomial":
        log = prior(given[0])(special.expit(u)) + special.log_expit(u) + special.log_expit(-u)
        log = log + prior(given[1])(special.expit(v)) + special.log_expit(v) + special.log_expit(-v)
    else:
        log = prior(given[0])(u) + prior(given[1])(np.exp(v)) + v
    for one, shift in zip(studies, shifts, strict=True):
        log = log + _moved(model, one, u + shift, v)
    return float(special.logsumexp(log))


def _moved(model, one, u, v) -> np.ndarray:
    if isinstance(one, Counts):
        kappa = np.exp(-v)
        a, b = special.expit(u) * kappa, special.expit(-u) * kappa
        return special.betaln(a + one.events, b + one.n - one.events) - special.betaln(a, b)
    tau = np.exp(v)
    if not one.months:
        return stats.norm.logpdf(one.value, u, np.sqrt(one.below**2 + tau**2))
    z = np.linspace(-6, 6, 41)
    theta = u[..., None] + tau[..., None] * z
    each = one.events * theta - one.months * np.exp(theta)
    return special.logsumexp(each, b=stats.norm.pdf(z) / stats.norm.pdf(z).sum(), axis=-1)


def test_regression_predictions(seen):
    """A curve over the observed range, with its band; at the centre it is near the estimate without a covariate."""
    rows = Table(seen, "regression_predictions.csv")
    for endpoint in ENDPOINTS:
        for covariate in COVARIATES:
            own = chosen(rows.rows, endpoint=endpoint, covariate=covariate)
            x = cells(covariate, studies_of(endpoint))
            steps = np.linspace(np.nanmin(x), np.nanmax(x), 41)
            assert len(own) == len(steps)
            slope = single(seen.tables["regression.csv"], endpoint=endpoint, covariate=covariate,
                           analysis="one_at_a_time")
            sign = value(slope["beta_median"]) * (-1 if endpoint == "os" else 1)
            for row, step in zip(own, steps, strict=True):
                rows.check(row, within=1e-5 * abs(step), value=step)
                rows.check(row, endpoint=endpoint, covariate=covariate, estimand=MAIN[endpoint],
                           time_months=months(endpoint),
                           **{name: value(row[name]) for name in ("median", "lower", "upper")})
                ordered(rows.numbers(row), "lower", "median", "upper")
            _curve(own, slope, sign, headline(endpoint), endpoint)
    rows.complete(level=LEVEL, interval="credible", stamp=None)


def _curve(own, slope, sign, plane, endpoint) -> None:
    """On the link scale the median's rise per unit is the slope, but for the interplay of draws: a tenth of its SD."""
    first, last = own[0], own[-1]
    to = (lambda s: math.log(-math.log(s) / 12)) if endpoint == "os" else special.logit
    unit = float(COVARIATES[first["covariate"]]["unit_size"])
    rise = ((to(value(last["median"])) - to(value(first["median"]))) / (value(last["value"]) - value(first["value"]))
            * unit)
    assert rise == pytest.approx(value(slope["beta_median"]), abs=0.15 * value(slope["beta_sd"]))
    middle = own[len(own) // 2]
    sd = plane.sd(MAIN[endpoint], months(endpoint))
    assert value(middle["median"]) == pytest.approx(plane.quantile(MAIN[endpoint], 0.5, months(endpoint)), abs=sd)


def test_regression_imputed(seen):
    """Missing cells: near a normal law of the observed ones, with the share of it beyond the bounds of the column."""
    rows = Table(seen, "regression_imputed.csv")
    wanted = [(endpoint, covariate, one.study_id) for endpoint in ENDPOINTS for covariate in COVARIATES
              for one in studies_of(endpoint) if not STUDIES[one.study_id][COVARIATES[covariate]["column"]]]
    assert sorted((row["endpoint"], row["covariate"], row["study_id"]) for row in rows.rows) == sorted(wanted)
    for row in rows.rows:
        studies = studies_of(row["endpoint"])
        own = next(one for one in studies if one.study_id == row["study_id"])
        x, found = cells(row["covariate"], studies), rows.numbers(row)
        mean, sd = np.nanmean(x), np.nanstd(x, ddof=1)
        rows.check(row, label=STUDIES[own.study_id]["label"], n=own.n, study_id=own.study_id,
                   covariate=row["covariate"], endpoint=row["endpoint"], median=between(mean - sd, mean + sd),
                   lower=between(mean - 5 * sd, mean - 1.2 * sd), upper=between(mean + 1.2 * sd, mean + 5 * sd))
        ordered(found, "lower", "median", "upper")
        low, high = (float(COVARIATES[row["covariate"]][name] or edge)
                     for name, edge in (("lowest", "-inf"), ("highest", "inf")))
        spread = (found["upper"] - found["lower"]) / 3.92
        outside = stats.norm.cdf(low, found["median"], spread) + stats.norm.sf(high, found["median"], spread)
        rows.check(row, within=0.04, probability_outside=outside)
    rows.complete(level=LEVEL, stamp=None)


def test_regression_collinearity(seen):
    rows = Table(seen, "regression_collinearity.csv")
    names = list(COVARIATES)
    pairs = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    assert sorted((row["endpoint"], row["covariate"], row["other"])
                  for row in rows.rows) == sorted((endpoint, *pair) for endpoint in ENDPOINTS for pair in pairs)
    for row in rows.rows:
        studies = studies_of(row["endpoint"])
        x, y = cells(row["covariate"], studies), cells(row["other"], studies)
        both = ~np.isnan(x) & ~np.isnan(y)
        r = stats.pearsonr(x[both], y[both]).statistic if both.sum() >= 3 else None
        rows.check(row, within=1e-5, n_studies=int(both.sum()), correlation=r)
        rows.check(row, **{name: row[name] for name in ("endpoint", "covariate", "other")})
    rows.complete(stamp=None)


def test_every_file_has_its_test(seen):
    """A new CSV of the report fails here until its cells are checked."""
    import re
    from pathlib import Path

    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert set(seen.tables) == set(re.findall(r'Table\(seen, "([a-z_]+\.csv)"\)', sources))
