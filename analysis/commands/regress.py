"""`regress`: one endpoint on covariates of the studies."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.cases.covariates import amount, covariates_of
from analysis.cases.selection import choices, select
from analysis.cases.settings import NUTS, QUICK_REGRESSION, REGRESSION
from analysis.chapters.regression.rows import CAVEAT
from analysis.chapters.regression.running import regress
from analysis.chapters.regression.tables import FILES, collinearity_table, imputed_table, slopes_table, write_tables
from analysis.commands.arguments import base_job
from analysis.evidence import Evidence, load
from analysis.output import adding
from analysis.results.numbers import counted
from analysis.results.regressed import Regressed
from analysis.results.tables import left_out_cells
from analysis.results.terminal import QUICK_REMEDY, left_out_lines
from analysis.system.errors import UsageError, one_line
from analysis.system.files import as_json

SCHEMA_VERSION = 1
_DIAGNOSTICS = ("engine", "pareto_k", "max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "min_bfmi",
                "max_mcse_mean", "max_mcse_limit", "max_mcse_limit_heterogeneity", "failures", "chains", "draws",
                "target_accept", "seed")


def run(options: argparse.Namespace) -> int:
    """Fit, print the slopes, write tables and a figure where --output asks for them."""
    evidence = load(options.data)
    job = replace(base_job(options, options.endpoint), sampler=QUICK_REGRESSION if options.quick else REGRESSION)
    covariates_of(evidence, options.covariate)
    if options.horizon and select(evidence, job.question).endpoint.kind == "rate":
        raise UsageError(f"{options.endpoint} is a rate; --horizon is for survival endpoints")
    stamp = "QUICK" if options.quick else ""
    with adding(options.output, data=options.data, run=f"regress {options.endpoint}",
                names=_names(options.endpoint, stamp)) if options.output else nullcontext() as folder:
        if job.engine == NUTS:
            print(f"Regressing {options.endpoint}; compiling the model takes most of the time ...", file=sys.stderr)
        found = regress(evidence, job, options.covariate, cores=2)
        reasons = list(dict.fromkeys(row["refused"] for row in found.refused))
        if len(found.refused) == len(found.slopes):
            raise UsageError("; ".join(reasons))
        paths = _write(found, evidence.endpoint(options.endpoint).label, folder, stamp) if folder else []
    if options.json:
        print(as_json(_object(found, evidence.sha256, stamp)))
    else:
        _print(found, evidence, stamp)
        print("".join(f"\n{one_line(str(options.output / path.relative_to(folder)))}" for path in paths))
    for line in (*(f"warning: {text}" for text in found.warnings), *left_out_lines(found.left_out),
                 *(f"not estimated: {text}" for text in reasons)):
        print(line, file=sys.stderr)
    failures = dict.fromkeys((row["analysis"], row["covariate"], row["failures"]) for row in found.failed)
    for analysis, covariate, reason in failures:
        remedy = QUICK_REMEDY if options.quick else ""
        print(f"NOT CONVERGED: {covariate} {analysis}: {reason}{remedy}", file=sys.stderr)
    return 3 if failures else 0


def _names(endpoint: str, stamp: str) -> list[str]:
    """The files that may be written."""
    from analysis.drawing.names import FigureId

    return [*FILES, *(f"figures/{FigureId('bubble', endpoint).stem}.{kind}" for kind in ("svg", "png") if not stamp)]


def _write(found: Regressed, label: str, folder: Path, stamp: str) -> list[Path]:
    from analysis.chapters.regression.figure import bubble_content, draw_bubbles
    from analysis.drawing.names import FigureId
    from analysis.drawing.saving import save_figure

    paths = write_tables([found], folder, stamp=stamp)
    if not stamp:
        figure = draw_bubbles(**bubble_content(found, label=label, stamp=stamp))
        paths += save_figure(figure, folder / "figures" / FigureId("bubble", found.job.question.endpoint).stem)
    return paths


def _object(found: Regressed, sha256: str, stamp: str) -> dict[str, Any]:
    question = found.job.question
    return {"schema_version": SCHEMA_VERSION, "data_sha256": sha256, "endpoint": question.endpoint,
            "model": found.model, "subset": question.subset, "tiers": question.tiers, "set": question.study_set,
            "without": list(question.without), "retrospective": question.retrospective, "priors": found.priors,
            "n_studies": found.n_studies, "n_patients": found.n_patients, "seed": found.job.seed, "stamp": stamp,
            "warnings": list(found.warnings), "left_out": left_out_cells(found.left_out), "caveat": CAVEAT,
            "covariates": [_slope(row) for row in found.slopes], "collinearity": _without_endpoint(found.collinearity),
            "predictions": _without_endpoint(found.predictions), "imputed": _without_endpoint(found.imputed),
            "converged": not found.failed}


def _slope(row: Mapping[str, Any]) -> dict[str, Any]:
    converged = row["status"] == "converged"
    return {"covariate": row["covariate"], "label": row["label"], "unit": row["unit"], "unit_size": row["unit_size"],
            "prior_size": row["prior_size"], "analysis": row["analysis"],
            "n_studies": row["n_studies"], "n_patients": row["n_patients"], "n_missing": row["n_missing"],
            "centre": row["centre"], "beta": _estimate(row, "beta") if converged else None,
            "ratio": {**_estimate(row, "ratio"), "scale": row["ratio_scale"]} if converged else None,
            "probability_above_one": row.get("probability_above_one"), "prior": row.get("prior"),
            "sd_ratio": row.get("sd_ratio"),
            **{name: row.get(name) for name in ("crude_beta", "crude_se", "prior_tail", "prior_conflict")},
            "heterogeneity_explained": _heterogeneity(row) if converged else None,
            "diagnostics": {name: row.get(name) for name in _DIAGNOSTICS} if not row["refused"] else None,
            "converged": converged, "refused": row["refused"] or None}


def _estimate(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    names = ("mean", "sd", "median", "lower", "upper", "mcse")
    values = {name: row[f"{prefix}_{name}"] for name in names if f"{prefix}_{name}" in row}
    return {"estimand": prefix, **values, "level": row["level"], "interval": row["interval"]}


def _heterogeneity(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"parameter": row["heterogeneity"], "statistic": "posterior median",
            "without": row["heterogeneity_without"], "with": row["heterogeneity_with"],
            "difference": row["heterogeneity_explained"]}


def _without_endpoint(rows: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "endpoint"} for row in rows]


def _print(found: Regressed, evidence: Evidence, stamp: str) -> None:
    question = found.job.question
    print(f"{'QUICK (short chains)  ' if stamp else ''}{question.endpoint}: " + ", ".join([
        f"{found.model} regression", f"subset {question.subset}", *choices(evidence, question),
        counted(found.n_studies, "study", "studies"), counted(found.n_patients, "patient")]))
    print("; ".join(f"{name} ~ {prior}" for name, prior in found.priors.items()))
    chosen = {row["covariate"]: f"{row['covariate']} {amount(float(format(row['prior_size'], '.3g')))}"
              for row in found.slopes if row["prior_size"] != row["unit_size"]}
    told = f", or per standard deviation where none is stated ({', '.join(chosen.values())})" if chosen else ""
    print(f"beta is per step of its covariate{told}; covariate_mean and covariate_sd are in standard deviations\n")
    print(slopes_table(found) + "\n")
    for heading, text in (("Imputed cells", imputed_table(found)),
                          ("Correlations among covariates", collinearity_table(found))):
        if text:
            print(f"{heading}\n\n{text}\n")
    print(CAVEAT)
