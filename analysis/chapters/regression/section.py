"""The values of the section on covariates; its words are in section.html."""

from collections.abc import Sequence

from analysis.cases.regressions import COMPLETE, ONE, TOGETHER
from analysis.cases.settings import IMPORTANCE
from analysis.chapters.regression.conflict import conflict_text
from analysis.chapters.regression.rows import CAVEAT, COLLINEARITY, SLOPES, STRONG_CORRELATION
from analysis.drawing.html import Html, folded, join, rendered, section, table, tag
from analysis.inference.diagnostics import MAX_PARETO_K
from analysis.results import facts
from analysis.results.numbers import RATIO, interval_text, level_text, number, percent
from analysis.results.results import Results
from analysis.results.table import Row

_WIDE = 0.8  # of the prior standard deviation
_SHOWN = 8
_ANALYSES = {ONE: "one at a time", COMPLETE: "complete cases", TOGETHER: "all together"}


def regression_section(results: Results) -> Html:
    """Slopes on study-level covariates over all endpoints: a summary in words, then every slope."""
    slopes = results.rows(SLOPES.file)
    if not slopes:
        return Html("")
    labels = list(dict.fromkeys(slope["label"] for slope in slopes))
    estimated = [slope for slope in slopes if slope["status"] == "converged"]
    single = [slope for slope in estimated if slope["analysis"] == ONE]
    clearest = sorted(single, key=lambda slope: -abs(slope["probability_above_one"] - 0.5))[:_SHOWN]
    title = labels[0] if len(labels) == 1 else "the covariates"
    return section("regression", f"Do results vary with {title}?", rendered(
        "chapters/regression/section.html", say=facts.Words(results), labels=labels, single=single, caveat=CAVEAT,
        refused=sum(bool(slope["refused"]) for slope in slopes if slope["analysis"] == ONE),
        clear=[slope for slope in single if slope["ratio_lower"] > 1.0 or slope["ratio_upper"] < 1.0],
        level=level_text(results.base.level), by_chance=(1.0 - results.base.level) * len(single),
        silent=sum((slope["sd_ratio"] or 0.0) >= _WIDE and not slope["prior_conflict"] for slope in single),
        pareto_k=[slope["pareto_k"] for slope in estimated if slope["engine"] == IMPORTANCE],
        chains=sum(slope["engine"] != IMPORTANCE for slope in estimated), trusted=f"{MAX_PARETO_K:g}",
        held=[slope for slope in slopes if slope["prior_conflict"] and slope["analysis"] != COMPLETE],
        conflict=conflict_text, ratio=_ratio, least_uncertain=_table(
            results, "The slopes whose direction is least uncertain, one covariate at a time", clearest, endpoint=True),
        every=[_slopes(results, endpoint.endpoint) for endpoint in results.evidence.endpoints],
        correlated=_correlated(results)))


def regression_block(results: Results, endpoint: str, picture: Html) -> Html:
    """The bubble plots of one endpoint and its slopes, to be unfolded."""
    slopes = _slopes(results, endpoint)
    return folded("Regression on covariates", picture, tag("p", CAVEAT, class_="legend"), slopes) if slopes else slopes


def _slopes(results: Results, endpoint: str) -> Html:
    caption = f"{facts.endpoint_label(results, endpoint)}: slopes on covariates of the studies"
    slopes = [slope for slope in results.rows(SLOPES.file) if slope["endpoint"] == endpoint]
    return _table(results, caption, slopes, endpoint=False)


def _table(results: Results, caption: str, slopes: Sequence[Row], *, endpoint: bool) -> Html:
    heads = [*(["Endpoint"] if endpoint else []), "Covariate, unit", "Analysis", "Studies (imputed)",
             f"Ratio [{level_text(results.base.level)} credible]", "P(ratio > 1)", "SD / prior SD",
             "Heterogeneity without, with"]
    cells = [(*([facts.endpoint_label(results, slope["endpoint"])] if endpoint else []), *_cells(slope))
             for slope in slopes]
    return table(caption, heads, cells, left=3 if endpoint else 2)


def _cells(slope: Row) -> tuple[object, ...]:
    name = join([f"{slope['label']} ", tag("small", f"per {slope['unit']}")]) if slope["unit"] else slope["label"]
    count = f"{slope['n_studies']} ({slope['n_missing']})" if slope["n_studies"] is not None else ""
    first = (name, _ANALYSES[slope["analysis"]], count)
    if slope["status"] != "converged":
        return *first, slope["refused"] or slope["status"], "", "", ""
    return (*first, _ratio(slope), f"{percent(slope['probability_above_one'])} %",
            number(slope["sd_ratio"], "") + (", in conflict" if slope["prior_conflict"] else ""),
            f"{slope['heterogeneity']} {number(slope['heterogeneity_without'], '')}, "
            f"{number(slope['heterogeneity_with'], '')}")


def _ratio(slope: Row) -> str:
    return interval_text(slope["ratio_median"], slope["ratio_lower"], slope["ratio_upper"], RATIO)


def _correlated(results: Results) -> list[tuple[str, ...]]:
    return [(facts.endpoint_label(results, pair["endpoint"]), pair["covariate"], pair["other"], f"{pair['n_studies']}",
             number(pair["correlation"], "")) for pair in results.rows(COLLINEARITY.file)
            if pair["correlation"] is not None and abs(pair["correlation"]) >= STRONG_CORRELATION]
