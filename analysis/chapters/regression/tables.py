"""Regressions as text for a terminal."""

from typing import Any

from analysis.chapters.regression.rows import STRONG_CORRELATION
from analysis.chapters.regression.running import Regressed
from analysis.results.numbers import MISSING, RATIO, chance, interval_text, level_text
from analysis.results.numbers import number as in_words
from analysis.results.terminal import number, numbers, table


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
