"""Calibration of the regressions by simulation: `python -m analysis.regression.calibration --replicates N`.

Simulation-based calibration: parameters come from the prior, ten studies with one covariate from the model, three of
their cells are deleted, and the place of each true parameter among its posterior draws (the PIT) must be uniform, if
density, missing cells and sampler are right. Coverage: the same at fixed slopes, which the prior does not average over.

References
----------
Talts S et al. 2018, doi 10.48550/arXiv.1804.06788 (simulation-based calibration).
"""

import argparse
import ast
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
from scipy import special, stats

from analysis.evidence import Covariate
from analysis.files import write_text
from analysis.jobs import Job, Sampler
from analysis.regression.design import Column
from analysis.regression.fitting import ONE, Task, fit, regression_of
from analysis.regression.imputation import draw_missing
from analysis.selection import Question
from analysis.text import table
from models.studies import HazardStudies, RateStudies, Studies

KINDS = ("rate", "survival")
SLOPES = (-0.5, 0.0, 0.5)
STUDIES, PATIENTS, MISSING = 10, 30, 3
_SAMPLER = Sampler(tune=300, draws=400, target_accept=0.9)
_FIXED = {"rate": {"mu": 0.7, "rho": 0.05}, "survival": {"eta": -2.86, "tau": 0.2}}
_CELLS = {"covariate_mean": 0.0, "covariate_sd": 0.9}
_FILES = ("backend", "beta_binomial", "beta_binomial_regression", "coordinates", "covariates", "log_hazard",
          "log_hazard_regression", "marginal", "priors", "regression", "sums")
_THIN = 4
_COVARIATE = Covariate(0, "x", "x", "x", "", 1.0, "identity", None, None, "")


def replicate(kind: str, number: int, *, seed: int = 1) -> dict[str, float]:
    """PIT of each parameter and of one missing cell, in one data set from the prior.

    Parameters
    ----------
    kind : {"rate", "survival"}
    number : int
        Of the replicate: it alone, with the seed, says which data set it is.
    """
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    truth = _from_prior(kind, rng)
    x, studies = _simulated(kind, truth, rng)
    found = _fitted(kind, studies, x, seed=number + 1)
    draws = {name: values.reshape(-1)[::_THIN] for name, values in found.draws.items()}
    hidden = draw_missing(found, seed=number + 1)["s0"]
    pits = {name: float(np.mean(draws[name] < truth[name])) for name in truth}
    return {**pits, "missing_cell": float(np.mean(hidden < x[0]))}


def coverage(kind: str, slope: float, *, replicates: int, seed: int = 1) -> dict[str, float]:
    """Share of 95 % intervals that hold a fixed slope, mean of the posterior means, mean posterior SD."""
    held, means, spreads = [], [], []
    for number in range(replicates):
        rng = np.random.default_rng([seed, KINDS.index(kind), number, 7])
        x, studies = _simulated(kind, {**_FIXED[kind], **_CELLS, "beta": slope}, rng)
        beta = _fitted(kind, studies, x, seed=number + 1).draws["beta"].ravel()
        lower, upper = np.quantile(beta, [0.025, 0.975])
        held.append(lower <= slope <= upper)
        means.append(beta.mean())
        spreads.append(beta.std())
    return {"coverage": float(np.mean(held)), "mean": float(np.mean(means)), "sd": float(np.mean(spreads))}


def code_hash() -> str:
    """Digest of the syntax trees of the model files, without docstrings: comments and layout do not change it."""
    folder, digest = Path(__file__).resolve().parents[2] / "models", hashlib.sha256()
    for name in _FILES:
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()


def record(*, replicates: int, seed: int = 1) -> dict[str, Any]:
    """What is pinned: every PIT, rounded, the coverage table, and the digest of the code that they are of."""
    found = {kind: [replicate(kind, number, seed=seed) for number in range(replicates)] for kind in KINDS}
    pits = {kind: {name: [round(one[name], 4) for one in rows] for name in rows[0]} for kind, rows in found.items()}
    table_rows = [{"kind": kind, "slope": slope, "replicates": replicates,
                   **{name: round(value, 4) for name, value in
                      coverage(kind, slope, replicates=replicates, seed=seed).items()}}
                  for kind in KINDS for slope in SLOPES]
    return {"code_sha256": code_hash(), "seed": seed, "replicates": replicates, "missing_share": MISSING / STUDIES,
            "pits": pits, "coverage": table_rows}


def uniformity(pits: Sequence[float]) -> float:
    """p-value of the Kolmogorov-Smirnov test that the places are uniform."""
    return float(stats.kstest(pits, "uniform").pvalue)


def _from_prior(kind: str, rng: np.random.Generator) -> dict[str, float]:
    regression = regression_of(kind)
    names = (regression.location, regression.heterogeneity, "beta", *_CELLS)
    return {name: float(pm.draw(regression.priors[name].distribution(), random_seed=rng)) for name in names}


def _simulated(kind: str, truth: dict[str, float], rng: np.random.Generator) -> tuple[np.ndarray, Studies]:
    """Covariate of each study, complete, and what the studies report; the first cells are those that go missing."""
    x = rng.normal(truth["covariate_mean"], truth["covariate_sd"], STUDIES)
    ids = tuple(f"s{at}" for at in range(STUDIES))
    if kind == "rate":
        mean = special.expit(special.logit(truth["mu"]) + truth["beta"] * x)
        kappa = 1.0 / truth["rho"] - 1.0
        rate = rng.beta(np.maximum(mean * kappa, 1e-9), np.maximum((1.0 - mean) * kappa, 1e-9))
        return x, RateStudies(ids, rng.binomial(PATIENTS, rate), np.full(STUDIES, PATIENTS))
    log_hazard = rng.normal(truth["eta"] + truth["beta"] * x, truth["tau"])
    se, none = rng.uniform(0.15, 0.4, STUDIES), np.zeros(STUDIES)
    return x, HazardStudies(ids, rng.normal(log_hazard, se), se, se, none, none, np.full(STUDIES, PATIENTS))


def _fitted(kind: str, studies: Studies, x: np.ndarray, *, seed: int) -> Any:
    seen = np.where(np.arange(STUDIES) < MISSING, np.nan, x)
    task = Task(ONE, regression_of(kind), studies, (Column(_COVARIATE, 0.0, seen),))
    return fit(task, Job(Question("simulated"), sampler=_SAMPLER, seed=seed), careful=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; with --write the record is pinned."""
    parser = argparse.ArgumentParser(prog="python -m analysis.regression.calibration", description=main.__doc__)
    parser.add_argument("--replicates", type=int, default=100, metavar="N", help="data sets per kind; default: 100")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the record as JSON")
    options = parser.parse_args(arguments)
    found = record(replicates=options.replicates, seed=options.seed)
    print(table(["kind", "parameter", "mean PIT", "KS p-value"],
                [[kind, name, f"{np.mean(pits):.3f}", f"{uniformity(pits):.3f}"]
                 for kind, rows in found["pits"].items() for name, pits in rows.items()]))
    print("\n" + table(["kind", "slope", "coverage of 95 %", "mean", "posterior SD"],
                       [[row["kind"], f"{row['slope']:g}", *(f"{row[name]:.3f}" for name in ("coverage", "mean", "sd"))]
                        for row in found["coverage"]]))
    if options.write:
        write_text(options.write, json.dumps(found, indent=None, separators=(",", ":")) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
