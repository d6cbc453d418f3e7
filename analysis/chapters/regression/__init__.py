"""Whether results vary with covariates of the studies; the words are in section.html."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from analysis.cases.regressions import COMPLETE, ONE
from analysis.cases.settings import IMPORTANCE, Job
from analysis.chapters.chapter import Asked, Chapter, Page, Picture, Task
from analysis.chapters.regression.conflict import ANALYSES, conflict_text, crude_ratio, crude_text, held_back
from analysis.chapters.regression.figure import draw_bubbles
from analysis.chapters.regression.rows import CAVEAT, COLLINEARITY, LAYOUTS, SLOPES, strong
from analysis.chapters.regression.running import regress, regression_jobs
from analysis.drawing.html import Html, folded, join, rendered, section, show, table, tag
from analysis.evidence.directory import Evidence
from analysis.inference.diagnostics import MAX_PARETO_K
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.writing import NOTHING

_WIDE = 0.8  # of the prior standard deviation
_SHOWN, _ASKED = 8, 4
_FEW = 50
"""Studies of a slope; with fewer, odds that differ by a third for each standard deviation of it mostly pass unseen."""

_IDENTICAL = 1.0 - 1e-9
"""Correlation of columns that are one column but for its unit."""


def _work(asked: Asked) -> Iterator[Task]:
    for job in regression_jobs(asked.evidence, asked.base, quick=asked.quick):
        yield Task("regression", job.question.endpoint, _rows, (job,))


def _rows(evidence: Evidence, job: Job) -> Mapping[str, Any]:
    regressed = regress(evidence, job)
    drawn = len(regressed.refused) < len(regressed.slopes)
    return {**regressed.tables, "bubble": [(job.question.endpoint, regressed.bubbles)] if drawn else []}


def _figures(results: Results) -> Iterator[Picture]:
    for endpoint, content in results.values.get("bubble", ()):
        label = results.evidence.endpoint(endpoint).label
        yield Picture("bubble", draw_bubbles, {**content, "label": label, "stamp": results.stamp,
                                               "scale": results.labels.scales[endpoint]},
                      f"{label}: each study's estimate over each covariate, with the posterior curve and its band. "
                      "Ratios: " + results.told(SLOPES, filter(_alone, content["slopes"]), "ratio_median", by="label")
                      + ".",
                      endpoint)


def _alone(slope: Row) -> bool:
    return slope["analysis"] == ONE and slope["status"] == "converged"


def _clear(slopes: Iterable[Row]) -> list[Row]:
    """Those whose interval excludes a ratio of 1."""
    return [slope for slope in slopes if slope["ratio_lower"] > 1.0 or slope["ratio_upper"] < 1.0]


def _failed(results: Results) -> list[str]:
    return [f"NOT CONVERGED: {slope['endpoint']} regression on {slope['covariate']} ({slope['analysis']}): "
            f"{slope['failures']}" for slope in results.rows(SLOPES.file) if slope["status"] == "NOT CONVERGED"]


def _section(results: Results, page: Page) -> Html:
    """Slopes on study-level covariates over all endpoints: a summary in words, then every slope."""
    slopes = results.rows(SLOPES.file)
    if not slopes:
        return Html("")
    labels = list(dict.fromkeys(slope["label"] for slope in slopes))
    estimated = [slope for slope in slopes if slope["status"] == "converged"]
    alone, single = list(filter(_alone, slopes)), _distinct(results)
    clearest = sorted(single, key=_uncertainty)[:_SHOWN]
    title = labels[0] if len(labels) == 1 else "the covariates"
    return section("regression", f"Do results vary with {title}?", rendered(
        "chapters/regression/section.html", labels=labels, single=single, alone=alone, caveat=CAVEAT,
        refused=sum(bool(slope["refused"]) for slope in slopes if slope["analysis"] == ONE),
        clear=_clear(single),
        by_chance=_by_chance(single), by_level=1.0 - results.base.level,
        silent=sum((slope["sd_ratio"] or 0.0) >= _WIDE and not slope["prior_conflict"] for slope in single),
        pareto_k=[slope["pareto_k"] for slope in estimated if slope["engine"] == IMPORTANCE],
        chains=sum(slope["engine"] != IMPORTANCE for slope in estimated), trusted=f"{MAX_PARETO_K:g}",
        held=[slope for slope in slopes if slope["prior_conflict"] and slope["analysis"] != COMPLETE],
        conflict=conflict_text, write=results.writer(SLOPES), least_uncertain=_table(
            results, clearest, "The slopes whose direction is least uncertain, one covariate at a time", "endpoint ",
            _repeats(results)), defined=_defined(results),
        correlated=show(results.writer(COLLINEARITY), strong(results.rows(COLLINEARITY.file)),
                        "endpoint covariate other n_studies correlation", caption="Pairs of covariates with a "
                        "correlation of at least 0.5 over the studies of an endpoint", cells={
                            name: lambda pair, name=name: _labels(results)[pair[name]]
                            for name in ("covariate", "other")})))


def _labels(results: Results) -> dict[str, str]:
    return {covariate.covariate: covariate.label for covariate in results.evidence.covariates}


def _defined(results: Results) -> Html:
    """What the evidence says of each covariate."""
    covariates = results.evidence.covariates
    return table("The covariates of the studies", ("Covariate", "Step of a slope", "What it is"), [
        (covariate.label, covariate.unit, covariate.note) for covariate in covariates]) if any(
            covariate.note for covariate in covariates) else Html("")


def _uncertainty(slope: Row) -> float:
    """Of the direction of a slope, the least uncertain first."""
    return -abs(slope["probability_above_one"] - 0.5)


def _by_chance(slopes: Iterable[Row]) -> float:
    """How many would be clear without any association."""
    return sum(slope["chance_excluded"] or 0.0 for slope in slopes)


def _repeats(results: Results) -> dict[tuple[str, str], list[str]]:
    """By endpoint and covariate the later ones whose columns are the same over these studies."""
    complete = {(slope["endpoint"], slope["covariate"]): slope["n_studies"] - slope["n_missing"]
                for slope in results.rows(SLOPES.file) if slope["analysis"] == ONE and slope["n_studies"] is not None}
    pairs = [(pair, {complete.get((pair["endpoint"], pair[name])) for name in ("covariate", "other")})
             for pair in results.rows(COLLINEARITY.file) if abs(pair["correlation"] or 0.0) > _IDENTICAL]
    repeats: dict[tuple[str, str], list[str]] = {}
    for pair in (pair for pair, sizes in pairs if sizes == {pair["n_studies"]}):
        repeats.setdefault((pair["endpoint"], pair["covariate"]), []).append(pair["other"])
    return repeats


def _distinct(results: Results) -> list[Row]:
    """Slopes one at a time without those whose column repeats an earlier one: they are the same again."""
    repeated = {(endpoint, other) for (endpoint, _), others in _repeats(results).items() for other in others}
    return [slope for slope in results.rows(SLOPES.file)
            if _alone(slope) and (slope["endpoint"], slope["covariate"]) not in repeated]


def _block(results: Results, endpoint: str, page: Page) -> Html:
    """The bubble plots of one endpoint and its slopes, to be unfolded."""
    slopes = _table(results, [slope for slope in results.rows(SLOPES.file) if slope["endpoint"] == endpoint],
                    f"{results.labels.endpoints[endpoint]}: slopes on covariates of the studies")
    caveat = tag("p", CAVEAT, class_="legend")
    return folded("Regression on covariates", page.picture("bubble", endpoint), caveat, slopes) if slopes else slopes


def _table(results: Results, slopes: Sequence[Row], caption: str, first: str = "",
           repeats: Mapping[tuple[str, str], Sequence[str]] = NOTHING) -> Html:
    return show(results.writer(SLOPES, missing=""), slopes, first + "label analysis n_studies ratio_median "
                "probability_above_one prior_sd sd_ratio heterogeneity", caption=caption,
                cells={"label": lambda slope: _name(slope, _also(results, slope, repeats)),
                       "analysis": lambda slope: ANALYSES[slope["analysis"]],
                       "n_studies": lambda slope: f"{slope['n_studies']} ({slope['n_missing']})",
                       "ratio_median": lambda slope: None if slope["status"] == "converged" else
                       slope["refused"] or slope["status"], "sd_ratio": held_back})


def _name(slope: Row, also: str) -> Html | None:
    small = "; ".join(filter(None, (slope["unit"], also)))
    return join([f"{slope['label']} ", tag("small", small)]) if small else None


def _also(results: Results, slope: Row, repeats: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """Which further covariates a slope is about, since they are the same over these studies."""
    others = repeats.get((slope["endpoint"], slope["covariate"]), ())
    return f"the same studies as {', '.join(_labels(results)[other] for other in others)}" if others else ""


def _brief(results: Results, page: Page) -> Html:
    """Each covariate with its clearest association among benefits and among harms, and what it amounts to."""
    slopes, alone = _distinct(results), list(filter(_alone, results.rows(SLOPES.file)))
    if not slopes:
        return Html("")
    covariates = {slope["covariate"]: slope for slope in slopes}
    crude = [ratio for ratio in map(crude_ratio, slopes) if ratio]
    rows = [(join([slope["label"], tag("small", slope["unit"])]) if slope["unit"] else slope["label"],
             *_clearest(results, [other for other in slopes if other["covariate"] == name]))
            for name, slope in covariates.items()]
    return rendered(
        "chapters/regression/brief.html", slopes=slopes, clear=_clear(slopes), by_chance=_by_chance(slopes),
        held=[slope for slope in slopes if slope["prior_conflict"]], crude=crude_text,
        crude_clear=sum(low > 1.0 or high < 1.0 for _, low, high in crude), crude_known=len(crude),
        crude_by_chance=sum(1.0 - (slope["level"] or 1.0) for slope in slopes if crude_ratio(slope)),
        write=results.writer(SLOPES), few=all(slope["n_studies"] < _FEW for slope in slopes),
        question=_question(list(dict.fromkeys(slope["label"] for slope in alone))), table=table(
            "The least uncertain association of each covariate: ratio of odds or hazards [credible interval]",
            ("Covariate", "Of harms", "Of benefits"), rows))


def _question(labels: Sequence[str]) -> str:
    """Such as "Does median age matter?"."""
    words = [label[:1].lower() + label[1:] if label[1:2].islower() else label for label in labels[:_ASKED]]
    if len(words) == 1:
        return f"Does {words[0]} matter?"
    return f"Do {', '.join(words[:-1])} or {words[-1]} matter?"


def _clearest(results: Results, slopes: Sequence[Row]) -> tuple[str | Html, str | Html]:
    """The ratio of the least uncertain slope, with its endpoint and its better side: of harms, and of benefits."""
    write, clearest, repeats = results.writer(SLOPES), {}, _repeats(results)
    for slope in sorted(slopes, key=_uncertainty, reverse=True):
        endpoint = results.evidence.endpoint(slope["endpoint"])
        # More of a hazard is less of the survival.
        better = endpoint.direction == "benefit" and endpoint.kind == "rate"
        small = "; ".join(filter(None, (f"above 1 is {'better' if better else 'worse'}",
                                        "one study against the rest" if slope["lone_study"] else "",
                                        _also(results, slope, repeats))))
        clearest[endpoint.direction] = join([f"{write(slope, 'ratio_median')} {write(slope, 'endpoint')} ",
                                             tag("small", f"({small})")])
    return clearest.get("harm", ""), clearest.get("benefit", "")


CHAPTER = Chapter("regression", 90, LAYOUTS, _work, figures=_figures, section=_section, block=_block,
                  parts=("regression",), failed=_failed, brief=_brief)
