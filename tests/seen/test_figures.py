"""Figures read back from matplotlib's own objects: positions, ends, colours, order, ticks and words against the rows.

Each figure is the one that the report draws, before it is saved.
"""

import re
from contextlib import nullcontext

import numpy as np
import pytest

from analysis.drawing import style
from tests.figures.reading import misplaced
from tests.reporting import pictures_of
from tests.seen.checking import chosen, numbers, points_say, says, single, value
from tests.seen.facts import ENDPOINTS, STUDIES, studies_of

KINDS = ("curves", "forest", "published", "summary", "funnel", "baujat", "sensitivity", "missing", "decomposition",
         "bubble", "checks", "validation")


@pytest.fixture(scope="module")
def figures(seen):
    """Figures by kind and endpoint ("" where there is one for all)."""
    return {(picture.kind, picture.endpoint): picture.draw(**picture.content) for picture in pictures_of(seen.results)}


def test_every_kind_of_figure_is_drawn_and_has_its_check(figures):
    wanted = {(kind, endpoint) for kind in ("forest", "sensitivity", "bubble") for endpoint in ENDPOINTS}
    wanted |= {(kind, "") for kind in ("published", "summary", "decomposition", "missing", "baujat", "funnel",
                                     "checks", "validation", "cumulative", "exceedance")}
    wanted |= {("curves", "os")}
    assert set(figures) == wanted
    source = open(__file__, encoding="utf-8").read()
    assert all(f'figures["{kind}"' in source for kind in KINDS)


@pytest.mark.parametrize("layout", [nullcontext, style.narrow])
def test_nothing_is_cut_off_and_no_text_overlaps_another(seen, layout):
    for picture in pictures_of(seen.results):
        with layout():
            figure = picture.draw(**picture.content)
            assert figure.get_size_inches()[0] == style.width()
        assert misplaced(figure) == [], picture.name


def percents(axes, which: str = "x") -> None:
    """Tick labels are the positions in per cents, in increasing order; the axis runs from low to high."""
    ticks, labels = getattr(axes, f"get_{which}ticks")(), getattr(axes, f"get_{which}ticklabels")()
    words = [label.get_text() for label in labels]
    shown = [(tick, float(word.rstrip(" %"))) for tick, word in zip(ticks, words, strict=True) if word]
    assert len(shown) >= 3, words
    assert [tick for tick, _ in shown] == sorted(tick for tick, _ in shown)
    assert all(number == pytest.approx(100 * tick, abs=0.51) for tick, number in shown), shown
    low, high = getattr(axes, f"get_{which}lim")()
    assert low < high


def segments(axes, color: str) -> list[tuple[float, float, float]]:
    """Height, left and right end of each horizontal line of a colour, from the top; a mark may stand on it."""
    found = []
    for line in axes.lines:
        x, y = line.get_xdata(), line.get_ydata()
        if (
            line.get_color() == color
            and len(x) in (2, 3)
            and len(set(y)) == 1
            and line.get_transform() == axes.transData
        ):
            found.append((float(y[0]), float(x[0]), float(x[-1])))
    return sorted(found)


def points(axes, color: str) -> list[tuple[float, float]]:
    """Height and place of each mark of a colour, alone or in the middle of an interval, from the top."""
    return sorted(
        (float(line.get_ydata()[0]), float(line.get_xdata()[len(line.get_xdata()) // 2]))
        for line in axes.lines
        if line.get_color() == color and len(line.get_xdata()) in (1, 3) and line.get_markevery() != []
    )


def written(axes) -> list[tuple[float, float, str]]:
    """Height, distance from the left and text, from the top."""
    return sorted((text.get_position()[1], text.get_position()[0], text.get_text()) for text in axes.texts)


def at_row(axes, y: float, *, tolerance: float = 0.02) -> list[str]:
    """Texts about a height, column by column."""
    return [text for *_, text in sorted((left, row, text) for row, left, text in written(axes)
                                        if abs(row - y) < tolerance)]


def legend_of(figure) -> dict[str, str]:
    """Colour of each label of the legend."""
    (legend,) = figure.legends
    return {
        text.get_text(): handle.get_color()
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        if hasattr(handle, "get_color")
    }


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


def test_baujat(seen, figures):
    figure = figures["baujat", ""]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [row["label"] for row in ENDPOINTS.values()]
    for endpoint, axes in zip(ENDPOINTS, figure.axes, strict=True):
        rows = chosen(seen.tables["influence.csv"], endpoint=endpoint)
        discs = [mark for mark in axes.collections if len(mark.get_offsets()) == 1]
        found = sorted(tuple(disc.get_offsets()[0]) for disc in discs)
        wanted = sorted((value(row["surprise_bits"]), abs(value(row["shift_sd"]))) for row in rows)
        assert np.array(found) == pytest.approx(np.array(wanted), rel=1e-4)
        for row in rows:
            assert any(
                tuple(disc.get_offsets()[0])
                == pytest.approx((value(row["surprise_bits"]), abs(value(row["shift_sd"]))), rel=1e-4)
                and disc.get_sizes()[0] == pytest.approx(6 * min(value(row["n"]), 250))
                for disc in discs
            ), row
        (limit,) = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
        assert limit.get_xdata()[0] == pytest.approx(-np.log2(0.05))
        assert axes.get_xlabel() == "one in so many studies" and axes.get_ylabel() == "shift, SD"
        assert axes.get_xlim()[0] < axes.get_xlim()[1] and axes.get_ylim()[0] < axes.get_ylim()[1]
        assert {text.get_text() for text in axes.texts} <= {row["label"] for row in rows}


def test_checks(seen, figures):
    """From the largest report to the smallest, each on its two intervals, by name."""
    (axes,) = figures["checks", ""].axes
    percents(axes)
    rows = [row for endpoint in ENDPOINTS for row in sorted(chosen(seen.tables["checks.csv"], endpoint=endpoint),
                                                            key=lambda row: -value(row["observed"]))]
    for name, color in (("prior", style.RULE), ("posterior", style.SHRUNKEN)):
        wanted = [(value(row[f"{name}_lower"]), value(row[f"{name}_upper"])) for row in rows]
        assert np.array([one[1:] for one in segments(axes, color)]) == pytest.approx(np.array(wanted), abs=1e-5)
    assert all(row["posterior_within"] == "true" for row in rows), "nothing is red"
    found = points(axes, style.SHRUNKEN)
    assert [x for _, x in found] == pytest.approx([value(row["observed"]) for row in rows], abs=1e-5)
    for row, (y, _) in zip(rows, found, strict=True):
        limits = [value(row[name]) for name in ("observed", "posterior_lower", "posterior_upper")]
        assert row["label"] in at_row(axes, y) and any(says(text, *limits, scale=100) for text in at_row(axes, y))


def test_validation(seen, figures):
    """The one later report as the mark on its interval, with its probability."""
    (axes,), (row,) = figures["validation", ""].axes, seen.tables["validation.csv"]
    (line,) = [line for line in axes.lines if line.get_color() == style.SHRUNKEN]
    wanted = [value(row[name]) for name in ("lower", "observed", "upper")]
    assert line.get_xdata() == pytest.approx(wanted, abs=1e-5) and line.get_markevery() == [1]
    shown = [text.get_text() for text in axes.texts]
    assert "Hazel 2021" in shown and "50/63" in shown
    assert any(says(text, value(row["two_sided"])) for text in shown)


def test_funnel(seen, figures):
    figure = figures["funnel", ""]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [row["label"] for row in ENDPOINTS.values()]
    for endpoint, axes in zip(ENDPOINTS, figure.axes, strict=True):
        percents(axes)
        rows = seen.tables["small_studies.csv"]
        limits, studies = (chosen(rows, endpoint=endpoint, part=part) for part in ("limit", "study"))
        found = [(x, y, color) for color in (style.RAW, style.ALARM) for y, x in points(axes, color)]
        wanted = [
            (
                value(row["observed"]),
                value(row["precision"]),
                style.ALARM if value(row["two_sided"]) < 0.05 else style.RAW,
            )
            for row in studies
        ]
        assert len(found) == len(wanted)
        assert all(
            any(np.allclose(one[:2], two[:2], rtol=1e-4) and one[2] == two[2] for two in found) for one in wanted
        )
        lower, upper, middle = [line for line in axes.lines if len(line.get_xdata()) == len(limits)]
        for line, name in ((lower, "predicted_lower"), (upper, "predicted_upper")):
            assert line.get_xdata() == pytest.approx([value(row[name]) for row in limits], rel=1e-5)
        assert middle.get_xdata() == pytest.approx([value(row["predicted"]) for row in limits], rel=1e-5)
        assert middle.get_ydata() == pytest.approx([value(row["precision"]) for row in limits], rel=1e-5)
        band = np.concatenate(
            [
                path.vertices
                for mark in axes.collections
                for path in mark.get_paths()
                if len(path.vertices) > len(limits)
            ]
        )
        for row in limits:
            edge = band[np.isclose(band[:, 1], value(row["precision"]), rtol=1e-4)][:, 0]
            assert (edge.min(), edge.max()) == pytest.approx(
                (value(row["predicted_lower"]), value(row["predicted_upper"])), rel=1e-4
            )
        assert axes.get_ylim()[0] < axes.get_ylim()[1]  # large studies on top
        ticks = [
            (tick, label.get_text()) for tick, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        ]
        assert len(ticks) >= 2 and all(float(text.replace(",", "")) == tick for tick, text in ticks)
        assert axes.get_ylabel() == ("events, about" if endpoint == "os" else "patients")


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_bubble(seen, figures, endpoint):
    figure = figures["bubble", endpoint]
    slopes = [row for row in chosen(seen.tables["regression.csv"], endpoint=endpoint, analysis="one_at_a_time")
              if not row["refused"]]
    assert len(figure.axes) == len(slopes)
    sizes = {study.study_id: study.n for study in studies_of(endpoint)}
    raw = {row["study_id"]: value(row["raw"]) for row in chosen(seen.tables["studies.csv"], endpoint=endpoint)}
    for slope, axes in zip(slopes, figure.axes, strict=True):
        percents(axes, "y")
        low, high = axes.get_xlim()
        assert low < high
        ticks = [
            (tick, label.get_text()) for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        ]
        shown = [(tick, float(text.replace("−", "-").rstrip(" %"))) for tick, text in ticks if text]
        assert len(shown) >= 2 and all(tick == pytest.approx(number) for tick, number in shown), shown
        _circles(seen, axes, slope, raw, sizes)
        _band(seen, axes, slope)
        texts = [text.get_text() for text in axes.texts]
        assert axes.get_title(loc="left") == slope["label"]
        assert any(
            says(
                re.sub(r"P\(>1\)", "P", text).replace(" ratio", ""),
                *(
                    value(slope[name])
                    for name in ("ratio_median", "ratio_lower", "ratio_upper", "probability_above_one")
                ),
                scale=1.0,
            )
            for text in texts
        ), texts
        assert slope["unit"] in axes.get_xlabel()
        named = {text.get_text() for text in axes.texts}
        assert named & {STUDIES[name]["label"] for name in sizes}
    assert figure.axes[0].get_ylabel() == ("Survival at 12 months, %" if endpoint == "os" else "Rate, %")


def _circles(seen, axes, slope, raw, sizes) -> None:
    column = {"age": "median_age", "hct": "hct_pct", "year": "year"}[slope["covariate"]]
    (circles,) = [mark for mark in axes.collections if mark.get_gid() == f"circles.{slope['covariate']}"]
    known = [name for name in sizes if STUDIES[name][column]]
    wanted = sorted((float(STUDIES[name][column]), raw[name], sizes[name] / max(sizes.values())) for name in known)
    areas = circles.get_sizes() / max(circles.get_sizes()) * max(sizes[name] for name in known) / max(sizes.values())
    found = sorted((*map(float, place), float(area)) for place, area in zip(circles.get_offsets(), areas, strict=True))
    assert np.array(found) == pytest.approx(np.array(wanted), rel=1e-5)
    imputed = chosen(seen.tables["regression_imputed.csv"], endpoint=slope["endpoint"], covariate=slope["covariate"])
    marks = {mark.get_gid(): mark for mark in axes.collections if (mark.get_gid() or "").startswith("imputed.")}
    assert set(marks) == {f"imputed.{slope['covariate']}.{row['study_id']}" for row in imputed}
    lines = segments(axes, style.PUBLISHED)
    for row in imputed:
        y = raw[row["study_id"]]
        assert tuple(marks[f"imputed.{slope['covariate']}.{row['study_id']}"].get_offsets()[0]) == pytest.approx(
            (value(row["median"]), y), rel=1e-5
        )
        bounds = next(one for one in seen.evidence.covariates if one.covariate == slope["covariate"])
        ends = np.clip([value(row["lower"]), value(row["upper"])], bounds.lowest, bounds.highest)
        assert any(line == pytest.approx((y, *ends), rel=1e-5) for line in lines)


def _band(seen, axes, slope) -> None:
    rows = chosen(seen.tables["regression_predictions.csv"], endpoint=slope["endpoint"], covariate=slope["covariate"])
    (curve,) = [line for line in axes.lines if line.get_gid() == f"curve.{slope['covariate']}"]
    (band,) = [mark for mark in axes.collections if mark.get_gid() == f"band.{slope['covariate']}"]
    assert curve.get_xdata() == pytest.approx([value(row["value"]) for row in rows], rel=1e-5)
    assert curve.get_ydata() == pytest.approx([value(row["median"]) for row in rows], rel=1e-5)
    corners = band.get_paths()[0].vertices
    for row in rows[::8]:
        edge = corners[np.isclose(corners[:, 0], value(row["value"]), rtol=1e-6)][:, 1]
        assert (edge.min(), edge.max()) == pytest.approx((value(row["lower"]), value(row["upper"])), rel=1e-4)


def test_curves(seen, figures):
    figure, points = figures["curves", "os"], seen.tables["curve_points.csv"]
    titles = [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes]
    for name in {row["label"] for row in points}:
        (axes,) = [axes for axes, title in zip(figure.axes, titles, strict=True) if title.startswith(name)]
        marks = sorted((float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in axes.lines
                       if len(line.get_xdata()) == 1)
        wanted = sorted((value(row["months"]), value(row["survival"])) for row in points if row["label"] == name)
        assert np.array(marks) == pytest.approx(np.array(wanted))
    typical = [row for row in seen.tables["curve_bands.csv"] if row["curve"] == "typical study"
               and row["model"] == "weibull"]
    assert any(np.allclose(line.get_ydata(), [value(row["median"]) for row in typical])
               for line in figure.axes[0].lines if len(line.get_ydata()) == len(typical))
