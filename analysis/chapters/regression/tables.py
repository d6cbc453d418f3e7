"""Regressions as text for a terminal and as CSV files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.chapters.regression.rows import (
    COLLINEARITY_COLUMNS,
    IMPUTED_COLUMNS,
    PREDICTION_COLUMNS,
    REGRESSION_COLUMNS,
)
from analysis.results.numbers import MISSING, RATIO, chance, interval_text, level_text
from analysis.results.numbers import number as in_words
from analysis.results.regressed import Regressed
from analysis.results.terminal import number, numbers, table
from analysis.system.files import write_csv

FILES = {"regression.csv": (REGRESSION_COLUMNS, "slopes"),
         "regression_predictions.csv": (PREDICTION_COLUMNS, "predictions"),
         "regression_imputed.csv": (IMPUTED_COLUMNS, "imputed"),
         "regression_collinearity.csv": (COLLINEARITY_COLUMNS, "collinearity")}
"""Columns of each table, and the rows of `Regressed` that it shows."""
_SHOWN_CORRELATION = 0.5


def slopes_table(found: Regressed) -> str:
    """Every slope with its ratio per unit; a dash where there is none."""
    header = ["covariate", "per", "analysis", "studies", "missing", f"{found.ratio} [{_level(found)} credible]",
              "P(ratio > 1)", "SD / prior SD", f"median {_heterogeneity(found)} without -> with"]
    return table(header, [_cells(row) for row in found.slopes])


def _cells(row: dict[str, Any]) -> list[str]:
    first = [row["covariate"], row["unit"], row["analysis"], str(row["n_studies"]), str(row["n_missing"])]
    if row["status"] != "converged":
        return [*first, "too few studies" if row["refused"] else row["status"], MISSING, MISSING, MISSING]
    ratio = interval_text(row["ratio_median"], row["ratio_lower"], row["ratio_upper"], RATIO)
    without = number(row["heterogeneity_without"]) or MISSING
    told = in_words(row["sd_ratio"], "") + (", in conflict" if row["prior_conflict"] else "")
    return [*first, ratio, chance(row["probability_above_one"]), told,
            f"{without} -> {number(row['heterogeneity_with'])}"]


def _level(found: Regressed) -> str:
    return level_text(found.job.level)


def _heterogeneity(found: Regressed) -> str:
    return next((row["heterogeneity"] for row in found.slopes if row.get("heterogeneity")), "heterogeneity")


def imputed_table(found: Regressed) -> str:
    """What the model thinks that each missing cell is; empty where none is missing."""
    cells = [numbers([row[name] for name in ("median", "lower", "upper")], "time") for row in found.imputed]
    rows = [[row["covariate"], row["study_id"], median,
             f"[{lower}, {upper}]", chance(row["probability_outside"])]
            for row, (median, lower, upper) in zip(found.imputed, cells, strict=True)]
    header = ["covariate", "study", "median", f"{_level(found)} credible", "P(out of bounds)"]
    return table(header, rows) if rows else ""


def collinearity_table(found: Regressed) -> str:
    """Pairs of covariates whose correlation is at least one half either way; empty where there is none."""
    rows = [[row["covariate"], row["other"], in_words(row["correlation"], ""), str(row["n_studies"])]
            for row in found.collinearity
            if row["correlation"] is not None and abs(row["correlation"]) >= _SHOWN_CORRELATION]
    return table(["covariate", "and", "r", "studies with both"], rows) if rows else ""


def write_tables(found: Sequence[Regressed], folder: Path, *, stamp: str = "") -> list[Path]:
    """Write regression.csv and those of its three companions that have a row; returns their paths."""
    paths = []
    for name, (columns, attribute) in FILES.items():
        rows = [{**row, "stamp": stamp} for one in found for row in getattr(one, attribute)]
        if rows:
            paths.append(folder / name)
            write_csv(paths[-1], rows, columns)
    return paths
