"""The sections on where differences come from, on other methods, and on the choice of the model."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.cases.selection import ALL
from analysis.drawing.html import Html, folded, join, paragraphs, section, table, tag
from analysis.results import facts
from analysis.results.numbers import (
    PROBABILITY_UNITS,
    RATIO,
    Scale,
    counted,
    fixed,
    interval_text,
    joint,
    level_text,
    number,
    printed_with_interval,
    signed,
    studies_and_patients,
    unit_text,
)
from analysis.results.results import Results

Row = Mapping[str, Any]


def differences_section(results: Results, picture: Html) -> Html:
    """Published estimate, the paper's kind of method on this evidence, maximum likelihood, posterior."""
    rows = results.side_rows("decomposition.csv")
    if not rows:
        return Html("")
    return section("differences", "Where each difference comes from", paragraphs([*_sizes(rows), *_shapes(results)]),
                   picture, folded("Every step in numbers", _steps(results, rows)),
                   folded("Intervals by every method", join(_methods(results), "\n")))


def _sizes(rows: Sequence[Row]) -> list[str]:
    """What the steps amount to over all published estimates in per cents."""
    steps: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["unit"] in PROBABILITY_UNITS and row["change"] is not None:
            steps.setdefault(row["reported_id"], {}).setdefault(row["step"], row["change"])
    whole = [found for found in steps.values() if {"data", "method", "prior"} <= found.keys()]
    if not whole:
        return []
    largest = sum(abs(found["data"]) >= max(abs(found["method"]), abs(found["prior"])) for found in whole)

    def reach(step: str) -> str:
        sizes = [found[step] for found in whole]
        return f"{signed(min(sizes), 'proportion')} to {signed(max(sizes), 'proportion')}"

    return [f"Of {counted(len(whole), 'published estimate')} in per cents, the largest step is the evidence itself "
            f"(missing studies and other counts) in {largest}: {reach('data')} points. The method changes the estimate "
            f"by {reach('method')} points, the prior and averaging over the heterogeneity by {reach('prior')} points."]


def _shapes(results: Results) -> list[str]:
    """Published intervals that the methods cannot give."""
    notes = []
    for row in results.side_rows("interval_shapes.csv"):
        if not row["verdict"].startswith("outside"):
            continue
        printed = printed_with_interval(row["published"], row["published_lower"], row["published_upper"], "proportion")
        symmetric = row["symmetric_about"].split()
        would = f" It is symmetric about a {symmetric[0]}, which would explain it." if symmetric and "logit" not in \
            symmetric else ""
        subset = "" if row["subset"] == ALL else f", {facts.subset_label(results, row['subset'])}"
        label = facts.endpoint_label(results, row["endpoint"])
        notes.append(
            f"{label}{subset}, {printed} %: however it was rounded, the lower arm of this interval is "
            f"{_span(row, 'arm_ratio')} times the upper one on the logit scale. "
            f"Methods of the published kind give {_span(row, 'methods')} on this "
            f"evidence, and {_span(row, 'completed')} in {row['completed']} sets in "
            f"which the missing studies are filled in by prediction. The printed interval does not come from such a "
            f"method on such data.{would}")
    return notes


def _span(row: Row, name: str) -> str:
    return " to ".join(joint((row[f"{name}_low"], row[f"{name}_high"]), RATIO))


def _steps(results: Results, rows: Sequence[Row]) -> Html:
    cells = []
    for row in rows:
        name = join([facts.endpoint_label(results, row["endpoint"]), tag("small", ", ".join(
            [facts.subset_label(results, row["subset"]), row["estimand"].replace("_", " ")]))])
        scale = results.scale(row["endpoint"])
        like = [row[name] for name in ("estimate", "lower", "upper") if row[name] is not None]
        cells.append((name, row["label"], _estimate(row, scale), row["interval"],
                      studies_and_patients(row["k_studies"], row["n_patients"]),
                      signed(row["change"], row["unit"], scale, like=like),
                      row["step"] if row["change"] is not None else "", row["reported_id"]))
    heads = ("Endpoint", "What", "Estimate [interval]", "Interval", "Studies / patients", "Change", "Due to", "Id")
    return table("Steps from the published estimate to the posterior", heads, cells, left=2)


def _estimate(row: Row, scale: Scale) -> str:
    unit = row["unit"]
    text = number(row["estimate"], unit, scale) if row["lower"] is None else \
        interval_text(row["estimate"], row["lower"], row["upper"], unit, scale)
    return f"{text} {unit_text(unit, scale)}".rstrip()


def _methods(results: Results) -> list[Html]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in results.side_rows("frequentist.csv"):
        if row["scale"] == "probability":
            found.setdefault((row["endpoint"], row["subset"]), []).append(row)
    level = level_text(results.base.level)

    def heads(endpoint: str) -> tuple[str, ...]:
        estimate = facts.rates(results, [endpoint]).head("Estimate", f"{level} confidence")
        return "Method", "Estimand", estimate, "Heterogeneity", "Note"

    return [table(f"{facts.endpoint_label(results, endpoint)}, {facts.subset_label(results, subset)}: "
                  f"{counted(rows[0]['k_studies'], 'study', 'studies')}", heads(endpoint),
                  [(row["label"] + (" (the paper's kind)" if row["of_the_paper"] else ""),
                    _estimand(row), interval_text(row["estimate"], row["lower"], row["upper"], "proportion",
                                                  results.scale(endpoint)),
                    f"{row['heterogeneity_name']} {number(row['heterogeneity'], '')}", row["note"]) for row in rows],
                  left=2) for (endpoint, subset), rows in found.items()]


def _estimand(row: Row) -> str:
    months = f" at {row['time_months']:g} months" if row["time_months"] else ""
    return row["estimand"].replace("_", " ") + months


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
    rows = [row for row in results.side_rows("model_comparison.csv") if row["prior_spread"] is not None]
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
    return join([table("Rate models: prediction of each study from the others", heads, cells,
                       left=3), note if cells else ""])


def _surprises(results: Results) -> Html:
    rows = sorted((row for row in results.side_rows("leave_one_out.csv") if row["which_priors"] == "default"
                   and row["model"] == results.headline(row["endpoint"]).model), key=lambda row: row["two_sided"])
    cells = [(facts.endpoint_label(results, row["endpoint"]), row["label"], number(row["pit"], ""),
              number(row["two_sided"], ""), number(row["elpd_loo"], "")) for row in rows[:10]]
    return folded("Studies that the others predict least well", table(
        "The ten smallest two-sided predictive probabilities, headline models", (
            "Endpoint", "Study", "PIT (mid-p)", "Two-sided probability", "Log predictive density"), cells, left=2))
