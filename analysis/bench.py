"""Measures speed: `make bench`. Prints what a report costs with nothing compiled and again, and how fits scale."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.cases.settings import Sampler
from analysis.inference.density import density_of
from analysis.inference.grid import solve
from analysis.inference.nuts import sample
from analysis.results.terminal import table
from models import all_models
from models.model import Model
from models.studies import CurveStudies, HazardStudies, RateStudies, Studies

_SIZES = (16, 100, 1_000, 10_000)
_SAMPLER = Sampler(draws=2000)


def main() -> int:
    """Print the tables; returns the exit code of the worst report."""
    parser = argparse.ArgumentParser(prog="python -m analysis.bench", description=main.__doc__)
    parser.add_argument("--scaling-only", action="store_true", help="skip the two reports")
    options = parser.parse_args()
    code = 0 if options.scaling_only else _reports()
    _scaling(f"Sampling {_SAMPLER.chains} x {_SAMPLER.draws} draws, compiled before", _sampling)
    _scaling("Exact posterior of the hyperparameters, after the first; median of five where it is fast", _quadrature)
    return code


def _reports() -> int:
    """Two reports in a row with a compilation cache of their own, empty before the first."""
    codes, rows = [], []
    with tempfile.TemporaryDirectory() as scratch:
        flags = ",".join(filter(None, [os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={scratch}/compiled"]))
        for what in ("nothing compiled", "second time"):
            started = time.perf_counter()
            done = subprocess.run([sys.executable, "-m", "analysis", "report", "--output", f"{scratch}/results"],
                                  env={**os.environ, "PYTENSOR_FLAGS": flags}, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, cwd=Path(__file__).resolve().parents[1], check=False)
            codes.append(done.returncode)
            rows.append([what, f"{time.perf_counter() - started:.1f} s", str(done.returncode)])
            print(f"report, {what}: {rows[-1][1]}", file=sys.stderr, flush=True)
    print(table(["report", "wall time", "exit code"], rows) + "\n")
    return max(codes)


def _scaling(title: str, measured: Callable[[Model, Studies], str]) -> None:
    """A line for each model of counts or hazards, a column for each number of studies.

    Models of curves read several points of each study, of which evidence of thousands of studies has none.
    """
    rows = [[model.name, *(measured(model, _simulated(model.kind, size)) for size in _SIZES)]
            for model in all_models().values() if model.takes is not CurveStudies]
    print(f"{title}\n{table(['model', *(f'{size:,} studies' for size in _SIZES)], rows)}\n")


def _sampling(model: Model, studies: Studies) -> str:
    if len(studies) == _SIZES[0]:
        sample(model, studies, model.priors, sampler=_SAMPLER, seed=1)
    started = time.perf_counter()
    sample(model, studies, model.priors, sampler=_SAMPLER, seed=1)
    return f"{time.perf_counter() - started:.2f} s"


def _quadrature(model: Model, studies: Studies) -> str:
    """From counts to a posterior grid whose error is known."""
    taken = []
    for _ in range(6 if len(studies) <= 100 or model.name == "beta_binomial" else 2):
        started = time.perf_counter()
        solve(density_of(model, studies, model.priors))
        taken.append(time.perf_counter() - started)
    return f"{1000.0 * float(np.median(taken[1:])):.1f} ms"


def _simulated(kind: str, size: int) -> Studies:
    """Studies of 5 to 60 patients with a mean rate of 0.8, or with log hazards about the prior's centre."""
    rng = np.random.default_rng(size)
    names = [f"study_{at}" for at in range(size)]
    patients = rng.integers(5, 61, size)
    if kind == "rate":
        return RateStudies(names, rng.binomial(patients, rng.beta(16.0, 4.0, size)), patients)
    error = 1.44 / np.sqrt(patients)
    return HazardStudies(names, rng.normal(-2.9, np.hypot(0.3, error)), error, error, np.zeros(size),
                         np.zeros(size), patients)


if __name__ == "__main__":
    sys.exit(main())
