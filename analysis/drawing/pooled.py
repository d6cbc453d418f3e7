"""The pooled rows below a forest plot: the mean, a new study, and the published estimate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.patches import Polygon

from analysis.drawing import style
from analysis.drawing.sheet import Sheet
from analysis.results.numbers import PERCENT, Scale, counted, level_text, printed_with_interval, with_interval

Row = Mapping[str, Any]

_MAIN = {False: ("mean_rate", "Mean rate"), True: ("survival", "Survival, typical study")}
_NEW = {False: ("new_study_rate", "Rate of a new study"),
        True: ("new_study_survival", "Survival in a new study")}
_UNIT = "proportion"


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
