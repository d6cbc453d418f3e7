"""Figures of estimates below each other: intervals, marks, colours, order and words against the rows."""

import pytest

from analysis.drawing import style
from tests.seen.axes import at_row, legend_of, percents, points, segments, written
from tests.seen.checking import chosen, numbers, points_say, says, single, value
from tests.seen.facts import ENDPOINTS


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_forest(seen, figures, endpoint):
    figure = figures["forest", endpoint]
    axes = figure.axes[0]
    percents(axes)
    top, bottom = axes.get_ylim()[1], axes.get_ylim()[0]
    assert top == 0.0 < bottom  # rows count from the top
    studies = sorted(
        chosen(seen.tables["studies.csv"], endpoint=endpoint), key=lambda row: (-value(row["raw"]), row["label"])
    )
    own = [
        row
        for row in seen.tables["estimates.csv"]
        if row["endpoint"] == endpoint
        and row["subset"] == "all"
        and row["tiers"] == "AB"
        and row["early_landmarks"] == "true"
        and row["model"] != "logit_normal"
    ]
    raw, shrunken = segments(axes, style.RAW), segments(axes, style.SHRUNKEN)
    marks = points(axes, style.SHRUNKEN)
    largest = max(value(row["n"]) for row in studies)
    squares = {mark.get_gid(): mark for mark in axes.lines if (mark.get_gid() or "").startswith("square-")}
    assert len(raw) == len(shrunken) == len(marks) == len(squares) == len(studies)
    for at, row in enumerate(studies):
        one = single(own, study_id=row["study_id"], estimand="study_survival" if endpoint == "os" else "study_rate")
        assert raw[at][0] < shrunken[at][0] < next((below for below, *_ in raw[at + 1 :]), bottom)
        assert raw[at][1:] == pytest.approx([value(row["raw_lower"]), value(row["raw_upper"])], rel=1e-5)
        assert shrunken[at][1:] == pytest.approx([value(one["lower"]), value(one["upper"])], rel=1e-5)
        assert marks[at][1] == pytest.approx(value(one["median"]), rel=1e-5)
        square = squares[f"square-{at}"]
        place = square.get_xdata()[1], square.get_ydata()[1]
        assert place == pytest.approx((value(row["raw"]), raw[at][0]), rel=1e-5)
        areas = square.get_markersize() ** 2, squares["square-0"].get_markersize() ** 2
        assert areas[0] / areas[1] == pytest.approx(value(row["n"]) / value(studies[0]["n"]))
        assert value(row["n"]) <= largest
        assert square.get_markerfacecolor().lower() == style.TIER_FILLS[row["tier"]].lower()
        texts = at_row(axes, (raw[at][0] + shrunken[at][0]) / 2, tolerance=0.4)
        counts = f"{row['events']}/{row['n']}" if endpoint != "os" else f"{row['n']} · "
        assert row["label"] in texts and any(text.startswith(f"{row['tier']} · {counts}") for text in texts)
        assert any(
            says(text, *(value(row[name]) for name in ("raw", "raw_lower", "raw_upper")), scale=100)
            for text in at_row(axes, raw[at][0])
        )
        assert any(
            says(text, *(value(one[name]) for name in ("median", "lower", "upper")), scale=100)
            for text in at_row(axes, shrunken[at][0])
        )
    _below(seen, axes, endpoint, own, shrunken[-1][0])
    legend = legend_of(figure)
    assert legend["shrunken (posterior median)"] == style.SHRUNKEN
    assert all(label.startswith(("raw", "shrunken")) for label in legend)


def _below(seen, axes, endpoint, own, last) -> None:
    """Pooled, new study and published: a diamond, a dashed line and a line with their texts."""
    survival = endpoint == "os"
    main = single(own, estimand="survival" if survival else "mean_rate", study_id="")
    new = single(own, estimand="new_study_survival" if survival else "new_study_rate", study_id="")
    printed = single(seen.tables["comparison.csv"], reported_id={"cr": "R01", "tox": "R06", "os": "R04"}[endpoint])
    (diamond,) = [patch for patch in axes.patches if len(patch.get_xy()) == 5]
    corners = diamond.get_xy()
    assert [corners[0][0], corners[1][0], corners[2][0]] == pytest.approx(
        [value(main[name]) for name in ("lower", "median", "upper")], rel=1e-5
    )
    (dashed,), (line,) = segments(axes, style.PREDICTION), segments(axes, style.PUBLISHED)
    rows = {"main": corners[0][1], "new": dashed[0], "printed": line[0]}
    assert last < rows["main"] < rows["new"] < rows["printed"]
    assert dashed == pytest.approx((rows["new"], value(new["lower"]), value(new["upper"])), rel=1e-5)
    assert [one for one in points(axes, style.PREDICTION)] == [
        pytest.approx((rows["new"], value(new["median"])), rel=1e-5)
    ]
    assert line == pytest.approx(
        (rows["printed"], value(printed["published_lower"]), value(printed["published_upper"]))
    )
    assert points(axes, style.PUBLISHED)[0] == pytest.approx((rows["printed"], value(printed["published"])))
    for name, row, prefix in (("main", main, ""), ("new", new, ""), ("printed", printed, "published_")):
        middle = row["published"] if prefix else row["median"]
        texts = at_row(axes, rows[name], tolerance=0.3)
        assert any(
            says(text, value(middle), value(row[f"{prefix}lower"]), value(row[f"{prefix}upper"]), scale=100)
            for text in texts
        )
        kind = {"main": "credible", "new": "prediction", "printed": "confidence"}[name]
        level = round(100 * value(row[f"{prefix}level"] if prefix else row["level"]))
        assert any(f"{level} % {kind} interval" in text for text in texts), texts
    words = " ".join(at_row(axes, rows["main"], tolerance=0.3))
    assert f"{main['k_studies']} studies" in words and f"{main['n_patients']} patients" in words
    (across,) = [
        line
        for line in axes.lines
        if line.get_color() == style.SHRUNKEN
        and len(line.get_xdata()) == 2
        and line.get_xdata()[0] == line.get_xdata()[1]
    ]
    assert across.get_xdata()[0] == pytest.approx(value(main["median"]), rel=1e-5)


def test_published(seen, figures):
    figure = figures["published", ""]
    compared = [row for row in seen.tables["comparison.csv"] if row["median"] and row["primary"] == "true"]
    panels = {True: figure.axes[0], False: figure.axes[1]}
    percents(panels[True])
    low, high = panels[False].get_xlim()
    assert low < high and panels[False].get_xlabel() == "Months" and "%" in panels[True].get_xlabel()
    for proportions, axes in panels.items():
        own = [row for row in compared if (row["units"] == "probability") == proportions]
        own.sort(key=lambda row: not row["lower"])
        order = list(dict.fromkeys(row["endpoint"] for row in own))
        own.sort(key=lambda row: order.index(row["endpoint"]))
        theirs, ours = points(axes, style.PUBLISHED), points(axes, style.SHRUNKEN)
        assert [x for _, x in theirs] == pytest.approx([value(row["published"]) for row in own])
        assert [x for _, x in ours] == pytest.approx([value(row["median"]) for row in own], rel=1e-5)
        ends = {
            color: {round(y, 2): (a, b) for y, a, b in segments(axes, color)}
            for color in (style.PUBLISHED, style.SHRUNKEN)
        }
        for row, (y, _), (z, _) in zip(own, theirs, ours, strict=True):
            assert y < z < y + 1  # published above ours
            _pair(axes, row, y, z, ends, 100.0 if proportions else 1.0)
    legend = legend_of(figure)
    assert legend == {
        "published, 90 % or 95 % confidence interval": style.PUBLISHED,
        "this analysis (posterior median), 95 % credible interval": style.SHRUNKEN,
    }


def test_the_summary_has_the_leading_pairs(seen, figures):
    """All studies, the main estimand, with an interval: one pair for each endpoint."""
    axes = figures["summary", ""].axes[0]
    rows = [row for row in seen.tables["comparison.csv"] if row["median"] and row["primary"] == "true"
            and row["published_lower"] and row["estimand"] in ("mean_rate", "survival")
            and row["subset"] in ("", "all")]
    assert len(rows) == len({row["endpoint"] for row in rows}) > 1
    assert [x for _, x in points(axes, style.PUBLISHED)] == pytest.approx([value(row["published"]) for row in rows])
    assert [x for _, x in points(axes, style.SHRUNKEN)] == pytest.approx(
        [value(row["median"]) for row in rows], rel=1e-5)


def _pair(axes, row, y, z, ends, scale) -> None:
    for at, color, prefix, middle, base in (
        (y, style.PUBLISHED, "published_", row["published"], (row["published_k"], row["published_n"])),
        (z, style.SHRUNKEN, "", row["median"], (row["k_studies"], row["n_patients"])),
    ):
        low, high = value(row[f"{prefix}lower"]), value(row[f"{prefix}upper"])
        wanted = [value(middle)] + ([] if low is None else [low, high])
        texts = at_row(axes, at)
        assert any(says(text, *wanted, scale=scale) for text in texts), (row["reported_id"], texts, wanted)
        assert " / ".join(cell or "–" for cell in base) in texts
        if low is not None:
            assert ends[color][round(at, 2)] == pytest.approx((low, high), rel=1e-5)
        else:
            assert round(at, 2) not in ends[color]


def test_decomposition(seen, figures):
    axes = figures["decomposition", ""].axes[0]
    percents(axes)
    rows = [row for row in seen.tables["decomposition.csv"] if row["unit"] == "probability"]
    colors = {
        "published": style.PUBLISHED,
        "data": style.INK,
        "method": style.FAINT,
        "prior": style.SHRUNKEN,
        "missing studies": style.PREDICTION,
        "error rule": style.SHRUNKEN,
        "shape": style.SHRUNKEN,
    }
    marks = sorted((y, x, color) for color in set(colors.values()) for y, x in points(axes, color))
    assert [x for _, x, _ in marks] == pytest.approx([value(row["estimate"]) for row in rows], rel=1e-5)
    assert [color for *_, color in marks] == [colors[row["step"]] for row in rows]
    for row, (y, _, color) in zip(rows, marks, strict=True):
        line = next(one for one in segments(axes, color) if one[0] == y)
        assert line[1:] == pytest.approx((value(row["lower"]), value(row["upper"])), rel=1e-5)
        texts = at_row(axes, y, tolerance=0.2)
        assert any(
            says(text, *(value(row[name]) for name in ("estimate", "lower", "upper")), scale=100) for text in texts
        )
        assert f"{row['k_studies']} studies" in texts and row["label"][:40] in " ".join(texts)
        if row["change"]:
            assert row["step"] in texts and any(points_say(text, value(row["change"])) for text in texts), (row, texts)


def test_missing(seen, figures):
    axes = figures["missing", ""].axes[0]
    percents(axes)
    bounds, totals = seen.tables["missing_bounds.csv"], seen.tables["published_totals.csv"]
    groups = [("Studies with a count", chosen(bounds, bound="headline"), style.SHRUNKEN)]
    groups += [(f"and total, {row['scenario'].replace('_', ' ')}", [row], style.PREDICTION) for row in totals]
    for label, names in (
        ("With likely missing studies", ("joint_low", "joint_high")),
        ("Each missing at its limit", ("each_low", "each_high")),
        ("The total, even to uneven", ("total_even", "total_in_largest", "total_in_smallest")),
        ("None or all of the missing", ("extreme_low", "extreme_high")),
    ):
        groups.append((label, [row for row in bounds if row["bound"] in names], style.FAINT))
    groups.append(("Published", chosen(bounds, bound="published"), style.PUBLISHED))
    rows = {text: y for y, _, text in written(axes)}
    assert [rows[label[:27]] if label in rows else rows[label] for label, *_ in groups] == sorted(
        rows[label] for label, *_ in groups
    )
    for label, own, color in groups:
        y, values = rows[label], {name: [value(row[name]) for row in own] for name in ("median", "lower", "upper")}
        low, high = min(values["lower"]), max(values["upper"])
        drawn = [one[1:] for one in segments(axes, color) if one[0] == y]
        assert any(one == pytest.approx((low, high), rel=1e-5) for one in drawn), (label, drawn)
        middles = sorted({min(values["median"]), max(values["median"])})
        single_mark = [x for at, x in points(axes, color) if at == y]
        assert (
            single_mark == pytest.approx(middles[:1], rel=1e-5)
            if len(middles) == 1
            else any(one == pytest.approx(middles, rel=1e-5) for one in drawn)
        )
        texts = [text for text in at_row(axes, y) if text != label]
        shown = numbers(texts[0].replace("–", " "))
        assert shown[-2:] == pytest.approx([100 * low, 100 * high], abs=0.51)
        assert shown[0] == pytest.approx(100 * middles[0], abs=0.51) and shown[-3] == pytest.approx(
            100 * middles[-1], abs=0.51
        )


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_sensitivity(seen, figures, endpoint):
    figure = figures["sensitivity", endpoint]
    axes = figure.axes[0]
    percents(axes)
    rows = chosen(seen.tables["sensitivity.csv"], endpoint=endpoint)
    colors = [
        style.SHRUNKEN if row["dimension"] == "headline" else style.ALARM if row["changes"] == "true" else style.INK
        for row in rows
    ]
    drawn = sorted((y, x, color) for color in {style.SHRUNKEN, style.ALARM, style.INK} for y, x in points(axes, color))
    assert [x for _, x, _ in drawn] == pytest.approx([value(row["median"]) for row in rows], rel=1e-5)
    assert [color for *_, color in drawn] == colors
    for row, (y, _, color) in zip(rows, drawn, strict=True):
        line = next(one for one in segments(axes, color) if one[0] == y)
        assert line[1:] == pytest.approx((value(row["lower"]), value(row["upper"])), rel=1e-5)
        texts = at_row(axes, y, tolerance=0.15)
        assert any(
            says(text, *(value(row[name]) for name in ("median", "lower", "upper")), scale=100) for text in texts
        ), texts
        if row["dimension"] != "headline":
            assert any(points_say(text, value(row["change"]), 1.0) for text in texts), (row["variant"], texts)
            assert row["variant"][:25] in " ".join(texts).replace("\n", " ")
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((value(rows[0]["lower"]), value(rows[0]["upper"])), rel=1e-4)
    across = {
        line.get_color(): line.get_xdata()[0]
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_xdata()[0] == line.get_xdata()[1]
    }
    assert across == {
        style.SHRUNKEN: pytest.approx(value(rows[0]["median"]), rel=1e-5),
        style.PUBLISHED: pytest.approx(value(rows[0]["published"])),
    }
