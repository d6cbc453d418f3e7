"""Measures speed: `make bench`. Prints what a report costs with nothing compiled and again, and how fits scale."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.cases.settings import Sampler
from analysis.results.terminal import table

if TYPE_CHECKING:
    from models.model import Model

_SIZES = (16, 100, 1_000, 10_000)
_SAMPLER = Sampler(draws=2000)


def main() -> int:
    """Print both tables; returns the exit code of the worst report."""
    parser = argparse.ArgumentParser(prog="python -m analysis.bench", description=main.__doc__)
    parser.add_argument("--scaling-only", action="store_true", help="skip the two reports")
    options = parser.parse_args()
    code = 0 if options.scaling_only else _reports()
    _scaling()
    return code


def _reports() -> int:
    """Two reports in a row with a compilation cache of their own, empty before the first."""
    codes, rows = [], []
    with tempfile.TemporaryDirectory() as scratch:
        flags = ",".join(filter(None, [os.environ.get("PYTENSOR_FLAGS"), f"base_compiledir={scratch}/compiled"]))
        environment = {**os.environ, "PYTENSOR_FLAGS": flags}
        for what in ("nothing compiled", "second time"):
            started = time.perf_counter()
            done = subprocess.run([sys.executable, "-m", "analysis", "report", "--output", f"{scratch}/results"],
                                  env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  cwd=Path(__file__).resolve().parents[1], check=False)
            codes.append(done.returncode)
            rows.append([what, f"{time.perf_counter() - started:.1f} s", str(done.returncode)])
            print(f"report, {what}: {rows[-1][1]}", file=sys.stderr, flush=True)
    print(table(["report", "wall time", "exit code"], rows) + "\n")
    return max(codes)


def _scaling() -> None:
    """Seconds of sampling for growing numbers of studies; each model is compiled before."""
    from analysis.inference.nuts import sample
    from models import all_models

    rows = []
    for model in all_models().values():
        cells = [model.name]
        studies = [_simulated(model.kind, size) for size in _SIZES]
        sample(model, studies[0], model.priors, sampler=_SAMPLER, seed=1)
        for one in studies:
            started = time.perf_counter()
            sample(model, one, model.priors, sampler=_SAMPLER, seed=1)
            cells.append(f"{time.perf_counter() - started:.2f} s")
        rows.append(cells)
    heads = ["model", *(f"{size:,} studies" for size in _SIZES)]
    print(f"Sampling {_SAMPLER.chains} x {_SAMPLER.draws} draws, compiled before")
    print(table(heads, rows))
    print("\nExact posterior of the hyperparameters, median of five after the first")
    print(table(heads, [_exact(model) for model in all_models().values()]))


def _exact(model: "Model") -> list[str]:
    """Milliseconds from counts to a posterior grid whose error is known."""
    from analysis.inference.density import density_of
    from analysis.inference.grid import solve

    cells = [model.name]
    for size in _SIZES:
        studies = _simulated(model.kind, size)
        taken = []
        for _ in range(6 if size <= 100 or model.name == "beta_binomial" else 2):
            started = time.perf_counter()
            solve(density_of(model, studies, model.priors))
            taken.append(time.perf_counter() - started)
        cells.append(f"{1000.0 * float(np.median(taken[1:])):.1f} ms")
    return cells


def _simulated(kind: str, size: int):
    """Studies of 5 to 60 patients with a mean rate of 0.8, or with log hazards about the prior's centre."""
    from models.studies import HazardStudies, RateStudies

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
