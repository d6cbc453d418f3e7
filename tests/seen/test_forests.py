"""Figures of estimates below each other: intervals, marks, colours, order and words against the rows."""

import numpy as np
import pytest

from analysis.drawing import style
from tests.seen.axes import at_row, legend_of, near, percents, points, segments, shows, upright, written
from tests.seen.checking import chosen, ends, limits, numbers, points_say, single, value
from tests.seen.facts import ENDPOINTS
from tests.seen.fitted import headline_rows

PUBLISHED = ("published", "published_lower", "published_upper")


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_forest(seen, figures, endpoint):
    figure = figures["forest", endpoint]
    axes = figure.axes[0]
    percents(axes)
    bottom, top = axes.get_ylim()
    assert top == 0.0 < bottom  # rows count from the top
    studies = sorted(chosen(seen.tables["studies.csv"], endpoint=endpoint),
                     key=lambda row: (-value(row["raw"]), row["label"]))
    fit = headline_rows(seen, endpoint)
    raw, shrunken = segments(axes, style.RAW), segments(axes, style.SHRUNKEN)
    marks = points(axes, style.SHRUNKEN)
    squares = {mark.get_gid(): mark for mark in axes.lines if (mark.get_gid() or "").startswith("square-")}
    assert len(raw) == len(shrunken) == len(marks) == len(squares) == len(studies)
    for at, row in enumerate(studies):
        estimate = single(fit, study_id=row["study_id"],
                          estimand="study_survival" if endpoint == "os" else "study_rate")
        assert raw[at][0] < shrunken[at][0] < next((below for below, *_ in raw[at + 1 :]), bottom)
        assert raw[at][1:] == near([value(row["raw_lower"]), value(row["raw_upper"])])
        assert [marks[at][1], *shrunken[at][1:]] == near(limits(estimate))
        square = squares[f"square-{at}"]
        assert (square.get_xdata()[1], square.get_ydata()[1]) == near((value(row["raw"]), raw[at][0]))
        areas = square.get_markersize() ** 2, squares["square-0"].get_markersize() ** 2
        assert areas[0] / areas[1] == pytest.approx(value(row["n"]) / value(studies[0]["n"]))
        assert square.get_markerfacecolor().lower() == style.TIER_FILLS[row["tier"]].lower()
        texts = at_row(axes, (raw[at][0] + shrunken[at][0]) / 2, tolerance=0.4)
        counts = f"{row['events']}/{row['n']}" if endpoint != "os" else f"{row['n']} · "
        assert row["label"] in texts and any(text.startswith(f"{row['tier']} · {counts}") for text in texts)
        assert shows(at_row(axes, raw[at][0]), [value(row[name]) for name in ("raw", "raw_lower", "raw_upper")])
        assert shows(at_row(axes, shrunken[at][0]), limits(estimate))
    _below(seen, axes, endpoint, fit, shrunken[-1][0])
    legend = legend_of(figure)
    assert legend["shrunken (posterior median)"] == style.SHRUNKEN
    assert all(label.startswith(("raw", "shrunken")) for label in legend)


def _below(seen, axes, endpoint, fit, last) -> None:
    """Pooled, new study and published: a diamond, a dashed line and a line with their texts."""
    estimands = ("survival", "new_study_survival") if endpoint == "os" else ("mean_rate", "new_study_rate")
    main, new = (single(fit, estimand=name, study_id="") for name in estimands)
    printed = single(seen.tables["comparison.csv"], reported_id={"cr": "R01", "tox": "R06", "os": "R04"}[endpoint])
    published = [value(printed[name]) for name in PUBLISHED]
    (diamond,) = [patch for patch in axes.patches if len(patch.get_xy()) == 5]
    corners = diamond.get_xy()
    assert [corners[at][0] for at in (1, 0, 2)] == near(limits(main))
    (dashed,), (line,) = segments(axes, style.PREDICTION), segments(axes, style.PUBLISHED)
    assert last < corners[0][1] < dashed[0] < line[0]
    assert dashed[1:] == near(limits(new)[1:]) and line[1:] == near(published[1:])
    assert np.array(points(axes, style.PREDICTION)) == near(np.array([(dashed[0], value(new["median"]))]))
    assert points(axes, style.PUBLISHED)[0] == near((line[0], published[0]))
    for y, wanted, kind, level in ((corners[0][1], limits(main), "credible", main["level"]),
                                   (dashed[0], limits(new), "prediction", new["level"]),
                                   (line[0], published, "confidence", printed["published_level"])):
        texts = at_row(axes, y, tolerance=0.3)
        assert shows(texts, wanted)
        assert any(f"{round(100 * value(level))} % {kind} interval" in text for text in texts), texts
    words = " ".join(at_row(axes, corners[0][1], tolerance=0.3))
    assert f"{main['k_studies']} studies" in words and f"{main['n_patients']} patients" in words
    assert [x for color, x in upright(axes) if color == style.SHRUNKEN] == near([value(main["median"])])


def test_published(seen, figures):
    figure = figures["published", ""]
    compared = [row for row in chosen(seen.tables["comparison.csv"], primary="true") if row["median"]]
    panels = dict(zip(("probability", "months"), figure.axes, strict=True))
    percents(panels["probability"])
    low, high = panels["months"].get_xlim()
    assert low < high and panels["months"].get_xlabel() == "Months" and "%" in panels["probability"].get_xlabel()
    for unit, axes in panels.items():
        rows = sorted(chosen(compared, units=unit), key=lambda row: not row["lower"])
        order = list(dict.fromkeys(row["endpoint"] for row in rows))
        rows.sort(key=lambda row: order.index(row["endpoint"]))
        theirs, ours = points(axes, style.PUBLISHED), points(axes, style.SHRUNKEN)
        assert [x for _, x in theirs] == near([value(row["published"]) for row in rows])
        assert [x for _, x in ours] == near([value(row["median"]) for row in _readings(seen, rows)])
        marks = iter(ours)
        for row, (y, _) in zip(rows, theirs, strict=True):
            (z, _), scale = next(marks), 100.0 if unit == "probability" else 1.0
            assert y < z < y + 1  # published above ours
            _interval(axes, y, style.PUBLISHED, row, (*PUBLISHED, "published_k", "published_n"), scale)
            _interval(axes, z, style.SHRUNKEN, row, (*ends(), "k_studies", "n_patients"), scale)
            for falling in _falling(seen, row):
                below, _ = next(marks)
                assert z < below < y + 1 and shows(at_row(axes, below), limits(falling), scale)
    assert legend_of(figure) == {
        "published, 90 % or 95 % confidence interval": style.PUBLISHED,
        "this analysis (median; constant hazard), 95 % credible interval": style.SHRUNKEN,
        "this analysis, hazard may fall: preferred": style.SHRUNKEN,
    }


def _falling(seen, row) -> list[dict[str, str]]:
    """What a hazard that may fall makes of the number of a comparison; nothing of a rate."""
    return chosen(seen.tables["survival_curves.csv"], endpoint=row["our_endpoint"], subset=row["subset"] or "all",
                  model="weibull", estimand=row["estimand"], time_months=row["time_months"])


def _readings(seen, rows) -> list[dict[str, str]]:
    """Each comparison, followed by what a hazard that may fall makes of it."""
    return [reading for row in rows for reading in (row, *_falling(seen, row))]


def _interval(axes, y, color, row, columns, scale) -> None:
    """A line from limit to limit, where there are any, with its numbers, studies and patients beside it."""
    *names, k, n = columns
    middle, low, high = (value(row[name]) for name in names)
    texts = at_row(axes, y)
    assert shows(texts, [middle] if low is None else [middle, low, high], scale), (row["reported_id"], texts)
    assert f"{row[k] or '–'} / {row[n] or '–'}" in texts
    drawn = [segment[1:] for segment in segments(axes, color) if round(segment[0], 2) == round(y, 2)]
    assert drawn == ([] if low is None else [near((low, high))])


def test_the_summary_has_the_leading_pairs(seen, figures):
    """All studies, the main estimand, with an interval: one pair for each endpoint."""
    axes = figures["summary", ""].axes[0]
    rows = [row for row in chosen(seen.tables["comparison.csv"], primary="true")
            if row["median"] and row["published_lower"] and row["estimand"] in ("mean_rate", "survival")
            and row["subset"] in ("", "all")]
    assert len(rows) == len({row["endpoint"] for row in rows}) > 1
    for color, name, shown in ((style.PUBLISHED, "published", rows), (style.SHRUNKEN, "median", _readings(seen, rows))):
        assert [x for _, x in points(axes, color)] == near([value(row[name]) for row in shown])
    assert any(_falling(seen, row) for row in rows)


def _rows_with_intervals(axes, rows, colors, middle: str, tolerance: float) -> list[list[str]]:
    """The texts of each row, whose mark and line have its colour, its numbers and their place."""
    every = {style.SHRUNKEN, style.ALARM, style.INK, *colors}
    drawn = sorted((y, x, color) for color in every for y, x in points(axes, color))
    assert [color for *_, color in drawn] == colors
    texts = []
    for row, (y, x, color) in zip(rows, drawn, strict=True):
        line = next(segment for segment in segments(axes, color) if segment[0] == y)
        assert [x, *line[1:]] == near(limits(row, middle=middle))
        texts.append(at_row(axes, y, tolerance=tolerance))
        assert shows(texts[-1], limits(row, middle=middle)), texts[-1]
    return texts


def test_decomposition(seen, figures):
    axes = figures["decomposition", ""].axes[0]
    percents(axes)
    rows = chosen(seen.tables["decomposition.csv"], unit="probability")
    colors = {"published": style.PUBLISHED, "data": style.INK, "method": style.FAINT, "prior": style.SHRUNKEN,
              "missing studies": style.PREDICTION, "error rule": style.SHRUNKEN, "shape": style.SHRUNKEN}
    shown = _rows_with_intervals(axes, rows, [colors[row["step"]] for row in rows], "estimate", 0.2)
    for row, texts in zip(rows, shown, strict=True):
        assert f"{row['k_studies']} studies" in texts and row["label"][:40] in " ".join(texts)
        if row["change"]:
            assert row["step"] in texts and any(points_say(text, value(row["change"])) for text in texts), (row, texts)


def test_missing(seen, figures):
    axes = figures["missing", ""].axes[0]
    percents(axes)
    bounds, totals = seen.tables["missing_bounds.csv"], seen.tables["published_totals.csv"]
    groups = [("Studies with a count", chosen(bounds, bound="headline"), style.SHRUNKEN)]
    groups += [(f"and total, {row['scenario'].replace('_', ' ')}", [row], style.PREDICTION) for row in totals]
    groups += [(label, [row for row in bounds if row["bound"] in names], style.FAINT) for label, names in (
        ("With likely missing studies", ("joint_low", "joint_high")),
        ("Each missing at its limit", ("each_low", "each_high")),
        ("The total, even to uneven", ("total_even", "total_in_largest", "total_in_smallest")),
        ("None or all of the missing", ("extreme_low", "extreme_high")))]
    groups.append(("Published", chosen(bounds, bound="published"), style.PUBLISHED))
    heights = {text: y for y, _, text in written(axes)}
    assert [heights[label] for label, *_ in groups] == sorted(heights[label] for label, *_ in groups)
    for label, rows, color in groups:
        y, (medians, lower, upper) = heights[label], zip(*map(limits, rows), strict=True)
        lines = [segment[1:] for segment in segments(axes, color) if segment[0] == y]
        assert any(line == near((min(lower), max(upper))) for line in lines), (label, lines)
        first, last = min(medians), max(medians)
        if first == last:
            assert [x for at, x in points(axes, color) if at == y] == near([first])
        else:
            assert any(line == near((first, last)) for line in lines)
        shown = numbers(next(text for text in at_row(axes, y) if text != label).replace("–", " "))
        assert [shown[0], shown[-3], *shown[-2:]] == pytest.approx(
            [100 * x for x in (first, last, min(lower), max(upper))], abs=0.51)


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_sensitivity(seen, figures, endpoint):
    axes = figures["sensitivity", endpoint].axes[0]
    percents(axes)
    rows = chosen(seen.tables["sensitivity.csv"], endpoint=endpoint)
    colors = [style.SHRUNKEN if row["dimension"] == "headline" else style.ALARM if row["changes"] == "true"
              else style.INK for row in rows]
    for row, texts in zip(rows, _rows_with_intervals(axes, rows, colors, "median", 0.15), strict=True):
        if row["dimension"] != "headline":
            assert any(points_say(text, value(row["change"]), 1.0) for text in texts), (row["variant"], texts)
            assert row["variant"][:25] in " ".join(texts).replace("\n", " ")
    head = rows[0]
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((value(head["lower"]), value(head["upper"])), rel=1e-4)
    assert dict(upright(axes)) == {style.SHRUNKEN: near(value(head["median"])),
                                   style.PUBLISHED: near(value(head["published"]))}
