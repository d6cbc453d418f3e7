"""Figures read back: each is the one that the report draws, before it is saved; those of points and curves here."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from analysis.drawing import style
from tests.figures.reading import misplaced
from tests.reporting import pictures_of
from tests.seen.axes import at_row, labelled, near, percents, points, segments, shows
from tests.seen.checking import chosen, limits, says, value
from tests.seen.facts import ENDPOINTS, STUDIES, studies_of

KINDS = ("curves", "forest", "published", "summary", "funnel", "baujat", "sensitivity", "missing", "decomposition",
         "bubble", "checks", "validation")


def test_every_kind_of_figure_is_drawn_and_has_its_check(figures):
    wanted = {(kind, endpoint) for kind in ("forest", "sensitivity", "bubble") for endpoint in ENDPOINTS}
    wanted |= {(kind, "") for kind in ("published", "summary", "decomposition", "missing", "baujat", "funnel",
                                     "checks", "validation", "cumulative", "exceedance")}
    wanted |= {("curves", "os")}
    assert set(figures) == wanted
    source = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert all(f'figures["{kind}"' in source for kind in KINDS)


@pytest.mark.parametrize("layout", [nullcontext, style.narrow])
def test_nothing_is_cut_off_and_no_text_overlaps_another(seen, layout):
    for picture in pictures_of(seen.results):
        with layout():
            figure = picture.draw(**picture.content)
            assert figure.get_size_inches()[0] == style.width()
        assert misplaced(figure) == [], picture.name


def test_baujat(seen, figures):
    figure = figures["baujat", ""]
    assert [axes.get_title(loc="left") for axes in figure.axes] == [row["label"] for row in ENDPOINTS.values()]
    for endpoint, axes in zip(ENDPOINTS, figure.axes, strict=True):
        rows = chosen(seen.tables["influence.csv"], endpoint=endpoint)
        discs = sorted((*disc.get_offsets()[0], disc.get_sizes()[0]) for disc in axes.collections
                       if len(disc.get_offsets()) == 1)
        wanted = sorted((value(row["surprise_bits"]), abs(value(row["shift_sd"])), 6 * min(value(row["n"]), 250))
                        for row in rows)
        assert np.array(discs) == pytest.approx(np.array(wanted), rel=1e-4)
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
        wanted = [value(row[name]) for name in ("observed", "posterior_lower", "posterior_upper")]
        assert row["label"] in at_row(axes, y) and shows(at_row(axes, y), wanted)


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
        band_rows, studies = (chosen(rows, endpoint=endpoint, part=part) for part in ("limit", "study"))
        for color, surprising in ((style.RAW, False), (style.ALARM, True)):
            wanted = sorted((value(row["precision"]), value(row["observed"])) for row in studies
                            if (value(row["two_sided"]) < 0.05) == surprising)
            assert np.array(points(axes, color)) == pytest.approx(np.array(wanted), rel=1e-4)
        lines = [line for line in axes.lines if len(line.get_xdata()) == len(band_rows)]
        for line, name in zip(lines, ("predicted_lower", "predicted_upper", "predicted"), strict=True):
            assert line.get_xdata() == near([value(row[name]) for row in band_rows])
        assert lines[-1].get_ydata() == near([value(row["precision"]) for row in band_rows])
        band = np.concatenate([path.vertices for mark in axes.collections for path in mark.get_paths()
                               if len(path.vertices) > len(band_rows)])
        for row in band_rows:
            edge = band[np.isclose(band[:, 1], value(row["precision"]), rtol=1e-4)][:, 0]
            wanted = value(row["predicted_lower"]), value(row["predicted_upper"])
            assert (edge.min(), edge.max()) == pytest.approx(wanted, rel=1e-4)
        assert axes.get_ylim()[0] < axes.get_ylim()[1]  # large studies on top
        ticks = labelled(axes.get_yticks(), axes.get_yticklabels())
        assert len(ticks) == len(axes.get_yticks()) >= 2 and all(tick == number for tick, number in ticks)
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
        ticks = labelled(axes.get_xticks(), axes.get_xticklabels())
        assert len(ticks) >= 2 and all(tick == pytest.approx(number) for tick, number in ticks), ticks
        _circles(seen, axes, slope, raw, sizes)
        _band(seen, axes, slope)
        texts = [text.get_text() for text in axes.texts]
        assert axes.get_title(loc="left") == slope["label"]
        (ratio,) = [text for text in texts if text.startswith("ratio ")]
        assert says(ratio.partition("]")[0], *limits(slope, "ratio_")) and ratio.endswith(f"], {slope['unit']}")
        assert axes.get_xlabel() == slope["label"]
        assert set(texts) & {STUDIES[name]["label"] for name in sizes}
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
        y, mark = raw[row["study_id"]], marks[f"imputed.{slope['covariate']}.{row['study_id']}"]
        assert tuple(mark.get_offsets()[0]) == near((value(row["median"]), y))
        bounds = next(one for one in seen.evidence.covariates if one.covariate == slope["covariate"])
        ends = np.clip([value(row["lower"]), value(row["upper"])], bounds.lowest, bounds.highest)
        assert any(line == near((y, *ends)) for line in lines)


def _band(seen, axes, slope) -> None:
    rows = chosen(seen.tables["regression_predictions.csv"], endpoint=slope["endpoint"], covariate=slope["covariate"])
    (curve,) = [line for line in axes.lines if line.get_gid() == f"curve.{slope['covariate']}"]
    (band,) = [mark for mark in axes.collections if mark.get_gid() == f"band.{slope['covariate']}"]
    assert curve.get_xdata() == near([value(row["value"]) for row in rows])
    assert curve.get_ydata() == near([value(row["median"]) for row in rows])
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
