"""Lines of text beside a plot of estimates with their limits: one layout of every figure that is a list of intervals.

A page has plots below each other, a plot has blocks of lines, a line has a label on the left, one or more intervals in
the plot, and on the right the texts of each. On a narrow page labels stand above their intervals, with what else there
is no room for. Lengths are inches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import accumulate, pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.transforms import Transform, blended_transform_factory

from analysis.drawing.axis import fit_axis
from analysis.drawing.page import LINE, letters, new_page, width_of, wrapped
from analysis.drawing.style import FAINT, INK, MARGIN, RULE, SMALL, TEXT, WIDTH, styled, width
from analysis.results.numbers import Scale

DIAMOND = "diamond"
"""The marker that reaches from the lower to the upper limit."""

_INDENT, _GAP = 2.0 * MARGIN, 0.2
_LEADING, _BETWEEN, _APART, _PART = 0.27, 0.09, 0.07, 0.12
_AXIS, _LEGEND = 0.9, 0.33
_LABEL, _DETAIL, _WIDE, _MARKS = 31, 38, 70, 88  # letters of a label, what is below it, a heading, and the legend
_ABOVE, _ASIDE, _HEAD = 36, 50, 46  # letters on a narrow page: of a label, what is beside or below it, and a head
_LEAST, _MOST = 2.3, 3.9  # width of the labels; that of the plot is not below the first
_DIGIT = 0.128  # width of one below the axis
_ROOM = 0.11  # beyond the limits of an axis, so that marks there are whole


@dataclass(frozen=True)
class Look:
    """How an interval is drawn: its marker is one of matplotlib's or DIAMOND, sizes are points."""

    color: str = INK
    marker: str = "o"
    size: float = 8.0
    width: float = 2.2
    dashed: bool = False
    fill: str = ""
    bold: bool = False

    @property
    def line(self) -> dict[str, object]:
        """As matplotlib's lines take it."""
        return {"color": self.color, "linewidth": self.width, "linestyle": (0, (4, 2)) if self.dashed else "-",
                "marker": self.marker, "markersize": self.size, "markerfacecolor": self.fill or self.color}


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits, where there are any, and its texts in the columns on the right.

    Without an estimate there is only text. Several estimates have a spread, from the smallest to the largest, which is
    drawn as a thick bar in place of the mark. A pale bar stands behind where there is something to compare with.
    """

    middle: float | None
    lower: float | None
    upper: float | None
    look: Look
    text: str = ""
    end: str = ""
    spread: tuple[float, float] | None = None
    behind: tuple[float, float] | None = None
    gid: str | None = None

    def on(self, scale: Scale) -> "Interval":
        """At its places on the axis of a scale."""
        middle, lower, upper = scale.places((self.middle, self.lower, self.upper))
        return replace(self, middle=middle, lower=lower, upper=upper,
                       spread=self.spread and tuple(sorted(map(scale.place, self.spread))),
                       behind=self.behind and tuple(sorted(map(scale.place, self.behind))))


@dataclass(frozen=True)
class Line:
    """Intervals above each other under one label, which has their first's colour if none of its own.

    A label has up to two lines, one for each of two choices ("; "); details stand below it.
    """

    label: str
    intervals: tuple[Interval, ...]
    details: tuple[str, ...] = ()
    color: str = ""


@dataclass(frozen=True)
class Reference:
    """A value, or a band up to another one, that intervals are compared with."""

    at: float
    color: str
    to: float | None = None
    dotted: bool = True

    def on(self, scale: Scale) -> "Reference":
        """At its place on the axis of a scale."""
        return replace(self, at=scale.place(self.at), to=scale.place(self.to))


@dataclass(frozen=True)
class Block:
    """Lines with a heading on the left and a note on the right; limits of a far one may leave the axis, as arrows."""

    lines: tuple[Line, ...]
    heading: str = ""
    note: str = ""
    references: tuple[Reference, ...] = ()
    far: bool = False


@dataclass(frozen=True)
class Plot:
    """Blocks over one axis, in months without a scale; `whole` as in `axis.limits_for`."""

    blocks: tuple[Block, ...]
    scale: Scale | None
    label: str
    references: tuple[Reference, ...] = ()
    whole: bool = True

    @property
    def placed(self) -> "Plot":
        """With everything at its place on the axis, where that is not the probability itself."""
        if not (self.scale and self.scale.months):
            return self

        def on_axis[Mark: (Interval, Reference)](marks: Sequence[Mark]) -> tuple[Mark, ...]:
            return tuple(mark.on(self.scale) for mark in marks)

        return replace(self, references=on_axis(self.references), blocks=tuple(
            replace(block, references=on_axis(block.references), lines=tuple(
                replace(line, intervals=on_axis(line.intervals)) for line in block.lines)) for block in self.blocks))


@dataclass(frozen=True)
class _Sheet:
    """A plot whose vertical unit is an inch, `across` for inches from the left, and where texts begin in what size."""

    axes: Axes
    across: Transform
    text: float
    size: float

    def write(self, text: str, left: float, y: float, *, align: str = "left", size: float = TEXT, color: str = INK,
              bold: bool = False) -> None:
        """Put text, whose lines are centred at y."""
        # One by one: matplotlib sets a line without descenders closer to the next.
        parts, leading = text.split("\n") if text else (), _LEADING * size / TEXT
        for at, part in enumerate(parts):
            self.axes.text(left, y + (at - (len(parts) - 1) / 2.0) * leading, part, transform=self.across, ha=align,
                           va="center_baseline", fontsize=size, color=color, fontweight="bold" if bold else "normal")

    def line(self, x: Sequence[float], y: Sequence[float], color: str, **look: object) -> None:
        """Draw a line between points with marks on it, or a mark at one."""
        # Straight to the axes, whose limits are set: `plot` would look for new ones.
        self.axes.add_artist(Line2D(x, y, color=color, solid_capstyle="butt", **look))


def draw_intervals(plots: Sequence[Plot], *, title: str, heads: tuple[str, str, str] = ("", "", ""),
                   legend: Sequence[tuple[Look, str]] = (), notes: Sequence[str] = (), stamp: str = "") -> Figure:
    """A page of plots below each other.

    Parameters
    ----------
    heads : three of str
        Above the labels, the texts and the ends of lines.
    legend : sequence of (look, text)
        What marks are; the notes stand below it.
    """
    with styled():
        heads = heads if _beside() else _stacked(heads)
        marks = [(look, wrapped(words, letters(_MARKS), 3)) for look, words in legend]
        ncols = len(marks) if sum(len(words) + 6 for _, words in marks) <= letters(_MARKS) else 1
        heights = [sum(map(_height, plot.blocks)) for plot in plots]
        head = _PART + LINE * max(map(_lines, heads))
        below = _LEGEND * sum(_lines(words) for _, words in marks) / max(ncols, 1)
        page = new_page(head + sum(heights) + _AXIS * len(plots) + below, title=title, notes=notes, stamp=stamp)
        left, right, text, size = _columns([line for plot in plots for block in plot.blocks for line in block.lines])
        for words, at, align in zip(heads, (MARGIN, text, _end()), ("left", "left", "right"), strict=True):
            page.write(words, page.top, left=at, align=align)
        top = page.top + head
        for plot, height in zip(plots, heights, strict=True):
            axes = page.axes(left, top, right - left, height)
            across = blended_transform_factory(page.figure.dpi_scale_trans, axes.transData)
            _draw_plot(_Sheet(axes, across, text, size), plot.placed, right - left, height)
            top += height + _AXIS
        if marks:
            page.figure.legend(
                handles=[Line2D([], [], label=words, **look.line) for look, words in marks], loc="upper left",
                bbox_to_anchor=(0.0, 1.0 - (top - 0.1) / page.height), ncols=ncols, frameon=False,
                handlelength=2.0, columnspacing=1.2)
        return page.figure


def _beside() -> bool:
    """Whether labels stand beside their intervals and not above them."""
    return width() == WIDTH


def _end() -> float:
    return width() - MARGIN


def _stacked(heads: tuple[str, str, str]) -> tuple[str, str, str]:
    """The heads below each other: of labels, and right of them those of ends and of texts."""
    label, text, end = (head.replace("\n", " ") if at and len(head) <= _HEAD else "\n".join(
        wrapped(line, _HEAD, 3) for line in head.split("\n") if line) for at, head in enumerate(heads))
    return label, "", "\n" * _lines(label) + "\n".join(filter(None, (end, text)))


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


@cache
def _label(text: str, most: int) -> str:
    """At most two lines of so many letters, no longer than they must be."""
    first, choice, second = text.partition("; ")
    if choice and len(text) > most:
        return f"{wrapped(f'{first};', most, 1)}\n{wrapped(second, most, 1)}"
    widths = range(len(text) // 2, most) if most < len(text) < 2 * most else ()
    return next((label for label in (wrapped(text, width) for width in widths) if not label.endswith("…")),
                wrapped(text, most))


@dataclass(frozen=True)
class _Words:
    """What is written of a line: its label, what is below or at the end of that, and whether it is at the end."""

    label: str
    details: str
    texts: tuple[str, ...]
    ends: tuple[str, ...]
    aside: bool = False

    @property
    def heights(self) -> tuple[float, float, float]:
        """Of the label, of the details below it, and of the texts beside the intervals."""
        return (_LEADING * _lines(self.label), _LEADING * SMALL / TEXT * _lines(self.details) * (not self.aside),
                _LEADING * sum(max(1, _lines(text)) for text in self.texts))

    @property
    def height(self) -> float:
        """Of the whole line."""
        label, details, texts = self.heights
        return _BETWEEN + (max(label + details, texts) if _beside() else _APART + label + details + texts)


@lru_cache(maxsize=1000)
def _words_of(line: Line, beside: bool) -> _Words:
    texts, ends = (tuple(getattr(interval, name) for interval in line.intervals) for name in ("text", "end"))
    if beside:
        details = "\n".join(wrapped(detail, _DETAIL, 3) for detail in line.details if detail)
        return _Words(_label(line.label, _LABEL), details, texts, ends)
    more = [text.partition("\n")[2] for text in texts]
    label = _label(line.label, _ABOVE)
    details = wrapped(" · ".join(filter(None, [*line.details, *more, *ends])).replace("\n", " "), _ASIDE, 3)
    room = _end() - _INDENT - _GAP - width_of(label.rpartition("\n")[2], TEXT, bold=line.intervals[0].look.bold)
    return _Words(label, details if line.details or any((*more, *ends)) else "",
                  tuple(text.partition("\n")[0] for text in texts), ("",) * len(ends),
                  _lines(details) == 1 and width_of(details, SMALL) <= room)


def _words(line: Line) -> _Words:
    return _words_of(line, _beside())


def _heading(block: Block) -> str:
    return wrapped(block.heading, letters(_WIDE) - len(block.note), 2 if _beside() else 4) if block.heading else ""


def _height(block: Block) -> float:
    return _PART + _LEADING * _lines(_heading(block)) + sum(_words(line).height for line in block.lines) + _BETWEEN


def _columns(lines: Sequence[Line]) -> tuple[float, float, float, float]:
    """Edges of the plot, as wide as texts leave room, where these begin on its right, and the size that they fit in."""
    left, words = _INDENT, [(line, _words(line)) for line in lines]
    if _beside():
        labels = (max(width_of(told.label, TEXT, bold=line.intervals[0].look.bold), width_of(told.details, SMALL))
                  for line, told in words)
        left += _GAP + min(max(_LEAST, *labels, 0.0), _MOST)
    text, end = (max((width_of(part, TEXT, bold=interval.look.bold) for line, told in words
                      for part, interval in zip(getattr(told, name), line.intervals, strict=True)), default=0.0)
                 for name in ("texts", "ends"))
    gap = _GAP if end else 0.0
    share = min(1.0, (_end() - left - _LEAST - _GAP - gap) / max(text + end, _DIGIT))
    begin = _end() - (text + end) * share - gap
    return left, begin - _GAP, begin, share * TEXT


def _draw_plot(sheet: _Sheet, plot: Plot, width: float, height: float) -> None:
    sheet.axes.set_ylim(height, 0.0)
    sheet.axes.set_yticks([])
    sheet.axes.spines["left"].set_visible(False)
    fit_axis(sheet.axes, _values(plot), plot.scale, whole=plot.whole, room=_ROOM / (width - 2.0 * _ROOM),
             letters=int(width / _DIGIT))
    sheet.axes.set_xlabel(wrapped(plot.label, int((width + 2.0 * MARGIN) / _DIGIT)))
    top, strips = 0.0, [(0.0, height)] if _beside() else []
    for block in plot.blocks:
        heading = _LEADING * _lines(_heading(block))
        middle = top + (_PART + _BETWEEN + heading) / 2.0
        sheet.line([MARGIN, _end()], [top, top], RULE, linewidth=0.8, transform=sheet.across, clip_on=False)
        sheet.write(_heading(block), MARGIN, middle, bold=True)
        sheet.write(block.note, _end(), middle, align="right", color=FAINT)
        words = [_words(line) for line in block.lines]
        edges = [*accumulate((told.height for told in words), initial=top + _PART + heading)]
        for line, told, (above, below) in zip(block.lines, words, pairwise(edges), strict=True):
            _draw_line(sheet, line, told, above, below)
        # On a narrow page, where they cross no label.
        of_block = [(edges[0], edges[-1])] if _beside() else [
            (below - told.heights[2], below) for told, below in zip(words, edges[1:], strict=True)]
        _draw_references(sheet, block.references, of_block)
        strips += [] if _beside() else of_block
        top = edges[-1] + _BETWEEN
    _draw_references(sheet, plot.references, strips)


def _values(plot: Plot) -> list[float]:
    """What the axis has to hold: all of near blocks, and of far ones as much as is not far from these."""
    near, ends = [value for reference in plot.references for value in (reference.at, reference.to)], []
    for block in plot.blocks:
        for interval in (interval for line in block.lines for interval in line.intervals):
            near += [interval.middle, *(interval.spread or ())]
            (ends if block.far else near).extend((interval.lower, interval.upper))
    known = [value for value in near if value is not None]
    room = 2.0 * (max(known, default=1.0) - min(known, default=0.0))
    return [*known, *(min(max(end, min(known) - room), max(known) + room) for end in ends if end is not None)]


def _draw_references(sheet: _Sheet, references: Sequence[Reference], strips: Sequence[tuple[float, float]]) -> None:
    """Bands as high as the plot, lines in strips from top to bottom."""
    for reference in references:
        if reference.to is not None:
            sheet.axes.axvspan(reference.at, reference.to, color=reference.color, alpha=0.13, linewidth=0, zorder=1)
        else:
            width, style = (2.0, (0, (1, 2))) if reference.dotted else (1.4, "-")
            for strip in strips:
                sheet.line([reference.at] * 2, strip, reference.color, linewidth=width, linestyle=style, zorder=1.5)


def _draw_line(sheet: _Sheet, line: Line, words: _Words, above: float, below: float) -> None:
    (label, details, texts), first = words.heights, line.intervals[0].look
    middle, marks = ((above + below) / 2.0,) * 2 if _beside() else (
        above + _APART + (_BETWEEN + label + details) / 2.0, below - texts / 2.0)
    sheet.write(words.label, _INDENT, middle - details / 2.0, color=line.color or first.color, bold=first.bold)
    sheet.write(words.details, *((_end(), middle + (label - _LEADING) / 2.0) if words.aside else
                                 (_INDENT, middle + label / 2.0)),
                align="right" if words.aside else "left", size=SMALL, color=FAINT)
    for at, (interval, text, end) in enumerate(zip(line.intervals, words.texts, words.ends, strict=True)):
        y = marks + (at - (len(line.intervals) - 1) / 2.0) * _LEADING
        look = {"size": sheet.size, "color": interval.look.color, "bold": interval.look.bold}
        sheet.write(text, sheet.text, y, **look)
        sheet.write(end, _end(), y, align="right", **look)
        if interval.behind:
            low, high = sheet.axes.get_xlim()  # before the data a rate may be anything, which the axis need not hold
            sheet.line([max(low, interval.behind[0]), min(high, interval.behind[1])], [y, y], RULE, linewidth=9.0,
                       zorder=2)
        if interval.middle is not None:
            _draw_interval(sheet, interval, y)


def _draw_interval(sheet: _Sheet, interval: Interval, y: float) -> None:
    """A line between the limits with a mark, and arrows where the limits are beyond the axis."""
    look, ends, (left, right) = interval.look, (interval.lower, interval.upper), sheet.axes.get_xlim()
    known = None not in ends
    for edge, arrow, beyond in ((left, "<", known and ends[0] < left), (right, ">", known and ends[1] > right)):
        if beyond:
            sheet.line([edge], [y], look.color, marker=arrow, markersize=9.0, zorder=6, clip_on=False,
                       gid="beyond-the-axis")
    if look.marker == DIAMOND:
        corners = [(ends[0], y), (interval.middle, y - 0.12), (ends[1], y), (interval.middle, y + 0.12)]
        sheet.axes.add_artist(Polygon(corners, closed=True, facecolor=look.color, edgecolor=look.color, zorder=4))
        return
    if known and not ends[0] <= interval.middle <= ends[1]:  # a mark that the limits do not hold is no part of the line
        sheet.line(ends, [y, y], zorder=3, markevery=[], **look.line)
        known = False
    x = [ends[0], interval.middle, ends[1]] if known else [interval.middle]
    sheet.line(x, [y] * len(x), zorder=3, gid=interval.gid, markevery=[] if interval.spread else [len(x) // 2],
               **look.line)
    if interval.spread:
        sheet.line(interval.spread, [y, y], look.color, linewidth=4.0 * look.width, zorder=4)
