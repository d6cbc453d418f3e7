"""One figure of how far the pooled rates depend on studies without a count."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import by_scale
from analysis.drawing.intervals import Block, Interval, Line, Look, Plot, draw_intervals
from analysis.drawing.page import left_out
from analysis.results.numbers import Scale, counted, joint, level_text, number, printed_with_interval
from analysis.results.table import plain_rows
from analysis.results.writing import Labels

if TYPE_CHECKING:
    import pandas as pd

MAX_ENDPOINTS = 15
_MAX_SCENARIOS = 6
_RANGES = (("With likely missing studies", ("joint_low", "joint_high")),
           ("Each missing at its limit", ("each_low", "each_high")),
           ("The total, even to uneven", ("total_even", "total_in_largest", "total_in_smallest")),
           ("None or all of the missing", ("extreme_low", "extreme_high")))


def bounded_endpoints(bounds: "pd.DataFrame") -> list[str]:
    """Endpoints with a bound to show, of which the first `MAX_ENDPOINTS` are drawn."""
    computed = bounds[(bounds["bound"] != "headline") & (bounds["status"] == "computed")]
    return list(computed["endpoint"].unique())


def draw_missing(bounds: "pd.DataFrame", *, totals: "pd.DataFrame", labels: Labels) -> Figure:
    """Headline, with-total, bound and published intervals of each rate with missing studies.

    Parameters
    ----------
    bounds : DataFrame
        As missing_bounds.csv; at least one endpoint is drawn (see `bounded_endpoints`).
    totals : DataFrame
        As published_totals.csv.
    """
    def block(endpoint: str, scale: Scale) -> Block:
        about = bounds[bounds["endpoint"] == endpoint]
        counts, published = about.iloc[0][["known_k", "published_k"]]
        return Block(tuple(_lines(about, totals[totals["endpoint"] == endpoint], scale)), labels.endpoints[endpoint],
                     f"{counts} of {counted(published, 'study')}")

    bounded = bounded_endpoints(bounds)
    plots = [Plot(tuple(block(endpoint, scale) for endpoint in endpoints), scale, f"Rate{scale.of_a_rate}")
             for scale, endpoints in by_scale(bounded[:MAX_ENDPOINTS], labels.scales.__getitem__).items()]
    return draw_intervals(plots, title="What the studies without a number could change", stamp=labels.stamp,
                          notes=[*_notes(bounds, labels), *left_out(len(bounded) - MAX_ENDPOINTS)])


def _lines(bounds: "pd.DataFrame", totals: "pd.DataFrame", scale: Scale) -> Iterator[Line]:
    """From the studies with a count to the published interval."""
    computed = bounds[bounds["status"] == "computed"]
    with_total = totals[totals["status"] == "computed"]
    yield _line("Studies with a count", computed[computed["bound"] == "headline"], style.SHRUNKEN, scale)
    for scenario, posteriors in list(with_total.groupby("scenario", sort=False))[:_MAX_SCENARIOS]:
        yield _line(f"and total, {scenario.replace('_', ' ')}", posteriors, style.PREDICTION, scale)
    for label, names in _RANGES:
        posteriors = computed[computed["bound"].isin(names)]
        if len(posteriors):
            yield _line(label, posteriors, style.FAINT, scale)
    for row in plain_rows(bounds[bounds["bound"] == "published"]):
        text = printed_with_interval(row.median, row.lower, row.upper, "probability", scale)
        yield Line("Published", (Interval(row.median, row.lower, row.upper, _look(style.PUBLISHED), text),))


def _look(color: str) -> Look:
    return Look(color, "D", width=2.6)


def _line(label: str, posteriors: "pd.DataFrame", color: str, scale: Scale) -> Line:
    """The smallest and the largest median with the outermost limits of several posteriors."""
    low, high = posteriors["median"].min(), posteriors["median"].max()
    lower, upper = posteriors["lower"].min(), posteriors["upper"].max()
    if low == high:
        middle, _, *ends = joint((low, high, lower, upper), "proportion", scale)
    else:
        first, last, *ends = (number(value, "proportion", scale) for value in (low, high, lower, upper))
        middle = first if first == last else f"{first}–{last}"
    return Line(label, (Interval(low, lower, upper, _look(color), f"{middle} [{ends[0]}, {ends[1]}]",
                                 spread=None if low == high else (low, high)),))


def _notes(bounds: "pd.DataFrame", labels: Labels) -> list[str]:
    """What the marks mean, and which endpoints have none."""
    levels = {kind: " or ".join(sorted(map(level_text, rows["level"].dropna().unique())))
              for kind, rows in bounds.groupby("interval")}
    published = f"; published: {levels['confidence']} confidence interval." if levels.get("confidence") else "."
    missed = [labels.endpoints[endpoint]
              for endpoint in bounds.loc[bounds["status"] == "not computed", "endpoint"].unique()]
    return [f"Diamond: median of the mean rate. Thick bar: medians of all cases. Thin: {levels['credible']} credible "
            f"limits, outermost of all cases{published}",
            *([f"Not computed: {', '.join(missed)}"] if missed else [])]
