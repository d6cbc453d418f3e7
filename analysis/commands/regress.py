"""`regress`: one endpoint on covariates of the studies."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.cases.covariates import amount, covariates_of
from analysis.cases.selection import select
from analysis.cases.settings import NUTS, QUICK_REGRESSION, REGRESSION
from analysis.chapters.regression.rows import CAVEAT, LAYOUTS, STRONG_CORRELATION
from analysis.chapters.regression.running import Regressed, regress
from analysis.commands.arguments import base_job
from analysis.commands.printing import asked, heading, print_json, print_notes, refuse_horizon
from analysis.evidence.loading import load
from analysis.evidence.types import Evidence
from analysis.output import adding
from analysis.results.numbers import MISSING, RATIO, chance, interval_text, level_text
from analysis.results.numbers import number as in_words
from analysis.results.tables import left_out_cells, left_out_rows
from analysis.results.terminal import QUICK_REMEDY, number, numbers, table
from analysis.system.errors import UsageError, one_line

_SLOPE = ("covariate", "label", "unit", "unit_size", "prior_size", "analysis", "n_studies", "n_patients", "n_missing",
          "centre")
_EVIDENCE = ("probability_above_one", "prior", "sd_ratio", "crude_beta", "crude_se", "prior_tail", "prior_conflict")
_DIAGNOSTICS = ("engine", "pareto_k", "max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "min_bfmi",
                "max_mcse_mean", "max_mcse_limit", "max_mcse_limit_heterogeneity", "failures", "chains", "draws",
                "target_accept", "seed")


def run(options: argparse.Namespace) -> int:
    """Fit, print the slopes, write tables and a figure where --output asks for them."""
    evidence = load(options.data)
    check(evidence, options)
    stamp, bubble = "QUICK" if options.quick else "", f"figures/bubble.{options.endpoint}"
    names = [*(layout.file for layout in LAYOUTS), *(f"{bubble}.{kind}" for kind in ("svg", "png") if not stamp)]
    with adding(options.output, data=options.data, run=f"regress {options.endpoint}", names=names) as folder:
        if options.engine == NUTS:
            print(f"Regressing {options.endpoint}; compiling the model takes most of the time ...", file=sys.stderr)
        regressed = regressed_as_asked(evidence, options)
        paths = _write(regressed, evidence.endpoint(options.endpoint).label, folder, bubble, stamp) if folder else []
    if options.json:
        print_json(_object(evidence, regressed, stamp))
    else:
        _print(evidence, regressed, stamp)
        print("".join(f"\n{one_line(str(options.output / path.relative_to(folder)))}" for path in paths))
    reasons = dict.fromkeys(slope["refused"] for slope in regressed.refused)
    remedy = QUICK_REMEDY if options.quick else ""
    failures = dict.fromkeys(f"NOT CONVERGED: {slope['covariate']} {slope['analysis']}: {slope['failures']}{remedy}"
                             for slope in regressed.failed)
    print_notes(regressed.warnings, left_out_rows(regressed.case.selection),
                *(f"not estimated: {text}" for text in reasons), *failures)
    return 3 if failures else 0


def check(evidence: Evidence, options: argparse.Namespace) -> None:
    """Raise UsageError where the options do not go together with the evidence."""
    covariates_of(evidence, options.covariate)
    question = base_job(options, options.endpoint).question
    refuse_horizon(question, select(evidence, question).endpoint.kind)


def regressed_as_asked(evidence: Evidence, options: argparse.Namespace) -> Regressed:
    """The regressions that the options ask for.

    Raises
    ------
    UsageError
        When they do not go together with the evidence, or no slope has studies enough.
    """
    check(evidence, options)
    job = replace(base_job(options, options.endpoint), sampler=QUICK_REGRESSION if options.quick else REGRESSION)
    regressed = regress(evidence, job, options.covariate, cores=2)
    if len(regressed.refused) == len(regressed.slopes):
        raise UsageError("; ".join(dict.fromkeys(slope["refused"] for slope in regressed.refused)))
    return regressed


def _write(regressed: Regressed, label: str, folder: Path, bubble: str, stamp: str) -> list[Path]:
    """The tables that have a row, and the figure where the run is no trial."""
    from analysis.chapters.regression.figure import draw_bubbles
    from analysis.drawing.saving import save_figure

    tables = [layout.table({**row, "stamp": stamp} for row in regressed.tables[layout.file]) for layout in LAYOUTS]
    paths = [table.write(folder) for table in tables if len(table)]
    return paths if stamp else [*paths, *save_figure(draw_bubbles(**regressed.bubbles, label=label),
                                                     folder / bubble)]


def _object(evidence: Evidence, regressed: Regressed, stamp: str) -> dict[str, Any]:
    case = regressed.case
    question = case.question
    return {**asked(evidence, question, endpoint=question.endpoint, model=case.model.name, subset=question.subset),
            "priors": {name: str(prior) for name, prior in regressed.priors.items()},
            "n_studies": len(case.studies), "n_patients": case.studies.patients, "seed": case.job.seed, "stamp": stamp,
            "warnings": list(regressed.warnings), "left_out": left_out_cells(left_out_rows(case.selection)),
            "caveat": CAVEAT,
            "covariates": [_slope(slope) for slope in regressed.slopes],
            "collinearity": _without_endpoint(regressed.collinearity),
            "predictions": _without_endpoint(regressed.predictions),
            "imputed": _without_endpoint(regressed.imputed), "converged": not regressed.failed}


def _slope(slope: Mapping[str, Any]) -> dict[str, Any]:
    converged = slope["status"] == "converged"
    return {**{name: slope[name] for name in _SLOPE}, "beta": _estimate(slope, "beta") if converged else None,
            "ratio": {**_estimate(slope, "ratio"), "scale": slope["ratio_scale"]} if converged else None,
            **{name: slope.get(name) for name in _EVIDENCE},
            "heterogeneity_explained": {
                "parameter": slope["heterogeneity"], "statistic": "posterior median",
                "without": slope["heterogeneity_without"], "with": slope["heterogeneity_with"],
                "difference": slope["heterogeneity_explained"]} if converged else None,
            "diagnostics": {name: slope.get(name) for name in _DIAGNOSTICS} if not slope["refused"] else None,
            "converged": converged, "refused": slope["refused"] or None}


def _estimate(slope: Mapping[str, Any], estimand: str) -> dict[str, Any]:
    names = ("mean", "sd", "median", "lower", "upper", "mcse")
    values = {name: slope[f"{estimand}_{name}"] for name in names if f"{estimand}_{name}" in slope}
    return {"estimand": estimand, **values, "level": slope["level"], "interval": slope["interval"]}


def _without_endpoint(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "endpoint"} for row in rows]


def _print(evidence: Evidence, regressed: Regressed, stamp: str) -> None:
    case = regressed.case
    print(heading(evidence, case.question, f"{case.model.name} regression", regressed.priors,
                  studies=len(case.studies), patients=case.studies.patients, stamp=stamp))
    chosen = {slope["covariate"]: f"{slope['covariate']} {amount(float(format(slope['prior_size'], '.3g')))}"
              for slope in regressed.slopes if slope["prior_size"] != slope["unit_size"]}
    told = f", or per standard deviation where none is stated ({', '.join(chosen.values())})" if chosen else ""
    print(f"beta is per step of its covariate{told}; covariate_mean and covariate_sd are in standard deviations\n")
    print(slopes_table(regressed) + "\n")
    for title, text in (("Imputed cells", imputed_table(regressed)),
                        ("Correlations among covariates", collinearity_table(regressed))):
        if text:
            print(f"{title}\n\n{text}\n")
    print(CAVEAT)


def slopes_table(regressed: Regressed) -> str:
    """Every slope with its ratio per unit; a dash where there is none."""
    spread = next((slope["heterogeneity"] for slope in regressed.slopes if slope.get("heterogeneity")),
                  "heterogeneity")
    header = ["covariate", "per", "analysis", "studies", "missing",
              f"{regressed.ratio} [{level_text(regressed.case.level)} credible]", "P(ratio > 1)", "SD / prior SD",
              f"median {spread} without -> with"]
    return table(header, [_cells(slope) for slope in regressed.slopes])


def _cells(slope: dict[str, Any]) -> list[str]:
    first = [str(slope[name]) for name in ("covariate", "unit", "analysis", "n_studies", "n_missing")]
    if slope["status"] != "converged":
        return [*first, "too few studies" if slope["refused"] else slope["status"], MISSING, MISSING, MISSING]
    return [*first, interval_text(slope["ratio_median"], slope["ratio_lower"], slope["ratio_upper"], RATIO),
            chance(slope["probability_above_one"]),
            in_words(slope["sd_ratio"], "") + (", in conflict" if slope["prior_conflict"] else ""),
            f"{number(slope['heterogeneity_without']) or MISSING} -> {number(slope['heterogeneity_with'])}"]


def imputed_table(regressed: Regressed) -> str:
    """What the model thinks that each missing cell is; empty where none is missing."""
    rows = []
    for cell in regressed.imputed:
        median, lower, upper = numbers([cell[name] for name in ("median", "lower", "upper")], "time")
        rows.append([cell["covariate"], cell["study_id"], median, f"[{lower}, {upper}]",
                     chance(cell["probability_outside"])])
    header = ["covariate", "study", "median", f"{level_text(regressed.case.level)} credible", "P(out of bounds)"]
    return table(header, rows) if rows else ""


def collinearity_table(regressed: Regressed) -> str:
    """Pairs of covariates whose correlation is at least one half either way; empty where there is none."""
    rows = [[pair["covariate"], pair["other"], in_words(pair["correlation"], ""), str(pair["n_studies"])]
            for pair in regressed.collinearity
            if pair["correlation"] is not None and abs(pair["correlation"]) >= STRONG_CORRELATION]
    return table(["covariate", "and", "r", "studies with both"], rows) if rows else ""
