"""Tables of what published totals and studies without a count would change, by sums over the plane."""

from collections.abc import Sequence

import numpy as np
from scipy import special

from tests.seen.checking import Table, ordered
from tests.seen.facts import LEVEL, REPORTED, Counts, counts
from tests.seen.headline import headline
from tests.seen.posterior import Plane, posterior


def totals_at(plane: Plane, sizes: Sequence[int]) -> np.ndarray:
    """Probability of each total of further studies at every point of the plane, shape (total + 1, v, u)."""
    mu, rho = plane.at
    kappa = 1 / rho - 1
    total = np.ones((1, *mu.shape))
    for n in sizes:
        study = np.stack([np.exp(special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
                                 + special.betaln(mu * kappa + y, (1 - mu) * kappa + n - y)
                                 - special.betaln(mu * kappa, (1 - mu) * kappa)) for y in range(n + 1)])
        both = np.zeros((len(total) + n, *mu.shape))
        for at, part in enumerate(total):
            both[at : at + n + 1] += part * study
        total = both
    return total


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
    plane = headline("cr")
    totals = {sizes: totals_at(plane, sizes)
              for sizes in {tuple(missing.values()) for *_, missing, _ in READINGS.values()}}
    for row in rows.rows:
        events, base, missing, gap = READINGS[row["scenario"]]
        left, at_points = events - 123, totals[tuple(missing.values())]
        rows.known(row, "scenario")
        rows.check(row, total_events=events, total_n=base,
                   missing_events=left, missing_n=sum(missing.values()), base_gap=gap,
                   note=lambda text: bool(text), missing=" ".join(f"{name}:{n}" for name, n in missing.items()))
        chances = (at_points * plane.weights).sum(axis=(1, 2))
        mid_p = chances[:left].sum() + chances[left] / 2
        rows.check(row, within=2e-4, probability=chances[left], mid_p=mid_p, two_sided=2 * min(mid_p, 1 - mid_p))
        rows.check(row, within=5e-3, expected_events=float(np.arange(len(chances)) @ chances))
        lower, upper = (int(np.searchsorted(np.cumsum(chances), p)) for p in (0.025, 0.975))
        rows.check(row, events_lower=lower, events_upper=upper)
        with np.errstate(divide="ignore"):
            both = posterior("beta_binomial", counts("cr"), extra=np.log(at_points[left]))
        rows.limits(row, plane.limits("mean_rate"), prefix="known_", within=3e-4)
        rows.limits(row, both.limits("mean_rate"), within=3e-4)
        ordered(rows.numbers(row), "events_lower", "expected_events", "events_upper")
    rows.complete(endpoint="cr", model="beta_binomial", tiers="AB", study_set="review", absent=None,
                  reason=None, denominators="treated", known_k=5, known_events=123, known_n=163, missing_k=2,
                  total_k=7, status="computed", level=LEVEL, interval="credible", stamp=None)


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

    if bound.startswith("extreme"):
        events = [0, 0] if bound.endswith("low") else [28, 19]
    elif bound.startswith("each"):
        events = [quantile([n]) for n in sizes.values()]
    else:
        events = _split(quantile([28, 19]), [28, 19], "total_even")
    return {name: (y, n) for (name, n), y in zip(sizes.items(), events, strict=True)}


def test_missing_bounds(seen):
    rows, plane = Table(seen, "missing_bounds.csv"), headline("cr")
    splits = ["total_even", "total_in_largest", "total_in_smallest"]
    assert [(row["bound"], row["scenario"]) for row in rows.rows] == [
        ("headline", ""),
        *((name, "") for name in ("extreme_low", "extreme_high", "each_low", "each_high", "joint_low", "joint_high")),
        *((name, scenario) for scenario in READINGS for name in splits),
        ("published", ""),
    ]
    for row in rows.rows:
        bound, printed = row["bound"], REPORTED["R01"]
        rows.known(row, "bound scenario note")
        if bound == "published":
            rows.check(row, model=None, status="published", interval="confidence", median=printed["estimate"],
                       lower=printed["ci_low"], upper=printed["ci_high"], missing=None, missing_n=None,
                       missing_events=None)
            continue
        given = {} if bound == "headline" else _bound_counts(plane, bound, row["scenario"])
        rows.check(row, model="beta_binomial", status="computed", interval="credible",
                   missing=" ".join(f"{name}:{y}/{n}" for name, (y, n) in given.items()) or None,
                   missing_n=sum(n for _, n in given.values()) if given else None,
                   missing_events=sum(y for y, _ in given.values()) if given else None)
        studies = counts("cr") + [Counts(name, y, n, "", "") for name, (y, n) in given.items()]
        rows.limits(row, headline("cr", studies).limits("mean_rate"), within=3e-4)
    rows.complete(endpoint="cr", tiers="AB", study_set="review", known_k=5, known_n=163, published_k=7,
                  missing_k=2, reason=None, level=LEVEL, stamp=None)
