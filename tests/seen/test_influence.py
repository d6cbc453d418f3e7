"""Tables of what single studies and groups of them do: each left out, each subset beside the rest."""

import math

import numpy as np
from scipy import stats

from tests.seen.checking import Table, between, ordered
from tests.seen.facts import ENDPOINTS, LEVEL, SUBSET_LABELS, Counts, is_member, named, studies_of, study_of
from tests.seen.headline import MAIN, SPREAD, headline, law, main_limits, months, pit_of, question
from tests.seen.posterior import likelihood


def test_influence(seen):
    rows = Table(seen, "influence.csv")
    assert [(row["endpoint"], row["study_id"]) for row in rows.rows] == [
        (endpoint, study.study_id) for endpoint in ENDPOINTS for study in studies_of(endpoint)
    ]
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        own = study_of(row, studies)
        whole, rest = headline(endpoint), headline(endpoint, [study for study in studies if study is not own])
        for prefix, plane in (("full_", whole), ("", rest)):
            rows.limits(row, main_limits(plane, endpoint), prefix=prefix, within=4e-4)
        spread, found = SPREAD[endpoint], rows.numbers(row)
        rows.check(row, within=2e-3, full_heterogeneity=whole.quantile(spread, 0.5),
                   heterogeneity_median=rest.quantile(spread, 0.5))
        rows.check(row, within=3e-6, shift=found["median"] - found["full_median"],
                   heterogeneity_shift=found["heterogeneity_median"] - found["full_heterogeneity"])
        rows.check(row, within=2e-4, full_sd=whole.sd(MAIN[endpoint], months(endpoint)))
        rows.check(row, within=1e-4, shift_sd=found["shift"] / found["full_sd"])
        _surprise(rows, row, whole, rest, own)
        rows.check(row, **question(endpoint), **named(own), k_studies=len(studies), heterogeneity=spread)
    rows.complete(subset="all", tiers="AB", study_set="review", level=LEVEL, interval="credible",
                  status="computed", reason=None, stamp=None)


def _surprise(rows, row, whole, rest, own) -> None:
    pit = pit_of(rest, own)
    rows.check(row, within=1.5e-3, elpd_loo=whole.log_evidence - rest.log_evidence, pit=pit,
               two_sided=2 * min(pit, 1 - pit))
    found = rows.numbers(row)
    rows.check(row, within=1e-4, surprise_bits=-math.log2(found["two_sided"]))
    each = likelihood(whole.model, own)
    bits = ((whole.weights * each).sum() - found["elpd_loo"]) / math.log(2)
    rows.check(row, named=found["two_sided"] < 0.05, pareto_k=between(-1.0, 1.2))
    rows.check(row, within=4e-3, information_bits=bits)
    chance = 0.05
    if isinstance(own, Counts) or own.months:
        mass = law(rest, own.n) if isinstance(own, Counts) else _law_of_events(rest, own.months)
        mid = np.cumsum(mass) - mass / 2
        chance = mass[2 * np.minimum(mid, 1 - mid) < 0.05].sum()
    rows.check(row, within=2e-3, chance_named=chance)


def _law_of_events(plane, person_months):
    """Probability of each number of events up to 400 in so many person-months of a further study."""
    location, spread, weight = plane.points()
    z = np.linspace(-6, 6, 49)
    rule = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    expected = person_months * np.exp(location[:, None] + spread[:, None] * z)
    return np.array([weight @ (stats.poisson.pmf(y, expected) @ rule) for y in range(400)])


def test_subset_differences(seen):
    rows = Table(seen, "subset_differences.csv")
    assert [(row["endpoint"], row["subset"]) for row in rows.rows] == [(endpoint, subset) for endpoint in ENDPOINTS
                                                                       for subset in ("adult_only", "cd22")]
    rules = {"adult_only": "cohort adult", "cd22": "target CD22"}
    for row in rows.rows:
        endpoint, subset, whole = row["endpoint"], row["subset"], studies_of(row["endpoint"])
        sides = {name: [study for study in whole if is_member(study.study_id, subset) is inside]
                 for name, inside in (("subset", True), ("rest", False))}
        planes = {name: headline(endpoint, studies) for name, studies in sides.items()}
        for name, studies in sides.items():
            rows.limits(row, main_limits(planes[name], endpoint), prefix=f"{name}_", within=5e-4)
            rows.check(row, **{f"{name}_k": len(studies), f"{name}_n": sum(study.n for study in studies)})
        at = (np.arange(700) + 0.5) / 700
        inside, outside = (planes[name].quantiles(MAIN[endpoint], at, months(endpoint)) for name in ("subset", "rest"))
        apart = (inside[:, None] - outside).ravel()
        low, middle, high = np.quantile(apart, [0.025, 0.5, 0.975])
        rows.check(row, within=2.5e-3, difference=middle, difference_lower=low, difference_upper=high,
                   positive=np.mean(apart > 0))
        ordered(rows.numbers(row), "difference_lower", "difference", "difference_upper")
        unknown = len(whole) - sum(map(len, sides.values()))
        rows.check(row, **question(endpoint), subset=subset, label=SUBSET_LABELS[subset], rule=rules[subset],
                   unknown_k=unknown)
        note, few = row["note"], any(len(studies) < 3 for studies in sides.values())
        assert ("prior-dominated" in note) == few and (f"{unknown} on neither side" in note) == bool(unknown)
        rows.known(row, "note")
    rows.complete(tiers="AB", study_set="review", level=LEVEL, interval="credible", status="computed",
                  reason=None, stamp=None)
