"""`regress`: one endpoint on covariates of the studies."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.cases.covariates import amount, covariates_of
from analysis.cases.regressions import TOGETHER
from analysis.cases.selection import select
from analysis.cases.settings import NUTS, QUICK_REGRESSION, REGRESSION
from analysis.chapters.regression.conflict import held_back
from analysis.chapters.regression.rows import CAVEAT, COLLINEARITY, IMPUTED, LAYOUTS, SLOPES, strong
from analysis.chapters.regression.running import Regressed, regress
from analysis.commands.arguments import base_job
from analysis.commands.printing import (
    asked,
    figure_files,
    heading,
    load_and_note,
    print_json,
    print_notes,
    refuse_horizon,
    with_notes,
)
from analysis.evidence.directory import Evidence
from analysis.output import adding
from analysis.results.numbers import MISSING, chance, level_text, limits_of
from analysis.results.table import Row
from analysis.results.tables import left_out_rows, without_question
from analysis.results.terminal import QUICK_REMEDY, number, numbers, show
from analysis.system.errors import UsageError, one_line

_SLOPE, _EVIDENCE = SLOPES.between("covariate", "centre"), SLOPES.between("probability_above_one", "prior_conflict")
_DIAGNOSTICS = tuple(name for name in SLOPES.between("engine", "seed") if name != "status")


def run(options: argparse.Namespace) -> int:
    """Fit, print the slopes, write tables and a figure where --output asks for them."""
    evidence = load_and_note(options.data, options.endpoint)
    check(evidence, options)
    stamp, bubble = "QUICK" if options.quick else "", f"figures/bubble.{options.endpoint}"
    names = [*(layout.about(options.endpoint).file for layout in LAYOUTS), *([] if stamp else figure_files(bubble))]
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
        raise UsageError("; ".join(dict.fromkeys(
            f"{slope['endpoint']} on {_covariates(slope)}: {slope['refused']}" for slope in regressed.refused)))
    return regressed


def _covariates(slope: Mapping[str, Any]) -> str:
    return "all covariates" if slope["analysis"] == TOGETHER else slope["covariate"]


def _write(regressed: Regressed, label: str, folder: Path, bubble: str, stamp: str) -> list[Path]:
    """The tables that have a row, and the figure where the run is no trial."""
    from analysis.chapters.regression.figure import draw_bubbles
    from analysis.drawing.saving import save_figure

    endpoint = regressed.case.question.endpoint
    tables = [layout.about(endpoint).table({**row, "stamp": stamp} for row in regressed.tables[layout.file])
              for layout in LAYOUTS]
    paths = [table.write(folder) for table in tables if len(table)]
    return paths if stamp else [*paths, *save_figure(draw_bubbles(**regressed.bubbles, label=label),
                                                     folder / bubble)]


def _object(evidence: Evidence, regressed: Regressed, stamp: str) -> dict[str, Any]:
    case = regressed.case
    question = case.question
    return {**asked(evidence, question, endpoint=question.endpoint, model=case.model.name, subset=question.subset),
            "priors": {name: str(prior) for name, prior in regressed.priors.items()},
            "n_studies": len(case.studies), "n_patients": case.studies.patients, "seed": case.job.seed, "stamp": stamp,
            "warnings": with_notes(evidence, question.endpoint, regressed.warnings),
            "left_out": without_question(left_out_rows(case.selection)),
            "caveat": CAVEAT, "covariates": [_slope(slope) for slope in regressed.slopes],
            "collinearity": without_question(regressed.collinearity),
            "predictions": without_question(regressed.predictions),
            "imputed": without_question(regressed.imputed), "converged": not regressed.failed}


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


def _print(evidence: Evidence, regressed: Regressed, stamp: str) -> None:
    case = regressed.case
    print(heading(evidence, case.question, f"{case.model.name} regression", regressed.priors, case.studies,
                  stamp=stamp))
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

    def refusal(slope: Row) -> str | None:
        return "too few studies" if slope["refused"] else None if slope["status"] == "converged" else slope["status"]

    def heterogeneity(slope: Row) -> str:
        without, with_it = (number(slope.get(f"heterogeneity_{which}")) for which in ("without", "with"))
        return MISSING if refusal(slope) else f"{without or MISSING} -> {with_it}"

    return show(SLOPES, regressed.slopes, {
        "covariate": "covariate", "unit": "per", "analysis": "analysis", "n_studies": "studies", "n_missing": "missing",
        "ratio_median": f"{regressed.ratio} [{level_text(regressed.case.level)} credible]",
        "probability_above_one": "P(ratio > 1)", "prior_sd": "prior SD per unit (per SD)", "sd_ratio": "SD / prior SD",
        "heterogeneity": f"median {spread} without -> with"}, missing=MISSING, cells={
            "ratio_median": refusal, "probability_above_one": lambda slope: chance(slope.get("probability_above_one")),
            "sd_ratio": held_back, "heterogeneity": heterogeneity})


def imputed_table(regressed: Regressed) -> str:
    """What the model thinks that each missing cell is; empty where none is missing."""
    def limits(cell: Row) -> list[str]:
        return numbers(limits_of(cell, "median"), "months")

    return show(IMPUTED, regressed.imputed, {
        "covariate": "covariate", "study_id": "study", "median": "median",
        "lower": f"{level_text(regressed.case.level)} credible", "probability_outside": "P(out of bounds)"}, cells={
            "median": lambda cell: limits(cell)[0],
            "lower": lambda cell: "[{1}, {2}]".format(*limits(cell))}) if regressed.imputed else ""


def collinearity_table(regressed: Regressed) -> str:
    """Pairs of covariates whose correlation is at least one half either way; empty where there is none."""
    pairs = strong(regressed.collinearity)
    return show(COLLINEARITY, pairs, {"covariate": "covariate", "other": "and", "correlation": "r",
                                      "n_studies": "studies with both"}) if pairs else ""
