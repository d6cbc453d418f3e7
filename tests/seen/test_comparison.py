"""Tables of the published numbers: beside ours, the steps from one to the other, and the shapes of their intervals."""

import math
from itertools import product

import numpy as np
from scipy import special

from tests.seen.checking import Table, between, chosen, ends, limits, ordered, single, value
from tests.seen.facts import LEVEL, REPORTED, STUDIES, counts, studies_of, table
from tests.seen.headline import HEADLINE
from tests.seen.posterior import posterior
from tests.seen.running import SAMPLED


def _ours(seen, endpoint: str, subset: str, tiers: str, estimand: str):
    return single(seen.tables["estimates.csv"], endpoint=endpoint, subset=subset, tiers=tiers,
                  estimand=estimand, early_landmarks="true", model=HEADLINE[endpoint], study_id="")


RULES = {row["reported_endpoint"] + "/" + row["statistic"]: row for row in table("comparisons.csv")}


def test_comparison(seen):
    rows = Table(seen, "comparison.csv")
    assert [row["reported_id"] for row in rows.rows] == list(REPORTED)
    for row in rows.rows:
        printed = REPORTED[row["reported_id"]]
        rule = RULES[f"{printed['endpoint']}/{printed['statistic']}"]
        rows.check(row, **{name: printed[name] for name in (
            "reported_id", "endpoint", "subset", "statistic", "units", "primary")})
        rows.check(row, published=printed["estimate"], published_lower=printed["ci_low"],
                   published_upper=printed["ci_high"], published_level=printed["level"],
                   published_interval="confidence" if printed["ci_low"] else None, published_k=printed["k_studies"],
                   published_n=printed["n_patients"], published_events=printed["events"],
                   published_note=printed["note"], our_endpoint=rule["endpoint"], estimand=rule["estimand"],
                   transform=rule["transform"])
        ordered(rows.numbers(row), "published_lower", "published", "published_upper")
        if rule["reason"]:
            _without_counterpart(rows, row, rule)
        elif rule["estimand"].startswith("crude"):
            _crude(rows, row, rule, printed)
        else:
            _pooled(seen, rows, row, rule, printed)
    rows.complete(stamp=None)


_EMPTY = ("model", "tiers", "k_studies", "n_patients", "events", "time_months", "mean", *ends(), "level", "interval",
          "difference", "width_ratio", "overlap", "probability_of_published_interval",
          *(f"tiers_{tiers}_{name}" for tiers in ("a", "abc") for name in ("k_studies", "n_patients", *ends())))


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
               **dict.fromkeys(_EMPTY) | {
                   "k_studies": len(own), "n_patients": n, "events": events, "mean": events / n, "median": events / n,
                   "difference": events / n - float(printed["estimate"])})


def _pooled(seen, rows, row, rule, printed) -> None:
    flip = rule["transform"] == "complement"
    ours = _ours(seen, rule["endpoint"], printed["subset"], "AB", rule["estimand"])
    rows.check(row, status="compared", tiers="AB", level=LEVEL, events=None,
               **{name: ours[name] for name in ("model", "interval", "k_studies", "n_patients", "time_months")},
               **_flipped(ours, flip, ("mean", *ends())))
    for tiers in ("A", "ABC"):
        other = _ours(seen, rule["endpoint"], printed["subset"], tiers, rule["estimand"])
        cells = {name: other[name] for name in ("k_studies", "n_patients")} | _flipped(other, flip, ends())
        rows.check(row, within=2e-6, **{f"tiers_{tiers.lower()}_{name}": cell for name, cell in cells.items()})
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
        rows.check(row, reason="no interval is published",
                   **dict.fromkeys(("width_ratio", "overlap", "probability_of_published_interval")))
        return
    if found["published_level"] != LEVEL:
        rows.check(row, reason="the published interval is a 90 % one: widths are not compared",
                   width_ratio=None, overlap=None)
    else:
        shared = max(0.0, min(found["upper"], high) - max(found["lower"], low))
        rows.check(row, within=1e-4, reason=None, width_ratio=(found["upper"] - found["lower"]) / (high - low),
                   overlap=shared / (high - low))
    plane = posterior(found["model"], studies_of(rule["endpoint"], row["subset"]))
    low, high = (1 - high, 1 - low) if rule["transform"] == "complement" else (low, high)
    inside = _below(plane, rule["estimand"], high) - _below(plane, rule["estimand"], low)
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


CURVE_OF_STEP = {"error rule": ("exponential", "Posterior, points of curves"),
                 "shape": ("weibull", "Posterior, falling hazard")}


def test_decomposition(seen):
    rows = Table(seen, "decomposition.csv")
    wanted = [identity for identity, printed in REPORTED.items() if printed["ci_low"] and printed["primary"] == "true"
              and printed["endpoint"] != "no_tox"]
    assert list(dict.fromkeys(row["reported_id"] for row in rows.rows)) == wanted
    for identity in wanted:
        own = chosen(rows.rows, reported_id=identity)
        shape = ["error rule", "shape"] * (own[0]["endpoint"] == "os")
        total = ["missing studies"] * (identity == "R01")
        assert [row["step"] for row in own] == ["published", "data", "method", "prior", *shape, *total]
        comparison = single(seen.tables["comparison.csv"], reported_id=identity)
        for before, row in zip([None, *own], own, strict=False):
            _step(seen, rows, row, comparison, before)
    rows.complete(stamp=None)


def _step(seen, rows, row, comparison, before) -> None:
    shared = {"reported_id": row["reported_id"], "endpoint": comparison["our_endpoint"],
              "subset": comparison["subset"], "estimand": comparison["estimand"], "unit": comparison["units"]}
    names, kind, note, cells = ("k_studies", "n_patients", "level"), "credible", lambda text: True, None
    if row["step"] == "published":
        source, label, kind = comparison, "Published", "confidence"
        cells = [value(comparison[name]) for name in ("published", "published_lower", "published_upper")]
        names = ("published_k", "published_n", "published_level")
    elif row["step"] == "prior":
        source, label = comparison, f"Posterior, {comparison['model'].replace('_', '-')}"
    elif row["step"] == "missing studies":
        source = single(seen.tables["published_totals.csv"], base_gap="0") | {"k_studies": "7", "n_patients": "210"}
        label, note = "Posterior with the total 157/210", source["note"]
    elif row["step"] in CURVE_OF_STEP:
        model, label = CURVE_OF_STEP[row["step"]]
        source = single(seen.tables["survival_curves.csv"], endpoint=row["endpoint"], subset=row["subset"], model=model,
                        estimand=row["estimand"], time_months="12" if row["estimand"] == "survival" else "")
        note = None
    else:
        source = _by_method(seen, row)
        label, kind, note = source["label"], "confidence", source["note"]
        cells = [_months(x, row) for x in limits(source, middle="estimate")]
        cells[1:] = sorted(cells[1:])
    cells = cells or limits(source)
    k, n, level = (source[name] for name in names)
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


def _arms(middle: float, low: float, high: float) -> float:
    logit = special.logit([low, middle, high])
    return (logit[1] - logit[0]) / (logit[2] - logit[1])


def test_interval_shapes(seen):
    rows = Table(seen, "interval_shapes.csv")
    assert [row["reported_id"] for row in rows.rows] == ["R01", "R02", "R06"]
    for row in rows.rows:
        printed = REPORTED[row["reported_id"]]
        numbers = [float(printed[name]) for name in ("estimate", "ci_low", "ci_high")]
        ratios = [_arms(*(number + step for number, step in zip(numbers, steps, strict=True)))
                  for steps in product((-0.005, 0.005), repeat=3)]
        rows.known(row, "reported_id")
        rows.check(row, endpoint=printed["endpoint"], subset=printed["subset"], published=numbers[0],
                   published_lower=numbers[1], published_upper=numbers[2])
        rows.check(row, within=1e-4, arm_ratio_low=min(ratios), arm_ratio_high=max(ratios))
        own = [_arms(*limits(one, middle="estimate"))
               for one in chosen(seen.tables["frequentist.csv"], endpoint=row["endpoint"],
                                 subset=row["subset"], estimand="mean_rate")]
        # The methods' limits have another level than R06 was printed with.
        judged = float(printed["level"] or LEVEL) == LEVEL
        ends_of_methods = (min(own), max(own)) if judged else (None, None)
        rows.check(row, within=5e-4, **dict(zip(("methods_low", "methods_high"), ends_of_methods, strict=True)))
        found = rows.numbers(row)
        # 80 sets filled in at random: a ratio from near the published kind's, neither of them extreme.
        rows.check(row, completed=80, completed_low=between(0.3, 1.2),
                   completed_high=between(0.8, 3.0), share_at_least_as_lopsided=between(0.0, 1.0),
                   symmetric_about=_symmetric(numbers))
        ordered(found, "arm_ratio_low", "arm_ratio_high")
        ordered(found, "completed_low", "completed_high")
        if not judged:
            rows.check(row, finding="not judged: no method gives two limits at its level")
            continue
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
