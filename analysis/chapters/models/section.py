"""The section on whether a result hangs on the sampler or the model."""

from collections.abc import Mapping
from typing import Any

from analysis.drawing.html import Html, folded, join, paragraphs, section, table, tag
from analysis.results import facts
from analysis.results.numbers import (
    counted,
    fixed,
    number,
)
from analysis.results.results import Results

Row = Mapping[str, Any]


def models_section(results: Results) -> Html:
    """Both engines side by side, and the rate models judged by prediction and, with equal priors, by weight."""
    choice = "the sampler or the model" if "rate" in facts.kinds(results) else "the sampler"
    return section("models", f"Does it hang on {choice}?", paragraphs(_engines(results)),
                   _judged(results), _surprises(results))


def _engines(results: Results) -> list[str]:
    rows = [row for record in results.records for row in record.agreement]
    if not rows:
        return []
    fits = sum(1 for record in results.records if record.agreement)
    largest = max(abs(row["z"]) for row in rows)
    error = max(record.diagnostics["quadrature_error"] for record in results.records if record.agreement)
    return [f"Every pooled number was computed twice, by sampling and by quadrature over the two hyperparameters "
            f"(estimated relative error at most {error:.0e}). {len(rows):,} numbers of {counted(fits, 'fit')} agree: "
            f"the largest difference is {fixed(largest, 1)} Monte-Carlo standard errors, and a fit beyond "
            f"{facts.ENGINE_LIMIT:g} would have no result."]


def _judged(results: Results) -> Html:
    rows = [row for row in results.rows("model_comparison.csv") if row["prior_spread"] is not None]
    heads = ("Endpoint", "Priors", "Model", "Prior SD of rates at 80 %, points", "elpd (leave-one-out)",
             "difference (SE)", "Weight", "p, PIT uniform")
    cells = [(facts.endpoint_label(results, row["endpoint"]), row["which_priors"], row["model"].replace("_", "-"),
              fixed(100.0 * row["prior_spread"], 1), f"{number(row['elpd_loo'], '')} "
              f"({number(row['elpd_loo_se'], '')})", "" if row["elpd_difference"] is None else
              f"{number(row['elpd_difference'], '')} ({number(row['elpd_difference_se'], '')})",
              "" if row["weight"] is None else number(row["weight"], ""), number(row["pit_uniform_p"], ""))
             for row in rows]
    note = tag("p", "elpd: sum over studies of the log predictive density of each given the others, without "
                    "approximation; higher is better. Weight: posterior probability of the model, equal before, only "
                    "under matched priors, since it would otherwise weigh the priors; a model for which none are known "
                    "has none. PIT: where each study lies in its prediction from the others.", class_="legend")
    absent = dict.fromkeys(f"{row['model']}: {row['reason']}" for row in results.rows("model_comparison.csv")
                           if row["reason"])
    return join([table("Rate models: prediction of each study from the others", heads, cells,
                       left=3), note if cells else "", paragraphs([f"Not compared: {'; '.join(absent)}."]
                                                                  if absent else [])])


def _surprises(results: Results) -> Html:
    rows = sorted((row for row in results.rows("leave_one_out.csv") if row["which_priors"] == "default"
                   and row["model"] == results.headline(row["endpoint"]).model), key=lambda row: row["two_sided"])
    cells = [(facts.endpoint_label(results, row["endpoint"]), row["label"], number(row["pit"], ""),
              number(row["two_sided"], ""), number(row["elpd_loo"], "")) for row in rows[:10]]
    return folded("Studies that the others predict least well", table(
        "The ten smallest two-sided predictive probabilities, headline models", (
            "Endpoint", "Study", "PIT (mid-p)", "Two-sided probability", "Log predictive density"), cells, left=2))
