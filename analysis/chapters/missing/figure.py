"""One figure of how far the pooled rates depend on studies without a count; readable on a telephone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, stacked, wrapped, write_title
from analysis.results.numbers import PERCENT, SCALES, Scale, counted, joint, level_text, number, printed_with_interval
from analysis.results.table import plain_rows

if TYPE_CHECKING:
    import pandas as pd

MAX_ENDPOINTS = 15
_MAX_SCENARIOS = 6
# A page of 10.4 inches is 390 pixels wide on a telephone, where letters need 8 of them.
_LETTERS = 16.0
_ROW, _HEAD, _BETWEEN, _FOOT = 0.37, 0.75, 1.0, 2.15
_ABOVE = 1.4  # rows above the lines of an endpoint
_LEFT, _RIGHT, _NUMBERS = 4.0, 7.75, 7.95
_RANGES = (("With likely missing studies", ("joint_low", "joint_high")),
           ("Each missing at its limit", ("each_low", "each_high")),
           ("The total, even to uneven", ("total_even", "total_in_largest", "total_in_smallest")),
           ("None or all of the missing", ("extreme_low", "extreme_high")))


@dataclass(frozen=True)
class _Line:
    """One row of the plot: the medians of one or more posteriors, and the limits of all of them."""

    label: str
    medians: tuple[float, float]
    limits: tuple[float | None, float | None]
    color: str
    text: str


def drawn_endpoints(bounds: "pd.DataFrame") -> list[str]:
    """Endpoints with a bound to show."""
    computed = bounds[(bounds["bound"] != "headline") & (bounds["status"] == "computed")]
    return list(computed["endpoint"].unique())[:MAX_ENDPOINTS]


def draw_missing(bounds: "pd.DataFrame", *, totals: "pd.DataFrame", names: Mapping[str, str],
                 scales: Mapping[str, Scale], stamp: str = "") -> Figure:
    """Headline, with-total, bound and published intervals of each rate with missing studies.

    Parameters
    ----------
    bounds : DataFrame
        As missing_bounds.csv; at least one endpoint is drawn (see `drawn_endpoints`).
    totals : DataFrame
        As published_totals.csv.
    names : mapping of str to str
        Labels of endpoints by their keys.
    scales : mapping of str to Scale
        Units in which the rates of the endpoints are read; each unit has a plot of its own.
    """
    plots = {scale: {endpoint: list(_lines(bounds[bounds["endpoint"] == endpoint],
                                           totals[totals["endpoint"] == endpoint], scale))
                     for endpoint in drawn_endpoints(bounds) if scales[endpoint] == scale} for scale in SCALES}
    plots = {scale: plot for scale, plot in plots.items() if plot}
    with style.styled():
        figure, edges = stacked([_ROW * _rows(plot) for plot in plots.values()], head=_HEAD, between=_BETWEEN,
                                foot=_FOOT)
        for (scale, plot), bottom in zip(plots.items(), edges, strict=True):
            _plot(figure, plot, bottom, scale, bounds, names)
        write_title(figure, "What the studies without a number could change", stamp, down=0.45, size=_LETTERS + 3,
                    stamp_size=_LETTERS)
        _legend(figure, bounds, names)
        return figure


def _rows(plot: Mapping[str, Sequence[_Line]]) -> float:
    return sum(len(lines) + _ABOVE for lines in plot.values())


def _plot(figure: Figure, plot: Mapping[str, Sequence[_Line]], bottom: float, scale: Scale, bounds: "pd.DataFrame",
          names: Mapping[str, str]) -> None:
    """The endpoints of one unit below each other."""
    sheet = add_sheet(figure, rows=_rows(plot), row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom, x_limit=1.0,
                      x_label="" if scale == PERCENT else f"Rate {scale.unit}")
    sheet.axes.xaxis.label.set_size(_LETTERS)
    values = [value for lines in plot.values() for line in lines for value in (*line.medians, *line.limits)]
    fit_axis(sheet.axes, values, scale, whole=(0.0, 0.25, 0.5, 0.75, 1.0), most=5,
             unit="%" if scale == PERCENT else "")
    sheet.axes.tick_params(axis="x", labelsize=_LETTERS)
    top = 0.0
    for endpoint, lines in plot.items():
        first = bounds[bounds["endpoint"] == endpoint].iloc[0]
        sheet.rule(top + 0.12)
        sheet.write(0.15, top + 0.75, wrapped(names[endpoint], 52, 1), size=_LETTERS, weight="bold")
        sheet.write(style.WIDTH - 0.15, top + 0.75, size=_LETTERS, color=style.FAINT, align="right",
                    text=f"{first['known_k']} of {counted(first['published_k'], 'study', 'studies')}")
        for at, line in enumerate(lines):
            _draw(sheet, top + 1.7 + at, line)
        top += len(lines) + _ABOVE


def _lines(bounds: "pd.DataFrame", totals: "pd.DataFrame", scale: Scale) -> Iterator[_Line]:
    """The lines of one endpoint, from the studies with a count to the published interval."""
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
        yield _Line("Published", (row.median, row.median), (row.lower, row.upper), style.PUBLISHED, text)


def _line(label: str, posteriors: "pd.DataFrame", color: str, scale: Scale) -> _Line:
    """The smallest and the largest median with the outermost limits of several posteriors."""
    low, high = posteriors["median"].min(), posteriors["median"].max()
    lower, upper = posteriors["lower"].min(), posteriors["upper"].max()
    if low == high:
        middle, _, *ends = joint((low, high, lower, upper), "proportion", scale)
    else:
        first, last, *ends = (number(value, "proportion", scale) for value in (low, high, lower, upper))
        middle = first if first == last else f"{first}–{last}"
    return _Line(label, (low, high), (lower, upper), color, f"{middle} [{ends[0]}, {ends[1]}]")


def _draw(sheet: Sheet, y: float, line: _Line) -> None:
    sheet.write(0.3, y, wrapped(line.label, 28, 1), size=_LETTERS, color=line.color)
    sheet.write(_NUMBERS, y, line.text, size=_LETTERS, color=line.color)
    if None not in line.limits:
        sheet.axes.plot(line.limits, [y, y], color=line.color, linewidth=2.6, solid_capstyle="butt", zorder=3)
    if line.medians[0] == line.medians[1]:
        sheet.axes.plot([line.medians[0]], [y], "D", color=line.color, markersize=9, zorder=4, clip_on=False)
    else:
        sheet.axes.plot(line.medians, [y, y], color=line.color, linewidth=9.0, solid_capstyle="butt", zorder=4)


def _legend(figure: Figure, bounds: "pd.DataFrame", names: Mapping[str, str]) -> None:
    """What the marks mean, and which endpoints have none."""
    levels = {kind: " or ".join(sorted(map(level_text, rows["level"].dropna().unique())))
              for kind, rows in bounds.groupby("interval")}
    published = f"; published: {levels['confidence']} confidence interval." if levels.get("confidence") else "."
    missed = [names[endpoint] for endpoint in bounds.loc[bounds["status"] == "not computed", "endpoint"].unique()]
    text = [f"Diamond: median of the mean rate. Thick bar: medians of all cases. Thin: {levels['credible']}",
            f"credible limits, outermost of all cases{published}",
            *([wrapped("Not computed: " + ", ".join(missed), 84, 1)] if missed else [])]
    for at, line in enumerate(text):
        figure.text(0.15 / style.WIDTH, (1.15 - 0.36 * at) / figure.get_size_inches()[1], line,
                    fontsize=_LETTERS - 2, color=style.FAINT)
