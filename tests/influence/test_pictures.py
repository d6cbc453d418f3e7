"""The map of influence and the funnels put every number where their tables have it."""

import numpy as np
import pytest

from analysis.chapters.influence.figure import draw_baujat, mapped
from analysis.chapters.influence.rows import INFLUENCE
from analysis.chapters.small_studies.figure import draw_funnel, drawn_endpoints
from analysis.chapters.small_studies.rows import SMALL_STUDIES
from analysis.drawing.labels import Disc, places, spots_on
from analysis.drawing.saving import save_figure
from analysis.results.numbers import PERCENT
from analysis.results.writing import Labels

from .cases import COUNTS, CR, OS, evidence_of, funnel_of, influence_of

NAMES = {"cr": "Complete remission", "os": "Overall survival"}
NASTY = {**NAMES, "cr": "$x^$ <b>&\u202e " + "long " * 40}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    medians = {name: (10.0 + at, 20 + 5 * at) for at, name in enumerate(COUNTS)}
    return evidence_of(tmp_path_factory.mktemp("pictures"), COUNTS | {"odd": (10, 40)}, medians=medians)


@pytest.fixture(scope="module")
def influence(evidence):
    return [row for job in (CR, OS) for row in influence_of(evidence, job)]


@pytest.fixture(scope="module")
def sizes(evidence):
    return [row for job in (CR, OS) for row in funnel_of(evidence, job)]


def map_of(rows, names=NAMES, stamp=""):
    return draw_baujat(INFLUENCE.table(rows).frame, labels=Labels(names, stamp=stamp))


def funnels_of(rows, names=NAMES):
    return draw_funnel(SMALL_STUDIES.table(rows).frame, labels=Labels(names, scales=dict.fromkeys(NAMES, PERCENT)))


def words(figure):
    return "\n".join(text.get_text() for text in [*figure.texts, *(text for axes in figure.axes for text in (
        *axes.texts, axes.title, axes._left_title))])


def test_the_map_has_each_study_at_its_surprise_and_shift(influence):
    figure = map_of(influence, stamp="QUICK")
    for endpoint, axes in zip(("cr", "os"), figure.axes, strict=True):
        drawn = sorted(tuple(np.round(found.get_offsets()[0], 9)) for found in axes.collections)
        rows = [row for row in influence if row["endpoint"] == endpoint]
        assert drawn == sorted((round(row["surprise_bits"], 9), round(abs(row["shift_sd"]), 9)) for row in rows)
        areas = {found.get_sizes()[0] for found in axes.collections}
        assert areas == {6.0 * row["n"] for row in rows}
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    for text in ("Study odd", "Complete remission", "Overall survival", "Influence and surprise", "QUICK", "one in 20"):
        assert text in words(figure)


def test_endpoints_of_one_or_two_studies_are_named_only(influence):
    few = [row | {"k_studies": 2} if row["endpoint"] == "os" else row for row in influence]
    figure = map_of(few)
    assert len(figure.axes) == 1 and "fewer than 3 studies: Overall survival" in words(figure)
    assert set(mapped(INFLUENCE.table(few).frame)["endpoint"]) == {"cr"}
    assert not len(mapped(INFLUENCE.table(row | {"status": "not computed"} for row in influence).frame))


def test_the_funnel_has_the_limits_and_studies_of_the_table(sizes):
    figure = funnels_of(sizes)
    for endpoint, axes in zip(("cr", "os"), figure.axes, strict=True):
        rows = [row for row in sizes if row["endpoint"] == endpoint]
        limits = [row for row in rows if row["part"] == "limit"]
        curves = [line for line in axes.lines if len(line.get_xdata()) == len(limits)]
        assert [list(line.get_xdata()) for line in curves] == [
            [row[name] for row in limits] for name in ("predicted_lower", "predicted_upper", "predicted")]
        assert all(list(line.get_ydata()) == [row["precision"] for row in limits] for line in curves)
        points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if len(line.get_xdata()) == 1}
        assert points == {(row["observed"], row["precision"]) for row in rows if row["part"] == "study"}
    assert "Study odd" in words(figure) and "survival at 12 months" in figure.axes[1].get_xlabel()


def test_funnels_of_few_studies_are_not_drawn(sizes):
    few = [row | {"k_studies": 4} if row["endpoint"] == "os" else row for row in sizes]
    assert len(funnels_of(few).axes) == 1 and drawn_endpoints(SMALL_STUDIES.table(few).frame) == ["cr"]
    assert not drawn_endpoints(SMALL_STUDIES.table(row for row in sizes if row["part"] != "limit").frame)


def test_text_of_the_evidence_cannot_disturb_the_pictures(tmp_path, influence, sizes):
    nasty = "$_{" + "\x00" + "word " * 20
    for name, figure in (("map", map_of([row | {"label": nasty} for row in influence], NASTY)),
                         ("funnel", funnels_of([row | {"label": nasty} for row in sizes], NASTY))):
        assert "\u202e" not in words(figure) and "\x00" not in words(figure)
        for path in save_figure(figure, tmp_path / name):
            assert path.stat().st_size > 1000


def test_names_hide_neither_points_nor_each_other():
    rng = np.random.default_rng(1)
    discs = [Disc(x, y, 0.1) for x, y in rng.uniform([0.2, 0.2], [3.8, 2.3], (12, 2))]
    found = places(discs, [0.99] * 12, width=4.0, height=2.5, line=0.2)
    boxes = []
    for place in (place for place in found if place):
        left = {"left": place.x, "right": place.x - 0.99, "center": place.x - 0.495}[place.align]
        boxes.append((left, place.y - 0.1, left + 0.99, place.y + 0.1))
    assert len(boxes) >= 4
    for at, one in enumerate(boxes):
        assert one[0] >= 0.0 and one[2] <= 4.0
        for other in boxes[:at]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        for disc in discs:
            assert not (one[0] < disc.x < one[2] and one[1] < disc.y < one[3])


def test_names_keep_off_lines_where_that_costs_no_name():
    """A line along the middle: beside the point is taken, so the name goes above; with no room elsewhere it crosses."""
    middle = spots_on(np.array([[0.0, 1.0], [4.0, 1.0]]))
    assert max(np.diff([x for x, _ in middle])) <= 0.051
    size = {"width": 4.0, "line": 0.2, "along": middle}
    (beside,), (above,) = (places([Disc(2.0, 1.0, 0.05)], [0.8], height=2.0, **size | {"along": along})
                           for along in ((), middle))
    assert beside.y == 1.0 and abs(above.y - 1.0) > 0.1
    low = {**size, "height": 0.2, "along": spots_on(np.array([[0.0, 0.1], [4.0, 0.1]]))}
    assert places([Disc(2.0, 0.1, 0.05)], [0.8], **low) != [None]
    assert places([Disc(2.0, 0.1, 0.05)], [0.8], **low, crossing=False) == [None]


def test_points_of_one_study_have_its_name_once_where_there_is_room():
    """A line stands beside the first point, in the corner of the plot; the second one has room."""
    found = places([Disc(0.1, 0.05, 0.05), Disc(2.0, 1.0, 0.05)], [1.9, 1.9], width=4.0, height=2.0, line=0.2,
                   owners=["a", "a"], along=spots_on(np.array([[0.5, 0.0], [0.5, 0.6]])))
    assert found[0] is None and found[1] is not None
