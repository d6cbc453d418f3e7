"""From patients to the pooled answer: what each way of reading printed survival returns, and how often it covers.

Patients of studies of a real design live under a known law; their Kaplan-Meier curves are printed as the real studies
print theirs (`analysis.simulation.curves`), read back by the same conversions as the evidence, and pooled. Calibration
from simulated log hazards cannot see a wrong conversion; this does, since truth is survival itself.

`python -m analysis.simulation.end_to_end --output DIR` runs every world, with `--record` for the report, too.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from analysis.cases.curves import CENSORING, curve_studies
from analysis.cases.hazards import as_studies, convert
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import DEFAULT_DATA, load
from analysis.evidence.problems import EvidenceError
from analysis.evidence.types import Survival
from analysis.frequentist.estimates import log_hazards
from analysis.frequentist.normal import exact_interval
from analysis.inference.density import density_of
from analysis.inference.distribution import distribution
from analysis.inference.grid import QuadratureFailed, solve
from analysis.output.checks import refuse_obstacles, speaking_of
from analysis.results.simulated import END_TO_END, PAPER, RECORD
from analysis.results.terminal import table
from analysis.simulation.batches import positive, several
from analysis.simulation.curves import PLAIN, Law, printed
from analysis.system.errors import UsageError
from analysis.system.files import write_csv, write_text
from analysis.system.progress import Progress
from models import all_models
from models.studies import Studies

MONTHS = (12.0, 24.0)
LEVEL = 0.95
SETS, FIRST_SETS = 200, 4
_DIGITS = 5
_TOLERANCE = 1e-3
_TAU = 0.15
_BATCH = 10  # sets that one process simulates at once
LAWS: Mapping[str, tuple[tuple[str, Law], ...]] = {
    "pfs": (("constant hazard", Law(0.36, 1.0, _TAU)), ("falling hazard", Law(0.40, 0.6, _TAU)),
            ("falling, plain bands", Law(0.40, 0.6, _TAU, band=PLAIN)),
            ("falling, follow-up 12 to 24 months", Law(0.40, 0.6, _TAU, seen=(12.0, 24.0)))),
    "os": (("constant hazard", Law(0.57, 1.0, _TAU)), ("falling hazard", Law(0.57, 0.7, _TAU))),
}
"""What patients of each endpoint's design live under."""


_SHOWN = ("endpoint", "law", "method", "factor", "quantity", "truth", "estimate", "coverage", "sets")


@dataclass(frozen=True)
class World:
    """One simulated world: the rows of the real studies, and the law of the patients in their place."""

    endpoint: str
    name: str
    law: Law
    rows: tuple[Survival, ...]
    seed: int


Limits = dict[str, tuple[float, float, float]]
"""Lower limit, estimate and upper limit by quantity."""
Results = list[dict[tuple[str, float | None], Limits]]
"""Of each set, by method and factor."""


def posterior_limits(model_name: str, studies: Studies) -> Limits:
    """Of survival at both times, and of the shape where there is one."""
    model = all_models()[model_name]
    grid = solve(density_of(model, studies, model.priors), tolerance=_TOLERANCE)
    values, marginal = grid.values, model.density
    eta = marginal.population["eta"](values)
    laws = {f"survival at {months:g} months": marginal.curve.survival(values, eta, months) for months in MONTHS}
    laws |= {name: values[name] for name in ("shape",) if name in values}
    at = np.array([(1.0 - LEVEL) / 2.0, 0.5, (1.0 + LEVEL) / 2.0])
    return {name: tuple(map(float, distribution(grid, law).quantile(at))) for name, law in laws.items()}


def _paper(rows: Sequence[Survival], seed: int) -> Limits:
    limits = exact_interval(log_hazards(as_studies(convert(rows, horizon=MONTHS[0]))), level=LEVEL, seed=seed)
    return {f"survival at {months:g} months": tuple(float(np.exp(-months * np.exp(value))) for value in (
        limits.upper, limits.estimate, limits.lower)) for months in MONTHS}


def methods(factors: Sequence[float] = (CENSORING,)) -> dict[tuple[str, float | None], Callable[..., Limits]]:
    """Ways of reading and pooling, by name and factor: each takes printed rows and a seed."""
    return {(PAPER, None): _paper,
            ("log_hazard", None): _by_hazards,
            **{(name, factor): partial(_by_curves, name, factor) for factor in factors
               for name in ("exponential", "weibull")}}


def _by_hazards(rows: Sequence[Survival], seed: int) -> Limits:
    return posterior_limits("log_hazard", as_studies(convert(rows, horizon=MONTHS[0])))


def _by_curves(name: str, factor: float, rows: Sequence[Survival], seed: int) -> Limits:
    return posterior_limits(name, curve_studies(rows, factor=factor))


def run_sets(world: World, first: int, after: int, factors: Sequence[float] = (CENSORING,)) -> Results:
    """Results of the sets first, ..., after - 1; each has a random stream of its own."""
    results = []
    for number in range(first, after):
        rows = printed(world.rows, world.law, np.random.default_rng([world.seed, number]))
        results.append({})
        for key, method in methods(factors).items():
            reached = rows if key[1] else [row for row in rows if row.estimate is not None]
            try:
                results[-1][key] = method(reached, world.seed)
            except QuadratureFailed:
                continue  # counted by its absence
    return results


def simulate_world(world: World, size: int, *, factors: Sequence[float] = (CENSORING,),
                   executor: Executor | None = None) -> Results:
    """Results of so many sets of one world; the same numbers whatever runs the batches."""
    firsts = range(0, size, _BATCH)
    afters = (min(first + _BATCH, size) for first in firsts)
    batches = (executor.map if executor else map)(partial(run_sets, world, factors=factors), firsts, afters)
    return [result for batch in batches for result in batch]


def scored(world: World, results: Results, factors: Sequence[float] = (CENSORING,)) -> Iterator[dict[str, Any]]:
    """Rows of END_TO_END for one world."""
    truth = {f"survival at {months:g} months": world.law.survival_at(months) for months in MONTHS}
    truth["shape"] = world.law.shape
    for name, factor in methods(factors):
        for quantity, true in truth.items():
            limits = np.array([result[name, factor][quantity] for result in results
                               if quantity in result.get((name, factor), {})])
            if len(limits):
                lower, estimate, upper = limits.T
                yield {"endpoint": world.endpoint, "law": world.name, "method": name, "factor": factor,
                       "quantity": quantity, "truth": true, "estimate": float(estimate.mean()),
                       "bias": float(estimate.mean() - true),
                       "coverage": float(np.mean((lower <= true) & (true <= upper))),
                       "width": float(np.mean(upper - lower)), "sets": len(limits)}


def worlds(evidence: Evidence, endpoints: Sequence[str], seed: int) -> list[World]:
    """Every law of the endpoints, at the design of the studies that the evidence has."""
    return [World(endpoint, name, law, select(evidence, Question(endpoint)).curves, seed)
            for endpoint in endpoints for name, law in LAWS[endpoint]]


def main(arguments: list[str] | None = None) -> int:
    """Simulate patients under known laws and say what each way of reading printed survival returns, as a table."""
    options = _parser().parse_args(arguments)
    try:
        with speaking_of(options.output, options.output):
            options.output.mkdir(parents=True, exist_ok=True)
            refuse_obstacles(options.output, options.output, files=[END_TO_END.file], folders=())
        chosen = worlds(load(options.data), options.endpoints or list(LAWS), options.seed)
    except (UsageError, EvidenceError) as error:
        print(error, file=sys.stderr)
        return 2
    results, factors, progress = [], tuple(options.factor or (CENSORING,)), Progress(len(chosen))
    with several(options.processes, options.sets) as executor:
        for world in chosen:
            results.append(simulate_world(world, options.sets, factors=factors, executor=executor))
            progress.step(f"{world.endpoint}: {world.name}")
    progress.close()
    rows = [row for world, of in zip(chosen, results, strict=True) for row in scored(world, of, factors)]
    if options.record:
        write_text(RECORD, text_of(chosen, results, factors))
    write_csv(options.output / END_TO_END.file, rows, END_TO_END.names)
    print(table(_SHOWN, [[f"{row[name]:.3f}" if isinstance(row[name], float) else str(row[name] or "")
                          for name in _SHOWN] for row in rows]))
    return 0


def text_of(chosen: Sequence[World], results: Sequence[Results], factors: Sequence[float]) -> str:
    """The record as JSON with one row on a line: of all sets, and of the first ones, which a test computes again."""
    def listed(size: int | None) -> str:
        rows = (row for world, of in zip(chosen, results, strict=True) for row in scored(world, of[:size], factors))
        return ",\n  ".join(json.dumps({name: round(cell, _DIGITS) if isinstance(cell, float) else cell
                                        for name, cell in row.items()}) for row in rows)

    head = {"date": datetime.now(UTC).date().isoformat(), "seed": chosen[0].seed, "first_sets": FIRST_SETS,
            "studies": sorted({row.study_id for world in chosen for row in world.rows}),
            "versions": {name: version(name) for name in ("numpy", "scipy")} | {"python": platform.python_version()}}
    return (f'{json.dumps(head)[:-1]},\n "rows": [\n  {listed(None)}\n ],\n'
            f' "first": [\n  {listed(FIRST_SETS)}\n ]\n}}\n')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis.simulation.end_to_end", description=main.__doc__)
    parser.add_argument("endpoints", nargs="*", choices=[*LAWS, []], metavar="ENDPOINT", help="default: pfs and os")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help=f"where {END_TO_END.file} goes")
    parser.add_argument("--record", action="store_true", help="renew the record that the report shows")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="evidence directory")
    parser.add_argument("--sets", type=positive, default=SETS, metavar="N", help="simulated sets of studies")
    parser.add_argument("--factor", type=float, action="append", metavar="F", help="for censoring; may be repeated")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--processes", type=positive, default=2, metavar="P")
    return parser


if __name__ == "__main__":
    sys.exit(main())
