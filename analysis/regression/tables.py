"""Regressions as text for a terminal and as CSV files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.files import write_csv
from analysis.regression.rows import COLLINEARITY_COLUMNS, IMPUTED_COLUMNS, PREDICTION_COLUMNS, REGRESSION_COLUMNS
from analysis.regression.running import Regressed
from analysis.text import number, table
from analysis.wording import MISSING, level_text

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
    ratio = f"{row['ratio_median']:.2f} [{row['ratio_lower']:.2f}, {row['ratio_upper']:.2f}]"
    without = number(row["heterogeneity_without"]) or MISSING
    told = MISSING if row["sd_ratio"] is None else f"{row['sd_ratio']:.2f}"
    told += ", in conflict" if row["prior_conflict"] else ""
    return [*first, ratio, f"{row['probability_above_one']:.2f}", told,
            f"{without} -> {number(row['heterogeneity_with'])}"]


def _level(found: Regressed) -> str:
    return level_text(found.job.level)


def _heterogeneity(found: Regressed) -> str:
    return next((row["heterogeneity"] for row in found.slopes if row.get("heterogeneity")), "heterogeneity")


def imputed_table(found: Regressed) -> str:
    """What the model thinks that each missing cell is; empty where none is missing."""
    rows = [[row["covariate"], row["study_id"], number(row["median"], "time"),
             f"[{number(row['lower'], 'time')}, {number(row['upper'], 'time')}]", f"{row['probability_outside']:.2f}"]
            for row in found.imputed]
    header = ["covariate", "study", "median", f"{_level(found)} credible", "P(out of bounds)"]
    return table(header, rows) if rows else ""


def collinearity_table(found: Regressed) -> str:
    """Pairs of covariates whose correlation is at least one half either way; empty where there is none."""
    rows = [[row["covariate"], row["other"], f"{row['correlation']:.2f}", str(row["n_studies"])]
            for row in found.collinearity
            if row["correlation"] is not None and abs(row["correlation"]) >= _SHOWN_CORRELATION]
    return table(["covariate", "and", "r", "studies with both"], rows) if rows else ""


def write_tables(found: Sequence[Regressed], folder: Path, *, stamp: str = "") -> None:
    """Write regression.csv and its three companions."""
    for name, (columns, attribute) in FILES.items():
        write_csv(folder / name, [{**row, "stamp": stamp} for one in found for row in getattr(one, attribute)], columns)
