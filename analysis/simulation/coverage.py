"""How often each interval for a pooled rate holds the truth, at fixed truths: which one to believe.

A world is a law of study rates (beta-binomial or logit-normal) with a mean rate and an intraclass correlation, and the
sizes of its studies: real ones, evenly spaced through those of the evidence. Every interval is scored on its own
estimand, the mean or the median rate of that world.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from analysis.cases.settings import derive_seed
from analysis.frequentist.likelihood import LARGEST_TAU, location_of_mean
from analysis.results.table import Column, Layout, columns
from analysis.simulation.batches import finished
from analysis.simulation.limits import MOST_COUNTS, SCORED, limits_of
from analysis.system.errors import UsageError
from models import all_models

LEVEL, LEAST, BATCH = 0.95, 0.025, 50
MEANS, RHOS, STUDIES = (0.15, 0.5, 0.8), (0.0, 0.03, 0.1, 0.25), (3, 5, 10, 20)
OTHER_RHO = 0.1
"""Intraclass correlation of the logit-normal worlds: as different as studies of the beta-binomial ones with it are."""

COVERAGE = Layout("coverage.csv", "One interval in one simulated world.", columns(
    Column("law", "law of the studies' rates: beta_binomial or logit_normal", "model", "Rates"),
    Column("mean_rate", "mean of the studies' rates in that world"),
    Column("rho", "variance of the studies' rates over mean (1 - mean), the intraclass correlation"),
    "k_studies n_patients", Column("method", "key of the interval", "text"),
    Column("label", "name of the interval", "text", "Interval"), "estimand",
    Column("truth", "true value of the estimand in that world"), Column("sets", "simulated sets of studies", "count"),
    Column("coverage", "share of intervals that hold the truth"),
    Column("coverage_error", "Monte-Carlo standard error of the coverage"),
    Column("below", "share of intervals that lie below the truth"),
    Column("above", "share of intervals that lie above the truth"), Column("width", "mean width of the intervals"),
    "level"))
_TALLIES = ("covered", "below", "above", "width")
Tallies = list[list[list[float]]]
"""By world and interval how many cover, lie below and above, and the sum of their widths."""


@dataclass(frozen=True)
class World:
    """A law of study rates, and the sizes of the studies, shape (k,)."""

    law: str
    mean: float
    rho: float
    sizes: tuple[int, ...]

    @cached_property
    def hyperparameters(self) -> dict[str, np.ndarray]:
        """Of the model that is the law, shape (1,) each: those with this mean and this intraclass correlation."""
        if self.law == "beta_binomial":
            return {"mu": np.array([self.mean]), "rho": np.array([self.rho])}

        def normal(tau: float) -> dict[str, np.ndarray]:
            return {"m": location_of_mean(special.logit([self.mean]), np.array([tau])), "tau": np.array([tau])}

        summaries = all_models()[self.law].density.summaries
        return normal(optimize.brentq(lambda tau: summaries(normal(tau), ("rho",))["rho"][0] - self.rho, 0.0,
                                      LARGEST_TAU))

    @cached_property
    def truth(self) -> dict[str, float]:
        """Mean and median of the studies' rates."""
        values = all_models()[self.law].density.summaries(self.hyperparameters, ("mean_rate", "median_rate"))
        return {name: float(value[0]) for name, value in values.items()}

    def counts(self, first: int, after: int, seed: int) -> np.ndarray:
        """Events of the studies in the sets first, ..., after - 1, each with a random stream of its own; (r, k)."""
        size, density = len(self.sizes), all_models()[self.law].density
        world_seed = derive_seed(seed, "coverage", self.law, repr(self.mean), repr(self.rho), str(size))
        draws = {name: np.repeat(value, size) for name, value in self.hyperparameters.items()}
        streams = (np.random.default_rng([world_seed, number]) for number in range(first, after))
        return np.array([rng.binomial(self.sizes, density.new_study(draws, rng)) for rng in streams])


def worlds(sizes: Sequence[int], *, studies: Sequence[int] = STUDIES) -> list[World]:
    """Every world, in order; the k sizes of its studies are evenly spaced quantiles of the real ones.

    Raises
    ------
    UsageError
        When the studies are so large that tables of all counts would fill the memory.
    """
    if sum(set(sizes)) > MOST_COUNTS:
        raise UsageError(f"coverage tabulates every count of every study, {sum(set(sizes)):,} here and at most "
                         f"{MOST_COUNTS:,}; name another --endpoint or --subset")
    return [World(law, mean, rho, tuple(map(int, np.quantile(sizes, (np.arange(k) + 0.5) / k, method="nearest"))))
            for k in studies for law, rhos in (("beta_binomial", RHOS), ("logit_normal", (OTHER_RHO,)))
            for mean in MEANS for rho in rhos]


def run_batch(name: str, alike: Sequence[World], first: int, after: int, seed: int) -> tuple[str, Tallies]:
    """The name, and tallies of the sets first, ..., after - 1 of worlds with the same studies."""
    sizes, sets = alike[0].sizes, after - first
    counts = np.concatenate([world.counts(first, after, seed) for world in alike])
    with np.errstate(all="ignore"):
        limits = limits_of(sizes, counts, level=LEVEL, means=sorted({world.mean for world in alike}),
                           seed=derive_seed(seed, "limits", str(len(sizes)), str(first)))
    tallies = []
    for at, world in enumerate(alike):
        of_world = slice(at * sets, (at + 1) * sets)
        tallies.append([_tally(limits[key][:, of_world], world.truth[SCORED[key].estimand]) for key in SCORED])
    return name, tallies


def _tally(limits: np.ndarray, truth: float) -> list[float]:
    lower, upper = limits
    # No number of an interval that has none is compared, so that it covers nothing.
    width = np.nan_to_num(upper - lower).sum()
    return [int(np.sum((lower <= truth) & (truth <= upper))), int(np.sum(upper < truth)), int(np.sum(lower > truth)),
            round(float(width), 9)]


def simulate(every: Sequence[World], replicates: int, *, seed: int, executor: Executor | None = None,
             done: Mapping[str, Any] | None = None,
             keep: Callable[[dict[str, Any], str, int], None] = lambda *news: None) -> Iterator[dict[str, Any]]:
    """Rows of COVERAGE; the same numbers whatever runs the batches, and wherever an earlier run ended.

    Parameters
    ----------
    done : mapping of str to list
        Tallies of batches that are finished, by name.
    keep : callable
        After each batch: is given all finished tallies, its name and the number of all batches.
    """
    alike: dict[tuple[int, ...], list[World]] = {}
    for world in every:
        alike.setdefault(world.sizes, []).append(world)
    spans = [(first, min(first + BATCH, replicates)) for first in range(0, replicates, BATCH)]
    batches = {f"{len(sizes)} studies, sets {first + 1} to {after}": (sizes, first, after) for sizes in alike
               for first, after in spans}
    tallies = dict(done or {})
    calls = [(name, alike[sizes], *span, seed) for name, (sizes, *span) in batches.items() if name not in tallies]
    for name, tally in finished(run_batch, calls, executor):
        tallies[name] = tally
        keep(tallies, name, len(batches))
    for sizes, group in alike.items():
        totals = np.sum([tallies[name] for name, batch in batches.items() if batch[0] == sizes], axis=0)
        yield from (_row(world, key, total, replicates) for world, of_world in zip(group, totals, strict=True)
                    for key, total in zip(SCORED, of_world, strict=True))


def _row(world: World, key: str, total: np.ndarray, sets: int) -> dict[str, Any]:
    method, shares = SCORED[key], dict(zip(_TALLIES, (total / sets).tolist(), strict=True))
    coverage = shares.pop("covered")
    return {"law": world.law, "mean_rate": world.mean, "rho": world.rho, "k_studies": len(world.sizes),
            "n_patients": sum(world.sizes), "method": key, "label": method.label, "estimand": method.estimand,
            "truth": world.truth[method.estimand], "sets": sets, "coverage": coverage,
            "coverage_error": float(np.sqrt(coverage * (1.0 - coverage) / sets)), **shares,
            "width": round(shares["width"], 6), "level": LEVEL}


def summaries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each interval over all worlds: best first, among those of one estimand.

    `short` counts the worlds in which it covers less often than all but a share `LEAST` of right intervals would.
    """
    sets, intervals = rows[0]["sets"], []
    least = stats.binom.ppf(LEAST, sets, LEVEL) / sets
    for key, method in SCORED.items():
        coverage, width = np.array([(row["coverage"], row["width"]) for row in rows if row["method"] == key]).T
        intervals.append({"method": key, "label": method.label, "estimand": method.estimand, "worlds": len(coverage),
                          "lowest": coverage.min(), "average": coverage.mean(), "highest": coverage.max(),
                          "short": int(np.sum(coverage < least)), "width": float(width.mean())})
    return sorted(intervals, key=lambda row: (row["estimand"], row["short"], -row["lowest"]))
