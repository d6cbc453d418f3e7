"""Forest plot of one endpoint: what each study reports, what it is shrunken to, and the pooled results below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from analysis.drawing import style
from analysis.drawing.axis import fit_axis
from analysis.drawing.sheet import Sheet, add_sheet, new_figure, wrapped
from analysis.results.numbers import PERCENT, Scale, counted, level_text, printed_with_interval, safe, with_interval

Row = Mapping[str, Any]

_MAIN = {False: ("mean_rate", "Mean rate"), True: ("survival", "Survival, typical study")}
_NEW = {False: ("new_study_rate", "Rate of a new study"),
        True: ("new_study_survival", "Survival in a new study")}
_UNIT = "proportion"


Row = Mapping[str, Any]

MAX_STUDIES = 120
"""More than these are not drawn: a longer picture can neither be printed nor opened everywhere."""
LARGEST_SQUARE = 110.0
"""Area of the largest study's square, in square points."""

_TOP, _FOOT = 0.98, 0.86
_ROW = 0.37
_RAW_AT, _SHRUNKEN_AT = 0.33, 0.69
_OF_STUDIES = ("study_rate", "study_survival")  # beside these a study may have other estimates, such as its hazard


@dataclass(frozen=True)
class PooledLine:
    """One pooled row.

    Parameters
    ----------
    kind : {"credible", "prediction", "confidence"}
    lower, upper : float or None
        None where no interval was published.
    """

    label: str
    kind: str
    level: float | None
    middle: float
    lower: float | None
    upper: float | None
    text: str
    base: str


def draw_forest(studies: Sequence[Row], *, estimates: Sequence[Row], published: Sequence[Row] = (), label: str,
                detail: str = "", horizon: float | None = None, status: str = "converged", stamp: str = "",
                scale: Scale = PERCENT) -> Figure:
    """Forest plot of one endpoint in one subset.

    Parameters
    ----------
    studies : sequence of rows
        As in studies.csv, of this endpoint.
    estimates : sequence of rows
        As in estimates.csv, of the headline fit; empty where it did not converge.
    published : sequence of rows
        As in comparison.csv, of this endpoint and subset; the first with the headline estimand is shown.
    label, detail : str
        Title, and what the fit is.
    horizon : float or None
        Months at which survival is read, None for rates.
    status : str
        Of the fit; anything but "converged" is stamped.
    stamp : str
        Empty, or QUICK.
    scale : Scale
        The unit in which the endpoint's rates are read.
    """
    with style.styled():
        converged = status == "converged"
        estimates = [row for row in estimates if not row["study_id"] or row["estimand"] in _OF_STUDIES]
        drawn = sorted(_largest(studies), key=lambda row: (-row["raw"], str(row["label"])))
        pooled = pooled_lines(estimates if converged else (), published, survival=horizon is not None, scale=scale)
        rows = len(drawn) + len(pooled) + 0.35
        figure = new_figure(_TOP + _FOOT + rows * _ROW)
        sheet = _sheet(figure, rows, horizon, scale)
        fit_axis(sheet.axes, _values(drawn, estimates if converged else (), pooled), scale,
                 whole=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
        _title(sheet, label, detail, [] if converged else [status], stamp)
        _heads(sheet, studies, estimates if converged else (), horizon, scale)
        shrunken = {row["study_id"]: row for row in estimates if row["study_id"] and converged}
        largest = max((row["n"] for row in studies), default=1)
        for at, row in enumerate(drawn):
            _study(sheet, at, row, shrunken.get(row["study_id"]), largest, horizon, scale)
        sheet.rule(len(drawn) + 0.12)
        draw_pooled(sheet, pooled, len(drawn) + 0.25, across=len(drawn))
        _legend(figure, studies, bool(shrunken), len(studies) - len(drawn))
        return figure


def _largest(studies: Sequence[Row]) -> list[Row]:
    if len(studies) <= MAX_STUDIES:
        return list(studies)
    return sorted(studies, key=lambda row: -row["n"])[:MAX_STUDIES]


def _sheet(figure: Figure, rows: float, horizon: float | None, scale: Scale) -> Sheet:
    left, label = (4.2, "Rate") if horizon is None else (4.95, f"Survival at {horizon:g} months")
    return add_sheet(figure, rows=rows, row_height=_ROW, left=left, right=8.5, bottom=_FOOT, x_limit=1.0,
                     x_label=f"{label}{scale.of_a_rate}")


def _values(studies: Sequence[Row], estimates: Sequence[Row], pooled: Sequence[PooledLine]) -> list[float | None]:
    """What the axis has to hold: every limit of a study, and pooled ones unless they are far from all studies."""
    known = {row["study_id"] for row in studies}
    core = [*(row[name] for row in studies for name in ("raw", "raw_lower", "raw_upper")),
            *(row[name] for row in estimates if row["study_id"] in known for name in ("lower", "upper")),
            *(line.middle for line in pooled)]
    room = 2.0 * (max(core, default=1.0) - min(core, default=0.0))
    ends = [end for line in pooled for end in (line.lower, line.upper) if end is not None]
    return [*core, *(min(max(end, min(core) - room), max(core) + room) for end in ends)]


def _title(sheet: Sheet, label: str, detail: str, alarms: Sequence[str], stamp: str) -> None:
    def up(inches: float) -> float:
        return -inches / _ROW

    marks = [*alarms, *([stamp] if stamp else [])]
    sheet.write(0.15, up(0.8), wrapped(label, 50 if marks else 78, 1), size=style.TITLE, weight="bold")
    sheet.write(0.15, up(0.56), wrapped(detail, 130, 1), size=style.TEXT, color=style.FAINT)
    if marks:
        sheet.axes.text(1.0 - 0.15 / style.WIDTH, up(0.8), " · ".join(map(safe, marks)),
                        transform=sheet.text_transform, ha="right", va="center", fontsize=style.TITLE,
                        fontweight="bold", color="white", bbox={"facecolor": style.ALARM, "edgecolor": "none",
                                                                 "boxstyle": "round,pad=0.3"})


def _heads(sheet: Sheet, studies: Sequence[Row], estimates: Sequence[Row], horizon: float | None,
           scale: Scale) -> None:
    unit = scale.of_a_rate if scale == PERCENT else ""  # a longer one has room below the axis only
    at = -0.62
    kind = {"size": style.SMALL, "color": style.FAINT}
    sheet.write(0.15, at, "Study", **kind)
    if any(row["tier"] for row in studies):
        sheet.write(2.72, at, "Tier", align="center", **kind)
    if horizon is None:
        sheet.write(3.95, at, "Events / n", align="right", **kind)
    else:
        sheet.write(2.95, at, "Reported", **kind)
        sheet.write(4.75, at, "n", align="right", **kind)
    level = level_text(next((row["level"] for row in studies), None))
    sheet.write(8.68, at - 0.2, f"Raw{unit} [{level} confidence]", **kind)
    if estimates:
        level = level_text(next(row["level"] for row in estimates))
        sheet.write(8.68, at + 0.2, f"Shrunken{unit} [{level} credible]", size=style.SMALL, color=style.SHRUNKEN)
    sheet.rule(-0.12)


def _study(sheet: Sheet, at: int, row: Row, shrunken: Row | None, largest: int, horizon: float | None,
           scale: Scale) -> None:
    axes, middle = sheet.axes, at + 0.5
    raw_at = at + _RAW_AT if shrunken else middle
    sheet.write(0.15, middle, wrapped(row["label"], 36))
    sheet.write(2.72, middle, safe(row["tier"] or ""), align="center")
    if horizon is None:
        sheet.write(3.95, middle, f"{row['events']}/{row['n']}", align="right")
    else:
        sheet.write(2.95, middle, wrapped(row["statistic"], 31, 3), size=style.SMALL - 0.8)
        sheet.write(4.75, middle, f"{row['n']}", align="right")
    axes.plot([row["raw_lower"], row["raw_upper"]], [raw_at, raw_at], color=style.RAW, linewidth=0.9, zorder=2)
    axes.scatter([row["raw"]], [raw_at], s=LARGEST_SQUARE * row["n"] / largest, marker="s", zorder=3, clip_on=False,
                 facecolor=style.TIER_FILLS.get(row["tier"], style.RAW), edgecolor=style.RAW, linewidth=0.7,
                 gid=f"square-{at}")
    sheet.write(8.68, raw_at, with_interval(row, _UNIT, scale, at="raw"), size=style.SMALL)
    if shrunken:
        y = at + _SHRUNKEN_AT
        axes.plot([shrunken["lower"], shrunken["upper"]], [y, y], color=style.SHRUNKEN, linewidth=1.7, zorder=4)
        axes.plot([shrunken["median"]], [y], "o", color=style.SHRUNKEN, markersize=4.2, zorder=5, clip_on=False)
        sheet.write(8.68, y, with_interval(shrunken, _UNIT, scale), size=style.SMALL, color=style.SHRUNKEN)


def _legend(figure: Figure, studies: Sequence[Row], shrunken: bool, hidden: int) -> None:
    tiers = sorted({row["tier"] for row in studies} & set(style.TIER_FILLS)) or [""]
    marks = [Line2D([], [], color=style.RAW, linewidth=0.9, marker="s", markersize=6, markeredgewidth=0.7,
                    markerfacecolor=style.TIER_FILLS.get(tier, style.RAW),
                    label=f"raw, tier {tier}" if tier else "raw") for tier in tiers]
    if shrunken:
        marks.append(Line2D([], [], color=style.SHRUNKEN, linewidth=1.7, marker="o", markersize=4.2,
                            label="shrunken (posterior median)"))
    figure.legend(handles=marks, loc="lower left", bbox_to_anchor=(0.008, 0.0), ncols=len(marks), frameon=False,
                  fontsize=style.SMALL, handlelength=2.2, columnspacing=1.4)
    note = "area of a square: patients"
    if hidden:
        note += f"; {counted(hidden, 'smaller study', 'smaller studies')} not drawn, the tables hold all"
    figure.text(1 - 0.15 / style.WIDTH, 0.11 / figure.get_size_inches()[1], note, ha="right",
                fontsize=style.SMALL, color=style.FAINT)


def pooled_lines(estimates: Sequence[Row], published: Sequence[Row], *, survival: bool,
                 scale: Scale = PERCENT) -> list[PooledLine]:
    """What there is to show below the studies: up to three rows."""
    lines = []
    for estimand, label in (_MAIN[survival], _NEW[survival]):
        row = next((row for row in estimates if row["estimand"] == estimand), None)
        if row:
            base = _base(row["k_studies"], row["n_patients"]) if not lines else ""
            lines.append(PooledLine(label, row["interval"], row["level"], row["median"], row["lower"], row["upper"],
                                    with_interval(row, _UNIT, scale), base))
    row = next((row for row in published if row["estimand"] == _MAIN[survival][0]
                and row["transform"] != "complement"), None)
    if row:
        low, high = row["published_lower"], row["published_upper"]
        lines.append(PooledLine("Published", "confidence", row["published_level"], row["published"], low, high,
                                printed_with_interval(row["published"], low, high, "probability", scale),
                                _base(row["published_k"], row["published_n"])))
    return lines


def _base(k: int | None, n: int | None) -> str:
    parts = [counted(k, "study", "studies") if k else "", counted(n, "patient") if n else ""]
    return ", ".join(part for part in parts if part)


def draw_pooled(sheet: Sheet, lines: Sequence[PooledLine], top: float, *, across: int) -> None:
    """Draw the rows from `top` on, and a line of the pooled estimate across the studies above."""
    colors = {"credible": style.SHRUNKEN, "prediction": style.PREDICTION, "confidence": style.PUBLISHED}
    for at, line in enumerate(lines):
        y, color = top + at + 0.5, colors[line.kind]
        kind = f"{level_text(line.level)} {line.kind} interval" if line.lower is not None else "no interval published"
        sheet.write(0.15, y, line.label, weight="bold", color=color)
        text = f"{kind}\n{line.base}" if line.base else kind
        sheet.write(2.55, y, text, size=style.SMALL, color=color)
        sheet.write(8.68, y, line.text, weight="bold", color=color)
        _draw(sheet, line, y, color)
        if line.kind == "credible":
            sheet.axes.plot([line.middle, line.middle], [0, across], color=color, linewidth=0.8,
                            linestyle=(0, (1, 2)), zorder=1)


def _draw(sheet: Sheet, line: PooledLine, y: float, color: str) -> None:
    axes = sheet.axes
    left, right = axes.get_xlim()
    for end, edge, mark in ((line.lower, left, "<"), (line.upper, right, ">")):
        if end is not None and not left <= end <= right:
            axes.plot([edge], [y], mark, color=color, markersize=7, zorder=6, clip_on=False, gid="beyond-the-axis")
    if line.kind == "credible":
        points = [(line.lower, y), (line.middle, y - 0.24), (line.upper, y), (line.middle, y + 0.24)]
        axes.add_patch(Polygon(points, closed=True, facecolor=color, edgecolor=color, zorder=4))
        return
    if line.lower is not None:
        dashes = (0, (4, 2)) if line.kind == "prediction" else "solid"
        axes.plot([line.lower, line.upper], [y, y], color=color, linewidth=2.0, linestyle=dashes, zorder=4)
        axes.plot([line.lower, line.upper], [y, y], "|", color=color, markersize=8, markeredgewidth=1.6, zorder=4)
    axes.plot([line.middle], [y], "D" if line.kind == "confidence" else "o", color=color, markersize=5, zorder=5)
