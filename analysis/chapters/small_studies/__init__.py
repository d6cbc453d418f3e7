"""Whether small studies tell another story than large ones; the words are in section.html."""

from collections.abc import Iterable, Iterator

from analysis.chapters.chapter import Chapter, Page, Picture, each_endpoint
from analysis.chapters.small_studies.figure import draw_funnel, drawn_endpoints
from analysis.chapters.small_studies.rows import LARGE, LIMIT, REGRESSION, SMALL, SMALL_STUDIES, STUDY, small_study_rows
from analysis.drawing.html import Html, rendered, section, show
from analysis.results.numbers import chance
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row

_SIGNIFICANT = 0.05
_FEW = 50
"""Studies of a regression; ten here find a ratio of 3 or so four times in five, and the logarithm shrinks with the root
of their number: below this one ratios of 1.5 pass unseen."""

_EXTREME = 1000.0
"""Where a ratio is beyond it or below its inverse, sizes nearly separate the studies with and without events."""


def _figures(results: Results) -> Iterator[Picture]:
    if drawn_endpoints(frame := results.frame(SMALL_STUDIES)):
        surprising = frame[(frame["part"] == STUDY) & (frame["two_sided"] < _SIGNIFICANT)]
        named = [f"{row.label} in {results.labels.endpoints[row.endpoint]}" for row in surprising.itertuples()]
        yield Picture("funnel", draw_funnel, {"frame": frame, "labels": results.labels},
            "Each study's estimate over its size within the limits that the model predicts for a study of that size. "
            f"With a two-sided probability below {_SIGNIFICANT:g}: {', '.join(named) or 'none'}.")


def _section(results: Results, page: Page) -> Html:
    rows = results.rows(SMALL_STUDIES.file)
    regressions, studies, limits = ([row for row in rows if row["part"] == part] for part in (REGRESSION, STUDY, LIMIT))
    computed = [row for row in regressions if row["status"] == COMPUTED]
    write = results.writer(SMALL_STUDIES)
    ratios = "ratio detectable_ratio" if any(row["n"] <= LARGE for row in studies) else ""
    slopes = show(write, regressions, f"endpoint k_studies slope slope_se slope_two_sided slope_two_sided_t {ratios} "
                  "egger_two_sided reason",
                  caption=f"{' or '.join(_outcomes(regressions)).capitalize()} on 1/√n, with confidence limits")
    curves = any(row["time_months"] is not None and not write.scale(row).months for row in regressions)
    hazards = "; for survival the mid-p is that of the hazard" if curves else ""
    predictions = show(write, studies, "endpoint label n observed pit z",
                       caption=f"Each study under the prediction of the others{hazards}")
    return section("small-studies", "Do small studies tell another story?", rendered(
        "chapters/small_studies/section.html", write=write, regressions=regressions, computed=computed,
        below=_SIGNIFICANT, small=SMALL, large=LARGE, outcomes=_outcomes, slopes=slopes, predictions=predictions,
        steep=_steep(computed),
        refused=[row for row in regressions if row["status"] != COMPUTED],
        is_extreme=_is_extreme,
        detectable=[row["detectable_ratio"] for row in computed if ratios],
        picture=page.picture("funnel") if limits else ""))


def _steep(regressions: Iterable[Row]) -> list[Row]:
    return [row for row in regressions if row["slope_two_sided"] < _SIGNIFICANT]


def _is_extreme(row: Row) -> bool:
    return not 1.0 / _EXTREME < row["ratio"] < _EXTREME


def _doubt(row: Row, small: bool) -> str:
    """What speaks against a slope that one of two tests finds, in words; empty where nothing does.

    Parameters
    ----------
    small : bool
        Whether there are studies so small that the ratio says something.
    """
    disagree = row["slope_two_sided_t"] >= _SIGNIFICANT
    p_values = " and ".join(chance(row[name]) for name in ("slope_two_sided", "slope_two_sided_t"))
    return "; ".join(filter(None, [
        f"two tests disagree (p = {p_values})" if disagree else "",
        "sizes nearly separate the studies with and without events, so that no test can be relied on"
        if small and _is_extreme(row) else ""]))


def _outcomes(rows: Iterable[Row]) -> list[str]:
    """What is regressed on size, by the kinds of the endpoints."""
    return ["log hazard" if survival else "logit mean rate"
            for survival in sorted({row["time_months"] is not None for row in rows})]


def _brief(results: Results, page: Page) -> Html:
    """In how many endpoints results go with the size of the studies."""
    computed = [row for row in results.computed(SMALL_STUDIES.file) if row["part"] == REGRESSION]
    few = sum(row["k_studies"] < _FEW for row in computed)
    small = any(row["part"] == STUDY and row["n"] <= LARGE for row in results.rows(SMALL_STUDIES.file))
    return rendered("chapters/small_studies/brief.html", computed=computed, write=results.writer(SMALL_STUDIES),
                    steep=[(row, _doubt(row, small)) for row in _steep(computed)], few=few, least=_FEW,
                    by_chance=_SIGNIFICANT * len(computed)) if computed else Html("")


CHAPTER = Chapter("small_studies", 100, (SMALL_STUDIES,), each_endpoint("small studies", small_study_rows),
                  figures=_figures, section=_section, parts=("small studies", "figure funnel"), brief=_brief)
