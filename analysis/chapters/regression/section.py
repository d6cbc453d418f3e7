"""The section on covariates: what a reader may and may not conclude from a handful of studies."""

from collections.abc import Mapping
from typing import Any

from analysis.cases.settings import IMPORTANCE
from analysis.chapters.regression.conflict import conflict_text
from analysis.chapters.regression.rows import CAVEAT
from analysis.drawing.html import Html, folded, join, paragraphs, section, table, tag
from analysis.inference.diagnostics import MAX_PARETO_K
from analysis.results import facts
from analysis.results.numbers import RATIO, counted, interval_text, level_text, number, percent, significant
from analysis.results.results import Results

Row = Mapping[str, Any]
_ANALYSES = {"one_at_a_time": "one at a time", "complete_case": "complete cases", "together": "all together"}


def regression_section(results: Results) -> Html:
    """Slopes on study-level covariates over all endpoints: a summary in words, then every slope."""
    rows = results.rows("regression.csv")
    if not rows:
        return Html("")
    return section("regression", _title(results),
                   paragraphs([*_summary(results, rows), CAVEAT]), _largest(results, rows),
                   folded("Every slope", *(_slopes(results, endpoint.endpoint, rows)
                                           for endpoint in results.evidence.endpoints)),
                   folded("Correlations among covariates", _collinearity(results)))


def _title(results: Results) -> str:
    labels = list(dict.fromkeys(row["label"] for row in results.rows("regression.csv")))
    return f"Do results vary with {labels[0]}?" if len(labels) == 1 else "Do results vary with the covariates?"


def regression_block(results: Results, endpoint: str, picture: Html) -> Html:
    """The bubble plots of one endpoint and its slopes, to be unfolded."""
    rows = [row for row in results.rows("regression.csv") if row["endpoint"] == endpoint]
    return folded("Regression on covariates", picture, tag("p", CAVEAT, class_="legend"),
                  _slopes(results, endpoint, rows)) if rows else Html("")


def _known(rows: tuple[Row, ...], analysis: str) -> list[Row]:
    return [row for row in rows if row["analysis"] == analysis and row["status"] == "converged"]


def _summary(results: Results, rows: tuple[Row, ...]) -> list[str]:
    single = _known(rows, "one_at_a_time")
    if not single:
        return ["No slope could be estimated: too few studies report an endpoint together with a covariate."]
    level = level_text(results.base.level)
    clear = [row for row in single if row["ratio_lower"] > 1.0 or row["ratio_upper"] < 1.0]
    refused = sum(1 for row in rows if row["analysis"] == "one_at_a_time" and row["refused"])
    mute = sum(row["sd_ratio"] is not None and row["sd_ratio"] >= 0.8 and not row["prior_conflict"] for row in single)
    labels = ", ".join(dict.fromkeys(row["label"] for row in rows))
    few = f"; {counted(refused, 'further one')} had too few studies" if refused else ""
    notes = [f"Covariates: {labels}.",
             f"{counted(len(single), 'slope was', 'slopes were')} estimated one at a time{few}. The {level} interval "
             f"of the ratio excludes 1 in {len(clear)} of {len(single)}; about "
             f"{significant((1.0 - results.base.level) * len(single))} would by chance alone.",
             *([f"In {mute} of {len(single)} the posterior is at least 80 % as wide as the prior, and the two agree: "
                f"there the studies cannot say whether there is an association, which is not evidence that there is "
                f"none."] if mute else [])]
    notes.append(_engines(rows))
    held = [row for row in rows if row.get("prior_conflict") and row["analysis"] != "complete_case"]
    notes += [f"{_endpoint(results, row)}, {conflict_text(row)}." for row in held]
    return [*notes, *(f"{_endpoint(results, row)}, {row['label']}: {_ratio(row)}." for row in clear)]


def _engines(rows: tuple[Row, ...]) -> str:
    """What made the slopes, and how far it may be trusted."""
    made = [row for row in rows if row["status"] == "converged"]
    weighed = [row for row in made if row["engine"] == IMPORTANCE]
    told = []
    if weighed:
        told.append(f"Independent weighted draws gave {counted(len(weighed), 'slope')}; they may be trusted up to a "
                    f"Pareto k of {MAX_PARETO_K:g}"
                    f"{', and the largest' if len(weighed) > 1 else ', which here'} is "
                    f"{number(max(row['pareto_k'] for row in weighed), '')}.")
    if len(made) > len(weighed):
        told.append(f"Markov chains gave {counted(len(made) - len(weighed), 'slope')}.")
    return " ".join(told)


def _endpoint(results: Results, row: Row) -> str:
    return facts.endpoint_label(results, row["endpoint"])


def _ratio(row: Row) -> str:
    return (f"{row['ratio_scale'].replace('_', ' ')} {_interval(row)}{_per(row)}, "
            f"P(ratio > 1) = {percent(row['probability_above_one'])} %")


def _interval(row: Row) -> str:
    return interval_text(row["ratio_median"], row["ratio_lower"], row["ratio_upper"], RATIO)


def _per(row: Row) -> str:
    return f" per {row['unit']}" if row["unit"] else ""


def _largest(results: Results, rows: tuple[Row, ...]) -> Html:
    """The slopes about whose sign most is known."""
    single = sorted(_known(rows, "one_at_a_time"), key=lambda row: -abs(row["probability_above_one"] - 0.5))[:8]
    return _table(results, "The slopes whose direction is least uncertain, one covariate at a time", single,
                  endpoint=True)


def _slopes(results: Results, endpoint: str, rows: tuple[Row, ...] | list[Row]) -> Html:
    own = [row for row in rows if row["endpoint"] == endpoint]
    caption = f"{facts.endpoint_label(results, endpoint)}: slopes on covariates of the studies"
    return _table(results, caption, own, endpoint=False)


def _table(results: Results, caption: str, rows: list[Row], *, endpoint: bool) -> Html:
    level = level_text(results.base.level)
    heads = [*(["Endpoint"] if endpoint else []), "Covariate, unit", "Analysis", "Studies (imputed)",
             f"Ratio [{level} credible]", "P(ratio > 1)", "SD / prior SD", "Heterogeneity without, with"]
    cells = []
    for row in rows:
        first = [_endpoint(results, row)] if endpoint else []
        name = join([f"{row['label']} ", tag("small", _per(row).strip())]) if row["unit"] else row["label"]
        count = f"{row['n_studies']} ({row['n_missing']})" if row["n_studies"] is not None else ""
        if row["status"] != "converged":
            cells.append((*first, name, _ANALYSES[row["analysis"]], count, row["refused"] or row["status"], "", "", ""))
            continue
        spread = f"{row['heterogeneity']} {number(row['heterogeneity_without'], '')}, " \
                 f"{number(row['heterogeneity_with'], '')}"
        cells.append((*first, name, _ANALYSES[row["analysis"]], count,
                      _interval(row), f"{percent(row['probability_above_one'])} %",
                      number(row["sd_ratio"], "") + (", in conflict" if row["prior_conflict"] else ""), spread))
    return table(caption, heads, cells, left=3 if endpoint else 2)


def _collinearity(results: Results) -> Html:
    rows = [row for row in results.rows("regression_collinearity.csv") if row["correlation"] is not None
            and abs(row["correlation"]) >= 0.5]
    return table("Pairs of covariates with a correlation of at least 0.5 over the studies of an endpoint", (
        "Endpoint", "Covariate", "Other", "Studies", "Correlation"),
        [(_endpoint(results, row), row["covariate"], row["other"], f"{row['n_studies']}",
          number(row["correlation"], "")) for row in rows], left=3)
