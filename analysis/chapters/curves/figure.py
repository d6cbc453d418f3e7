"""Posterior survival curves with their bands against the points that studies print: pooled, and study by study."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.cases.curves import LANDMARK, LOWER, MEDIAN, PATIENTS, UPPER
from analysis.chapters.curves.rows import ASSUMED, SHAPE
from analysis.drawing import style
from analysis.drawing.labels import Point, name_points
from analysis.drawing.panels import MAX_PANELS, listed, panels
from analysis.results.table import Frame
from analysis.results.writing import Labels

_LAST = 36.0
_FAINT = 6.0  # points of a mark among many
_MARKS = {LANDMARK: "o", MEDIAN: "s", LOWER: ">", UPPER: "<", PATIENTS: "D"}


def draw_curves(bands: Frame, *, points: Frame, labels: Labels) -> Figure:
    """One panel for all studies together, then one for each.

    Parameters
    ----------
    bands, points : data frame
        Rows of curve_bands.csv and curve_points.csv for one endpoint.
    """
    studies = list(bands.loc[bands["curve"] == "study", "label"].unique())
    shown = studies[:MAX_PANELS - 1]
    level = labels.level
    notes = [f"Bands: {level} credible; dashed lines: {level} prediction for a new study. Dotted: constant hazard.",
             "Circles: landmarks; squares: medians; triangles: limits of medians as points; hollow: a part.",
             "Names stand where there is room; each study has a plot of its own.",
             *(["Diamonds: Kaplan-Meier curve of patients who are known one by one."]
               if PATIENTS in set(points["source"]) else []),
             *([f"Points later than {_LAST:g} months stand at the right edge."]
               if (points["months"] > _LAST).any() else []), *listed(studies[MAX_PANELS - 1:], before="Not drawn")]
    with style.styled():
        figure, axes = panels(["All studies together", *shown], title=labels.endpoints[bands["endpoint"].iloc[0]],
                              notes=notes, stamp=labels.stamp, wide=1)
        _pooled(axes[0], bands, points)
        for name, panel in zip(shown, axes[1:], strict=True):
            band = bands[(bands["curve"] == "study") & (bands["label"] == name)]
            _band(panel, band)
            _points(panel, points[points["label"] == name])
        for panel in axes[1:]:
            _axis(panel)
        return figure


def _pooled(axes: Axes, bands: Frame, points: Frame) -> None:
    typical, new = (bands[bands["curve"] == curve] for curve in ("typical study", "new study"))
    falling = typical[typical["model"] == SHAPE]
    _band(axes, falling)
    constant = typical[typical["model"] == ASSUMED]
    axes.plot(constant["months"], constant["median"], color=style.PUBLISHED, linestyle=(0, (1, 2)), linewidth=2.0)
    predicted = new[new["model"] == SHAPE]
    for edge in ("lower", "upper"):
        axes.plot(predicted["months"], predicted[edge], color=style.PREDICTION, linestyle=(0, (4, 3)), linewidth=1.4)
    _points(axes, points, faint=True)
    _axis(axes)
    name_points(axes, [Point(point.months, point.survival, _FAINT**2, point.label if point.months <= _LAST else "")
                       for point in points.itertuples()],
                lines=[(line["months"], line[name]) for line, name in (
                    (falling, "median"), (constant, "median"), (predicted, "lower"), (predicted, "upper"))],
                crossing=False)


def _band(axes: Axes, band: Frame) -> None:
    axes.fill_between(band["months"], band["lower"], band["upper"], color=style.SHRUNKEN, alpha=0.16, linewidth=0)
    axes.plot(band["months"], band["median"], color=style.SHRUNKEN, linewidth=2.0)


def _points(axes: Axes, points: Frame, *, faint: bool = False) -> None:
    for point in points.itertuples():
        axes.plot([min(point.months, _LAST)], [point.survival], _MARKS[point.source], color=style.RAW,
                  markerfacecolor="none" if point.stratum else style.RAW, markersize=_FAINT if faint else 9,
                  alpha=0.6 if faint else 1.0, zorder=4, clip_on=False)


def _axis(axes: Axes) -> None:
    axes.set_xlim(0.0, _LAST)
    axes.set_ylim(0.0, 1.0)
    axes.set_xticks([0, 12, 24, 36])
    axes.set_yticks([0.0, 0.5, 1.0], ["0", "50", "100 %"])
    axes.set_xlabel("months", fontsize=style.SMALL, labelpad=2)
