"""Calibration of the regressions by simulation: `python -m analysis.simulation.regression --replicates N`.

Simulation-based calibration: parameters come from the prior, ten studies with one covariate, or three whose slopes
share a scale, from the model, three cells of each are deleted, and the place of each true parameter among its
posterior draws (the PIT) must be uniform, if density, missing cells and weights are right. Coverage: the same at fixed
slopes, which the prior does not average over.

References
----------
Talts S et al. 2018, doi 10.48550/arXiv.1804.06788 (simulation-based calibration).
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

from analysis.cases.case import Case
from analysis.cases.covariates import Column
from analysis.cases.regressions import ONE, TOGETHER, RegressionCase, regression_of
from analysis.cases.selection import Selection
from analysis.cases.settings import IMPORTANCE, Job, Question
from analysis.evidence.types import Covariate, Endpoint
from analysis.inference.regression import RegressionFit, draw_missing, fit
from analysis.inference.weighted import mean_and_sd, quantiles
from analysis.results.terminal import table
from analysis.simulation.batches import positive
from analysis.system.files import write_text
from models.studies import HazardStudies, RateStudies, Studies

KINDS = ("rate", "survival")
NAMES = (*KINDS, *(f"{kind} together" for kind in KINDS))
TOGETHER_COVARIATES = 3
SLOPES = (-0.5, 0.0, 0.5)
STUDIES, PATIENTS, MISSING = 10, 30, 3
_TOLERANCE, _TOLERANCES = 0.002, {"missing_cell": 0.005}
_FIXED = {"rate": {"mu": 0.7, "rho": 0.05}, "survival": {"eta": -2.86, "tau": 0.2}}
_CELLS = {"covariate_mean": 0.0, "covariate_sd": 0.9}
_COVARIATE = Covariate(0, "x", "x", "x", "", 1.0, "identity", None, None, "")


def replicate(name: str, number: int, *, seed: int = 1) -> dict[str, float]:
    """PIT of each parameter, and of one missing cell where there is one covariate, in one data set from the prior.

    Parameters
    ----------
    name : str
        One of `NAMES`: the kind of endpoint, and whether several slopes share a scale.
    number : int
        Of the replicate: it alone, with the seed, says which data set it is.
    """
    kind, _, together = name.partition(" ")
    rng = np.random.default_rng([seed, NAMES.index(name), number])
    truth = _from_prior(kind, rng, size=TOGETHER_COVARIATES if together else 1)
    x, regression = _simulated_and_fitted(kind, truth, rng, seed=number + 1)
    weights, draws = regression.weights, regression.draws
    pits = {name: float(weights @ (draws[name] < truth[name])) for name in _FIXED[kind]}
    for at, label in enumerate(_labels(x.shape[1])):
        pits |= {f"{of}{label}": float(weights @ (draws[of][:, at] < truth[of][at])) for of in ("beta", *_CELLS)}
    if not together:
        pits["missing_cell"] = float(np.mean(draw_missing(regression, seed=number + 1)["s0"] < x[0, 0]))
    return pits


def coverage(kind: str, slope: float, *, replicates: int, seed: int = 1) -> dict[str, float]:
    """Share of 95 % intervals that hold a fixed slope, mean of the posterior means, mean posterior SD."""
    truth = {**_FIXED[kind], **{of: np.array([value]) for of, value in _CELLS.items()}, "beta": np.array([slope])}
    fits = []
    for number in range(replicates):
        rng = np.random.default_rng([seed, KINDS.index(kind), number, 7])
        _, regression = _simulated_and_fitted(kind, truth, rng, seed=number + 1)
        beta, weights = regression.draws["beta"][:, 0], regression.weights
        lower, upper = quantiles(beta, weights, [0.025, 0.975])
        fits.append((lower <= slope <= upper, *mean_and_sd(beta, weights)))
    return dict(zip(("coverage", "mean", "sd"), map(float, np.mean(fits, axis=0)), strict=True))


def differences(pinned: Mapping[str, Any], *, replicates: int) -> list[str]:
    """Where the present priors and the first replicates of each model are not those of a record.

    A place among weighted draws differs by few of them where another linear algebra rounds otherwise.
    """
    told = [f"priors of {kind}: {priors}, pinned {pinned['priors'][kind]}" for kind, priors in _priors().items()
            if priors != pinned["priors"][kind]]
    for name, number in product(NAMES, range(replicates)):
        for of, pit in replicate(name, number, seed=pinned["seed"]).items():
            pinned_pit = pinned["pits"][name][of][number]
            if not abs(pit - pinned_pit) <= _TOLERANCES.get(of, _TOLERANCE):
                told.append(f"{name}, replicate {number}, {of}: {pit:.4f}, pinned {pinned_pit}")
    return told


def record(*, replicates: int, seed: int = 1) -> dict[str, Any]:
    """What is pinned: every PIT, rounded, the priors they are of, and the coverage table."""
    pits = {}
    for name in NAMES:
        each = [replicate(name, number, seed=seed) for number in range(replicates)]
        pits[name] = {of: [round(pit[of], 4) for pit in each] for of in each[0]}
    covered = [{"kind": kind, "slope": slope, "replicates": replicates,
                **{name: round(value, 4) for name, value in
                   coverage(kind, slope, replicates=replicates, seed=seed).items()}}
               for kind in KINDS for slope in SLOPES]
    return {"priors": _priors(), "seed": seed, "replicates": replicates, "missing_share": MISSING / STUDIES,
            "pits": pits, "coverage": covered}


def uniformity(pits: Sequence[float]) -> float:
    """p-value of the Kolmogorov-Smirnov test that the places are uniform."""
    return float(stats.kstest(pits, "uniform").pvalue)


def _priors() -> dict[str, dict[str, str]]:
    return {kind: {name: prior.exact() for name, prior in regression_of(kind).priors.items()} for kind in KINDS}


def _labels(size: int) -> list[str]:
    return [""] if size == 1 else [f" {at + 1}" for at in range(size)]


def _from_prior(kind: str, rng: np.random.Generator, *, size: int) -> dict[str, Any]:
    """Hyperparameters as numbers, and slopes and the covariates' distributions as arrays of shape (size,)."""
    priors = regression_of(kind).priors
    truth = {name: priors[name].draw(1, rng)[0] for name in _FIXED[kind]}
    truth |= {name: priors[name].draw(size, rng) for name in _CELLS}
    beta = priors["beta"].draw(1, rng) if size == 1 else priors["shrinkage"].draw(1, rng) * rng.normal(size=size)
    return {**truth, "beta": beta}


def _simulated_and_fitted(kind: str, truth: Mapping[str, Any], rng: np.random.Generator, *,
                          seed: int) -> tuple[np.ndarray, RegressionFit]:
    """Covariates of each study, complete, shape (k, p), and the regression on them with three cells of each deleted."""
    size = len(truth["beta"])
    x = truth["covariate_mean"] + truth["covariate_sd"] * rng.normal(size=(STUDIES, size))
    studies = _reports(kind, truth, x @ truth["beta"], rng)
    seen = x.copy()
    for at in range(size):
        seen[(np.arange(MISSING) + at * MISSING) % STUDIES, at] = np.nan
    columns = tuple(Column(replace(_COVARIATE, covariate=f"x{label}"), 0.0, cells)
                    for label, cells in zip(_labels(size), seen.T, strict=True))
    regression, question = regression_of(kind), Question("simulated")
    endpoint = Endpoint(0, question.endpoint, "", kind, "neutral", "", "", None, False)
    without = Case(Job(question, seed=seed, engine=IMPORTANCE), Selection(question, endpoint, (), (), ()),
                   regression.base, regression.base.priors, studies)
    return x, fit(RegressionCase(without, ONE if size == 1 else TOGETHER, regression, regression.priors, columns,
                                 (True,) * size), careful=False)


def _reports(kind: str, truth: Mapping[str, Any], effect: np.ndarray, rng: np.random.Generator) -> Studies:
    ids = tuple(f"s{at}" for at in range(STUDIES))
    if kind == "rate":
        mean = special.expit(special.logit(truth["mu"]) + effect)
        kappa = 1.0 / truth["rho"] - 1.0
        rate = rng.beta(np.maximum(mean * kappa, 1e-9), np.maximum((1.0 - mean) * kappa, 1e-9))
        return RateStudies(ids, rng.binomial(PATIENTS, rate), np.full(STUDIES, PATIENTS))
    log_hazard = rng.normal(truth["eta"] + effect, truth["tau"])
    se, none = rng.uniform(0.15, 0.4, STUDIES), np.zeros(STUDIES)
    return HazardStudies(ids, rng.normal(log_hazard, se), se, se, none, none, np.full(STUDIES, PATIENTS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; with --write the record is pinned."""
    parser = argparse.ArgumentParser(prog="python -m analysis.simulation.regression", description=main.__doc__)
    parser.add_argument("--replicates", type=positive, default=200, metavar="N",
                        help="data sets of each model; default: 200")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the record as JSON")
    options = parser.parse_args(arguments)
    calibration = record(replicates=options.replicates, seed=options.seed)
    print(table(["model", "parameter", "mean PIT", "KS p-value"],
                [[kind, name, f"{np.mean(pits):.3f}", f"{uniformity(pits):.3f}"]
                 for kind, rows in calibration["pits"].items() for name, pits in rows.items()]))
    print("\n" + table(["kind", "slope", "coverage of 95 %", "mean", "posterior SD"],
                       [[row["kind"], f"{row['slope']:g}", *(f"{row[name]:.3f}" for name in ("coverage", "mean", "sd"))]
                        for row in calibration["coverage"]]))
    if options.write:
        write_text(options.write, json.dumps(calibration, indent=None, separators=(",", ":")) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
