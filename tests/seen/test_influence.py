"""Tables of what single studies and groups of them do: each left out, each subset beside the rest."""

import math

import numpy as np
from scipy import stats

from tests.seen import facts
from tests.seen.checking import Table, between, ordered
from tests.seen.facts import ENDPOINTS, LEVEL, STUDIES, Counts, is_member, studies_of
from tests.seen.headline import HEADLINE, MAIN, SPREAD, headline, months, pit_of
from tests.seen.posterior import likelihood


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
