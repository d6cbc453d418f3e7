"""The values of the section on covariates; its words are in section.html."""

from collections.abc import Sequence

from analysis.cases.regressions import COMPLETE, ONE, TOGETHER
from analysis.cases.settings import IMPORTANCE
from analysis.chapters.regression.conflict import conflict_text
from analysis.chapters.regression.rows import CAVEAT, COLLINEARITY, SLOPES, strong
from analysis.drawing.html import Html, folded, join, rendered, section, show, tag
from analysis.inference.diagnostics import MAX_PARETO_K
from analysis.results.numbers import number
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
        "chapters/regression/section.html", labels=labels, single=single, caveat=CAVEAT,
        refused=sum(bool(slope["refused"]) for slope in slopes if slope["analysis"] == ONE),
        clear=[slope for slope in single if slope["ratio_lower"] > 1.0 or slope["ratio_upper"] < 1.0],
        by_chance=(1.0 - results.base.level) * len(single),
        silent=sum((slope["sd_ratio"] or 0.0) >= _WIDE and not slope["prior_conflict"] for slope in single),
        pareto_k=[slope["pareto_k"] for slope in estimated if slope["engine"] == IMPORTANCE],
        chains=sum(slope["engine"] != IMPORTANCE for slope in estimated), trusted=f"{MAX_PARETO_K:g}",
        held=[slope for slope in slopes if slope["prior_conflict"] and slope["analysis"] != COMPLETE],
        conflict=conflict_text, write=results.writer(SLOPES), least_uncertain=_table(
            results, clearest, "The slopes whose direction is least uncertain, one covariate at a time", "endpoint "),
        every=[_slopes(results, endpoint.endpoint) for endpoint in results.evidence.endpoints],
        correlated=show(results.writer(COLLINEARITY), strong(results.rows(COLLINEARITY.file)),
                        "endpoint covariate other n_studies correlation", caption="Pairs of covariates with a "
                        "correlation of at least 0.5 over the studies of an endpoint")))


def regression_block(results: Results, endpoint: str, picture: Html) -> Html:
    """The bubble plots of one endpoint and its slopes, to be unfolded."""
    slopes = _slopes(results, endpoint)
    return folded("Regression on covariates", picture, tag("p", CAVEAT, class_="legend"), slopes) if slopes else slopes


def _slopes(results: Results, endpoint: str) -> Html:
    return _table(results, [slope for slope in results.rows(SLOPES.file) if slope["endpoint"] == endpoint],
                  f"{results.labels.endpoints[endpoint]}: slopes on covariates of the studies")


def _table(results: Results, slopes: Sequence[Row], caption: str, first: str = "") -> Html:
    return show(results.writer(SLOPES, missing=""), slopes, first + "label analysis n_studies ratio_median "
                "probability_above_one sd_ratio heterogeneity", caption=caption,
                cells={"label": _name, "analysis": lambda slope: _ANALYSES[slope["analysis"]],
                       "n_studies": lambda slope: f"{slope['n_studies']} ({slope['n_missing']})",
                       "ratio_median": lambda slope: None if slope["status"] == "converged" else
                       slope["refused"] or slope["status"], "sd_ratio": held_back})


def _name(slope: Row) -> Html | None:
    return join([f"{slope['label']} ", tag("small", f"per {slope['unit']}")]) if slope["unit"] else None


def held_back(slope: Row) -> str | None:
    """How wide the posterior of a slope is beside its prior, where the two are in conflict."""
    return f"{number(slope['sd_ratio'], '')}, in conflict" if slope["prior_conflict"] else None
