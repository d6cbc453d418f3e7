"""The figure of the missing studies puts every number where its two tables have it."""

import pytest

from analysis.chapters.missing.figure import MAX_ENDPOINTS, bounded_endpoints, draw_missing
from analysis.chapters.missing.rows import MISSING_BOUNDS, PUBLISHED_TOTALS
from analysis.drawing.saving import save_figure
from analysis.results.numbers import PERCENT
from analysis.results.writing import Labels
from tests.figures.reading import drawn, shown

NAMES = {"cr": "Complete remission", "relapse": "Relapse"}


def bound(name, median=None, lower=None, upper=None, **cells):
    return {"endpoint": "cr", "bound": name, "known_k": 10, "published_k": 16, "median": median, "lower": lower,
            "upper": upper, "status": "published" if name == "published" else "computed", "interval": "credible",
            "level": 0.95, **cells}


BOUNDS = [bound("headline", 0.80, 0.72, 0.86), bound("extreme_low", 0.40, 0.24, 0.58),
          bound("extreme_high", 0.87, 0.78, 0.93), bound("joint_low", 0.76, 0.69, 0.81),
          bound("joint_high", 0.83, 0.78, 0.88), bound("published", 0.81, 0.72, 0.89, interval="confidence")]
WITH_TOTAL = {"endpoint": "cr", "scenario": "as_printed", "status": "computed", "median": 0.815, "lower": 0.755,
              "upper": 0.861}
NOT_COMPUTED = bound("headline", endpoint="relapse", status="not computed", interval="", level=None)


def frame(rows):
    return MISSING_BOUNDS.table(rows).frame


def figure_of(bounds, totals=(), names=NAMES, stamp=""):
    return draw_missing(frame(bounds), totals=PUBLISHED_TOTALS.table(totals).frame,
                        labels=Labels(names, scales=dict.fromkeys(names, PERCENT), stamp=stamp))


def test_limits_medians_and_numbers_are_those_of_the_tables():
    figure = figure_of(BOUNDS, [WITH_TOTAL, {"endpoint": "cr", "scenario": "none", "status": "not computed"}])
    assert drawn(figure) == {(0.72, 0.80, 0.86), (0.24, 0.40, 0.93), (0.40, 0.87), (0.69, 0.76, 0.88), (0.76, 0.83),
                             (0.755, 0.815, 0.861), (0.72, 0.81, 0.89)}
    for words in ("Complete remission", "10 of 16 studies", "80 [72, 86]", "40–87 [24, 93]", "76–83 [69, 88]",
                  "81 [72, 89]", "and total, as printed", "95 % confidence interval"):
        assert words in shown(figure)
    assert "and total, none" not in shown(figure)


@pytest.mark.parametrize("kind", ["", None])
def test_a_published_estimate_without_an_interval_is_a_point(kind):
    figure = figure_of([*BOUNDS[:-1], bound("published", 0.5, interval=kind, level=None)])
    assert (0.5,) in drawn(figure)
    assert "confidence" not in shown(figure)


def test_an_endpoint_that_is_not_computed_is_named_only():
    assert "Not computed: Relapse" in shown(figure_of([*BOUNDS, NOT_COMPUTED]))
    assert bounded_endpoints(frame([*BOUNDS, NOT_COMPUTED])) == ["cr"]
    assert bounded_endpoints(frame([NOT_COMPUTED])) == bounded_endpoints(frame([])) == []


def test_more_endpoints_than_can_be_drawn_are_counted():
    names = {f"e{at}": f"Rate {at}" for at in range(MAX_ENDPOINTS + 3)}
    figures = [figure_of([{**row, "endpoint": name} for name in list(names)[:count] for row in BOUNDS], names=names)
               for count in (MAX_ENDPOINTS, MAX_ENDPOINTS + 3)]
    assert "in the table" not in shown(figures[0]) and "3 more are in the table" in shown(figures[1])
    for name in (f"Rate {MAX_ENDPOINTS - 1}", f"Rate {MAX_ENDPOINTS}"):
        assert (name in shown(figures[1]).split("\n")) == (name == f"Rate {MAX_ENDPOINTS - 1}")


def test_text_of_the_evidence_cannot_disturb_the_picture(tmp_path):
    figure = figure_of(BOUNDS, [WITH_TOTAL | {"scenario": "$_" * 30}], {"cr": "$x^$ <b>&\u202e\x00 " + "long " * 40},
                       stamp="QUICK")
    assert "\u202e" not in shown(figure) and "\x00" not in shown(figure) and "QUICK" in shown(figure)
    svg, png = save_figure(figure, tmp_path / "missing")
    assert svg.stat().st_size > 1000 and png.stat().st_size > 1000
