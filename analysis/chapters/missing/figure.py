"""One figure of how far the pooled rates depend on studies without a count; readable on a telephone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.results.numbers import PERCENT, SCALES, Scale, counted, joint, level_text, number, printed_with_interval

Row = Mapping[str, Any]

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


def is_drawn(bounds: Sequence[Row]) -> bool:
    """Whether any endpoint has a bound to show."""
    return bool(_endpoints(bounds))


def draw_missing(bounds: Sequence[Row], *, totals: Sequence[Row] = (), names: Mapping[str, str] | None = None,
                 scales: Mapping[str, Scale] | None = None, title: str = "", stamp: str = "") -> Figure:
    """Headline, with-total, bound and published intervals of each rate with missing studies.

    Parameters
    ----------
    bounds : sequence of rows
        As in missing_bounds.csv; at least one endpoint has a computed bound (see `is_drawn`).
    totals : sequence of rows
        As in published_totals.csv.
    names : mapping of str to str
        Labels of endpoints by their keys; a key without one stands for itself.
    scales : mapping of str to Scale
        Units in which the rates of the endpoints are read; each unit has a plot of its own.
    """
    names = names or {}
    scale_of = {endpoint: (scales or {}).get(endpoint, PERCENT) for endpoint in _endpoints(bounds)}
    groups = {endpoint: _lines([row for row in bounds if row["endpoint"] == endpoint],
                               [row for row in totals if row["endpoint"] == endpoint], scale)
              for endpoint, scale in scale_of.items()}
    plots = {scale: {endpoint: lines for endpoint, lines in groups.items() if scale_of[endpoint] == scale}
             for scale in SCALES if scale in scale_of.values()}
    with style.styled():
        height = sum(_rows(own) * _ROW for own in plots.values())
        figure = new_figure(_HEAD + height + (len(plots) - 1) * _BETWEEN + _FOOT)
        bottom = height + (len(plots) - 1) * _BETWEEN + _FOOT
        for scale, own in plots.items():
            bottom -= _rows(own) * _ROW
            _plot(figure, own, bottom, scale, {endpoint: _heading(bounds, endpoint, names) for endpoint in own})
            bottom -= _BETWEEN
        _words(figure, bounds, names, title, stamp)
        return figure


def _rows(groups: Mapping[str, Sequence[_Line]]) -> float:
    return sum(len(lines) + _ABOVE for lines in groups.values())


def _plot(figure: Figure, groups: Mapping[str, Sequence[_Line]], bottom: float, scale: Scale,
          headings: Mapping[str, tuple[str, str]]) -> None:
    """The endpoints of one unit below each other."""
    unit = "" if scale == PERCENT else f"Rate {scale.unit}"
    sheet = add_sheet(figure, rows=_rows(groups), row_height=_ROW, left=_LEFT, right=_RIGHT, bottom=bottom,
                      x_limit=1.0, x_label=unit)
    sheet.axes.xaxis.label.set_size(_LETTERS)
    values = [value for lines in groups.values() for line in lines for value in (*line.medians, *line.limits)]
    fit_axis(sheet.axes, values, scale, whole=(0.0, 0.25, 0.5, 0.75, 1.0), most=5,
             unit="%" if scale == PERCENT else "")
    sheet.axes.tick_params(axis="x", labelsize=_LETTERS)
    top = 0.0
    for endpoint, lines in groups.items():
        _group(sheet, top, headings[endpoint], lines)
        top += len(lines) + _ABOVE


def _endpoints(bounds: Sequence[Row]) -> list[str]:
    computed = (row["endpoint"] for row in bounds if row["bound"] != "headline" and row["status"] == "computed")
    return list(dict.fromkeys(computed))[:MAX_ENDPOINTS]


def _heading(bounds: Sequence[Row], endpoint: str, names: Mapping[str, str]) -> tuple[str, str]:
    row = next(row for row in bounds if row["endpoint"] == endpoint)
    return (wrapped(names.get(endpoint) or endpoint.replace("_", " ").capitalize(), 52, 1),
            f"{row['known_k']} of {counted(row['published_k'], 'study', 'studies')}")


def _lines(bounds: Sequence[Row], totals: Sequence[Row], scale: Scale) -> list[_Line]:
    computed = [row for row in bounds if row["status"] == "computed"]
    found = [_line("Studies with a count", [row for row in computed if row["bound"] == "headline"], style.SHRUNKEN,
                   scale)]
    own = [row for row in totals if row["status"] == "computed"]
    for scenario in list(dict.fromkeys(row["scenario"] for row in own))[:_MAX_SCENARIOS]:
        label = f"and total, {scenario.replace('_', ' ')}"
        found.append(_line(label, [row for row in own if row["scenario"] == scenario], style.PREDICTION, scale))
    for label, wanted in _RANGES:
        found.append(_line(label, [row for row in computed if row["bound"] in wanted], style.FAINT, scale))
    for row in (row for row in bounds if row["bound"] == "published"):
        text = printed_with_interval(row["median"], row["lower"], row["upper"], "probability", scale)
        found.append(_Line("Published", (row["median"],) * 2, (row["lower"], row["upper"]), style.PUBLISHED, text))
    return [line for line in found if line]


def _line(label: str, rows: Sequence[Row], color: str, scale: Scale) -> _Line | None:
    """The smallest and the largest median with the outermost limits of several posteriors; None without any."""
    if not rows:
        return None
    low, high = (choose(row["median"] for row in rows) for choose in (min, max))
    lower, upper = min(row["lower"] for row in rows), max(row["upper"] for row in rows)
    first, last, *ends = joint((low, high, lower, upper), "proportion", scale)
    if low != high and len(rows) > 1:
        first, last = (number(value, "proportion", scale) for value in (low, high))
        ends = [number(value, "proportion", scale) for value in (lower, upper)]
    middle = first if first == last else f"{first}–{last}"
    return _Line(label, (low, high), (lower, upper), color, f"{middle} [{ends[0]}, {ends[1]}]")


def _group(sheet: Sheet, top: float, heading: tuple[str, str], lines: Sequence[_Line]) -> None:
    sheet.rule(top + 0.12)
    sheet.write(0.15, top + 0.75, heading[0], size=_LETTERS, weight="bold")
    sheet.write(style.WIDTH - 0.15, top + 0.75, heading[1], size=_LETTERS, color=style.FAINT, align="right")
    for at, line in enumerate(lines):
        y = top + 1.2 + at + 0.5
        sheet.write(0.3, y, wrapped(line.label, 28, 1), size=_LETTERS, color=line.color)
        sheet.write(_NUMBERS, y, line.text, size=_LETTERS, color=line.color)
        _mark(sheet, y, line)


def _mark(sheet: Sheet, y: float, line: _Line) -> None:
    if None not in line.limits:
        sheet.axes.plot(line.limits, [y, y], color=line.color, linewidth=2.6, solid_capstyle="butt", zorder=3)
    if line.medians[0] == line.medians[1]:
        sheet.axes.plot([line.medians[0]], [y], "D", color=line.color, markersize=9, zorder=4, clip_on=False)
    else:
        sheet.axes.plot(line.medians, [y, y], color=line.color, linewidth=9.0, solid_capstyle="butt", zorder=4)


def _words(figure: Figure, bounds: Sequence[Row], names: Mapping[str, str], title: str, stamp: str) -> None:
    """Title, stamp, and what the marks mean."""
    top, left = figure.get_size_inches()[1], 0.15 / style.WIDTH
    figure.text(left, 1 - 0.45 / top, wrapped(title, 60 if stamp else 70, 1), fontsize=_LETTERS + 3, fontweight="bold")
    if stamp:
        figure.text(1 - left, 1 - 0.45 / top, stamp, ha="right", fontsize=_LETTERS, fontweight="bold", color="white",
                    bbox={"facecolor": style.ALARM, "edgecolor": "none", "boxstyle": "round,pad=0.3"})
    levels = {kind: " or ".join(sorted({level_text(row["level"]) for row in bounds
                                        if row["interval"] == kind and row["level"] is not None}))
              for kind in ("credible", "confidence")}
    missed = dict.fromkeys(row["endpoint"] for row in bounds if row["status"] == "not computed")
    text = [f"Diamond: median of the mean rate. Thick bar: medians of all cases. Thin: {levels['credible']}",
            "credible limits, outermost of all cases"
            + (f"; published: {levels['confidence']} confidence interval." if levels["confidence"] else "."),
            *([wrapped("Not computed: " + ", ".join(names.get(one) or one for one in missed), 84, 1)]
              if missed else [])]
    for at, one in enumerate(text):
        figure.text(left, (1.15 - 0.36 * at) / top, one, fontsize=_LETTERS - 2, color=style.FAINT)
